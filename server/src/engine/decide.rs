//! Decides the jobs of one batch, each against the state left by the one before, and collects
//! what is to be written.

mod access;
mod subscriptions;

use std::{cell::RefCell, collections::HashMap, ops::Range, sync::Arc};

use bytes::Bytes;
use foldhash::fast::RandomState;

use super::{Answer, Ask, Evidence, Refused};
use crate::{
    domain::{
        command::{Command, Decision, Disposition, Draft, Refusal, World},
        decide::decide,
        ids::{Claim, OperatorId, OrderKey},
        order::Order,
        time::Time,
    },
    journal::{APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, Attachment, Entry},
    record::{
        self, Actor, AuditRecord, KeyRecord, OperatorRecord, OrderRecord, Record, Source, Subject,
        SubscriptionRecord, WebhookMeta,
    },
    store::{Applied, AtHand, Lacking, Store},
};

pub use access::{KEYS_MAX, KEYS_PER_OPERATOR_MAX, OPERATORS_MAX};

/// Where a record comes from.
struct Meta {
    source: Source,
    actor: Option<Actor>,
    webhook: Option<WebhookMeta>,
}

impl Meta {
    /// It follows from another one.
    const CONSEQUENCE: Self = Self { source: Source::Consequence, actor: None, webhook: None };
}

/// What became of one job.
pub(super) struct Decided {
    /// Its answer, once its entries are durable.
    pub(super) answer: Result<Answer, Refused>,
    /// Its entries among those of the batch.
    pub(super) entries: Range<usize>,
}

/// The state of everything after the jobs so far. Used for one batch after the other: what it
/// grew to stays.
pub(super) struct Overlay {
    store: Arc<Store>,
    now: Time,
    next: u64,
    /// Also those that were only looked up, and `None` for those that are not there: the rules
    /// ask for the same one several times.
    orders: RefCell<HashMap<OrderKey, Option<Arc<Order>>, RandomState>>,
    claims: HashMap<Claim, OrderKey, RandomState>,
    /// What was looked up and is not in memory. It counts as unknown; so what was decided then
    /// does not count.
    lacking: RefCell<Lacking>,
    /// True if sled may be read, which everybody waits for.
    may_read: bool,
    keys: HashMap<String, KeyRecord>,
    operators: HashMap<OperatorId, OperatorRecord>,
    subscriptions: HashMap<Subject, SubscriptionRecord>,
    versions: HashMap<Subject, u64>,
    /// What is to be written.
    pub(super) entries: Vec<Entry>,
    /// What the entries count towards [`APPEND_BYTES_MAX`].
    bytes: usize,
    /// What that leaves behind if it is written right after what is applied now.
    pub(super) applied: Vec<Applied>,
}

impl World for Overlay {
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>> {
        if let Some(known) = self.orders.borrow().get(key) {
            return known.clone();
        }
        let found = match self.store.order_at_hand(key) {
            AtHand::Found(order) => Some(order),
            AtHand::Unknown => None,
            AtHand::NotInMemory if self.may_read => self.store.order(key),
            AtHand::NotInMemory => {
                self.lacking.borrow_mut().orders.push(key.clone());
                return None;
            }
        };
        self.orders.borrow_mut().insert(key.clone(), found.clone());
        found
    }

    fn claimant(&self, claim: &Claim) -> Option<OrderKey> {
        if let Some(owner) = self.claims.get(claim) {
            return Some(owner.clone());
        }
        match self.store.claimant_at_hand(claim) {
            AtHand::Found(owner) => Some(owner),
            AtHand::Unknown => None,
            AtHand::NotInMemory if self.may_read => self.store.claimant(claim),
            AtHand::NotInMemory => {
                self.lacking.borrow_mut().claims.push(claim.clone());
                None
            }
        }
    }
}

