//! The handle: one connection, and how every call is made over it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use paystatus_proto::v1::{
    access_service_client::AccessServiceClient, account_service_client::AccountServiceClient,
    change_service_client::ChangeServiceClient, order_service_client::OrderServiceClient,
    webhook_service_client::WebhookServiceClient,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use crate::{
    error::{Error, ErrorKind},
    options::{ClientBuilder, Settings},
    retry::{self, Budget, Decision, Situation},
};

/// The largest answer accepted, in bytes: a page of full orders.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A connection to the payment-status service. Cheap to clone; all clones share it.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    merchant_id: Arc<str>,
}

#[derive(Debug)]
struct Shared {
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    settings: Settings,
    budget: Mutex<Budget>,
    phase: watch::Sender<Phase>,
    /// Tasks that still acknowledge: closing waits for them.
    tasks: Mutex<JoinSet<()>>,
}

/// How far a client is on its way to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Everything works.
    Open,
    /// Calls and streams stop; confirmed deliveries are still acknowledged.
    Draining,
    /// Nothing works.
    Closed,
}

impl Client {
    /// Begins to make a client of the server at `endpoint`, such as `https://paystatus.example`.
    pub fn builder(endpoint: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// The same connection, for another merchant.
    #[must_use]
    pub fn for_merchant(&self, merchant_id: impl AsRef<str>) -> Self {
        Self { shared: self.shared.clone(), merchant_id: merchant_id.as_ref().into() }
    }

    /// The merchant of its calls. Empty if the key decides.
    #[must_use]
    pub fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    /// Stops everything that any clone does: calls and waits end with [`ErrorKind::Closed`], and
    /// so do streams, but what was confirmed until now is acknowledged first.
    ///
    /// # Errors
    /// `DeadlineExceeded` if acknowledging took longer than a call may.
    pub async fn close(&self) -> Result<(), Error> {
        self.enter(Phase::Draining);
        let mut tasks = std::mem::take(&mut *lock(&self.shared.tasks));
        let allowed = self.settings().call_timeout;
        let drained = timeout(allowed, async { while tasks.join_next().await.is_some() {} }).await;
        self.enter(Phase::Closed);
        drained.map_err(|_| Error::no_answer(allowed))
    }

    pub(crate) fn new(
        channel: Channel,
        authorization: Option<MetadataValue<Ascii>>,
        merchant_id: &str,
        settings: Settings,
    ) -> Self {
        let budget = Mutex::new(Budget::new(settings.retry.budget_tokens));
        let phase = watch::Sender::new(Phase::Open);
        let tasks = Mutex::default();
        let shared = Shared { channel, authorization, settings, budget, phase, tasks };
        Self { shared: Arc::new(shared), merchant_id: merchant_id.into() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Runs until the task ends by itself; closing the client waits for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = lock(&self.shared.tasks);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Returns when the client is at `phase` or beyond.
    pub(crate) async fn reached(&self, phase: Phase) {
        let mut current = self.shared.phase.subscribe();
        // The sender lives as long as this client: it cannot be gone.
        let _ = current.wait_for(|current| *current >= phase).await;
    }

    /// Makes a call, with further tries where they are safe and may help.
    pub(crate) async fn call<Q, R, F, Sent>(&self, message: Q, send: F) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(Rpc, Request<Q>) -> Sent,
        Sent: Future<Output = Result<Response<R>, Status>>,
    {
        self.call_until(Phase::Draining, message, send).await
    }

    /// Makes a call that only ends early once the client is at `stop`.
    pub(crate) async fn call_until<Q, R, F, Sent>(
        &self,
        stop: Phase,
        message: Q,
        send: F,
    ) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(Rpc, Request<Q>) -> Sent,
        Sent: Future<Output = Result<Response<R>, Status>>,
    {
        tokio::select! {
            biased;
            () = self.reached(stop) => Err(Error::closed()),
            result = self.try_repeatedly(message, send) => result,
        }
    }

    async fn try_repeatedly<Q, R, F, Sent>(&self, message: Q, send: F) -> Result<R, Error>
    where
        Q: Clone,
        F: Fn(Rpc, Request<Q>) -> Sent,
        Sent: Future<Output = Result<Response<R>, Status>>,
    {
        let started = Instant::now();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let remaining = self.settings().call_timeout.saturating_sub(started.elapsed());
            let error = match self.once(message.clone(), remaining, &send).await {
                Ok(answer) => {
                    lock(&self.shared.budget).succeeded();
                    return Ok(answer);
                }
                Err(error) => error,
            };
            let situation = Situation {
                attempt,
                remaining: self.settings().call_timeout.saturating_sub(started.elapsed()),
                // Only failures that trying again might mend are counted.
                within_budget: !retry::is_transient(&error) || lock(&self.shared.budget).failed(),
                random: rand::random(),
            };
            match retry::decide(&self.settings().retry, &error, situation) {
                Decision::Wait(wait) => {
                    tracing::debug!(%error, attempt, ?wait, "trying again");
                    sleep(wait).await;
                }
                Decision::GiveUp => return Err(error),
            }
        }
    }

    /// Makes one try of a call.
    pub(crate) async fn once<Q, R, F, Sent>(
        &self,
        message: Q,
        allowed: Duration,
        send: &F,
    ) -> Result<R, Error>
    where
        F: Fn(Rpc, Request<Q>) -> Sent,
        Sent: Future<Output = Result<Response<R>, Status>>,
    {
        let mut request = self.request(message);
        request.set_timeout(allowed);
        match timeout(allowed, send(self.rpc(), request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => match Error::from(status) {
                // Said by this side's connection, which watches the same limit.
                error if error.kind() == ErrorKind::DeadlineExceeded => {
                    Err(Error::no_answer(allowed))
                }
                error => Err(error),
            },
            Err(_) => Err(Error::no_answer(allowed)),
        }
    }

    pub(crate) fn request<Q>(&self, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        if let Some(value) = &self.shared.authorization {
            request.metadata_mut().insert("authorization", value.clone());
        }
        request
    }

    pub(crate) fn rpc(&self) -> Rpc {
        Rpc(self.shared.channel.clone())
    }

    fn enter(&self, phase: Phase) {
        self.shared.phase.send_if_modified(|current| {
            let is_later = phase > *current;
            *current = phase.max(*current);
            is_later
        });
    }
}

/// The generated clients, made where they are needed: they are only a handle to the connection.
pub(crate) struct Rpc(Channel);

impl Rpc {
    pub(crate) fn orders(self) -> OrderServiceClient<Channel> {
        OrderServiceClient::new(self.0).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn changes(self) -> ChangeServiceClient<Channel> {
        ChangeServiceClient::new(self.0).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn webhooks(self) -> WebhookServiceClient<Channel> {
        WebhookServiceClient::new(self.0).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn accounts(self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.0).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    pub(crate) fn access(self) -> AccessServiceClient<Channel> {
        AccessServiceClient::new(self.0).max_decoding_message_size(ANSWER_BYTES_MAX)
    }
}

/// The request id that the caller stated, or a new one.
pub(crate) fn request_id(stated: Option<String>) -> String {
    stated.unwrap_or_else(|| uuid::Uuid::new_v4().to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks, and what they guard stays usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
