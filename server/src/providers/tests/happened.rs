//! What the simulator's voices are made to say in the adapters' tests.

use paystatus_simulator::{
    life::{About, Amount, Event, Operation, OperationKind, OperationState, Payment, PaymentState},
    voice::{Speaker, Voice},
    voices,
};

use crate::{
    domain::{
        ids::ProviderId,
        statement::{Said, Statement, operation_word, payment_word},
        time::Time,
    },
    providers::{
        AccountSettings, Call, Content, Provider, Reading, Request, Response, SigningSecret,
        StatusApi, Subject,
    },
};

/// When everything happened.
pub(crate) const SECONDS: i64 = 1_795_000_000;

/// All that a payment can come to.
pub(crate) const PAYMENT_STATES: &[PaymentState] = &[
    PaymentState::Pending,
    PaymentState::Authorized,
    PaymentState::Paid,
    PaymentState::Corrected,
    PaymentState::Declined,
    PaymentState::Canceled,
    PaymentState::Expired,
    PaymentState::Error,
    PaymentState::AuthorizationExpired,
];

/// All that an operation can come to.
pub(crate) const OPERATION_STATES: &[OperationState] = &[
    OperationState::Pending,
    OperationState::Succeeded,
    OperationState::Declined,
    OperationState::Canceled,
    OperationState::Error,
    OperationState::Corrected,
];

/// A payment of 100.00 EUR.
pub(crate) fn payment(state: PaymentState) -> Payment {
    Payment {
        id: "PAY0000000000001".to_owned(),
        reference: "order-1".to_owned(),
        amount: amount(10_000),
        state,
        created_seconds: SECONDS,
        changed_seconds: SECONDS,
        operations: Vec::new(),
    }
}

fn amount(minor_units: u64) -> Amount {
    Amount { currency: "EUR".to_owned(), minor_units, exponent: 2 }
}

/// An operation of 40.00 EUR on it.
pub(crate) fn with_operation(
    mut payment: Payment,
    kind: OperationKind,
    state: OperationState,
) -> Payment {
    payment.operations.push(Operation {
        kind,
        id: format!("OP{:014}", payment.operations.len()),
        reference: format!("op-{}", payment.operations.len()),
        amount: amount(4_000),
        state,
        changed_seconds: SECONDS,
    });
    payment
}

/// The payment came to its state.
pub(crate) fn event(payment: Payment) -> Event {
    let id = "event-1".to_owned();
    Event { id, about: About::Payment, payment, seconds: SECONDS }
}

/// Its last operation came to its state.
pub(crate) fn operation_event(payment: Payment) -> Event {
    let about = About::Operation(payment.operations.len() - 1);
    Event { about, ..event(payment) }
}

/// A voice and an adapter that know each other.
pub(crate) struct Pair {
    pub(crate) voice: &'static dyn Voice,
    pub(crate) provider: &'static dyn Provider,
    pub(crate) speaker: Speaker,
    pub(crate) settings: AccountSettings,
}

