//! PayPal: orders of the Orders API v2, with their authorisations, captures and refunds.
//!
//! Sources, named in brackets where a fact stands:
//! - \[W\] developer.paypal.com/api/rest/webhooks, `rest/` and `event-names/`: headers, signature,
//!   events, retries (25 times over three days).
//! - \[O\] developer.paypal.com, Orders API v2 and Payments API v2; `paypal-server-sdk` 2.4.0: the
//!   objects and their statuses.
//! - \[P\] PayPal-Python-SDK (archived 2020): the signed text, an example of it.
//! - \[J\] PayPal's Java SDK: the name in its certificate, `messageverificationcerts.paypal.com`.
//!
//! **The signature** \[W\]\[P\]. RSA PKCS#1 v1.5 with SHA-256 over
//! `{transmission id}|{transmission time}|{webhook id}|{CRC-32 of the body, in decimal}`. The
//! webhook id is what the account configures as its secret: it is never sent, so a webhook meant
//! for another one (the sandbox's, another merchant's) does not verify. The certificate is behind
//! `PAYPAL-CERT-URL`: its host must be PayPal's, its path the one of all such certificates
//! (`/v1/notifications/certs/CERT-…`, as in PayPal's own examples), its chain must lead to a root that we trust, its
//! name must be the one of PayPal's signing certificates.
//!
//! A CRC-32 is no digest: who has seen the headers of one webhook can write another body that
//! they fit. Keep these headers out of logs, or let the account confirm payments by polls
//! (`confirm_payments`).
//!
//! **The time** is signed, but whether a retry is signed anew is not documented, and retries go
//! on for three days. A narrow window would then lose every webhook that did not arrive at once. So
//! times up to four days old are taken, and none from the future beyond the tolerance: headers that
//! somebody has seen are of use for that long, and no longer. `transmission_time_window` `on` makes
//! it the tolerance both ways.
//!
//! **Attempts.** The order is the attempt; authorisations and captures belong to one order, so
//! their ids name the payment too (a refund names nothing but its capture). With the intent
//! CAPTURE a capture is a sale of the whole; after an authorisation it is a capture. An
//! order of several purchase units has a sale for each: their amounts are not that of the order,
//! which people get to see as an amount mismatch.
//!
//! Not documented, so left out or decided here: whether a void was the merchant's or that of a
//! time limit (it is a void); what a refund's `invoice_id` is when nobody gave it one (so a
//! refund has a reference only if the account says where); a success after a failed refund.

mod certificate;
mod reading;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{
    AccountSettings, Acknowledgement, InvalidOption, OptionSpec, Provider, Reading, Rejected,
    Request, StatusApi, Unreadable,
    json::{self, Object},
    signed, text,
};
use crate::domain::{statement::Basis, time::Time};

/// How old a signed time may be where retries are to be taken: they end after three days \[W\], and
/// a day is for those that wait for us.
const AGE_SECONDS_MAX: i64 = 4 * 24 * 60 * 60;

const ID: &str = "paypal-transmission-id";
const TIME: &str = "paypal-transmission-time";
const SIGNATURE: &str = "paypal-transmission-sig";
const CERTIFICATE_URL: &str = "paypal-cert-url";
const ALGORITHM: &str = "paypal-auth-algo";

const CERTIFICATE_HOST: &str = "certificate_host";
const TRUST_ROOTS: &str = "trust_roots_pem";
const WINDOW: &str = "transmission_time_window";
const REFERENCE_FIELD: &str = "reference_field";
const REFUND_REFERENCE_FIELD: &str = "refund_reference_field";

const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: CERTIFICATE_HOST,
        values: &[],
        default: Some(".paypal.com"),
        help: "host of the signing certificate; one that begins with a point stands for all below",
    },
    OptionSpec {
        name: TRUST_ROOTS,
        values: &[],
        default: None,
        help: "whom to believe instead of the public roots, as PEM: for tests",
    },
    OptionSpec {
        name: WINDOW,
        values: &["off", "on"],
        default: Some("off"),
        help: "on: refuse webhooks whose time is off by more than the tolerance, retries too; \
               off: those older than 4 days, or ahead by more than the tolerance",
    },
    OptionSpec {
        name: REFERENCE_FIELD,
        values: &["invoice_id", "custom_id"],
        default: Some("invoice_id"),
        help: "the field that carries a payment's reference",
    },
    OptionSpec {
        name: REFUND_REFERENCE_FIELD,
        values: &["none", "invoice_id", "custom_id"],
        default: Some("none"),
        help: "the field that carries a refund's reference",
    },
];

