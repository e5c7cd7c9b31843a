//! Page tokens: each names one order, ends, and lets a browser do no more than watch it and
//! leave a receipt. Signed as JWT (RFC 7519) with HS256; `kid` tells which key, so that keys can be
//! rotated, and taking a key away revokes what it signed.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::Rng as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    config::PageKeyConfig,
    domain::{
        digest::{ContentId, Digest},
        ids::{MerchantId, OrderId, OrderKey},
        time::Time,
    },
};

/// Whom tokens are for: no other token that may be signed with the same key is one of these.
const AUDIENCE: &str = "paystatus/pages";
/// Bytes of a token; longer ones are not looked at.
const TOKEN_BYTES_MAX: usize = 2048;
/// Bytes of a key's secret: as many as HS256 has (RFC 7518, 3.2).
const SECRET_BYTES_MIN: usize = 32;
/// The file of the key that is made where none is configured.
const KEY_FILE: &str = "page-key";

/// What a token says.
#[derive(Debug, Deserialize, Serialize)]
struct Claims {
    aud: String,
    /// The merchant.
    mer: String,
    /// The order.
    sub: String,
    /// When it was made, in seconds since 1970.
    iat: i64,
    /// When it ends, in seconds since 1970.
    exp: i64,
}

/// What a valid token grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The order that may be watched.
    pub order: OrderKey,
    /// Until when.
    pub until: Time,
    /// The hash of the token.
    pub token: [u8; 32],
    /// The key that signed it.
    pub key: KeyPrint,
}

/// Which key it was, name and secret: another secret under the same name is another key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyPrint(ContentId);

impl std::fmt::Debug for KeyPrint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPrint").finish_non_exhaustive()
    }
}

/// Why a token grants nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was valid once.
    #[error("the link has expired")]
    Expired,
    /// It is no token of ours, or its key is gone.
    #[error("the link is not valid")]
    Invalid,
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A key is too weak, or there twice.
    #[error("the page key {id} {problem}")]
    Unusable {
        /// Which.
        id: String,
        /// What is wrong with it, and what would be right.
        problem: &'static str,
    },
    /// A file cannot be read, or the first one not be made.
    #[error("the page key file {path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

struct Key {
    id: String,
    print: KeyPrint,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The keys: the first signs, each verifies.
pub struct Keys(Vec<Key>);

impl Keys {
    /// The configured keys, or else one of this server's own, which the first start makes.
    ///
    /// # Errors
    /// [`KeyError`] names the key or the file.
    pub fn load(configured: &[PageKeyConfig], data: &Path) -> Result<Self, KeyError> {
        if configured.is_empty() {
            let secret = own_secret(&data.join(KEY_FILE))?;
            return Ok(Self(vec![key("own", secret.as_bytes())?]));
        }
        let mut keys: Vec<Key> = Vec::new();
        for config in configured {
            let secret = match &config.file {
                None => config.secret.clone().unwrap_or_default(),
                Some(file) => std::fs::read_to_string(file)
                    .map_err(|source| KeyError::File { path: file.clone(), source })?,
            };
            let new = key(&config.id, secret.trim().as_bytes())?;
            if keys.iter().any(|key| key.id == new.id) {
                return Err(KeyError::Unusable { id: new.id, problem: "is there twice" });
            }
            keys.push(new);
        }
        Ok(Self(keys))
    }

    /// A token for one order.
    #[must_use]
    pub fn issue(
        &self,
        merchant: &MerchantId,
        order: &OrderId,
        now: Time,
        until: Time,
    ) -> Option<String> {
        let key = self.0.first()?;
        let header = Header { kid: Some(key.id.clone()), ..Header::new(Algorithm::HS256) };
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            mer: merchant.as_str().to_owned(),
            sub: order.as_str().to_owned(),
            iat: now.as_seconds(),
            exp: until.as_seconds(),
        };
        jsonwebtoken::encode(&header, &claims, &key.encoding).ok()
    }

    /// What a token grants now.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn verify(&self, text: &str, now: Time) -> Result<Grant, Refused> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Invalid);
        }
        let header = jsonwebtoken::decode_header(text).map_err(|_| Refused::Invalid)?;
        let id = header.kid.ok_or(Refused::Invalid)?;
        let key = self.0.iter().find(|key| key.id == id).ok_or(Refused::Invalid)?;
        // The time is compared below, with the clock of this server and without leeway.
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        let token = jsonwebtoken::decode::<Claims>(text, &key.decoding, &validation);
        let claims = token.map_err(|_| Refused::Invalid)?.claims;
        let merchant = MerchantId::parse(&claims.mer).map_err(|_| Refused::Invalid)?;
        let order = OrderId::parse(&claims.sub).map_err(|_| Refused::Invalid)?;
        let until = Time::from_seconds(claims.exp);
        if until <= now {
            return Err(Refused::Expired);
        }
        Ok(Grant {
            order: OrderKey::Recorded { merchant, order },
            until,
            token: Sha256::digest(text).into(),
            key: key.print,
        })
    }

    /// Whether what was granted once is granted still.
    ///
    /// # Errors
    /// [`Refused`].
    pub(super) fn check(&self, grant: &Grant, now: Time) -> Result<(), Refused> {
        match self.has(&grant.key) {
            true if now < grant.until => Ok(()),
            true => Err(Refused::Expired),
            false => Err(Refused::Invalid),
        }
    }

    /// True if a key is still there.
    fn has(&self, print: &KeyPrint) -> bool {
        self.0.iter().any(|key| key.print == *print)
    }
}

