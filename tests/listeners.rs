//! What listeners refuse: those who are slow, large or too many. And what they say to everybody.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use paystatus_server::{
    config::{Config, Tls},
    serve::Server,
};
use prost::bytes::Bytes;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls};

use crate::harness::{
    GENERIC, OPTTY, SHOP, System, config, folder, http as plain,
    page::Page,
    soon,
    web::{WATCH_ORDER, WebCall},
    webhook::generic_payment,
};

/// A server that waits only shortly for who is slow.
async fn impatient() -> System {
    System::start_with(|config| config.limits.webhook_read = Duration::from_millis(200)).await
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("the server listens")
}

/// What the server says until it closes the connection.
async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A connection that is reset is closed, too.
    drop(soon("the end of the connection", stream.read_to_end(&mut text)).await);
    String::from_utf8_lossy(&text).into_owned()
}

async fn say(address: SocketAddr, text: &str) -> String {
    let mut stream = connect(address).await;
    stream.write_all(text.as_bytes()).await.expect("it is taken");
    answer(&mut stream).await
}

#[tokio::test]
async fn who_is_slow_is_cut_off() {
    let system = impatient().await;
    let http = system.http();
    assert_eq!(say(http, "").await, "", "who says nothing");
    assert_eq!(
        say(http, "GET /health HTTP/1.1\r\nhost: x\r\n").await,
        "",
        "headers without an end"
    );
    // The server greets too, in frames; what counts is that it comes to an end.
    say(http, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let body = "POST /webhooks/optty HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf";
    assert!(say(http, body).await.starts_with("HTTP/1.1 408 "), "a body without an end");
    let call = format!(
        "POST {WATCH_ORDER} HTTP/1.1\r\nhost: x\r\ncontent-type: application/grpc-web+proto\r\n\
         content-length: 100\r\n\r\nhalf"
    );
    assert!(say(http, &call).await.starts_with("HTTP/1.1 408 "), "a call without an end");
    let idle = say(http, "GET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(idle.starts_with("HTTP/1.1 200 "), "who asks nothing more: {idle}");
    assert_eq!(say(system.grpc(), "").await, "", "gRPC: who says nothing");
    say(system.grpc(), "PRI * HTTP/2.0\r\n\r\nSM").await;
}

/// A header now and then, for ever.
#[tokio::test]
async fn a_trickle_of_headers_does_not_buy_time() {
    let system = impatient().await;
    let (mut read, mut write) = connect(system.http()).await.into_split();
    let trickle = tokio::spawn(async move {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        let mut sent = write.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n").await;
        while sent.is_ok() {
            every.tick().await;
            sent = write.write_all(b"a: b\r\n").await;
        }
    });
    let mut text = Vec::new();
    drop(soon("the end of the connection", read.read_to_end(&mut text)).await);
    assert_eq!(text, b"");
    drop(read);
    soon("nobody to write to", trickle).await.expect("no panic");
}

#[tokio::test]
async fn an_http2_connection_without_requests_is_closed_and_one_with_a_page_is_not() {
    let system = impatient().await;
    let (sender, connection) = http2(system.http()).await;
    soon("the end of the idle connection", connection).await.expect("no panic");
    drop(sender);
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let (sender, connection) = http2(system.http()).await;
    let mut page = Page::open_h2(sender.clone(), system.http(), &token).await;
    assert_eq!(page.next().await.expect("a state").data["outcome"], "UNDECIDED");
    // Another connection comes to its end meanwhile, which was opened later.
    let (_idle, later) = http2(system.http()).await;
    soon("the end of the later connection", later).await.expect("no panic");
    assert!(!connection.is_finished(), "a page that is open is no idleness");
    system.say("o1", "SUCCESSFUL").await;
    assert_eq!(page.next().await.expect("the outcome").data["outcome"], "APPROVED");
    assert_eq!(page.next().await.expect("the end").name, "done");
    drop(page);
    soon("the end of the connection", connection).await.expect("no panic");
}

type H2 = http2::SendRequest<Full<Bytes>>;

async fn http2(address: SocketAddr) -> (H2, tokio::task::JoinHandle<()>) {
    let io = TokioIo::new(connect(address).await);
    let shaken = http2::handshake(TokioExecutor::new(), io).await;
    let (sender, connection) = shaken.expect("HTTP/2 is spoken");
    (sender, tokio::spawn(async move { drop(connection.await) }))
}

#[tokio::test]
async fn http2_serves_webhooks_and_pages_alike() {
    let system = System::start_for_shop().await;
    system.api().place("o1", GENERIC, 100).await;
    let token = system.page_token("o1", 60).await;
    let (sender, _connection) = http2(system.http()).await;
    let ask = async |method: Method, path: &str, headers: &[(String, String)], body: Vec<u8>| {
        let uri = format!("http://{}{path}", system.http());
        let request = Request::builder().method(method).uri(uri);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        let request = request.body(Full::from(body)).expect("the request is sound");
        soon("an answer", sender.clone().send_request(request)).await.expect("it is answered")
    };
    let headers = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let webhook = generic_payment("p1", "o1", "paid", "1.00");
    let path = format!("/webhooks/{GENERIC}");
    assert_eq!(ask(Method::POST, &path, &webhook.headers, webhook.body).await.status(), 204);
    let origin = headers(&[("origin", SHOP)]);
    let preflight = ask(Method::OPTIONS, WATCH_ORDER, &origin, Vec::new()).await;
    assert_eq!(preflight.headers()["access-control-allow-origin"], SHOP);
    assert_hardened("HTTP/2", preflight.headers());
    let status = format!("/pages/order/status?token={token}");
    let status = ask(Method::GET, &status, &origin, Vec::new()).await;
    assert_eq!(status.headers()["access-control-allow-origin"], SHOP);
    let bearer = format!("Bearer {token}");
    let call = [("content-type", "application/grpc-web+proto"), ("authorization", &bearer)];
    let call = ask(Method::POST, WATCH_ORDER, &headers(&call), vec![0; 5]).await;
    assert_eq!(call.status(), 200);
    let body = soon("the end of the call", call.into_body().collect()).await.expect("it is whole");
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    assert!(text.contains("successful") && text.ends_with("grpc-status:0\r\n"), "{text}");
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let system = System::start().await;
    let http = system.http();
    let long = format!("GET /health HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(10_000));
    assert!(say(http, &long).await.starts_with("HTTP/1.1 431 "), "long headers");
    let many: String = (0..200).map(|number| format!("a{number}: b\r\n")).collect();
    let many = format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert!(say(http, &many).await.starts_with("HTTP/1.1 431 "), "many headers");
    let size = system.config().limits.webhook_bytes + 1;
    let large = plain::post(http, "/webhooks/optty", &[], vec![b' '; size]).await;
    assert_eq!(large.status, 413, "a large body");
    // HTTP/2, in public and inside, says beforehand how much it takes.
    let value = "a".repeat(20_000);
    for address in [http, system.grpc()] {
        let (mut sender, _connection) = http2(address).await;
        let request = Request::get(format!("http://{address}/health")).header("a", &value);
        let request = request.body(Full::default()).expect("the request is sound");
        let refused = match soon("an answer", sender.send_request(request)).await {
            Ok(answer) => answer.status() == 431,
            Err(_) => true,
        };
        assert!(refused, "long headers at {address}");
    }
}

#[tokio::test]
async fn who_is_too_many_is_refused_at_once_and_places_are_given_back() {
    let system = System::start_with(|config| {
        config.limits.http_connections = 3;
        config.limits.pages = 1;
        // One is the connection of this test's own calls.
        config.limits.grpc_connections = 3;
    })
    .await;
    for (address, free) in [(system.http(), 3), (system.grpc(), 2)] {
        let mut open = Vec::new();
        for _ in 0..free {
            open.push(connect(address).await);
        }
        assert_eq!(answer(&mut connect(address).await).await, "", "{address} is full");
        open.clear();
        soon("a place", async {
            while !is_open(address).await {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    system.api().create_order("o1", 100).await;
    let metrics = system.metrics().await;
    for listener in ["http", "grpc"] {
        let name = format!("paystatus_connections_refused_total{{listener=\"{listener}\"}} ");
        assert!(metrics.contains(&name), "{metrics}");
    }
}

/// Whether a connection is let in: one that is not is closed without an answer.
async fn is_open(address: SocketAddr) -> bool {
    let mut stream = connect(address).await;
    let asked = b"GET /unknown HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).await.is_ok() && answer(&mut stream).await.starts_with("HTTP/1.1 ")
}

#[tokio::test]
async fn pages_leave_room_for_webhooks() {
    let system = System::start_with(|config| {
        config.limits.http_connections = 8;
        config.limits.pages = 2;
        config.pages.open_per_token = 9;
    })
    .await;
    system.api().place("o1", GENERIC, 100).await;
    let token = system.page_token("o1", 60).await;
    let open = async || Page::open(system.http(), &token, &[]).await;
    let (_first, second) = (open().await, open().await);
    let third = open().await;
    assert_eq!((third.status, third.headers["retry-after"].to_str().expect("text")), (429, "5"));
    drop(third);
    system.deliver(GENERIC, &generic_payment("p1", "o1", "pending", "1.00")).await;
    drop(second);
    soon("a place for a page", async {
        while open().await.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let no_room = System::refused(|config| config.limits.pages = config.limits.http_connections);
    assert!(no_room.await.contains("limits.pages"));
}

impl System {
    /// Why a server does not start with these settings.
    async fn refused(change: impl FnOnce(&mut Config)) -> String {
        let folder = folder();
        let mut config = config(folder.path().join("data"));
        change(&mut config);
        let started = tokio::task::spawn_blocking(|| Server::start(config).err());
        started.await.expect("no panic").expect("it is refused").to_string()
    }
}

/// Every public answer, whatever it is.
#[track_caller]
fn assert_hardened(what: &str, headers: &HeaderMap) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(
            headers.get(name).map(|value| value.as_bytes()),
            Some(value.as_bytes()),
            "{what}"
        );
    }
    for name in ["server", "x-powered-by", "via"] {
        assert!(headers.get(name).is_none(), "{what} says {name}");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(headers.values().all(|v| !String::from_utf8_lossy(v.as_bytes()).contains(version)));
}

#[tokio::test]
async fn public_answers_say_nothing_of_us_and_protect_the_browser() {
    let system = System::start().await;
    system.api().place("o1", OPTTY, 100).await;
    let token = system.page_token("o1", 60).await;
    let status = format!("/pages/order/status?token={token}");
    for (method, path, expected) in [
        (Method::GET, "/health", 200),
        (Method::GET, "/", 404),
        (Method::GET, "/metrics", 404),
        (Method::GET, "/healthz", 404),
        (Method::DELETE, "/health", 405),
        (Method::POST, "/webhooks/optty", 401),
        (Method::POST, "/webhooks/unknown", 404),
        (Method::GET, "/pages/order?token=x", 401),
        (Method::GET, "/pages/order?%zz", 401),
        (Method::OPTIONS, "/pages/order", 204),
        (Method::GET, &status, 200),
        (Method::POST, WATCH_ORDER, 415),
    ] {
        let answer = plain::request(system.http(), method, path, &[]).await;
        assert_eq!(answer.status, expected, "{path}");
        assert_hardened(path, &answer.headers);
        assert!(answer.headers.get("strict-transport-security").is_none(), "there is no TLS");
        let body = String::from_utf8_lossy(&answer.body);
        assert!(body.len() < 300 && !body.contains(".rs"), "{path}: {body}");
    }
    assert_hardened("a page", &Page::open(system.http(), &token, &[]).await.headers);
    let call = WebCall::watch(system.http(), &token, &Default::default(), &[]).await;
    assert_hardened("a call", &call.headers);
    assert_eq!(plain::get(system.http(), "/health").await.body, b"serving\n", "and no more");
    assert_eq!(plain::get(system.admin(), "/healthz").await.status, 200);
}

#[tokio::test]
async fn tls_is_negotiated_in_time_and_kept() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("it is made");
    let folder = folder();
    let (certificate, key) = (folder.path().join("cert"), folder.path().join("key"));
    let tls = Tls { certificate, key, ..Tls::default() };
    std::fs::write(&tls.certificate, made.cert.pem()).expect("written");
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).expect("written");
    let mut config = config(folder.path().join("data"));
    config.tls = Some(tls);
    config.limits.webhook_read = Duration::from_millis(500);
    let server = tokio::task::spawn_blocking(|| Server::start(config)).await.expect("no panic");
    let server = server.expect("it starts");
    for address in [server.http_address, server.grpc_address] {
        assert_eq!(say(address, "").await, "", "a handshake that does not begin");
        // The head of a greeting of 512 bytes, and half of them.
        let mut stream = connect(address).await;
        stream.write_all(&[0x16, 3, 1, 2, 0]).await.expect("it is taken");
        stream.write_all(&[1; 256]).await.expect("it is taken");
        let mut rest = Vec::new();
        drop(soon("the end of the handshake", stream.read_to_end(&mut rest)).await);
    }
    let trusted = made.cert.der();
    let h2 = handshake(server.http_address, trusted, &[b"h2", b"http/1.1"]).await;
    assert_eq!(h2.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let shaken = http2::handshake(TokioExecutor::new(), TokioIo::new(h2)).await;
    let (mut sender, connection) = shaken.expect("HTTP/2 is spoken");
    let connection = tokio::spawn(connection);
    let request = Request::get("https://localhost/health").body(Full::<Bytes>::default());
    let answer = soon("an answer", sender.send_request(request.expect("sound"))).await;
    let answer = answer.expect("it is answered");
    assert_eq!(answer.status(), 200);
    assert_hardened("TLS", answer.headers());
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    connection.abort();
    let mut old = handshake(server.http_address, trusted, &[]).await;
    let asked = b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    old.write_all(asked).await.expect("it is taken");
    let mut text = Vec::new();
    soon("an answer", old.read_to_end(&mut text)).await.expect("it is whole");
    assert!(text.starts_with(b"HTTP/1.1 200 "));
    let stopped = tokio::task::spawn_blocking(move || server.stop()).await.expect("no panic");
    stopped.expect("it stops in good order");
}

/// Shakes hands as a browser does that speaks these protocols.
async fn handshake(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocols: &[&[u8]],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the defaults are sound")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("localhost").expect("it is a name");
    let stream = connect(address).await;
    let shaken = soon("a handshake", TlsConnector::from(Arc::new(config)).connect(name, stream));
    shaken.await.expect("it is agreed")
}
