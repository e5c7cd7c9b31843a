//! Where PayPal's certificate may be, and whether it is PayPal's.
//!
//! The request itself says where the certificate is, so the place is believed only if it is one
//! of PayPal's: else anybody could sign with a certificate of their own, or have us fetch what
//! they like. The place is read so strictly that no URL parser can understand it otherwise.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::{CERTIFICATE_HOST, CERTIFICATE_URL, TRUST_ROOTS};
use crate::{
    domain::time::Time,
    providers::{AccountSettings, Rejected},
};

/// Bytes of a place.
const URL_BYTES_MAX: usize = 512;
/// Certificates that a chain, or the roots of a setting, may have.
const CERTIFICATES_MAX: usize = 8;
/// Hosts of one's own machine: only there it may be plain HTTP, and any port.
const LOOPBACK: &[&str] = &["127.0.0.1", "localhost"];
/// Where on a host PayPal's signing certificates are, each under its own name.
const PATH: &str = "v1/notifications/certs/";
/// How the name in PayPal's certificate begins, and ends; between them, the sandbox's says so.
const NAME: (&str, &str) = ("messageverificationcerts.", ".paypal.com");

/// The place, if it is one of the account's.
pub(super) fn checked_url<'a>(
    url: &'a str,
    settings: &AccountSettings,
) -> Result<&'a str, Rejected> {
    let wanted = settings.option(CERTIFICATE_HOST).unwrap_or(NAME.1);
    let is_loopback = LOOPBACK.contains(&wanted);
    let rest = match url.strip_prefix("https://") {
        Some(rest) => Some(rest),
        None => url.strip_prefix("http://").filter(|_| is_loopback),
    };
    let (host, path) = rest.and_then(|rest| rest.split_once('/')).unwrap_or_default();
    let host = match host.split_once(':') {
        Some((host, port)) if is_loopback && is_port(port) => host,
        Some(_) => "",
        None => host,
    };
    let is_wanted = if wanted.starts_with('.') {
        let above = wanted.to_ascii_lowercase();
        host.len() > above.len() && host.to_ascii_lowercase().ends_with(&above)
    } else {
        host.eq_ignore_ascii_case(wanted)
    };
    let is_path = path.strip_prefix(PATH).is_some_and(|name| {
        !name.is_empty() && is_plain(name, b"-._") && !name.bytes().all(|b| b == b'.')
    });
    let fits = url.len() <= URL_BYTES_MAX && is_host(host) && is_wanted && is_path;
    if fits { Ok(url) } else { Err(Rejected::Malformed { place: CERTIFICATE_URL }) }
}

/// True for the plain name or IPv4 address of a host.
pub(super) fn is_host(text: &str) -> bool {
    let is_odd = text.is_empty() || text.contains("..") || text.starts_with(['.', '-']);
    !is_odd && !text.ends_with('.') && is_plain(text, b"-.")
}

fn is_plain(text: &str, others: &[u8]) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || others.contains(&b))
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// True if some texts were signed with the key of the certificate; checks first that it is
/// PayPal's, now.
pub(super) fn signed(
    pem: &[u8],
    texts: &[Vec<u8>],
    signature: &[u8],
    settings: &AccountSettings,
    now: Time,
) -> Result<bool, Rejected> {
    let chain = certificates(pem).ok_or(untrusted("is no PEM"))?;
    let (leaf, intermediates) = chain.split_first().ok_or(untrusted("is no PEM"))?;
    let leaf = EndEntityCert::try_from(leaf).map_err(|_| untrusted("cannot be read"))?;
    let own = settings.option(TRUST_ROOTS).filter(|pem| !pem.trim().is_empty());
    let own = own.map(|pem| certificates(pem.as_bytes()).unwrap_or_default());
    let own: Option<Vec<TrustAnchor<'_>>> = own
        .as_ref()
        .map(|roots| roots.iter().filter_map(|root| anchor_from_trusted_cert(root).ok()).collect());
    let roots = own.as_deref().unwrap_or(webpki_roots::TLS_SERVER_ROOTS);
    let seconds = u64::try_from(now.as_seconds()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    // What PayPal's certificates are meant for is not documented; they were those of servers.
    let leads_to_root =
        [KeyUsage::server_auth(), KeyUsage::client_auth()].into_iter().any(|usage| {
            let algorithms = ALL_VERIFICATION_ALGS;
            leaf.verify_for_usage(algorithms, roots, intermediates, time, usage, None, None).is_ok()
        });
    if !leads_to_root {
        return Err(untrusted("leads to no trusted root, or is not valid now"));
    }
    let is_paypals = |name: &str| name.starts_with(NAME.0) && name.ends_with(NAME.1);
    if !leaf.valid_dns_names().any(is_paypals) {
        return Err(untrusted("is of another name"));
    }
    let algorithm = webpki::ring::RSA_PKCS1_2048_8192_SHA256;
    let fits = |text: &&Vec<u8>| leaf.verify_signature(algorithm, text, signature).is_ok();
    Ok(texts.iter().filter(fits).count() > 0)
}

fn untrusted(what: &'static str) -> Rejected {
    Rejected::Untrusted { what }
}

/// The certificates of a PEM text; `None` if one is damaged, or there are too many.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let some = CertificateDer::pem_slice_iter(pem).take(CERTIFICATES_MAX + 1);
    let all: Vec<_> = some.collect::<Result<_, _>>().ok()?;
    (all.len() <= CERTIFICATES_MAX).then_some(all)
}
