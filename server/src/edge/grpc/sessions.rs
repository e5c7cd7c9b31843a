//! Readers of named subscriptions: one at a time each, and what was sent to them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use tonic::Status;

use super::errors;
use crate::{
    domain::ids::{MerchantId, SubscriptionId},
    engine::{self, Ask, AskSubscription},
    hub::Hub,
    journal::Position,
    record::Actor,
};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

/// A subscription's acknowledgements are written at most once in this time.
const ACK_EVERY: Duration = Duration::from_secs(1);

type Name = (MerchantId, SubscriptionId);

/// The readers of all named subscriptions.
#[derive(Default)]
pub struct Sessions {
    by_name: Mutex<HashMap<Name, Arc<Session>>>,
    /// Generations only grow, also over a restart: the clock sets where they begin.
    last_generation: AtomicU64,
}

/// The present reader of one subscription.
pub(crate) struct Session {
    generation: i64,
    sent: AtomicU64,
    ended: watch::Sender<Option<Ended>>,
    connected: Mutex<bool>,
    wanted: AtomicU64,
    acks: tokio::sync::Mutex<Acks>,
}

struct Acks {
    written: Position,
    next: Instant,
}

/// Why a reader has to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Another one took over.
    TakenOver,
    /// The subscription was deleted.
    Deleted,
}

impl Sessions {
    /// Makes the caller the only reader of a subscription.
    pub(crate) fn take_over(&self, name: Name, acknowledged: Position, now: u64) -> Arc<Session> {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = self.last_generation.load(Relaxed).saturating_add(1).max(now);
        self.last_generation.store(generation, Relaxed);
        let session = Arc::new(Session {
            generation: i64::try_from(generation).unwrap_or(i64::MAX),
            sent: AtomicU64::new(acknowledged),
            ended: watch::Sender::new(None),
            connected: Mutex::new(true),
            wanted: AtomicU64::new(acknowledged),
            acks: tokio::sync::Mutex::new(Acks { written: acknowledged, next: Instant::now() }),
        });
        if let Some(before) = by_name.insert(name, Arc::clone(&session)) {
            before.ended.send_replace(Some(Ended::TakenOver));
        }
        session
    }

    /// Ends the reader of a subscription that was deleted.
    pub(crate) fn delete(&self, name: &Name) {
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = by_name.remove(name) {
            session.ended.send_replace(Some(Ended::Deleted));
        }
    }

    /// True while a reader is connected.
    pub(crate) fn is_connected(&self, name: &Name) -> bool {
        self.get(name).is_some_and(|s| *s.connected.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The session that an acknowledgement is for.
    pub(crate) fn of_ack(&self, name: &Name, generation: i64) -> Result<Arc<Session>, Status> {
        self.get(name).filter(|session| session.generation == generation).ok_or_else(|| {
            errors::precondition(
                "SUBSCRIPTION_TAKEN_OVER",
                "subscription",
                "another reader has this subscription, or the server was restarted; open the \
                 stream again",
            )
        })
    }

    fn get(&self, name: &Name) -> Option<Arc<Session>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

impl Session {
    /// What acknowledgements of this reader must name.
    pub(crate) fn generation(&self) -> i64 {
        self.generation
    }

    /// Notes that everything up to a position was sent.
    pub(crate) fn sent(&self, position: Position) {
        self.sent.fetch_max(position, AcqRel);
    }

    /// Notes that the reader's stream is gone. Its acknowledgements are still taken.
    pub(crate) fn disconnected(&self) {
        *self.connected.lock().unwrap_or_else(PoisonError::into_inner) = false;
    }

    /// Tells when the reader has to stop.
    pub(crate) fn ended(&self) -> watch::Receiver<Option<Ended>> {
        self.ended.subscribe()
    }

    /// Acknowledges everything up to a position; returns the position on disk. Several that
    /// wait are written as one. Where nothing but acknowledgements lies between, nothing is
    /// written: each would be one more, and an idle reader would never come to rest.
    pub(crate) async fn acknowledge(
        &self,
        engine: &engine::Handle,
        hub: &Hub,
        ((merchant, subscription), actor): (Name, Actor),
        position: Position,
    ) -> Result<Position, Status> {
        if position > self.sent.load(Acquire) {
            return Err(errors::precondition(
                "ACK_BEYOND_SENT",
                "subscription",
                "this frame was not sent to this reader",
            ));
        }
        self.wanted.fetch_max(position, AcqRel);
        let mut acks = self.acks.lock().await;
        if acks.written < position && acks.written < hub.news() {
            sleep_until(acks.next).await;
            let wanted = self.wanted.load(Acquire);
            let ask = AskSubscription::Acknowledge { merchant, subscription, position: wanted };
            engine.ask(Ask::Subscription(ask, Some(actor))).await.map_err(errors::of_engine)?;
            acks.written = wanted;
            acks.next = Instant::now() + ACK_EVERY;
        }
        Ok(acks.written)
    }
}
