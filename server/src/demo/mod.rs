//! The demo: a shop to look at, and beside it a busy one, a simulated Optty that misbehaves, and a
//! judge, around a real server.
//!
//! `storefront` is what a browser sees. In the terminal, `story` says what can happen and what must
//! come of it; `optty` is the provider, `shop` plays stories, `witness` follows every change,
//! `board` shows it live, `judge` compares, `report` tells.

mod board;
mod judge;
mod optty;
mod report;
mod shop;
mod storefront;
mod story;
mod witness;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use paystatus_client::{Client, NewKey, Role};
use paystatus_simulator::{Retry, deliver::Sender, voices};
use tokio::{runtime::Runtime, sync::watch, task::JoinSet};

use crate::{
    cli::{
        out::Out,
        stop_signal,
        words::{BOLD, DIM},
    },
    config::{AccountConfig, Config, Pages, Streams},
    journal::{Journal as _, file::Check},
    serve::{self, Server},
    store,
};
use board::Board;
use judge::Judged;
use optty::{ACCOUNT, Optty};
use shop::{Played, Shop};
use storefront::{Desk, Storefront};
use story::STORIES;
use witness::Witness;

/// Whose orders they are.
const MERCHANT: &str = "demo-shop";
/// How long orders are placed where nobody says for how long.
const DURATION: Duration = Duration::from_secs(20);
/// Where the shop is, unless somebody else is there.
const HTTP_ADDRESS: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// How long the server waits for its last streams: all of them are ours, and closed before.
const DRAIN: Duration = Duration::from_secs(1);

