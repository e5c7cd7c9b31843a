//! What the provider has to be asked while a webhook comes in: the certificate that it is signed
//! with, what became of a payment of which it says nothing but the id, and, if it does not
//! verify, whether there is something to know all the same.

use std::time::Duration;

use bytes::Bytes;

use super::{
    Context, forensics,
    intake::{NotAccepted, What},
};
use crate::{
    accounts::Account,
    domain::{command::Disposition, fact::Evidence},
    engine::Ask,
    outbound::Failed,
    providers::{Content, Reading, Request},
    record::KeptAs,
};

/// When a webhook should come again, where nobody knows better.
const LATER: Duration = Duration::from_secs(10);
/// Payments that one webhook may have the provider asked about while it waits.
const LOOKS_MAX: usize = 4;

type Headers = [(String, String)];

/// What the provider says the webhook was signed with, if it signs with certificates.
pub(super) async fn certificates(
    context: &Context,
    account: &Account,
    headers: &Headers,
    body: &Bytes,
) -> Result<Option<Bytes>, NotAccepted> {
    let request = Request::new(headers, body);
    let url = account.provider.certificate_url(&request, &account.settings);
    let url = url.map_err(|rejected| {
        forensics::rejected(context, account, &request, &rejected);
        NotAccepted::Rejected(rejected)
    })?;
    let Some(url) = url else { return Ok(None) };
    match context.outbound.certificate(&url).await {
        Ok(certificates) => Ok(Some(certificates)),
        Err(why) => {
            tracing::warn!(account = %account.id, %why, "a certificate cannot be fetched");
            Err(try_later(&why))
        }
    }
}

/// Asks about what the webhook names and says nothing of. If that is all that there is to it, what
/// became of the answer; `None` if the webhook itself is to be kept: because somebody signed it,
/// or because the provider knows nothing of it either.
pub(super) async fn look_first(
    context: &Context,
    account: &Account,
    (headers, body): (&Headers, &Bytes),
    asks: &[Ask],
) -> Result<Option<What>, NotAccepted> {
    let is_ignored = |ask: &Ask| matches!(ask, Ask::Keep(k, _) if k.kept_as == KeptAs::Ignored);
    if account.status_access.is_none() || !asks.iter().any(is_ignored) {
        return Ok(None);
    }
    let ids = readings(account, headers, body).into_iter().filter_map(|reading| {
        let Content::Look(id) = reading.content else { return None };
        Some(id)
    });
    let mut what = None;
    for id in ids.take(LOOKS_MAX) {
        match context.outbound.look_for(&account.id, &id).await {
            Ok(looked) if looked.is_known => {
                let disposition = looked.disposition.unwrap_or(Disposition::Superseded);
                what = what.into_iter().chain([What::Evidence(disposition)]).min();
            }
            Ok(_) | Err(Failed::NotAsked) => {}
            Err(why) => {
                tracing::warn!(account = %account.id, %why, "a webhook has to come again");
                return Err(try_later(&why));
            }
        }
    }
    let is_all = asks.iter().all(is_ignored) && !account.provider.signs_webhooks(&account.settings);
    Ok(what.filter(|_| is_all))
}

/// Has the provider asked about what a webhook names that does not verify.
pub(super) fn hint(context: &Context, account: &Account, headers: &Headers, body: &Bytes) {
    if account.status_access.is_none() {
        return;
    }
    let first = readings(account, headers, body).into_iter().find_map(|reading| {
        let Content::Statements(statements) = reading.content else { return None };
        let basis = account.provider.basis(&account.settings);
        Some(Evidence::first(account.id.clone(), basis, &reading.event_id, statements))
    });
    if let Some(named) = first {
        context.outbound.hint(&account.id, named.claims());
    }
}

fn readings(account: &Account, headers: &Headers, body: &Bytes) -> Vec<Reading> {
    let request = Request::new(headers, body);
    account.provider.read(&request, &account.settings).unwrap_or_default()
}

fn try_later(why: &Failed) -> NotAccepted {
    NotAccepted::TryLater { wait: why.wait().unwrap_or(LATER) }
}
