//! How a webhook comes in, whichever way it was carried here: verify, read, record, answer.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Context, forensics, inquiry};
use crate::{
    accounts::Account,
    clock,
    domain::{
        command::{AcceptEvidence, Command, Disposition},
        fact,
    },
    engine::{self, Ask, Evidence},
    journal::Attachment,
    providers::{Acknowledgement, Content, Reading, Rejected, Request},
    record::{Actor, KeptAs, KeptWebhook, Source, WebhookMeta, attachment},
};

/// Readings that one request may hold.
pub const READINGS_MAX: usize = 64;
/// What is shown in the place of a card token.
const REMOVED: &[u8] = b"[removed]";

/// What became of a webhook that was accepted. It is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Position of its first record, if one was made.
    pub position: Option<u64>,
    /// What became of it.
    pub what: What,
    /// What the provider expects to hear.
    pub acknowledgement: Acknowledgement,
}

/// What became of a webhook, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It was about an order.
    Evidence(Disposition),
    /// It was kept for other reasons.
    Kept,
    /// It could not be read.
    Unreadable,
}

/// Why a webhook was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotAccepted {
    /// It does not verify. The reason is for the log, not for the caller.
    #[error("the webhook does not verify")]
    Rejected(Rejected),
    /// What it takes to believe it, or to know what it is about, cannot be fetched now.
    #[error("the provider cannot be asked now; send it again")]
    TryLater {
        /// After how long.
        wait: Duration,
    },
    /// The engine did not take it.
    #[error(transparent)]
    Engine(engine::Error),
}

/// Takes one webhook: its headers and its body, and who handed it in, if that was a call. Returns
/// once its effect is on disk.
///
/// # Errors
/// [`NotAccepted`]; nothing was recorded, unless the engine says that it does not know.
pub async fn submit(
    context: &Context,
    account: &Account,
    (headers, body): (&[(String, String)], &Bytes),
    actor: Option<Actor>,
) -> Result<Accepted, NotAccepted> {
    let mut accepted = Accepted {
        position: None,
        what: What::Unreadable,
        acknowledgement: account.provider.acknowledge(),
    };
    let certificates = inquiry::certificates(context, account, headers, body).await?;
    let certificates = certificates.as_deref();
    let asks = read(account, headers, body, certificates).map_err(|rejected| {
        let request = Request { certificates, ..Request::new(headers, body) };
        forensics::rejected(context, account, &request, &rejected);
        inquiry::hint(context, account, headers, body);
        NotAccepted::Rejected(rejected)
    })?;
    if let Some(what) = inquiry::look_first(context, account, (headers, body), &asks).await? {
        context.tallies.of(&account.id).accepted(what, clock::now());
        return Ok(Accepted { what, ..accepted });
    }
    for mut ask in asks {
        let what = match &mut ask {
            Ask::Keep(kept, _) if kept.kept_as == KeptAs::Unreadable => What::Unreadable,
            Ask::Evidence(evidence) => {
                evidence.actor.clone_from(&actor);
                What::Kept
            }
            _ => What::Kept,
        };
        let answer = context.engine.ask(ask).await.map_err(NotAccepted::Engine)?;
        let what = answer.disposition.map_or(what, What::Evidence);
        accepted.what = accepted.what.min(what);
        accepted.position = accepted.position.or(answer.position);
    }
    context.tallies.of(&account.id).accepted(accepted.what, clock::now());
    if accepted.what == What::Unreadable {
        tracing::warn!(account = %account.id, position = accepted.position, "webhook unreadable");
    }
    Ok(accepted)
}

/// Verifies and reads a webhook: what the engine is to be asked. Records nothing.
///
/// # Errors
/// [`Rejected`].
pub fn read(
    account: &Account,
    headers: &[(String, String)],
    body: &Bytes,
    certificates: Option<&[u8]>,
) -> Result<Vec<Ask>, Rejected> {
    let request = Request { certificates, ..Request::new(headers, body) };
    let provider = account.provider;
    provider.verify(&request, &account.settings, clock::now())?;
    // What is read is what is kept, so that it reads the same when it is read again.
    let kept = kept(account, body);
    let request = Request { body: &kept, ..request };
    let webhook = Webhook::new(account, headers, (&kept, Sha256::digest(body).into()));
    Ok(match provider.read(&request, &account.settings) {
        Ok(readings) if readings.len() > READINGS_MAX => {
            vec![webhook.keep(KeptAs::Unreadable, "it holds too many events", None)]
        }
        Ok(readings) if readings.is_empty() => {
            vec![webhook.keep(KeptAs::Ignored, "it holds no event", None)]
        }
        Ok(readings) => readings.iter().map(|reading| webhook.ask(reading)).collect(),
        Err(unreadable) => vec![webhook.keep(KeptAs::Unreadable, &unreadable.what, None)],
    })
}

