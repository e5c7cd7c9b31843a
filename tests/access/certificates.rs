//! Services that call with a certificate instead of an API key.

use std::{fs, time::Duration};

use paystatus_client::{
    Client, Identity, ListAuditEntries, ListOrders, NewOrder, Tls as ClientTls,
};
use paystatus_proto::v1;
use paystatus_server::{
    config::{ClientConfig, Config, Tls},
    serve::Server,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use tempfile::TempDir;
use tonic::{
    Code,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity as ChannelIdentity},
};

use super::{
    table::Caller,
    walk::{Credential, differences, operator_of},
};
use crate::harness::{
    MERCHANT, OTHER_MERCHANT,
    api::{Api, assert_refused},
    config, folder,
    stream::{Reader, from},
};

/// An authority that signs certificates.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("sound");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed");
        Self { pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    /// A certificate with a URI or a DNS name, and its key.
    fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, 4096)
    }

    fn identity_until(&self, name: &str, year: i32) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).expect("sound");
        let ascii = name.try_into().expect("ASCII");
        let is_uri = name.contains("://");
        params.subject_alt_names =
            vec![if is_uri { SanType::URI(ascii) } else { SanType::DnsName(ascii) }];
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() }
    }
}

/// A server that speaks TLS and lists some services.
struct Secured {
    server: Server,
    config: Config,
    /// Signs the services' certificates.
    authority: Authority,
    server_pem: String,
    _folder: TempDir,
}

const CHECKOUT: &str = "checkout.internal";
const OPERATOR: &str = "spiffe://example/back-office";
const OWNER: &str = "owner.internal";
const OTHER: &str = "other.internal";

fn client(name: &str, role: &str, merchant: &str) -> ClientConfig {
    let (name, role) = (name.to_owned(), role.to_owned());
    ClientConfig { name, role, merchants: vec![merchant.to_owned()] }
}

impl Secured {
    async fn start() -> Self {
        let folder = folder();
        let path = |name: &str| folder.path().join(name);
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let authority = Authority::new();
        fs::write(path("cert"), made.cert.pem()).expect("written");
        fs::write(path("key"), made.signing_key.serialize_pem()).expect("written");
        fs::write(path("ca"), &authority.pem).expect("written");
        let mut config = config(path("data"));
        // How long a stream may outlive its certificate on the list.
        config.streams.heartbeat = Duration::from_millis(100);
        config.tls = Some(Tls {
            certificate: path("cert"),
            key: path("key"),
            client_ca: Some(path("ca")),
            clients: vec![
                client(CHECKOUT, "checkout", MERCHANT),
                client(OPERATOR, "operator", MERCHANT),
                client(OWNER, "owner", MERCHANT),
                client(OTHER, "checkout", OTHER_MERCHANT),
            ],
        });
        let start = config.clone();
        let server = tokio::task::spawn_blocking(|| Server::start(start)).await.expect("no panic");
        let server = server.expect("it starts");
        Self { server, config, authority, server_pem: made.cert.pem(), _folder: folder }
    }

    fn channel(&self, identity: Option<&Identity>) -> Channel {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.server_pem))
            .domain_name("localhost");
        if let Some(identity) = identity {
            let (certificate, key) = (&identity.certificate_pem, &identity.key_pem);
            tls = tls.identity(ChannelIdentity::from_pem(certificate, key));
        }
        let endpoint = Endpoint::from_shared(format!("https://{}", self.server.grpc_address));
        endpoint.expect("sound").tls_config(tls).expect("sound").connect_lazy()
    }

    fn api(&self, identity: Option<&Identity>, secret: &str) -> Api {
        Api::new(self.channel(identity), secret)
    }

    fn owner(&self) -> Api {
        self.api(None, self.server.first_key.as_deref().expect("it is shown"))
    }

    /// The SDK, as it shows a certificate.
    fn client(&self, identity: Identity) -> Client {
        let url = format!("https://localhost:{}", self.server.grpc_address.port());
        let ca_pem = Some(self.server_pem.clone());
        let tls = ClientTls { ca_pem, identity: Some(identity), ..ClientTls::default() };
        Client::builder(url).tls(tls).connect_lazy().expect("the settings are sound")
    }

    async fn stop(self) {
        let stopped = tokio::task::spawn_blocking(move || self.server.stop()).await;
        stopped.expect("no panic").expect("it stops in good order");
    }
}

/// Lists orders: how that ends.
async fn lists(api: &Api) -> Result<(), tonic::Status> {
    api.orders().list_orders(v1::ListOrdersRequest::default()).await.map(drop)
}

