//! What the ledger makes of records, as the rules decide them.

use super::*;
use crate::{
    config::{AccountConfig, Config},
    domain::{
        command::{Command, Decision},
        statement::Statement,
        testing::{MemoryWorld, accept_from, account, create_attempt, create_order, say},
    },
    hub::RECENT_MAX,
    journal::{Journal as _, memory::MemoryJournal},
    record::WebhookMeta,
};

/// Rules and a ledger of what they decide.
#[derive(Default)]
struct Bench {
    world: MemoryWorld,
    state: State,
}

impl Bench {
    fn run(&mut self, second: i64, command: &Command, webhook: Option<WebhookMeta>) {
        let now = Time::from_seconds(second);
        let decision: Decision = self.world.run(command, now).expect("it is accepted");
        for draft in decision.drafts {
            let disposition = decision.disposition.unwrap_or(Disposition::Applied);
            let webhook = webhook.clone().map(|meta| WebhookMeta { disposition, ..meta });
            self.state.add(&Record::Order(OrderRecord {
                key: draft.key,
                decided: draft.decided,
                source: if webhook.is_some() { Source::Webhook } else { Source::Intent },
                actor: None,
                webhook,
                labels: Vec::new(),
            }));
        }
    }

    fn place(&mut self, second: i64, order: &str) {
        self.run(second, &create_order(order, "100"), None);
        self.run(second, &create_attempt(order, "a1", order, None), None);
    }

    fn webhook(&mut self, second: i64, event: &str, said: Statement) {
        let meta = WebhookMeta {
            account: account(),
            event_id: event.to_owned(),
            event_name: "event".to_owned(),
            body_sha256: [0; 32],
            disposition: Disposition::Applied,
            reading: crate::domain::digest::ContentId::default(),
            headers: Vec::new(),
        };
        self.run(second, &accept_from(Basis::Webhook, event, vec![said]), Some(meta));
    }

    fn poll(&mut self, second: i64, event: &str, said: &str) {
        self.run(second, &accept_from(Basis::Poll, event, vec![say(said)]), None);
    }

    fn ledger(&mut self) -> &mut AccountLedger {
        self.state.of(&account())
    }

    fn silence(&mut self, second: i64) -> Option<Silence> {
        silence_of(self.ledger(), Time::from_seconds(second))
    }
}

fn seconds(samples: &Samples) -> Option<i64> {
    samples.percentile(100).map(|micros| micros / 1_000_000)
}

#[test]
fn what_a_poll_learned_first_is_counted_until_a_webhook_follows() {
    let mut bench = Bench::default();
    for order in ["o1", "o2", "o3"] {
        bench.place(1000, order);
    }
    bench.poll(1100, "q1", "p1 o1 : sold 100");
    bench.poll(1100, "q2", "p2 o2 : sold 100");
    // It says what is known: no status was learned.
    bench.poll(1200, "q3", "p2 o2 : authorized 100");
    bench.webhook(1300, "e3", say("p3 o3 : sold 100"));
    let ledger = &bench.ledger().figures;
    assert_eq!((ledger.learned_by_poll, ledger.followed), (2, 0));
    bench.webhook(1400, "e1", say("p1 o1 : sold 100"));
    bench.webhook(1500, "e1", say("p1 o1 : sold 100"));
    let ledger = &bench.ledger().figures;
    assert_eq!((ledger.learned_by_poll, ledger.followed), (2, 1));
    assert_eq!((ledger.after_poll.count(), seconds(&ledger.after_poll)), (1, Some(300)));
    assert_eq!(ledger.heard, Some(Time::from_seconds(1500)));
    assert_eq!(ledger.pauses.count(), 2);
}

#[test]
fn delays_are_from_the_providers_own_time_and_of_new_events_only() {
    let mut bench = Bench::default();
    bench.place(1000, "o1");
    let said =
        Statement { provider_time: Some(Time::from_seconds(1003)), ..say("p1 o1 : sold 100") };
    bench.webhook(1010, "e1", said.clone());
    bench.webhook(9000, "e1", said);
    bench.webhook(9000, "e2", say("p1 o1 : authorized 100"));
    let delays = &bench.ledger().figures.delays;
    assert_eq!((delays.count(), seconds(delays)), (1, Some(7)));
}

#[test]
fn a_provider_is_silent_only_while_somebody_waits() {
    let mut bench = Bench::default();
    for number in 0..20 {
        let order = format!("o{number}");
        bench.place(1000 + number * 60, &order);
        bench.webhook(1001 + number * 60, &order, say(&format!("p{number} o{number} : sold 100")));
    }
    let heard = 1001 + 19 * 60;
    assert_eq!(bench.silence(1_000_000), None, "all are decided");
    bench.place(heard + 10, "waiting");
    bench.place(heard + 20, "polled");
    bench.poll(heard + 30, "q", "px polled : sold 100");
    let allowed = 610;
    assert_eq!(bench.silence(heard + 10 + allowed), None);
    let silence = bench.silence(heard + 11 + allowed).expect("it is silent");
    assert_eq!((silence.since, silence.allowed), (Time::from_seconds(heard + 10), allowed));
    bench.webhook(heard + 700, "late", say("pw waiting : pending"));
    assert_eq!(bench.silence(heard + 701), None, "it is heard again");
    // With so few pauses known, the longest is usual.
    assert_eq!(bench.silence(heard + 700 + 7010), None);
    assert!(bench.silence(heard + 700 + 7011).is_some(), "and silent again");
    bench.webhook(heard + 9000, "end", say("pw waiting : sold 100"));
    bench.poll(heard + 9001, "r", "py o-other : sold 100");
    assert_eq!(bench.silence(heard + 100_000), None);
}

#[test]
fn a_silence_opens_and_is_over() {
    let mut bench = Bench::default();
    bench.place(1000, "o1");
    let hub = Hub::new(MemoryJournal::new().reader(), RECENT_MAX);
    let ledger = Ledger::new(Arc::new(hub));
    *ledger.state() = bench.state;
    let mut config = AccountConfig::new(account().as_str(), "optty", "m");
    config.secrets.push("s".to_owned().into());
    let config = Config { accounts: vec![config], ..Config::default() };
    let accounts = config.accounts().expect("sound");
    let silent_at = |second: i64| {
        ledger.judge(&accounts, Time::from_seconds(second));
        ledger.of(&account()).silence
    };
    assert_eq!(silent_at(1000 + silence::UNKNOWN), None);
    let since = Time::from_seconds(1000);
    let silence = Silence { since, allowed: silence::UNKNOWN, waiting: 1 };
    assert_eq!(silent_at(1001 + silence::UNKNOWN), Some(silence));
    assert_eq!(silent_at(9_000_000), Some(silence), "it stays open");
    ledger.state().of(&account()).hear(Time::from_seconds(9_000_000));
    assert_eq!(silent_at(9_000_001), None, "it is heard again");
}