/// How the demo is held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long orders are placed; the demo then ends. `None` places some, and stays until
    /// somebody ends it.
    pub duration: Option<Duration>,
    /// How many a second, at least 1.
    pub orders_per_second: u32,
    /// What chance is drawn from.
    pub seed: u64,
    /// A new folder to keep the data in.
    pub data: Option<PathBuf>,
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where the shop is, and webhooks are taken. `None` is port 8080, or a free one if that is
    /// taken.
    pub http_address: Option<SocketAddr>,
    /// How many times faster the shop's provider and mailer are than a person could follow, at
    /// least 1.
    pub tempo: u32,
}

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is in use.
    #[error("{0} holds data of a server already; the demo wants a folder of its own")]
    DataThere(String),
    /// Somebody listens there.
    #[error("{0} is taken by another program; --http 127.0.0.1:0 takes any free port")]
    Taken(SocketAddr),
    /// No folder, or no runtime.
    #[error("the demo cannot be set up: {0}")]
    Setup(#[source] io::Error),
    /// The server does not start, or stopped.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// The shop cannot reach the server.
    #[error("the shop cannot work with the server: {0}")]
    Client(#[from] paystatus_client::Error),
    /// The provider cannot reach the server.
    #[error(transparent)]
    Unsendable(#[from] paystatus_simulator::deliver::Unsendable),
    /// The terminal cannot be written to.
    #[error("the output cannot be written: {0}")]
    Output(#[source] io::Error),
    /// Something is not as it was meant.
    #[error("{0} things are not as they were meant; see above")]
    Differs(usize),
}

/// Holds the demo.
///
/// # Errors
/// [`Error::Differs`] unless every order ended as the provider meant it, and everything else is
/// as promised; other [`Error`]s if the demo could not be held.
pub fn run(settings: Settings) -> Result<(), Error> {
    let (folder, _temporary) = match &settings.data {
        Some(folder) if serve::is_data(folder) => {
            return Err(Error::DataThere(folder.display().to_string()));
        }
        Some(folder) => (folder.clone(), None),
        None => {
            let builder = tempfile::Builder::new().prefix("paystatus-demo-").tempdir();
            let folder = builder.map_err(Error::Setup)?;
            (folder.path().to_owned(), Some(folder))
        }
    };
    let secrets = Secrets::new();
    let config = config(&settings, &folder, &secrets)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::Setup)?;
    let stopped = heed_signals(&runtime);
    let storefront = Storefront::default();
    let server = Server::start_beside(config.clone(), storefront.routes())?;
    let stage = Stage { server: &server, storefront: &storefront, secrets: &secrets, stopped };
    let held = runtime.block_on(hold(&stage, &settings, &config));
    // Every connection ends with these.
    storefront.close();
    drop(runtime);
    let stopped = server.stop();
    let problems = held?;
    stopped?;
    let problems = problems + report::verified(&verify(&config)?).map_err(Error::Output)?;
    if problems > 0 { Err(Error::Differs(problems)) } else { Ok(()) }
}

/// What providers sign with. Nobody else knows them.
struct Secrets {
    optty: String,
    cards: String,
}

impl Secrets {
    fn new() -> Self {
        let voice = voices::by_name(storefront::PROVIDER);
        let cards = voice.map(|voice| voice.secrets(rand::random()).0).unwrap_or_default();
        Self { optty: format!("{:032x}", rand::random::<u128>()), cards }
    }
}

/// Settings of a server with one account for each shop.
fn config(settings: &Settings, folder: &Path, secrets: &Secrets) -> Result<Config, Error> {
    let account = |id, provider, merchant, secret: &String| {
        let mut account = AccountConfig::new(id, provider, merchant);
        account.secrets.push(secret.clone().into());
        account
    };
    let defaults = Config::default();
    Ok(Config {
        data: folder.to_owned(),
        grpc_address: settings.grpc_address,
        http_address: free_address(settings.http_address)?,
        streams: Streams { drain: DRAIN, ..defaults.streams },
        pages: Pages {
            not_informed: Some(storefront::NOT_INFORMED / settings.tempo.max(1)),
            ..defaults.pages
        },
        accounts: vec![
            account(ACCOUNT, "optty", MERCHANT, &secrets.optty),
            account(
                storefront::ACCOUNT,
                storefront::PROVIDER,
                storefront::MERCHANT,
                &secrets.cards,
            ),
        ],
        ..defaults
    })
}

/// The address that was asked for, if nobody listens there. A server shares its port with others
/// of its kind (SO_REUSEPORT), so it would not notice.
fn free_address(asked: Option<SocketAddr>) -> Result<SocketAddr, Error> {
    let address = asked.unwrap_or(HTTP_ADDRESS);
    match (TcpListener::bind(address), asked) {
        (Err(error), _) if error.kind() != io::ErrorKind::AddrInUse => Err(Error::Setup(error)),
        (Err(_), Some(address)) => Err(Error::Taken(address)),
        (Err(_), None) => Ok(SocketAddr::new(address.ip(), 0)),
        (Ok(_), _) => Ok(address),
    }
}

/// Turns true when somebody ends the demo. Heeded from here on.
fn heed_signals(runtime: &Runtime) -> watch::Receiver<bool> {
    let (stop, stopped) = watch::channel(false);
    runtime.spawn(async move {
        stop_signal().await;
        stop.send_replace(true);
    });
    stopped
}

/// What the demo is held on.
struct Stage<'a> {
    server: &'a Server,
    storefront: &'a Storefront,
    secrets: &'a Secrets,
    stopped: watch::Receiver<bool>,
}

/// Returns the number of problems, which it has told.
async fn hold(stage: &Stage<'_>, settings: &Settings, config: &Config) -> Result<usize, Error> {
    let Stage { server, storefront, secrets, stopped } = stage;
    let owner_key = server.first_key.clone().unwrap_or_default();
    let url = format!("http://{}", server.grpc_address);
    let owner = Client::builder(&url).api_key(&owner_key).connect().await?;
    let front = connect(&owner, &url, storefront::MERCHANT).await?;
    let webhooks_url = format!("http://{}/webhooks/{}", server.http_address, storefront::ACCOUNT);
    storefront.open(Desk {
        client: front.clone(),
        runtime: tokio::runtime::Handle::current(),
        sender: Sender::new(webhooks_url, Retry::default())?,
        secret: secrets.cards.clone(),
        tempo: settings.tempo,
    });
    welcome(settings, server, config, &owner_key).map_err(Error::Output)?;
    let client = connect(&owner, &url, MERCHANT).await?;
    let back_office = connect(&owner, &url, MERCHANT).await?;

    let board = Arc::new(Board::new(settings.duration.unwrap_or(DURATION)));
    let witness = Arc::new(Witness::default());
    let optty = Optty::new(server.http_address, &secrets.optty)?;
    let shop = Shop { client: client.clone(), optty, board: Arc::clone(&board) };
    let judged = async {
        let played = trade(&shop, settings, stopped.clone()).await;
        let mut judged = Vec::new();
        for one in played {
            judged.push(judge::judge(&client, &witness, one).await);
        }
        judged
    };
    let judged: Vec<Judged> = tokio::select! {
        judged = judged => judged,
        error = witness.follow(&back_office) => return Err(Error::Client(error)),
        Err(error) = board.show(&witness) => return Err(Error::Output(error)),
        () = server.failed() => return Err(Error::Serve(serve::Error::EngineStopped)),
    };
    let problems = report::show(&board, &judged).map_err(Error::Output)?;
    if settings.duration.is_none() {
        stay(stage).await?;
    }
    for client in [owner, client, back_office, front] {
        client.close().await?;
    }
    Ok(problems)
}

/// A client with a key that can do no more than a shop must.
async fn connect(owner: &Client, url: &str, merchant: &str) -> Result<Client, Error> {
    let key = owner.create_key(NewKey::new("shop", Role::Checkout).merchant(merchant)).await?;
    let key = key.secret.unwrap_or_default();
    Ok(Client::builder(url).api_key(&key).merchant(merchant).connect().await?)
}

/// Keeps the shop open until somebody ends the demo.
async fn stay(stage: &Stage<'_>) -> Result<(), Error> {
    let mut stopped = stage.stopped.clone();
    if !*stopped.borrow() {
        let address = stage.server.http_address;
        let open = format!("\nThe shop stays open: {BOLD}http://{address}/demo{BOLD:#}");
        let mut out = Out::new();
        out.line(format_args!("{open}  {DIM}(Ctrl-C ends the demo){DIM:#}"))
            .map_err(Error::Output)?;
    }
    tokio::select! {
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
        () = stage.server.failed() => Err(Error::Serve(serve::Error::EngineStopped)),
    }
}

/// Places orders until the time is over or somebody ends the demo, and waits for the last ones.
async fn trade(
    shop: &Shop,
    settings: &Settings,
    mut stopped: watch::Receiver<bool>,
) -> Vec<Played> {
    let interval = Duration::from_secs(1) / settings.orders_per_second.max(1);
    let mut ticks = tokio::time::interval(interval);
    let mut under_way = JoinSet::new();
    let place_all = async {
        for number in 0.. {
            ticks.tick().await;
            let (shop, seed) = (shop.clone(), settings.seed);
            let story = number % STORIES.len();
            under_way.spawn(async move { shop.play(story, number + 1, seed).await });
        }
    };
    tokio::select! {
        () = place_all => {}
        () = tokio::time::sleep(settings.duration.unwrap_or(DURATION)) => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    under_way.join_all().await
}

fn welcome(
    settings: &Settings,
    server: &Server,
    config: &Config,
    owner_key: &str,
) -> io::Result<()> {
    let mut out = Out::new();
    let data = config.data.display();
    let kept = if settings.data.is_some() { "kept" } else { "gone when the demo ends" };
    let Server { grpc_address, http_address, .. } = server;
    let is_moved = settings.http_address.is_none() && http_address.port() != HTTP_ADDRESS.port();
    let moved = match is_moved {
        true => format!("  {DIM}(port {} is taken){DIM:#}", HTTP_ADDRESS.port()),
        false => String::new(),
    };
    out.line(format_args!(
        "Open {BOLD}http://{http_address}/demo{BOLD:#}{moved}\
         \n{DIM}A shop: choose what happens, pay, and watch the customer's page change.{DIM:#}\
         \n\nHere, orders meet all that can go wrong with payments, and are judged.\
         \nLook around from another terminal:\
         \n\n  export PAYSTATUS_SERVER=http://{grpc_address} PAYSTATUS_MERCHANT={MERCHANT}\
         \n  export PAYSTATUS_API_KEY={owner_key}\
         \n  paystatus orders --status pending\
         \n  paystatus order late-0002\
         \n  paystatus watch\
         \n\n{DIM}Webhooks come to http://{http_address}/webhooks/{ACCOUNT}. The data is in {data} \
         ({kept}).{DIM:#}\n"
    ))
}

/// Opens what the server left on disk, and compares view and journal.
fn verify(config: &Config) -> Result<Result<store::verify::Report, store::verify::Failure>, Error> {
    let data = serve::open(config, Check::Hashes)?;
    let reader = data.journal.reader();
    Ok(data.store.verify(&*reader, |_| {}))
}
