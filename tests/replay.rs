//! Webhooks that are read again once an adapter or a setting was mended, and how they are found.

use paystatus_proto::v1::{self, Disposition, PaymentStatus};
use serde_json::json;
use tonic::Code;

use crate::harness::{
    GENERIC, OPTTY, System,
    api::{Api, assert_refused, request_id},
    webhook::{GENERIC_SECRET, generic_of, generic_payment, optty_order},
};

fn of_account(account: &str, validate_only: bool) -> v1::ReplayWebhooksRequest {
    v1::ReplayWebhooksRequest {
        request_id: request_id(),
        account_id: account.to_owned(),
        validate_only,
        ..Default::default()
    }
}

async fn replay(api: &Api, request: v1::ReplayWebhooksRequest) -> v1::ReplayWebhooksResponse {
    api.webhooks().replay_webhooks(request).await.expect("they are replayed").into_inner()
}

fn moved(order: &v1::ReplayedOrder) -> (&str, PaymentStatus, PaymentStatus) {
    (&order.order_id, order.previous_status(), order.status())
}

/// An account that was set up with the wrong adapter: what it could not read is not lost.
#[tokio::test]
async fn what_was_unreadable_is_applied_once_it_can_be_read() {
    use PaymentStatus::{Pending, Successful};
    let mut system = System::start().await;
    let (api, operator) = (system.api(), system.api_of(&system.operator));
    api.place("o1", GENERIC, 100).await;
    let body = optty_order("o1", "SUCCESSFUL", json!("1.00")).body;
    system.deliver(GENERIC, &generic_of("m1", &body, GENERIC_SECRET)).await;
    let before = operator.list_webhooks(GENERIC).await;
    assert_eq!(before[0].disposition(), Disposition::Unreadable);
    let unaltered = replay(&operator, of_account(GENERIC, false)).await;
    assert!(!unaltered.webhooks[0].altered, "{unaltered:?}");
    assert!(unaltered.webhooks[0].difference.contains("cannot be read"), "{unaltered:?}");

    system.reload(|config| "optty".clone_into(&mut config.accounts[1].provider));
    let order = api.get_order("o1").await;
    let told = replay(&operator, of_account(GENERIC, true)).await;
    assert!(told.webhooks[0].altered, "{told:?}");
    assert_eq!(told.webhooks[0].orders, told.orders);
    assert_eq!(told.orders.iter().map(moved).collect::<Vec<_>>(), [("o1", Pending, Successful)]);
    assert_eq!(api.get_order("o1").await, order, "it only tells");
    assert_eq!(operator.list_webhooks(GENERIC).await, before);

    let done = replay(&operator, of_account(GENERIC, false)).await;
    assert_eq!(done.orders, told.orders);
    assert_eq!(done.webhooks[0].disposition(), Disposition::Applied);
    assert_eq!(api.get_order("o1").await.status(), Successful);
    let after = operator.list_webhooks(GENERIC).await;
    assert_eq!((after.len(), &after[1]), (2, &before[0]), "as received it stays in the list");
    assert!(after[0].reread && after[0].order_id == "o1", "{after:?}");
    assert_eq!(after[0].body_sha256, before[0].body_sha256);
    let again = replay(&operator, of_account(GENERIC, false)).await;
    assert!(again.webhooks.iter().all(|webhook| !webhook.altered), "{again:?}");
    assert_eq!(operator.list_webhooks(GENERIC).await, after, "nothing is recorded twice");

    // It was wrong after all: what was read again is read once more.
    system.reload(|config| config.accounts[1].confirm_payments = true);
    let back = replay(&operator, of_account(GENERIC, false)).await;
    assert_eq!(api.get_order("o1").await.status(), Pending, "{back:?}");
}

