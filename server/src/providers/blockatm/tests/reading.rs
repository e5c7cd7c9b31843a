//! What is read of each event, and of the status API's answers.

use serde_json::{Value, json};

use super::{super::status::*, *};
use crate::{
    domain::ids::{ProviderId, Reference},
    providers::{
        Answer, Call, Content, Environment, Response, Secret, StatusApi as _, Subject,
        tests::in_words,
    },
};

/// The example of "Collection Events", letter for letter.
const EXAMPLE: &str = r#"{
  "custNo": "CustNo_00240101",
  "orderNo": "OrderNo_202504010023",
  "id": 8210003616,
  "symbol": "USDT",
  "amount": "2000.00",
  "status": "SUCCESS",
  "txId": "0x7614a9840d9422feaef4671e0ee98dd7092ebcba6e41076285f99d0b2b0de5fe",
  "network": "Ethereum",
  "chainId": "1",
  "fromAddress": "0xa9e358e33a57e67c9b84618a52f0194c345c8e35",
  "cashierId": 86100021
}"#;

fn account() -> AccountSettings {
    settings("raw", &[SECRET])
}

fn read_as(event: &str, body: &str, settings: &AccountSettings) -> Result<Reading, Unreadable> {
    let headers = [(EVENT.to_owned(), event.to_owned())];
    Ok(BlockAtm.read(&Request::new(&headers, body.as_bytes()), settings)?.remove(0))
}

fn read(changes: Value) -> Result<Reading, Unreadable> {
    read_as("payment", &changed(changes), &account())
}

fn changed(changes: Value) -> String {
    let mut body: Value = serde_json::from_str(EXAMPLE).unwrap();
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    body.to_string()
}

fn line(content: &Content) -> String {
    match content {
        Content::Statements(statements) => {
            assert_eq!(statements.len(), 1);
            in_words(&statements[0])
        }
        Content::Ignored { reason } => format!("ignored: {reason}"),
        Content::Look(_) => "look".to_owned(),
    }
}

#[test]
fn the_example_is_a_sale_of_what_was_paid() {
    for event in ["payment", "Payment", "QR-Payment"] {
        let reading = read_as(event, EXAMPLE, &account()).unwrap();
        let expected = "order=8210003616,order_no=OrderNo_202504010023 as OrderNo_202504010023: SOLD 2000 USDT";
        assert_eq!(line(&reading.content), expected);
        assert_eq!(reading.event_name, event.to_lowercase());
    }
}

#[test]
fn the_four_words_and_no_others() {
    let names = "order=8210003616,order_no=OrderNo_202504010023 as OrderNo_202504010023:";
    for (status, expected) in [
        (json!("PENDING"), format!("{names} PENDING 2000 USDT")),
        (json!("SUCCESS"), format!("{names} SOLD 2000 USDT")),
        (json!("EXPIRED"), format!("{names} TRY_EXPIRED")),
        (json!("CANCELLED"), format!("{names} TRY_CANCELED")),
        (json!("FAILED"), "ignored: its status word is not known".to_owned()),
        (json!("success"), "ignored: its status word is not known".to_owned()),
        (json!(1), "ignored: its status word is not known".to_owned()),
        (json!(9), "ignored: its status word is not known".to_owned()),
        (json!(-1), "ignored: its status word is not known".to_owned()),
        (json!("1"), "ignored: its status word is not known".to_owned()),
    ] {
        let reading = read(json!({ "status": status })).unwrap();
        assert_eq!(line(&reading.content), expected, "{status}");
    }
}

