//! The state of one order: its facts, and the view that was decided from them.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    change::{self, Change},
    digest::ContentId,
    fact::{AttemptIntent, Evidence, Fact, OperationIntent, OrderIntent, RequestKey},
    ids::{AttemptId, Claim, OperationId, OrderKey},
    receipt::{Receipts, Told},
    sorted::SortedMap,
    statement::{
        Basis, Held, OperationKind, STATEMENTS_PER_ORDER_MAX, WEAK_STATEMENTS_PER_ORDER_MAX,
    },
    time::Time,
    view::{Summary, View},
};

/// Attempts that one order may have recorded.
pub const ATTEMPTS_PER_ORDER_MAX: usize = 64;
/// Operations that one order may have recorded.
pub const OPERATIONS_PER_ORDER_MAX: usize = 256;
/// Readings that one order remembers.
pub const READINGS_PER_ORDER_MAX: usize = 512;
/// Of these, how many may come from webhooks whose signature does not bind what they say.
pub const WEAK_READINGS_PER_ORDER_MAX: usize = 128;
/// How long a request id is remembered, in seconds: 30 days.
pub const REQUEST_KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// The facts of an order, as a set: nothing in here depends on the order of their arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The order as recorded.
    pub order: Option<OrderIntent>,
    /// Attempts as recorded.
    pub attempts: BTreeMap<AttemptId, AttemptIntent>,
    /// Operations as recorded.
    pub operations: BTreeMap<(OperationKind, OperationId), OperationIntent>,
    /// Readings, each with the ids of what it says.
    pub readings: SortedMap<ContentId, HeldReading>,
    /// What the readings say, each distinct statement once.
    pub statements: SortedMap<ContentId, Arc<Held>>,
    /// Ids that evidence of another recorded order names too.
    pub shared: BTreeMap<Claim, OrderKey>,
    /// True once evidence arrived that found no room.
    pub beyond_limit: bool,
}

/// A reading as an order remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldReading {
    /// How many times it was read again.
    pub revision: u32,
    /// How many repeats of it were recorded.
    pub repeats: u32,
    /// What it says.
    pub statements: Vec<ContentId>,
}

impl Facts {
    /// True if a reading with these statements still finds room.
    #[must_use]
    pub fn has_room_for(&self, evidence: &Evidence) -> bool {
        if !evidence.basis.settles_operations() && !self.has_room_for_weak(evidence) {
            return false;
        }
        let more = self.new_statements(evidence);
        let is_known = self.readings.contains_key(&evidence.id);
        self.statements.len() + more <= STATEMENTS_PER_ORDER_MAX
            && (is_known || self.readings.len() < READINGS_PER_ORDER_MAX)
    }

    /// True if what a weakly signed webhook says finds room among the others of its sort.
    fn has_room_for_weak(&self, evidence: &Evidence) -> bool {
        let is_weak = |held: &Arc<Held>| !held.basis.settles_operations();
        let known = self.statements.values().filter(|held| is_weak(held)).count();
        if known + self.new_statements(evidence) > WEAK_STATEMENTS_PER_ORDER_MAX {
            return false;
        }
        // All statements of one reading have its basis.
        let of_weak = |reading: &&HeldReading| {
            let first = reading.statements.first();
            first.and_then(|id| self.statements.get(id)).is_some_and(is_weak)
        };
        self.readings.contains_key(&evidence.id)
            || self.readings.values().filter(of_weak).count() < WEAK_READINGS_PER_ORDER_MAX
    }

    /// How many statements of a reading are not held yet.
    fn new_statements(&self, evidence: &Evidence) -> usize {
        let is_new = |held: &&Arc<Held>| !self.statements.contains_key(&held.content_id());
        evidence.statements.iter().filter(is_new).count()
    }

