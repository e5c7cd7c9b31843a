//! How Optty is asked, and what its answers say, in the words and names of its webhooks.
//!
//! Sources: \[D\] docs.optty.com, "Get Orders", "Transaction Details", "Capture Order"; \[S\] Optty's
//! own WooCommerce plugin 1.0.0.
//!
//! - Token \[S\]: `POST /token` at the authentication host, a form with the client's id and
//!   secret; the answer has `access_token` and `expires_in`.
//! - `GET /orders/{reference}` \[D\], answered with 201: the order's status. `updatedAt` is not
//!   taken over: nothing says that it stands still.
//! - `POST /orders/{reference}/details?merchantId=` \[D\]: refunds and captures. It needs the
//!   merchant's id at Optty; without one (`provider_merchant`) only the first is asked.
//! - `captureId` is the reference that the capture was asked for with \[D\]. `refundId` is called
//!   "generated" in one place \[D\] and is a merchant's reference in the example there, so by default
//!   it only tells of refunds whose reference is known (option `refund_id`).

use std::borrow::Cow;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use super::reading::{operation_claim, payment_claim, said_of};
use crate::{
    domain::{
        ids::{ProviderId, REFERENCE_KIND, Reference},
        statement::{OperationKind, PaymentClaim, Said, StatedAmount, Statement, clip_reason},
        time::Time,
    },
    providers::{
        AccountSettings, Answer, Call, Environment, Host, OptionSpec, Response, Secret, StatusApi,
        Subject, Token, Unreadable, amount,
        json::{self, Object, unreadable},
    },
};

const ORDER: &str = "GET /orders/{reference}";
const DETAILS: &str = "POST /orders/{reference}/details";
/// The same, of an order that was captured: it says whether by captures of their own.
const CAPTURED: &str = "POST /orders/{reference}/details, captured";
/// Refunds, and captures, that are read of one order.
const OPERATIONS_MAX: usize = 64;

/// What `refundId` is taken for.
pub(super) const REFUND_ID: OptionSpec = OptionSpec {
    name: "refund_id",
    values: &["known", "reference"],
    default: Some("known"),
    help: "whether refundId in status answers is always the refund's reference, or only where \
           that reference is known already",
};

/// Optty's status API.
pub(super) struct Status;

impl StatusApi for Status {
    fn api_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        Cow::Borrowed(match settings.environment {
            Environment::Live => "https://api.optty.com",
            Environment::Sandbox => "https://api.qa.optty.com",
        })
    }

    fn auth_url(&self, settings: &AccountSettings) -> Cow<'static, str> {
        Cow::Borrowed(match settings.environment {
            Environment::Live => "https://auth.optty.com",
            Environment::Sandbox => "https://auth.qa.optty.com",
        })
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["client_id", "client_secret"]
    }

    fn token_call(&self, settings: &AccountSettings) -> Option<Call> {
        let credential = |name| settings.credential(name).unwrap_or_default();
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", credential("client_id"))
            .append_pair("client_secret", credential("client_secret"))
            .append_pair("grant_type", "client_credentials")
            .append_pair("response_type", "token")
            .append_pair("scope", "api-user")
            .finish();
        Some(Call {
            step: "POST /token",
            host: Host::Auth,
            path: "/token".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: Some(form.into_bytes()),
            ..Call::default()
        })
    }

    fn read_token(&self, response: &Response<'_>) -> Result<Token, Unreadable> {
        let body = body(response)?;
        let seconds = body.value("expires_in")?;
        let seconds = seconds.and_then(|value| value.get().trim_matches('"').parse().ok());
        Ok(Token { text: Secret::new(body.required_text("access_token")?), seconds })
    }

    fn authorize(&self, call: &mut Call, token: Option<&Token>, _: &AccountSettings, _: Time) {
        let bearer = token.map(|token| format!("Bearer {}", token.text.expose()));
        call.headers.extend(bearer.map(|bearer| ("authorization", bearer)));
    }

    fn ask(&self, subject: &Subject<'_>, _: &AccountSettings) -> Vec<Call> {
        let reference = subject.reference.map(Reference::as_str);
        let reference = reference.or_else(|| subject.id(REFERENCE_KIND));
        let call = |reference: &str| Call {
            step: ORDER,
            about: reference.to_owned(),
            path: format!("/orders/{}", encoded(reference)),
            ..Call::default()
        };
        reference.map(call).into_iter().collect()
    }

    fn read(
        &self,
        call: &Call,
        response: &Response<'_>,
        subject: &Subject<'_>,
        settings: &AccountSettings,
    ) -> Result<Answer, Unreadable> {
        if response.status == 404 {
            return Ok(Answer::default());
        }
        let body = body(response)?;
        let reference = body.reference("merchantReference")?;
        let reference = reference.ok_or_else(|| unreadable("merchantReference", "is missing"))?;
        if reference.as_str() != call.about {
            return Err(unreadable("merchantReference", "is not the one that was asked about"));
        }
        match call.step {
            ORDER => order(call, &body, &reference, (subject, settings)),
            _ => details(call, &body, &reference, (subject, settings)),
        }
    }
}