/// An answer has no id of the order, a webhook has: they were two attempts once, both sold.
#[test]
fn what_is_polled_and_what_is_sent_is_one_attempt() {
    use crate::domain::{
        command::{AcceptEvidence, Command},
        fact::Evidence,
        statement::Basis,
        testing::{MemoryWorld, account as account_id, create_attempt, create_order, parent},
        view::PaymentStatus,
    };
    let number = "O 1&é";
    let sent = |amount: &str| {
        let words = json!({ "orderNo": number, "amount": amount, "symbol": "AUD" });
        (Basis::Webhook, read(words).unwrap())
    };
    let polled = |word: &str| {
        let answer = answer(&[], &detail(json!({ "status": word, "symbol": "AUD" })));
        (Basis::Poll, answer.unwrap().readings.remove(0))
    };
    for (told, status) in [
        (vec![polled("PENDING"), sent("100"), polled("SUCCESS")], PaymentStatus::Successful),
        (vec![polled("SUCCESS"), polled("PENDING"), sent("100")], PaymentStatus::Successful),
        // How much was paid, only the webhook tells.
        (vec![polled("PENDING"), polled("SUCCESS")], PaymentStatus::Pending),
        (vec![polled("SUCCESS"), sent("60")], PaymentStatus::Pending),
    ] {
        let mut world = MemoryWorld::default();
        let time = Time::from_seconds(1);
        world.run(&create_order("o1", "100"), time).unwrap();
        world.run(&create_attempt("o1", "a1", number, None), time).unwrap();
        let is_underpaid = told.iter().any(|(_, reading)| line(&reading.content).contains(" 60 "));
        for (basis, reading) in told {
            let Content::Statements(statements) = reading.content else { panic!() };
            let evidence = Evidence::first(account_id(), basis, &reading.event_id, statements);
            let merchant = parent("x").merchant;
            let accept = AcceptEvidence { merchant, evidence, creates_orders: false };
            world.run(&Command::AcceptEvidence(accept), time).unwrap();
        }
        let view = world.view("o1");
        assert_eq!((view.attempts.len(), view.summary.status), (1, status));
        assert_eq!(view.conditions.len(), usize::from(is_underpaid), "{:?}", view.conditions);
    }
}

/// An operator completed by hand what had ended: no conflict, and paid.
#[test]
fn a_success_after_an_end_is_legal() {
    use crate::domain::{
        command::{AcceptEvidence, Command},
        fact::Evidence,
        testing::{MemoryWorld, account as account_id, create_attempt, create_order, parent},
        view::PaymentStatus,
    };
    for end in ["EXPIRED", "CANCELLED"] {
        for words in [[end, "SUCCESS"], ["SUCCESS", end]] {
            let mut world = MemoryWorld::default();
            let time = Time::from_seconds(1);
            world.run(&create_order("o1", "100"), time).unwrap();
            world.run(&create_attempt("o1", "a1", "o1", None), time).unwrap();
            for word in words {
                let changes =
                    json!({ "status": word, "orderNo": "o1", "amount": "100", "symbol": "AUD" });
                let reading = read(changes).unwrap();
                let Content::Statements(statements) = reading.content else { panic!() };
                let basis = BlockAtm.basis(&account());
                let evidence = Evidence::first(account_id(), basis, &reading.event_id, statements);
                let merchant = parent("x").merchant;
                let accept = AcceptEvidence { merchant, evidence, creates_orders: false };
                world.run(&Command::AcceptEvidence(accept), time).unwrap();
            }
            let view = world.view("o1");
            assert_eq!(view.summary.status, PaymentStatus::Successful);
            assert!(view.conditions.is_empty(), "{:?}", view.conditions);
        }
    }
}

#[test]
fn ids_keep_their_digits_and_references_are_a_choice() {
    for (id, shown) in [
        (json!("8210003616"), "order=8210003616"),
        (json!("ORD-7"), "order=ORD-7"),
        (json!(u64::MAX), "order=18446744073709551615"),
    ] {
        let told = line(&read(json!({ "id": id })).unwrap().content);
        assert!(told.starts_with(&format!("{shown},order_no=")), "{told}");
    }
    let mut by_payer = account();
    by_payer.options.insert(REFERENCE_FIELD, "cust_no".to_owned());
    let reading = read_as("payment", EXAMPLE, &by_payer).unwrap();
    assert_eq!(line(&reading.content), "order=8210003616 as CustNo_00240101: SOLD 2000 USDT");
    let without = read(json!({ "orderNo": null })).unwrap();
    assert_eq!(line(&without.content), "order=8210003616: SOLD 2000 USDT");
}

