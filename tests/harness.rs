//! A real server in a folder of its own, on free ports, and what every test does with it.

pub(crate) mod api;
pub(crate) mod browser;
pub(crate) mod http;
pub(crate) mod page;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod stream;
pub(crate) mod web;
pub(crate) mod webhook;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use paystatus_client::Client;
use paystatus_proto::v1;
use paystatus_server::{
    config::{AccountConfig, Config},
    serve::Server,
};
use serde_json::json;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use self::{api::Api, webhook::optty_order};

/// The merchant of most tests; [`OPTTY`] and [`GENERIC`] are its accounts.
pub(crate) const MERCHANT: &str = "shop";
/// Another one, with the account [`OTHER_ACCOUNT`].
pub(crate) const OTHER_MERCHANT: &str = "other-shop";
/// One whose account [`CREATING`] creates orders from webhooks.
pub(crate) const CREATING_MERCHANT: &str = "creating-shop";

pub(crate) const OPTTY: &str = "optty";
pub(crate) const GENERIC: &str = "generic";
pub(crate) const OTHER_ACCOUNT: &str = "other-optty";
pub(crate) const CREATING: &str = "creating-optty";

/// The origin of a shop's own pages.
pub(crate) const SHOP: &str = "https://shop.example";

/// How long a test waits for what must come before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server that runs, and the keys to it.
pub(crate) struct System {
    server: Option<Server>,
    config: Config,
    // Gone when the test is.
    _folder: TempDir,
    pub(crate) owner: String,
    pub(crate) operator: String,
    pub(crate) checkout: String,
    /// A checkout key of [`OTHER_MERCHANT`].
    pub(crate) other: String,
    pub(crate) channel: Channel,
}

impl System {
    /// A server with the settings of [`config`].
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A server with some settings changed.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = folder();
        let mut config = config(folder.path().join("data"));
        change(&mut config);
        let server = serve(config.clone()).await;
        let owner = server.first_key.clone().expect("an empty folder gets a first key");
        config.grpc_address = server.grpc_address;
        config.http_address = server.http_address;
        let channel = channel(server.grpc_address);
        let api = Api::new(channel.clone(), &owner);
        let operator = api.create_key(v1::Role::Operator, &[MERCHANT, CREATING_MERCHANT]).await;
        let checkout = api.create_key(v1::Role::Checkout, &[MERCHANT]).await;
        let other = api.create_key(v1::Role::Checkout, &[OTHER_MERCHANT]).await;
        Self {
            server: Some(server),
            config,
            _folder: folder,
            owner,
            operator,
            checkout,
            other,
            channel,
        }
    }

    /// A server whose pages scripts of [`SHOP`] may read.
    pub(crate) async fn start_for_shop() -> Self {
        Self::start_with(|config| config.pages.origins = vec![SHOP.to_owned()]).await
    }

    /// A server whose account [`OPTTY`] is another one.
    pub(crate) async fn start_asking(account: AccountConfig) -> Self {
        Self::start_with(|config| config.accounts[0] = account).await
    }

    /// Calls with the checkout key of [`MERCHANT`].
    pub(crate) fn api(&self) -> Api {
        self.api_of(&self.checkout)
    }

    /// Calls with some key.
    pub(crate) fn api_of(&self, secret: &str) -> Api {
        Api::new(self.channel.clone(), secret)
    }

    /// Where gRPC is served.
    pub(crate) fn grpc(&self) -> SocketAddr {
        self.config.grpc_address
    }

    /// Where webhooks are taken.
    pub(crate) fn http(&self) -> SocketAddr {
        self.config.http_address
    }

    /// Where metrics are served.
    pub(crate) fn admin(&self) -> SocketAddr {
        let server = self.server.as_ref().expect("the server runs");
        server.admin_address.expect("the address was asked for")
    }

    /// The server that runs.
    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().expect("the server runs")
    }

    /// The settings, with the ports that were chosen.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The settings of the next start.
    pub(crate) fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// The SDK, as a checkout service of [`MERCHANT`].
    pub(crate) fn client(&self) -> Client {
        let builder = Client::builder(format!("http://{}", self.grpc())).api_key(&self.checkout);
        builder.connect_lazy().expect("the settings are sound")
    }

    /// Stops in good order.
    pub(crate) async fn stop(&mut self) {
        let server = self.server.take().expect("the server runs");
        let stopped = tokio::task::spawn_blocking(move || server.stop());
        stopped.await.expect("stopping does not panic").expect("the engine was good");
    }

    /// What is measured: of the whole process, so of other tests as well.
    pub(crate) async fn metrics(&self) -> String {
        let answer = http::get(self.admin(), "/metrics").await;
        String::from_utf8(answer.body).expect("text")
    }

    /// The usual provider says something of an order, of which it got 1.00.
    pub(crate) async fn say(&self, order: &str, status: &str) {
        self.deliver(OPTTY, &optty_order(order, status, json!("1.00"))).await;
    }

    /// A token of a page for an order, valid for so many seconds.
    pub(crate) async fn page_token(&self, order: &str, seconds: i64) -> String {
        let ttl = Some(prost_types::Duration { seconds, nanos: 0 });
        let request =
            v1::CreatePageTokenRequest { order_id: order.to_owned(), ttl, ..Default::default() };
        let answer = self.api().orders().create_page_token(request).await;
        answer.expect("the order is there").into_inner().token
    }

    /// Changes the settings and has the running server read them.
    pub(crate) fn reload(
        &mut self,
        change: impl FnOnce(&mut Config),
    ) -> paystatus_server::serve::Reloaded {
        change(&mut self.config);
        let server = self.server.as_ref().expect("the server runs");
        server.reload(&self.config).expect("the settings are sound")
    }

    /// Starts again on the same data and ports.
    pub(crate) async fn start_again(&mut self) {
        let server = serve(self.config.clone()).await;
        assert_eq!(server.first_key, None, "the owner's key is kept");
        self.server = Some(server);
    }
}