/// A verified webhook on its way into the journal.
pub(crate) struct Webhook<'a> {
    account: &'a Account,
    body_sha256: [u8; 32],
    headers: Vec<(String, String)>,
    attachments: Vec<Attachment>,
}

impl<'a> Webhook<'a> {
    /// A webhook with what is kept of its body, and the hash of all that was received.
    pub(crate) fn new(
        account: &'a Account,
        headers: &[(String, String)],
        (body, body_sha256): (&Bytes, [u8; 32]),
    ) -> Self {
        let needed = account.provider.reading_headers();
        let is_needed = |(name, _): &&(String, String)| needed.contains(&name.as_str());
        Self {
            account,
            body_sha256,
            headers: headers.iter().filter(is_needed).cloned().collect(),
            attachments: attachments(body, &account.provider.sensitive(body)),
        }
    }

    pub(crate) fn keep(&self, kept_as: KeptAs, reason: &str, reading: Option<&Reading>) -> Ask {
        let webhook = KeptWebhook {
            account: self.account.id.clone(),
            time: clock::now(),
            kept_as,
            reason: reason.to_owned(),
            event_id: reading.map(|r| r.event_id.clone()).unwrap_or_default(),
            event_name: reading.map(|r| r.event_name.clone()).unwrap_or_default(),
            body_sha256: self.body_sha256,
            headers: self.headers.clone(),
        };
        Ask::Keep(Box::new(webhook), self.attachments.clone())
    }

    pub(crate) fn ask(&self, reading: &Reading) -> Ask {
        match &reading.content {
            Content::Look(_) => self.keep(KeptAs::Ignored, "it says nothing itself", Some(reading)),
            Content::Ignored { reason } => self.keep(KeptAs::Ignored, reason, Some(reading)),
            Content::Statements(statements) => {
                let basis = self.account.provider.basis(&self.account.settings);
                let id = self.account.id.clone();
                let evidence =
                    fact::Evidence::first(id, basis, &reading.event_id, statements.clone());
                let meta = self.meta(reading, evidence.id);
                let command = Command::AcceptEvidence(AcceptEvidence {
                    merchant: self.account.merchant.clone(),
                    evidence,
                    creates_orders: self.account.creates_orders,
                });
                let attachments = self.attachments.clone();
                Ask::Evidence(Box::new(Evidence {
                    command,
                    webhook: meta,
                    attachments,
                    source: Source::Webhook,
                    actor: None,
                }))
            }
        }
    }

    pub(crate) fn meta(
        &self,
        reading: &Reading,
        id: crate::domain::digest::ContentId,
    ) -> WebhookMeta {
        WebhookMeta {
            account: self.account.id.clone(),
            event_id: reading.event_id.clone(),
            event_name: reading.event_name.clone(),
            body_sha256: self.body_sha256,
            disposition: Disposition::Applied,
            reading: id,
            headers: self.headers.clone(),
        }
    }
}

/// What is kept of a body: all of it, or all but the raw responses of payment methods, which then
/// are gone for good.
fn kept(account: &Account, body: &Bytes) -> Bytes {
    if account.keeps_raw_response {
        return body.clone();
    }
    let mut ranges = account.provider.raw_response(body);
    if ranges.is_empty() {
        return body.clone();
    }
    ranges.sort_by_key(|range| range.start);
    let mut kept = body.to_vec();
    let mut end = 0;
    for range in ranges {
        // One within another is gone with it.
        if range.start >= end && range.end <= kept.len() && !range.is_empty() {
            end = range.end;
            nothing_into(&mut kept[range]);
        }
    }
    kept.into()
}

/// Writes a JSON value that says nothing over another one, in exactly its room.
fn nothing_into(value: &mut [u8]) {
    let nothing: &[u8] = match value.len() {
        1 => b"0",
        2 | 3 => b"\"\"",
        _ => b"null",
    };
    value.fill(b' ');
    value[..nothing.len()].copy_from_slice(nothing);
}

