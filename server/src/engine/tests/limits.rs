//! Batches at the limits of an append.

use crate::{
    domain::testing::{create_attempt, create_order},
    engine::{Ask, BATCH_MAX, Error, Refused},
    journal::{
        APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, Attachment,
    },
    record::attachment,
};

use super::{
    bench::{Bench, ask},
    subjects::kept,
};

fn keep(attachments: usize, bytes: usize) -> Ask {
    let body = vec![1; bytes].into();
    let attachment = Attachment { kind: attachment::BODY, bytes: Some(body) };
    Ask::Keep(Box::new(kept()), vec![attachment; attachments])
}

/// A batch of large webhooks once exceeded what an append takes, and stopped the engine.
#[test]
fn a_batch_of_more_bytes_than_an_append_takes_is_written_in_several() {
    let count = APPEND_BYTES_MAX / ATTACHMENT_BYTES_MAX + 8;
    let mut bench = Bench::new();
    let answers = bench.run((0..count).map(|_| keep(1, ATTACHMENT_BYTES_MAX)));
    let positions = answers.into_iter().map(|answer| answer.unwrap().position);
    assert!(positions.eq((1..=count as u64).map(Some)), "in order");
    // Few that exceed it only together.
    let answers = bench.run((0..3).map(|_| keep(ATTACHMENTS_MAX, ATTACHMENT_BYTES_MAX - 1)));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(bench.store.applied(), count as u64 + 3);
}

#[test]
fn only_who_asks_too_much_is_refused() {
    let mut bench = Bench::new();
    let answers = bench.run([
        ask(&create_order("o1", "100")),
        keep(ATTACHMENTS_MAX, 1),
        keep(ATTACHMENTS_MAX + 1, 1),
        keep(1, ATTACHMENT_BYTES_MAX),
        keep(1, ATTACHMENT_BYTES_MAX + 1),
        ask(&create_attempt("o1", "a1", "o1", None)),
    ]);
    let is_refused =
        |a: &Result<_, Error>| matches!(a, Err(Error::Refused(Refused::TooMany { .. })));
    assert_eq!(
        answers.iter().map(is_refused).collect::<Vec<_>>(),
        [false, false, true, false, true, false]
    );
    assert_eq!(answers[5].as_ref().unwrap().position, Some(4));
    bench.verify();
}

/// Each of these orders takes in several unclaimed ones: more records than one append takes.
#[test]
fn a_batch_of_more_records_than_an_append_takes_is_written_in_several() {
    use crate::domain::{
        command::Command,
        fact::Evidence,
        ids::AccountId,
        statement::Basis,
        testing::{accept, say},
    };
    let accounts: Vec<AccountId> =
        (0..4).map(|n| AccountId::parse(&format!("acc{n}")).unwrap()).collect();
    let mut bench = Bench::new();
    for account in &accounts {
        for chunk in 0..4 {
            bench.run((chunk * 64..(chunk + 1) * 64).map(|n| {
                let said = vec![say(&format!("p{n} o{n} : sold 100"))];
                let mut command = accept("1", said.clone());
                let Command::AcceptEvidence(accepted) = &mut command else { panic!() };
                accepted.evidence = Evidence::first(account.clone(), Basis::Webhook, "1", said);
                ask(&command)
            }));
        }
    }
    let before = bench.store.applied();
    const { assert!(BATCH_MAX * 5 > APPEND_ENTRIES_MAX) };
    let answers = bench.run((0..BATCH_MAX).map(|n| {
        let mut command = create_order(&format!("o{n}"), "100");
        let Command::CreateOrder(create) = &mut command else { panic!() };
        create.accounts.clone_from(&accounts);
        ask(&command)
    }));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(bench.store.applied() - before, BATCH_MAX as u64 * 5);
    bench.verify();
}
