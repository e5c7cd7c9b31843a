//! How Gr4vy is asked: `GET /transactions/{id}` and, where it matters, the transaction's captures
//! and refunds; a search by reference where no id is known yet.
//!
//! The search is what Gr4vy's page on time-outs advises: `external_identifier`, `amount_eq` and
//! `created_at_gte`. It finds every attempt of an order; each is then asked about by its id, because
//! a summary lacks what tells an expiry from a failure, and which of them is ours is not
//! decided here.

use std::borrow::Cow;

use form_urlencoded::Serializer;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use super::{
    CAPTURES, GR4VY_ID,
    resource::{self, Transaction},
    token,
};
use crate::{
    domain::{
        digest::Digest,
        money::Money,
        statement::{OperationKind, Statement},
        time::Time,
    },
    providers::{
        AccountSettings, Answer, Call, Content, Environment, InvalidOption, Reading, Response,
        StatusApi, Subject, Token, Unreadable, amount,
        json::{Object, unreadable},
    },
};

/// The private key's name among the credentials.
pub(super) const PRIVATE_KEY: &str = "private_key";

pub(super) const SEARCH: &str = "GET /transactions";
pub(super) const TRANSACTION: &str = "GET /transactions/{id}";
pub(super) const CAPTURES_OF: &str = "GET /transactions/{id}/captures";
pub(super) const REFUNDS_OF: &str = "GET /transactions/{id}/refunds";

/// How long before it was recorded an attempt's transaction may have been made: much, because
/// a transaction too many does no harm, and clocks differ.
const SEARCH_BACK_SECONDS: i64 = 24 * 60 * 60;
/// Items that one page of an answer may hold; as many are asked for.
const ITEMS_MAX: usize = 100;
/// Transactions that are asked about after one search.
const FOUND_MAX: usize = 20;
/// What may stand in a path as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Gr4vy's API.
#[derive(Clone, Copy, Debug)]
pub(super) struct Api;

