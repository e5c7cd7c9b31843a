//! A provider with a status API that can behave badly: Optty's, over real HTTP.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use paystatus_server::config::{AccountConfig, StatusApiConfig};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::{MERCHANT, OPTTY, account, soon, webhook::OPTTY_SECRET};

/// What the provider does instead of answering a question.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answers as it should.
    Answer,
    /// A status, with one more header.
    Status(u16, &'static str),
    /// A body that ends in the middle.
    Truncated,
    /// A body of another kind.
    Garbage,
    /// Never answers.
    Silent,
    /// Closes the connection.
    Close,
}

/// A question that came.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) at: Instant,
}

#[derive(Default)]
struct State {
    /// What `GET /orders/{reference}` answers, and the details.
    orders: HashMap<String, Value>,
    /// What is done next; then [`Act::Answer`].
    acts: VecDeque<Act>,
    /// What is done when nothing else is said.
    always: Option<Act>,
    questions: Vec<Question>,
    tokens: usize,
}

/// A provider that listens.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
    asked: Arc<Notify>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let provider = Self { address, state: Arc::default(), asked: Arc::default() };
        let own = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(own.clone().serve(stream));
            }
        });
        provider
    }

    /// The account [`OPTTY`], asked here: every 50 ms, from the beginning.
    pub(crate) fn account(&self) -> AccountConfig {
        self.account_with(|_| {})
    }

    /// The same, with some of it changed.
    pub(crate) fn account_with(&self, change: impl FnOnce(&mut StatusApiConfig)) -> AccountConfig {
        let credentials = [("client_id", "me"), ("client_secret", "secret")];
        let credentials = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let place = Some(format!("http://{}", self.address));
        let often = Some(Duration::from_millis(50));
        let mut api = StatusApiConfig {
            credentials: credentials.into(),
            url: place.clone(),
            auth_url: place,
            first: often,
            factor: Some(1.0),
            most: often,
            timeout: Some(Duration::from_millis(500)),
            rate: Some(200.0),
            // Long enough that it does not open by itself in a test of something else.
            failures: Some(1000),
            ..StatusApiConfig::default()
        };
        change(&mut api);
        AccountConfig { status_api: Some(api), ..account(OPTTY, "optty", MERCHANT, OPTTY_SECRET) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds it")
    }

    /// What is known of an order from now on.
    pub(crate) fn knows(&self, reference: &str, status: &str, amount: &str) {
        let order = json!({
            "merchantReference": reference, "status": status, "amount": amount,
            "currency": "AUD", "updatedAt": "2026-11-21T12:00:00Z", "transactionReference": "tr",
        });
        self.says(reference, order);
    }

    /// The whole answer about an order.
    pub(crate) fn says(&self, reference: &str, order: Value) {
        self.state().orders.insert(reference.to_owned(), order);
    }

    /// What is done next, one act a question.
    pub(crate) fn does(&self, acts: impl IntoIterator<Item = Act>) {
        self.state().acts.extend(acts);
    }

    /// What is done from now on; `None` is what should be done.
    pub(crate) fn always(&self, act: Option<Act>) {
        self.state().always = act;
    }

    /// The tokens given so far do not count any more.
    pub(crate) fn revoke(&self) {
        self.state().tokens += 1;
    }

    /// The questions so far, tokens apart.
    pub(crate) fn questions(&self) -> Vec<Question> {
        self.state().questions.clone()
    }

    /// Waits until so many questions have come.
    pub(crate) async fn asked(&self, count: usize) -> Vec<Question> {
        soon("a question", async {
            loop {
                let asked = self.asked.notified();
                let questions = self.questions();
                if questions.len() >= count {
                    return questions;
                }
                asked.await;
            }
        })
        .await
    }

    /// Waits for so many more questions.
    pub(crate) async fn asked_again(&self, count: usize) -> Vec<Question> {
        self.asked(self.questions().len() + count).await
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some((path, authorization)) = read(&mut stream).await else { return };
        if path == "/token" {
            let token = {
                let mut state = self.state();
                state.tokens += 1;
                format!("token-{}", state.tokens)
            };
            let body = json!({"access_token": token, "expires_in": 3600, "token_type": "bearer"});
            return write(&mut stream, 200, "", body.to_string().as_bytes()).await;
        }
        let (act, known, is_authorized) = {
            let mut state = self.state();
            let question = Question { path: path.clone(), authorization, at: Instant::now() };
            let wanted = format!("Bearer token-{}", state.tokens);
            // Mollie's questions carry a key.
            let is_authorized = [wanted.as_str(), "Bearer key"].contains(&&*question.authorization);
            state.questions.push(question);
            let always = state.always.clone().unwrap_or(Act::Answer);
            let act = state.acts.pop_front().unwrap_or(always);
            let plain = path.replace("%5F", "_");
            let mut names = plain.split(['/', '?']);
            let known = names.find_map(|name| state.orders.get(name).cloned());
            (act, known, is_authorized)
        };
        self.asked.notify_waiters();
        let body = known.as_ref().map(Value::to_string).unwrap_or_default();
        match act {
            Act::Answer if !is_authorized => write(&mut stream, 401, "", b"{}").await,
            Act::Answer if known.is_none() => write(&mut stream, 404, "", b"{}").await,
            Act::Answer => {
                // Optty documents this odd status, Mollie the usual one.
                let status = if path.starts_with("/orders/") { 201 } else { 200 };
                write(&mut stream, status, "", body.as_bytes()).await;
            }
            Act::Status(status, header) => write(&mut stream, status, header, b"{}").await,
            Act::Truncated => {
                let half = &body.as_bytes()[..body.len() / 2];
                let head = format!("HTTP/1.1 201 x\r\ncontent-length: {}\r\n\r\n", body.len());
                drop(stream.write_all(&[head.as_bytes(), half].concat()).await);
            }
            Act::Garbage => write(&mut stream, 200, "", b"<html>not JSON").await,
            Act::Silent => tokio::time::sleep(Duration::from_secs(60)).await,
            Act::Close => {}
        }
    }
}

/// Path and `authorization` of a request, its body read to the end.
async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut chunk = [0; 2048];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let length: usize = header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    let mut rest = (head + 4 + length).saturating_sub(bytes.len());
    while rest > 0 {
        let mut chunk = [0; 2048];
        let count = stream.read(&mut chunk).await.ok().filter(|count| *count > 0)?;
        rest = rest.saturating_sub(count);
    }
    let path = text.split(' ').nth(1)?.to_owned();
    Some((path, header("authorization").unwrap_or_default()))
}

async fn write(stream: &mut TcpStream, status: u16, header: &str, body: &[u8]) {
    let line = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let head = format!(
        "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n{line}\r\n",
        body.len(),
    );
    // Who asked may be gone.
    drop(stream.write_all(&[head.as_bytes(), body].concat()).await);
}