fn encoded(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

/// The body of an answer that says something.
fn body<'a>(response: &Response<'a>) -> Result<Object<'a>, Unreadable> {
    if !(200..300).contains(&response.status) {
        return Err(unreadable("the status", format!("is {}", response.status)));
    }
    json::check_depth(response.body)?;
    Object::of_body(response.body)
}

/// The order's own status.
fn order(
    call: &Call,
    body: &Object<'_>,
    reference: &Reference,
    (subject, settings): (&Subject<'_>, &AccountSettings),
) -> Result<Answer, Unreadable> {
    let capture_status = body.text("captureStatus")?;
    let status = body.required_text("status")?;
    let cancelled_by = body.text_spelled(&["cancelledBy", "canceledBy"])?;
    let claim = payment_claim(&status, capture_status.as_deref(), cancelled_by.as_deref());
    let is_captured = capture_status.is_some_and(|status| status.eq_ignore_ascii_case("CAPTURED"));
    let sold_as_captured = is_captured && claim == Some(PaymentClaim::Sold);
    let details = settings.provider_merchant.as_ref().map(|merchant| Call {
        step: if sold_as_captured { CAPTURED } else { DETAILS },
        about: call.about.clone(),
        path: format!("{}/details?merchantId={}", call.path, encoded(merchant)),
        headers: vec![("content-type", "application/json".to_owned())],
        body: Some(b"{}".to_vec()),
        ..Call::default()
    });
    let has_captures = subject.operations.iter().any(|o| o.kind == OperationKind::Capture);
    let claim = match claim {
        // The captures say how much.
        Some(_) if sold_as_captured && has_captures => Some(PaymentClaim::Authorized),
        Some(_) if sold_as_captured && details.is_some() => None,
        claim => claim,
    };
    let statement = claim.map(|claim| payment(body, reference, claim)).transpose()?;
    let is_paid =
        sold_as_captured || matches!(claim, Some(PaymentClaim::Authorized | PaymentClaim::Sold));
    let more = details.filter(|_| is_paid || !subject.operations.is_empty());
    let mut answer = Answer::of(call, statement.into_iter().collect());
    answer.then.extend(more);
    Ok(answer)
}

/// Its refunds and captures.
fn details(
    call: &Call,
    body: &Object<'_>,
    reference: &Reference,
    (subject, settings): (&Subject<'_>, &AccountSettings),
) -> Result<Answer, Unreadable> {
    let captures = objects(body, "orderCaptures")?;
    let mut statements = Vec::new();
    if call.step == CAPTURED {
        let claim = if captures.is_empty() { PaymentClaim::Sold } else { PaymentClaim::Authorized };
        statements.push(payment(body, reference, claim)?);
    }
    let currency = body.value("currency")?;
    for capture in &captures {
        let capture = Object::of_body(capture.get().as_bytes())?;
        let amount = in_currency(&capture, currency)?;
        statements.extend(operation(
            OperationKind::Capture,
            (&capture, "captureId"),
            reference,
            amount,
        )?);
    }
    let is_known = |statement: &Statement| {
        let Said::Operation(said) = &statement.said else { return false };
        settings.option(REFUND_ID.name) == Some("reference")
            || subject.operations.iter().any(|known| {
                known.kind == OperationKind::Refund && known.reference == said.reference.as_ref()
            })
    };
    for refund in objects(body, "refunds")? {
        let refund = Object::of_body(refund.get().as_bytes())?;
        let amount = amount::stated(&refund, "amount")?;
        let said = operation(OperationKind::Refund, (&refund, "refundId"), reference, amount)?;
        statements.extend(said.filter(is_known));
    }
    Ok(Answer::each(call, statements))
}

fn objects<'a>(body: &Object<'a>, name: &str) -> Result<Vec<&'a RawValue>, Unreadable> {
    let Some(value) = body.value(name)? else { return Ok(Vec::new()) };
    let all: Vec<&'a RawValue> = serde_json::from_str(value.get())
        .map_err(|_| unreadable(&body.place_of(name), "must be a JSON array"))?;
    if all.len() > OPERATIONS_MAX {
        let problem = format!("must hold at most {OPERATIONS_MAX}");
        return Err(unreadable(&body.place_of(name), problem));
    }
    Ok(all)
}

