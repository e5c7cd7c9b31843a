//! Many pages that wait cost little, and are left in peace by what happens to other orders.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use paystatus_proto::v1;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::harness::{
    MERCHANT, OPTTY, api::Api, channel, folder, http, process::Process, process::Start, soon,
    webhook::optty_order,
};

/// Pages open at once.
const PAGES: usize = 15_000;
/// Orders that they watch, each as many.
const ORDERS: usize = PAGES / PAGES_OF_ORDER;
const PAGES_OF_ORDER: usize = 15;
/// What a page that waits may cost the server, in bytes.
const PAGE_BYTES_MAX: u64 = 16 * 1024;
/// Pages of one address: as many as the default allows.
const OF_ADDRESS: usize = 1000;
/// Pages that are opened, and closed again, before anything is counted: what the first
/// ones make the server read of its program is not theirs.
const BEFORE: usize = 500;
/// Calls under way at once.
const AT_ONCE: usize = 200;
/// Files that this process, and the server, have open beside pages.
const OTHER_FILES: u64 = 500;
/// Counts pages that are open.
const OPEN: &str = "paystatus_pages_open";
/// Counts how often pages looked at their order.
const LOOKS: &str = "paystatus_page_looks_total";

/// Allows this process, and those that it starts, as many open files as it takes.
fn may_open_enough() -> bool {
    let needed = PAGES as u64 + OTHER_FILES;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let is_enough = maximum.is_none_or(|maximum| maximum >= needed);
    assert!(
        is_enough || std::env::var_os("CI").is_none(),
        "the limit of open files must be {needed} at least (ulimit -Hn): it is {maximum:?}"
    );
    if !is_enough {
        eprintln!("SKIPPED: {PAGES} pages need {needed} open files; ulimit -Hn is {maximum:?}");
        return false;
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("up to the maximum");
    true
}

/// A page that waits: a socket as a browser holds it.
struct Waiting(TcpStream);

impl Waiting {
    /// Opens a page from the address with a number, and reads up to the present state.
    async fn open(server: SocketAddr, number: usize, token: &str) -> io::Result<Self> {
        let last = u8::try_from(number / OF_ADDRESS + 1).expect("there are not so many");
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 1, last)), 0))?;
        let mut page = Self(socket.connect(server).await?);
        // As a browser asks, with all that it says of itself.
        let asked = format!(
            "GET /pages/order?token={token} HTTP/1.1\r\nhost: pay.example\r\n\
             connection: keep-alive\r\naccept: text/event-stream\r\ncache-control: no-cache\r\n\
             user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
             Chrome/140.0.0.0 Safari/537.36\r\nsec-ch-ua-platform: \"Linux\"\r\n\
             origin: https://shop.example\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: cors\r\n\
             sec-fetch-dest: empty\r\nreferer: https://shop.example/\r\n\
             accept-encoding: gzip, deflate, br, zstd\r\naccept-language: en,de;q=0.9\r\n\r\n"
        );
        page.0.write_all(asked.as_bytes()).await?;
        let text = page.until("event: status", "\n\n\r\n").await?;
        assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
        Ok(page)
    }

    /// Reads until a word came, and all up to an end.
    async fn until(&mut self, word: &str, end: &str) -> io::Result<String> {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        loop {
            let length = self.0.read(&mut buffer).await?;
            text.push_str(std::str::from_utf8(&buffer[..length]).expect("text"));
            if length == 0 || (text.contains(word) && text.ends_with(end)) {
                return Ok(text);
            }
        }
    }

    /// True if the server said nothing since.
    fn is_undisturbed(&self) -> bool {
        let read = self.0.try_read(&mut [0; 1]);
        read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }
}

async fn open_pages(server: SocketAddr, tokens: &[String], count: usize) -> Vec<Waiting> {
    let open = (0..count).map(|number| {
        let token = &tokens[number / PAGES_OF_ORDER];
        async move { soon("a page", Waiting::open(server, number, token)).await }
    });
    stream::iter(open).buffered(AT_ONCE).try_collect().await.expect("every page is open")
}

/// A token for each order, all of which are recorded.
async fn tokens(api: &Api) -> Vec<String> {
    let tokens = (0..ORDERS).map(|number| async move {
        let order_id = format!("o{number}");
        api.place(&order_id, OPTTY, 100).await;
        let request = v1::CreatePageTokenRequest { order_id, ..Default::default() };
        let answer = api.orders().create_page_token(request).await.expect("the order is there");
        answer.into_inner().token
    });
    stream::iter(tokens).buffered(AT_ONCE).collect().await
}

/// What the server counts under a name.
async fn figure(admin: SocketAddr, name: &str) -> usize {
    let metrics = String::from_utf8(http::get(admin, "/metrics").await.body).expect("text");
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.expect("it is counted").trim().parse().expect("a number")
}

/// The real program, with its own allocator, on two cores.
#[tokio::test]
async fn fifteen_thousand_pages_wait_at_little_cost() {
    if !may_open_enough() {
        return;
    }
    let folder = folder();
    let admin = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let admin = admin.expect("a port is free");
    // No heartbeat, so that whatever a page hears is about an order.
    let more = format!(
        "threads = 2\nadmin_address = \"{admin}\"\n\
         streams = {{ drain = \"2s\", heartbeat = \"1h\" }}\n\
         pages = {{ origins = [\"https://shop.example\"], open_per_token = {PAGES_OF_ORDER} }}"
    );
    let server = Process::start_with(folder.path(), Start::First, (0, 0), &more).await;
    let owner = Api::new(channel(server.grpc), server.owner.as_deref().expect("it is shown"));
    let api =
        Api::new(channel(server.grpc), &owner.create_key(v1::Role::Checkout, &[MERCHANT]).await);
    let tokens = tokens(&api).await;
    drop(open_pages(server.http, &tokens, BEFORE).await);
    all_closed(admin).await;
    let before = server.memory();
    let pages = open_pages(server.http, &tokens, PAGES).await;
    let of_page = server.memory().saturating_sub(before) / PAGES as u64;
    println!("{of_page} bytes of memory for each of {PAGES} pages");
    assert!(of_page <= PAGE_BYTES_MAX, "{of_page} bytes for a page");

    // One order is paid, somewhere in the middle: its pages are told, and nobody else is woken.
    let chosen = ORDERS / 2;
    let (of_others, mut own) = split(pages, chosen);
    let looked = figure(admin, LOOKS).await;
    let webhook = optty_order(&format!("o{chosen}"), "SUCCESSFUL", json!("1.00"));
    let path = format!("/webhooks/{OPTTY}");
    let status = http::post(server.http, &path, &webhook.headers, webhook.body).await.status;
    assert_eq!(status, 200);
    for page in &mut own {
        let text = soon("the outcome", page.until("event: done", "")).await;
        assert!(text.expect("it is read").contains("APPROVED"));
    }
    assert_eq!(figure(admin, LOOKS).await - looked, PAGES_OF_ORDER, "pages that looked");
    assert!(of_others.iter().all(Waiting::is_undisturbed), "others hear nothing");
}

/// Waits until the server has noticed that nobody is there.
async fn all_closed(admin: SocketAddr) {
    let closed = async {
        while figure(admin, OPEN).await != 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the end of all pages", closed).await;
}

/// The pages of other orders, and those of one.
fn split(pages: Vec<Waiting>, order: usize) -> (Vec<Waiting>, Vec<Waiting>) {
    let (mut others, mut own) = (Vec::new(), Vec::new());
    for (number, page) in pages.into_iter().enumerate() {
        if number / PAGES_OF_ORDER == order { own.push(page) } else { others.push(page) }
    }
    (others, own)
}
