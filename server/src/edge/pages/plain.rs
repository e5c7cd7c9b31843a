//! The page without scripts: a small document that asks for itself again until nothing follows.
//!
//! It leaves no receipt, for nobody can know that it was painted: the merchant's mail is then the
//! safe side.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{
    Asked, granted, respond,
    texts::{self, Message, Texts},
    token::Refused,
    view::PageView,
    watch::find,
};
use crate::{
    clock,
    domain::{order::Order, view::Outcome},
    edge::Context,
};

const STYLE: &str = include_str!("plain.css");
/// Between two looks at an order: at first, and after it stayed the same for long.
const REFRESH_SECONDS: (u64, u64) = (5, 60);
/// An order that stayed the same for some time is looked at again after a part of that.
const PATIENCE: u64 = 6;

/// Lets exactly [`STYLE`] through.
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| format!("'sha256-{}'", BASE64.encode(Sha256::digest(STYLE))));

/// What else stands in the query.
#[derive(Deserialize)]
pub(super) struct Language {
    lang: Option<String>,
}

/// What a document says.
struct Document<'a> {
    language: &'static str,
    texts: &'static Texts,
    /// A word for the style.
    state: &'static str,
    icon: &'static str,
    message: &'a Message,
    view: Option<PageView>,
    /// In how many seconds to ask again, if there is a point in it.
    refresh: Option<u64>,
}

/// Answers with the order's state, as a document.
pub(super) async fn page(
    State(context): State<Arc<Context>>,
    Query(asked): Query<Asked>,
    Query(language): Query<Language>,
    headers: HeaderMap,
) -> Response {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
    let (language, texts) = texts::choose(language.lang.as_deref(), accepted.unwrap_or_default());
    let nothing = |state, icon, message, refresh| Document {
        language,
        texts,
        state,
        icon,
        message,
        view: None,
        refresh,
    };
    let (code, document) = match granted(&context, &asked, &headers) {
        Err(Refused::Expired) => (StatusCode::GONE, nothing("expired", "◷", &texts.expired, None)),
        Err(Refused::Invalid) => {
            (StatusCode::UNAUTHORIZED, nothing("expired", "!", &texts.invalid, None))
        }
        Ok(grant) => match find(&context, &grant).await {
            Some(order) => (StatusCode::OK, of_order(&context, language, texts, &order)),
            None => {
                let again = Some(REFRESH_SECONDS.0);
                let message = &texts.connecting;
                (StatusCode::SERVICE_UNAVAILABLE, nothing("undecided", "…", message, again))
            }
        },
    };
    let mut response = respond(&context, &headers, code, Body::from(document.html()));
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    own.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
    own.insert(header::VARY, HeaderValue::from_static("origin, accept-language"));
    if let Ok(policy) = HeaderValue::from_str(&policy(&context.pages.load().config.origins)) {
        own.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Nothing but our style; in frames of the shop alone.
fn policy(origins: &[String]) -> String {
    let style = STYLE_HASH.as_str();
    let mut policy = format!(
        "default-src 'none'; style-src {style}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'"
    );
    for origin in origins {
        policy.push(' ');
        policy.push_str(origin);
    }
    policy
}

fn of_order(
    context: &Context,
    language: &'static str,
    texts: &'static Texts,
    order: &Order,
) -> Document<'static> {
    let summary = &order.view.summary;
    let age = clock::now().as_micros().saturating_sub(order.update_time.as_micros());
    let age = Duration::from_micros(u64::try_from(age).unwrap_or(0));
    let again = (age.as_secs() / PATIENCE).clamp(REFRESH_SECONDS.0, REFRESH_SECONDS.1);
    let (state, icon, refresh) = match summary.outcome {
        Outcome::Undecided => ("undecided", "…", Some(again)),
        Outcome::Approved => ("approved", "✓", None),
        // The customer may pay again.
        Outcome::Refused if age < context.pages.load().config.settle => {
            ("refused", "✕", Some(again))
        }
        Outcome::Refused => ("refused", "✕", None),
        Outcome::Withdrawn => ("withdrawn", "↩", None),
    };
    let message = texts.message(summary.outcome, summary.status);
    let view = Some(PageView::of(order, None));
    Document { language, texts, state, icon, message, view, refresh }
}

impl Document<'_> {
    fn html(&self) -> String {
        let Self { language, state, icon, texts, .. } = self;
        let refresh = self
            .refresh
            .map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"));
        let live = self.refresh.map(|_| format!("<p class=\"live\">{}</p>\n", escape(&texts.live)));
        let details = self.view.as_ref().map(|view| self.details(view));
        format!(
            "<!doctype html>\n<html lang=\"{language}\" data-state=\"{state}\">\n\
             <meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta name=\"robots\" content=\"noindex\">\n\
             {refresh}<title>{title}</title>\n<style>{STYLE}</style>\n\
             <main>\n<div class=\"icon\" aria-hidden=\"true\">{icon}</div>\n\
             <div role=\"status\"><h1>{title}</h1>\n<p>{text}</p></div>\n\
             {details}{live}</main>\n</html>\n",
            refresh = refresh.unwrap_or_default(),
            title = escape(&self.message.title),
            text = escape(&self.message.text),
            details = details.unwrap_or_default(),
            live = live.unwrap_or_default(),
        )
    }

    fn details(&self, view: &PageView) -> String {
        let mut rows = String::new();
        let mut row = |label: &str, class: &str, value: &str| {
            let (label, value) = (escape(label), escape(value));
            rows.push_str(&format!(
                "<div><dt>{label}</dt><dd class=\"{class}\">{value}</dd></div>\n"
            ));
        };
        if let Some(money) = view.amount {
            let value = money.to_string().replacen('.', &self.texts.decimal, 1);
            row(&self.texts.amount, "amount", &value);
        }
        if !view.order.is_empty() {
            row(&self.texts.order, "order", &view.order);
        }
        if let Ok(time) = jiff::Timestamp::from_microsecond(view.time.as_micros()) {
            row(&self.texts.time, "time", &time.strftime("%Y-%m-%d %H:%M UTC").to_string());
        }
        format!("<dl>\n{rows}</dl>\n")
    }
}

/// Text as HTML writes it: an order's reference may hold anything.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