/// The amount of a capture: it names no currency, so it is in the order's.
fn in_currency(
    capture: &Object<'_>,
    currency: Option<&RawValue>,
) -> Result<Option<StatedAmount>, Unreadable> {
    let (Some(amount), Some(currency)) = (capture.value("amount")?, currency) else {
        return Ok(None);
    };
    let with_currency = format!(r#"{{"amount":{},"currency":{}}}"#, amount.get(), currency.get());
    amount::stated(&Object::of_body(with_currency.as_bytes())?, "amount")
}

fn payment(
    body: &Object<'_>,
    reference: &Reference,
    claim: PaymentClaim,
) -> Result<Statement, Unreadable> {
    let reason = body.text_spelled(&["rejectReason", "failureReason"]).unwrap_or_default();
    let by = body.text_spelled(&["cancelledBy", "canceledBy"]).unwrap_or_default();
    let by = by.map(|by| format!("cancelled by {by}"));
    let reason = reason.as_deref().or(by.as_deref()).and_then(clip_reason);
    let amount = amount::stated(body, "amount")?;
    Ok(statement(reference, Said::Payment(claim), (amount, reason)))
}

/// What an entry says of an operation; nothing if its word is not known.
fn operation(
    kind: OperationKind,
    (entry, id): (&Object<'_>, &str),
    reference: &Reference,
    amount: Option<StatedAmount>,
) -> Result<Option<Statement>, Unreadable> {
    let own = entry.reference(id)?.ok_or_else(|| unreadable(id, "is missing"))?;
    let Some(claim) = operation_claim(kind, &entry.required_text("status")?) else {
        return Ok(None);
    };
    let reason = entry.text("refundFailureReason").unwrap_or_default();
    let reason = reason.as_deref().and_then(clip_reason);
    Ok(Some(statement(reference, said_of(kind, &own, claim), (amount, reason))))
}

fn statement(
    reference: &Reference,
    said: Said,
    (amount, reason): (Option<StatedAmount>, Option<String>),
) -> Statement {
    Statement {
        ids: vec![ProviderId::from_reference(reference)],
        reference: Some(reference.clone()),
        attempt: None,
        said,
        amount,
        provider_time: None,
        reason,
    }
}
