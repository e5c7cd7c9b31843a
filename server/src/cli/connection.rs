//! How client commands reach a server.

use std::path::{Path, PathBuf};

use clap::Args;
use paystatus_client::{Client, Error, Identity, Page, PageRequest, Tls};

use super::failure::Failure;
use crate::{serve, simulate};

/// Which server, and with what key.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct Connection {
    /// Address of the server.
    #[arg(long, env = "PAYSTATUS_SERVER", default_value = "http://127.0.0.1:50051")]
    #[arg(value_name = "URL")]
    server: String,
    /// API key. Better in the variable: other users can see command lines.
    #[arg(long, visible_alias = "api-key", env = "PAYSTATUS_API_KEY", hide_env_values = true)]
    #[arg(value_name = "SECRET")]
    key: Option<String>,
    /// For https: trust the authority in this PEM file instead of the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// For https: call with the certificate in this PEM file, instead of a key.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// The private key of that certificate, a PEM file.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

/// The same, and whose orders.
#[derive(Args)]
#[command(next_help_heading = "Connection")]
pub(super) struct MerchantConnection {
    #[command(flatten)]
    connection: Connection,
    /// Whose orders. Not needed with a key that is for one merchant only.
    #[arg(long, env = "PAYSTATUS_MERCHANT", value_name = "MERCHANT", default_value = "")]
    #[arg(hide_default_value = true)]
    merchant: String,
}

impl Connection {
    /// Connects, makes calls, and explains what fails.
    pub(super) fn run<T>(
        &self,
        calls: impl AsyncFnOnce(&Client) -> Result<T, Stopped>,
    ) -> Result<T, Failure> {
        self.run_for("", calls)
    }

    fn run_for<T>(
        &self,
        merchant: &str,
        calls: impl AsyncFnOnce(&Client) -> Result<T, Stopped>,
    ) -> Result<T, Failure> {
        super::log::start("error");
        let mut builder = Client::builder(&self.server).merchant(merchant);
        if let Some(key) = self.key() {
            builder = builder.api_key(key);
        }
        let ca_pem = self.ca.as_deref().map(text).transpose()?;
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => {
                Some(Identity { certificate_pem: text(certificate)?, key_pem: text(key)? })
            }
            _ => None,
        };
        if ca_pem.is_some() || identity.is_some() {
            builder = builder.tls(Tls { ca_pem, identity, ..Tls::default() });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(serve::Error::Thread)?;
        let result = runtime.block_on(async {
            let client = builder.connect().await?;
            calls(&client).await
        });
        result.map_err(|stopped| match stopped {
            Stopped::Call(error) => Failure::of_call(*error, &self.server, self.key().is_some()),
            Stopped::Output(error) => Failure::Output(error),
            Stopped::Failed(failure) => *failure,
        })
    }

    /// A key that is there: an empty variable is none.
    fn key(&self) -> Option<&str> {
        self.key.as_deref().map(str::trim).filter(|key| !key.is_empty())
    }
}

/// What a file holds.
fn text(file: &Path) -> Result<String, Failure> {
    let path = file.display().to_string();
    std::fs::read_to_string(file).map_err(|source| Failure::File { path, source })
}

impl MerchantConnection {
    /// Connects, makes calls for the merchant, and explains what fails.
    pub(super) fn run<T>(
        &self,
        calls: impl AsyncFnOnce(&Client) -> Result<T, Stopped>,
    ) -> Result<T, Failure> {
        self.connection.run_for(&self.merchant, calls)
    }
}

/// Every item of a list, page by page.
pub(super) async fn every<T>(
    list: impl AsyncFn(PageRequest) -> Result<Page<T>, Error>,
) -> Result<Vec<T>, Error> {
    let (mut items, mut request) = (Vec::new(), PageRequest::default());
    loop {
        let page = list(request).await?;
        items.extend(page.items);
        let Some(token) = page.next_page_token else { return Ok(items) };
        request = PageRequest { token: Some(token), ..PageRequest::default() };
    }
}

/// Why calls were not made to the end.
pub(super) enum Stopped {
    /// One failed.
    Call(Box<Error>),
    /// The output cannot be written.
    Output(std::io::Error),
    /// It came to nothing.
    Failed(Box<Failure>),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<simulate::Error> for Stopped {
    fn from(error: simulate::Error) -> Self {
        match error {
            simulate::Error::Call(error) => error.into(),
            other => Failure::Simulate(other).into(),
        }
    }
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Call(Box::new(error))
    }
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
