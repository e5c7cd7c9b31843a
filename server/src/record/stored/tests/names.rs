//! Generated names, amounts and moments.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    domain::{
        digest::ContentId,
        ids::{
            AccountId, AttemptId, Claim, IdKind, IdValue, InvalidName, MerchantId, OperationId,
            OperatorId, OrderId, OrderKey, ProviderId, Reference, RequestId, SubscriptionId,
        },
        money::{Currency, Money},
        time::Time,
        view::{AttemptKey, OperationKey},
    },
    record::stored::number::Number,
};

/// Any variant of an enum.
pub(super) fn numbered<T: Number + std::fmt::Debug>() -> impl Strategy<Value = T> {
    let numbers: Vec<u32> = (0..64).filter(|number| T::of_number(*number).is_ok()).collect();
    select(numbers).prop_map(|number| T::of_number(number).unwrap())
}

/// Texts, some of them UUIDs, some long, few distinct ones.
fn printable() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c/ä-]{1,3}".boxed(),
        4 => any_uuid().boxed(),
        1 => Just("x".repeat(64)).boxed(),
    ]
}

fn any_uuid() -> impl Strategy<Value = String> {
    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
}

/// Texts of no particular form.
pub(super) fn any_text() -> BoxedStrategy<String> {
    prop_oneof![
        2 => printable().boxed(),
        1 => Just(String::new()).boxed(),
        1 => ".{0,40}".boxed(),
    ]
    .boxed()
}

pub(super) fn any_pairs() -> BoxedStrategy<Vec<(String, String)>> {
    vec((any_text(), any_text()), 0..4).boxed()
}

pub(super) fn any_labels() -> BoxedStrategy<BTreeMap<String, String>> {
    any_pairs().prop_map(|pairs| pairs.into_iter().collect()).boxed()
}

fn named<T: std::fmt::Debug>(
    text: impl Strategy<Value = String>,
    parse: fn(&str) -> Result<T, InvalidName>,
) -> impl Strategy<Value = T> {
    text.prop_map(move |text| parse(&text).unwrap())
}

fn token() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c._-]{1,3}".boxed(), Just("x".repeat(64)).boxed()]
}

pub(super) fn any_merchant() -> impl Strategy<Value = MerchantId> {
    named(token(), MerchantId::parse)
}

pub(super) fn any_account() -> impl Strategy<Value = AccountId> {
    named(token(), AccountId::parse)
}

pub(super) fn any_operator() -> impl Strategy<Value = OperatorId> {
    named(token(), OperatorId::parse)
}

pub(super) fn any_subscription() -> impl Strategy<Value = SubscriptionId> {
    named(token(), SubscriptionId::parse)
}

pub(super) fn any_attempt_id() -> impl Strategy<Value = AttemptId> {
    named(printable(), AttemptId::parse)
}

pub(super) fn any_operation_id() -> impl Strategy<Value = OperationId> {
    named(printable(), OperationId::parse)
}

pub(super) fn any_reference() -> impl Strategy<Value = Reference> {
    named(printable(), Reference::parse)
}

pub(super) fn any_request() -> impl Strategy<Value = RequestId> {
    named(any_uuid(), RequestId::parse)
}

pub(super) fn any_id() -> BoxedStrategy<ProviderId> {
    let kind = named("[a-b_]{1,2}", IdKind::parse);
    (kind, named(printable(), IdValue::parse))
        .prop_map(|(kind, value)| ProviderId { kind, value })
        .boxed()
}

pub(super) fn any_ids() -> BoxedStrategy<Vec<ProviderId>> {
    vec(any_id(), 0..4).boxed()
}

pub(super) fn any_order_key() -> BoxedStrategy<OrderKey> {
    let order = named(printable(), OrderId::parse);
    prop_oneof![
        (any_merchant(), order)
            .prop_map(|(merchant, order)| OrderKey::Recorded { merchant, order }),
        (any_account(), any_id())
            .prop_map(|(account, anchor)| OrderKey::Unclaimed { account, anchor }),
    ]
    .boxed()
}

pub(super) fn any_claim() -> impl Strategy<Value = Claim> {
    (any_account(), any_id()).prop_map(|(account, id)| Claim { account, id })
}

pub(super) fn any_attempt_key() -> BoxedStrategy<AttemptKey> {
    prop_oneof![
        any_attempt_id().prop_map(AttemptKey::Recorded),
        (any_account(), any_id()).prop_map(|(account, id)| AttemptKey::Observed(account, id)),
    ]
    .boxed()
}

pub(super) fn any_operation_key() -> BoxedStrategy<OperationKey> {
    prop_oneof![
        (numbered(), any_operation_id()).prop_map(|(kind, id)| OperationKey::Recorded(kind, id)),
        (numbered(), any_account(), any_id())
            .prop_map(|(kind, account, id)| OperationKey::Observed(kind, account, id)),
    ]
    .boxed()
}

pub(super) fn any_content_id() -> impl Strategy<Value = ContentId> {
    prop_oneof![any::<ContentId>(), any::<u8>().prop_map(|byte| [byte % 4; 16])]
}

pub(super) fn any_money() -> BoxedStrategy<Money> {
    let units = prop_oneof![Just(0), Just(i64::MAX), 0..20_000_i64];
    (prop_oneof!["[A-B]{2,3}", "[A-Z0-9]{12}"], units, 0..=Money::EXPONENT_MAX)
        .prop_map(|(code, units, exponent)| {
            Money::new(Currency::parse(&code).unwrap(), units, exponent).unwrap()
        })
        .boxed()
}

pub(super) fn any_time() -> BoxedStrategy<Time> {
    let usual = 1_790_000_000_000_000..1_800_000_000_000_000_i64;
    prop_oneof![4 => usual.boxed(), 1 => any::<i64>().boxed()].prop_map(Time::from_micros).boxed()
}
