//! One look: asks a provider about some attempts, and records what it says. What it says is a
//! fact like any other; that it says nothing, or does not answer, is none.

use std::{collections::VecDeque, time::Duration};

use super::{Shared, failed::Failed, http::Reply, line::Line, tokens::Age};
use crate::{
    accounts::{Account, StatusAccess},
    clock,
    domain::{
        command::{AcceptEvidence, Command, Disposition},
        fact::Evidence,
        ids::{ProviderId, REFERENCE_KIND},
        order::Order,
        statement::Basis,
        view::AttemptView,
    },
    engine::Ask,
    providers::{
        Call, Content, Host, OperationSubject, Reading, Response, STATEMENTS_MAX, StatusApi,
        Subject, Token,
    },
    record::Source,
};

/// Requests about one attempt in one look, tokens apart.
const CALLS_MAX: usize = 8;
/// Attempts of one order that one look asks about, the newest first.
const ATTEMPTS_MAX: usize = 8;
/// Readings of one answer that are recorded.
const READINGS_MAX: usize = 64;

/// What a look is about.
#[derive(Clone, Copy)]
pub(super) enum About<'a> {
    /// The undecided attempts of an order.
    Undecided(&'a Order),
    /// The attempts of an order that have one of these names.
    Named(&'a Order, &'a [ProviderId]),
    /// A payment of which nothing but an id is known.
    Id(&'a ProviderId),
}

/// What a look came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The provider knows something of what it was asked about.
    pub is_known: bool,
    /// What became of what it said, the most telling first.
    pub disposition: Option<Disposition>,
}

/// Somebody who asks.
pub(super) struct Look<'a> {
    pub(super) shared: &'a Shared,
    pub(super) line: &'a Line,
    pub(super) account: &'a Account,
    pub(super) access: &'a StatusAccess,
    pub(super) api: &'static dyn StatusApi,
    /// How long to wait for a place; without an end if there is none.
    pub(super) patience: Option<Duration>,
}

