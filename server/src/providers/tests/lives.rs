//! Lives of payments as an honest provider leads them: made by a ledger, said by the provider's
//! voice as real signed webhooks, for every voice there is.

use paystatus_simulator::{
    Action, Amount, Event, Ledger, OperationKind, OperationState, Payment,
    voice::{Question, Speaker, Voice, Webhook},
};
use proptest::{prelude::*, sample::select};

use crate::{
    domain::{
        command::{AcceptEvidence, Command},
        fact::Evidence,
        statement::Basis,
        testing::{account, parent},
        time::Time,
    },
    providers::{AccountSettings, Content, Provider, Reading, Request, Secret, by_name},
};

/// When everything was sent, in seconds.
pub(super) const SENT: i64 = 1_763_726_400;
/// What both orders and payments are of, in minor units.
pub(super) const WHOLE: u64 = 10_000;

/// A provider's voice and the account at it.
pub(super) struct Speaking {
    pub(super) voice: &'static dyn Voice,
    pub(super) provider: &'static dyn Provider,
    pub(super) settings: AccountSettings,
    pub(super) speaker: Speaker,
}

impl Speaking {
    /// An account as a newcomer would configure it: defaults, and what must be stated.
    pub(super) fn of(voice: &'static dyn Voice) -> Self {
        let name = voice.name();
        let provider = by_name(name).unwrap_or_else(|| panic!("{name} has a voice, no adapter"));
        let (configured, private) = voice.secrets(7);
        let mut settings = AccountSettings::signed_with(&[&configured]);
        let mut speaker = Speaker {
            secret: private,
            url: "https://provider.test".to_owned(),
            now_seconds: SENT,
            ..Speaker::default()
        };
        let stated = voice.account_options("https://paystatus.test/webhooks/acc", &speaker.url);
        for spec in provider.options() {
            let value = stated.iter().find(|(name, _)| *name == spec.name);
            let value = value.map(|(_, value)| value.as_str()).or(spec.default);
            if let Some(value) = value {
                settings.options.insert(spec.name, value.to_owned());
                speaker.options.insert(spec.name.to_owned(), value.to_owned());
            }
        }
        for credential in provider.status_api().map_or(&[][..], |api| api.credentials()) {
            let value = voice.credential(credential);
            settings.credentials.insert((*credential).to_owned(), Secret::new(&value));
            speaker.credentials.insert((*credential).to_owned(), value);
        }
        Self { voice, provider, settings, speaker }
    }

    /// The same, so much later.
    fn later(&self, seconds: i64) -> Speaker {
        Speaker { now_seconds: SENT + seconds, ..self.speaker.clone() }
    }

    /// The webhook of an event, sent so much later.
    pub(super) fn webhook(&self, event: &Event, seconds: i64) -> Option<Webhook> {
        self.voice.webhook(event, &self.later(seconds))
    }

    /// What the edge makes of an event: its webhook is verified and read; where it is no more
    /// than a hint, the provider is asked.
    pub(super) fn accept(&self, event: &Event, seconds: i64) -> Vec<Command> {
        let webhook = self.webhook(event, seconds).expect("the life has events with webhooks only");
        let mut request = Request::new(&webhook.headers, &webhook.body);
        let certificates = self.provider.certificate_url(&request, &self.settings);
        let certificates = certificates.expect("the place is the provider's").map(|url| {
            let path = url.splitn(4, '/').nth(3).unwrap_or_default();
            let question = Question {
                method: "GET".to_owned(),
                path: format!("/{path}"),
                ..Question::default()
            };
            self.voice.answer(&question, &[], &self.speaker).expect("certificates are there").body
        });
        request.certificates = certificates.as_deref();
        let verified = self.provider.verify(&request, &self.settings, Time::from_seconds(SENT));
        verified.expect("the voice signs as the adapter verifies");
        let readings = self.provider.read(&request, &self.settings).expect("it is readable");
        let basis = self.provider.basis(&self.settings);
        readings.into_iter().flat_map(|reading| self.commands(reading, basis, event)).collect()
    }

    fn commands(&self, reading: Reading, basis: Basis, event: &Event) -> Vec<Command> {
        match reading.content {
            Content::Statements(statements) => {
                vec![evidence(basis, &reading.event_id, statements)]
            }
            Content::Look(id) => super::asking::ask(self, &[id], &event.payment),
            Content::Ignored { .. } => Vec::new(),
        }
    }
}

/// A fact about the only account there is.
pub(super) fn evidence(
    basis: Basis,
    event_id: &str,
    statements: Vec<crate::domain::statement::Statement>,
) -> Command {
    let evidence = Evidence::first(account(), basis, event_id, statements);
    let merchant = parent("x").merchant;
    Command::AcceptEvidence(AcceptEvidence { merchant, evidence, creates_orders: false })
}

/// What may happen, payment by payment: what cannot happen when its turn comes, does not.
pub(super) type Steps = Vec<(bool, Happening)>;

