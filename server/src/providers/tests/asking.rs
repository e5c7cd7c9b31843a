//! Asks a voice's status API as the poller does, without a network.

use paystatus_simulator::{Payment, voice::Question};

use super::lives::{SENT, Speaking, evidence};
use crate::{
    domain::{
        command::Command,
        ids::{ProviderId, Reference},
        money::{Currency, Money},
        statement::Basis,
        time::Time,
    },
    providers::{Call, Content, Response, StatusApi, Subject, Token},
};

/// Requests for one payment, at most.
const CALLS_MAX: usize = 20;

/// What the provider answers about a payment of which these ids are known.
pub(super) fn ask(speaking: &Speaking, ids: &[ProviderId], payment: &Payment) -> Vec<Command> {
    let Some(api) = speaking.provider.status_api() else {
        panic!("{} hints at what cannot be asked", speaking.voice.name());
    };
    let amount = &payment.amount;
    let currency = Currency::parse(&amount.currency).expect("a currency");
    let reference = Reference::parse(&payment.reference).expect("a reference");
    let subject = Subject {
        ids,
        reference: Some(&reference),
        amount: Some(Money::parse(&amount.major(), currency, 2).expect("an amount")),
        created: Some(Time::from_seconds(payment.created_seconds)),
        operations: &[],
    };
    let token = api.token_call(&speaking.settings).map(|call| {
        let (status, body) = answer(speaking, api, call, None, payment);
        api.read_token(&Response { status, body: &body }).expect("a token")
    });
    let mut commands = Vec::new();
    let mut calls = api.ask(&subject, &speaking.settings);
    let mut count = 0;
    while let Some(call) = calls.pop() {
        count += 1;
        assert!(count <= CALLS_MAX, "{} asks without end", speaking.voice.name());
        let (status, body) = answer(speaking, api, call.clone(), token.as_ref(), payment);
        let response = Response { status, body: &body };
        let answer = api.read(&call, &response, &subject, &speaking.settings);
        let answer = answer.expect("the answer is readable");
        for reading in answer.readings {
            if let Content::Statements(statements) = reading.content {
                commands.push(evidence(Basis::Poll, &reading.event_id, statements));
            }
        }
        calls.extend(answer.then);
    }
    commands
}

fn answer(
    speaking: &Speaking,
    api: &dyn StatusApi,
    mut call: Call,
    token: Option<&Token>,
    payment: &Payment,
) -> (u16, Vec<u8>) {
    api.authorize(&mut call, token, &speaking.settings, Time::from_seconds(SENT));
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let question = Question {
        method: if call.body.is_some() { "POST" } else { "GET" }.to_owned(),
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: call.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
        body: call.body.clone().unwrap_or_default(),
    };
    let ledger = std::slice::from_ref(payment);
    let reply = speaking.voice.answer(&question, ledger, &speaking.speaker);
    let reply = reply.unwrap_or_else(|| panic!("{} has no {}", speaking.voice.name(), call.step));
    assert!(reply.status < 500 && ![401, 403, 429].contains(&reply.status), "{}", call.step);
    (reply.status, reply.body)
}
