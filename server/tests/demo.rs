//! The shop of `paystatus demo`, used as its page's script uses it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStdout, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::cli::paystatus;

/// How long anything may take before it counts as broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// A demo that runs as a process of its own.
struct Demo {
    process: Child,
    output: BufReader<ChildStdout>,
    /// Where the shop is.
    shop: String,
}

impl Demo {
    /// Starts it, in a hurry. It goes on until it is told to stop.
    fn start() -> Self {
        let mut command = paystatus(&["demo", "--for", "1h", "--rate", "2"]);
        command.args(["--http", "127.0.0.1:0", "--tempo", "3"]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("the program runs");
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the first line");
        let link = line.trim().strip_prefix("Open http://").expect("the link comes first");
        let shop = format!("http://{}", link.strip_suffix("/demo").expect("it leads to the shop"));
        Self { process, output, shop }
    }

    /// Ends it as Ctrl-C does. It must have gone well.
    fn stop(mut self) {
        let process = self.process.id().to_string();
        let told = std::process::Command::new("kill").args(["-INT", &process]).status();
        assert!(told.expect("kill runs").success());
        let mut text = String::new();
        self.output.read_to_string(&mut text).expect("its output ends");
        let status = self.process.wait().expect("it ends");
        assert!(status.success() && text.contains("the view agrees"), "{text}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A browser that looks at the shop.
#[derive(Clone)]
struct Browser {
    http: reqwest::Client,
    shop: String,
}

/// What paying began.
struct Begun {
    visit: String,
    order: String,
    token: String,
}

impl Browser {
    fn new(demo: &Demo) -> Self {
        // The one provider of cryptography; if there is one already, that will do.
        drop(tokio_rustls::rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client");
        Self { http, shop: demo.shop.clone() }
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.shop);
        self.http.get(url).send().await.expect("the shop answers")
    }

    async fn post(&self, path: &str, body: &Value) -> reqwest::Response {
        let request = self.http.post(format!("{}{path}", self.shop));
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.expect("the shop answers")
    }

    async fn pay(&self, scenario: &str) -> Begun {
        let answer = self.post("/demo/orders", &json!({ "scenario": scenario })).await;
        assert_eq!(answer.status(), 201);
        let begun: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let text = |name: &str| begun[name].as_str().expect(name).to_owned();
        Begun { visit: text("visit"), order: text("order"), token: text("token") }
    }

    /// Follows a visit until the page shows what is waited for.
    async fn until(&self, begun: &Begun, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let mut stream = self.get(&format!("/demo/orders/{}/events", begun.visit)).await;
        assert_eq!(stream.status(), 200);
        let mut text = String::new();
        while let Some(chunk) = stream.chunk().await.expect("the stream goes on") {
            text.push_str(std::str::from_utf8(&chunk).expect("events are whole"));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let shown: Option<Value> = data.map(|data| serde_json::from_str(data).unwrap());
                if let Some(shown) = shown.filter(&is_it) {
                    return shown;
                }
                text = rest.to_owned();
            }
        }
        panic!("{what} was not shown");
    }

    async fn end(&self, begun: &Begun) -> Value {
        self.until(begun, "the end", |shown| shown["moral"].is_string()).await
    }

    /// The customer's page: it waits for the outcome, shows it, and says so.
    async fn look(&self, begun: &Begun) -> String {
        let token = &begun.token;
        let mut tag = String::new();
        loop {
            let url = format!("{}/pages/order/status?token={token}&wait=20", self.shop);
            let request = self.http.get(url).header("if-none-match", &tag);
            let answer = request.send().await.expect("the server answers");
            assert!(answer.status() == 200 || answer.status() == 304, "{}", answer.status());
            tag = answer.headers()["etag"].to_str().unwrap().to_owned();
            let body = answer.bytes().await.unwrap();
            let Ok(state) = serde_json::from_slice::<Value>(&body) else { continue };
            let outcome = state["outcome"].as_str().expect("an outcome").to_owned();
            if outcome != "UNDECIDED" {
                let receipt = json!({ "outcome_number": state["outcome_number"] });
                let path = format!("/pages/order/receipt?token={token}");
                assert_eq!(self.post(&path, &receipt).await.status(), 204);
                return outcome;
            }
        }
    }
}

/// How often each text, or what it begins with, stands among the facts.
fn count(shown: &Value, text: &str) -> usize {
    let facts = shown["facts"].as_array().expect("facts").iter();
    facts.filter(|fact| fact["text"].as_str().unwrap().starts_with(text)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_demo_has_a_shop() {
    let demo = Demo::start();
    let browser = Browser::new(&demo);
    the_page_is_there(&browser).await;
    tokio::join!(
        approved(&browser),
        declined(&browser),
        late(&browser),
        closed(&browser),
        twice(&browser),
        nonsense(&browser),
    );
    bounded(&browser).await;
    demo.stop();
}

async fn the_page_is_there(browser: &Browser) {
    for (path, kind, word) in [
        ("/demo", "text/html", "<form id=\"scenarios\">"),
        ("/demo/order", "text/html", "/pages/v1/payment-status.js"),
        ("/demo/shop.css", "text/css", ":root"),
        ("/demo/phone.css", "text/css", ".phone"),
        ("/demo/shop.js", "text/javascript", "EventSource"),
        ("/demo/timeline.js", "text/javascript", "class Timeline"),
        ("/demo/order.css", "text/css", "payment-status"),
        ("/demo/order.js", "text/javascript", "payment-status"),
        ("/pages/v1/payment-status.js", "text/javascript", "payment-status"),
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        if kind == "text/html" {
            let policy = header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        }
        assert!(answer.text().await.unwrap().contains(word), "{path}");
    }
}

async fn approved(browser: &Browser) {
    let begun = browser.pay("approved").await;
    let (outcome, shown) = tokio::join!(browser.look(&begun), browser.end(&begun));
    assert_eq!(outcome, "APPROVED");
    let order = &shown["order"];
    assert_eq!(order["id"], begun.order.as_str());
    assert_eq!((&order["outcome"], &order["status"]), (&"APPROVED".into(), &"SUCCESSFUL".into()));
    assert_eq!(order["attempts"][0]["kept"], "24.00 EUR");
    let shown = browser
        .until(&begun, "the receipt", |shown| count(shown, "The page shows the outcome") == 1)
        .await;
    assert_eq!((&shown["mail"], &shown["told_at"]), (&Value::Null, &Value::Null));
}

async fn declined(browser: &Browser) {
    let begun = browser.pay("declined").await;
    let (outcome, shown) = tokio::join!(browser.look(&begun), browser.end(&begun));
    assert_eq!(outcome, "REFUSED");
    assert_eq!(shown["order"]["status"], "DECLINED");
    let forged = shown["facts"].as_array().unwrap().iter().find(|fact| fact["who"] == "forger");
    let forged = forged.expect("the forgery is told");
    assert!(forged["text"].as_str().unwrap().contains("401"), "{forged}");
    assert_eq!(count(&shown, "Webhook: attempt 1 was declined (insufficient funds)."), 1);
    assert_eq!(count(&shown, "Webhook: attempt 1 is paid."), 0);
}

async fn late(browser: &Browser) {
    let begun = browser.pay("late").await;
    let (outcome, shown) = tokio::join!(browser.look(&begun), browser.end(&begun));
    assert_eq!((outcome.as_str(), &shown["order"]["outcome"]), ("APPROVED", &"APPROVED".into()));
    assert_eq!(count(&shown, "The same webhook again."), 2);
    let late = "Webhook: attempt 1 is pending. It comes late, and takes nothing back.";
    assert_eq!(count(&shown, late), 1);
    let facts = shown["facts"].as_array().unwrap();
    let changes: Vec<&Value> =
        facts.iter().flat_map(|f| f["changes"].as_array().unwrap()).collect();
    let outcomes = changes.iter().filter(|change| change["what"] == "Outcome").count();
    assert_eq!(outcomes, 1, "{changes:?}");
}

/// Nobody looks, so the mailer writes.
async fn closed(browser: &Browser) {
    let begun = browser.pay("closed").await;
    browser
        .until(&begun, "the wait", |shown| {
            shown["order"]["outcome"] == "APPROVED" && shown["told_at"].is_u64()
        })
        .await;
    let shown = browser.end(&begun).await;
    assert_eq!(shown["is_browser_closed"], true);
    let subject = format!("Your order {} is paid", begun.order);
    assert_eq!(shown["mail"]["subject"], subject.as_str());
    assert_eq!(count(&shown, "The time is over"), 1);
    assert_eq!(count(&shown, "The page shows the outcome"), 0);
}

async fn twice(browser: &Browser) {
    let begun = browser.pay("twice").await;
    let reverse = format!("/demo/orders/{}/reverse", begun.visit);
    assert_eq!(browser.post(&reverse, &json!({})).await.status(), 409, "there is nothing yet");
    let (outcome, shown) = tokio::join!(browser.look(&begun), browser.end(&begun));
    assert_eq!(outcome, "APPROVED");
    assert_eq!(shown["order"]["condition"]["kind"], "DUPLICATE_PAYMENT");
    // The one that was paid later; in a hurry, both may have been paid in the same second.
    let later = shown["order"]["condition"]["reverse"].as_str().expect("one is named").to_owned();
    assert_eq!(browser.post(&reverse, &json!({})).await.status(), 204);
    let is_settled = |shown: &Value| shown["order"]["condition"].is_null();
    let shown = browser.until(&begun, "that it is settled", is_settled).await;
    assert_eq!(shown["order"]["outcome"], "APPROVED");
    for attempt in shown["order"]["attempts"].as_array().unwrap() {
        let refunded = (attempt["name"] == later.as_str()).then_some("24.00 EUR");
        assert_eq!(attempt["refunded"].as_str(), refunded, "{attempt}");
    }
    assert_eq!(browser.post(&reverse, &json!({})).await.status(), 409, "it is settled");
}

/// What no page of ours asks is refused.
async fn nonsense(browser: &Browser) {
    let wrong = json!({ "scenario": "free" });
    assert_eq!(browser.post("/demo/orders", &wrong).await.status(), 400);
    let long = json!({ "scenario": "x".repeat(2000) });
    assert_eq!(browser.post("/demo/orders", &long).await.status(), 400);
    assert_eq!(browser.get("/demo/orders/nobody/events").await.status(), 404);
    let request = browser.http.post(format!("{}/demo/orders", browser.shop));
    let request = request.header("content-type", "application/json");
    let answer = request.header("sec-fetch-site", "cross-site").body(r#"{"scenario":"late"}"#);
    assert_eq!(answer.send().await.unwrap().status(), 403);
}

/// So many pages may follow a visit, and so many visits are remembered: the oldest goes.
async fn bounded(browser: &Browser) {
    let first = browser.pay("approved").await;
    let events = format!("/demo/orders/{}/events", first.visit);
    let mut followers = Vec::new();
    for _ in 0..8 {
        followers.push(browser.get(&events).await);
    }
    assert!(followers.iter().all(|follower| follower.status() == 200));
    assert_eq!(browser.get(&events).await.status(), 429);
    for _ in 0..20 {
        browser.pay("approved").await;
    }
    assert_eq!(browser.get(&events).await.status(), 404);
    for mut follower in followers {
        while follower.chunk().await.expect("the stream ends well").is_some() {}
    }
}

/// A port that is taken is named; the usual one is left to whoever has it.
#[test]
fn a_taken_port_is_said() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = holder.local_addr().expect("its address").to_string();
    let complaint = crate::cli::complaint(&mut paystatus(&["demo", "--http", &address]));
    assert!(complaint.contains(&format!("{address} is taken")), "{complaint}");
    assert!(complaint.contains("--http 127.0.0.1:0"), "{complaint}");
}
