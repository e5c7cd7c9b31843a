//! PayPal, as developer.paypal.com describes it: orders with one purchase unit, signed with a
//! certificate that the simulator itself serves, under a path as PayPal has it.
//!
//! The key and the certificate are test material, made once and known to everybody who can read
//! this: `paypal/key.pem` signs, `paypal/certificate.pem` is what PayPal's certificate looks like
//! (`messageverificationcerts.paypal.com`), `paypal/root.pem` issued it. An account that listens
//! to the simulator trusts that root (`trust_roots_pem`) and fetches from the simulator's host
//! (`certificate_host`); no other account should.
//!
//! What PayPal has no event for is not said: a buyer who goes away, a sale that fails after it
//! succeeded (a reversal or a dispute, there), cancelled captures, voids that do not work.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::{
    life::{Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    standing::Standing,
    voice::{Question, Reply, Speaker, Voice, Webhook},
};

const KEY: &str = include_str!("paypal/key.pem");
const CERTIFICATE: &str = include_str!("paypal/certificate.pem");
/// Where it is.
const CERTIFICATE_PATH: &str = "/v1/notifications/certs/CERT-5131a7ed-5131a7ed";
/// Whom an account must trust to believe what this voice says, as PEM.
pub const ROOT: &str = include_str!("paypal/root.pem");
/// The only token that is given.
const TOKEN: &str = "A21AAsimulated";

/// The provider.
#[derive(Clone, Copy, Debug)]
pub struct Paypal;

impl Voice for Paypal {
    fn name(&self) -> &'static str {
        "paypal"
    }

    /// An authorisation that was voided and one that expired are one event, a refusal and an error
    /// another.
    fn standings(&self, payment: &Payment) -> Vec<Standing> {
        match (payment.state, payment.standing()) {
            (PaymentState::AuthorizationExpired, Standing::Expired) => vec![Standing::Canceled],
            (PaymentState::Error, Standing::Error) => vec![Standing::Error, Standing::Declined],
            (_, standing) => vec![standing],
        }
    }

    /// The certificate is the simulator's, and so is whom it leads to.
    fn account_options(&self, _: &str, url: &str) -> Vec<(&'static str, String)> {
        let authority = url.split("//").last().unwrap_or_default();
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        vec![("certificate_host", host.to_owned()), ("trust_roots_pem", ROOT.to_owned())]
    }

    /// The id of the webhook, which both sides know and nobody sends.
    fn secrets(&self, seed: u64) -> (String, String) {
        let webhook = format!("8WH{seed:016X}");
        (webhook.clone(), webhook)
    }

    fn webhook(&self, event: &Event, speaker: &Speaker) -> Option<Webhook> {
        let (name, kind, resource) = said(event)?;
        let body = json!({
            "id": format!("WH-{}", event.id),
            "event_version": "1.0",
            "create_time": time(event.seconds),
            "resource_type": kind,
            "resource_version": "2.0",
            "event_type": name,
            "summary": "Something happened",
            "resource": resource,
        });
        let body = body.to_string().into_bytes();
        let (id, sent) = (format!("tx-{}", event.id), time(speaker.now_seconds));
        let sum = crc32fast::hash(&body);
        let signature = sign(format!("{id}|{sent}|{}|{sum}", speaker.secret).as_bytes())?;
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("paypal-auth-algo", "SHA256withRSA".to_owned()),
            ("paypal-cert-url", format!("{}{CERTIFICATE_PATH}", speaker.url)),
            ("paypal-transmission-id", id),
            ("paypal-transmission-sig", signature),
            ("paypal-transmission-time", sent),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Some(Webhook { headers, body })
    }

    fn answer(&self, question: &Question, ledger: &[Payment], speaker: &Speaker) -> Option<Reply> {
        let path = question.path.as_str();
        if path == CERTIFICATE_PATH {
            let body = CERTIFICATE.as_bytes().to_vec();
            return Some(Reply { status: 200, body, content_type: "application/x-pem-file" });
        }
        if path == "/v1/oauth2/token" {
            return Some(token(question, speaker));
        }
        let path = path.strip_prefix("/v2/")?;
        if question.header("authorization") != Some(format!("Bearer {TOKEN}").as_str()) {
            let error = json!({ "error": "invalid_token", "error_description": "Token signature verification failed" });
            return Some(Reply::json(401, &error));
        }
        let (kind, id) = path.rsplit_once('/')?;
        let of = |prefix: &str| ledger.iter().find(|p| format!("{prefix}{}", p.id) == id);
        let found = match kind {
            "checkout/orders" => of("O").map(order),
            "payments/authorizations" => {
                of("A").filter(|p| is_authorized(p)).map(|payment| authorization(payment, true))
            }
            "payments/captures" => of_capture(ledger, id),
            _ => return None,
        };
        let missing = json!({
            "name": "RESOURCE_NOT_FOUND", "message": "The specified resource does not exist.",
        });
        Some(found.map_or_else(|| Reply::json(404, &missing), |found| Reply::json(200, &found)))
    }
}