    /// The evidence of every reading, to be handed to another order.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        let mut all = Vec::with_capacity(self.readings.len());
        for (id, reading) in self.readings.iter() {
            let held = |s: &ContentId| self.statements.get(s).cloned();
            let statements: Vec<_> = reading.statements.iter().filter_map(held).collect();
            let Some(first) = statements.first() else {
                continue;
            };
            all.push(Evidence {
                id: *id,
                account: first.account.clone(),
                basis: first.basis,
                revision: reading.revision,
                statements,
            });
        }
        all
    }

    /// Adds a fact. Total: a recorded fact is never refused. Adding it again changes nothing.
    pub fn add(&mut self, fact: &Fact) {
        match fact {
            Fact::Order(intent) => {
                // The merchant's own word replaces what a webhook recorded, never the reverse.
                if self.order.as_ref().is_none_or(|known| known.by < intent.by) {
                    self.order = Some(intent.clone());
                }
            }
            Fact::Attempt(intent) => {
                self.attempts.entry(intent.attempt.clone()).or_insert_with(|| intent.clone());
            }
            Fact::Operation(intent) => {
                let key = (intent.kind, intent.operation.clone());
                self.operations.entry(key).or_insert_with(|| intent.clone());
            }
            Fact::Evidence(evidence) => self.add_evidence(evidence),
            Fact::Repeated(reading) => {
                if let Some(reading) = self.readings.get_mut(reading) {
                    reading.repeats += 1;
                }
            }
            Fact::BeyondLimit(_) => self.beyond_limit = true,
            Fact::Absorbed { evidence, .. } => evidence.iter().for_each(|e| self.add_evidence(e)),
            Fact::IdShared { claim, with } => {
                self.shared.insert(claim.clone(), with.clone());
            }
            Fact::NoAnswer(_)
            | Fact::ForwardedTo(_)
            | Fact::Request { .. }
            | Fact::Receipt { .. }
            | Fact::NotInformed(_) => {}
        }
    }

    fn add_evidence(&mut self, evidence: &Evidence) {
        let known = self.readings.get(&evidence.id);
        if known.is_some_and(|known| known.revision >= evidence.revision) {
            return;
        }
        let repeats = known.map_or(0, |known| known.repeats);
        let mut statements = Vec::with_capacity(evidence.statements.len());
        for held in &evidence.statements {
            let id = held.content_id();
            if !self.statements.contains_key(&id) {
                self.statements.insert(id, Arc::clone(held));
            }
            statements.push(id);
        }
        let reading = HeldReading { revision: evidence.revision, repeats, statements };
        if self.readings.insert(evidence.id, reading).is_some() {
            self.forget_unsaid();
        }
    }

    /// Drops statements that no reading makes any more, after one was read again.
    fn forget_unsaid(&mut self) {
        let readings = &self.readings;
        self.statements.retain(|id, _| readings.values().any(|r| r.statements.contains(id)));
    }
}

/// The state of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// What it is kept under.
    pub key: OrderKey,
    /// Number of records about it.
    pub version: u64,
    /// Positions of those records in the journal, oldest first.
    pub positions: Vec<u64>,
    /// When the first was made.
    pub create_time: Time,
    /// When the newest was made.
    pub update_time: Time,
    /// When the present outcome came to be.
    pub outcome_time: Time,
    /// When evidence last came, and of what sort; a repeat counts.
    pub last_evidence: Option<(Time, Basis)>,
    /// What is known.
    pub facts: Facts,
    /// What was decided from it.
    pub view: View,
    /// Mutations accepted in the last 30 days.
    pub requests: BTreeMap<RequestKey, (ContentId, Time)>,
    /// Whether the customer was told.
    pub receipts: Receipts,
    /// Where everything known here is kept now.
    pub forwarded_to: Option<OrderKey>,
}

/// What one record says of one order: facts, and all that was decided from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What became known.
    pub facts: Vec<Fact>,
    /// What it altered.
    pub changes: Vec<Change>,
    /// The order as a whole after it.
    pub summary: Summary,
    /// When.
    pub time: Time,
}

