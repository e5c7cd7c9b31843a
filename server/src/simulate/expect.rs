//! What must come of an order, as the provider's ledger has it.

use paystatus_client::{Condition, ConditionKind, Money, Order, PaymentStatus};
use paystatus_simulator::{OperationKind, Payment, PaymentState, Standing, voice::Voice};

/// What an order must be in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// One of these.
    pub(super) statuses: Vec<PaymentStatus>,
    /// In minor units.
    pub(super) captured: u64,
    pub(super) refunded: u64,
    /// Nothing where the provider has one word for a void and something else.
    pub(super) voided: Option<u64>,
    pub(super) has_mismatch: bool,
    pub(super) has_duplicate: bool,
}

impl Expected {
    /// What must come of these payments, each asked for `asked`, of which all is heard.
    pub(super) fn of(payments: &[Payment], asked: u64, voice: &dyn Voice) -> Self {
        let (right, wrong): (Vec<&Payment>, Vec<&Payment>) =
            payments.iter().partition(|payment| payment.amount.minor_units == asked);
        let is_approving = |payment: &&Payment| {
            matches!(payment.standing(), Standing::Authorized | Standing::Successful)
        };
        // An approval of another amount is none. Whatever else is said is heard, but where no id
        // joins the two it is not paired with an attempt of another amount.
        let of_wrong = |payment: &&Payment| {
            let said = if is_approving(payment) { Vec::new() } else { voice.standings(payment) };
            said.into_iter().chain([Standing::Pending]).collect()
        };
        let possible: Vec<Vec<Standing>> = right
            .iter()
            .map(|payment| voice.standings(payment))
            .chain(wrong.iter().map(of_wrong))
            .collect();
        let sum = |of: fn(&Payment) -> u64| right.iter().map(|payment| of(payment)).sum::<u64>();
        let is_clear =
            right.iter().all(|payment| voice.standings(payment).contains(&payment.standing()));
        let holding = right.iter().filter(|payment| is_approving(payment)).count();
        Self {
            statuses: best_of_each(&possible),
            captured: sum(Payment::captured),
            refunded: sum(Payment::refunded),
            voided: is_clear.then(|| sum(|payment| payment.total(OperationKind::Void))),
            has_mismatch: wrong.iter().any(is_approving),
            has_duplicate: holding > 1,
        }
    }

    /// What must come of these payments, where whatever approves one is not heard.
    pub(super) fn of_refusals(payments: &[Payment], asked: u64, voice: &dyn Voice) -> Self {
        let unheard = |payment: &Payment| match payment.standing() {
            Standing::Authorized | Standing::Successful => {
                let (state, operations) = (PaymentState::Pending, Vec::new());
                Payment { state, operations, ..payment.clone() }
            }
            _ => payment.clone(),
        };
        let heard: Vec<Payment> = payments.iter().map(unheard).collect();
        Self::of(&heard, asked, voice)
    }

    /// Nothing was heard.
    pub(super) fn undecided() -> Self {
        let statuses = vec![PaymentStatus::Pending];
        Self {
            statuses,
            captured: 0,
            refunded: 0,
            voided: Some(0),
            has_mismatch: false,
            has_duplicate: false,
        }
    }

    /// In a few words.
    pub(super) fn words(&self) -> String {
        let status = self.statuses.first().map(ToString::to_string).unwrap_or_default();
        let mut words = vec![status];
        words.extend((self.refunded > 0).then(|| "refund".to_owned()));
        words.extend(self.has_mismatch.then(|| "mismatch".to_owned()));
        words.extend(self.has_duplicate.then(|| "duplicate".to_owned()));
        words.join(" + ")
    }

    /// How an order differs from it. What was voided is compared where the provider says so as
    /// an operation of its own.
    pub(super) fn differences(&self, order: &Order) -> Vec<String> {
        let mut found = Vec::new();
        if !self.statuses.contains(&order.status) {
            let expected = self.statuses.iter().map(ToString::to_string).collect::<Vec<_>>();
            found.push(format!("it is {}, not {}", order.status, expected.join(" or ")));
        }
        let totals = &order.totals;
        let sums = [
            ("captured", &totals.captured, self.captured, true),
            ("refunded", &totals.refunded, self.refunded, true),
            (
                "voided",
                &totals.voided,
                self.voided.unwrap_or_default(),
                totals.voided.is_some() && self.voided.is_some(),
            ),
        ];
        for (what, is, expected, counts) in sums {
            let digits = order.amount.as_ref().map_or(0, Money::exponent);
            if counts && units(is.as_ref(), digits) != Some(i128::from(expected)) {
                let is = is.as_ref().map_or_else(|| "nothing".to_owned(), Money::to_string);
                found.push(format!("{what} is {is}, not {expected} minor units"));
            }
        }
        let has = |kind| order.conditions.iter().any(|condition| condition.kind == kind);
        for (kind, expected) in [
            (ConditionKind::Conflict, false),
            (ConditionKind::AmountMismatch, self.has_mismatch),
            (ConditionKind::DuplicatePayment, self.has_duplicate),
        ] {
            if has(kind) != expected {
                let not = if expected { "not " } else { "" };
                found.push(format!("it is {not}to be looked at for {kind}"));
            }
        }
        found
    }
}

