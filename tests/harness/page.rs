//! An order-confirmation page: reads server-sent events as a browser does.

use std::{collections::VecDeque, net::SocketAddr};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{body::Incoming, client::conn::http2};
use prost::bytes::Bytes;
use serde_json::Value;

use super::{
    http::{Driver, open},
    soon,
};

/// An event.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

/// A page that is open.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: Incoming,
    text: String,
    events: VecDeque<Event>,
    connection: Driver,
}

impl Page {
    /// Opens a page; `headers` in addition to the usual ones.
    pub(crate) async fn open(address: SocketAddr, token: &str, headers: &[(&str, &str)]) -> Self {
        let (mut sender, connection) = open(address).await.expect("the server listens");
        let uri = format!("/pages/order?token={token}");
        let request = Self::request(&uri, headers).header("host", address.to_string());
        let request = request.body(Empty::<Bytes>::new()).expect("the request is sound");
        let answer = soon("the head", sender.send_request(request)).await.expect("an answer");
        Self::read(answer, connection)
    }

    /// Opens a page on a connection that speaks HTTP/2.
    pub(crate) async fn open_h2(
        mut sender: http2::SendRequest<Full<Bytes>>,
        address: SocketAddr,
        token: &str,
    ) -> Self {
        let uri = format!("http://{address}/pages/order?token={token}");
        let request = Self::request(&uri, &[]).body(Full::default()).expect("the request is sound");
        let answer = soon("the head", sender.send_request(request)).await.expect("an answer");
        Self::read(answer, tokio::spawn(async { Ok(()) }))
    }

    fn request(uri: &str, headers: &[(&str, &str)]) -> http::request::Builder {
        let request = Request::get(uri).header("accept", "text/event-stream");
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }

    fn read(answer: Response<Incoming>, connection: Driver) -> Self {
        let (parts, body) = answer.into_parts();
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
            text: String::new(),
            events: VecDeque::new(),
            connection,
        }
    }

    /// The next event, heartbeats and `retry:` left out; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            match self.any().await {
                Some(event) if event.name.is_empty() || event.name == "heartbeat" => {}
                other => return other,
            }
        }
    }

    /// The next event of any sort.
    pub(crate) async fn any(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            let frame = soon("an event", self.body.frame()).await?.ok()?;
            let data = frame.into_data().expect("only data");
            self.text.push_str(std::str::from_utf8(&data).expect("each event is whole"));
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                self.events.push_back(event(block));
                self.text = rest.to_owned();
            }
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn event(block: &str) -> Event {
    let mut event = Event::default();
    for line in block.lines() {
        match line.split_once(": ") {
            Some(("id", id)) => event.id = id.to_owned(),
            Some(("event", name)) => event.name = name.to_owned(),
            Some(("data", data)) => event.data = serde_json::from_str(data).expect("JSON"),
            _ => {}
        }
    }
    event
}
