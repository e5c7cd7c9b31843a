//! Decides about API keys and operators.

use super::Overlay;
use crate::{
    domain::ids::OperatorId,
    engine::{Answer, AskKey, AskOperator, Refused},
    record::{Actor, KeyEvent, KeyRecord, OperatorRecord, Record},
};

/// API keys that may exist, expired ones included.
pub const KEYS_MAX: usize = 10_000;
/// Operators that may exist.
pub const OPERATORS_MAX: usize = 10_000;
/// Keys that one operator may have: they go with it, all in one append.
pub const KEYS_PER_OPERATOR_MAX: usize = 32;

impl Overlay {
    /// Creates a key, notes its use, or revokes it.
    pub(super) fn key(&mut self, ask: &AskKey, actor: &Option<Actor>) -> Result<Answer, Refused> {
        let now = self.now;
        let record = match ask {
            AskKey::Create { key_id, .. } => match self.find_key(key_id) {
                Some(known) => return repeated(&known, ask),
                None => self.new_key(ask, actor)?,
            },
            AskKey::Use { key_id, time } => match self.find_key(key_id) {
                Some(known) if known.last_use_time < Some(*time) => KeyRecord {
                    last_use_time: Some(*time),
                    event: KeyEvent::Used,
                    actor: None,
                    time: now,
                    ..known
                },
                _ => return Ok(Answer::plain(true)),
            },
            AskKey::Delete { key_id } => {
                let Some(known) = self.find_key(key_id) else { return Ok(Answer::plain(true)) };
                // Only one that is on disk already: of two writers, the other might have revoked
                // one that is decided here.
                let is_other = |key: &KeyRecord| {
                    let gone = self.keys.get(&key.key_id).is_some_and(|newer| newer.deleted);
                    key.is_lasting_owner() && key.key_id != known.key_id && !gone
                };
                if known.is_lasting_owner() && !self.store.keys().iter().any(is_other) {
                    return Err(Refused::LastOwnerKey);
                }
                self.revoked(known, actor)
            }
        };
        Ok(self.push_key(record))
    }

    /// Creates an operator, replaces what is known of it, or deletes it with its keys.
    pub(super) fn operator(
        &mut self,
        ask: &AskOperator,
        actor: &Option<Actor>,
    ) -> Result<Answer, Refused> {
        let (AskOperator::Create { operator, .. }
        | AskOperator::Update { operator, .. }
        | AskOperator::Delete { operator }) = ask;
        let known = self.find_operator(operator);
        let (now, actor) = (self.now, actor.clone());
        match (ask, known) {
            (AskOperator::Create { request, .. }, Some(known)) => {
                if known.request == *request {
                    Ok(Answer::plain(true))
                } else if known.request.0 == request.0 {
                    Err(Refused::RequestIdReused)
                } else {
                    Err(Refused::NameTaken { what: "operator" })
                }
            }
            (AskOperator::Create { display_name, merchants, request, .. }, None) => {
                if self.store.operators().len() + self.operators.len() >= OPERATORS_MAX {
                    return Err(Refused::TooMany { what: "operators", max: OPERATORS_MAX });
                }
                Ok(self.push_operator(OperatorRecord {
                    operator: operator.clone(),
                    display_name: display_name.clone(),
                    merchants: merchants.clone(),
                    create_time: now,
                    request: request.clone(),
                    update: None,
                    deleted: false,
                    actor,
                    time: now,
                }))
            }
            (AskOperator::Update { .. }, None) => Err(Refused::NotFound { what: "operator" }),
            (AskOperator::Update { display_name, merchants, request, .. }, Some(known)) => {
                match &known.update {
                    Some(before) if before == request => return Ok(Answer::plain(true)),
                    Some(before) if before.0 == request.0 => return Err(Refused::RequestIdReused),
                    _ => {}
                }
                Ok(self.push_operator(OperatorRecord {
                    display_name: display_name.clone(),
                    merchants: merchants.clone(),
                    update: Some(request.clone()),
                    actor,
                    time: now,
                    ..known
                }))
            }
            (AskOperator::Delete { .. }, None) => Ok(Answer::plain(true)),
            (AskOperator::Delete { .. }, Some(known)) => {
                // The operator and its keys go together, or not at all.
                let first = self.entries.len();
                let record =
                    OperatorRecord { deleted: true, actor: actor.clone(), time: now, ..known };
                let answer = self.push_operator(record);
                for key in self.keys_of(operator) {
                    let revoked = self.revoked(key, &actor);
                    self.push_key(revoked);
                }
                self.link(first);
                Ok(answer)
            }
        }
    }