impl Look<'_> {
    /// Asks about all that is meant, one after the other.
    pub(super) async fn ask(&self, about: About<'_>) -> Result<Looked, Failed> {
        let mut looked = Looked::default();
        let order = match about {
            About::Id(id) => {
                let ids = std::slice::from_ref(id);
                let (reference, amount, created) = (None, None, None);
                let subject = Subject { ids, reference, amount, created, operations: &[] };
                let has_asked = self.ask_about(&subject, &mut looked).await?;
                return if has_asked { Ok(looked) } else { Err(Failed::NotAsked) };
            }
            About::Undecided(order) | About::Named(order, _) => order,
        };
        let mut attempts = match about {
            About::Named(_, names) => named(order, names),
            _ => order.undecided().collect::<Vec<_>>(),
        };
        attempts.retain(|attempt| attempt.account == self.account.id);
        let mut has_asked = false;
        for attempt in attempts.into_iter().rev().take(ATTEMPTS_MAX) {
            let operations = operations(order, attempt);
            let subject = Subject {
                ids: &attempt.ids,
                reference: attempt.reference.as_ref(),
                amount: attempt.expected,
                created: attempt.created,
                operations: &operations,
            };
            has_asked |= self.ask_about(&subject, &mut looked).await?;
        }
        if has_asked { Ok(looked) } else { Err(Failed::NotAsked) }
    }

    /// Asks all that has to be asked about one attempt; false if there is nothing to ask with.
    async fn ask_about(&self, subject: &Subject<'_>, looked: &mut Looked) -> Result<bool, Failed> {
        let settings = &self.account.settings;
        let mut calls = VecDeque::from(self.api.ask(subject, settings));
        let mut count = 0;
        while let Some(call) = calls.pop_front() {
            if count == CALLS_MAX {
                tracing::warn!(account = %self.account.id, step = call.step, "too much to ask");
                break;
            }
            count += 1;
            let reply = self.send(&call).await?;
            let response = Response { status: reply.status, body: &reply.body };
            let answer = self.api.read(&call, &response, subject, settings);
            let answer = answer.map_err(|unreadable| Failed::Unreadable(unreadable.what))?;
            for reading in answer.readings.into_iter().take(READINGS_MAX) {
                self.record(reading, looked).await?;
            }
            calls.extend(answer.then);
        }
        Ok(count > 0)
    }

    async fn record(&self, reading: Reading, looked: &mut Looked) -> Result<(), Failed> {
        let Content::Statements(statements) = reading.content else { return Ok(()) };
        let count = statements.len();
        let id = self.account.id.clone();
        let evidence = Evidence::first(id, Basis::Poll, &reading.event_id, statements);
        if count > STATEMENTS_MAX || evidence.claims().is_empty() {
            tracing::error!(account = %self.account.id, step = reading.event_name, count,
                "an adapter says too much, or of no payment");
            return Ok(());
        }
        let command = Command::AcceptEvidence(AcceptEvidence {
            merchant: self.account.merchant.clone(),
            evidence,
            creates_orders: self.account.creates_orders,
        });
        let ask = Ask::Order { command, source: Source::Poll, actor: None };
        let answer = self.shared.engine.ask(ask).await.map_err(Failed::NotRecorded)?;
        // What a poll learned first, and how late the webhook is, would be counted here.
        looked.is_known = true;
        let both = [answer.disposition, looked.disposition];
        looked.disposition = both.into_iter().flatten().min();
        Ok(())
    }

    /// Sends a call, once more with a new token if the one that was kept is refused.
    async fn send(&self, call: &Call) -> Result<Reply, Failed> {
        let mut token = self.token().await?;
        let mut reply = self.exchange(call, token.as_ref().map(|(token, _)| token)).await?;
        if let (401, Some((refused, Age::Kept))) = (reply.status, &token) {
            self.line.tokens.refused(refused).await;
            token = self.token().await?;
            reply = self.exchange(call, token.as_ref().map(|(token, _)| token)).await?;
        }
        if let (401, Some((refused, _))) = (reply.status, &token) {
            self.line.tokens.refused(refused).await;
        }
        self.says_something(reply)
    }

    async fn token(&self) -> Result<Option<(Token, Age)>, Failed> {
        let settings = &self.account.settings;
        let Some(call) = self.api.token_call(settings) else { return Ok(None) };
        let fetch = async {
            let reply = self.says_something(self.transfer(&call).await?)?;
            let response = Response { status: reply.status, body: &reply.body };
            let token = self.api.read_token(&response);
            token.map_err(|unreadable| Failed::Unreadable(unreadable.what))
        };
        self.line.tokens.get(&settings.credentials, fetch).await.map(Some)
    }

    async fn exchange(&self, call: &Call, token: Option<&Token>) -> Result<Reply, Failed> {
        let mut call = call.clone();
        self.api.authorize(&mut call, token, &self.account.settings, clock::now());
        self.transfer(&call).await
    }

    async fn transfer(&self, call: &Call) -> Result<Reply, Failed> {
        self.line.place(self.access.rate, self.patience).await?;
        let base = self.base(call.host);
        let sent = self.shared.http.call(&base, call, self.access.timeout, clock::now()).await;
        let (account, step) = (&self.account.id, call.step);
        match &sent {
            Ok(reply) => tracing::debug!(%account, step, status = reply.status, "asked"),
            Err(why) => tracing::debug!(%account, step, %why, "asked in vain"),
        }
        sent
    }

    /// The provider's own place, unless the account names another.
    fn base(&self, host: Host) -> String {
        let settings = &self.account.settings;
        let own = self.api.api_url(settings);
        let api = || self.access.api_url.clone().unwrap_or_else(|| own.clone().into_owned());
        match host {
            Host::Api => api(),
            Host::Auth => self.access.auth_url.clone().unwrap_or_else(|| {
                let auth = self.api.auth_url(settings);
                if auth == own { api() } else { auth.into_owned() }
            }),
        }
    }

    /// Sorts out what says nothing of a payment.
    fn says_something(&self, reply: Reply) -> Result<Reply, Failed> {
        match (reply.status, reply.retry_after) {
            (401 | 403, _) => Err(Failed::Denied(reply.status)),
            (429 | 503, Some(wait)) => Err(Failed::Busy { wait }),
            (429, None) => Err(Failed::Busy { wait: self.access.breaker.pause }),
            (200..=299 | 400..=499, _) => Ok(reply),
            _ => Err(Failed::Status(reply.status)),
        }
    }
}

/// The attempts that have one of these names.
fn named<'a>(order: &'a Order, names: &[ProviderId]) -> Vec<&'a AttemptView> {
    let has = |attempt: &AttemptView, name: &ProviderId| {
        let of_reference = name.kind.as_str() == REFERENCE_KIND;
        let reference = attempt.reference.as_ref().map(|r| r.as_str());
        attempt.ids.contains(name) || (of_reference && reference == Some(name.value.as_str()))
    };
    let is_named = |attempt: &&AttemptView| names.iter().any(|name| has(attempt, name));
    order.view.attempts.iter().filter(is_named).collect()
}

fn operations<'a>(order: &'a Order, attempt: &AttemptView) -> Vec<OperationSubject<'a>> {
    let of_attempt = order.view.operations.iter().filter(|operation| {
        operation.attempt.as_ref() == Some(&attempt.key) && operation.account == attempt.account
    });
    let subject = of_attempt.map(|operation| OperationSubject {
        kind: operation.kind,
        ids: &operation.ids,
        reference: operation.reference.as_ref(),
    });
    subject.collect()
}