impl Pair {
    /// Of that name, with these options.
    pub(crate) fn of(name: &str, options: &[(&'static str, &str)]) -> Self {
        let voice = voices::by_name(name).unwrap();
        let provider = crate::providers::by_name(name).unwrap();
        let (configured, signing) = voice.secrets(7);
        let mut settings = AccountSettings::signed_with(&[]);
        settings.secrets = vec![SigningSecret::always("00ff"), SigningSecret::always(configured)];
        settings.provider_merchant = Some("merchant-1".to_owned());
        for spec in provider.options() {
            settings.options.extend(spec.default.map(|default| (spec.name, default.to_owned())));
        }
        settings.options.extend(options.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let speaker = Speaker {
            secret: signing,
            options: options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            merchant: "merchant-1".to_owned(),
            now_seconds: SECONDS,
            ..Speaker::default()
        };
        Self { voice, provider, speaker, settings }
    }

    /// What the adapter reads of the voice's webhook.
    pub(crate) fn contents(&self, event: &Event) -> Option<Vec<Content>> {
        let readings = self.readings(event)?;
        Some(readings.into_iter().map(|reading| reading.content).collect())
    }

    /// What the adapter reads of the voice's webhook, after verifying it. `None` if the provider
    /// has no webhook for the event.
    pub(crate) fn readings(&self, event: &Event) -> Option<Vec<Reading>> {
        let webhook = self.voice.webhook(event, &self.speaker)?;
        let request = Request::new(&webhook.headers, &webhook.body);
        let now = Time::from_seconds(SECONDS);
        self.provider.verify(&request, &self.settings, now).unwrap();
        let mut other = self.settings.clone();
        other.secrets.truncate(1);
        if self.provider.signs_webhooks(&self.settings) {
            self.provider.verify(&request, &other, now).unwrap_err();
        }
        let readings = self.provider.read(&request, &self.settings).unwrap();
        assert!(readings.iter().all(|r| !r.event_id.is_empty() && r.event_id.len() <= 128));
        Some(readings)
    }

    /// The statements of it.
    pub(crate) fn statements(&self, event: &Event) -> Vec<Statement> {
        let contents = self.contents(event).unwrap_or_default();
        contents.into_iter().flat_map(statements).collect()
    }

    /// What the status API says of a payment, by whatever calls the adapter makes.
    pub(crate) fn asked(&self, ids: &[ProviderId], ledger: &[Payment]) -> Vec<Statement> {
        let api = self.provider.status_api().unwrap();
        let subject =
            Subject { ids, reference: None, amount: None, created: None, operations: &[] };
        let mut calls = api.ask(&subject, &self.settings);
        let mut said = Vec::new();
        while let Some(mut call) = calls.pop() {
            api.authorize(&mut call, None, &self.settings, Time::from_seconds(SECONDS));
            let reply = self.answer(&call, ledger);
            assert!(!matches!(reply.status, 401 | 403), "{call:?}");
            let response = Response { status: reply.status, body: &reply.body };
            let answer = api.read(&call, &response, &subject, &self.settings).unwrap();
            said.extend(answer.readings.into_iter().flat_map(|r| statements(r.content)));
            calls.extend(answer.then);
        }
        said
    }

    /// The voice's answer to a call.
    pub(crate) fn answer(
        &self,
        call: &Call,
        ledger: &[Payment],
    ) -> paystatus_simulator::voice::Reply {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let question = paystatus_simulator::voice::Question {
            method: if call.body.is_some() { "POST" } else { "GET" }.to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: call.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: call.body.clone().unwrap_or_default(),
        };
        self.voice.answer(&question, ledger, &self.speaker).expect("a path that the voice has")
    }

    /// The adapter's way to ask.
    pub(crate) fn api(&self) -> &'static dyn StatusApi {
        self.provider.status_api().unwrap()
    }
}

/// The statements of a content.
pub(crate) fn statements(content: Content) -> Vec<Statement> {
    match content {
        Content::Statements(statements) => statements,
        _ => Vec::new(),
    }
}

/// A statement in words: its ids, what it says of what, the amount.
pub(crate) fn in_words(statement: &Statement) -> String {
    let ids = |ids: &[ProviderId]| {
        let ids: Vec<_> = ids.iter().map(|id| format!("{}={}", id.kind, id.value)).collect();
        ids.join(",")
    };
    let said = match &statement.said {
        Said::Payment(claim) => payment_word(*claim).to_owned(),
        Said::Operation(op) => {
            let reference = op.reference.as_ref().map(|r| format!(" as {r}")).unwrap_or_default();
            format!("{:?} {} {}{reference}", op.kind, ids(&op.ids), operation_word(op.claim))
        }
    };
    let amount = statement.amount.map(|a| format!(" {}", a.money)).unwrap_or_default();
    let reference = statement.reference.as_ref().map(|r| format!(" as {r}")).unwrap_or_default();
    format!("{}{reference}: {said}{amount}", ids(&statement.ids))
}
