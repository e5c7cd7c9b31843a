//! Proves that the view agrees with the journal: folds the journal once more, apart from the
//! view's own code paths, and compares everything.

use std::collections::{BTreeMap, BTreeSet};

use super::{Error, Progress, Store, keys, undecided, untold};
use crate::{
    domain::{
        ids::{Claim, OrderKey},
        order::Order,
        project::project,
        view::View,
    },
    journal::{Position, Reader},
    record::{self, Record, Subject},
};

/// Records read from the journal at once.
const READ_RECORDS: usize = 1000;

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Records of the journal.
    pub records: u64,
    /// Orders, unclaimed ones included.
    pub orders: u64,
    /// Claims.
    pub claims: u64,
}

/// Why the view and the journal cannot both be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// One of them cannot be read.
    #[error(transparent)]
    Unusable(#[from] Error),
    /// They differ.
    #[error("{what} differs: {how}")]
    Differs {
        /// What.
        what: String,
        /// How, without personal data.
        how: String,
    },
}

/// What the journal comes to.
#[derive(Default)]
struct Fold {
    orders: BTreeMap<OrderKey, Order>,
    claims: BTreeMap<Claim, OrderKey>,
    small: BTreeMap<Vec<u8>, Vec<u8>>,
    versions: BTreeMap<Subject, u64>,
}

impl Store {
    /// Folds the whole journal and compares it with all that sled holds.
    ///
    /// # Errors
    /// [`Failure`] with the first difference.
    pub fn verify(
        &self,
        journal: &dyn Reader,
        mut progress: impl FnMut(Progress),
    ) -> Result<Report, Failure> {
        let mut fold = Fold::default();
        let mut position = 0;
        loop {
            let records = journal.read(position, READ_RECORDS).map_err(Error::from)?;
            let Some(last) = records.last().map(|stored| stored.position) else { break };
            for stored in &records {
                position += 1;
                same("the position of a record", &stored.position, &position)?;
                let unreadable = |source| Error::Record { position, source };
                let record = record::decode(&stored.record).map_err(unreadable)?;
                let claims = stored.claims.iter().map(|c| record::decode_claim(c));
                let claims: Vec<Claim> = claims.collect::<Result<_, _>>().map_err(unreadable)?;
                fold.add(position, stored.version, &record, claims)?;
            }
            progress(Progress { applied: last, head: journal.head() });
        }
        self.write_step()?;
        self.compare(&fold)?;
        Ok(Report {
            records: position,
            orders: fold.orders.len() as u64,
            claims: fold.claims.len() as u64,
        })
    }

    fn compare(&self, fold: &Fold) -> Result<(), Failure> {
        let mut expected: BTreeSet<Vec<u8>> = fold.small.keys().cloned().collect();
        for (key, order) in &fold.orders {
            let (name, place) = (keys::name(key), keys::state(order));
            let held = self.get(&name)?.map(|bytes| bytes.to_vec());
            same(&format!("the place of {key:?}"), &held, &Some(place.clone()))?;
            let bytes = self.get(&place)?.unwrap_or_default();
            let held = record::decode_order(&bytes).map_err(Error::State)?;
            same_order(&held, order)?;
            expected.extend([name.to_vec(), place]);
            let first = order.positions.first().copied().unwrap_or(0);
            for kind in [&undecided::KIND, &untold::KIND] {
                let place = keys::indexed(kind.first, key, first);
                if let Some(says) = (kind.says)(order) {
                    let held = self.get(&place)?;
                    same(&format!("an index of {key:?}"), &held, &Some(says))?;
                    expected.insert(place);
                }
            }
        }
        for (claim, key) in &fold.claims {
            let place = keys::claim(claim).to_vec();
            let held = self.get(&place)?.map(|bytes| bytes.to_vec());
            same(
                &format!("the owner of {claim:?}"),
                &held,
                &Some(record::encode_key(key).to_vec()),
            )?;
            expected.insert(place);
        }
        for (place, bytes) in &fold.small {
            let held = self.get(place)?.map(|bytes| bytes.to_vec());
            same("a key, operator or subscription", &held.as_ref(), &Some(bytes))?;
        }
        for (subject, version) in &fold.versions {
            let place = keys::version(subject);
            let held = self.get(&place)?.map(|bytes| bytes.to_vec());
            same(
                &format!("the version of {subject:?}"),
                &held,
                &Some(version.to_be_bytes().to_vec()),
            )?;
            expected.insert(place);
        }
        same("the set of entries", &self.places()?, &expected)
    }
}

impl Fold {
    fn add(
        &mut self,
        position: Position,
        version: u64,
        record: &Record,
        claims: Vec<Claim>,
    ) -> Result<(), Failure> {
        match record {
            Record::Order(r) => {
                let order =
                    self.orders.entry(r.key.clone()).or_insert_with(|| Order::new(r.key.clone()));
                order.apply(position, &r.decided);
                same(&format!("the version of {:?}", r.key), &order.version, &version)?;
                for claim in claims {
                    let before = self.claims.insert(claim.clone(), r.key.clone());
                    same(&format!("the first owner of {claim:?}"), &before, &None)?;
                }
                return Ok(());
            }
            Record::Key(key) => self.small.insert(keys::key(key), record::encode(record).into()),
            Record::Subscription(s) => {
                self.small.insert(keys::subscription(s), record::encode(record).into())
            }
            Record::Operator(operator) => {
                self.small.insert(keys::operator(operator), record::encode(record).into())
            }
            Record::Kept(_) | Record::Audit(_) => None,
        };
        self.versions.insert(record.subject(), version);
        Ok(())
    }
}

/// States are equal, and the view is what the rules make of the facts.
fn same_order(held: &Order, folded: &Order) -> Result<(), Failure> {
    let what = format!("order {:?} at version {}", folded.key, folded.version);
    same(&what, held, folded)?;
    if folded.forwarded_to.is_none() {
        let computed = project(&folded.facts);
        let statuses = |view: &View| -> Vec<_> {
            view.attempts.iter().map(|a| (a.key.clone(), a.status)).collect()
        };
        same(&format!("{what}: its summary"), &held.view.summary.status, &computed.summary.status)?;
        same(
            &format!("{what}: its outcome"),
            &held.view.summary.outcome,
            &computed.summary.outcome,
        )?;
        same(&format!("{what}: its attempts"), &statuses(&held.view), &statuses(&computed))?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, held: &T, expected: &T) -> Result<(), Failure> {
    if held == expected {
        return Ok(());
    }
    // The point where the two texts part is enough to find it, and shows little data.
    let (held, expected) = (format!("{held:?}"), format!("{expected:?}"));
    let at = held.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
    let near =
        |text: &str| -> String { text.chars().skip(at.saturating_sub(40)).take(80).collect() };
    let how = format!("view has ..{}.., journal gives ..{}..", near(&held), near(&expected));
    Err(Failure::Differs { what: what.to_owned(), how })
}
