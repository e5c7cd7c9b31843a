//! Generated statements and facts.

use proptest::{collection::vec, option, prelude::*};

use super::names::{
    any_account, any_attempt_id, any_attempt_key, any_claim, any_content_id, any_ids, any_labels,
    any_money, any_operation_id, any_order_key, any_reference, any_request, any_text, any_time,
    numbered,
};
use crate::domain::{
    fact::{AmountRule, AttemptIntent, Evidence, Fact, OperationIntent, OrderIntent, RequestKey},
    statement::{Held, OperationClaimed, Said, StatedAmount, Statement},
};

fn any_said() -> BoxedStrategy<Said> {
    let operation = (
        numbered(),
        any_ids(),
        option::of(any_reference()),
        option::of(any_operation_id()),
        any::<bool>(),
        numbered(),
    );
    let operation =
        operation.prop_map(|(kind, ids, reference, operation, takes_back_captured, claim)| {
            Said::Operation(OperationClaimed {
                kind,
                ids,
                reference,
                operation,
                takes_back_captured,
                claim,
            })
        });
    prop_oneof![numbered().prop_map(Said::Payment), operation].boxed()
}

pub(super) fn any_statement() -> BoxedStrategy<Statement> {
    let amount = (any_money(), any::<bool>())
        .prop_map(|(money, too_precise)| StatedAmount { money, too_precise });
    let fields = (
        any_ids(),
        option::of(any_reference()),
        option::of(any_attempt_id()),
        any_said(),
        option::of(amount),
        option::of(any_time()),
        option::of(any_text()),
    );
    fields
        .prop_map(|(ids, reference, attempt, said, amount, provider_time, reason)| Statement {
            ids,
            reference,
            attempt,
            said,
            amount,
            provider_time,
            reason,
        })
        .boxed()
}

pub(super) fn any_held() -> BoxedStrategy<Held> {
    (any_account(), numbered(), any_statement())
        .prop_map(|(account, basis, statement)| Held::new(account, basis, statement))
        .boxed()
}

fn any_evidence() -> BoxedStrategy<Evidence> {
    let statements = vec(any_statement(), 0..3);
    (any_content_id(), any_account(), numbered(), any::<u32>(), statements)
        .prop_map(|(id, account, basis, revision, statements)| {
            Evidence::reading(id, account, basis, revision, statements)
        })
        .boxed()
}

pub(super) fn any_order_intent() -> BoxedStrategy<OrderIntent> {
    (numbered(), option::of(any_money()), any_labels(), any_time())
        .prop_map(|(by, amount, labels, time)| OrderIntent { by, amount, labels, time })
        .boxed()
}

pub(super) fn any_attempt_intent() -> BoxedStrategy<AttemptIntent> {
    let rule = prop_oneof![
        Just(AmountRule::Exact),
        Just(AmountRule::AtLeast),
        any_money().prop_map(AmountRule::Within),
    ];
    let fields = (
        any_attempt_id(),
        any_account(),
        any_reference(),
        any::<bool>(),
        option::of(any_money()),
        rule,
        any_time(),
    );
    fields
        .prop_map(|(attempt, account, reference, reference_is_id, amount, rule, time)| {
            AttemptIntent { attempt, account, reference, reference_is_id, amount, rule, time }
        })
        .boxed()
}

pub(super) fn any_operation_intent() -> BoxedStrategy<OperationIntent> {
    let fields = (
        numbered(),
        any_operation_id(),
        any_attempt_key(),
        any_account(),
        any_reference(),
        option::of(any_money()),
        any_time(),
    );
    fields
        .prop_map(|(kind, operation, attempt, account, reference, amount, time)| OperationIntent {
            kind,
            operation,
            attempt,
            account,
            reference,
            amount,
            time,
        })
        .boxed()
}

pub(super) fn any_request_key() -> BoxedStrategy<RequestKey> {
    (numbered(), any_request()).prop_map(|(method, request)| RequestKey { method, request }).boxed()
}

pub(super) fn any_fact() -> BoxedStrategy<Fact> {
    prop_oneof![
        any_order_intent().prop_map(Fact::Order),
        any_attempt_intent().prop_map(Fact::Attempt),
        any_operation_intent().prop_map(Fact::Operation),
        any_evidence().prop_map(Fact::Evidence),
        any_content_id().prop_map(Fact::Repeated),
        any_evidence().prop_map(Fact::BeyondLimit),
        any_attempt_id().prop_map(Fact::NoAnswer),
        (any_order_key(), vec(any_evidence(), 0..3))
            .prop_map(|(from, evidence)| Fact::Absorbed { from, evidence }),
        any_order_key().prop_map(Fact::ForwardedTo),
        (any_claim(), any_order_key()).prop_map(|(claim, with)| Fact::IdShared { claim, with }),
        (any_request_key(), any_content_id())
            .prop_map(|(key, fingerprint)| Fact::Request { key, fingerprint }),
        (any::<u64>(), any::<bool>())
            .prop_map(|(outcome_number, is_late)| Fact::Receipt { outcome_number, is_late }),
        any::<u64>().prop_map(Fact::NotInformed),
    ]
    .boxed()
}
