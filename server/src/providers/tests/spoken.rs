//! Lives of payments as the simulator's voices tell them: its webhooks are verified and read by
//! the adapter, its status API is asked by the adapter, and both are put in words to compare.

use std::collections::{BTreeMap, BTreeSet};

use paystatus_simulator::{
    life::{
        About, Amount, Event, Operation, OperationKind as Kind, OperationState, Payment,
        PaymentState,
    },
    voice::{Question, Speaker, Voice, Webhook},
    voices,
};

use crate::{
    domain::{
        ids::{ProviderId, Reference},
        statement::{Said, Statement, operation_word, payment_word},
        time::Time,
    },
    providers::{
        AccountSettings, Call, Content, Provider, Request, Response, Secret, SigningSecret,
        StatusApi, Subject, Token, by_name,
    },
};

/// When everything is said, in seconds.
pub(in crate::providers) const NOW: i64 = 1_790_000_000;
/// Requests that one question may take.
const CALLS_MAX: usize = 32;

/// A voice and the adapter that hears it, of one account.
pub(in crate::providers) struct Spoken {
    voice: &'static dyn Voice,
    pub(in crate::providers) provider: &'static dyn Provider,
    pub(in crate::providers) speaker: Speaker,
    pub(in crate::providers) settings: AccountSettings,
}

