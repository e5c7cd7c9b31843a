//! Generated lives of orders: what merchants record and what providers say of it.

use proptest::prelude::*;

use crate::domain::{
    command::Command,
    statement::{Basis, OperationKind},
    testing::{accept_from, create_attempt, create_operation, create_order, say},
    time::Time,
};

/// Something that happens once, and may be delivered more often.
#[derive(Clone)]
pub(crate) struct Event {
    text: String,
    pub(crate) command: Command,
    /// Intents keep their own time whenever they arrive.
    pub(crate) time: Time,
    /// Index of the intent that has to come before: a caller cannot refer to what it has not
    /// recorded.
    pub(crate) after: Option<usize>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Two orders; each with up to three attempts, some recorded, some only seen; statements with
/// ids, references or both.
pub(crate) fn events() -> impl Strategy<Value = Vec<Event>> {
    let payment = prop_oneof![
        Just("pending"),
        Just("authorized 100"),
        Just("authorized 99"),
        Just("sold 100"),
        Just("sale-corrected"),
        Just("try declined"),
        Just("try expired"),
        Just("final canceled"),
        Just("authorization expired"),
        Just("authorization canceled"),
    ]
    .prop_map(str::to_owned);
    let kind = prop_oneof![Just("capture"), Just("refund"), Just("void"), Just("void!")];
    let claim = prop_oneof![
        Just("ok 40"),
        Just("ok 100"),
        Just("ok"),
        Just("pending"),
        Just("declined"),
        Just("corrected")
    ];
    let operation =
        (kind, 1..3_u8, claim).prop_map(|(kind, id, claim)| format!("{kind} x{id} {claim}"));
    let words = prop_oneof![2 => payment, 3 => operation];
    let names = (1..3_u8, 1..4_u8, 0..3_u8, any::<bool>());
    let statement = (names, words).prop_map(|((order, payment, how, second_reference), words)| {
        let reference = format!("o{order}{}", if second_reference { "-b" } else { "" });
        match how {
            0 => format!("o{order}p{payment} : {words}"),
            1 => format!("o{order}p{payment} {reference} : {words}"),
            _ => format!("- {reference} : {words}"),
        }
    });
    let basis = prop_oneof![2 => Just(Basis::Webhook), 1 => Just(Basis::Poll)];
    let statement = (statement, prop::option::of(0..5_i64), basis);
    let statements = prop::collection::vec(statement, 1..9);
    (statements, prop::collection::vec(any::<bool>(), 8)).prop_map(|(statements, with)| {
        let mut events = intents(&with);
        for (index, (text, seconds, basis)) in statements.into_iter().enumerate() {
            let mut statement = say(&text);
            statement.provider_time = seconds.map(Time::from_seconds);
            let command = accept_from(basis, &format!("event {index}"), vec![statement]);
            let text = format!("{text} @{seconds:?} {basis:?}");
            events.push(Event { text, command, time: Time::from_seconds(1000), after: None });
        }
        events
    })
}

fn intents(with: &[bool]) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for (n, order) in ["o1", "o2"].into_iter().enumerate() {
        let [order_too, first, second, operation] = with[n * 4..n * 4 + 4] else { panic!() };
        if !(order_too || n == 0) {
            continue;
        }
        let parent = events.len();
        let mut push = |command, after| {
            let time = Time::from_seconds(events.len() as i64);
            let text = format!("intent {} of {order} after {after:?}", events.len());
            events.push(Event { text, command, time, after });
            events.len() - 1
        };
        push(create_order(order, "100"), None);
        if second {
            push(create_attempt(order, "a2", &format!("{order}-b"), None), Some(parent));
        }
        if first {
            let attempt = push(create_attempt(order, "a1", order, None), Some(parent));
            if operation {
                let refund = (OperationKind::Refund, "x1");
                push(create_operation(order, "a1", refund, Some("40")), Some(attempt));
            }
        }
    }
    events
}
