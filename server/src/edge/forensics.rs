//! Why a request did not verify, for the operator: the adapter is asked again with other secrets,
//! another clock and other encodings of the body. The caller hears none of it, and no value of a
//! secret, a header or the body gets into an explanation.

use std::fmt;

use super::{
    Context, reencoded,
    tally::{Rejection, Tally},
};
use crate::{
    accounts::Account,
    clock,
    domain::time::Time,
    providers::{AccountSettings, Rejected, Request, SigningSecret},
};

/// Header names that are kept of a request.
const NAMES_MAX: usize = 50;
/// Bytes of a header name that are kept.
const NAME_BYTES_MAX: usize = 64;
/// Secrets that do not count now and are tried.
const SECRETS_MAX: usize = 8;
/// Bytes of a body of which other encodings are tried.
const REENCODED_BYTES_MAX: usize = 256 * 1024;
/// A tolerance that no clock exceeds: a hundred years, in seconds.
const ANY_CLOCK: i64 = 100 * 365 * 24 * 60 * 60;

/// What would have made a request verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Another clock, here or there.
    Clock,
    /// A secret that is not active any more: the how manieth of the account, from 1.
    EndedSecret(usize),
    /// A secret that is not active yet.
    ComingSecret(usize),
    /// The body as it was before somebody encoded it anew.
    Reencoded(&'static str),
    /// Nothing that was tried.
    Nothing,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clock => f.write_str(
                "the signature is right and its time is not: check the clocks, or whether \
                 something holds webhooks back and sends them later",
            ),
            Self::EndedSecret(number) => write!(
                f,
                "secret {number} of the account matches, which has ended: the provider still \
                 signs with it"
            ),
            Self::ComingSecret(number) => write!(
                f,
                "secret {number} of the account matches, which does not count yet: the provider \
                 signs with it already"
            ),
            Self::Reencoded(form) => write!(
                f,
                "the body was encoded anew on its way (a proxy, a framework, a tunnel): {form} \
                 it matches. The raw bytes must arrive"
            ),
            Self::Nothing => f.write_str(
                "no secret of the account matches, at no time and in no usual encoding of the \
                 body: another secret, another account, or a forgery",
            ),
        }
    }
}

/// Counts a rejected request, and unless there are too many explains it, in the log and for
/// operators.
pub(super) fn rejected(
    context: &Context,
    account: &Account,
    request: &Request<'_>,
    rejected: &Rejected,
) {
    let now = clock::now();
    let tally = context.tallies.of(&account.id);
    if let Some(unexplained) = tally.rejected(rejected, now) {
        record(&tally, account, request, (rejected, now, unexplained));
    }
}

fn record(
    tally: &Tally,
    account: &Account,
    request: &Request<'_>,
    (rejected, now, unexplained): (&Rejected, Time, u64),
) {
    let header_names = names(request);
    let findings = explain(account, request, rejected, now);
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    tracing::warn!(
        account = %account.id,
        reason = %rejected,
        findings = told.join("; "),
        names = header_names.join(" "),
        body_bytes = request.body.len(),
        unexplained,
        "webhook rejected"
    );
    tally.keep(Rejection {
        time: now,
        rejected: rejected.clone(),
        header_names,
        body_bytes: request.body.len(),
        findings,
    });
}

/// Names of the headers, as far as they are fit to be shown.
fn names(request: &Request<'_>) -> Vec<String> {
    let shown = |(name, _): &(String, String)| -> String {
        name.chars().filter(char::is_ascii_graphic).take(NAME_BYTES_MAX).collect()
    };
    request.headers.iter().map(shown).take(NAMES_MAX).collect()
}

/// Asks the adapter again, with one thing altered at a time.
fn explain(
    account: &Account,
    request: &Request<'_>,
    rejected: &Rejected,
    now: Time,
) -> Vec<Finding> {
    // Without a signature, or a place it holds for, nothing else matters.
    let is_hopeless = matches!(
        rejected,
        Rejected::Missing { .. }
            | Rejected::Malformed { .. }
            | Rejected::NoUrl
            | Rejected::Untrusted { .. }
    );
    if is_hopeless {
        return Vec::new();
    }
    let any_clock = AccountSettings { tolerance_seconds: ANY_CLOCK, ..account.settings.clone() };
    let verifies = |request: &Request<'_>, settings: &AccountSettings| {
        account.provider.verify(request, settings, now).is_ok()
    };
    if verifies(request, &any_clock) {
        return vec![Finding::Clock];
    }
    let mut findings = Vec::new();
    let inactive = account.settings.secrets.iter().zip(1..).filter(|(s, _)| !s.is_active(now));
    for (secret, number) in inactive.take(SECRETS_MAX) {
        let alone = SigningSecret { secret: secret.secret.clone(), from: None, until: None };
        let settings = AccountSettings { secrets: vec![alone], ..any_clock.clone() };
        if verifies(request, &settings) {
            let has_ended = secret.until.is_some_and(|until| until <= now);
            findings.push(match has_ended {
                true => Finding::EndedSecret(number),
                false => Finding::ComingSecret(number),
            });
        }
    }
    if findings.is_empty() && request.body.len() <= REENCODED_BYTES_MAX {
        let matches = |body: &[u8]| verifies(&Request { body, ..*request }, &any_clock);
        findings.extend(reencoded::find(request.body, matches).map(Finding::Reencoded));
    }
    if findings.is_empty() {
        findings.push(Finding::Nothing);
    }
    findings
}

#[cfg(test)]
mod tests;
