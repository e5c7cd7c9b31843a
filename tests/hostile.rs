//! What those try who mean no good: pages that do not read, other sites, callers whose leave was
//! withdrawn while they waited.

use std::{net::SocketAddr, time::Duration};

use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use paystatus_proto::v1;
use paystatus_server::config::PageKeyConfig;
use prost::bytes::Bytes;
use tokio::net::TcpStream;
use tonic::Code;

use crate::harness::{
    MERCHANT, OPTTY, PATIENCE, System,
    api::{Api, assert_refused, request_id},
    channel_with, http as plain, soon,
    stream::from,
};

type H2 = http2::SendRequest<Full<Bytes>>;

/// A connection whose client takes so many bytes of an answer, and more only as it reads them.
async fn http2(address: SocketAddr, window: u32) -> (H2, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let builder = builder.initial_stream_window_size(window);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.expect("HTTP/2");
    (sender, tokio::spawn(async move { drop(connection.await) }))
}

async fn get(
    sender: &mut H2,
    address: SocketAddr,
    path: &str,
) -> http::Response<hyper::body::Incoming> {
    let request = Request::get(format!("http://{address}{path}")).body(Full::default());
    let sent = sender.send_request(request.expect("the request is sound"));
    soon("the head of the answer", sent).await.expect("it is answered")
}

async fn revoke(owner: &Api, key: Option<v1::Key>) {
    let key_id = key.expect("answered").key_id;
    let request = v1::DeleteKeyRequest { key_id, request_id: request_id() };
    owner.access().delete_key(request).await.expect("revoked");
}

#[tokio::test]
async fn a_page_that_did_not_read_is_told_nothing_once_its_link_is_gone() {
    let mut system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 600).await;
    let (mut sender, _connection) = http2(system.http(), 1).await;
    let path = format!("/pages/order?token={token}");
    let mut body = get(&mut sender, system.http(), &path).await.into_body();
    // The first byte is there; the rest of the first event waits to be read.
    let first = soon("a byte", body.frame()).await.expect("more").expect("sound");
    assert_eq!(first.into_data().expect("data"), "r");
    system.reload(|config| {
        let secret = Some("another secret, of at least 32 bytes".to_owned());
        config.pages.keys = vec![PageKeyConfig { id: "new".to_owned(), secret, file: None }];
    });
    system.say("o1", "SUCCESSFUL").await;
    let rest = soon("the end", body.collect()).await.expect("it is whole").to_bytes();
    let rest = String::from_utf8(rest.to_vec()).expect("text");
    assert!(rest.ends_with("event: expired\ndata: {}\n\n"), "{rest}");
    assert!(!rest.contains("APPROVED"), "{rest}");
}

/// Without a token, and with nothing sent but answers to pings.
#[tokio::test]
async fn an_http2_connection_that_takes_nothing_of_its_answer_is_closed() {
    let system = System::start_with(|config| {
        config.limits.webhook_read = Duration::from_millis(200);
        config.streams.heartbeat = Duration::from_millis(200);
    })
    .await;
    let (mut sender, connection) = http2(system.http(), 0).await;
    let answer = get(&mut sender, system.http(), "/health").await;
    soon("the end of the connection", connection).await.expect("no panic");
    assert!(answer.into_body().collect().await.is_err(), "nothing of it came");
}

#[tokio::test]
async fn other_sites_cannot_use_the_cookie_of_a_page_to_leave_a_receipt() {
    let system = System::start_with(|config| {
        config.pages.origins = vec!["https://shop.example".to_owned()];
    })
    .await;
    system.api().place("o1", OPTTY, 100).await;
    system.say("o1", "SUCCESSFUL").await;
    let cookie = format!("paystatus_page={}", system.page_token("o1", 600).await);
    let leave = async |headers: &[(&str, &str)]| {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut all = vec![pair(&("cookie", &cookie)), pair(&("content-type", "text/plain"))];
        all.extend(headers.iter().map(pair));
        let body = r#"{"outcome_number": 1}"#;
        plain::post(system.http(), "/pages/order/receipt", &all, body).await.status
    };
    let own = format!("http://{}", system.http());
    let longer = format!("{own}.evil.example");
    let foreign =
        ["https://evil.example", "null", "https://shop.example.evil.example", &longer, ""];
    for origin in foreign {
        assert_eq!(leave(&[("origin", origin)]).await, 403, "{origin}");
        let site = ("sec-fetch-site", "cross-site");
        assert_eq!(leave(&[("origin", origin), site]).await, 403, "{origin}");
    }
    assert_eq!(system.api().get_order("o1").await.customer_informed_time, None);
    // The shop, this server itself, also behind a proxy that gives it another name, and programs.
    let proxied = [("origin", "https://pay.example"), ("sec-fetch-site", "same-origin")];
    for headers in [&[("origin", "https://shop.example")][..], &[("origin", &own)], &proxied, &[]] {
        assert_eq!(leave(headers).await, 204, "{headers:?}");
    }
    assert!(system.api().get_order("o1").await.customer_informed_time.is_some());
}

/// What was on its way when the key was revoked may arrive; nothing is read for it any more.
#[tokio::test]
async fn a_caller_who_did_not_read_gets_no_more_of_a_snapshot_once_its_key_is_gone() {
    const ORDERS: usize = 600;
    let system = System::start_with(|config| config.streams.heartbeat = 10 * PATIENCE).await;
    let api = system.api();
    let place = |number: usize| {
        let api = &api;
        async move { api.create_order(&format!("o{number}"), 100).await }
    };
    futures_util::future::join_all((0..ORDERS).map(place)).await;
    let owner = system.api_of(&system.owner);
    let made = owner.create_named_key(v1::Role::Checkout, &[MERCHANT]).await;
    let slow = channel_with(system.grpc(), |endpoint| endpoint.initial_stream_window_size(1024));
    let api = Api::new(slow, &made.secret);
    let start = Some(from(v1::StreamPlace::Snapshot));
    let request = v1::WatchChangesRequest { start, ..Default::default() };
    let mut stream = api.changes().watch_changes(request).await.expect("it opens").into_inner();
    revoke(&owner, made.key).await;
    let mut frames = 0;
    let refused = loop {
        match soon("a frame", stream.message()).await {
            Ok(message) => drop(message.expect("not in good order")),
            Err(status) => break status,
        }
        frames += 1;
    };
    assert!(frames < ORDERS, "{frames}");
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
}

#[tokio::test]
async fn who_awaits_an_outcome_is_refused_once_its_key_is_gone() {
    let system = System::start().await;
    system.api().create_order("o1", 100).await;
    let owner = system.api_of(&system.owner);
    let made = owner.create_named_key(v1::Role::Checkout, &[MERCHANT]).await;
    let api = system.api_of(&made.secret);
    let timeout = Some(prost_types::Duration { seconds: 300, nanos: 0 });
    let order_id = "o1".to_owned();
    let request = v1::AwaitOrderRequest { order_id, timeout, ..Default::default() };
    let waits = tokio::spawn(async move { api.orders().await_order(request).await });
    let is_waiting = |key: &v1::Key| key.calls.iter().any(|c| c.method.ends_with("/AwaitOrder"));
    soon("the call", async {
        loop {
            let keys = owner.access().list_keys(v1::ListKeysRequest::default()).await;
            if keys.expect("listed").into_inner().keys.iter().any(is_waiting) {
                return;
            }
        }
    })
    .await;
    revoke(&owner, made.key).await;
    let refused = soon("the answer", waits).await.expect("no panic");
    assert_refused(refused, Code::Unauthenticated, "API_KEY_INVALID");
}
