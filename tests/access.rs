//! Who may do what. `table` is the whole of it, and `walk` tries every method and route; the others are
//! about what a table cannot say.

mod audit;
mod certificates;
mod operators;
mod table;
mod walk;

use paystatus_proto::v1;
use tonic::Code;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::harness::{
    MERCHANT, OPTTY, OTHER_MERCHANT, System,
    api::{assert_refused, reason, request_id},
};

/// What is another merchant's is denied before it is looked for: nobody may probe.
#[tokio::test]
async fn permission_comes_before_existence() {
    let system = System::start().await;
    system.api().create_order("there", 100).await;
    let other = system.api_of(&system.other);
    for order in ["there", "not there"] {
        let merchant_id = MERCHANT.to_owned();
        let order_id = order.to_owned();
        let request = v1::GetOrderRequest { merchant_id, order_id, ..Default::default() };
        let refused = other.orders().get_order(request).await;
        assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
    }
    // Its own merchant is meant where none is named.
    let request = v1::GetOrderRequest { order_id: "there".to_owned(), ..Default::default() };
    let refused = other.orders().get_order(request).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
    let foreign = system.api_of(&system.owner);
    let foreign = foreign.create_key(v1::Role::Operator, &[OTHER_MERCHANT]).await;
    for account in [OPTTY, "unknown"] {
        let account_id = account.to_owned();
        let request = v1::ListWebhooksRequest { account_id, ..Default::default() };
        let refused = system.api_of(&foreign).webhooks().list_webhooks(request).await;
        assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
    }
    let filter = Some(v1::ChangeFilter { merchant_id: MERCHANT.to_owned(), ..Default::default() });
    let request = v1::WatchChangesRequest { filter, ..Default::default() };
    let refused = other.changes().watch_changes(request).await.map(|_| ());
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
}

#[tokio::test]
async fn keys_are_made_once_shown_once_and_revoked_at_once() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    let request = v1::CreateKeyRequest {
        name: "till".to_owned(),
        role: v1::Role::Checkout.into(),
        merchant_ids: vec![MERCHANT.to_owned()],
        request_id: request_id(),
        ..Default::default()
    };
    let made = owner.access().create_key(request.clone()).await.expect("made").into_inner();
    let again = owner.access().create_key(request).await.expect("answered").into_inner();
    assert_eq!((again.replayed, again.secret.as_str(), &again.key), (true, "", &made.key));
    let api = system.api_of(&made.secret);
    api.create_order("o1", 100).await;
    assert_eq!(api.timeline("o1").await[0].actor, "till");

    let delete = async |key_id: String| {
        let request = v1::DeleteKeyRequest { key_id, request_id: request_id() };
        owner.access().delete_key(request).await.map(|answer| answer.into_inner().replayed)
    };
    let key_id = made.key.expect("answered").key_id;
    assert!(!delete(key_id.clone()).await.expect("revoked"));
    assert!(delete(key_id).await.expect("no error"));
    let refused = api.orders().list_orders(v1::ListOrdersRequest::default()).await;
    assert_refused(refused, Code::Unauthenticated, "API_KEY_INVALID");

    let list = v1::ListKeysRequest::default();
    let keys = owner.access().list_keys(list).await.expect("listed").into_inner().keys;
    let last = keys.iter().find(|key| key.role() == v1::Role::Owner).expect("the owner's");
    let refused = delete(last.key_id.clone()).await;
    assert_refused(refused, Code::FailedPrecondition, "LAST_OWNER_KEY");
}

#[tokio::test]
async fn health_and_reflection_need_no_key() {
    let system = System::start().await;
    let mut health = HealthClient::new(system.channel.clone());
    let answer = health.check(HealthCheckRequest { service: String::new() }).await;
    assert_eq!(answer.expect("answered").into_inner().status, 1, "SERVING");
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let list = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut client = ServerReflectionClient::new(system.channel.clone());
    let stream = client.server_reflection_info(tokio_stream::once(request)).await;
    let answer = stream.expect("opened").into_inner().message().await.expect("answered");
    let Some(MessageResponse::ListServicesResponse(list)) =
        answer.expect("one answer").message_response
    else {
        panic!("not a list");
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    for service in ["AccessService", "ChangeService", "OrderService", "WebhookService"] {
        assert!(names.contains(&format!("paystatus.v1.{service}").as_str()), "{names:?}");
    }
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    let refused = system.api_of("").access().list_keys(v1::ListKeysRequest::default()).await;
    assert_eq!(reason(&refused.expect_err("but all else does")), "API_KEY_INVALID");
}
