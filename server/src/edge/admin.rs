//! The listener for those who run the server: `GET /metrics` as Prometheus reads it, and
//! `GET /healthz`. It follows the journal for the ledger too, apart from the threads that serve.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use metrics::{counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::{
    Context,
    grpc::to_wire,
    http::health,
    listen::{Error, REFUSED},
    pages::watch::LOOKS,
    receipt::RECEIPTS,
};
use crate::{clock, outbound::deadlines::NOT_INFORMED};

/// Where it listens if the configuration does not say.
pub const DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9464);
/// How often the ledger reads on.
const FOLLOW: Duration = Duration::from_millis(200);
/// How often it is judged who is silent.
const JUDGE: Duration = Duration::from_secs(5);

/// Binds the address. One that was asked for must be free; if the usual one is taken, by another
/// server on the same machine, this one goes without.
///
/// # Errors
/// [`Error::Bind`].
pub fn bind(asked: Option<SocketAddr>) -> Result<Option<TcpListener>, Error> {
    let address = asked.unwrap_or(DEFAULT);
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    match bound {
        Ok(listener) => Ok(Some(listener)),
        Err(source) if asked.is_some() => Err(Error::Bind { address, source }),
        Err(error) => {
            tracing::warn!(%address, %error, "no metrics: set admin_address to a free one");
            Ok(None)
        }
    }
}

/// Serves, and follows the journal, until the drain begins.
pub async fn run(context: Arc<Context>, listener: Option<TcpListener>) {
    let mut drain = context.drain.clone();
    let served = async {
        let Some(listener) = listener else { return std::future::pending().await };
        let served = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => axum::serve(listener, router(context.clone())).await,
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            tracing::error!(%error, "the admin listener ended");
        }
        std::future::pending().await
    };
    tokio::select! {
        () = served => {}
        () = follow(&context) => {}
        _ = drain.wait_for(|drains| *drains) => {}
    }
}

/// Keeps the ledger up to date.
async fn follow(context: &Context) {
    let mut ticks = tokio::time::interval(FOLLOW);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut judged = None;
    loop {
        ticks.tick().await;
        if let Err(error) = context.ledger.follow() {
            tracing::error!(%error, "the ledger of webhooks is not kept up any more");
            return std::future::pending().await;
        }
        let now = tokio::time::Instant::now();
        if judged.is_none_or(|before| now - before >= JUDGE) {
            judged = Some(now);
            context.ledger.judge(&context.accounts.load(), clock::now());
        }
    }
}

/// The routes.
fn router(context: Arc<Context>) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/healthz", get(health)).with_state(context)
}

async fn metrics(State(context): State<Arc<Context>>) -> Response {
    let Some(recorder) = recorder() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "metrics are recorded elsewhere\n")
            .into_response();
    };
    update(&context);
    recorder.run_upkeep();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, recorder.render()).into_response()
}

/// Brings up to date what is counted elsewhere.
fn update(context: &Context) {
    for account in context.accounts.load().iter() {
        let id = account.id.as_str();
        let tally = context.tallies.of(&account.id);
        for (what, count) in tally.accepted_counts() {
            let name = to_wire::webhook::what(what).as_str_name().to_ascii_lowercase();
            let disposition = name.trim_start_matches("disposition_").to_owned();
            let counter = counter!(
                "paystatus_webhooks_accepted_total",
                "account" => id.to_owned(), "disposition" => disposition
            );
            counter.absolute(count);
        }
        for (reason, count) in tally.rejected_counts() {
            let counter = counter!(
                "paystatus_webhooks_rejected_total",
                "account" => id.to_owned(), "reason" => reason
            );
            counter.absolute(count);
        }
        let known = context.ledger.of(&account.id);
        let silent = if known.silence.is_some() { 1.0 } else { 0.0 };
        gauge!("paystatus_provider_silent", "account" => id.to_owned()).set(silent);
        if let Some(heard) = known.figures.heard.max(tally.last_accepted()) {
            #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
            let seconds = heard.as_seconds() as f64;
            gauge!("paystatus_last_webhook_timestamp_seconds", "account" => id.to_owned())
                .set(seconds);
        }
        let learned = known.figures.learned_by_poll;
        #[expect(clippy::cast_precision_loss, reason = "a count of some records")]
        gauge!("paystatus_learned_by_poll_first", "account" => id.to_owned()).set(learned as f64);
    }
    #[expect(clippy::cast_precision_loss, reason = "limits.pages is far smaller")]
    gauge!("paystatus_pages_open").set(context.places.open() as f64);
    #[expect(clippy::cast_precision_loss, reason = "the journal is shorter than that")]
    gauge!("paystatus_journal_position").set(context.hub.head() as f64);
}

/// The recorder of this process, put in place by the first that asks. `None` if somebody who
/// embeds this server has put in another one.
pub fn recorder() -> Option<&'static PrometheusHandle> {
    static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    let recorder = RECORDER.get_or_init(|| {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).ok()?;
        describe();
        Some(handle)
    });
    recorder.as_ref()
}

fn describe() {
    use metrics::{describe_counter, describe_gauge};
    describe_counter!(
        "paystatus_webhooks_accepted_total",
        "Webhooks that verified, by what became of them"
    );
    describe_counter!("paystatus_webhooks_rejected_total", "Requests that did not verify");
    describe_counter!("paystatus_polls_total", "Questions to providers, by result");
    describe_counter!(REFUSED, "Connections closed at once because a listener was full");
    describe_counter!(LOOKS, "Times that pages read their order: on opening, and on each change");
    describe_counter!(RECEIPTS, "Receipts that pages showed an outcome, by what they came to");
    describe_counter!(NOT_INFORMED, "Outcomes that no page showed to the customer in time");
    describe_gauge!("paystatus_pages_open", "Pages that are open");
    describe_gauge!("paystatus_provider_silent", "1 while a provider is silent for too long");
    describe_gauge!(
        "paystatus_last_webhook_timestamp_seconds",
        "When the last webhook was recorded"
    );
    describe_gauge!(
        "paystatus_learned_by_poll_first",
        "Statuses that a poll learned before a webhook, in the part of the journal looked at"
    );
    describe_gauge!("paystatus_journal_position", "Position of the newest record");
}