#[tokio::test]
async fn a_listed_certificate_is_a_caller_and_every_record_shows_its_name() {
    let secured = Secured::start().await;
    let client = secured.client(secured.authority.identity(CHECKOUT));
    let amount = paystatus_client::Money::new("AUD", 100, 2).expect("an amount");
    client.create_order(NewOrder::new("o1", amount)).await.expect("recorded");
    client.list_orders(ListOrders::default()).await.expect("it is its merchant's");
    let refused = client.list_audit_entries(ListAuditEntries::default()).await;
    assert!(refused.is_err(), "it is no owner");
    client.close().await.expect("it closes");

    // A URI will do as well, and a DNS name in other letters.
    let operator = secured.authority.identity(OPERATOR);
    let operator = secured.api(Some(&operator), "");
    let timeline = operator.timeline("o1").await;
    assert_eq!((&*timeline[0].actor, &*timeline[0].actor_key_id), (CHECKOUT, ""));
    let loud = secured.authority.identity("CHECKOUT.internal");
    lists(&secured.api(Some(&loud), "")).await.expect("the same name");
    let owner = secured.authority.identity(OWNER);
    let entries = secured.client(owner).list_audit_entries(ListAuditEntries::default()).await;
    let entries = entries.expect("an owner may").items;
    assert!(entries.iter().any(|e| e.actor == CHECKOUT && e.method == "OrderService/CreateOrder"));
    secured.stop().await;
}

#[tokio::test]
async fn certificates_that_are_not_listed_of_others_or_expired_open_nothing() {
    let secured = Secured::start().await;
    let unlisted = secured.authority.identity("nobody.internal");
    let refused = lists(&secured.api(Some(&unlisted), "")).await;
    let status = assert_refused(refused, Code::Unauthenticated, "API_KEY_INVALID");
    assert!(status.message().contains("tls.clients"), "{status}");
    let none = lists(&secured.api(None, "")).await;
    assert_refused(none, Code::Unauthenticated, "API_KEY_INVALID");
    // These do not get as far as a call, with a good key either.
    let key = secured.server.first_key.clone().expect("it is shown");
    let of_other = Authority::new().identity(CHECKOUT);
    let expired = secured.authority.identity_until(CHECKOUT, 2001);
    for identity in [of_other, expired] {
        for secret in ["", &key] {
            let status = lists(&secured.api(Some(&identity), secret)).await.expect_err("refused");
            // By the connection, which is closed; the server would say why.
            assert!(status.details().is_empty(), "{status}");
        }
    }
    secured.stop().await;
}

#[tokio::test]
async fn a_key_counts_where_both_are_shown() {
    let secured = Secured::start().await;
    let owner = secured.owner();
    let anna = operator_of(&owner, "anna", &[OTHER_MERCHANT]).await;
    let identity = secured.authority.identity(CHECKOUT);
    let both = secured.api(Some(&identity), &anna);
    both.create_order("o1", 100).await;
    let timeline = both.timeline("o1").await;
    assert_eq!(timeline[0].actor_operator_id, "anna");
    let refused = lists(&secured.api(Some(&identity), "psk_unknown")).await;
    assert_refused(refused, Code::Unauthenticated, "API_KEY_INVALID");
    lists(&secured.api(None, &anna)).await.expect("a key needs no certificate");
    secured.stop().await;
}

#[tokio::test]
async fn a_certificate_that_is_listed_no_more_is_refused_also_on_an_open_stream() {
    let mut secured = Secured::start().await;
    let api = secured.api(Some(&secured.authority.identity(CHECKOUT)), "");
    let place = from(v1::StreamPlace::Now);
    let mut stream = Reader::open(&api, v1::ChangeFilter::default(), place).await;
    stream.until("caught_up").await;
    let tls = secured.config.tls.as_mut().expect("it is set");
    tls.clients.retain(|client| client.name != CHECKOUT);
    let reloaded = secured.server.reload(&secured.config).expect("sound");
    assert_eq!(reloaded.needs_restart, [""; 0]);
    assert_refused(lists(&api).await, Code::Unauthenticated, "API_KEY_INVALID");
    let status = stream.end().await.expect("it is refused");
    assert_eq!(status.code(), Code::Unauthenticated, "{status}");

    let tls = secured.config.tls.as_mut().expect("it is set");
    tls.clients.push(client(CHECKOUT, "king", MERCHANT));
    let error = secured.server.reload(&secured.config).expect_err("no such role").to_string();
    assert!(error.contains("tls.clients[3].role"), "{error}");
    secured.stop().await;
}

#[tokio::test]
async fn a_certificate_may_what_a_key_of_its_role_may() {
    let secured = Secured::start().await;
    operator_of(&secured.owner(), "table", &[MERCHANT]).await;
    let mut found = Vec::new();
    for (name, caller, is_own) in [
        (CHECKOUT, Caller::Checkout, true),
        (OPERATOR, Caller::Operator, true),
        (OWNER, Caller::Owner, true),
        (OTHER, Caller::Checkout, false),
        ("nobody.internal", Caller::NoKey, false),
    ] {
        let identity = secured.authority.identity(name);
        let secret = String::new();
        let credential = Credential { name, secret, caller, is_own };
        found.extend(differences(&secured.channel(Some(&identity)), &[credential]).await);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    secured.stop().await;
}
