//! A real browser, steered by `tests/browser/driver.mjs`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    runtime::Runtime,
    sync::{Mutex, MutexGuard, mpsc, oneshot},
};

use crate::toolchain;

/// How long a browser may take: longer than any fallback of the component.
const PATIENCE: Duration = Duration::from_secs(60);

/// The one browser of all tests, which take turns: it needs seconds to start, and several at once
/// would each look slow.
static DRIVER: Mutex<Option<Driver>> = Mutex::const_new(None);
/// Each test has a runtime of its own; the browser outlives them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().expect("a thread can be had")
});

/// What is to be done, and where the answer goes.
type Order = (Value, oneshot::Sender<Value>);

/// Somebody with a browser of their own: what Playwright calls a context, and its options.
pub(crate) struct Customer {
    pub(crate) name: &'static str,
    pub(crate) options: Value,
}

/// The process that steers the browser.
struct Driver {
    commands: mpsc::Sender<Order>,
    folder: PathBuf,
}

impl Driver {
    fn start(found: toolchain::Browser) -> Self {
        let toolchain::Browser { chromium, folder } = found;
        let (commands, received) = mpsc::channel(1);
        let own = folder.clone();
        RUNTIME.spawn(async move {
            let mut process = Command::new("node")
                .arg("driver.mjs")
                .env("CHROMIUM", chromium)
                .env("SHOP_FILES", folder.join("shop"))
                .current_dir(&folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .kill_on_drop(true)
                .spawn()
                .expect("node starts");
            let stdin = process.stdin.take().expect("it is piped");
            let stdout = process.stdout.take().expect("it is piped");
            pass_on(received, stdin, stdout).await;
        });
        Self { commands, folder: own }
    }
}

/// Hands commands to the process and answers back, until either ends.
async fn pass_on(mut commands: mpsc::Receiver<Order>, mut stdin: ChildStdin, stdout: ChildStdout) {
    let mut answers = BufReader::new(stdout).lines();
    while let Some((command, reply)) = commands.recv().await {
        let line = format!("{command}\n");
        if stdin.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        let Ok(Some(answer)) = answers.next_line().await else { return };
        // Nobody may be waiting any more.
        let _ = reply.send(serde_json::from_str(&answer).expect("it is JSON"));
    }
}

/// The browser, for one test. Its pages have names; those of one customer share what tabs share.
pub(crate) struct Browser {
    driver: MutexGuard<'static, Option<Driver>>,
    /// Where the shop's pages come from.
    pub(crate) shop: String,
    /// Holds the driver and its packages; what lies in `shop` there, the shop serves.
    pub(crate) folder: PathBuf,
}

impl Browser {
    /// A browser without pages, and a shop, if there is one to be had here.
    pub(crate) async fn start() -> Option<Self> {
        let mut driver = DRIVER.lock().await;
        if driver.is_none() {
            let found = tokio::task::spawn_blocking(toolchain::browser);
            *driver = Some(Driver::start(found.await.expect("it is looked for")?));
        }
        let folder = driver.as_ref()?.folder.clone();
        let mut browser = Self { driver, shop: String::new(), folder };
        let shop = browser.ask(json!({"do": "start"})).await;
        browser.shop = shop["origin"].as_str().expect("it says where").to_owned();
        Some(browser)
    }

    /// Has something done, and waits until it is.
    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        let (reply, answer) = oneshot::channel();
        let driver = self.driver.as_ref().expect("it was started");
        let sent = driver.commands.send((command.clone(), reply)).await;
        let answer = match sent {
            Ok(()) => tokio::time::timeout(PATIENCE, answer).await.ok().and_then(Result::ok),
            Err(_) => None,
        };
        let Some(answer) = answer else {
            // The next test has another one.
            *self.driver = None;
            panic!("no answer to {command}");
        };
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
