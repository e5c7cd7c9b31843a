//! gRPC-Web for pages, on the listener that everybody reaches. It serves what a page token may do
//! and takes nothing but page tokens, so that no key is ever worth anything there.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::post_service,
};
use paystatus_proto::server::order_service_server::OrderServiceServer;
use tonic::service::interceptor::InterceptedService;
use tonic_web::GrpcWebLayer;
use tower::Layer as _;

use super::{auth, orders::Orders};
use crate::edge::{
    Context, body,
    pages::{self, cors::Cors},
};

/// What a page may call.
const METHODS: [&str; 2] =
    ["/paystatus.v1.OrderService/WatchOrder", "/paystatus.v1.OrderService/RecordReceipt"];
/// Bytes of a request.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// What scripts of the shop may do here.
const CORS: Cors = Cors {
    methods: "POST",
    sent: "authorization, content-type, grpc-timeout, x-grpc-web, x-user-agent",
    exposed: "grpc-status, grpc-message, grpc-status-details-bin",
};

/// The routes.
pub(in crate::edge) fn router(context: Arc<Context>) -> Router {
    let pages = context.pages.clone();
    let page = move |request| auth::authenticate_page(&pages, request);
    let orders = OrderServiceServer::new(Orders(context.clone()));
    let orders = orders.max_decoding_message_size(REQUEST_BYTES_MAX);
    let service = GrpcWebLayer::new().layer(InterceptedService::new(orders, page));
    let state = context.clone();
    METHODS
        .into_iter()
        .fold(Router::new(), |router, method| {
            let calls = post_service(service.clone())
                .layer(middleware::from_fn_with_state(state.clone(), guard))
                .options(preflight);
            router.route(method, calls)
        })
        .with_state(context)
}

/// Lets through what is gRPC-Web and small, read to its end: what calls take is one short message.
async fn guard(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let origin = parts.headers.get(header::ORIGIN).cloned();
    let mut response = if is_grpc_web(&parts.headers) {
        match body::read(body, REQUEST_BYTES_MAX, context.config.limits.webhook_read).await {
            Ok(body) => next.run(Request::from_parts(parts, Body::from(body))).await,
            Err(refused) => refused.into_response(),
        }
    } else {
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, "only gRPC-Web is spoken here\n").into_response()
    };
    let own = response.headers_mut();
    pages::unkept(own);
    pages::unbuffered(own);
    CORS.allow(&context.pages.load(), origin.as_ref(), own);
    response
}

fn is_grpc_web(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| kind.starts_with(b"application/grpc-web"))
}

async fn preflight(State(context): State<Arc<Context>>, headers: HeaderMap) -> Response {
    CORS.preflight(&context.pages.load(), &headers)
}
