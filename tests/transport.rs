//! How calls are carried: TLS by two settings, gRPC-Web over HTTP/1.1, and calls in flight while
//! the server stops.

use std::fs;

use paystatus_client::{Client, Tls as ClientTls};
use paystatus_proto::v1::{self, Outcome};
use paystatus_server::{config::Tls, serve::Server};
use prost::Message as _;
use tonic::Code;

use crate::harness::{
    GENERIC, OPTTY, System, api, config, folder, http, stream::Reader, webhook::generic_payment,
};

#[tokio::test]
async fn two_settings_turn_tls_on_for_both_ports() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is made");
    let folder = folder();
    let (certificate, key) = (folder.path().join("cert"), folder.path().join("key"));
    let tls = Tls { certificate, key, ..Tls::default() };
    fs::write(&tls.certificate, made.cert.pem()).expect("written");
    fs::write(&tls.key, made.signing_key.serialize_pem()).expect("written");
    let mut config = config(folder.path().join("data"));
    config.tls = Some(tls);
    let server = tokio::task::spawn_blocking(|| Server::start(config)).await.expect("no panic");
    let server = server.expect("it starts");
    let port = server.grpc_address.port();
    let connect = |url: String, ca_pem: Option<String>| {
        let secret = server.first_key.clone().expect("it is shown");
        let mut builder = Client::builder(url).api_key(secret).merchant("shop");
        if ca_pem.is_some() {
            builder = builder.tls(ClientTls { ca_pem, ..ClientTls::default() });
        }
        builder.connect()
    };
    let trusted = Some(made.cert.pem());
    let client = connect(format!("https://localhost:{port}"), trusted.clone()).await;
    let client = client.expect("it connects");
    client.list_orders(paystatus_client::ListOrders::default()).await.expect("it is answered");
    assert!(connect(format!("https://localhost:{port}"), None).await.is_err(), "not trusted");
    let other_name = connect(format!("https://127.0.0.1:{port}"), trusted).await;
    assert!(other_name.is_err(), "the certificate is for another name");
    let plain = http::try_post(server.http_address, "/webhooks/optty", &[], Vec::new()).await;
    assert!(plain.is_none(), "webhooks are not taken in the clear: {plain:?}");
    client.close().await.expect("it closes");
    let stopped = tokio::task::spawn_blocking(move || server.stop()).await.expect("no panic");
    stopped.expect("it stops in good order");
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let folder = folder();
    for (change, expected) in [
        (
            (|c| {
                c.tls = Some(Tls {
                    certificate: "missing.pem".into(),
                    key: "key".into(),
                    ..Tls::default()
                })
            }) as fn(&mut paystatus_server::config::Config),
            "missing.pem",
        ),
        (|c| c.accounts[0].secrets.clear(), "accounts[0].secrets"),
        (|c| c.accounts[1].provider = "unknown".to_owned(), "accounts[1].provider"),
        (|c| c.accounts[1].id = OPTTY.to_owned(), "accounts.optty"),
    ] {
        let mut config = config(folder.path().join("data"));
        change(&mut config);
        let started = tokio::task::spawn_blocking(|| Server::start(config).err());
        let error = started.await.expect("no panic").expect("it is refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

/// As a browser sends it: one length-prefixed message, the trailers in the body.
#[tokio::test]
async fn browsers_call_by_grpc_web() {
    let system = System::start().await;
    system.api().create_order("o1", 14624).await;
    let call = async |order: &str| {
        let request = v1::GetOrderRequest { order_id: order.to_owned(), ..Default::default() };
        let message = request.encode_to_vec();
        let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
        let headers = [
            ("content-type", "application/grpc-web+proto".to_owned()),
            ("x-grpc-web", "1".to_owned()),
            ("authorization", format!("Bearer {}", system.checkout)),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        let body = [&[0][..], &length, &message].concat();
        let path = "/paystatus.v1.OrderService/GetOrder";
        http::post(system.grpc(), path, &headers, body).await
    };
    let answer = call("o1").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/grpc-web+proto");
    let length = u32::from_be_bytes(answer.body[1..5].try_into().expect("four bytes")) as usize;
    let (message, trailers) = answer.body[5..].split_at(length);
    let order = v1::GetOrderResponse::decode(message).expect("it is one").order;
    assert_eq!(order.and_then(|order| order.amount), Some(api::aud(14624)));
    assert_eq!(trailers[0], 0x80);
    assert!(String::from_utf8_lossy(trailers).contains("grpc-status:0"));
    // Refused before there is a message: then the status stands in the headers.
    let refused = call("o2").await;
    assert_eq!(refused.headers["grpc-status"], (Code::NotFound as i32).to_string());
}

#[tokio::test]
async fn http_says_whether_the_server_works() {
    let system = System::start().await;
    assert_eq!(http::get(system.http(), "/health").await.status, 200);
    assert_eq!(http::get(system.http(), "/unknown").await.status, 404);
}

/// A call that waits is answered with what is known; what was sent before is recorded.
#[tokio::test]
async fn a_server_that_stops_answers_the_calls_in_flight() {
    let mut system = System::start().await;
    let api = system.api();
    api.place("o1", GENERIC, 100).await;
    let calls: Vec<_> = (0..50)
        .map(|number| {
            let api = api.clone();
            tokio::spawn(async move { api.create_order(&format!("flying{number}"), 100).await })
        })
        .collect();
    let waiting = {
        let api = api.clone();
        let timeout = Some(prost_types::Duration { seconds: 60, nanos: 0 });
        let order_id = "o1".to_owned();
        let request = v1::AwaitOrderRequest { order_id, timeout, ..Default::default() };
        tokio::spawn(async move { api.orders().await_order(request).await })
    };
    // On the same connection: once this is answered, what was sent before is with the server.
    let mut stream = Reader::open_order(&api, "o1", None).await;
    stream.until("caught_up").await;
    system.stop().await;
    let answer = waiting.await.expect("no panic").expect("it is answered").into_inner();
    assert_eq!(answer.outcome(), Outcome::Undecided);
    for call in calls {
        call.await.expect("it is answered");
    }
    system.start_again().await;
    for number in 0..50 {
        api.get_order(&format!("flying{number}")).await;
    }
    system.deliver(GENERIC, &generic_payment("p1", "o1", "paid", "1.00")).await;
}
