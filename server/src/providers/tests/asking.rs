//! A simulated account asks the provider as the poller does, without a network.

use paystatus_simulator::{
    life::{Event, Payment},
    voice::{Question, Reply},
};

use super::{
    happened::NOW,
    in_words::{all_words, statements},
    simulated::SimulatedAccount,
};
use crate::{
    domain::{
        ids::{ProviderId, Reference},
        statement::Statement,
        time::Time,
    },
    providers::{Call, Content, Reading, Response, StatusApi, Subject},
};

/// Requests that one question may take.
const CALLS_MAX: usize = 20;

impl SimulatedAccount {
    /// The adapter's way to ask.
    pub(in crate::providers) fn api(&self) -> &'static dyn StatusApi {
        let name = self.voice.name();
        self.provider.status_api().unwrap_or_else(|| panic!("{name} cannot be asked"))
    }

    /// All that the adapter reads when it asks about one payment of a ledger, by whatever calls
    /// that takes.
    pub(in crate::providers) fn look(
        &self,
        subject: &Subject<'_>,
        ledger: &[Payment],
    ) -> Vec<Reading> {
        let api = self.api();
        let token = api.token_call(&self.settings).map(|call| {
            let reply = self.answer(&call, ledger);
            api.read_token(&Response { status: reply.status, body: &reply.body }).unwrap()
        });
        let mut calls = api.ask(subject, &self.settings);
        let mut readings = Vec::new();
        let mut count = 0;
        while let Some(mut call) = calls.pop() {
            count += 1;
            assert!(count <= CALLS_MAX, "{} asks without end", self.voice.name());
            api.authorize(&mut call, token.as_ref(), &self.settings, Time::from_seconds(NOW));
            let reply = self.answer(&call, ledger);
            assert!(reply.status < 500 && ![401, 403, 429].contains(&reply.status), "{call:?}");
            let response = Response { status: reply.status, body: &reply.body };
            let answer = api.read(&call, &response, subject, &self.settings).unwrap();
            calls.extend(answer.then);
            readings.extend(answer.readings);
        }
        let says = |reading: &Reading| matches!(reading.content, Content::Statements(_));
        assert!(readings.iter().all(says), "an answer says something or is left out: {readings:?}");
        readings
    }

    /// What the adapter learns by asking with these names of a payment.
    pub(in crate::providers) fn ask(
        &self,
        ids: &[ProviderId],
        reference: Option<&str>,
        ledger: &[Payment],
    ) -> Vec<Statement> {
        let reference = reference.map(|text| Reference::parse(text).unwrap());
        let subject = Subject { ids, reference: reference.as_ref(), ..Subject::default() };
        let readings = self.look(&subject, ledger);
        readings.into_iter().flat_map(|reading| statements(reading.content)).collect()
    }

    /// Fails unless asking about a payment says something, and nothing that these events of it
    /// did not say.
    pub(in crate::providers) fn assert_asked_was_heard(
        &self,
        ids: &[ProviderId],
        payment: &Payment,
        events: &[Event],
    ) {
        let heard: Vec<_> = events.iter().flat_map(|event| self.hear(event)).collect();
        let asked = self.ask(ids, None, std::slice::from_ref(payment));
        let (heard, asked) = (all_words(&heard), all_words(&asked));
        assert!(!asked.is_empty() && asked.is_subset(&heard), "{asked:#?} {heard:#?}");
    }

    /// The provider's answer to a call.
    pub(in crate::providers) fn answer(&self, call: &Call, ledger: &[Payment]) -> Reply {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let question = Question {
            method: if call.body.is_some() { "POST" } else { "GET" }.to_owned(),
            path: path.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers: call.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
            body: call.body.clone().unwrap_or_default(),
        };
        let reply = self.voice.answer(&question, ledger, &self.speaker);
        reply.unwrap_or_else(|| panic!("{} has no {}", self.voice.name(), call.step))
    }
}
