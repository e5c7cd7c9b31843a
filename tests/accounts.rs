//! Provider accounts: what operators see of them, what is kept of their webhooks, and that they
//! are replaced while the server runs.

use std::{fs, path::Path};

use paystatus_proto::v1::{self, Disposition};
use paystatus_server::config::SecretConfig;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tonic::Code;

use crate::harness::{
    CREATING, GENERIC, MERCHANT, OPTTY, OTHER_ACCOUNT, OTHER_MERCHANT, System, account,
    api::assert_refused,
    http, soon,
    webhook::{
        GENERIC_SECRET, OPTTY_SECRET, Webhook, generic_of, generic_payment, optty, optty_order,
        resigned,
    },
};

/// 24 bytes of another key.
const OLD_SECRET: &str = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQh";

fn ended(secret: &str) -> SecretConfig {
    let until = Some("2026-01-01T00:00:00Z".parse().expect("a time"));
    SecretConfig::Dated { value: secret.to_owned(), from: None, until }
}

async fn one(system: &System, key: &str, id: &str) -> v1::Account {
    let accounts = system.api_of(key).list_accounts().await;
    accounts.into_iter().find(|account| account.account_id == id).expect("it is listed")
}

#[tokio::test]
async fn a_rejection_is_explained_to_the_operator_and_not_to_the_caller() {
    let system =
        System::start_with(|config| config.accounts[1].secrets.push(ended(OLD_SECRET))).await;
    let body = br#"{"type":"payment.paid","word":"of-the-body"}"#;
    let old = generic_of("m1", body, OLD_SECRET);
    let reencoded = Webhook {
        body: br#"{ "type": "payment.paid", "word": "of-the-body" }"#.to_vec(),
        ..generic_of("m2", body, GENERIC_SECRET)
    };
    let unsigned = Webhook { headers: vec![("x-word".into(), "y".into())], body: body.to_vec() };
    let mut answers = Vec::new();
    for webhook in [&old, &reencoded, &unsigned] {
        let path = format!("/webhooks/{GENERIC}");
        let answer = http::post(system.http(), &path, &webhook.headers, webhook.body.clone()).await;
        answers.push((answer.status, String::from_utf8(answer.body).expect("text")));
    }
    answers.dedup();
    assert_eq!(answers, [(401, "the signature is not valid\n".to_owned())], "always the same");

    let account = one(&system, &system.operator, GENERIC).await;
    let counts: Vec<_> = account.rejected.iter().map(|c| (c.reason.as_str(), c.count)).collect();
    assert_eq!(counts, [("mismatch", 2), ("missing", 1)]);
    let [unsigned, reencoded, old] = &account.rejections[..] else { panic!("{account:?}") };
    assert!(old.findings[0].contains("secret 2 of the account matches"), "{old:?}");
    assert!(reencoded.findings[0].contains("encoded anew"), "{reencoded:?}");
    assert!(unsigned.header_names.contains(&"x-word".to_owned()), "{unsigned:?}");
    assert_eq!((unsigned.findings.len(), unsigned.body_bytes), (0, 44));
    let told = format!("{account:?}");
    for value in ["of-the-body", GENERIC_SECRET, OLD_SECRET, "v1,"] {
        assert!(!told.contains(value), "{value} in {told}");
    }
    assert_eq!(system.api_of(&system.operator).list_webhooks("").await, []);
}

