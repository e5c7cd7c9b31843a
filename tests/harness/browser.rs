//! A real browser, steered by `tests/browser/driver.mjs`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
    sync::{Mutex, MutexGuard},
};

use crate::toolchain;

/// How long a browser may take: longer than any fallback of the component.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser at a time: each is a dozen processes, and slow ones would look broken.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// Somebody with a browser of their own: what Playwright calls a context, and its options.
pub(crate) struct Customer {
    pub(crate) name: &'static str,
    pub(crate) options: Value,
}

/// A browser. Its pages have names; those of one customer share what tabs share.
pub(crate) struct Browser {
    _process: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// Where the shop's pages come from.
    pub(crate) shop: String,
    /// Holds the driver and its packages; what lies in `shop` there, the shop serves.
    pub(crate) folder: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// A browser and a shop, if there is one to be had here.
    pub(crate) async fn start() -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().await;
        let found = tokio::task::spawn_blocking(toolchain::browser);
        let toolchain::Browser { chromium, folder } = found.await.expect("it is looked for")?;
        let mut process = tokio::process::Command::new("node")
            .arg("driver.mjs")
            .env("CHROMIUM", chromium)
            .env("SHOP_FILES", folder.join("shop"))
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let commands = process.stdin.take().expect("it is piped");
        let answers = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut browser = Self {
            _process: process,
            commands,
            answers,
            shop: String::new(),
            folder,
            _turn: turn,
        };
        let shop = browser.ask(json!({"do": "shop"})).await;
        browser.shop = shop["origin"].as_str().expect("it says where").to_owned();
        Some(browser)
    }

    /// Has something done, and waits until it is.
    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        let line = format!("{command}\n");
        self.commands.write_all(line.as_bytes()).await.expect("the driver runs");
        let answer = tokio::time::timeout(PATIENCE, self.answers.next_line()).await;
        let answer = answer.unwrap_or_else(|_| panic!("no answer to {command}"));
        let answer = answer.expect("it can be read").expect("the driver runs: see its errors");
        let answer: Value = serde_json::from_str(&answer).expect("it is JSON");
        assert!(answer.get("failed").is_none(), "{}", answer["failed"]);
        answer
    }

    /// Opens the shop's page of an order.
    pub(crate) async fn open(&mut self, page: &str, server: &str, token: &str) {
        let url = format!("{}/?server={server}&token={token}", self.shop);
        self.ask(json!({"do": "open", "page": page, "url": url})).await;
    }

    /// The same, as somebody, and with something more in the address.
    pub(crate) async fn open_as(
        &mut self,
        page: &str,
        customer: &Customer,
        server: &str,
        token: &str,
        more: &str,
    ) {
        let url = format!("{}/?server={server}&token={token}{more}", self.shop);
        let Customer { name, options } = customer;
        let open = json!({
            "do": "open", "page": page, "url": url, "customer": name, "options": options,
        });
        self.ask(open).await;
    }

    /// Opens any page.
    pub(crate) async fn open_address(&mut self, page: &str, url: &str) {
        self.ask(json!({"do": "open", "page": page, "url": url})).await;
    }

    pub(crate) async fn close(&mut self, page: &str) {
        self.ask(json!({"do": "close", "page": page})).await;
    }

    /// Takes the customer's network away, as the browser itself notices it.
    pub(crate) async fn set_offline(&mut self, offline: bool) {
        self.ask(json!({"do": "offline", "offline": offline})).await;
    }

    /// Waits for a text on the page without scripts.
    pub(crate) async fn reads(&mut self, page: &str, text: &str) {
        self.ask(json!({"do": "reads", "page": page, "text": text})).await;
    }

    /// Waits until the element is in a state; the answer is what it shows.
    pub(crate) async fn shows(&mut self, page: &str, state: &str) -> Value {
        self.ask(json!({"do": "shows", "page": page, "state": state})).await
    }

    /// Waits until the element told the shop this; the answer is all it told, in order.
    pub(crate) async fn told(&mut self, page: &str, name: &str, detail: Value) -> Vec<Value> {
        let asked = json!({"do": "told", "page": page, "name": name, "detail": detail});
        self.ask(asked).await.as_array().expect("a list").clone()
    }

    /// Waits for a text on the page itself.
    pub(crate) async fn reads_itself(&mut self, page: &str, text: &str) {
        self.ask(json!({"do": "reads", "page": page, "text": text, "frame": false})).await;
    }

    /// What a script on the page gives.
    pub(crate) async fn evaluate(&mut self, page: &str, script: &str) -> Value {
        self.ask(json!({"do": "evaluate", "page": page, "script": script})).await["value"].take()
    }

    /// Puts a picture into `target/browser`.
    pub(crate) async fn shoot(&mut self, page: &str, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser");
        fs::create_dir_all(&folder).expect("the folder can be made");
        let path = folder.join(format!("{name}.png"));
        self.ask(json!({"do": "shoot", "page": page, "path": path})).await;
    }

    /// The same, and fails if the page is not accessible.
    pub(crate) async fn look(&mut self, page: &str, name: &str) {
        self.shoot(page, name).await;
        let found = self.ask(json!({"do": "axe", "page": page})).await;
        assert_eq!(found["violations"], json!([]), "{name} is not accessible");
        assert!(found["passed"].as_u64() > Some(5), "{name}: axe looked at nothing");
    }

    /// A proxy before the server that behaves so from now on: see `proxy.mjs`.
    pub(crate) async fn set_proxy(&mut self, server: &str, mode: &str) -> String {
        let set = json!({"do": "proxy", "proxy": "proxy", "server": server, "mode": mode});
        self.ask(set).await["address"].as_str().expect("it says where").to_owned()
    }

    /// Waits until a `deaf` proxy has lost something.
    pub(crate) async fn lost_post(&mut self) {
        self.ask(json!({"do": "lost", "proxy": "proxy"})).await;
    }
}