impl Spoken {
    /// An account with these options beside the defaults, and these credentials.
    pub(in crate::providers) fn new(
        name: &str,
        options: &[(&'static str, String)],
        credentials: &[(&str, &str)],
    ) -> Self {
        let (voice, provider) = (voices::by_name(name).unwrap(), by_name(name).unwrap());
        let (configured, secret) = voice.secrets(7);
        let default = |spec: &crate::providers::OptionSpec| Some((spec.name, spec.default?.into()));
        let mut settings = AccountSettings {
            secrets: vec![SigningSecret::always(configured)],
            options: provider.options().iter().filter_map(default).collect(),
            ..AccountSettings::signed_with(&[])
        };
        settings.options.extend(options.iter().cloned());
        let texts: BTreeMap<String, String> =
            credentials.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
        settings.credentials =
            texts.iter().map(|(name, text)| (name.clone(), Secret::new(text))).collect();
        let speaker = Speaker {
            secret,
            options: settings.options.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            merchant: String::new(),
            credentials: texts,
            url: "http://127.0.0.1:1".to_owned(),
            now_seconds: NOW,
        };
        Self { voice, provider, speaker, settings }
    }

    pub(in crate::providers) fn webhook(&self, event: &Event) -> Option<Webhook> {
        self.voice.webhook(event, &self.speaker)
    }

    /// What the adapter hears of an event; nothing if the provider does not speak of it.
    pub(in crate::providers) fn hear(&self, event: &Event) -> Vec<Statement> {
        self.webhook(event).map(|webhook| self.read(&webhook).1).unwrap_or_default()
    }

    /// The id and the statements of a webhook, which must verify and say something.
    pub(in crate::providers) fn read(&self, webhook: &Webhook) -> (String, Vec<Statement>) {
        let mut request = Request::new(&webhook.headers, &webhook.body);
        let certificates = self.certificates(&request);
        request.certificates = certificates.as_deref();
        self.provider.verify(&request, &self.settings, Time::from_seconds(NOW)).unwrap();
        let mut readings = self.provider.read(&request, &self.settings).unwrap();
        assert_eq!(readings.len(), 1);
        let reading = readings.remove(0);
        let Content::Statements(statements) = reading.content else {
            panic!("{}: {:?}", reading.event_name, reading.content)
        };
        (reading.event_id, statements)
    }

    /// What stands where the request says that the certificate is.
    fn certificates(&self, request: &Request<'_>) -> Option<Vec<u8>> {
        let url = self.provider.certificate_url(request, &self.settings).unwrap()?;
        let path = url.strip_prefix(&self.speaker.url).unwrap().to_owned();
        let question = Question { method: "GET".into(), path, ..Question::default() };
        Some(self.voice.answer(&question, &[], &self.speaker).unwrap().body)
    }

    /// All that the adapter learns by asking about one payment of a ledger.
    pub(in crate::providers) fn ask(
        &self,
        ids: &[ProviderId],
        reference: Option<&str>,
        ledger: &[Payment],
    ) -> Vec<Statement> {
        let api = self.provider.status_api().unwrap();
        let reference = reference.map(|text| Reference::parse(text).unwrap());
        let subject = Subject {
            ids,
            reference: reference.as_ref(),
            amount: None,
            created: None,
            operations: &[],
        };
        let token = api.token_call(&self.settings).map(|call| {
            let (status, body) = self.send(api, &call, None, ledger);
            api.read_token(&Response { status, body: &body }).unwrap()
        });
        let mut open = api.ask(&subject, &self.settings);
        let mut said = Vec::new();
        let mut count = 0;
        while let Some(call) = open.pop() {
            count += 1;
            assert!(count <= CALLS_MAX);
            let (status, body) = self.send(api, &call, token.as_ref(), ledger);
            let response = Response { status, body: &body };
            let answer = api.read(&call, &response, &subject, &self.settings).unwrap();
            open.extend(answer.then);
            for reading in answer.readings {
                let Content::Statements(statements) = reading.content else { panic!() };
                said.extend(statements);
            }
        }
        said
    }

    fn send(
        &self,
        api: &dyn StatusApi,
        call: &Call,
        token: Option<&Token>,
        ledger: &[Payment],
    ) -> (u16, Vec<u8>) {
        let mut call = call.clone();
        if call.host == crate::providers::Host::Api {
            api.authorize(&mut call, token, &self.settings, Time::from_seconds(NOW));
        }
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let question = Question {
            method: if call.body.is_some() { "POST" } else { "GET" }.to_owned(),
            path: path.to_owned(),
            query,
            headers: call.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: call.body.clone().unwrap_or_default(),
        };
        let reply = self.voice.answer(&question, ledger, &self.speaker).expect(call.step);
        (reply.status, reply.body)
    }

    /// What the provider answers to somebody without the right credentials.
    pub(in crate::providers) fn status_for_strangers(&self, call: &Call) -> u16 {
        let path = call.path.split('?').next().unwrap_or_default().to_owned();
        let question = Question { method: "GET".into(), path, ..Question::default() };
        self.voice.answer(&question, &[], &self.speaker).unwrap().status
    }
}

// === Lives ===

fn amount(minor_units: u64) -> Amount {
    Amount { currency: "AUD".to_owned(), minor_units, exponent: 2 }
}

/// A payment of 100 AUD.
pub(in crate::providers) fn payment(id: &str, reference: &str, state: PaymentState) -> Payment {
    Payment {
        id: id.to_owned(),
        reference: reference.to_owned(),
        amount: amount(10_000),
        state,
        created_seconds: NOW - 100,
        changed_seconds: NOW - 50,
        operations: Vec::new(),
    }
}

/// Adds an operation of so many minor units, or changes one, and tells what happened.
pub(in crate::providers) fn operate(
    payment: &mut Payment,
    (kind, id): (Kind, &str),
    state: OperationState,
    minor_units: u64,
) -> Event {
    let found = payment.operations.iter().position(|o| o.kind == kind && o.id == id);
    let index = found.unwrap_or(payment.operations.len());
    if index == payment.operations.len() {
        payment.operations.push(Operation {
            kind,
            id: id.to_owned(),
            reference: format!("x-{id}"),
            amount: amount(minor_units),
            state,
            changed_seconds: NOW - 20,
        });
    }
    payment.operations[index].state = state;
    event(payment, About::Operation(index))
}

/// That a payment came where it is.
pub(in crate::providers) fn event(payment: &Payment, about: About) -> Event {
    let what = match about {
        About::Payment => format!("{:?}", payment.state),
        About::Operation(index) => {
            let operation = &payment.operations[index];
            format!("{:?}{}{:?}", operation.kind, operation.id, operation.state)
        }
    };
    Event {
        id: format!("{}{what}", payment.id),
        about,
        payment: payment.clone(),
        seconds: NOW - 10,
    }
}

// === In words ===

/// A statement in words: what it says, of how much, and which ids and references it names.
pub(in crate::providers) fn words(statement: &Statement) -> String {
    let ids = |ids: &[ProviderId]| {
        let texts: Vec<_> = ids.iter().map(|id| format!("{}={}", id.kind, id.value)).collect();
        texts.join(",")
    };
    let said = match &statement.said {
        Said::Payment(claim) => payment_word(*claim).to_owned(),
        Said::Operation(operation) => format!(
            "{:?} {} {} {}",
            operation.kind,
            operation_word(operation.claim),
            ids(&operation.ids),
            operation.reference.as_ref().map_or("-", Reference::as_str),
        ),
    };
    let amount = statement.amount.map_or_else(|| "-".to_owned(), |a| a.money.to_string());
    let reference = statement.reference.as_ref().map_or("-", Reference::as_str);
    format!("{said} of {amount} for {} {reference}", ids(&statement.ids))
}

/// Statements in words, whatever their order.
pub(in crate::providers) fn all_words(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().map(words).collect()
}