#[tokio::test]
async fn accounts_are_listed_with_their_counts_to_those_who_may_see_them() {
    let system = System::start_with(|config| config.accounts[0].secrets.push(ended("old"))).await;
    let paid = optty_order("o1", "SUCCESSFUL", json!("1.00"));
    let ids = |accounts: Vec<v1::Account>| -> Vec<String> {
        accounts.into_iter().map(|account| account.account_id).collect()
    };
    let operator = system.api_of(&system.operator);
    assert_eq!(ids(operator.list_accounts().await), [CREATING, GENERIC, OPTTY]);
    let all = ids(system.api_of(&system.owner).list_accounts().await);
    assert_eq!(all, [CREATING, GENERIC, OPTTY, OTHER_ACCOUNT]);
    let none = one(&system, &system.operator, OPTTY).await;
    assert_eq!((none.accepted.len(), none.last_webhook_time), (0, None));

    system.deliver(OPTTY, &paid).await;
    system.deliver(OPTTY, &paid).await;
    let account = one(&system, &system.operator, OPTTY).await;
    let counts: Vec<_> = account.accepted.iter().map(|c| (c.disposition(), c.count)).collect();
    assert_eq!(counts, [(Disposition::Parked, 1), (Disposition::Repeat, 1)]);
    let micros = |time: Option<prost_types::Timestamp>| {
        let time = time.expect("a time");
        time.seconds * 1_000_000 + i64::from(time.nanos / 1000)
    };
    assert!(micros(account.last_webhook_time) >= micros(account.count_start_time));
    let active: Vec<bool> = account.secrets.iter().map(|secret| secret.active).collect();
    assert_eq!(active, [true, false]);
    assert_eq!((account.provider.as_str(), account.merchant_id.as_str()), ("optty", MERCHANT));

    let mut request = v1::ListAccountsRequest { page_size: 1, ..Default::default() };
    let mut pages = Vec::new();
    loop {
        let page = operator.accounts().list_accounts(request.clone()).await;
        let page = page.expect("they are listed").into_inner();
        pages.extend(ids(page.accounts));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(pages, [CREATING, GENERIC, OPTTY]);
    let merchant_id = OTHER_MERCHANT.to_owned();
    let other = v1::ListAccountsRequest { merchant_id, ..Default::default() };
    let refused = operator.accounts().list_accounts(other).await;
    assert_refused(refused, Code::PermissionDenied, "PERMISSION_DENIED");
}

#[tokio::test]
async fn a_raw_response_that_is_not_to_be_kept_is_nowhere() {
    let mut system =
        System::start_with(|config| config.accounts[0].keep_raw_response = false).await;
    let data = json!({
        "transactionId": "txn-1", "reference": "o1", "status": "SUCCESSFUL", "hash": "",
        "currency": "AUD", "amount": "1.00", "token": "token-4711",
        "rawBNPLResponse": {"cardholder": "needle-in-raw", "token": "token-4711"},
    });
    let sent = optty("ORDER_ASYNC_CALLBACK", data);
    system.api().place("o1", OPTTY, 100).await;
    system.deliver(OPTTY, &sent).await;
    assert_eq!(system.api().get_order("o1").await.status(), v1::PaymentStatus::Successful);
    let owner = system.api_of(&system.owner);
    let id = owner.list_webhooks(OPTTY).await[0].webhook_id.clone();
    let whole = owner.get_whole_webhook(&id).await;
    let body: serde_json::Value = serde_json::from_slice(&whole.body).expect("it stays JSON");
    assert_eq!(body["data"]["rawBNPLResponse"], json!(null));
    assert_eq!((&body["data"]["token"], whole.as_received), (&json!("token-4711"), false));
    let webhook = whole.webhook.expect("it is there");
    assert_eq!(webhook.body_sha256, hex::encode(Sha256::digest(&sent.body)));
    // The provider sends it again, with all of it: that is still a repeat.
    system.deliver(OPTTY, &sent).await;
    let newest = &owner.list_webhooks(OPTTY).await[0];
    assert_eq!(newest.disposition(), Disposition::Repeat);
    let request = v1::ReplayWebhooksRequest {
        request_id: "r".into(),
        webhook_ids: vec![id],
        ..Default::default()
    };
    let replayed = owner.webhooks().replay_webhooks(request).await.expect("replayed").into_inner();
    assert!(!replayed.webhooks[0].altered, "it reads the same without: {replayed:?}");
    system.stop().await;
    assert!(!is_in_a_file(&system.config().data, b"needle-in-raw"));
    assert!(is_in_a_file(&system.config().data, b"txn-1"), "the search finds what is there");
}

fn is_in_a_file(folder: &Path, text: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return is_in_a_file(&path, text);
        }
        fs::read(&path).expect("a file").windows(text.len()).any(|window| window == text)
    })
}

