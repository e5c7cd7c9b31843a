//! TLS: this server's certificate, and the services that call with one of their own.

use std::{collections::BTreeSet, path::PathBuf};

use serde::Deserialize;

use super::{Config, Error, invalid};
use crate::{domain::ids::MerchantId, record::Role};

/// Services that may be listed.
const CLIENTS_MAX: usize = 1000;

/// TLS by two settings, and who else may call with a certificate.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// The authorities (PEM) whose certificates internal services may call gRPC with instead of an
    /// API key.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Those services.
    #[serde(default)]
    pub clients: Vec<ClientConfig>,
}

/// A service that calls with a certificate.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// A DNS name or URI among the subject alternative names of its certificate.
    pub name: String,
    /// `checkout`, `operator` or `owner`.
    pub role: String,
    /// The merchants it may touch. Without any: all, which only owners may.
    #[serde(default)]
    pub merchants: Vec<String>,
}

/// A service that may call with its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The name in its certificate: a DNS name or a URI among its subject alternative names.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// The merchants it may touch; empty is all, for an owner.
    pub merchants: Vec<MerchantId>,
}

impl Config {
    /// The services that call with a certificate, checked.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the setting.
    pub fn clients(&self) -> Result<Vec<Client>, Error> {
        let Some(tls) = &self.tls else { return Ok(Vec::new()) };
        if tls.client_ca.is_none() && !tls.clients.is_empty() {
            return Err(invalid("tls.clients", "needs tls.client_ca, which signs them"));
        }
        if tls.clients.len() > CLIENTS_MAX {
            return Err(invalid("tls.clients", format!("must be at most {CLIENTS_MAX}")));
        }
        let mut names = BTreeSet::new();
        for (index, client) in tls.clients.iter().enumerate() {
            if !names.insert(client.name.to_ascii_lowercase()) {
                return Err(invalid(format!("tls.clients[{index}].name"), "is there twice"));
            }
        }
        tls.clients.iter().enumerate().map(|(index, client)| client.check(index)).collect()
    }
}

impl ClientConfig {
    fn check(&self, index: usize) -> Result<Client, Error> {
        let wrong = |setting: &str, problem: String| {
            invalid(format!("tls.clients[{index}].{setting}"), problem)
        };
        if self.name.is_empty() || self.name.len() > 255 || !self.name.is_ascii() {
            return Err(wrong("name", "must be a DNS name or URI of 1 to 255 letters".to_owned()));
        }
        let role = match self.role.as_str() {
            "checkout" => Role::Checkout,
            "operator" => Role::Operator,
            "owner" => Role::Owner,
            _ => return Err(wrong("role", "must be checkout, operator or owner".to_owned())),
        };
        if self.merchants.is_empty() && role != Role::Owner {
            return Err(wrong("merchants", "is required, except for owners".to_owned()));
        }
        let parse = |merchant: &String| {
            MerchantId::parse(merchant).map_err(|error| wrong("merchants", error.to_string()))
        };
        let merchants = self.merchants.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Client { name: self.name.clone(), role, merchants })
    }
}

/// True if more than the list of services differs, which is read again without a restart.
pub(super) fn needs_restart(now: Option<&Tls>, start: Option<&Tls>) -> bool {
    let rest = |tls: Option<&Tls>| tls.map(|tls| Tls { clients: Vec::new(), ..tls.clone() });
    rest(now) != rest(start)
}
