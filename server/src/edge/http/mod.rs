//! The HTTP side: webhooks in, and whether the server works. A thin shell over [`intake`].

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use super::{
    Context, body,
    intake::{self, NotAccepted},
};
use crate::engine;

/// How long a provider is asked to wait when too much is waiting, in seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// The routes.
pub fn router(context: Arc<Context>) -> Router {
    Router::new()
        .route("/webhooks/{account}", post(webhook))
        .route("/health", get(public_health))
        .with_state(context.clone())
        .merge(super::pages::router(context.clone()))
        .merge(super::grpc::web::router(context))
}

/// Takes a webhook. 2xx only after its effect is on disk; every other answer says by its status
/// alone whether sending it again makes sense, and nothing about why it did not verify.
async fn webhook(
    State(context): State<Arc<Context>>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let accounts = context.accounts.load();
    let Some(account) = accounts.get(&account) else {
        return (StatusCode::NOT_FOUND, "no such account\n").into_response();
    };
    let (parts, body) = request.into_parts();
    let limits = context.config.limits;
    let body = match body::read(body, limits.webhook_bytes, limits.webhook_read).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    match intake::submit(&context, account, (&texts(&parts.headers), &body), None).await {
        Ok(accepted) => {
            let status = StatusCode::from_u16(accepted.acknowledgement.status);
            let status = status.unwrap_or(StatusCode::OK);
            (status, Body::from(accepted.acknowledgement.body)).into_response()
        }
        Err(NotAccepted::Rejected(_)) => {
            (StatusCode::UNAUTHORIZED, "the signature is not valid\n").into_response()
        }
        Err(NotAccepted::TryLater { wait }) => {
            let seconds = wait.as_secs().saturating_add(1).to_string();
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, seconds)], "try again\n")
                .into_response()
        }
        Err(NotAccepted::Engine(engine::Error::Refused(refused))) => {
            tracing::error!(%refused, "evidence was refused");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(NotAccepted::Engine(error)) => {
            tracing::warn!(%error, "a webhook was not taken");
            let retry = [(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS))];
            (StatusCode::SERVICE_UNAVAILABLE, retry, "try again\n").into_response()
        }
    }
}

/// Whether this server should be sent requests: a word for load balancers, who may be anybody.
async fn public_health(State(context): State<Arc<Context>>) -> Response {
    match context.engine.health().is_good() {
        true => "serving\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not serving\n").into_response(),
    }
}

/// Whether the engine works, for those who run it.
pub(super) async fn health(State(context): State<Arc<Context>>) -> Response {
    if context.engine.health().is_good() {
        (StatusCode::OK, "serving\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine has stopped: restart\n").into_response()
    }
}

/// Header names in lower case, with their values; values that are not text are left out.
#[must_use]
pub fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&header::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}
