//! The demo: a shop, a simulated Optty that misbehaves, and a judge, around a real server.
//!
//! `story` says what can happen and what must come of it; `optty` is the provider, `shop` plays
//! stories, `witness` follows every change, `board` shows it live, `judge` compares, `report`
//! tells.

mod board;
mod judge;
mod optty;
mod report;
mod shop;
mod story;
mod witness;

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use paystatus_client::{Client, NewKey, Role};
use tokio::task::JoinSet;

use crate::{
    cli::{
        out::Out,
        words::{BOLD, DIM},
    },
    config::{AccountConfig, Config},
    journal::{Journal as _, file::Check},
    serve::{self, Server},
    store,
};
use board::Board;
use judge::Judged;
use optty::{ACCOUNT, Optty};
use shop::{Played, Shop};
use story::STORIES;
use witness::Witness;

/// Whose orders they are.
const MERCHANT: &str = "demo-shop";
/// How long the server waits for its last streams: all of them are ours, and closed before.
const DRAIN: Duration = Duration::from_secs(1);

/// How the demo is held.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long orders are placed.
    pub duration: Duration,
    /// How many a second, at least 1.
    pub orders_per_second: u32,
    /// What chance is drawn from.
    pub seed: u64,
    /// A new folder to keep the data in.
    pub data: Option<PathBuf>,
    /// Where gRPC is served.
    pub grpc_address: SocketAddr,
    /// Where webhooks are taken.
    pub http_address: SocketAddr,
}

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is in use.
    #[error("{0} holds data of a server already; the demo wants a folder of its own")]
    DataThere(String),
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
    let secret = format!("{:032x}", rand::random::<u128>());
    let config = config(&settings, &folder, &secret);
    let server = Server::start(config.clone())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(Error::Setup)?;
    let held = runtime.block_on(hold(&server, &settings, &config, &secret));
    // Every connection ends with it.
    drop(runtime);
    let stopped = server.stop();
    let (board, judged) = held?;
    stopped?;
    let verified = verify(&config)?;
    let problems = report::show(&board, &judged, &verified).map_err(Error::Output)?;
    if problems > 0 { Err(Error::Differs(problems)) } else { Ok(()) }
}

/// Settings of a server with one account, whose secret nobody else knows.
fn config(settings: &Settings, folder: &Path, secret: &str) -> Config {
    let mut account = AccountConfig::new(ACCOUNT, "optty", MERCHANT);
    account.secrets.push(secret.to_owned().into());
    let defaults = Config::default();
    Config {
        data: folder.to_owned(),
        grpc_address: settings.grpc_address,
        http_address: settings.http_address,
        streams: crate::config::Streams { drain: DRAIN, ..defaults.streams },
        accounts: vec![account],
        ..defaults
    }
}

async fn hold(
    server: &Server,
    settings: &Settings,
    config: &Config,
    secret: &str,
) -> Result<(Board, Vec<Judged>), Error> {
    let owner_key = server.first_key.clone().unwrap_or_default();
    let url = format!("http://{}", server.grpc_address);
    welcome(settings, server, config, &owner_key).map_err(Error::Output)?;
    let owner = Client::builder(&url).api_key(&owner_key).connect().await?;
    // What a shop should have: a key that can do no more than it must.
    let key = owner.create_key(NewKey::new("shop", Role::Checkout).merchant(MERCHANT)).await?;
    let key = key.secret.unwrap_or_default();
    let client = Client::builder(&url).api_key(&key).connect().await?;
    let back_office = Client::builder(&url).api_key(&key).connect().await?;

    let board = Arc::new(Board::new(settings.duration));
    let witness = Arc::new(Witness::default());
    let optty = Optty::new(server.http_address, secret)?;
    let shop = Shop { client: client.clone(), optty, board: Arc::clone(&board) };
    let judged = async {
        let played = trade(&shop, settings).await;
        let mut judged = Vec::new();
        for one in played {
            judged.push(judge::judge(&client, &witness, one).await);
        }
        judged
    };
    let judged = tokio::select! {
        judged = judged => judged,
        error = witness.follow(&back_office) => return Err(Error::Client(error)),
        Err(error) = board.show(&witness) => return Err(Error::Output(error)),
        () = server.failed() => return Err(Error::Serve(serve::Error::EngineStopped)),
    };
    drop(shop);
    for client in [owner, client, back_office] {
        client.close().await?;
    }
    Ok((Arc::into_inner(board).unwrap_or_else(|| Board::new(settings.duration)), judged))
}

/// Places orders until the time is over or somebody presses Ctrl-C, and waits for the last ones.
async fn trade(shop: &Shop, settings: &Settings) -> Vec<Played> {
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
        () = tokio::time::sleep(settings.duration) => {}
        _ = tokio::signal::ctrl_c() => {}
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
    out.line(format_args!(
        "{BOLD}paystatus demo{BOLD:#}: a server, a shop, and a payment provider that misbehaves\n\
         \n  gRPC      http://{grpc_address}\
         \n  webhooks  http://{http_address}/webhooks/{ACCOUNT}\
         \n  data      {data} {DIM}({kept}){DIM:#}\
         \n\nLook around from another terminal while it runs:\n\
         \n  export PAYSTATUS_SERVER=http://{grpc_address} PAYSTATUS_MERCHANT={MERCHANT}\
         \n  export PAYSTATUS_API_KEY={owner_key}\
         \n  paystatus orders --status pending\
         \n  paystatus order late-0002\
         \n  paystatus watch\n"
    ))
}

/// Opens what the server left on disk, and compares view and journal.
fn verify(config: &Config) -> Result<Result<store::verify::Report, store::verify::Failure>, Error> {
    let data = serve::open(config, Check::Hashes)?;
    let reader = data.journal.reader();
    Ok(data.store.verify(&*reader, |_| {}))
}
