//! The program as a newcomer runs it.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";

/// The program, with nothing of the caller's environment that it heeds.
pub(crate) fn paystatus(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_paystatus"));
    command.args(words).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PAYSTATUS_") {
            command.env_remove(name);
        }
    }
    command
}

fn output(command: &mut Command) -> Output {
    command.output().expect("the program runs")
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a command printed, which must have gone well.
pub(crate) fn printed(command: &mut Command) -> String {
    let output = output(command);
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stderr}{stdout}");
    stdout
}

/// What a command complained about, which must have failed and printed nothing.
pub(crate) fn complaint(command: &mut Command) -> String {
    let output = output(command);
    assert_eq!(output.status.code(), Some(1), "{command:?}");
    assert_eq!(said(&output.stdout), "", "{command:?}");
    said(&output.stderr)
}

pub(crate) fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("a line is one JSON object")
}

/// A server that runs as a process of its own.
pub(crate) struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
    url: String,
    webhooks_url: String,
    /// Where webhooks are taken.
    pub(crate) http: String,
    key: String,
}

impl Server {
    pub(crate) fn start(data: &Path) -> Self {
        let config = data.with_extension("toml");
        let account = format!(
            "[[accounts]]\nid = \"bank\"\nprovider = \"standard-webhooks\"\nmerchant = \"shop\"\n\
             secrets = [\"{SECRET}\"]\n"
        );
        std::fs::write(&config, account).expect("the settings are written");
        let mut process = paystatus(&["serve", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(data)
            .env("PAYSTATUS_GRPC_ADDRESS", "127.0.0.1:0")
            .env("PAYSTATUS_HTTP_ADDRESS", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut output = BufReader::new(process.stdout.take().expect("its output is ours"));
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let address = lines.next().expect("it says where it serves");
        let address = address.split_whitespace().last().expect("an address");
        let url = format!("http://{address}");
        let webhooks = lines.next().expect("it says where it takes webhooks");
        let webhooks = webhooks.split_whitespace().last().expect("an address");
        let webhooks_url = webhooks.split("/webhooks/").next().expect("an address").to_owned();
        let http = webhooks_url.trim_start_matches("http://").to_owned();
        let key = lines.find(|line| line.trim().starts_with("psk_")).expect("the first key");
        let key = key.trim().to_owned();
        Self { process, output, url, webhooks_url, http, key }
    }

    /// A command that knows this server and its owner key.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = paystatus(words);
        command.env("PAYSTATUS_SERVER", &self.url).env("PAYSTATUS_API_KEY", &self.key);
        command.env("PAYSTATUS_MERCHANT", "shop");
        command
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let killed = Command::new("kill").args([signal, &process]).status();
        assert!(killed.is_ok_and(|status| status.success()));
    }

    /// Stops it in good order.
    pub(crate) fn stop(mut self) {
        self.signal("-TERM");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("its output ends");
        assert!(self.process.wait().is_ok_and(|status| status.success()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn the_demo_ends_well() {
    let text = printed(&mut paystatus(&["demo", "--for", "3s", "--seed", "3"]));
    for expected in
        ["export PAYSTATUS_API_KEY=psk_", "forged as paid", "PENDING + mismatch", "the view agrees"]
    {
        assert!(text.contains(expected), "`{expected}` is missing in:\n{text}");
    }
    assert!(!text.contains('\x1b'), "colours are for terminals only");
}

#[test]
fn a_provider_is_simulated_against_a_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    let simulate = |words: &[&str]| {
        let mut command = server.command(&["simulate", "standard-webhooks", "--account", "bank"]);
        command.args(["--target", &server.webhooks_url]).args(words);
        command
    };
    // Everything goes wrong, and every order ends as the provider's ledger says.
    let orders = ["--orders", "48", "--chaos", "all", "--rate", "100", "--run", "r", "--json"];
    let text = printed(simulate(&["--secret", SECRET]).args(orders));
    let mut lines: Vec<Value> = text.lines().map(json).collect();
    let summary = lines.pop().expect("a summary");
    assert_eq!((&summary["orders"], &summary["problems"]), (&48.into(), &0.into()));
    for trouble in ["again", "forged", "flipped", "dropped"] {
        assert!(lines.iter().any(|order| order[trouble] != 0), "{trouble}");
    }
    for became in ["PENDING + mismatch", "SUCCESSFUL + refund", "SUCCESSFUL + duplicate"] {
        assert!(lines.iter().any(|order| order["became"] == became), "{became}");
    }
    let table = printed(simulate(&["--secret", SECRET]).args(["--orders", "3"]));
    assert!(table.contains("ended as its ledger says"), "{table}");
    let told = printed(simulate(&["--secret", SECRET]).args(["--scenario", "2", "--run", "s"]));
    assert!(told.contains("DUPLICATE_PAYMENT") && told.contains("SUCCESSFUL"), "{told}");
    differences_are_seen(simulate(&["--secret", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]));
    server.stop();
}

/// With another secret nothing is taken, so nothing ends as it must.
fn differences_are_seen(mut simulate: Command) {
    let words = ["--orders", "2", "--patience", "0s", "--run", "t"];
    let output = output(simulate.args(words));
    assert_eq!(output.status.code(), Some(1));
    let (table, complaint) = (said(&output.stdout), said(&output.stderr));
    assert!(table.contains("was answered 401, and must be taken"), "{table}");
    assert!(table.contains("it is PENDING, not"), "{table}");
    assert!(complaint.contains("2 orders are not what they must be"), "{complaint}");
}

#[test]
fn an_account_is_printed_that_a_server_can_use() {
    for provider in ["optty", "standard-webhooks"] {
        let text = printed(&mut paystatus(&["simulate", "--print-config", provider]));
        assert!(text.contains(&format!("provider = \"{provider}\"")), "{text}");
        assert!(text.contains("paystatus serve --config"), "it says what to do: {text}");
    }
}

#[test]
fn help_is_there_for_every_command() {
    let help = printed(&mut paystatus(&["--help"]));
    for command in [
        "serve",
        "demo",
        "simulate",
        "watch",
        "orders",
        "order",
        "webhooks",
        "accounts",
        "keys",
        "operators",
        "audit",
        "verify",
    ] {
        assert!(help.contains(command), "{command}");
        let help = printed(&mut paystatus(&[command, "--help"]));
        assert!(help.contains("Usage: paystatus"), "{command}");
    }
    let secret = printed(paystatus(&["orders", "--help"]).env("PAYSTATUS_API_KEY", "psk_secret"));
    assert!(!secret.contains("psk_secret"), "{secret}");
}

#[test]
fn what_goes_wrong_is_explained() {
    let unreachable = complaint(&mut paystatus(&["orders", "--server", "http://127.0.0.1:1"]));
    assert!(unreachable.contains("paystatus serve"), "{unreachable}");
    let folder = tempfile::tempdir().expect("a folder");
    let empty = complaint(paystatus(&["verify", "--data"]).arg(folder.path()));
    assert!(empty.contains("holds no data of a server"), "{empty}");
}

#[test]
fn a_server_is_looked_at_while_it_runs_and_verified_when_it_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let server = Server::start(&data);

    let keys = printed(&mut server.command(&["keys", "list", "--json"]));
    assert_eq!(json(keys.trim())["role"], "OWNER");
    let create = ["keys", "create", "till", "--role", "checkout", "--merchant", "shop"];
    let till = printed(&mut server.command(&create));
    assert!(till.starts_with("psk_"), "only the secret is data: {till}");
    place_an_order(&server.url, till.trim());

    let orders = printed(&mut server.command(&["orders", "--label", "till=7", "--json"]));
    let order = json(orders.trim());
    assert_eq!(order["order_id"], "order-1");
    assert_eq!(order["status"], "PENDING");
    let amount = serde_json::json!({"currency": "AUD", "minor_units": 14624, "exponent": 2});
    assert_eq!(order["amount"], amount);
    let none = printed(&mut server.command(&["orders", "--status", "successful"]));
    assert_eq!(none, "");

    let shown = printed(&mut server.command(&["order", "order-1"]));
    assert!(shown.contains("146.24 AUD") && shown.contains("timeline"), "{shown}");
    let whole = json(&printed(&mut server.command(&["order", "order-1", "--json"])));
    assert_eq!(whole["timeline"].as_array().map(Vec::len), Some(2));
    assert_eq!(whole["timeline"][0]["actor"], "till");
    changes_are_watched(&server);
    failures_are_explained(&server);
    operators_are_managed_and_all_is_audited(&server);

    let in_use = complaint(paystatus(&["verify", "--data"]).arg(&data));
    assert!(in_use.contains("another process uses"), "{in_use}");
    server.stop();
    let verified = printed(paystatus(&["verify", "--json", "--data"]).arg(&data));
    let verified = json(verified.trim());
    assert_eq!(verified["agrees"], true);
    assert_eq!(verified["orders"], 1);
}

fn operators_are_managed_and_all_is_audited(server: &Server) {
    let add = ["operators", "add", "anna", "--name", "Anna", "--merchant", "shop", "--json"];
    let anna = json(&printed(&mut server.command(&add)));
    assert_eq!((&anna["operator_id"], &anna["merchant_ids"][0]), (&"anna".into(), &"shop".into()));
    let create = ["keys", "create", "laptop", "--operator", "anna", "--expires", "90days"];
    assert!(printed(&mut server.command(&create)).starts_with("psk_"));
    let listed = printed(&mut server.command(&["keys", "list"]));
    assert!(listed.contains("LAST USE") && listed.contains("operator anna"), "{listed}");
    let listed = printed(&mut server.command(&["operators", "list"]));
    assert!(listed.contains("anna") && listed.contains("shop"), "{listed}");

    let entries = printed(&mut server.command(&["audit", "--json", "--limit", "3"]));
    let methods = entries.lines().map(|line| json(line)["method"].clone());
    let expected =
        ["AccessService/CreateKey", "AccessService/CreateOperator", "OrderService/CreateAttempt"];
    assert_eq!(methods.collect::<Vec<_>>(), expected);
    let removed = printed(&mut server.command(&["operators", "remove", "anna"]));
    assert_eq!(removed, "", "that is talk");
    assert!(!printed(&mut server.command(&["keys", "list"])).contains("laptop"));
    let audit = printed(&mut server.command(&["audit", "--of", "shop", "--since", "1h"]));
    assert!(audit.contains("AccessService/DeleteOperator"), "{audit}");
}

#[tokio::main(flavor = "current_thread")]
async fn place_an_order(url: &str, key: &str) {
    use paystatus_client::{Client, Money, NewAttempt, NewOrder};
    let client = Client::builder(url).api_key(key).connect().await.expect("it connects");
    let amount = Money::parse("146.24", "AUD").expect("an amount");
    let order = NewOrder::new("order-1", amount).label("till", "7");
    client.create_order(order).await.expect("it is recorded");
    let attempt = NewAttempt::new("order-1", "a1", "bank");
    client.create_attempt(attempt).await.expect("it is recorded");
}

/// Every change comes, one a line, and a cursor leads on from where it stands.
fn changes_are_watched(server: &Server) {
    let first = watched(server, "beginning", 3);
    assert_eq!(first[0]["change"]["kind"], "ORDER_CREATED");
    assert_eq!(first[1]["change"]["kind"], "ATTEMPT_CREATED");
    assert_eq!(first[1]["change"]["attempt"]["attempt_id"], "a1");
    assert_eq!(first[2]["type"], "caught_up");

    let cursor = first[0]["cursor"].as_str().expect("a cursor");
    let rest = watched(server, &format!("cursor:{cursor}"), 1);
    assert_eq!(rest[0]["change"]["kind"], "ATTEMPT_CREATED");
}

fn watched(server: &Server, from: &str, count: usize) -> Vec<Value> {
    let mut watch = server
        .command(&["watch", "--json", "--from", from])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let lines = BufReader::new(watch.stdout.take().expect("its output is ours")).lines();
    let lines = lines.take(count).map(|line| json(&line.expect("a line"))).collect();
    drop(watch.kill());
    drop(watch.wait());
    lines
}

fn failures_are_explained(server: &Server) {
    let no_key = complaint(server.command(&["orders"]).env_remove("PAYSTATUS_API_KEY"));
    assert!(no_key.contains("--key or PAYSTATUS_API_KEY"), "{no_key}");
    let wrong = complaint(server.command(&["orders"]).env("PAYSTATUS_API_KEY", "psk_x"));
    assert!(wrong.contains("does not know this key"), "{wrong}");
    let nobody = complaint(server.command(&["orders"]).env_remove("PAYSTATUS_MERCHANT"));
    assert!(nobody.contains("--merchant or PAYSTATUS_MERCHANT"), "{nobody}");
    let missing = complaint(&mut server.command(&["order", "order-9"]));
    assert!(missing.contains("orders --unclaimed"), "{missing}");
}
