//! Makes every call with every sort of caller: allowed exactly as the table says.

use paystatus_proto::{DESCRIPTORS, codec::Encoded, v1};
use prost::{Message as _, bytes::Bytes};
use prost_types::{DescriptorProto, FileDescriptorSet};
use tonic::{
    Code, Request, Status, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel,
};
use tonic_prost::ProstCodec;

use super::table::{Caller, May, TABLE};
use crate::harness::{
    GENERIC, MERCHANT, OPTTY, OTHER_MERCHANT, System,
    api::{Api, request_id},
    http::{get, head_of},
    soon,
    stream::{Reader, from},
    webhook::generic_payment,
};

/// One caller of the walk.
pub(crate) struct Credential {
    pub(crate) name: &'static str,
    pub(crate) secret: String,
    pub(crate) caller: Caller,
    /// Whether it is for [`MERCHANT`].
    pub(crate) is_own: bool,
}

/// Makes every call with every caller of `credentials`; all that differs from the table.
pub(crate) async fn differences(channel: &Channel, credentials: &[Credential]) -> Vec<String> {
    let mut found = Vec::new();
    for row in TABLE {
        for call in row.calls.iter().filter(|call| !call.contains(' ')) {
            for credential in credentials {
                let (request, names_owner) = request(call);
                let expected = expected(row.may(credential.caller), credential, names_owner);
                let answer = attempt(channel, call, request, &credential.secret).await;
                if answer != expected {
                    let name = credential.name;
                    found.push(format!("{call} with {name}: {answer:?}, not {expected:?}"));
                }
            }
        }
    }
    found
}

/// How a call ends, as far as the table is concerned.
#[derive(Debug, PartialEq)]
enum Answer {
    Unauthenticated,
    Denied,
    /// It went on, and may have been refused for what the request lacks.
    Allowed,
}

fn expected(may: May, credential: &Credential, names_owner: bool) -> Answer {
    let is_known = credential.caller != Caller::NoKey;
    match may {
        May::No if is_known => Answer::Denied,
        May::No => Answer::Unauthenticated,
        // Where no merchant is named, it sees only its own; nothing is denied.
        May::Own if credential.is_own || !names_owner => Answer::Allowed,
        May::Own => Answer::Denied,
        May::Yes | May::Order | May::AsRole | May::Signed => Answer::Allowed,
    }
}

async fn attempt(channel: &Channel, call: &str, request: Bytes, secret: &str) -> Answer {
    let call = call.split('+').next().expect("there is a first");
    let package = if call.contains('.') { "" } else { "paystatus.v1." };
    let path: PathAndQuery = format!("/{package}{call}").parse().expect("a path");
    let mut request = Request::new(Encoded::new(request));
    if !secret.is_empty() {
        let value = format!("Bearer {secret}").parse().expect("plain text");
        request.metadata_mut().insert("authorization", value);
    }
    let mut client = Grpc::new(channel.clone());
    client.ready().await.expect("the server answers");
    let codec = ProstCodec::<Encoded, Encoded>::default();
    let answer = soon("an answer", client.server_streaming(request, path, codec)).await;
    answer.map_or_else(|status| of_status(&status), |_| Answer::Allowed)
}

fn of_status(status: &Status) -> Answer {
    use tonic_types::StatusExt as _;
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    match status.code() {
        Code::PermissionDenied => Answer::Denied,
        Code::Unauthenticated if reason.starts_with("API_KEY") => Answer::Unauthenticated,
        Code::Unavailable | Code::Internal | Code::Unknown => panic!("{status}"),
        _ => Answer::Allowed,
    }
}

/// A request that names [`MERCHANT`] or one of its accounts wherever it can, and whether it does.
fn request(call: &str) -> (Bytes, bool) {
    let (method, variant) = call.split_once('+').unwrap_or((call, ""));
    let files = FileDescriptorSet::decode(DESCRIPTORS).expect("valid descriptors").file;
    let services = files.iter().flat_map(|file| &file.service);
    let mut methods = services.flat_map(|service| {
        service.method.iter().map(move |m| (format!("{}/{}", service.name(), m.name()), m))
    });
    let Some((_, found)) = methods.find(|(name, _)| name == method) else {
        return (Bytes::new(), false);
    };
    let input = found.input_type().rsplit('.').next().expect("a last");
    let mut messages = files.iter().flat_map(|file| &file.message_type);
    let message = messages.find(|message| message.name() == input).expect("it is there");
    filled(message, method, variant)
}

