//! The status API: answers over HTTP from the ledger, and fails on demand.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Method, Response, StatusCode, Uri, header},
};
use http::HeaderMap;
use tokio::{net::TcpListener, sync::oneshot};

use crate::voice::{Question, Reply};

/// What goes wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 401, as if the token had expired.
    Unauthorized,
    /// 429, with what `Retry-After` says.
    TooManyRequests {
        /// Seconds.
        retry_after: u32,
    },
    /// 500.
    ServerError,
    /// The right answer, cut in the middle.
    Truncated,
    /// The right answer, so much later.
    Slow(Duration),
}

/// Answers a question; `None` if there is no such path.
pub(crate) type Answer = Arc<dyn Fn(&Question) -> Option<Reply> + Send + Sync>;

/// What goes wrong next, and what was asked.
#[derive(Default)]
pub(crate) struct Desk {
    faults: Mutex<VecDeque<Fault>>,
    asked: Mutex<Vec<String>>,
}

impl Desk {
    /// The next answer that has nothing else wrong with it goes wrong like this.
    pub(crate) fn fail_next(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    /// Every request so far: `GET /orders/o-1`.
    pub(crate) fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A status API that runs until it is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

/// Takes an address to serve at.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves answers.
pub(crate) fn serve(listener: TcpListener, desk: Arc<Desk>, answer: Answer) -> io::Result<Served> {
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let handler = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let (desk, answer) = (Arc::clone(&desk), Arc::clone(&answer));
        async move { respond(&desk, &answer, &question(&method, &uri, &headers, &body)).await }
    };
    let router = Router::new().fallback(handler);
    let served = axum::serve(listener, router).with_graceful_shutdown(async {
        drop(stopped.await);
    });
    tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "the status API stopped");
        }
    });
    Ok(Served { address, _stop: stop })
}

fn question(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Question {
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Question {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: query.into_owned().collect(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_vec(),
    }
}

async fn respond(desk: &Desk, answer: &Answer, question: &Question) -> Response<Body> {
    lock(&desk.asked).push(format!("{} {}", question.method, question.path));
    let fault = lock(&desk.faults).pop_front();
    let failed = |status, text: &'static str| {
        let body = text.as_bytes().to_vec();
        Reply { status, body, content_type: "application/json" }
    };
    let mut reply = match fault {
        Some(Fault::Unauthorized) => failed(401, "{\"message\":\"unauthorized\"}"),
        Some(Fault::TooManyRequests { .. }) => failed(429, "{\"message\":\"too many requests\"}"),
        Some(Fault::ServerError) => failed(500, "{\"message\":\"internal error\"}"),
        Some(Fault::Truncated | Fault::Slow(_)) | None => {
            answer(question).unwrap_or_else(|| failed(404, "{\"message\":\"no such path\"}"))
        }
    };
    let mut retry_after = None;
    match fault {
        Some(Fault::Truncated) => reply.body.truncate(reply.body.len() / 2),
        Some(Fault::Slow(delay)) => tokio::time::sleep(delay).await,
        Some(Fault::TooManyRequests { retry_after: seconds }) => retry_after = Some(seconds),
        _ => {}
    }
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = status;
    let content_type = header::HeaderValue::from_static(reply.content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
