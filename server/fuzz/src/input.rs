//! What a fuzzer's bytes mean: which adapter, with which options, headers and body.
//!
//! ```text
//! provider · choices · header value \n header value … \n\n body
//! ```
//!
//! The first byte picks a name of `providers::NAMES`, the second one values of options, the rest is
//! text. Without an empty line all of it is body.

use std::{collections::BTreeMap, sync::OnceLock};

use paystatus_server::{
    domain::{
        ids::{ProviderId, Reference},
        time::Time,
    },
    providers::{self, AccountSettings, Call, Environment, NAMES, Provider, Secret, Subject},
};
use paystatus_simulator::{
    life::{About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Question, Speaker, Voice},
    voices,
};

use crate::NOW;

/// One input, taken apart.
pub struct Input<'a> {
    /// The adapter's name.
    pub name: &'static str,
    pub(crate) provider: &'static dyn Provider,
    choices: u8,
    headers: Vec<&'a str>,
    pub(crate) body: &'a [u8],
}

impl<'a> Input<'a> {
    /// Takes bytes apart; `None` if there are too few.
    pub fn of(data: &'a [u8]) -> Option<Self> {
        let [provider, choices, rest @ ..] = data else { return None };
        let name = NAMES[usize::from(*provider) % NAMES.len()];
        let end = rest.windows(2).position(|pair| pair == b"\n\n");
        let (headers, body) =
            end.map_or((&rest[..0], rest), |end| (&rest[..end], &rest[end + 2..]));
        let headers = std::str::from_utf8(headers).unwrap_or_default().lines().collect();
        let provider = providers::by_name(name)?;
        Some(Self { name, provider, choices: *choices, headers, body })
    }

    /// A header's value; the last one stands in for those that are not there.
    pub(crate) fn header(&self, index: usize) -> &'a str {
        self.headers.get(index).or(self.headers.last()).copied().unwrap_or("payment")
    }

    pub(crate) fn status(&self) -> u16 {
        [200, 201, 202, 404, 400, 422][usize::from(self.choices >> 4) % 6]
    }

    /// Settings of an account with a secret of the provider's form, options by choice.
    pub(crate) fn settings(&self) -> AccountSettings {
        let secret = &Known::of(self.name).secret;
        let mut settings = AccountSettings::signed_with(&[secret, SECRET, PUBLIC_KEY]);
        settings.options = options(self.provider, self.choices);
        if self.choices & 1 == 1 {
            settings.environment = Environment::Sandbox;
        }
        settings
    }

    /// The value for a header that a webhook of this name would have at the same place.
    pub(crate) fn header_named(&self, name: &str) -> &'a str {
        let headers = &Known::of(self.name).headers;
        self.header(headers.iter().position(|known| known == name).unwrap_or(0))
    }

    /// The headers of the simulator's webhooks, with values of the input, if it is so chosen.
    pub(crate) fn known_headers(&self) -> Vec<(String, String)> {
        if self.choices & 2 == 0 {
            return Vec::new();
        }
        let named = Known::of(self.name).headers.iter().enumerate();
        named.map(|(index, name)| (name.clone(), self.header(index).to_owned())).collect()
    }
}

/// What the simulator knows of a provider, asked once.
struct Known {
    /// Names of the headers of its webhooks.
    headers: Vec<String>,
    /// A secret of its form.
    secret: String,
}

impl Known {
    fn of(name: &str) -> &'static Self {
        static ALL: OnceLock<BTreeMap<&'static str, Known>> = OnceLock::new();
        let all = ALL.get_or_init(|| NAMES.iter().map(|name| (*name, Self::ask(name))).collect());
        &all[name]
    }

    fn ask(name: &str) -> Self {
        let Some(voice) = voices::by_name(name) else {
            return Self { headers: Vec::new(), secret: SECRET.to_owned() };
        };
        let paid = event(payment(PaymentState::Paid), About::Payment);
        let headers = voice.webhook(&paid, &speaker(voice, 0)).map(|webhook| webhook.headers);
        let headers = headers.unwrap_or_default().into_iter().map(|(name, _)| name).collect();
        Self { headers, secret: voice.secrets(1).0 }
    }
}

/// Usable wherever a secret is base64 or any text.
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// A public key, for signatures that have one: P-256.
const PUBLIC_KEY: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsjqDDEF5uuVoAFCxftskpMszLQMro888rFlro\
                          wcTzVibc4J2PgDywFZYXc6x21yHcenJ2bCZ/03XkMrbKqqEwA==";

fn options(provider: &dyn Provider, choices: u8) -> BTreeMap<&'static str, String> {
    let mut options = BTreeMap::new();
    for (index, option) in provider.options().iter().enumerate() {
        let choice = usize::from(choices >> (index % 8));
        let value = match option.values {
            [] => option.default.unwrap_or("https://shop.example/webhooks"),
            values => values[choice % values.len()],
        };
        options.insert(option.name, value.to_owned());
    }
    options
}

