//! gRPC-Web as a browser speaks it: a request over HTTP, messages and trailers in the answer's body.

use std::net::SocketAddr;

use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use paystatus_proto::v1;
use prost::{Message as _, bytes::Bytes};

use super::{
    http::{Driver, open},
    soon,
};

pub(crate) const WATCH_ORDER: &str = "/paystatus.v1.OrderService/WatchOrder";
pub(crate) const RECORD_RECEIPT: &str = "/paystatus.v1.OrderService/RecordReceipt";
/// Marks the part of a body that holds the trailers.
const TRAILERS: u8 = 0x80;

/// A call whose answer is being read.
pub(crate) struct WebCall {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// The trailers, once the body is read to its end.
    pub(crate) trailers: String,
    /// All that was read of the body.
    pub(crate) raw: Vec<u8>,
    body: Incoming,
    at: usize,
    connection: Driver,
}

impl WebCall {
    /// Watches an order with a token, or with whatever else may stand there.
    pub(crate) async fn watch(
        address: SocketAddr,
        bearer: &str,
        request: &v1::WatchOrderRequest,
        headers: &[(&str, &str)],
    ) -> Self {
        let bearer = format!("Bearer {bearer}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        Self::send(address, WATCH_ORDER, &all, &request.encode_to_vec()).await
    }

    /// Calls a method with an encoded message.
    pub(crate) async fn send(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        message: &[u8],
    ) -> Self {
        let (mut sender, connection) = open(address).await.expect("the server listens");
        let mut request = Request::post(path)
            .header("host", address.to_string())
            .header("content-type", "application/grpc-web+proto")
            .header("x-grpc-web", "1");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
        let body = Bytes::from([&[0][..], &length, message].concat());
        let request = request.body(Full::new(body)).expect("the request is sound");
        let answer = soon("the head", sender.send_request(request)).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            trailers: String::new(),
            raw: Vec::new(),
            body,
            at: 0,
            connection,
        }
    }

    /// The next frame, heartbeats left out; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<v1::Frame> {
        loop {
            let frame = self.any().await?;
            if !matches!(frame.content, Some(v1::frame::Content::Heartbeat(_))) {
                return Some(frame);
            }
        }
    }

    /// The next frame of any sort.
    pub(crate) async fn any(&mut self) -> Option<v1::Frame> {
        let response: v1::WatchOrderResponse = self.message().await?;
        Some(response.frame.expect("there is a frame"))
    }

    /// The next message; `None` at the end.
    pub(crate) async fn message<M: prost::Message + Default>(&mut self) -> Option<M> {
        let kind = *self.take(1).await?.first().expect("one byte");
        let length = self.take(4).await.expect("a length follows");
        let length = u32::from_be_bytes(length.try_into().expect("four bytes"));
        let part = self.take(length as usize).await.expect("the part is whole");
        if kind & TRAILERS != 0 {
            self.trailers = String::from_utf8(part).expect("text");
            return None;
        }
        Some(M::decode(part.as_slice()).expect("one of ours"))
    }

    /// The code that the call ended with; read to the end.
    pub(crate) async fn code(&mut self) -> tonic::Code {
        while self.trailers.is_empty() && self.any().await.is_some() {}
        let in_trailers = self.trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"));
        let in_headers = self.headers.get("grpc-status").and_then(|code| code.to_str().ok());
        let code = in_trailers.or(in_headers).expect("there is a status");
        tonic::Code::from_bytes(code.trim().as_bytes())
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.raw.len() < self.at + count {
            let frame = soon("a part of the answer", self.body.frame()).await?;
            let data = frame.expect("the answer is whole").into_data().expect("only data");
            self.raw.extend_from_slice(&data);
        }
        let part = self.raw[self.at..self.at + count].to_vec();
        self.at += count;
        Some(part)
    }
}

impl Drop for WebCall {
    fn drop(&mut self) {
        self.connection.abort();
    }
}
