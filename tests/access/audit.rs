//! Who did what: every call that alters something, shows something sensitive or is refused.

use paystatus_proto::v1::{self, AuditOutcome};
use tonic::Code;

use super::walk::operator_of;
use crate::harness::{
    GENERIC, MERCHANT, OPTTY, OTHER_MERCHANT, System,
    api::{Api, assert_refused, reason, request_id},
    webhook::{generic_payment, optty_order},
};

/// All entries that a list admits, over pages of some size.
async fn list(api: &Api, list: v1::ListAuditEntriesRequest, size: i32) -> Vec<v1::AuditEntry> {
    let mut request = v1::ListAuditEntriesRequest { page_size: size, ..list };
    let mut entries = Vec::new();
    loop {
        let page = api.access().list_audit_entries(request.clone()).await;
        let page = page.expect("it is answered").into_inner();
        entries.extend(page.entries);
        if page.next_page_token.is_empty() {
            return entries;
        }
        request.page_token = page.next_page_token;
    }
}

async fn all(api: &Api) -> Vec<v1::AuditEntry> {
    list(api, v1::ListAuditEntriesRequest::default(), 0).await
}

/// `METHOD object outcome`
fn words(entries: &[v1::AuditEntry]) -> Vec<String> {
    let words = |entry: &v1::AuditEntry| {
        let outcome = entry.outcome().as_str_name().trim_start_matches("AUDIT_OUTCOME_");
        format!("{} {} {outcome}", entry.method, entry.object_id)
    };
    entries.iter().map(words).collect()
}

