//! Wakes the watchers of one serving thread, from that thread.
//!
//! To wake a task of another thread costs a call of the system. So the engine wakes one relay a
//! thread, whoever waits there, and the relay wakes the tasks beside it for nothing; they then
//! run together, and what they send on one connection leaves together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use tokio::sync::watch;

use super::{Committed, Hub, Recent};
use crate::{
    domain::ids::{MerchantId, OrderKey},
    journal::Position,
};
use std::sync::atomic::Ordering::{Acquire, Release};

/// What a watcher waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Records of one order.
    Order(OrderKey),
    /// Records of all orders of one merchant.
    Merchant(MerchantId),
}

/// The topics of one thread, and how far their watchers were woken.
pub struct Relay {
    pub(super) hub: Arc<Hub>,
    head: AtomicU64,
    topics: Mutex<HashMap<Topic, watch::Sender<Position>>>,
}

impl Relay {
    /// A relay at the head of a hub.
    #[must_use]
    pub fn new(hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self { head: AtomicU64::new(hub.head()), hub, topics: Mutex::default() })
    }

    /// Position up to which every record has woken every topic here that it touches.
    #[must_use]
    pub fn head(&self) -> Position {
        self.head.load(Acquire)
    }

    /// Waits for a topic from now on.
    #[must_use]
    pub fn subscribe(self: &Arc<Self>, topic: Topic) -> Subscription {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = topics.entry(topic.clone()).or_insert_with(|| watch::Sender::new(0));
        let receiver = Some(sender.subscribe());
        drop(topics);
        Subscription { relay: Arc::clone(self), topic, receiver }
    }

    /// Wakes whoever waits here, as long as the hub lives. Runs on the thread of the watchers.
    pub async fn run(&self) {
        let mut announced = self.hub.announced.subscribe();
        loop {
            self.wake();
            if announced.changed().await.is_err() {
                return;
            }
        }
    }

    /// Wakes the topics of all records announced since the last time.
    pub(crate) fn wake(&self) {
        let mut head = self.head();
        loop {
            // Before the records are read: what is announced later is for the next time.
            let reach = self.hub.head();
            head = match self.hub.recent(head) {
                Recent::Here(records) => match records.last() {
                    None => break,
                    Some(last) => {
                        self.touch(&records);
                        last.position
                    }
                },
                // Too far behind to know which topics: each may be touched.
                Recent::Older => {
                    self.touch_all(reach);
                    reach
                }
            };
        }
        // Last: whoever reads this head knows that every topic up to it was woken.
        self.head.store(head, Release);
    }

    fn touch(&self, records: &[Arc<Committed>]) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.is_empty() {
            return;
        }
        for committed in records {
            for topic in topics_of(committed) {
                if let Some(sender) = topics.get(&topic) {
                    sender.send_replace(committed.position);
                }
            }
        }
    }

    fn touch_all(&self, position: Position) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in topics.values() {
            sender.send_replace(position);
        }
    }

    fn unsubscribe(&self, topic: &Topic) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if topics.get(topic).is_some_and(|sender| sender.receiver_count() == 0) {
            topics.remove(topic);
        }
    }

    /// How many topics are waited for.
    #[cfg(test)]
    pub(super) fn topic_count(&self) -> usize {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn topics_of(committed: &Committed) -> Vec<Topic> {
    let Some(record) = committed.of_order() else { return Vec::new() };
    let order = Topic::Order(record.key.clone());
    match &record.key {
        OrderKey::Recorded { merchant, .. } => vec![order, Topic::Merchant(merchant.clone())],
        OrderKey::Unclaimed { .. } => vec![order],
    }
}

/// Someone who waits for a topic. Forgotten when dropped.
pub struct Subscription {
    relay: Arc<Relay>,
    topic: Topic,
    /// `None` only while it is dropped.
    receiver: Option<watch::Receiver<Position>>,
}

impl Subscription {
    /// Returns once a record of the topic was announced that this call did not return for yet.
    pub async fn touched(&mut self) {
        if let Some(receiver) = &mut self.receiver {
            // The sender lives in the relay as long as this subscription does.
            drop(receiver.changed().await);
        }
    }

    /// True if the next [`Subscription::touched`] returns at once.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.receiver.as_ref().is_some_and(|receiver| receiver.has_changed().unwrap_or(false))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.receiver = None;
        self.relay.unsubscribe(&self.topic);
    }
}
