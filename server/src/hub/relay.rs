//! Wakes the watchers of one serving thread, from that thread.
//!
//! To wake a task of another thread costs a call of the system. So the engine wakes one relay a
//! thread, whoever waits there, and the relay wakes the tasks beside it for nothing; they then
//! run together, and what they send on one connection leaves together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use tokio::sync::Notify;

use super::{Committed, Hub, Recent};
use crate::{
    domain::ids::{MerchantId, OrderKey},
    journal::Position,
};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

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
    topics: Mutex<HashMap<Topic, Arc<Bell>>>,
}

/// Rings for all who wait for one topic. Idle streams hold one each, so it is small.
#[derive(Default)]
struct Bell {
    rings: AtomicU64,
    waiting: Notify,
}

impl Bell {
    fn ring(&self) {
        self.rings.fetch_add(1, AcqRel);
        self.waiting.notify_waiters();
    }
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
        let bell = Arc::clone(topics.entry(topic.clone()).or_default());
        let heard = bell.rings.load(Acquire);
        drop(topics);
        Subscription { relay: Arc::clone(self), topic, bell, heard }
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
                    self.touch_all();
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
                if let Some(bell) = topics.get(&topic) {
                    bell.ring();
                }
            }
        }
    }

    fn touch_all(&self) {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.values().for_each(|bell| bell.ring());
    }

    /// Forgets a topic with its last subscription.
    fn unsubscribe(&self, topic: &Topic, bell: Arc<Bell>) {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        // Bells are handed out and given back under this lock only, so the count is right.
        drop(bell);
        if topics.get(topic).is_some_and(|bell| Arc::strong_count(bell) == 1) {
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
    bell: Arc<Bell>,
    heard: u64,
}

impl Subscription {
    /// Returns once a record of the topic was announced that this call did not return for yet.
    pub async fn touched(&mut self) {
        loop {
            let notified = self.bell.waiting.notified();
            tokio::pin!(notified);
            // Before the count is read, so that no ring can fall between.
            notified.as_mut().enable();
            let rings = self.bell.rings.load(Acquire);
            if rings != self.heard {
                self.heard = rings;
                return;
            }
            notified.await;
        }
    }

    /// True if the next [`Subscription::touched`] returns at once.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.bell.rings.load(Acquire) != self.heard
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.relay.unsubscribe(&self.topic, std::mem::take(&mut self.bell));
    }
}