/// Inputs to begin with: all that the simulator can say of each adapter's provider, signed as it
/// signs but with another secret, with each of a few choices; what its status API answers; and
/// a plain body for adapters that have no voice.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (index, name) in NAMES.iter().enumerate() {
        let index = u8::try_from(index).expect("there are few");
        seeds.push([&[index, 0][..], PLAIN].concat());
        let Some(voice) = voices::by_name(name) else { continue };
        for body in told(voice) {
            seeds.push([&[index, 0], &b"\n\n"[..], &body].concat());
        }
        for event in events() {
            for choices in 0..4 {
                let Some(webhook) = voice.webhook(&event, &speaker(voice, choices)) else {
                    continue;
                };
                let values: Vec<_> = webhook.headers.iter().map(|(_, value)| &**value).collect();
                let values = values.join("\n");
                let parts = [&[index, choices], values.as_bytes(), b"\n\n", &webhook.body];
                seeds.push(parts.concat());
            }
        }
    }
    seeds
}

/// What the status API says of each payment, as far as it needs no token.
fn told(voice: &dyn Voice) -> Vec<Vec<u8>> {
    let provider = providers::by_name(voice.name());
    let Some(api) = provider.and_then(Provider::status_api) else { return Vec::new() };
    let held = |name: &&str| ((*name).to_owned(), "credential-1".to_owned());
    let credentials: BTreeMap<_, _> = api.credentials().iter().map(held).collect();
    let mut settings = AccountSettings::default();
    for (name, value) in &credentials {
        settings.credentials.insert(name.clone(), Secret::new(value));
    }
    let speaker = Speaker { credentials, ..speaker(voice, 0) };
    let reference = Reference::parse("order-1").ok();
    let mut bodies = Vec::new();
    for event in events() {
        for kind in ["", "transaction", "payment", "order", "payment_intent"] {
            let ids: Vec<_> = ProviderId::parse(kind, "pay-1").into_iter().collect();
            let reference = reference.as_ref();
            let subject =
                Subject { ids: &ids, reference, amount: None, created: None, operations: &[] };
            for mut call in api.ask(&subject, &settings) {
                api.authorize(&mut call, None, &settings, Time::from_seconds(NOW));
                let ledger = std::slice::from_ref(&event.payment);
                let reply = voice.answer(&question(&call), ledger, &speaker);
                bodies.extend(reply.map(|reply| reply.body));
            }
        }
    }
    bodies
}

/// A request as the simulator's server would take it apart; these need no decoding.
fn question(call: &Call) -> Question {
    let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let headers = call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Question {
        method: if call.body.is_some() { "POST" } else { "GET" }.to_owned(),
        path: path.to_owned(),
        query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        headers: headers.collect(),
        body: call.body.clone().unwrap_or_default(),
    }
}

const PLAIN: &[u8] = br#"{"type":"payment.paid","event":"ORDER_ASYNC_CALLBACK","timestamp":"2026-11-21T12:00:00Z",
"data":{"payment_id":"p","reference":"r","status":"SUCCESSFUL","amount":"1.00","currency":"EUR","token":"t"}}"#;

fn speaker(voice: &dyn Voice, choices: u8) -> Speaker {
    let provider = providers::by_name(voice.name());
    let options = provider.map(|provider| options(provider, choices)).unwrap_or_default();
    let options = options.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Speaker { secret: voice.secrets(2).1, options, now_seconds: NOW, ..Speaker::default() }
}

fn amount(minor_units: u64) -> Amount {
    Amount { currency: "EUR".to_owned(), minor_units, exponent: 2 }
}

fn payment(state: PaymentState) -> Payment {
    Payment {
        id: "pay-1".to_owned(),
        reference: "order-1".to_owned(),
        amount: amount(1299),
        state,
        created_seconds: NOW,
        changed_seconds: NOW,
        operations: Vec::new(),
    }
}

fn event(payment: Payment, about: About) -> Event {
    Event { id: "evt-1".to_owned(), about, payment, seconds: NOW }
}

fn events() -> Vec<Event> {
    use OperationState as State;
    use PaymentState::{
        AuthorizationExpired, Authorized, Canceled, Corrected, Declined, Error, Expired, Paid,
        Pending,
    };
    let states = [
        Pending,
        Authorized,
        Paid,
        Corrected,
        Declined,
        Canceled,
        Expired,
        Error,
        AuthorizationExpired,
    ];
    let mut events: Vec<_> =
        states.into_iter().map(|state| event(payment(state), About::Payment)).collect();
    for kind in [OperationKind::Capture, OperationKind::Refund, OperationKind::Void] {
        for state in [
            State::Pending,
            State::Succeeded,
            State::Declined,
            State::Canceled,
            State::Error,
            State::Corrected,
        ] {
            let is_refund = kind == OperationKind::Refund;
            let mut payment = payment(if is_refund { Paid } else { Authorized });
            payment.operations.push(Operation {
                kind,
                id: "op-1".to_owned(),
                reference: "mine-1".to_owned(),
                amount: amount(500),
                state,
                changed_seconds: NOW,
            });
            events.push(event(payment, About::Operation(0)));
        }
    }
    events
}