#[tokio::test]
async fn all_of_an_account_are_replayed_page_by_page() {
    use PaymentStatus::{Pending, Successful};
    let mut system = System::start().await;
    let (api, operator) = (system.api(), system.api_of(&system.operator));
    for number in 0..5 {
        let order = format!("o{number}");
        api.place(&order, OPTTY, 100).await;
        system.deliver(OPTTY, &optty_order(&order, "SUCCESSFUL", json!("1.00"))).await;
        system.deliver(GENERIC, &generic_payment(&order, "x", "pending", "1.00")).await;
    }
    system.reload(|config| config.accounts[0].confirm_payments = true);
    for validate_only in [true, false] {
        let mut request =
            v1::ReplayWebhooksRequest { page_size: 2, ..of_account(OPTTY, validate_only) };
        let (mut orders, mut counts, mut reached) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let page = replay(&operator, request.clone()).await;
            counts.push(page.webhooks.len());
            reached.extend(page.reached_time.map(|time| (time.seconds, time.nanos)));
            orders.extend(page.orders.iter().map(|order| {
                let (id, before, after) = moved(order);
                (id.to_owned(), before, after)
            }));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(counts.iter().sum::<usize>(), 5, "what a replay records is not replayed");
        assert!(counts.iter().all(|count| *count <= 2) && reached.is_sorted(), "{counts:?}");
        let all = (0..5).map(|number| (format!("o{number}"), Successful, Pending));
        assert_eq!(orders, all.collect::<Vec<_>>());
        let expected = if validate_only { Successful } else { Pending };
        assert_eq!(api.get_order("o3").await.status(), expected);
        let other = v1::ReplayWebhooksRequest {
            page_token: request.page_token,
            ..of_account(GENERIC, true)
        };
        let refused = operator.webhooks().replay_webhooks(other).await;
        assert_refused(refused, Code::InvalidArgument, "INVALID_FIELD");
    }
    let since = v1::ReplayWebhooksRequest {
        since_time: Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 }),
        ..of_account(OPTTY, true)
    };
    assert_eq!(replay(&operator, since).await.webhooks, []);
}

#[tokio::test]
async fn webhooks_are_found_by_time_event_and_order() {
    let system = System::start().await;
    let (api, operator) = (system.api(), system.api_of(&system.operator));
    // Before its order is recorded, and after.
    system.deliver(GENERIC, &generic_payment("p1", "o1", "pending", "1.00")).await;
    system.deliver(GENERIC, &generic_payment("p2", "o2", "pending", "1.00")).await;
    api.place("o1", GENERIC, 100).await;
    system.deliver(GENERIC, &generic_payment("p1", "o1", "paid", "1.00")).await;
    system.deliver(OPTTY, &optty_order("o9", "PENDING", json!("1.00"))).await;
    let all = operator.list_webhooks("").await;
    assert_eq!(all.len(), 4);
    assert_eq!(all[3].order_id, "o1", "it was parked, and its order is recorded by now");

    let found = async |request: v1::ListWebhooksRequest| -> Vec<String> {
        let (mut ids, mut request) =
            (Vec::new(), v1::ListWebhooksRequest { page_size: 1, ..request });
        loop {
            let page = operator.webhooks().list_webhooks(request.clone()).await;
            let page = page.expect("they are listed").into_inner();
            ids.extend(page.webhooks.into_iter().map(|webhook| webhook.webhook_id));
            if page.next_page_token.is_empty() {
                return ids;
            }
            request.page_token = page.next_page_token;
        }
    };
    let ids = |numbers: &[usize]| -> Vec<String> {
        numbers.iter().map(|number| all[*number].webhook_id.clone()).collect()
    };
    let any = v1::ListWebhooksRequest::default;
    let merchant_id = crate::harness::MERCHANT.to_owned();
    let (second, first) = (all[1].receive_time, all[3].receive_time);
    for (request, expected) in [
        (any(), ids(&[0, 1, 2, 3])),
        (v1::ListWebhooksRequest { event_name: "payment.pending".into(), ..any() }, ids(&[2, 3])),
        (v1::ListWebhooksRequest { order_id: "o1".into(), merchant_id, ..any() }, ids(&[1, 3])),
        (v1::ListWebhooksRequest { since_time: second, ..any() }, ids(&[0, 1])),
        (v1::ListWebhooksRequest { until_time: second, ..any() }, ids(&[2, 3])),
        (v1::ListWebhooksRequest { since_time: first, until_time: first, ..any() }, ids(&[])),
        (
            v1::ListWebhooksRequest {
                account_id: GENERIC.into(),
                dispositions: vec![Disposition::Parked.into()],
                ..any()
            },
            ids(&[2, 3]),
        ),
    ] {
        assert_eq!(found(request.clone()).await, expected, "{request:?}");
    }
    let unknown = v1::ListWebhooksRequest {
        order_id: "o2".into(),
        merchant_id: crate::harness::MERCHANT.into(),
        ..any()
    };
    let refused = operator.webhooks().list_webhooks(unknown).await;
    assert_refused(refused, Code::NotFound, "ORDER_NOT_FOUND");
}