fn key(id: &str, secret: &[u8]) -> Result<Key, KeyError> {
    let unusable = |problem| KeyError::Unusable { id: id.to_owned(), problem };
    if id.is_empty() || id.len() > 64 {
        return Err(unusable("must have a name of 1 to 64 bytes"));
    }
    if secret.len() < SECRET_BYTES_MIN {
        return Err(unusable("must have a secret of at least 32 bytes"));
    }
    Ok(Key {
        id: id.to_owned(),
        print: KeyPrint(Digest::new("page key").text(id).text(&hex::encode(secret)).finish()),
        encoding: EncodingKey::from_secret(secret),
        decoding: DecodingKey::from_secret(secret),
    })
}

/// The secret in a file, made if there is none.
fn own_secret(path: &Path) -> Result<String, KeyError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let new = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match new {
        Ok(mut file) => {
            let secret = hex::encode(rand::rng().random::<[u8; SECRET_BYTES_MIN]>());
            file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(secret)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::read_to_string(path).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(id: &str, secret: &str) -> PageKeyConfig {
        PageKeyConfig { id: id.to_owned(), secret: Some(secret.to_owned()), file: None }
    }

    fn keys(configs: &[PageKeyConfig]) -> Keys {
        Keys::load(configs, Path::new("unused")).unwrap()
    }

    fn token(keys: &Keys) -> String {
        let (merchant, order) =
            (MerchantId::parse("shop").unwrap(), OrderId::parse("o/1").unwrap());
        keys.issue(&merchant, &order, Time::from_seconds(100), Time::from_seconds(200)).unwrap()
    }

    const OLD: &str = "0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210";

    #[test]
    fn a_token_grants_one_order_until_it_ends() {
        let keys = keys(&[config("k1", OLD)]);
        let token = token(&keys);
        let grant = keys.verify(&token, Time::from_seconds(199)).unwrap();
        assert!(matches!(grant.order, OrderKey::Recorded { order, .. } if order.as_str() == "o/1"));
        assert_eq!(keys.verify(&token, Time::from_seconds(200)), Err(Refused::Expired));
    }

    #[test]
    fn a_key_that_is_gone_revokes_what_it_signed() {
        let old = token(&keys(&[config("k1", OLD)]));
        let now = Time::from_seconds(150);
        let both = keys(&[config("k2", NEW), config("k1", OLD)]);
        assert!(both.verify(&old, now).is_ok());
        assert!(both.verify(&token(&both), now).is_ok());
        assert_eq!(keys(&[config("k2", NEW)]).verify(&old, now), Err(Refused::Invalid));
        // The same name with another secret is another key.
        assert_eq!(keys(&[config("k1", NEW)]).verify(&old, now), Err(Refused::Invalid));
    }

    #[test]
    fn what_is_not_signed_so_grants_nothing() {
        let keys = keys(&[config("k1", OLD)]);
        let now = Time::from_seconds(150);
        let good = token(&keys);
        for at in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bad = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.verify(&bad, now), Err(Refused::Invalid), "byte {at}");
        }
        let mut header = Header::new(Algorithm::HS512);
        header.kid = Some("k1".to_owned());
        let secret = EncodingKey::from_secret(OLD.as_bytes());
        let claims = |aud: &str| Claims {
            aud: aud.to_owned(),
            mer: "shop".to_owned(),
            sub: "o1".to_owned(),
            iat: 100,
            exp: 200,
        };
        let other = jsonwebtoken::encode(&header, &claims(AUDIENCE), &secret).unwrap();
        assert_eq!(keys.verify(&other, now), Err(Refused::Invalid), "another algorithm");
        header.alg = Algorithm::HS256;
        let other = jsonwebtoken::encode(&header, &claims("else"), &secret).unwrap();
        assert_eq!(keys.verify(&other, now), Err(Refused::Invalid), "for somebody else");
        let none = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.";
        assert_eq!(keys.verify(none, now), Err(Refused::Invalid), "no algorithm");
        assert_eq!(keys.verify(&"x".repeat(5000), now), Err(Refused::Invalid));
    }

    #[test]
    fn a_server_without_keys_makes_one_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = token(&Keys::load(&[], folder.path()).unwrap());
        let again = Keys::load(&[], folder.path()).unwrap();
        assert!(again.verify(&first, Time::from_seconds(150)).is_ok());
        use std::os::unix::fs::PermissionsExt as _;
        let mode = folder.path().join(KEY_FILE).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn weak_and_double_keys_are_refused() {
        let load = |configs: &[PageKeyConfig]| Keys::load(configs, Path::new("unused")).map(|_| ());
        assert!(load(&[config("k1", "short")]).is_err());
        assert!(load(&[config("", OLD)]).is_err());
        assert!(load(&[config("k1", OLD), config("k1", NEW)]).is_err());
    }
}