/// One thing that may happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    Pend,
    Authorize,
    Pay,
    Decline,
    Cancel,
    Expire,
    Fail,
    Correct,
    ExpireAuthorization,
    /// The first or second operation of a kind comes to a state.
    Operate(OperationKind, u8, OperationState),
}

/// Steps of two payments, the first of which gets further.
pub(super) fn steps() -> impl Strategy<Value = Steps> {
    use Happening as H;
    let done = |kind| H::Operate(kind, 1, OperationState::Succeeded);
    let undone = |kind| H::Operate(kind, 1, OperationState::Corrected);
    let (capture, refund) = (OperationKind::Capture, OperationKind::Refund);
    let openings: &[&[Happening]] = &[
        &[H::Authorize, done(capture), undone(capture)],
        &[H::Pay, done(refund), undone(refund)],
        &[H::Pay, H::Correct],
        &[H::Authorize, done(OperationKind::Void)],
        &[H::Authorize],
        &[H::Pend, H::Authorize],
        &[H::Pay],
        &[H::Pend, H::Pay],
        &[H::Pend, H::Decline, H::Authorize],
        &[H::Expire, H::Pay],
        &[H::Cancel],
        &[],
    ];
    let openings: Vec<_> = openings.iter().map(|steps| steps.to_vec()).collect();
    let opening = select(openings);
    let payment = select(
        &[
            H::Pend,
            H::Authorize,
            H::Pay,
            H::Decline,
            H::Cancel,
            H::Expire,
            H::Fail,
            H::Correct,
            H::ExpireAuthorization,
        ][..],
    );
    let kinds = select(&[OperationKind::Capture, OperationKind::Refund, OperationKind::Void][..]);
    let states = select(
        &[
            OperationState::Succeeded,
            OperationState::Succeeded,
            OperationState::Succeeded,
            OperationState::Pending,
            OperationState::Declined,
            OperationState::Error,
            OperationState::Corrected,
        ][..],
    );
    let operation =
        (kinds, 1..3_u8, states).prop_map(|(kind, number, state)| H::Operate(kind, number, state));
    let step = prop_oneof![1 => payment, 3 => operation];
    let steps = prop::collection::vec((prop::bool::weighted(0.3), step), 0..9);
    (opening, steps).prop_map(|(opening, steps)| {
        let first = opening.into_iter().map(|happening| (false, happening));
        first.chain(steps).collect()
    })
}

/// What happened to two payments of one order.
#[derive(Clone, Debug)]
pub(super) struct Life {
    /// In their order, all of them such as the provider has a webhook for.
    pub(super) events: Vec<Event>,
    /// In the end.
    pub(super) payments: Vec<Payment>,
}

/// Leads a life of what the provider can say. The two payments have these references.
pub(super) fn lead(speaking: &Speaking, steps: &Steps, references: [&str; 2]) -> Life {
    let mut ledger = Ledger::new(1);
    let amount = Amount { currency: "AUD".to_owned(), minor_units: WHOLE, exponent: 2 };
    let began = SENT - 100;
    let ids = references.map(|reference| ledger.open(reference, amount.clone(), began));
    let mut events = Vec::new();
    for (seconds, (second, happening)) in (began + 1..).zip(steps) {
        let index = usize::from(*second);
        let before = ledger.clone();
        let action = action(*happening, &before.payments()[index], *second);
        let Ok(event) = ledger.act(&ids[index], &action, seconds) else { continue };
        if speaking.webhook(&event, 0).is_some() {
            events.push(event);
        } else {
            ledger = before;
        }
    }
    Life { events, payments: ledger.payments().to_vec() }
}

fn action(happening: Happening, payment: &Payment, second: bool) -> Action {
    use OperationKind::{Capture, Refund, Void};
    match happening {
        Happening::Pend => Action::Pend,
        Happening::Authorize => Action::Authorize,
        Happening::Pay => Action::Pay,
        Happening::Decline => Action::Decline,
        Happening::Cancel => Action::Cancel,
        Happening::Expire => Action::Expire,
        Happening::Fail => Action::Fail,
        Happening::Correct => Action::Correct,
        Happening::ExpireAuthorization => Action::ExpireAuthorization,
        Happening::Operate(kind, number, state) => {
            // The merchant's references are for one operation each; `x1` is a refund of 40 that
            // it recorded.
            let letter = match (kind, second) {
                (Capture, false) => 'c',
                (Capture, true) => 'd',
                (Refund, false) => 'x',
                (Refund, true) => 'y',
                (Void, false) => 'v',
                (Void, true) => 'w',
            };
            let minor_units = match (kind, number) {
                (Capture | Refund, 1) => 4_000,
                (Capture, _) => 6_000,
                (Refund, _) => 2_500,
                (Void, _) => payment.room(Void),
            };
            Action::Operate { kind, reference: format!("{letter}{number}"), minor_units, state }
        }
    }
}