fn token(question: &Question, speaker: &Speaker) -> Reply {
    let credential = |name: &str| speaker.credentials.get(name).map_or("", String::as_str);
    let basic = format!("{}:{}", credential("client_id"), credential("client_secret"));
    let basic = format!("Basic {}", BASE64.encode(basic));
    let is_right = question.method == "POST"
        && question.header("authorization") == Some(basic.as_str())
        && question.body == b"grant_type=client_credentials";
    if !is_right {
        let error = json!({ "error": "invalid_client", "error_description": "Client Authentication failed" });
        return Reply::json(401, &error);
    }
    let token = json!({
        "scope": "https://uri.paypal.com/services/payments/payment", "access_token": TOKEN,
        "token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": 31668,
    });
    Reply::json(200, &token)
}

fn sign(text: &[u8]) -> Option<String> {
    let lines: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64.decode(lines).ok()?).ok()?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).ok()?;
    Some(BASE64.encode(signature))
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// The event's name, what its resource is, and the resource.
fn said(event: &Event) -> Option<(&'static str, &'static str, Value)> {
    let payment = &event.payment;
    if let Some(operation) = event.operation() {
        return said_of(payment, operation);
    }
    let sale = |name| Some((name, "capture", sale(payment)?));
    match payment.state {
        PaymentState::Pending => {
            Some(("CHECKOUT.ORDER.APPROVED", "checkout-order", order(payment)))
        }
        PaymentState::Authorized => {
            let resource = authorization(payment, true);
            Some(("PAYMENT.AUTHORIZATION.CREATED", "authorization", resource))
        }
        PaymentState::AuthorizationExpired => {
            Some(("PAYMENT.AUTHORIZATION.VOIDED", "authorization", authorization(payment, true)))
        }
        PaymentState::Paid => sale("PAYMENT.CAPTURE.COMPLETED"),
        PaymentState::Declined | PaymentState::Error => sale("PAYMENT.CAPTURE.DECLINED"),
        PaymentState::Expired => {
            let resource = json!({
                "order_id": format!("O{}", payment.id),
                "purchase_units": [unit(payment)],
            });
            Some(("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "payment-approval", resource))
        }
        PaymentState::Corrected | PaymentState::Canceled => None,
    }
}

fn said_of(
    payment: &Payment,
    operation: &Operation,
) -> Option<(&'static str, &'static str, Value)> {
    let (name, kind) = match (operation.kind, operation.state) {
        (OperationKind::Capture, OperationState::Pending) => ("PAYMENT.CAPTURE.PENDING", "capture"),
        (OperationKind::Capture, OperationState::Succeeded) => {
            ("PAYMENT.CAPTURE.COMPLETED", "capture")
        }
        (OperationKind::Capture, OperationState::Declined | OperationState::Error) => {
            ("PAYMENT.CAPTURE.DENIED", "capture")
        }
        (OperationKind::Refund, OperationState::Pending) => ("PAYMENT.REFUND.PENDING", "refund"),
        (OperationKind::Refund, OperationState::Succeeded) => {
            ("PAYMENT.CAPTURE.REFUNDED", "refund")
        }
        (OperationKind::Refund, _) => ("PAYMENT.REFUND.FAILED", "refund"),
        (OperationKind::Void, OperationState::Succeeded) => {
            ("PAYMENT.AUTHORIZATION.VOIDED", "authorization")
        }
        _ => return None,
    };
    let resource = match operation.kind {
        OperationKind::Capture => capture(payment, operation, true)?,
        OperationKind::Refund => refund(payment, operation)?,
        OperationKind::Void => authorization(payment, true),
    };
    Some((name, kind, resource))
}

fn money(amount: &Amount) -> Value {
    json!({ "currency_code": amount.currency, "value": amount.major() })
}

fn link(rel: &str, path: &str) -> Value {
    json!({ "rel": rel, "method": "GET", "href": format!("https://api.sandbox.paypal.com/v2/{path}") })
}

fn unit(payment: &Payment) -> Value {
    json!({
        "reference_id": "default",
        "amount": money(&payment.amount),
        "invoice_id": payment.reference,
    })
}

/// True if the merchant authorises first, and captures later.
fn is_authorized(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Authorized | PaymentState::AuthorizationExpired)
        || payment.operations.iter().any(|o| o.kind == OperationKind::Void)
}

fn order(payment: &Payment) -> Value {
    let of_kind = |kind| payment.operations.iter().filter(move |o: &&Operation| o.kind == kind);
    let mut captures: Vec<Value> = sale(payment).into_iter().collect();
    captures.extend(of_kind(OperationKind::Capture).filter_map(|o| capture(payment, o, false)));
    let refunds: Vec<Value> =
        of_kind(OperationKind::Refund).filter_map(|o| refund(payment, o)).collect();
    let mut payments = json!({});
    if is_authorized(payment) {
        payments["authorizations"] = json!([authorization(payment, false)]);
    }
    if !captures.is_empty() {
        payments["captures"] = captures.into();
    }
    if !refunds.is_empty() {
        payments["refunds"] = refunds.into();
    }
    let status = match payment.state {
        PaymentState::Pending => "APPROVED",
        PaymentState::Expired => "CREATED",
        PaymentState::Canceled => "VOIDED",
        _ => "COMPLETED",
    };
    let mut unit = unit(payment);
    if payments.as_object().is_some_and(|payments| !payments.is_empty()) {
        unit["payments"] = payments;
    }
    json!({
        "id": format!("O{}", payment.id),
        "intent": if is_authorized(payment) { "AUTHORIZE" } else { "CAPTURE" },
        "status": status,
        "create_time": time(payment.created_seconds),
        "purchase_units": [unit],
    })
}

fn related(payment: &Payment, authorization: bool) -> Value {
    let mut ids = json!({ "order_id": format!("O{}", payment.id) });
    if authorization {
        ids["authorization_id"] = format!("A{}", payment.id).into();
    }
    json!({ "related_ids": ids })
}

/// An authorisation; within an order, it does not name the order.
fn authorization(payment: &Payment, alone: bool) -> Value {
    let total = |kind| payment.total(kind);
    let captured = total(OperationKind::Capture);
    let is_voided = total(OperationKind::Void) > 0;
    let status = if is_voided || payment.state == PaymentState::AuthorizationExpired {
        "VOIDED"
    } else if captured >= payment.amount.minor_units {
        "CAPTURED"
    } else if captured > 0 {
        "PARTIALLY_CAPTURED"
    } else {
        "CREATED"
    };
    let mut said = json!({
        "id": format!("A{}", payment.id),
        "status": status,
        "amount": money(&payment.amount),
        "invoice_id": payment.reference,
        "create_time": time(payment.created_seconds),
        "update_time": time(payment.changed_seconds),
        "links": [link("up", &format!("checkout/orders/O{}", payment.id))],
    });
    if alone {
        said["supplementary_data"] = related(payment, false);
    }
    said
}

/// The capture that a payment without an authorisation is.
fn sale(payment: &Payment) -> Option<Value> {
    let status = match payment.state {
        PaymentState::Paid | PaymentState::Corrected => "COMPLETED",
        PaymentState::Declined => "DECLINED",
        PaymentState::Error => "FAILED",
        _ => return None,
    };
    let mut said = json!({
        "id": format!("C{}", payment.id),
        "status": status,
        "amount": money(&payment.amount),
        "invoice_id": payment.reference,
        "final_capture": true,
        "create_time": time(payment.created_seconds),
        "update_time": time(payment.changed_seconds),
        "supplementary_data": related(payment, false),
        "links": [link("up", &format!("checkout/orders/O{}", payment.id))],
    });
    if status == "DECLINED" {
        said["status_details"] = json!({ "reason": "DECLINED_BY_RISK_FRAUD_FILTERS" });
    }
    Some(said)
}

/// A capture of an authorisation; within an order, only its link says of which.
fn capture(payment: &Payment, operation: &Operation, alone: bool) -> Option<Value> {
    let status = match operation.state {
        OperationState::Pending => "PENDING",
        OperationState::Succeeded => "COMPLETED",
        OperationState::Declined => "DECLINED",
        OperationState::Error => "FAILED",
        OperationState::Canceled | OperationState::Corrected => return None,
    };
    let mut said = json!({
        "id": format!("C{}", operation.id),
        "status": status,
        "amount": money(&operation.amount),
        "invoice_id": payment.reference,
        "final_capture": false,
        "create_time": time(operation.changed_seconds),
        "update_time": time(operation.changed_seconds),
        "links": [link("up", &format!("payments/authorizations/A{}", payment.id))],
    });
    if alone {
        said["supplementary_data"] = related(payment, true);
    }
    Some(said)
}

/// A refund of the first capture there is.
fn refund(payment: &Payment, operation: &Operation) -> Option<Value> {
    let status = match operation.state {
        OperationState::Pending => "PENDING",
        OperationState::Succeeded => "COMPLETED",
        OperationState::Canceled => "CANCELLED",
        OperationState::Declined | OperationState::Error => "FAILED",
        OperationState::Corrected => return None,
    };
    let first = payment.operations.iter().find(|o| o.kind == OperationKind::Capture);
    let capture = match sale(payment) {
        Some(_) => &payment.id,
        None => first.map_or(&payment.id, |capture| &capture.id),
    };
    Some(json!({
        "id": format!("R{}", operation.id),
        "status": status,
        "amount": money(&operation.amount),
        "custom_id": operation.reference,
        "create_time": time(operation.changed_seconds),
        "update_time": time(operation.changed_seconds),
        "links": [link("up", &format!("payments/captures/C{capture}"))],
    }))
}

fn of_capture(ledger: &[Payment], id: &str) -> Option<Value> {
    let id = id.strip_prefix('C')?;
    ledger.iter().find_map(|payment| {
        let operations = payment.operations.iter();
        let mut captures = operations.filter(|o| o.kind == OperationKind::Capture && o.id == id);
        match captures.next() {
            Some(operation) => capture(payment, operation, true),
            None if payment.id == id => sale(payment),
            None => None,
        }
    })
}
