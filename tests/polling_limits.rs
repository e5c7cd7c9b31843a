//! How often and how hard a provider is asked: tokens, rates, pauses, and what it asks for itself.

use std::time::Duration;

use paystatus_client::Outcome;
use paystatus_proto::v1::PaymentStatus;

use crate::harness::{
    OPTTY, PATIENCE, System,
    provider::{Act, Provider, Question},
};

async fn approved(system: &System, order: &str) {
    let awaited = system.client().await_outcome(order, PATIENCE).await.expect("no error");
    assert_eq!(awaited.outcome, Outcome::Approved);
}

fn gap(questions: &[Question], index: usize) -> Duration {
    questions[index + 1].at - questions[index].at
}

#[tokio::test]
async fn a_token_that_was_revoked_is_fetched_again() {
    let provider = Provider::start().await;
    provider.knows("o1", "PENDING", "1.00");
    let system = System::start_asking(provider.account()).await;
    system.api().place("o1", OPTTY, 100).await;
    let asked = provider.asked(2).await;
    assert_eq!(asked[1].authorization, asked[0].authorization, "one token for both");
    provider.revoke();
    provider.knows("o1", "SUCCESSFUL", "1.00");
    approved(&system, "o1").await;
    let asked = provider.questions();
    let [.., refused, answered] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(refused.authorization, asked[0].authorization);
    assert_ne!(answered.authorization, refused.authorization);
}

#[tokio::test]
async fn a_provider_that_asks_to_wait_is_not_asked_meanwhile() {
    let provider = Provider::start().await;
    let system = System::start_asking(provider.account()).await;
    for status in [429, 503] {
        let order = format!("o{status}");
        provider.does([Act::Status(status, "retry-after: 1")]);
        let before = provider.questions().len();
        system.api().place(&order, OPTTY, 100).await;
        let asked = provider.asked(before + 2).await;
        assert!(gap(&asked, before) >= Duration::from_millis(950), "{asked:?}");
        provider.knows(&order, "SUCCESSFUL", "1.00");
        approved(&system, &order).await;
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_left_alone_until_it_answers_again() {
    let provider = Provider::start().await;
    provider.always(Some(Act::Status(500, "")));
    let pause = Duration::from_millis(400);
    let account = provider.account_with(|api| {
        (api.failures, api.pause) = (Some(3), Some(pause));
    });
    let system = System::start_asking(account).await;
    for number in 0..8 {
        let order = format!("o{number}");
        provider.knows(&order, "SUCCESSFUL", "1.00");
        system.api().place(&order, OPTTY, 100).await;
    }
    // Three failures, and what was under way beside the third; then one who tries at a time.
    let is_pause = |gap: &Duration| *gap >= pause - Duration::from_millis(20);
    let mut asked = provider.asked(3).await;
    let pauses = |asked: &[Question]| {
        (1..asked.len()).filter(|next| is_pause(&gap(asked, next - 1))).count()
    };
    while pauses(&asked) < 2 {
        asked = provider.asked(asked.len() + 1).await;
        assert!(asked.len() <= 8, "nobody leaves it alone: {asked:?}");
    }
    assert_eq!(system.api().get_order("o0").await.status(), PaymentStatus::Pending);
    provider.always(None);
    for number in 0..8 {
        approved(&system, &format!("o{number}")).await;
    }
}

#[tokio::test]
async fn no_more_is_asked_than_the_account_allows() {
    let provider = Provider::start().await;
    let account = provider.account_with(|api| api.rate = Some(10.0));
    let system = System::start_asking(account).await;
    for number in 0..10 {
        system.api().place(&format!("o{number}"), OPTTY, 100).await;
    }
    let asked = provider.asked(35).await;
    let times: Vec<_> = asked.iter().map(|question| question.at).collect();
    // A burst of a second's worth, then so many a second; a little slack for arriving late.
    for (index, from) in times.iter().enumerate() {
        let within = |to: &&std::time::Instant| **to - *from < Duration::from_secs(1);
        let count = times[index..].iter().filter(within).count();
        assert!(count <= 22, "{count} within a second of question {index}");
    }
    let whole = times[34] - times[0];
    assert!(whole >= Duration::from_millis(2200), "{whole:?}");
}