/// The body with card tokens blanked out, and the tokens apart: so that they can be erased,
/// and are given to nobody by accident.
fn attachments(body: &Bytes, sensitive: &[std::ops::Range<usize>]) -> Vec<Attachment> {
    if sensitive.is_empty() {
        return vec![Attachment { kind: attachment::BODY, bytes: Some(body.clone()) }];
    }
    let mut blanked = body.to_vec();
    let mut tokens = Vec::new();
    for range in sensitive {
        let Some(secret) = body.get(range.clone()) else { continue };
        for number in [range.start, secret.len()] {
            tokens.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
        }
        tokens.extend_from_slice(secret);
        blanked[range.clone()].fill(b'*');
    }
    vec![
        Attachment { kind: attachment::BODY, bytes: Some(blanked.into()) },
        Attachment { kind: attachment::CARD_TOKEN, bytes: Some(tokens.into()) },
    ]
}

/// The body as it was received, or as much of it as is left.
#[must_use]
pub(crate) fn body(attachments: &[Attachment]) -> Option<Bytes> {
    let mut body = of_kind(attachments, attachment::BODY)?.to_vec();
    let tokens = of_kind(attachments, attachment::CARD_TOKEN).unwrap_or_default();
    for (start, secret) in tokens_of(&tokens) {
        if let Some(place) = body.get_mut(start..start.saturating_add(secret.len())) {
            place.copy_from_slice(secret);
        }
    }
    Some(body.into())
}

/// The body with [`REMOVED`] in the place of each card token. Where the tokens were erased it is
/// not known any more where they stood, and what blanks them stays.
#[must_use]
pub(crate) fn blanked_body(attachments: &[Attachment]) -> Option<Bytes> {
    let body = of_kind(attachments, attachment::BODY)?;
    let tokens = of_kind(attachments, attachment::CARD_TOKEN).unwrap_or_default();
    let mut shown = Vec::with_capacity(body.len());
    let mut after = 0;
    for (start, secret) in tokens_of(&tokens) {
        shown.extend_from_slice(body.get(after..start)?);
        shown.extend_from_slice(REMOVED);
        after = start.saturating_add(secret.len());
    }
    shown.extend_from_slice(body.get(after..)?);
    Some(shown.into())
}

fn of_kind(attachments: &[Attachment], kind: u8) -> Option<Bytes> {
    attachments.iter().find(|a| a.kind == kind)?.bytes.clone()
}

/// Card tokens as they are stored, each with where it stood; in their order.
fn tokens_of(stored: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = stored;
    std::iter::from_fn(move || {
        let (head, tail) = rest.split_at_checked(8)?;
        let number = |b: &[u8]| b.try_into().map_or(0, |b| u32::from_le_bytes(b) as usize);
        let (secret, next) = tail.split_at_checked(number(&head[4..]))?;
        rest = next;
        Some((number(&head[..4]), secret))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AccountConfig, Config};

    /// An Optty account that keeps raw responses, or not.
    fn account(keeps: bool) -> std::sync::Arc<crate::accounts::Live> {
        let mut account = AccountConfig::new("a", "optty", "m");
        account.secrets.push("s".to_owned().into());
        account.keep_raw_response = keeps;
        let config = Config { accounts: vec![account], ..Config::default() };
        crate::accounts::Live::new(config.accounts().expect("sound")).into()
    }

    #[test]
    fn raw_responses_are_gone_if_they_are_not_to_be_kept_and_the_rest_stays() {
        let body = |raw: &str| format!(r#"{{"data":{{"x":1,"rawBNPLResponse":{raw},"y":"é"}}}}"#);
        let live = [account(true), account(false)].map(|live| live.load());
        for raw in [r#"{"card":"4111"}"#, r#""text \" more""#, "[1,[2]]", "7", "12", "{}", "true"] {
            let whole = Bytes::from(body(raw));
            let [all, rest] = [0, 1].map(|i| kept(live[i].get("a").expect("there"), &whole));
            assert_eq!(all, whole);
            assert_eq!(rest.len(), whole.len());
            let read: serde_json::Value = serde_json::from_slice(&rest).expect("it stays JSON");
            assert_eq!((&read["data"]["x"], &read["data"]["y"]), (&1.into(), &"é".into()));
            let empty = [serde_json::Value::Null, "".into(), 0.into()];
            assert!(empty.contains(&read["data"]["rawBNPLResponse"]), "{read}");
        }
        let without = Bytes::from_static(b"not JSON");
        assert_eq!(kept(live[1].get("a").expect("there"), &without), without);
    }

    #[test]
    fn tokens_stand_apart_and_come_back() {
        let original = Bytes::from_static(b"{\"token\":\"abc\",\"again\":\"abc\"}");
        let stored = attachments(&original, &[10..13, 24..27]);
        assert_eq!(
            &blanked_body(&stored).unwrap()[..],
            b"{\"token\":\"[removed]\",\"again\":\"[removed]\"}"
        );
        assert_eq!(body(&stored), Some(original));
    }
}