    fn new_key(&self, ask: &AskKey, actor: &Option<Actor>) -> Result<KeyRecord, Refused> {
        let AskKey::Create {
            key_id,
            name,
            role,
            merchants,
            secret_sha256,
            request,
            expire_time,
            operator,
        } = ask
        else {
            return Err(Refused::NotFound { what: "key" });
        };
        if self.store.keys().len() + self.keys.len() >= KEYS_MAX {
            return Err(Refused::TooMany { what: "keys", max: KEYS_MAX });
        }
        if let Some(operator) = operator {
            if self.find_operator(operator).is_none() {
                return Err(Refused::NotFound { what: "operator" });
            }
            if self.keys_of(operator).len() >= KEYS_PER_OPERATOR_MAX {
                let max = KEYS_PER_OPERATOR_MAX;
                return Err(Refused::TooMany { what: "keys of one operator", max });
            }
        }
        Ok(KeyRecord {
            key_id: key_id.clone(),
            name: name.clone(),
            role: *role,
            merchants: merchants.clone(),
            secret_sha256: *secret_sha256,
            create_time: self.now,
            request: request.clone(),
            expire_time: *expire_time,
            operator: operator.clone(),
            last_use_time: None,
            deleted: false,
            event: KeyEvent::Granted,
            actor: actor.clone(),
            time: self.now,
        })
    }

    fn revoked(&self, key: KeyRecord, actor: &Option<Actor>) -> KeyRecord {
        let event = KeyEvent::Granted;
        KeyRecord { deleted: true, event, actor: actor.clone(), time: self.now, ..key }
    }

    fn push_key(&mut self, record: KeyRecord) -> Answer {
        self.keys.insert(record.key_id.clone(), record.clone());
        Answer::recorded(self.push(Record::Key(record), Vec::new()))
    }

    fn push_operator(&mut self, record: OperatorRecord) -> Answer {
        self.operators.insert(record.operator.clone(), record.clone());
        Answer::recorded(self.push(Record::Operator(record), Vec::new()))
    }

    fn find_key(&self, key_id: &str) -> Option<KeyRecord> {
        let known = self.keys.get(key_id).cloned().or_else(|| self.store.key(key_id));
        known.filter(|known| !known.deleted)
    }

    fn find_operator(&self, operator: &OperatorId) -> Option<OperatorRecord> {
        let known = self.operators.get(operator).cloned();
        let known = known.or_else(|| self.store.operator(operator).map(|o| (*o).clone()));
        known.filter(|known| !known.deleted)
    }

    /// Every key after the jobs so far, in no order.
    fn all_keys(&self) -> Vec<KeyRecord> {
        let mut all = self.store.keys();
        all.retain(|key| !self.keys.contains_key(&key.key_id));
        all.extend(self.keys.values().filter(|key| !key.deleted).cloned());
        all
    }

    fn keys_of(&self, operator: &OperatorId) -> Vec<KeyRecord> {
        let mut keys = self.all_keys();
        keys.retain(|key| key.operator.as_ref() == Some(operator));
        // The order of records must not depend on that of a map.
        keys.sort_by(|a, b| a.key_id.cmp(&b.key_id));
        keys
    }
}

/// The answer to a request whose key is there already.
fn repeated(known: &KeyRecord, ask: &AskKey) -> Result<Answer, Refused> {
    match ask {
        AskKey::Create { request, .. } if known.request == *request => Ok(Answer::plain(true)),
        _ => Err(Refused::RequestIdReused),
    }
}