impl Order {
    /// An order of which nothing is known.
    #[must_use]
    pub fn new(key: OrderKey) -> Self {
        Self {
            key,
            version: 0,
            positions: Vec::new(),
            create_time: Time::default(),
            update_time: Time::default(),
            outcome_time: Time::default(),
            last_evidence: None,
            facts: Facts::default(),
            view: View::default(),
            requests: BTreeMap::new(),
            receipts: Receipts::default(),
            forwarded_to: None,
        }
    }

    /// Position of the newest record about it; 0 if there is none.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.positions.last().copied().unwrap_or(0)
    }

    /// Copies a record into the state. Depends on nothing else, and skips a record that the
    /// state already holds.
    pub fn apply(&mut self, position: u64, decided: &Decided) {
        if position <= self.position() {
            return;
        }
        decided.facts.iter().for_each(|fact| self.facts.add(fact));
        let before = self.view.summary;
        for change in &decided.changes {
            change::copy_into(&mut self.view, change);
        }
        self.view.summary = decided.summary;
        if !decided.changes.is_empty() {
            self.view.sort();
        }
        self.note_record(position, decided, &before);
    }

    /// The state after a record whose facts and view were made when it was decided: what
    /// [`Order::apply`] comes to, without doing that again.
    #[must_use]
    pub fn after(&self, position: u64, decided: &Decided, (facts, view): (Facts, View)) -> Self {
        let mut positions = Vec::with_capacity(self.positions.len() + 1);
        positions.extend_from_slice(&self.positions);
        let mut after = Self {
            key: self.key.clone(),
            positions,
            facts,
            view,
            requests: self.requests.clone(),
            receipts: self.receipts.clone(),
            forwarded_to: self.forwarded_to.clone(),
            ..*self
        };
        after.note_record(position, decided, &self.view.summary);
        debug_assert!({
            let mut applied = self.clone();
            applied.apply(position, decided);
            applied == after
        });
        after
    }

    /// All of a record but its facts and what they altered.
    fn note_record(&mut self, position: u64, decided: &Decided, before: &Summary) {
        if self.version == 0 {
            self.create_time = decided.time;
        }
        if self.version == 0 || decided.summary.outcome_number != before.outcome_number {
            self.outcome_time = decided.time;
        }
        self.version += 1;
        self.positions.push(position);
        self.update_time = decided.time;
        decided.facts.iter().for_each(|fact| self.note(fact, decided.time));
    }

    fn note(&mut self, fact: &Fact, time: Time) {
        if let Some(basis) = self.basis_of_news(fact) {
            self.last_evidence = Some((time, basis));
        }
        match fact {
            Fact::Request { key, fingerprint } => {
                let oldest = time.minus_seconds(REQUEST_KEPT_SECONDS);
                self.requests.retain(|_, (_, accepted)| *accepted >= oldest);
                self.requests.insert(key.clone(), (*fingerprint, time));
            }
            Fact::ForwardedTo(key) => self.forwarded_to = Some(key.clone()),
            Fact::Receipt { outcome_number, is_late } => {
                let told = if *is_late { Told::Late } else { Told::InTime(time) };
                self.receipts.note(*outcome_number, told);
            }
            Fact::NotInformed(outcome_number) => self.receipts.note(*outcome_number, Told::Missed),
            _ => {}
        }
    }

    /// How far evidence can be trusted that comes with a fact. What is read again is old.
    fn basis_of_news(&self, fact: &Fact) -> Option<Basis> {
        match fact {
            Fact::Evidence(evidence) | Fact::BeyondLimit(evidence) => {
                (evidence.revision == 0).then_some(evidence.basis)
            }
            Fact::Absorbed { evidence, .. } => evidence.last().map(|evidence| evidence.basis),
            Fact::Repeated(reading) => {
                let said = self.facts.readings.get(reading)?.statements.first()?;
                self.facts.statements.get(said).map(|held| held.basis)
            }
            _ => None,
        }
    }
}