#[test]
fn amounts_are_exact_with_their_own_digits() {
    for (amount, symbol, shown) in [
        (json!("13.410037"), "USDT", "13.410037 USDT"),
        (json!("0.000000000000000001"), "ETH", "0.000000000000000001 ETH"),
        (json!(12.5), "USDC", "12.5 USDC"),
        (json!("2000.00"), "EUR", "2000 EUR"),
    ] {
        let told = line(&read(json!({ "amount": amount, "symbol": symbol })).unwrap().content);
        assert!(told.ends_with(&format!("SOLD {shown}")), "{told}");
    }
    for (amount, says) in [
        (json!("1e3"), "amount must be a plain decimal"),
        (json!("NaN"), "amount must be a plain decimal"),
        (json!(" 1"), "amount must be a plain decimal"),
        (json!("-1"), "amount must not be negative"),
        (json!(1e300), "amount must be a plain decimal"),
        (json!("9".repeat(60)), "amount is larger than"),
        (json!("0.0000000000000000001"), "amount must have at most 18"),
        (json!({}), "amount must be a number or a string"),
    ] {
        let what = read(json!({ "amount": amount })).unwrap_err().what;
        assert!(what.starts_with(says), "{what}");
    }
    assert_eq!(read(json!({ "symbol": null })).unwrap_err().what, "symbol is missing");
    assert_eq!(read(json!({ "amount": null })).unwrap_err().what, "amount is missing");
    assert!(read(json!({ "amount": null, "status": "PENDING" })).is_ok());
    let ended = read(json!({ "status": "EXPIRED", "amount": "?" })).unwrap();
    assert!(line(&ended.content).ends_with("TRY_EXPIRED"), "nothing was paid, whatever it says");
}

/// The header is not signed: it cannot make a payment of a payout.
#[test]
fn payouts_and_other_events_are_kept_and_ignored() {
    let reason = |event: &str, changes: Value| {
        line(&read_as(event, &changed(changes), &account()).unwrap().content)
    };
    for event in ["payout", "Payout", "QR-Payout"] {
        assert_eq!(reason(event, json!({})), "ignored: a payout is no payment");
    }
    for field in ["bizOrderNo", "toAddress", "contractId", "gasAmount", "detailList"] {
        let told = reason("payment", json!({ field: "x" }));
        assert_eq!(told, "ignored: it has the fields of a payout");
    }
    assert_eq!(reason("refund", json!({})), "ignored: the event's name is not known");
    let mut ours = account();
    ours.provider_merchant = Some("86100021".to_owned());
    let sold = line(&read_as("payment", EXAMPLE, &ours).unwrap().content);
    assert!(sold.contains("SOLD"));
    ours.provider_merchant = Some("1".to_owned());
    let told = line(&read_as("payment", EXAMPLE, &ours).unwrap().content);
    assert_eq!(told, "ignored: it is of another cashier");
}

#[test]
fn what_cannot_be_read_says_where() {
    for (changes, says) in [
        (json!({ "id": null }), "id is missing"),
        (json!({ "id": 1.5 }), "id must be a whole number or a text"),
        (json!({ "id": true }), "id must be a whole number or a text"),
        (json!({ "id": " x" }), "id must be 1 to 256"),
        (json!({ "status": null }), "status is missing"),
        (json!({ "orderNo": 7 }), "orderNo must be a JSON string"),
        (json!({ "blockTime": "soon" }), "blockTime must be milliseconds"),
        (json!({ "blockTime": u64::MAX }), "blockTime must be milliseconds"),
    ] {
        let what = read(changes).unwrap_err().what;
        assert!(what.starts_with(says), "{what}");
    }
    let headers =
        [(EVENT.to_owned(), "payment".to_owned()), (EVENT.to_owned(), "payout".to_owned())];
    for headers in [&headers[..0], &headers] {
        let request = Request::new(headers, EXAMPLE.as_bytes());
        let what = BlockAtm.read(&request, &account()).unwrap_err().what;
        assert_eq!(what, "BlockATM-Event must stand once");
    }
}

/// Made of what identifies it: a redelivery that is written differently is a repeat.
#[test]
fn the_event_id_is_made_of_the_event() {
    let id = |changes: Value| read(changes).unwrap().event_id;
    let same = id(json!({}));
    assert_eq!(same.len(), 32);
    assert_eq!(id(json!({ "network": "ETH", "fromAddress": "", "extra": 1 })), same);
    for changes in [
        json!({ "id": 1 }),
        json!({ "orderNo": "2" }),
        json!({ "status": "PENDING" }),
        json!({ "amount": "1" }),
        json!({ "txId": "0x1" }),
    ] {
        assert_ne!(id(changes.clone()), same, "{changes}");
    }
    let timed = read(json!({ "blockTime": 1_693_212_861_016_i64 })).unwrap();
    let Content::Statements(statements) = timed.content else { panic!() };
    assert_eq!(statements[0].provider_time, Some(Time::from_micros(1_693_212_861_016_000)));
}

// === The status API ===

fn asked() -> (Call, Reference) {
    let reference = Reference::parse("O 1&é").unwrap();
    let subject = subject(&[], &reference);
    (Api.ask(&subject, &account()).remove(0), reference.clone())
}

fn subject<'a>(ids: &'a [ProviderId], reference: &'a Reference) -> Subject<'a> {
    Subject { ids, reference: Some(reference), amount: None, created: None, operations: &[] }
}