impl Overlay {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            now: Time::default(),
            next: 0,
            orders: RefCell::default(),
            claims: HashMap::default(),
            lacking: RefCell::default(),
            may_read: false,
            keys: HashMap::new(),
            operators: HashMap::new(),
            subscriptions: HashMap::new(),
            versions: HashMap::new(),
            entries: Vec::new(),
            bytes: 0,
            applied: Vec::new(),
        }
    }

    /// Begins a batch, on what is applied now.
    pub(super) fn begin(&mut self, now: Time) {
        self.clear();
        self.now = now;
        self.next = self.store.applied() + 1;
    }

    /// Forgets a batch.
    pub(super) fn clear(&mut self) {
        self.orders.get_mut().clear();
        self.claims.clear();
        self.keys.clear();
        self.operators.clear();
        self.subscriptions.clear();
        self.versions.clear();
        self.entries.clear();
        self.applied.clear();
        self.bytes = 0;
    }

    /// True if another job might not fit into the same append. Half of each limit is left for
    /// the one job that is decided before this is asked again.
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= APPEND_ENTRIES_MAX / 2 || self.bytes >= APPEND_BYTES_MAX / 2
    }

    /// Decides a job. Without `may_read` it fails, and leaves no trace, if that takes something
    /// that is not in memory.
    pub(super) fn decide(&mut self, ask: &Ask, may_read: bool) -> Result<Decided, Lacking> {
        let first = self.entries.len();
        self.may_read = may_read;
        let answer = match ask {
            Ask::Order { command, source, actor } => self.order_command(command, *source, actor)?,
            Ask::Evidence(evidence) => self.evidence(evidence)?,
            Ask::Keep(webhook, attachments) => {
                let position = self.push(Record::Kept((**webhook).clone()), attachments.clone());
                Ok(Answer::recorded(position))
            }
            Ask::Key(ask, actor) => self.key(ask, actor),
            Ask::Operator(ask, actor) => self.operator(ask, actor),
            Ask::Subscription(ask, actor) => self.subscription(ask, actor),
            Ask::Audit(call) => {
                let call = AuditRecord { time: self.now, ..(**call).clone() };
                Ok(Answer::recorded(self.push(Record::Audit(call), Vec::new())))
            }
        };
        Ok(Decided { answer, entries: first..self.entries.len() })
    }

    /// What the rules make of a command.
    fn decision(&mut self, command: &Command) -> Result<Result<Decision, Refusal>, Lacking> {
        let decision = decide(self, command, self.now);
        let lacking = std::mem::take(self.lacking.get_mut());
        if lacking != Lacking::default() {
            return Err(lacking);
        }
        // Whatever else it takes to write it down.
        self.may_read = true;
        Ok(decision)
    }

    fn order_command(
        &mut self,
        command: &Command,
        source: Source,
        actor: &Option<Actor>,
    ) -> Result<Result<Answer, Refused>, Lacking> {
        let decision = self.decision(command)?.map_err(Refused::from);
        Ok(decision.map(|decision| {
            let meta = Meta { source, actor: actor.clone(), webhook: None };
            self.record(decision, meta, Vec::new())
        }))
    }

    fn evidence(&mut self, evidence: &Evidence) -> Result<Result<Answer, Refused>, Lacking> {
        let decision = self.decision(&evidence.command)?.map_err(Refused::from);
        Ok(decision.map(|decision| self.record_evidence(decision, evidence)))
    }

    fn record_evidence(&mut self, decision: Decision, evidence: &Evidence) -> Answer {
        let disposition = decision.disposition.unwrap_or(Disposition::Applied);
        let Evidence { source, actor, webhook, .. } = evidence;
        let webhook = Some(WebhookMeta { disposition, ..webhook.clone() });
        let meta = Meta { source: *source, actor: actor.clone(), webhook };
        // The body of a repeat is on disk already.
        let is_repeat = disposition == Disposition::Repeat;
        let attachments = if is_repeat { Vec::new() } else { evidence.attachments.clone() };
        self.record(decision, meta, attachments)
    }

    /// Turns the drafts of a decision into linked entries. The first is about the order that
    /// was meant; the others are consequences.
    fn record(&mut self, decision: Decision, meta: Meta, attachments: Vec<Attachment>) -> Answer {
        let first = self.entries.len();
        let mut position = None;
        let (mut meta, mut attachments) = (Some(meta), attachments);
        for draft in decision.drafts {
            let meta = meta.take().unwrap_or(Meta::CONSEQUENCE);
            let made = self.push_draft(draft, meta, std::mem::take(&mut attachments));
            position = position.or(Some(made));
        }
        self.link(first);
        Answer {
            replayed: decision.replayed,
            position,
            order: self.order(&decision.key),
            warning: decision.warning,
            disposition: decision.disposition,
            received: decision.received,
        }
    }

    /// Makes the entries from one on stand or fall together.
    fn link(&mut self, first: usize) {
        let count = self.entries.len();
        for entry in &mut self.entries[first..count.max(first + 1) - 1] {
            entry.linked_to_next = true;
        }
    }

    fn push_draft(
        &mut self,
        draft: Draft,
        Meta { source, actor, webhook }: Meta,
        attachments: Vec<Attachment>,
    ) -> u64 {
        let before = self.order(&draft.key);
        let before = before.unwrap_or_else(|| Arc::new(Order::new(draft.key.clone())));
        let position = self.next;
        let order = match draft.after {
            Some(after) => before.after(position, &draft.decided, after),
            None => {
                let mut order = Arc::unwrap_or_clone(before);
                order.apply(position, &draft.decided);
                order
            }
        };
        let labels = order.facts.order.as_ref().map(|o| o.labels.clone()).unwrap_or_default();
        let record = Arc::new(Record::Order(OrderRecord {
            key: draft.key.clone(),
            decided: draft.decided,
            source,
            actor,
            webhook,
            labels: labels.into_iter().collect(),
        }));
        for claim in &draft.claims {
            self.claims.insert(claim.clone(), draft.key.clone());
        }
        let order = Arc::new(order);
        self.orders.get_mut().insert(draft.key.clone(), Some(Arc::clone(&order)));
        self.entry(&record, draft.expected_version, &draft.claims, attachments);
        self.applied.push(Applied {
            position,
            subject: Subject::Order(draft.key),
            version: draft.expected_version + 1,
            order: Some(order),
            record,
            claims: draft.claims,
        });
        position
    }

    /// Records something that is not about an order.
    fn push(&mut self, record: Record, attachments: Vec<Attachment>) -> u64 {
        let position = self.next;
        let subject = record.subject();
        let known = self.versions.get(&subject).copied();
        let version = known.unwrap_or_else(|| self.store.version(&subject));
        self.versions.insert(subject.clone(), version + 1);
        let record = Arc::new(record);
        self.entry(&record, version, &[], attachments);
        self.applied.push(Applied {
            position,
            subject,
            version: version + 1,
            order: None,
            record,
            claims: Vec::new(),
        });
        position
    }

    fn entry(
        &mut self,
        record: &Record,
        expected_version: u64,
        claims: &[Claim],
        attachments: Vec<Attachment>,
    ) {
        self.next += 1;
        let entry = Entry {
            subject: record::encode_subject(&record.subject()),
            expected_version,
            entry_id: rand::random(),
            claims: claims.iter().map(record::encode_claim).collect::<Vec<Bytes>>(),
            linked_to_next: false,
            record: record::encode(record),
            attachments,
        };
        self.bytes += entry.bytes();
        self.entries.push(entry);
    }
}