/// Makes a refusal by a key.
async fn refused(api: &Api) {
    let denied = api.access().list_keys(v1::ListKeysRequest::default()).await;
    assert_refused(denied, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// Waits until so many refusals are listed: they are recorded after they are answered.
async fn refusals(owner: &Api, count: usize) -> Vec<v1::AuditEntry> {
    crate::harness::soon("the refusals", async {
        loop {
            let mut entries = all(owner).await;
            entries.retain(|entry| entry.outcome() == AuditOutcome::Refused);
            if entries.len() >= count {
                return entries;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn everything_done_is_listed_with_who_did_it() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    let anna = system.api_of(&operator_of(&owner, "anna", &[MERCHANT]).await);
    let made = owner.create_named_key(v1::Role::Checkout, &[MERCHANT]).await;
    let key = made.key.expect("answered").key_id;
    let till = system.api_of(&made.secret);
    till.place("o1", GENERIC, 100).await;
    let subscription = v1::CreateSubscriptionRequest {
        subscription_id: "s1".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    till.changes().create_subscription(subscription).await.expect("made");
    system.deliver(GENERIC, &generic_payment("p1", "a1", "paid", "1.00")).await;
    let webhook = anna.list_webhooks(GENERIC).await.remove(0).webhook_id;
    anna.get_webhook(&webhook).await;
    owner.get_whole_webhook(&webhook).await;
    let request = v1::DeleteKeyRequest { key_id: key.clone(), request_id: request_id() };
    owner.access().delete_key(request).await.expect("revoked");
    refused(&anna).await;
    refusals(&owner, 1).await;

    let entries = all(&owner).await;
    let expected = [
        "AccessService/ListKeys  REFUSED".to_owned(),
        format!("AccessService/DeleteKey {key} DONE"),
        format!("WebhookService/GetWebhook {webhook} SHOWN"),
        format!("WebhookService/GetWebhook {webhook} SHOWN"),
        "ChangeService/CreateSubscription s1 DONE".to_owned(),
        "OrderService/CreateAttempt o1 DONE".to_owned(),
        "OrderService/CreateOrder o1 DONE".to_owned(),
        format!("AccessService/CreateKey {key} DONE"),
    ];
    assert_eq!(words(&entries)[..expected.len()], expected);
    let of = |method: &str| {
        let found = entries.iter().find(|entry| entry.method.ends_with(method));
        found.expect("it is listed")
    };
    let order = of("CreateOrder");
    assert_eq!((&*order.key_id, &*order.operator_id), (&*key, ""));
    assert_eq!(order.merchant_ids, [MERCHANT]);
    assert!(order.detail.contains("the order was recorded"), "{order:?}");
    let shown: Vec<_> = entries.iter().filter(|e| e.outcome() == AuditOutcome::Shown).collect();
    assert_eq!(
        (&*shown[0].actor, &*shown[0].detail),
        ("first owner", "its body, with card tokens")
    );
    assert_eq!((&*shown[1].operator_id, &*shown[1].detail), ("anna", "its body"));
    assert_eq!(entries[0].operator_id, "anna");
    assert!(entries[0].detail.contains("the role owner"), "{:?}", entries[0]);

    // The timeline says it too.
    let timeline = anna.timeline("o1").await;
    assert_eq!((&*timeline[0].actor_key_id, &*timeline[0].actor_operator_id), (&*key, ""));
    assert_eq!(timeline[0].actor, order.actor);
}

#[tokio::test]
async fn what_was_read_again_names_who_asked_for_it() {
    let mut system = System::start().await;
    let owner = system.api_of(&system.owner);
    let anna = system.api_of(&operator_of(&owner, "anna", &[MERCHANT]).await);
    system.api().place("o1", OPTTY, 100).await;
    system.deliver(OPTTY, &optty_order("o1", "SUCCESSFUL", "1.00".into())).await;
    let webhook = anna.list_webhooks(OPTTY).await.remove(0).webhook_id;
    // It counts for less from now on, so reading it again alters the order.
    system.reload(|config| config.accounts[0].confirm_payments = true);
    let replay = v1::ReplayWebhooksRequest {
        webhook_ids: vec![webhook],
        request_id: request_id(),
        ..Default::default()
    };
    let answer = anna.webhooks().replay_webhooks(replay).await.expect("read again").into_inner();
    assert!(answer.webhooks[0].altered, "{answer:?}");
    let newest = all(&owner).await.remove(0);
    assert_eq!(words(std::slice::from_ref(&newest)), ["WebhookService/ReplayWebhooks o1 DONE"]);
    assert_eq!(newest.operator_id, "anna");
    let timeline = anna.timeline("o1").await;
    let reread = timeline.last().expect("it is the last");
    assert_eq!((&reread.actor, &*reread.actor_operator_id), (&newest.actor, "anna"));
    assert_eq!(reread.actor_key_id, newest.key_id);
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    let anna = system.api_of(&operator_of(&owner, "anna", &[MERCHANT]).await);
    for order in ["o1", "o2", "o3"] {
        anna.create_order(order, 100).await;
    }
    let request = v1::CreateOrderRequest {
        merchant_id: OTHER_MERCHANT.to_owned(),
        ..crate::harness::api::new_order("o4", 100)
    };
    owner.orders().create_order(request).await.expect("recorded");
    let whole = all(&owner).await;
    for size in [1, 2, 200] {
        let paged = list(&owner, v1::ListAuditEntriesRequest::default(), size).await;
        assert_eq!(paged, whole, "pages of {size}");
    }
    let of = async |filter: v1::ListAuditEntriesRequest| words(&list(&owner, filter, 2).await);
    let orders = ["o3", "o2", "o1"].map(|o| format!("OrderService/CreateOrder {o} DONE"));
    let operator_id = "anna".to_owned();
    let by = v1::ListAuditEntriesRequest { operator_id, ..Default::default() };
    assert_eq!(of(by.clone()).await, orders);
    let key_id = whole[1].key_id.clone();
    assert_eq!(of(v1::ListAuditEntriesRequest { key_id, ..Default::default() }).await, orders);
    let merchant_id = OTHER_MERCHANT.to_owned();
    let other = of(v1::ListAuditEntriesRequest { merchant_id, ..Default::default() }).await;
    assert_eq!(other[0], "OrderService/CreateOrder o4 DONE");
    assert!(!other.contains(&orders[0]));
    let (since_time, until_time) = (whole[2].record_time, whole[1].record_time);
    let between = v1::ListAuditEntriesRequest { since_time, until_time, ..by.clone() };
    assert_eq!(of(between).await, [orders[1].clone()]);

    // A token is for the list that it came from.
    let first = v1::ListAuditEntriesRequest { page_size: 1, ..by.clone() };
    let page = owner.access().list_audit_entries(first).await.expect("listed").into_inner();
    let page_token = page.next_page_token;
    let request = v1::ListAuditEntriesRequest { page_token, ..Default::default() };
    let status = owner.access().list_audit_entries(request).await.expect_err("refused");
    assert_eq!(reason(&status), "INVALID_FIELD");
}

#[tokio::test]
async fn an_owner_of_some_merchants_sees_what_concerns_these_alone() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    let own = system.api_of(&owner.create_key(v1::Role::Owner, &[MERCHANT]).await);
    system.api().create_order("o1", 100).await;
    system.api_of(&system.other).create_order("o2", 100).await;
    refused(&system.api()).await;
    refused(&system.api_of(&system.other)).await;
    refusals(&owner, 2).await;
    let seen = all(&own).await;
    assert!(seen.iter().all(|entry| entry.merchant_ids == [MERCHANT]), "{seen:?}");
    let expected = ["AccessService/ListKeys  REFUSED", "OrderService/CreateOrder o1 DONE"];
    assert_eq!(words(&seen)[..2], expected);
    let merchant_id = OTHER_MERCHANT.to_owned();
    let request = v1::ListAuditEntriesRequest { merchant_id, ..Default::default() };
    let denied = own.access().list_audit_entries(request).await;
    assert_refused(denied, Code::PermissionDenied, "PERMISSION_DENIED");
}

/// The first ten of a minute each, the rest as a number: at the latest when the server stops.
#[tokio::test]
async fn a_flood_of_refusals_does_not_fill_the_journal() {
    let mut system = System::start().await;
    let owner = system.api_of(&system.owner);
    for _ in 0..30 {
        refused(&system.api()).await;
    }
    assert_eq!(refusals(&owner, 10).await.len(), 10);
    system.stop().await;
    system.start_again().await;
    let entries = refusals(&owner, 11).await;
    assert_eq!(entries.len(), 11);
    let left_out: Vec<_> = entries.iter().map(|entry| entry.left_out_count).collect();
    assert_eq!(left_out, [19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "thirty in all");
}

/// The names of operators are everybody's, so an owner may take one that another merchant gave up.
#[tokio::test]
async fn an_operator_of_the_same_name_brings_nothing_of_the_one_before() {
    let system = System::start().await;
    let owner = system.api_of(&system.owner);
    operator_of(&owner, "anna", &[MERCHANT]).await;
    let request =
        v1::DeleteOperatorRequest { operator_id: "anna".to_owned(), request_id: request_id() };
    owner.access().delete_operator(request).await.expect("deleted");
    let other = system.api_of(&owner.create_key(v1::Role::Owner, &[OTHER_MERCHANT]).await);
    operator_of(&other, "anna", &[OTHER_MERCHANT]).await;
    let seen = words(&all(&other).await);
    let of = |method: &str| seen.iter().filter(|word| word.contains(method)).count();
    assert_eq!((of("DeleteKey"), of("DeleteOperator")), (0, 0), "{seen:?}");
    // Two were there before: another checkout service's, and the owner's own.
    assert_eq!((of("CreateKey"), of("CreateOperator")), (3, 1), "{seen:?}");
}