#[tokio::test]
async fn accounts_are_replaced_while_the_server_runs() {
    let mut system = System::start().await;
    let signed = |order: &str, secret: &str| {
        let body = optty_order(order, "SUCCESSFUL", json!("1.00")).body;
        resigned(&String::from_utf8(body).expect("text"), secret)
    };
    assert_eq!(system.send(OPTTY, &signed("o1", "new")).await, 401);
    let reloaded = system.reload(|config| {
        config.accounts[0].secrets = vec!["new".to_owned().into(), ended(OPTTY_SECRET)];
        config.accounts.remove(2);
        config.accounts.push(account("added", "optty", MERCHANT, OPTTY_SECRET));
        config.threads = 7;
        config.segment_bytes *= 2;
    });
    assert_eq!(
        (reloaded.added, reloaded.removed),
        (vec!["added".to_owned()], vec![OTHER_ACCOUNT.to_owned()])
    );
    assert_eq!(reloaded.accounts, 4);
    let needs_restart = reloaded.needs_restart;
    assert!(needs_restart.contains(&"threads") && needs_restart.contains(&"segment_bytes"));
    assert!(!needs_restart.contains(&"streams"), "{needs_restart:?}");
    for (account, secret, status) in [
        (OPTTY, "new", 200),
        (OPTTY, OPTTY_SECRET, 401),
        ("added", OPTTY_SECRET, 200),
        (OTHER_ACCOUNT, OPTTY_SECRET, 404),
    ] {
        assert_eq!(system.send(account, &signed("o2", secret)).await, status, "{account}");
    }
    let rejected = one(&system, &system.operator, OPTTY).await.rejected;
    assert_eq!(rejected[0].count, 2, "counts go on");
}

/// What is true after a while: the ledger follows the journal at a distance.
async fn soon_so(system: &System, is_so: impl Fn(&v1::Account) -> bool) -> v1::Account {
    let wait = async {
        loop {
            let account = one(system, &system.operator, GENERIC).await;
            if is_so(&account) {
                return account;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    soon("what the ledger says", wait).await
}

#[tokio::test]
async fn the_ledger_of_webhooks_survives_a_restart() {
    let mut system = System::start().await;
    for number in 0..3 {
        let payment = format!("p{number}");
        let webhook = generic_payment(&payment, &format!("o{number}"), "paid", "1.00");
        system.deliver(GENERIC, &webhook).await;
    }
    let counted = |account: &v1::Account| {
        let ledger = account.ledger.as_ref().expect("it is there");
        ledger.delay.expect("it is there").sample_count == 3
    };
    let before = soon_so(&system, counted).await;
    let ledger = before.ledger.as_ref().expect("it is there");
    assert!(ledger.start_time.is_some() && ledger.delay.expect("there").median.is_some());
    assert_eq!((ledger.learned_by_poll_first, before.exceptions.len()), (0, 0));
    system.stop().await;
    system.start_again().await;
    let after = soon_so(&system, counted).await;
    assert_eq!(after.ledger, before.ledger);
    assert_eq!(after.accepted, [], "what is counted since the start begins anew");
    let seconds = |account: &v1::Account| account.last_webhook_time.expect("it is known").seconds;
    assert!(seconds(&before) - seconds(&after) <= 1, "the last webhook is known");
}

#[tokio::test]
async fn metrics_and_health_are_served_apart() {
    let system =
        System::start_with(|config| "metrics".clone_into(&mut config.accounts[1].id)).await;
    let paid = generic_payment("p1", "o1", "paid", "1.00");
    system.deliver("metrics", &paid).await;
    system.deliver("metrics", &paid).await;
    let forged = Webhook { body: b"{}".to_vec(), ..paid };
    assert_eq!(system.send("metrics", &forged).await, 401);
    let answer = http::get(system.admin(), "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers["content-type"].to_str().expect("text").starts_with("text/plain"));
    let text = String::from_utf8(answer.body).expect("it is text");
    for line in [
        "# TYPE paystatus_webhooks_accepted_total counter",
        r#"paystatus_webhooks_accepted_total{account="metrics",disposition="parked"} 1"#,
        r#"paystatus_webhooks_accepted_total{account="metrics",disposition="repeat"} 1"#,
        r#"paystatus_webhooks_rejected_total{account="metrics",reason="mismatch"} 1"#,
        r#"paystatus_provider_silent{account="metrics"} 0"#,
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in:\n{text}");
    }
    assert!(text.contains("\npaystatus_journal_position "), "{text}");
    assert_eq!(http::get(system.admin(), "/healthz").await.status, 200);
    assert_eq!(http::get(system.http(), "/metrics").await.status, 404, "not for everybody");
}