fn filled(message: &DescriptorProto, method: &str, variant: &str) -> (Bytes, bool) {
    use prost::encoding::{bool, int32, message, string};
    let (mut bytes, mut names_owner) = (Vec::new(), false);
    let is_operator = method.contains("CreateOperator") || method.contains("UpdateOperator");
    for field in &message.field {
        let tag = u32::try_from(field.number()).expect("a tag");
        let mut text = |value: &str| string::encode(tag, &value.to_owned(), &mut bytes);
        match field.name() {
            "merchant_id" | "merchant_ids" => text(MERCHANT),
            "account_id" => text(OPTTY),
            "request_id" => text(&request_id()),
            "name" | "display_name" => text("table"),
            "operator_id" if is_operator => text("table"),
            "webhook_id" => text("wh_1"),
            "role" => int32::encode(tag, &v1::Role::Checkout.into(), &mut bytes),
            "filter" => {
                let merchant_id = MERCHANT.to_owned();
                let filter = v1::ChangeFilter { merchant_id, ..Default::default() };
                message::encode(tag, &filter, &mut bytes);
            }
            "unclaimed" if variant == "unclaimed" => bool::encode(tag, &true, &mut bytes),
            "include_card_tokens" if variant == "card_tokens" => {
                bool::encode(tag, &true, &mut bytes);
            }
            _ => {}
        }
        names_owner |=
            ["merchant_id", "merchant_ids", "account_id", "filter"].contains(&field.name());
    }
    (bytes.into(), names_owner)
}

