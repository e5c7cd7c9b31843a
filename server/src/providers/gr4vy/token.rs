//! The token that Gr4vy's API wants: a JWT, signed with ES512 (ECDSA on P-521) by the private key
//! that its dashboard gives. As the SDKs make it (`auth.py` of `gr4vy` 2.4.27): claims `scopes`, `iss`,
//! `iat`, `nbf`, `exp`, `jti`, and as `kid` the key's thumbprint of RFC 7638.
//!
//! Signing is deterministic (RFC 6979) and `jti` is made of the key and the second, so the token is
//! a function of key and time. The SDKs use one token for up to an hour, so a `jti` may come
//! again.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use p521::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::sec1::ToSec1Point,
    pkcs8::DecodePrivateKey,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::domain::{digest::Digest, time::Time};

/// How long a token is valid.
const SECONDS: i64 = 600;
/// How far Gr4vy's clock may be behind ours.
const SKEW_SECONDS: i64 = 30;
/// All that asking needs.
const SCOPES: &[&str] = &["transactions.read"];

/// A token made with this key (PEM: PKCS #8 or SEC 1) at this moment. A text that has the form of a
/// token was made elsewhere, and is given as it is. `None` for anything else: it may be a key that
/// cannot be read, and must not be sent.
pub(super) fn bearer(private_key: &str, now: Time) -> Option<String> {
    let made_elsewhere = || Some(private_key.trim().to_owned()).filter(|text| is_token(text));
    parse(private_key).map(|key| sign(&key, now)).or_else(made_elsewhere)
}

/// True if a token can be made of it.
pub(super) fn is_usable(private_key: &str) -> bool {
    parse(private_key).is_some() || is_token(private_key.trim())
}

/// The form of a JWT: three parts in base64url, the first a JSON object (RFC 7519).
fn is_token(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let decoded = |part: &str| BASE64.decode(part).ok().filter(|bytes| !bytes.is_empty());
    let is_object = |header: &str| {
        let header = decoded(header).unwrap_or_default();
        serde_json::from_slice::<serde_json::Map<_, _>>(&header).is_ok()
    };
    match parts[..] {
        [header, claims, signature] => {
            is_object(header) && decoded(claims).is_some() && decoded(signature).is_some()
        }
        _ => false,
    }
}

fn parse(pem: &str) -> Option<SecretKey> {
    let key = SecretKey::from_pkcs8_pem(pem.trim()).ok();
    key.or_else(|| SecretKey::from_sec1_pem(pem.trim()).ok())
}

fn sign(key: &SecretKey, now: Time) -> String {
    let kid = thumbprint(key);
    let seconds = now.as_seconds();
    let header = json!({ "alg": "ES512", "kid": kid, "typ": "JWT" });
    let claims = json!({
        "scopes": SCOPES,
        "iss": "paystatus",
        "iat": seconds,
        "nbf": seconds - SKEW_SECONDS,
        "exp": seconds + SECONDS,
        "jti": hex::encode(Digest::new("gr4vy token").text(&kid).number(seconds).finish()),
    });
    let encode = |value: serde_json::Value| BASE64.encode(value.to_string());
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature: Signature = SigningKey::from(key).sign(signed.as_bytes());
    format!("{signed}.{}", BASE64.encode(signature.to_bytes()))
}

/// SHA-256 of the public key as a JWK with only its required members, in order.
fn thumbprint(key: &SecretKey) -> String {
    let point = key.public_key().to_sec1_point(false);
    let coordinate = |bytes: Option<&_>| bytes.map(|b: &p521::FieldBytes| BASE64.encode(b));
    let (x, y) = (coordinate(point.x()), coordinate(point.y()));
    let jwk = json!({ "crv": "P-521", "kty": "EC", "x": x, "y": y });
    BASE64.encode(Sha256::digest(jwk.to_string()))
}
