//! Which scripts of other origins may read a page's answers: those of `pages.origins`.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::live::Settings;

/// How long a browser may remember what it was allowed, in seconds.
const MAX_AGE_SECONDS: &str = "600";

/// What scripts of other origins may do with a route.
pub(in crate::edge) struct Cors {
    /// How they may call it.
    pub(in crate::edge) methods: &'static str,
    /// Headers that they may send.
    pub(in crate::edge) sent: &'static str,
    /// Headers of the answer that they may read.
    pub(in crate::edge) exposed: &'static str,
}

impl Cors {
    /// Adds to an answer that whoever asked may read it, if so.
    pub(in crate::edge) fn allow(
        &self,
        settings: &Settings,
        origin: Option<&HeaderValue>,
        answer: &mut HeaderMap,
    ) {
        answer.insert(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = origin else { return };
        if !is_configured(settings, origin) {
            return;
        }
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(self.exposed)),
        ] {
            answer.insert(name, value);
        }
    }

    /// The answer to a browser that asks whether a script of another origin may call.
    pub(in crate::edge) fn preflight(&self, settings: &Settings, asked: &HeaderMap) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let answer = response.headers_mut();
        self.allow(settings, asked.get(header::ORIGIN), answer);
        let methods = HeaderValue::from_static(self.methods);
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let sent = HeaderValue::from_static(self.sent);
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, sent);
        let age = HeaderValue::from_static(MAX_AGE_SECONDS);
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, age);
        response
    }
}

/// True if an origin is one of `pages.origins`.
pub(super) fn is_configured(settings: &Settings, origin: &HeaderValue) -> bool {
    settings.config.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
}