fn answer(ids: &[ProviderId], body: &Value) -> Result<Answer, Unreadable> {
    let (call, reference) = asked();
    let body = body.to_string();
    let response = Response { status: 200, body: body.as_bytes() };
    Api.read(&call, &response, &subject(ids, &reference), &account())
}

fn detail(changes: Value) -> Value {
    let mut data = json!({
        "orderNo": "O 1&é", "cashierId": "CASHIER_001", "amount": "100.00", "symbol": "USDT",
        "chainId": "TRON", "status": "SUCCESS", "txId": "abc", "createTime": 1_742_729_435_000_i64,
        "updateTime": 1_742_729_999_000_i64,
    });
    for (field, value) in changes.as_object().unwrap() {
        data[field] = value.clone();
    }
    json!({ "code": "200", "success": true, "data": data, "trace": "uuid-xxx", "msg": "" })
}

#[test]
fn an_order_is_asked_for_by_its_number_and_signed() {
    let (mut call, reference) = asked();
    assert_eq!(call.path, "/order/api/v2/payorder/detail?orderNo=O+1%26%C3%A9");
    let mut settings = account();
    for (name, value) in [(API_KEY, "pk_1"), (API_SECRET, SECRET)] {
        settings.credentials.insert(name.to_owned(), Secret::new(value));
    }
    Api.authorize(&mut call, None, &settings, Time::from_micros(1_742_723_373_000_999));
    let signature = mac(SECRET, "orderNo=O 1&é&time=1742723373000");
    let expected = [
        ("blockatm-signature-v2", signature),
        ("blockatm-api-key", "pk_1".to_owned()),
        ("blockatm-request-time", "1742723373000".to_owned()),
    ];
    assert_eq!(call.headers, expected);
    assert_eq!(Api.api_url(&settings), "https://open.blockatm.net");
    settings.environment = Environment::Sandbox;
    assert_eq!(Api.api_url(&settings), "https://test-open.blockatm.net");
    settings.options.insert(REFERENCE_FIELD, "cust_no".to_owned());
    assert!(Api.ask(&subject(&[], &reference), &settings).is_empty(), "a payer is no order");
}

#[test]
fn an_answer_says_what_it_names() {
    let told = |ids: &[ProviderId], changes: Value| {
        let answer = answer(ids, &detail(changes)).unwrap();
        answer.readings.iter().map(|reading| line(&reading.content)).collect::<Vec<_>>()
    };
    let known = [ProviderId::parse("order", "7").unwrap()];
    let names = "order_no=O 1&é as O 1&é:";
    assert_eq!(told(&[], json!({})), [format!("{names} PENDING 100 USDT")]);
    assert_eq!(told(&known, json!({})), [format!("{names} PENDING 100 USDT")]);
    assert_eq!(told(&known, json!({ "id": 8 })), [format!("order=8,{names} PENDING 100 USDT")]);
    assert_eq!(told(&known, json!({ "status": "EXPIRED" })), [format!("{names} TRY_EXPIRED")]);
    assert!(told(&known, json!({ "status": "CLOSED" })).is_empty());
    let again = |changes| answer(&known, &detail(changes)).unwrap().readings;
    let moved = json!({ "updateTime": 1_800_000_000_000_i64 });
    assert_eq!(again(json!({})), again(moved), "a status told again is a repeat");
}

#[test]
fn answers_that_say_nothing_change_nothing() {
    let unknown = json!({ "code": "000202", "success": false, "data": null });
    assert!(answer(&[], &unknown).unwrap().readings.is_empty());
    let empty = json!({ "code": "200", "success": true, "data": null });
    assert!(answer(&[], &empty).unwrap().readings.is_empty());
    let failed = json!({ "code": "000101", "success": false, "data": null });
    let what = answer(&[], &failed).unwrap_err().what;
    assert_eq!(what, "code says that the question failed");
    let other = answer(&[], &detail(json!({ "orderNo": "O2" }))).unwrap_err().what;
    assert_eq!(other, "data.orderNo is not that of the order that was asked for");
    let (call, reference) = asked();
    let read = |status, body: &[u8]| {
        let response = Response { status, body };
        Api.read(&call, &response, &subject(&[], &reference), &account())
    };
    assert!(read(404, b"").unwrap().readings.is_empty());
    assert!(read(400, b"").is_err());
    assert!(read(200, br#"{"code":"200","da"#).is_err(), "cut short");
}
