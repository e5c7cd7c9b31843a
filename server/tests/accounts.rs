//! Secrets that are rotated, settings that are read again, and webhooks that are looked at, all
//! with the program as it is run.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::cli::{SECRET, Server, complaint, json, paystatus, printed};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a webhook about an order of its own; returns the HTTP status.
fn send(address: &str, secret: &str) -> u16 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Relaxed);
    let body = format!(
        r#"{{"type":"payment.paid","timestamp":"2026-11-21T12:00:00Z","data":{{"payment_id":"p{number}","reference":"o{number}","amount":"1.00","currency":"AUD"}}}}"#
    );
    post(address, secret, &format!("m{number}"), &body)
}

fn post(address: &str, secret: &str, id: &str, body: &str) -> u16 {
    #[expect(clippy::disallowed_methods, reason = "a sender has a clock of its own")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let key = BASE64.decode(secret.trim_start_matches("whsec_")).expect("base64");
    let mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    let mac = mac.chain_update(format!("{id}.{now}.{body}")).finalize();
    let signature = BASE64.encode(mac.into_bytes());
    let mut stream = TcpStream::connect(address).expect("it listens");
    let length = body.len();
    let request = format!(
        "POST /webhooks/bank HTTP/1.1\r\nhost: x\r\nconnection: close\r\nwebhook-id: {id}\r\n\
         webhook-timestamp: {now}\r\nwebhook-signature: v1,{signature}\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it is answered");
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

/// Sends until the status is this one.
fn becomes(address: &str, secret: &str, status: u16) {
    let started = std::time::Instant::now();
    while send(address, secret) != status {
        assert!(started.elapsed() < PATIENCE, "it never became {status}");
    }
}

fn rotate(config: &Path, secret: &str, overlap: &str) {
    let words = ["accounts", "rotate", "bank", "--stdin", "--overlap", overlap, "--config"];
    let mut child = paystatus(&words)
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("it is ours");
    writeln!(stdin, "{secret}").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(said.contains("SIGHUP") && !said.contains(secret), "{said}");
}

#[test]
fn secrets_are_rotated_while_webhooks_keep_flowing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let config = data.with_extension("toml");
    let server = Server::start(&data);
    let new = format!("whsec_{}", BASE64.encode([7; 24]));
    let newer = format!("whsec_{}", BASE64.encode([8; 24]));
    assert_eq!((send(&server.http, SECRET), send(&server.http, &new)), (204, 401));

    let (stop, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                assert_eq!(send(&server.http, SECRET), 204, "no request is dropped");
                sent.fetch_add(1, Relaxed);
            }
        });
        let flow_on = || {
            let before = sent.load(Relaxed);
            let started = std::time::Instant::now();
            while sent.load(Relaxed) < before + 3 {
                assert!(started.elapsed() < PATIENCE, "webhooks flow");
                std::thread::yield_now();
            }
        };
        for _ in 0..10 {
            server.signal("-HUP");
            flow_on();
        }
        // A file that is wrong changes nothing.
        let sound = std::fs::read(&config).expect("it is there");
        std::fs::write(&config, "accounts = 7").expect("written");
        server.signal("-HUP");
        flow_on();
        std::fs::write(&config, sound).expect("written");

        rotate(&config, &new, "1h");
        server.signal("-HUP");
        becomes(&server.http, &new, 204);
        flow_on();
        stop.store(true, Relaxed);
    });
    assert_eq!(send(&server.http, SECRET), 204, "the old one has an hour");
    rotate(&config, &newer, "0s");
    server.signal("-HUP");
    becomes(&server.http, &newer, 204);
    assert_eq!((send(&server.http, SECRET), send(&server.http, &new)), (401, 401), "all end now");

    let account = json(&printed(&mut server.command(&["accounts", "--json"])));
    let active = account["secrets"].as_array().expect("a list").iter();
    let active: Vec<_> = active.map(|secret| secret["active"].clone()).collect();
    assert_eq!(active, [true, false, false]);
    let shown = printed(&mut server.command(&["accounts"]));
    assert!(shown.contains("1 active, 2 not") && shown.contains("which has ended"), "{shown}");
    server.stop();
}

#[test]
fn webhooks_are_listed_shown_and_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(&folder.path().join("data"));
    assert_eq!(send(&server.http, SECRET), 204);
    assert_eq!(post(&server.http, SECRET, "odd", r#"{"type":"payment.paid"}"#), 204);

    let list = ["webhooks", "list", "--disposition", "unreadable", "--since", "1h", "--json"];
    let webhook = json(&printed(&mut server.command(&list)));
    assert_eq!((&webhook["account_id"], &webhook["reread"]), (&"bank".into(), &false.into()));
    let id = webhook["webhook_id"].as_str().expect("an id").to_owned();
    let all = printed(&mut server.command(&["webhooks", "list"]));
    assert!(all.contains("UNREADABLE") && all.contains("PARKED"), "{all}");
    let whole = json(&printed(&mut server.command(&["webhooks", "show", &id, "--json"])));
    assert_eq!(whole["body"], r#"{"type":"payment.paid"}"#);
    assert_eq!(whole["as_received"], true);
    let file = folder.path().join("body");
    printed(server.command(&["webhooks", "show", &id, "--save"]).arg(&file));
    assert_eq!(std::fs::read_to_string(&file).expect("saved"), r#"{"type":"payment.paid"}"#);

    let replay = ["webhooks", "replay", "--account", "bank", "--dry-run", "--json"];
    let lines = printed(&mut server.command(&replay));
    let lines: Vec<_> = lines.lines().map(json).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!((&lines[1]["type"], &lines[1]["altered"]), (&"webhook".into(), &false.into()));
    assert_eq!((&lines[2]["type"], &lines[2]["done"]), (&"reached".into(), &true.into()));
    let refused = complaint(&mut server.command(&["webhooks", "show", "wh_9999"]));
    assert!(refused.contains("no such webhook"), "{refused}");
    server.stop();
}

#[test]
fn a_secret_that_is_made_is_shown_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("paystatus.toml");
    let account = "[[accounts]]\nid = \"bank\"\nprovider = \"standard-webhooks\"\n\
                   merchant = \"shop\"\nsecrets = [\"whsec_b2xk\"]\n";
    std::fs::write(&config, account).expect("written");
    let words = ["accounts", "rotate", "bank", "--generate", "--config"];
    let secret = printed(paystatus(&words).arg(&config));
    let secret = secret.trim();
    assert!(secret.starts_with("whsec_") && secret.len() > 40, "{secret}");
    let text = std::fs::read_to_string(&config).expect("it is there");
    assert!(text.contains(secret), "{text}");
    let unknown = ["accounts", "rotate", "shop", "--generate", "--config"];
    let unknown = complaint(paystatus(&unknown).arg(&config));
    assert!(unknown.contains("has no account shop"), "{unknown}");
    assert_eq!(std::fs::read_to_string(&config).expect("it is there"), text);
}
