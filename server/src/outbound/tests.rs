//! What webhooks and callers ask for, against a small HTTP server; the rest is tested through the
//! whole system.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Failed, Looked, Outbound, certificates::Certificates, http::Http};
use crate::{
    accounts::{Accounts, Live},
    config::{AccountConfig, Config, StatusApiConfig},
    domain::{
        command::Disposition,
        ids::{AccountId, Claim, OrderKey, ProviderId},
        view::PaymentStatus,
    },
    engine::tests::bench::Bench,
    journal::Journal as _,
};

/// Answers by path: a status and a body; 404 for others.
struct Site {
    url: String,
    pages: Mutex<HashMap<String, (u16, String)>>,
    requests: AtomicUsize,
}

impl Site {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let site = Arc::new(Self { url, pages: Mutex::default(), requests: AtomicUsize::new(0) });
        let own = Arc::clone(&site);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 4096];
                let count = stream.read(&mut bytes).await.unwrap();
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                own.requests.fetch_add(1, Relaxed);
                let page = own.pages.lock().unwrap().get(&path).cloned();
                let (status, body) = page.unwrap_or((404, "{}".to_owned()));
                let head = format!(
                    "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                drop(stream.write_all((head + &body).as_bytes()).await);
            }
        });
        site
    }

    fn has(&self, path: &str, status: u16, body: &str) {
        self.pages.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    fn requests(&self) -> usize {
        self.requests.load(Relaxed)
    }
}

#[tokio::test]
async fn a_certificate_is_fetched_once_for_all_who_ask() {
    let site = Site::start().await;
    site.has("/cert", 200, "certificate");
    site.has("/large", 200, &"x".repeat(64 * 1024 + 1));
    let (http, certificates) = (Http::new().unwrap(), Certificates::default());
    let url = |path: &str| format!("{}{path}", site.url);
    let cert = url("/cert");
    let asks = (0..10).map(|_| certificates.get(&http, &cert));
    for fetched in futures_util::future::join_all(asks).await {
        assert_eq!(&fetched.unwrap()[..], b"certificate");
    }
    assert_eq!(site.requests(), 1);
    assert_eq!(certificates.get(&http, &url("/large")).await, Err(Failed::TooLarge));
    assert_eq!(certificates.get(&http, &url("/gone")).await, Err(Failed::Status(404)));
    assert_eq!(certificates.get(&http, "file:///etc/passwd").await, Err(Failed::NotAsked));
    let mut limited = 0;
    for number in 0..20 {
        let fetched = certificates.get(&http, &url(&format!("/{number}"))).await;
        limited += usize::from(matches!(fetched, Err(Failed::Limited { .. })));
    }
    assert!(limited >= 5 && site.requests() < 20, "{limited}");
    assert!(certificates.get(&http, &cert).await.is_ok(), "what is there needs no fetch");
}

fn accounts(site: &Site) -> Accounts {
    let mut account = AccountConfig::new("acc", "optty", "m");
    account.secrets.push("s".to_owned().into());
    let credentials = ["client_id", "client_secret"].map(|name| (name.to_owned(), "x".to_owned()));
    account.status_api = Some(StatusApiConfig {
        credentials: credentials.into(),
        url: Some(site.url.clone()),
        auth_url: Some(site.url.clone()),
        ..StatusApiConfig::default()
    });
    Config { accounts: vec![account], ..Config::default() }.accounts().unwrap()
}

/// A payment that nobody recorded, known by one id alone: what a webhook without content names.
#[tokio::test]
async fn a_payment_can_be_asked_about_by_its_id_alone() {
    let site = Site::start().await;
    site.has("/token", 200, r#"{"access_token":"t","expires_in":60}"#);
    let bench = Bench::new();
    let (handle, _running) = bench.engine.start().unwrap();
    let (store, hub, journal) = (&bench.store, Arc::clone(&bench.hub), &bench.journal);
    let live = Arc::new(Live::new(accounts(&site)));
    let parts = (handle, Arc::clone(store), hub);
    let outbound = Outbound::new(parts, live, tokio::runtime::Handle::current()).unwrap();
    let account = AccountId::parse("acc").unwrap();
    let id = ProviderId::parse("reference", "p1").unwrap();

    let unknown = outbound.look_for(&account, &id).await.unwrap();
    assert_eq!(unknown, Looked::default(), "the provider knows nothing of it");
    site.has("/orders/p1", 500, "");
    assert_eq!(outbound.look_for(&account, &id).await, Err(Failed::Status(500)));
    assert_eq!(journal.reader().head(), 0, "nothing was recorded");

    let order = |status: &str| {
        format!(r#"{{"merchantReference":"p1","status":"{status}","amount":"1","currency":"AUD"}}"#)
    };
    site.has("/orders/p1", 201, &order("PENDING"));
    let parked = outbound.look_for(&account, &id).await.unwrap();
    assert_eq!((parked.is_known, parked.disposition), (true, Some(Disposition::Parked)));
    site.has("/orders/p1", 201, &order("SUCCESSFUL"));
    outbound.look_for(&account, &id).await.unwrap();
    let again = outbound.look_for(&account, &id).await.unwrap();
    assert_eq!(again.disposition, Some(Disposition::Repeat));
    assert_eq!(journal.reader().head(), 2);
    let key = OrderKey::Unclaimed { account: account.clone(), anchor: id.clone() };
    let order = store.find_order(&key).unwrap().unwrap();
    assert_eq!(order.view.summary.status, PaymentStatus::Successful);

    // An unverified webhook may cause a look too; nobody waits for it.
    let before = site.requests();
    outbound.hint(&account, vec![Claim { account: account.clone(), id }]);
    tokio::time::timeout(Duration::from_secs(20), async {
        while site.requests() == before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let other = AccountId::parse("other").unwrap();
    let id = ProviderId::parse("reference", "p1").unwrap();
    assert_eq!(outbound.look_for(&other, &id).await, Err(Failed::NotAsked));
}
