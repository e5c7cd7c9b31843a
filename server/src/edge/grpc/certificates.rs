//! Services that call with a certificate instead of an API key. TLS has checked that it was signed
//! by the configured authority and is valid; here its name is looked up in the configuration.

use std::sync::{Arc, PoisonError, RwLock};

use rustls_pki_types::CertificateDer;
use tonic::{
    Status,
    transport::server::{TcpConnectInfo, TlsConnectInfo},
};
use webpki::EndEntityCert;

use super::auth::unauthenticated;
use crate::config::Client;

/// The services that are listed now. Replaced as a whole when the configuration is read again.
#[derive(Default)]
pub struct Certificates(RwLock<Vec<Arc<Client>>>);

impl Certificates {
    /// Those of a configuration.
    #[must_use]
    pub fn new(clients: Vec<Client>) -> Self {
        Self(RwLock::new(clients.into_iter().map(Arc::new).collect()))
    }

    /// Puts others in their place.
    pub fn replace(&self, clients: Vec<Client>) {
        let clients = clients.into_iter().map(Arc::new).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = clients;
    }

    /// The service of a certificate.
    ///
    /// # Errors
    /// UNAUTHENTICATED if none of its names is listed.
    pub(super) fn client(&self, certificate: &CertificateDer<'_>) -> Result<Arc<Client>, Status> {
        let names = EndEntityCert::try_from(certificate);
        let names = names.map_err(|_| unauthenticated("the certificate cannot be read"))?;
        let is_in = |name: &str| {
            names.valid_dns_names().any(|dns| dns.eq_ignore_ascii_case(name))
                || names.valid_uri_names().any(|uri| uri == name)
        };
        self.find(is_in)
    }

    /// The service of that name.
    ///
    /// # Errors
    /// UNAUTHENTICATED if it is not listed any more.
    pub(super) fn named(&self, name: &str) -> Result<Arc<Client>, Status> {
        self.find(|listed| listed == name)
    }

    fn find(&self, is_it: impl Fn(&str) -> bool) -> Result<Arc<Client>, Status> {
        let clients = self.0.read().unwrap_or_else(PoisonError::into_inner);
        clients.iter().find(|client| is_it(&client.name)).cloned().ok_or_else(|| {
            unauthenticated(
                "no name in the certificate is listed under tls.clients; have it listed, or send \
                 an API key",
            )
        })
    }
}

/// The certificate that the connection of a request was opened with.
pub(super) fn shown(extensions: &http::Extensions) -> Option<CertificateDer<'static>> {
    let connection = extensions.get::<TlsConnectInfo<TcpConnectInfo>>()?;
    connection.peer_certs()?.first().cloned()
}