#[tokio::test]
async fn every_method_is_open_to_whom_the_table_says_and_nobody_else() {
    let system = System::start().await;
    let credentials = credentials(&system).await;
    let found = differences(&system.channel, &credentials).await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

async fn credentials(system: &System) -> Vec<Credential> {
    let owner = system.api_of(&system.owner);
    operator_of(&owner, "table", &[MERCHANT]).await;
    let gone = operator_of(&owner, "gone", &[MERCHANT]).await;
    let request =
        v1::DeleteOperatorRequest { operator_id: "gone".to_owned(), request_id: request_id() };
    owner.access().delete_operator(request).await.expect("deleted");
    let revoked = owner.create_named_key(v1::Role::Owner, &[]).await;
    let key_id = revoked.key.expect("answered").key_id;
    let request = v1::DeleteKeyRequest { key_id, request_id: request_id() };
    owner.access().delete_key(request).await.expect("revoked");
    let credential = |name, secret: &str, caller, is_own| Credential {
        name,
        secret: secret.to_owned(),
        caller,
        is_own,
    };
    let key = async |role, merchants: &[&str]| owner.create_key(role, merchants).await;
    let own = operator_of(&owner, "anna", &[MERCHANT]).await;
    let foreign = operator_of(&owner, "bert", &[OTHER_MERCHANT]).await;
    vec![
        credential("nothing", "", Caller::NoKey, false),
        credential("a key nobody made", "psk_unknown", Caller::NoKey, false),
        credential("an expired key", &expired(system, &owner).await, Caller::NoKey, true),
        credential("a revoked key", &revoked.secret, Caller::NoKey, true),
        credential("a key of an operator who is gone", &gone, Caller::NoKey, true),
        credential("a page token", &page_token(&system.api()).await, Caller::Page, true),
        credential("a checkout key", &system.checkout, Caller::Checkout, true),
        credential("another's checkout key", &system.other, Caller::Checkout, false),
        credential("an operator's role", &system.operator, Caller::Operator, true),
        credential("an operator's key", &own, Caller::Operator, true),
        credential("another's operator", &foreign, Caller::Operator, false),
        credential("an owner", &key(v1::Role::Owner, &[MERCHANT]).await, Caller::Owner, true),
        credential(
            "another's owner",
            &key(v1::Role::Owner, &[OTHER_MERCHANT]).await,
            Caller::Owner,
            false,
        ),
        credential("an owner of all", &system.owner, Caller::OwnerOfAll, true),
    ]
}

/// A new operator; returns the secret of a key of it.
pub(crate) async fn operator_of(owner: &Api, id: &str, merchants: &[&str]) -> String {
    let request = v1::CreateOperatorRequest {
        operator_id: id.to_owned(),
        display_name: id.to_uppercase(),
        merchant_ids: merchants.iter().map(|&m| m.to_owned()).collect(),
        request_id: request_id(),
    };
    owner.access().create_operator(request).await.expect("the operator is made");
    let request = v1::CreateKeyRequest {
        name: format!("key of {id}"),
        role: v1::Role::Operator.into(),
        operator_id: id.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    owner.access().create_key(request).await.expect("the key is made").into_inner().secret
}

/// A key of an owner of all that was valid for a second, and is not any more.
async fn expired(system: &System, owner: &Api) -> String {
    let request = v1::CreateKeyRequest {
        name: "expired".to_owned(),
        role: v1::Role::Owner.into(),
        ttl: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        request_id: request_id(),
        ..Default::default()
    };
    let made = owner.access().create_key(request).await.expect("the key is made").into_inner();
    let api = system.api_of(&made.secret);
    let filter = v1::ChangeFilter { merchant_id: MERCHANT.to_owned(), ..Default::default() };
    let stream = Reader::open(&api, filter, from(v1::StreamPlace::Now)).await;
    // The stream ends at the moment the key does.
    stream.end().await.expect("it is refused then");
    made.secret
}

/// A page token of an order.
async fn page_token(api: &Api) -> String {
    api.create_order("paged", 100).await;
    let order_id = "paged".to_owned();
    let request = v1::CreatePageTokenRequest { order_id, ..Default::default() };
    api.orders().create_page_token(request).await.expect("a token").into_inner().token
}

#[tokio::test]
async fn every_route_is_open_to_whom_the_table_says_and_nobody_else() {
    let system = System::start().await;
    let mut found = Vec::new();
    for credential in credentials(&system).await {
        for row in TABLE {
            for call in row.calls.iter().filter(|call| call.contains(' ')) {
                let is_open = !matches!(row.may(credential.caller), May::No | May::Signed);
                let answer = visit(&system, call, &credential).await;
                if is_open != (answer == Answer::Allowed) {
                    found.push(format!("{call} with {}: {answer:?}", credential.name));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // With a signature nothing else counts; and what runs the server is not told in public.
    system.deliver(GENERIC, &generic_payment("p1", "a1", "paid", "1.00")).await;
    for path in ["/metrics", "/healthz"] {
        assert_eq!(get(system.http(), path).await.status, 404, "{path}");
    }
}

/// Asks for a route.
async fn visit(system: &System, call: &str, credential: &Credential) -> Answer {
    let (method, path) = call.split_once(' ').expect("a method and a path");
    let is_admin = ["/metrics", "/healthz"].contains(&path);
    let is_call = path.starts_with("/paystatus.");
    let address = if is_admin { system.admin() } else { system.http() };
    let path = path.replace("{account}", GENERIC);
    let path = match credential.caller {
        Caller::Page => format!("{path}?token={}", credential.secret),
        _ => path,
    };
    let kind = if is_call { "application/grpc-web+proto" } else { "application/json" };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {}", credential.secret))
        .header("content-type", kind);
    // An empty message in a frame, or a receipt.
    let body = if is_call { &[0; 5][..] } else { br#"{"outcome_number":1}"# };
    let (status, headers) = head_of(address, request, body).await;
    let in_call = headers.get("grpc-status").map(|status| status.as_bytes());
    match (status, in_call) {
        (401, _) | (200, Some(b"16")) => Answer::Unauthenticated,
        (200, Some(b"7")) => Answer::Denied,
        // 400: the receipt is for an outcome that is not there yet.
        (200 | 400, _) => Answer::Allowed,
        other => panic!("{call} with {}: {other:?}", credential.name),
    }
}
