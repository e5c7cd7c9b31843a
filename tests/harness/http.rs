//! One HTTP/1.1 request on a connection of its own.

use std::{convert::Infallible, net::SocketAddr};

use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Body, client::conn::http1};
use hyper_util::rt::TokioIo;
use prost::bytes::Bytes;
use tokio::{net::TcpStream, task::JoinHandle};

use super::soon;

/// The task that drives a connection.
pub(crate) type Driver = JoinHandle<hyper::Result<()>>;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Sends a body with some headers, and waits for the answer.
pub(crate) async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(String, String)],
    body: impl Into<Vec<u8>>,
) -> Response {
    try_post(address, path, headers, body.into()).await.expect("the server answers")
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> Response {
    get_with(address, path, &[]).await
}

/// As [`get`], with some headers.
pub(crate) async fn get_with(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    request(address, Method::GET, path, headers).await
}

/// A request without a body.
pub(crate) async fn request(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(address, request, Vec::new()).await.expect("the server answers")
}

/// Status and headers of an answer whose body may never end.
pub(crate) async fn head_of(
    address: SocketAddr,
    request: http::request::Builder,
    body: impl Into<Bytes>,
) -> (u16, HeaderMap) {
    let request = request.header("host", address.to_string()).body(Full::new(body.into()));
    let exchange = async {
        let (mut sender, connection) = open(address).await.expect("the server listens");
        let answer = sender.send_request(request.expect("the request is sound")).await;
        let answer = answer.expect("the server answers");
        connection.abort();
        (answer.status().as_u16(), answer.headers().clone())
    };
    soon("the answer", exchange).await
}

/// As [`post`], where the server may be away.
pub(crate) async fn try_post(
    address: SocketAddr,
    path: &str,
    headers: &[(String, String)],
    body: Vec<u8>,
) -> Option<Response> {
    let mut request = Request::builder().method(Method::POST).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    send(address, request, body).await
}

/// A connection, and the task that drives it; `None` where nobody listens.
pub(crate) async fn open<B>(address: SocketAddr) -> Option<(http1::SendRequest<B>, Driver)>
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let stream = TcpStream::connect(address).await.ok()?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    Some((sender, tokio::spawn(connection)))
}

async fn send(
    address: SocketAddr,
    request: http::request::Builder,
    body: Vec<u8>,
) -> Option<Response> {
    let request = request.header("host", address.to_string()).body(Full::<Bytes>::from(body));
    let request = request.expect("the request is sound");
    let exchange = async {
        let (mut sender, connection) = open(address).await?;
        let answer = sender.send_request(request).await.ok()?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.ok()?.to_bytes().to_vec();
        connection.abort();
        Some(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    };
    soon("the answer", exchange).await
}