impl StatusApi for Api {
    /// A host that cannot exist, and says why, where the instance's id is missing.
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        let is_label = |id: &&str| {
            !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let Some(id) = settings.option(GR4VY_ID).filter(is_label) else {
            return "https://option-gr4vy-id-is-missing.invalid".into();
        };
        match settings.environment {
            Environment::Live => format!("https://api.{id}.gr4vy.app").into(),
            Environment::Sandbox => format!("https://api.sandbox.{id}.gr4vy.app").into(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[PRIVATE_KEY]
    }

    fn check_credentials(&self, settings: &AccountSettings) -> Result<(), InvalidOption> {
        if settings.credential(PRIVATE_KEY).is_none_or(token::is_usable) {
            return Ok(());
        }
        let problem = "must be a private key of the curve P-521 as PEM, or a token (JWT)";
        Err(InvalidOption { name: PRIVATE_KEY, problem })
    }

    fn authorize(&self, call: &mut Call, _: Option<&Token>, settings: &AccountSettings, now: Time) {
        let token = settings.credential(PRIVATE_KEY).and_then(|key| token::bearer(key, now));
        call.headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
        if let Some(merchant) = &settings.provider_merchant {
            call.headers.push(("x-gr4vy-merchant-account-id", merchant.clone()));
        }
    }

    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        if let Some(id) = subject.id("transaction") {
            return vec![of_transaction(TRANSACTION, id)];
        }
        search(subject).into_iter().collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        subject: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        let Some(body) = response.known()? else { return Ok(Answer::default()) };
        let body = Object::of_body(body)?;
        match call.step {
            TRANSACTION => transaction(&body, call, subject, settings),
            SEARCH => found(&body, subject),
            CAPTURES_OF => operations(&body, call, OperationKind::Capture),
            REFUNDS_OF => operations(&body, call, OperationKind::Refund),
            step => Err(unreadable("the answer", format!("is to {step}, which was not asked"))),
        }
    }
}

fn of_transaction(step: &'static str, id: &str) -> Call {
    let path = format!("/transactions/{}", utf8_percent_encode(id, PATH));
    let path = match step {
        CAPTURES_OF => format!("{path}/captures"),
        REFUNDS_OF => format!("{path}/refunds?limit={ITEMS_MAX}"),
        _ => path,
    };
    Call { step, about: id.to_owned(), path, ..Call::default() }
}

fn search(subject: &Subject<'_>) -> Option<Call> {
    let reference = subject.reference?.as_str();
    let mut query = Serializer::new(String::new());
    query.append_pair("external_identifier", reference);
    if let Some((units, currency)) = subject.amount.and_then(smallest_units) {
        query.append_pair("amount_eq", &units.to_string()).append_pair("currency", &currency);
    }
    let since = subject.created.map(|created| created.minus_seconds(SEARCH_BACK_SECONDS));
    let since = since.and_then(|since| Timestamp::from_second(since.as_seconds()).ok());
    if let Some(since) = since {
        query.append_pair("created_at_gte", &since.to_string());
    }
    query.append_pair("limit", &FOUND_MAX.to_string());
    let path = format!("/transactions?{}", query.finish());
    Some(Call { step: SEARCH, path, ..Call::default() })
}

/// An amount as Gr4vy counts it, if it can be counted so.
fn smallest_units(money: Money) -> Option<(i64, String)> {
    let digits = amount::digits(money.currency())?;
    let shown = money.to_string();
    let (decimal, currency) = shown.split_once(' ')?;
    let exact = Money::parse(decimal, money.currency(), digits).ok()?;
    (exact.exponent() == digits).then(|| (exact.minor_units(), currency.to_owned()))
}

fn transaction(
    body: &Object<'_>,
    call: &Call,
    subject: &Subject<'_>,
    settings: &AccountSettings,
) -> Result<Answer, Unreadable> {
    if body.required_text("id")? != call.about {
        return Err(unreadable("id", "is not that of the transaction that was asked for"));
    }
    let merchant = body.text("merchant_account_id")?;
    if merchant.zip(settings.provider_merchant.as_ref()).is_some_and(|(m, ours)| m != *ours) {
        return Ok(Answer::default());
    }
    let sums = resource::reads_sums(settings.option(CAPTURES));
    let statements = resource::transaction(body, "", sums)?;
    let knows = |kind| subject.operations.iter().any(|operation| operation.kind == kind);
    let read = Transaction::read(body)?;
    let mut then = Vec::new();
    if !sums && (read.is_partly_captured() || knows(OperationKind::Capture)) {
        then.push(of_transaction(CAPTURES_OF, &call.about));
    }
    if read.is_refunded() || knows(OperationKind::Refund) {
        then.push(of_transaction(REFUNDS_OF, &call.about));
    }
    Ok(Answer { readings: reading(call, &call.about, statements).into_iter().collect(), then })
}

/// Asks about each transaction that a search found, except those of another reference.
fn found(body: &Object<'_>, subject: &Subject<'_>) -> Result<Answer, Unreadable> {
    let mut then = Vec::new();
    for item in items(body)?.iter().take(FOUND_MAX) {
        let item = Object::of_body(item.get().as_bytes())?;
        if item.reference("external_identifier")?.as_ref() == subject.reference {
            then.push(of_transaction(TRANSACTION, &item.required_text("id")?));
        }
    }
    Ok(Answer { readings: Vec::new(), then })
}

fn operations(body: &Object<'_>, call: &Call, kind: OperationKind) -> Result<Answer, Unreadable> {
    let mut readings = Vec::new();
    for item in items(body)?.iter().take(ITEMS_MAX) {
        let item = Object::of_body(item.get().as_bytes())?;
        let id = item.required_text("id")?;
        let statements = resource::operation(&item, kind)?.into_iter().collect();
        readings.extend(reading(call, &id, statements));
    }
    Ok(Answer { readings, then: Vec::new() })
}

fn items<'a>(body: &Object<'a>) -> Result<Vec<&'a RawValue>, Unreadable> {
    let items = body.value("items")?.ok_or_else(|| unreadable("items", "is missing"))?;
    serde_json::from_str(items.get()).map_err(|_| unreadable("items", "must be a list"))
}

/// One resource's statements. The id is made of what was asked and of the resource, so that an
/// answer that says the same again is a repeat.
fn reading(call: &Call, id: &str, statements: Vec<Statement>) -> Option<Reading> {
    (!statements.is_empty()).then(|| Reading {
        event_id: hex::encode(Digest::new("gr4vy poll").text(call.step).text(id).finish()),
        event_name: call.step.to_owned(),
        content: Content::Statements(statements),
    })
}
