//! What every call passes before its service: who calls is found out and counted, and a refusal
//! for lack of role or merchant is kept for the audit list.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use tokio::time::Instant;
use tonic::{Code, Status, body::Body, server::NamedService};
use tower::Service;

use super::{
    auth::{self, Caller, Known},
    usage::{self, Note},
};
use crate::{
    clock,
    edge::Context,
    engine::{Ask, AskKey},
    record::{AuditRecord, Audited},
};

/// A service behind the gate.
#[derive(Clone)]
pub(super) struct Gate<S> {
    service: S,
    context: Arc<Context>,
}

impl<S> Gate<S> {
    pub(super) fn new(service: S, context: &Arc<Context>) -> Self {
        Self { service, context: Arc::clone(context) }
    }
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<http::Request<B>> for Gate<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let context = &self.context;
        let caller = match auth::authenticate(context, &parts) {
            Ok(Known::Caller(caller)) => caller,
            Ok(Known::Page(grant)) => {
                parts.extensions.insert(grant);
                return Box::pin(self.service.call(http::Request::from_parts(parts, body)));
            }
            Err(status) => return Box::pin(ready(Ok(status.into_http()))),
        };
        let method = usage::method(parts.uri.path());
        if let Some(method) = method {
            note(context, &caller, method);
        }
        parts.extensions.insert(caller.clone());
        let answer = self.service.call(http::Request::from_parts(parts, body));
        let context = Arc::clone(context);
        Box::pin(async move {
            let answer = answer.await?;
            if let Some(method) = method
                && let Some(status) = Status::from_header_map(answer.headers())
                && status.code() == Code::PermissionDenied
            {
                refused(&context, &caller, method, status.message().to_owned());
            }
            Ok(answer)
        })
    }
}

/// Counts a call, and has the use of its key recorded if that is due.
fn note(context: &Context, caller: &Caller, method: usize) {
    let now = clock::now();
    let known = caller.key().and_then(|key| key.last_use_time);
    let used = context.usage.of(caller.id(), known);
    let Some(due) = used.called(method, now) else { return };
    let Some(key) = caller.key() else { return };
    let ask = Ask::Key(AskKey::Use { key_id: key.key_id.clone(), time: now }, None);
    let engine = context.engine.clone();
    tokio::spawn(async move {
        if let Err(error) = engine.ask(ask).await {
            tracing::debug!(%error, "the use of a key was not recorded");
            used.not_recorded(due);
        }
    });
}

/// Has a refusal recorded, or counted with others of the same caller.
fn refused(context: &Context, caller: &Caller, method: usize, detail: String) {
    let used = context.usage.of(caller.id(), None);
    let record = AuditRecord {
        actor: caller.actor(),
        method: usage::method_name(method).to_owned(),
        object: String::new(),
        merchants: caller.merchants().to_vec(),
        what: Audited::Refused,
        detail,
        left_out: 0,
        time: clock::now(),
    };
    let engine = context.engine.clone();
    match used.refused(Instant::now()) {
        Note::Record => {
            tokio::spawn(async move { write(&engine, record).await });
        }
        Note::Count => {}
        Note::RecordAt(end) => {
            let mut drain = context.drain.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep_until(end) => {}
                    _ = drain.wait_for(|drains| *drains) => {}
                }
                // It is one of them itself.
                let left_out = used.take_left_out().saturating_sub(1);
                write(&engine, AuditRecord { left_out, ..record }).await;
            });
        }
    }
}

async fn write(engine: &crate::engine::Handle, record: AuditRecord) {
    if let Err(error) = engine.ask(Ask::Audit(Box::new(record))).await {
        tracing::warn!(%error, "a refused call was not recorded");
    }
}