impl Drop for System {
    fn drop(&mut self) {
        // Stopping waits for connections, which the test's own thread has to close.
        if let Some(server) = self.server.take() {
            std::thread::spawn(move || server.stop());
        }
    }
}

/// Settings for a test: free ports, one thread, small files, two providers, four accounts.
pub(crate) fn config(data: PathBuf) -> Config {
    let free = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut config = Config {
        data,
        grpc_address: free,
        http_address: free,
        admin_address: Some(free),
        threads: 1,
        view_cache_bytes: 8 * 1024 * 1024,
        segment_bytes: 1024 * 1024,
        accounts: vec![
            account(OPTTY, "optty", MERCHANT, webhook::OPTTY_SECRET),
            account(GENERIC, "standard-webhooks", MERCHANT, webhook::GENERIC_SECRET),
            account(OTHER_ACCOUNT, "optty", OTHER_MERCHANT, webhook::OPTTY_SECRET),
            AccountConfig {
                create_orders: true,
                ..account(CREATING, "optty", CREATING_MERCHANT, webhook::OPTTY_SECRET)
            },
        ],
        ..Config::default()
    };
    config.streams.drain = Duration::from_secs(2);
    config
}

/// An account with everything else left as it is by default.
pub(crate) fn account(id: &str, provider: &str, merchant: &str, secret: &str) -> AccountConfig {
    let mut account = AccountConfig::new(id, provider, merchant);
    account.secrets.push(secret.to_owned().into());
    account
}

/// A folder below `target/`, gone when it is dropped.
pub(crate) fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made")
}

/// A connection that is made with the first call, and again after a restart.
pub(crate) fn channel(address: SocketAddr) -> Channel {
    channel_with(address, |endpoint| endpoint)
}

/// A connection of its own with some settings.
pub(crate) fn channel_with(address: SocketAddr, set: impl FnOnce(Endpoint) -> Endpoint) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}"));
    set(endpoint.expect("the address is sound")).connect_lazy()
}

async fn serve(config: Config) -> Server {
    let started = tokio::task::spawn_blocking(|| Server::start(config));
    started.await.expect("starting does not panic").expect("the server starts")
}

/// What comes, or a failure if it does not come in time.
#[track_caller]
pub(crate) fn soon<T>(
    what: &'static str,
    future: impl Future<Output = T>,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        match tokio::time::timeout(PATIENCE, future).await {
            Ok(value) => value,
            Err(_) => panic!("at {place}: {what} did not come within {PATIENCE:?}"),
        }
    }
}
