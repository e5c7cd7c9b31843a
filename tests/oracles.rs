//! The providers' own libraries check how we verify: what they sign is accepted, what the simulator
//! signs they accept, and neither takes a body of which one byte was changed.
//!
//! `tests/python/oracles.py` runs them.

use std::{collections::BTreeMap, process::Stdio};

use paystatus_server::{
    clock,
    domain::time::Time,
    providers::{self, AccountSettings, Call, Secret},
};
use paystatus_simulator::{
    life::{About, Amount, Event, Payment, PaymentState},
    voice::Speaker,
    voices,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use crate::{
    harness::{
        MERCHANT, System, account, soon,
        webhook::{GENERIC_SECRET, Webhook, generic_payment},
    },
    toolchain,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/oracles.py");
/// Where a provider believes its notifications go, for those that sign it.
const URL: &str = "https://shop.example/webhooks/oracle";

/// A provider, the library that knows how it signs, and the account's options.
struct Row {
    provider: &'static str,
    library: &'static str,
    options: &'static [(&'static str, &'static str)],
}

const ROWS: &[Row] = &[
    Row { provider: "adyen", library: "adyen", options: &[] },
    Row { provider: "gr4vy", library: "gr4vy", options: &[] },
    Row { provider: "mollie", library: "mollie", options: &[("webhooks", "next-gen")] },
    Row { provider: "square", library: "square", options: &[("notification_url", URL)] },
    Row { provider: "standard-webhooks", library: "standardwebhooks", options: &[] },
    Row { provider: "stripe", library: "stripe", options: &[] },
];

/// The libraries, in a process of their own.
struct Oracle {
    _process: Child,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Oracle {
    async fn start() -> Option<Self> {
        let python = tokio::task::spawn_blocking(toolchain::python).await;
        let mut process = tokio::process::Command::new(python.expect("it is looked for")?)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("Python starts");
        let questions = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        Some(Self { _process: process, questions, answers })
    }

    async fn ask(&mut self, question: Value) -> Value {
        let line = format!("{question}\n");
        self.questions.write_all(line.as_bytes()).await.expect("the process runs");
        let answer = soon("the oracle's answer", self.answers.next_line()).await;
        let answer = answer.expect("it can be read").expect("the process runs: see its errors");
        serde_json::from_str(&answer).expect("it is JSON")
    }

    async fn sign(&mut self, row: &Row, secret: &str, body: &[u8]) -> Webhook {
        let body = text(body);
        let answer = self.ask(json!({
            "library": row.library, "do": "sign", "secret": secret, "body": body,
            "options": { "id": format!("msg_{}", row.library), "url": URL },
        }));
        let answer = answer.await;
        let headers = answer["headers"].as_object().expect("there are headers");
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        let body = answer["body"].as_str().expect("there is a body");
        Webhook { headers: headers.collect(), body: body.as_bytes().to_vec() }
    }

    async fn verifies(&mut self, row: &Row, secret: &str, webhook: &Webhook) -> bool {
        let headers: BTreeMap<_, _> = webhook.headers.iter().cloned().collect();
        let body = text(&webhook.body);
        let answer = self.ask(json!({
            "library": row.library, "do": "verify", "secret": secret, "body": body,
            "headers": headers, "options": { "url": URL },
        }));
        answer.await["verified"].as_bool().expect("it says whether")
    }
}

fn text(body: &[u8]) -> &str {
    std::str::from_utf8(body).expect("bodies are UTF-8")
}

impl Row {
    /// What the account is configured with, and what the provider signs with.
    fn secrets(&self) -> (String, String) {
        match voices::by_name(self.provider) {
            Some(voice) => voice.secrets(7),
            None => (GENERIC_SECRET.to_owned(), GENERIC_SECRET.to_owned()),
        }
    }

    /// A paid order as our own side tells it: the simulator, or the tests where it has no voice.
    fn paid(&self, secret: &str) -> Webhook {
        let Some(voice) = voices::by_name(self.provider) else {
            return generic_payment("pay-1", "order-1", "paid", "12.99");
        };
        let now = clock::now().as_seconds();
        let amount = Amount { currency: "EUR".to_owned(), minor_units: 1299, exponent: 2 };
        let payment = Payment {
            id: "pay-1".to_owned(),
            reference: "order-1".to_owned(),
            amount,
            state: PaymentState::Paid,
            created_seconds: now,
            changed_seconds: now,
            operations: Vec::new(),
        };
        let event = Event { id: "evt-1".to_owned(), about: About::Payment, payment, seconds: now };
        let options = self.options.iter();
        let speaker = Speaker {
            secret: secret.to_owned(),
            options: options.map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            now_seconds: now,
            ..Speaker::default()
        };
        let webhook = voice.webhook(&event, &speaker).expect("it has a webhook for a paid order");
        Webhook { headers: webhook.headers, body: webhook.body }
    }
}

/// The same with one digit of the amount changed.
fn forged(webhook: &Webhook) -> Webhook {
    let body = text(&webhook.body);
    let place = body.find("1299").or_else(|| body.find("12.99")).expect("it names its amount");
    let mut forged = webhook.clone();
    forged.body[place + 1] = b'3';
    forged
}

/// One run for each row, so that a failure names its provider.
async fn check(row: &Row, system: &System, oracle: &mut Oracle) {
    let (provider, (_, signing)) = (row.provider, row.secrets());
    let ours = row.paid(&signing);
    assert!(oracle.verifies(row, &signing, &ours).await, "{provider}: ours, the library");
    assert!(!oracle.verifies(row, &signing, &forged(&ours)).await, "{provider}: ours, forged");
    assert!(!oracle.verifies(row, &other(&signing), &ours).await, "{provider}: another secret");
    let theirs = oracle.sign(row, &signing, &ours.body).await;
    system.deliver(provider, &theirs).await;
    assert_eq!(system.send(provider, &forged(&theirs)).await, 401, "{provider}: theirs, forged");
    assert_eq!(system.send(provider, &forged(&ours)).await, 401, "{provider}: ours, forged");
    let foreign = oracle.sign(row, &other(&signing), &ours.body).await;
    assert_eq!(system.send(provider, &foreign).await, 401, "{provider}: another secret");
    system.deliver(provider, &ours).await;

    let webhooks = system.api_of(&system.operator).list_webhooks(provider).await;
    assert!(!webhooks.is_empty(), "{provider}: what was accepted is kept");
}

/// A secret of the same form whose last bytes are others.
fn other(secret: &str) -> String {
    let mut other = secret.to_owned();
    let last: String =
        secret.chars().rev().take(4).map(|c| if c == '0' { '1' } else { '0' }).collect();
    other.replace_range(secret.len() - 4.., &last);
    other
}

#[tokio::test]
async fn the_providers_own_libraries_agree_with_us() {
    let Some(mut oracle) = Oracle::start().await else { return };
    let system = System::start_with(|config| {
        for row in ROWS {
            let mut account = account(row.provider, row.provider, MERCHANT, &row.secrets().0);
            let options = row.options.iter();
            account.options = options.map(|(n, v)| ((*n).into(), (*v).into())).collect();
            config.accounts.push(account);
        }
    });
    let system = system.await;
    for row in ROWS {
        check(row, &system, &mut oracle).await;
    }
}

/// Gr4vy's API wants a token that a private key signed; its library names the key as we do.
#[tokio::test]
async fn gr4vy_s_library_takes_the_token_that_we_make() {
    let Some(mut oracle) = Oracle::start().await else { return };
    let key = include_str!("../server/src/providers/gr4vy/tests/key.pem");
    let mut settings = AccountSettings::signed_with(&["secret"]);
    settings.credentials.insert("private_key".to_owned(), Secret::new(key));
    let api = providers::by_name("gr4vy").and_then(providers::Provider::status_api);
    let now: Time = clock::now();
    let mut call = Call::default();
    api.expect("it can be asked").authorize(&mut call, None, &settings, now);
    let (_, bearer) = call.headers.first().expect("there is a header");
    let token = bearer.strip_prefix("Bearer ").expect("it is a bearer token");
    let answer = oracle.ask(json!({ "do": "token", "secret": key, "body": token })).await;
    assert_eq!(answer["claims"]["scopes"], json!(["transactions.read"]));
    assert_eq!(answer["claims"]["iat"], now.as_seconds());
}
