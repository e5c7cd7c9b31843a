//! Puts the parts together: opens the data, starts the engine, serves, and ends in good order.

mod first_key;
mod ready;
mod reload;

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, watch};

pub use self::reload::Reloaded;
use self::{ready::Ready, reload::Live};
use crate::{
    accounts, clock,
    config::{self, Config},
    edge::{
        Context, admin,
        grpc::{self, certificates::Certificates},
        http, listen,
        pages::{self, live::Settings, token::KeyError},
        tally::Tallies,
    },
    engine::{self, Engine},
    hub::{Hub, Relay},
    journal::{self, Journal, file::FileJournal},
    ledger::Ledger,
    outbound::{self, Outbound},
    store::{self, Progress, Store, Writer},
};

/// Why the server does not start, or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// The view cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A listener does not work.
    #[error(transparent)]
    Listen(#[from] listen::Error),
    /// The system gives no thread or runtime.
    #[error("the system gives no thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The keys of page tokens cannot be used.
    #[error(transparent)]
    PageKeys(#[from] KeyError),
    /// Reflection cannot be set up.
    #[error("the API's descriptors are not sound: {0}")]
    Descriptors(#[from] tonic_reflection::server::Error),
    /// Providers cannot be asked.
    #[error(transparent)]
    Outbound(#[from] outbound::Unusable),
    /// The first key could not be recorded.
    #[error("the first key cannot be recorded: {0}")]
    FirstKey(engine::Error),
    /// The engine stopped.
    #[error("the engine stopped after an error; see the log, then restart")]
    EngineStopped,
}

/// The data of a server: journal and view, opened and in agreement.
pub struct Data {
    /// The journal.
    pub journal: FileJournal,
    /// The view.
    pub store: Arc<Store>,
    /// Writes the view; ends with everything written.
    pub writer: Writer,
}

/// Opens the data folder; made if it is not there.
///
/// # Errors
/// [`Error::Journal`], [`Error::Store`]. Nothing is overwritten.
pub fn open(config: &Config, check: journal::file::Check) -> Result<Data, Error> {
    let options = journal::file::Options { segment_bytes: config.segment_bytes, check };
    let journal = FileJournal::open(&config.data.join("journal"), options)?;
    let options = store::Options { cache_bytes: config.view_cache_bytes };
    let reader = journal.reader();
    let mut shown = Instant::now();
    let progress = |progress: Progress| {
        if shown.elapsed() > Duration::from_secs(1) {
            shown = Instant::now();
            let Progress { applied, head } = progress;
            tracing::info!(applied, head, "bringing the view up to date");
        }
    };
    let view = config.data.join("view");
    let (store, writer) = Store::open(&view, options, &*reader, progress)?;
    Ok(Data { journal, store, writer })
}

/// A server that runs.
pub struct Server {
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where webhooks are taken.
    pub http_address: SocketAddr,
    /// Where metrics are served, if they are.
    pub admin_address: Option<SocketAddr>,
    /// The secret of the owner key, if this start made the first one. Shown once.
    pub first_key: Option<String>,
    health: engine::Health,
    drain: watch::Sender<bool>,
    live: Live,
    threads: Vec<JoinHandle<()>>,
    engine: engine::Running,
    writer: Writer,
    drain_time: Duration,
}

impl Server {
    /// Opens the data and starts to serve.
    ///
    /// # Errors
    /// [`Error`] says what to do.
    pub fn start(config: Config) -> Result<Self, Error> {
        Self::start_beside(config, axum::Router::new())
    }

    /// As [`Server::start`], with more routes on the HTTP listener: the demo's shop.
    ///
    /// # Errors
    /// [`Error`] says what to do.
    pub fn start_beside(config: Config, beside: axum::Router) -> Result<Self, Error> {
        let ready = Ready::check(&config)?;
        // Before anything counts: what is counted earlier would be lost.
        admin::recorder();
        let data = open(&config, journal::file::Check::Records)?;
        Self::start_ready(config, ready, beside, data)
    }

    fn start_ready(
        config: Config,
        ready: Ready,
        beside: axum::Router,
        data: Data,
    ) -> Result<Self, Error> {
        let Ready { accounts, clients, http_tls, sockets, admin } = ready;
        let Data { journal, store, writer } = data;
        let hub = Arc::new(Hub::new(journal.reader(), config.streams.memory_records));
        let clock: engine::Clock = Arc::new(clock::now);
        let engine = Engine::new(Box::new(journal), Arc::clone(&store), Arc::clone(&hub), clock);
        let (handle, running) = engine.start()?;
        let (drain, drains) = watch::channel(false);
        let drain_time = config.streams.drain;
        let http_places = Arc::new(Semaphore::new(config.limits.http_connections));
        let grpc_places = Arc::new(Semaphore::new(config.limits.grpc_connections));
        let health = handle.health().clone();
        let live = Arc::new(accounts::Live::new(accounts));
        let asking = runtime()?;
        let asks = (handle.clone(), Arc::clone(&store), Arc::clone(&hub));
        let outbound = Outbound::new(asks, Arc::clone(&live), asking.handle().clone())?;
        let pages = Arc::new(pages::Live::new(Settings::read(&config)?));
        let context = Arc::new(Context {
            engine: handle,
            store,
            relay: Relay::new(Arc::clone(&hub)),
            ledger: Arc::new(Ledger::new(Arc::clone(&hub))),
            hub,
            outbound,
            accounts: live,
            tallies: Arc::new(Tallies::new(clock::now())),
            certificates: Arc::new(Certificates::new(clients)),
            usage: Arc::default(),
            config: Arc::new(config),
            pages,
            places: Arc::default(),
            sessions: Arc::default(),
            drain: drains,
        });
        let live = Live::of(&context);
        let runtime = runtime()?;
        let first_key = runtime.block_on(first_key::made(&context))?;
        let admin_address = admin.as_ref().and_then(|admin| admin.local_addr().ok());
        let mut threads =
            vec![start_asking(asking, &context)?, start_admin(context.clone(), admin)?];
        for (number, (grpc, http)) in sockets.pairs.into_iter().enumerate() {
            let (context, replies) = of_thread(&context);
            let (routes, reporter) = runtime.block_on(grpc::routes(&context))?;
            let shared = listen::Shared {
                routes,
                router: http::router(context.clone()).merge(beside.clone()),
                config: Arc::clone(&context.config),
                http_tls: http_tls.clone(),
                http_places: Arc::clone(&http_places),
                grpc_places: Arc::clone(&grpc_places),
                drain: context.drain.clone(),
            };
            let relay = Arc::clone(&context.relay);
            let own = Own { reporter, health: health.clone(), relay, replies };
            let builder = std::thread::Builder::new().name(format!("serve-{number}"));
            threads.push(builder.spawn(move || serve(shared, grpc, http, own))?);
        }
        Ok(Self {
            grpc_address: sockets.grpc_address,
            http_address: sockets.http_address,
            admin_address,
            first_key,
            health,
            drain,
            live,
            threads,
            engine: running,
            writer,
            drain_time,
        })
    }

    /// Returns once the engine has stopped for good, which it does only after an error.
    pub async fn failed(&self) {
        self.health.stopped().await;
    }

    /// Whether the engine works.
    #[must_use]
    pub fn health(&self) -> engine::Health {
        self.health.clone()
    }

    /// Writes the view as far as it is applied now, without waiting for its next step.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn write_view(&self) -> Result<(), Error> {
        Ok(self.writer.write_now()?)
    }

    /// Ends in good order: streams are told to reconnect, calls are answered, the view is
    /// written.
    ///
    /// # Errors
    /// [`Error::EngineStopped`] if the engine had failed before.
    pub fn stop(self) -> Result<(), Error> {
        let was_good = self.health.is_good();
        self.drain.send_replace(true);
        let until = Instant::now() + self.drain_time + Duration::from_secs(1);
        for thread in self.threads {
            if Instant::now() < until && thread.join().is_err() {
                tracing::error!("a serving thread panicked");
            }
        }
        self.engine.join();
        drop(self.writer);
        if was_good { Ok(()) } else { Err(Error::EngineStopped) }
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The thread that asks providers and fires deadlines, until the drain begins. What is under way is
/// cut: it is no fact yet, and is asked or fired again after the next start.
fn start_asking(
    runtime: tokio::runtime::Runtime,
    context: &Context,
) -> std::io::Result<JoinHandle<()>> {
    let (outbound, drain) = (context.outbound.clone(), context.drain.clone());
    let not_informed = context.config.pages.not_informed;
    let builder = std::thread::Builder::new().name("outbound".into());
    builder.spawn(move || {
        runtime.block_on(outbound.run(drain, not_informed));
        runtime.shutdown_background();
    })
}

/// The thread that serves metrics and follows the journal for the ledger.
fn start_admin(
    context: Arc<Context>,
    listener: Option<TcpListener>,
) -> Result<JoinHandle<()>, Error> {
    let runtime = runtime()?;
    let builder = std::thread::Builder::new().name("admin".into());
    Ok(builder.spawn(move || runtime.block_on(admin::run(context, listener)))?)
}

/// Each thread has services of its own, so that it wakes its own watchers and callers.
fn of_thread(context: &Context) -> (Arc<Context>, engine::Replies) {
    let (engine, replies) = context.engine.of_thread();
    let relay = Relay::new(Arc::clone(&context.hub));
    (Arc::new(Context { engine, relay, ..context.clone() }), replies)
}

/// What a serving thread has beside what it shares.
struct Own {
    reporter: tonic_health::server::HealthReporter,
    health: engine::Health,
    relay: Arc<Relay>,
    replies: engine::Replies,
}

/// One thread: both listeners, until the drain is over.
fn serve(shared: listen::Shared, grpc: TcpListener, http: TcpListener, own: Own) {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "no runtime"),
    };
    let drain_time = shared.config.streams.drain;
    let mut drain = shared.drain.clone();
    runtime.block_on(async move {
        tokio::spawn(report_health(own.reporter, own.health));
        tokio::spawn(async move { own.relay.run().await });
        tokio::spawn(own.replies.run());
        let served = async {
            let (grpc, http) = tokio::join!(
                listen::serve_grpc(shared.clone(), grpc),
                listen::serve_http(shared.clone(), http)
            );
            for result in [grpc, http] {
                if let Err(error) = result {
                    tracing::error!(%error, "a listener ended");
                }
            }
        };
        let overdue = async {
            drop(drain.wait_for(|drains| *drains).await);
            tokio::time::sleep(drain_time).await;
        };
        tokio::select! {
            () = served => {}
            () = overdue => tracing::warn!("connections are cut: the drain took too long"),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

/// Tells by gRPC health whether the engine works.
async fn report_health(reporter: tonic_health::server::HealthReporter, health: engine::Health) {
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    health.stopped().await;
    reporter.set_service_status("", tonic_health::ServingStatus::NotServing).await;
}

/// True if a folder holds data of a server.
#[must_use]
pub fn is_data(folder: &Path) -> bool {
    folder.join("journal").is_dir()
}