/// Who pays, and what stored payment methods are called.
const SENSITIVE: &[&str] =
    &["account_id", "email_address", "national_number", "payer_id", "phone", "token", "vault_id"];

/// The adapter.
#[derive(Clone, Copy, Debug)]
pub struct Paypal;

impl Provider for Paypal {
    fn options(&self) -> &'static [OptionSpec] {
        OPTIONS
    }

    fn check_options(&self, settings: &AccountSettings) -> Result<(), InvalidOption> {
        let host = settings.option(CERTIFICATE_HOST).unwrap_or(".paypal.com");
        if certificate::is_host(host.strip_prefix('.').unwrap_or(host)) {
            return Ok(());
        }
        let problem = "must be a host, or a point and the host above it";
        Err(InvalidOption { name: CERTIFICATE_HOST, problem })
    }

    fn certificate_url(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Option<String>, Rejected> {
        let url = signed::only(request, CERTIFICATE_URL)?;
        certificate::checked_url(url, settings).map(|url| Some(url.to_owned()))
    }

    fn verify(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
        now: Time,
    ) -> Result<(), Rejected> {
        let webhook_ids: Vec<&str> = settings.active_secrets(now).collect();
        if webhook_ids.is_empty() {
            return Err(Rejected::NoSecret);
        }
        let (id, time) = (signed::only(request, ID)?, signed::only(request, TIME)?);
        if signed::only(request, ALGORITHM)? != "SHA256withRSA" {
            return Err(Rejected::Malformed { place: ALGORITHM });
        }
        let signature = BASE64.decode(signed::only(request, SIGNATURE)?);
        let signature = signature.map_err(|_| Rejected::Malformed { place: SIGNATURE })?;
        let sent = json::rfc_3339(time).ok_or(Rejected::Malformed { place: TIME })?;
        certificate::checked_url(signed::only(request, CERTIFICATE_URL)?, settings)?;
        let certificates = request.certificates;
        let certificates = certificates.ok_or(Rejected::Untrusted { what: "was not found" })?;
        let texts = webhook_ids.iter().map(|webhook| signed_text(id, time, webhook, request.body));
        let texts: Vec<Vec<u8>> = texts.map(String::into_bytes).collect();
        if !certificate::signed(certificates, &texts, &signature, settings, now)? {
            return Err(Rejected::Mismatch);
        }
        match settings.option(WINDOW) {
            Some("on") => signed::check_time(sent, settings, now),
            _ => check_age(sent, settings, now),
        }
    }

    fn read(
        &self,
        request: &Request<'_>,
        settings: &AccountSettings,
    ) -> Result<Vec<Reading>, Unreadable> {
        json::check_depth(request.body)?;
        let body = Object::of_body(request.body)?;
        reading::read(&body, settings)
    }

    /// Every 2xx counts as success.
    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, body: "" }
    }

    fn basis(&self, settings: &AccountSettings) -> Basis {
        if settings.confirm_payments { Basis::DoubtfulWebhook } else { Basis::Webhook }
    }

    /// PayPal can be set to refuse a second payment under one `invoice_id`, and need not be.
    fn reference_identifies_attempt(&self) -> bool {
        false
    }

    fn sensitive(&self, body: &[u8]) -> Vec<Range<usize>> {
        text::named(body, SENSITIVE, &["customer", "vault"])
    }

    fn status_api(&self) -> Option<&'static dyn StatusApi> {
        Some(&status::Api)
    }
}

/// Refuses a time from the future, and one that no retry can have any more.
fn check_age(sent: Time, settings: &AccountSettings, now: Time) -> Result<(), Rejected> {
    let seconds_off = signed::seconds_off(sent, now);
    let tolerance = settings.tolerance_seconds.max(0);
    let seconds_max = if seconds_off > 0 { tolerance } else { AGE_SECONDS_MAX.max(tolerance) };
    signed::check_window(seconds_off, seconds_max)
}

/// What PayPal signs of a webhook.
fn signed_text(id: &str, time: &str, webhook_id: &str, body: &[u8]) -> String {
    format!("{id}|{time}|{webhook_id}|{}", crc32fast::hash(body))
}
