//! What commands would come to, one after the other, without asking the engine: decided over the
//! present state, each on top of those before. Records nothing, and may wait for sled.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{
        change,
        command::{Command, Disposition, Refusal, World},
        decide::decide,
        ids::{Claim, OrderKey},
        order::Order,
        time::Time,
        view::{Outcome, PaymentStatus},
    },
    store::Store,
};

/// The present state, and what the commands so far would make of it.
pub struct Preview {
    store: Arc<Store>,
    orders: HashMap<OrderKey, Arc<Order>>,
    claims: HashMap<Claim, OrderKey>,
}

/// What one command would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previewed {
    /// True if it has taken effect already.
    pub replayed: bool,
    /// For evidence: what would become of it.
    pub disposition: Option<Disposition>,
    /// The changes it would make, in words.
    pub changes: Vec<String>,
    /// The orders it would alter.
    pub orders: Vec<Moved>,
}

/// How an order is altered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub key: OrderKey,
    /// Its status before and after.
    pub status: (PaymentStatus, PaymentStatus),
    /// Its outcome before and after.
    pub outcome: (Outcome, Outcome),
}

impl World for Preview {
    fn order(&self, key: &OrderKey) -> Option<Arc<Order>> {
        self.orders.get(key).cloned().or_else(|| self.store.order(key))
    }

    fn claimant(&self, claim: &Claim) -> Option<OrderKey> {
        self.claims.get(claim).cloned().or_else(|| self.store.claimant(claim))
    }
}

impl Preview {
    /// The present state.
    #[must_use]
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, orders: HashMap::new(), claims: HashMap::new() }
    }

    /// Decides a command on top of those before.
    ///
    /// # Errors
    /// [`Refusal`], as the engine would give it.
    pub fn decide(&mut self, command: &Command, now: Time) -> Result<Previewed, Refusal> {
        let decision = decide(self, command, now)?;
        let (mut changes, mut orders) = (Vec::new(), Vec::new());
        for draft in decision.drafts {
            let known = self.order(&draft.key);
            let mut order =
                known.map_or_else(|| Order::new(draft.key.clone()), Arc::unwrap_or_clone);
            let before = order.view.summary;
            order.apply(order.position() + 1, &draft.decided);
            let after = order.view.summary;
            if !draft.decided.changes.is_empty() {
                orders.push(Moved {
                    key: draft.key.clone(),
                    status: (before.status, after.status),
                    outcome: (before.outcome, after.outcome),
                });
            }
            changes.extend(draft.decided.changes.iter().map(change::in_words));
            for claim in draft.claims {
                self.claims.insert(claim, draft.key.clone());
            }
            self.orders.insert(draft.key, Arc::new(order));
        }
        let disposition = decision.disposition;
        Ok(Previewed { replayed: decision.replayed, disposition, changes, orders })
    }
}