/// What an order became, in the same words.
pub(super) fn words_of(order: &Order) -> String {
    let mut words = vec![order.status.to_string()];
    words.extend(order.totals.refunded.is_some().then(|| "refund".to_owned()));
    let condition = |condition: &Condition| match condition.kind {
        ConditionKind::AmountMismatch => "mismatch".to_owned(),
        ConditionKind::DuplicatePayment => "duplicate".to_owned(),
        other => other.to_string().to_lowercase(),
    };
    words.extend(order.conditions.iter().map(condition));
    words.dedup();
    words.join(" + ")
}

/// An amount in units of so many digits, exactly.
fn units(money: Option<&Money>, digits: u32) -> Option<i128> {
    let Some(money) = money else { return Some(0) };
    let units = i128::from(money.minor_units());
    match digits.checked_sub(money.exponent()) {
        Some(missing) => units.checked_mul(10_i128.checked_pow(missing)?),
        None => {
            let factor = 10_i128.checked_pow(money.exponent() - digits)?;
            (units % factor == 0).then(|| units / factor)
        }
    }
}

/// The order's status for every combination of what its attempts may come to.
fn best_of_each(possible: &[Vec<Standing>]) -> Vec<PaymentStatus> {
    let mut best: Vec<Standing> = Vec::new();
    for standings in possible {
        best = match best.as_slice() {
            [] => standings.clone(),
            before => before
                .iter()
                .flat_map(|one| standings.iter().map(move |other| better(*one, *other)))
                .collect(),
        };
    }
    let mut statuses: Vec<PaymentStatus> = Vec::new();
    for status in best.into_iter().map(status) {
        if !statuses.contains(&status) {
            statuses.push(status);
        }
    }
    statuses
}

/// The ranking of an order's attempts (design 3.3).
fn better(one: Standing, other: Standing) -> Standing {
    const RANKING: [Standing; 7] = [
        Standing::Successful,
        Standing::Authorized,
        Standing::Pending,
        Standing::Declined,
        Standing::Canceled,
        Standing::Error,
        Standing::Expired,
    ];
    let rank = |standing| RANKING.iter().position(|ranked| *ranked == standing);
    if rank(one) <= rank(other) { one } else { other }
}

fn status(standing: Standing) -> PaymentStatus {
    match standing {
        Standing::Pending => PaymentStatus::Pending,
        Standing::Authorized => PaymentStatus::Authorized,
        Standing::Successful => PaymentStatus::Successful,
        Standing::Declined => PaymentStatus::Declined,
        Standing::Canceled => PaymentStatus::Canceled,
        Standing::Expired => PaymentStatus::Expired,
        Standing::Error => PaymentStatus::Error,
    }
}

#[cfg(test)]
mod tests {
    use paystatus_simulator::{Action, Amount, Ledger, voices};

    use super::*;

    fn expected(actions: &[(usize, Action)], amounts: [u64; 2]) -> Expected {
        let mut ledger = Ledger::new(1);
        let ids = amounts.map(|minor_units| {
            let amount = Amount { currency: "AUD".to_owned(), minor_units, exponent: 2 };
            ledger.open("o-1", amount, 1)
        });
        for (which, action) in actions {
            ledger.act(&ids[*which], action, 2).expect("it can happen");
        }
        let voice = voices::by_name("standard-webhooks").expect("it is known");
        Expected::of(ledger.payments(), 100, voice)
    }

    #[test]
    fn the_best_attempt_counts() {
        let paid = expected(&[(0, Action::Decline), (1, Action::Pay)], [100, 100]);
        assert_eq!((paid.words().as_str(), paid.captured), ("SUCCESSFUL", 100));
        let open = expected(&[(0, Action::Decline)], [100, 100]);
        assert_eq!(open.words(), "PENDING");
        let twice = expected(&[(0, Action::Pay), (1, Action::Pay)], [100, 100]);
        assert_eq!((twice.words().as_str(), twice.captured), ("SUCCESSFUL + duplicate", 200));
    }

    #[test]
    fn another_amount_never_approves() {
        let other = expected(&[(0, Action::Pay), (1, Action::Decline)], [101, 100]);
        assert_eq!((other.words().as_str(), other.captured), ("PENDING + mismatch", 0));
        let declined = expected(&[(0, Action::Decline), (1, Action::Decline)], [101, 100]);
        assert_eq!(declined.words(), "DECLINED");
    }
}
