//! Who may do what: API keys and operators.

use std::sync::Arc;

use tokio::sync::watch;

use super::Store;
use crate::{
    domain::ids::OperatorId,
    record::{KeyEvent, KeyRecord, OperatorRecord, Record},
};

impl Store {
    /// An API key by its id. Revoked keys are not found.
    #[must_use]
    pub fn key(&self, key_id: &str) -> Option<KeyRecord> {
        self.read().keys.get(key_id).filter(|key| !key.deleted).map(|key| (**key).clone())
    }

    /// An API key by the hash of its secret.
    #[must_use]
    pub fn key_by_secret(&self, secret_sha256: &[u8; 32]) -> Option<Arc<KeyRecord>> {
        let inner = self.read();
        let key_id = inner.keys_by_secret.get(secret_sha256)?;
        // An id may have been given again, with another secret.
        let is_current =
            |key: &&Arc<KeyRecord>| !key.deleted && key.secret_sha256 == *secret_sha256;
        inner.keys.get(key_id).filter(is_current).cloned()
    }

    /// Every API key that is not revoked, by id.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyRecord> {
        let inner = self.read();
        let keys = inner.keys.values().filter(|key| !key.deleted);
        keys.map(|key| (**key).clone()).collect()
    }

    /// An operator. Deleted ones are not found.
    #[must_use]
    pub fn operator(&self, operator: &OperatorId) -> Option<Arc<OperatorRecord>> {
        self.read().operators.get(operator).filter(|operator| !operator.deleted).cloned()
    }

    /// An operator, also one that is deleted: as it was last.
    #[must_use]
    pub fn operator_ever(&self, operator: &OperatorId) -> Option<Arc<OperatorRecord>> {
        self.read().operators.get(operator).cloned()
    }

    /// Every operator that is not deleted, by id.
    #[must_use]
    pub fn operators(&self) -> Vec<Arc<OperatorRecord>> {
        let inner = self.read();
        inner.operators.values().filter(|operator| !operator.deleted).cloned().collect()
    }

    /// Tells when somebody may less than before: a key was revoked, an operator altered.
    #[must_use]
    pub fn withdrawals(&self) -> watch::Receiver<()> {
        self.withdrawn.subscribe()
    }
}

/// True for a record after which somebody may less than before.
pub(super) fn withdraws(record: &Record) -> bool {
    match record {
        Record::Key(key) => key.deleted && key.event == KeyEvent::Granted,
        Record::Operator(_) => true,
        _ => false,
    }
}
