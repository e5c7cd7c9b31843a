//! The serving process: the real server, and beside it the same listeners around services that
//! do nothing, to compare with.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    io::BufRead,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use paystatus_proto::{codec::SmallBufferCodec, v1};
use paystatus_server::{
    accounts::Accounts,
    config::{AccountConfig, Config, Limits},
    edge::{http, intake, listen},
    serve::Server,
};
use tokio::sync::{Semaphore, watch};
use tonic::{Status, server::NamedService, service::Routes};

use crate::{options::Serving, process::WRITE_VIEW, webhook};

/// Serves until the input ends. A line of the input says to write the view, or is what GetOrder
/// answers that does nothing.
pub(crate) fn run(serving: &Serving) {
    let config = config(serving);
    let accounts = Arc::new(config.accounts().expect("the account"));
    let server = Server::start(config.clone()).expect("the server");
    let reply = Arc::new(OnceLock::new());
    let (_drain, drains) = watch::channel(false);
    let state = (accounts, config.limits);
    let shared = listen::Shared {
        routes: Routes::new(Idle(Arc::clone(&reply))).prepare(),
        router: Router::new().route("/webhooks/{account}", post(read)).with_state(state),
        http_tls: None,
        http_places: Arc::new(Semaphore::new(config.limits.http_connections)),
        grpc_places: Arc::new(Semaphore::new(config.limits.grpc_connections)),
        config: Arc::new(config.clone()),
        drain: drains,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let sockets = listen::Sockets::bind(&config, threads).expect("sockets");
    for (grpc, http) in sockets.pairs {
        let shared = shared.clone();
        std::thread::spawn(move || serve(shared, grpc, http));
    }
    let key = server.first_key.clone().expect("a new server has a new key");
    let addresses =
        [server.grpc_address, server.http_address, sockets.grpc_address, sockets.http_address];
    println!("{} {key}", addresses.map(|address| address.to_string()).join(" "));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("input");
        if line == WRITE_VIEW {
            server.write_view().expect("a view that can be written");
        } else {
            let bytes = hex::decode(line).expect("hex");
            let message = prost::Message::decode(bytes.as_slice()).expect("a reply");
            reply.set(message).expect("one reply");
        }
        println!("done");
    }
    // Not stopped in good order: its data goes away with it.
}

fn config(serving: &Serving) -> Config {
    let mut config = Config {
        data: serving.data.clone(),
        grpc_address: ([127, 0, 0, 1], 0).into(),
        http_address: ([127, 0, 0, 1], 0).into(),
        ..Config::default()
    };
    config.streams.heartbeat = Duration::from_millis(serving.heartbeat_ms);
    // Else what an earlier round approved would make records in a later one, whoever's turn it is.
    config.pages.not_informed = None;
    let mut account = AccountConfig::new(webhook::ACCOUNT, "optty", webhook::MERCHANT);
    account.secrets.push(webhook::SECRET.to_owned().into());
    account.create_orders = true;
    config.accounts.push(account);
    config
}

/// One thread, as the real server has them.
fn serve(shared: listen::Shared, grpc: std::net::TcpListener, http: std::net::TcpListener) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async move {
        let (grpc, http) = tokio::join!(
            listen::serve_grpc(shared.clone(), grpc),
            listen::serve_http(shared, http)
        );
        grpc.and(http).expect("a listener");
    });
}

/// What the real handler does, up to what it would ask the engine.
async fn read(
    State((accounts, limits)): State<(Arc<Accounts>, Limits)>,
    Path(account): Path<String>,
    request: Request,
) -> Response {
    let Some(account) = accounts.get(&account) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(limits.webhook_read, to_bytes(body, limits.webhook_bytes));
    let Ok(Ok(body)) = body.await else { return StatusCode::BAD_REQUEST.into_response() };
    match intake::read(account, &http::texts(&parts.headers), &body, None) {
        Ok(asks) => {
            drop(asks);
            let acknowledgement = account.provider.acknowledge();
            let status = StatusCode::from_u16(acknowledgement.status);
            (status.unwrap_or(StatusCode::OK), Body::from(acknowledgement.body)).into_response()
        }
        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// GetOrder with the same reply to everyone.
#[derive(Clone)]
struct Idle(Arc<OnceLock<v1::GetOrderResponse>>);

impl NamedService for Idle {
    const NAME: &'static str = "paystatus.v1.OrderService";
}

impl tonic::server::UnaryService<v1::GetOrderRequest> for Idle {
    type Response = v1::GetOrderResponse;
    type Future = Ready<Result<tonic::Response<v1::GetOrderResponse>, Status>>;

    fn call(&mut self, _: tonic::Request<v1::GetOrderRequest>) -> Self::Future {
        ready(Ok(tonic::Response::new(self.0.get().cloned().unwrap_or_default())))
    }
}

type Answer = Result<axum::http::Response<tonic::body::Body>, Infallible>;

impl tonic::codegen::Service<axum::http::Request<tonic::body::Body>> for Idle {
    type Response = axum::http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<tonic::body::Body>) -> Self::Future {
        let service = self.clone();
        let codec = SmallBufferCodec::<v1::GetOrderResponse, v1::GetOrderRequest>::default();
        Box::pin(async move { Ok(tonic::server::Grpc::new(codec).unary(service, request).await) })
    }
}
