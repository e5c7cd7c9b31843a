//! The gRPC services. One file per service; `from_wire` and `to_wire` are the only places
//! where wire types and the domain meet.

mod access;
mod accounts;
pub mod auth;
mod await_order;
mod change_set;
mod changes;
mod cursor;
mod errors;
mod filter;
mod from_wire;
mod orders;
mod page;
mod page_watch;
mod receipt;
pub mod sessions;
mod stream;
pub(crate) mod to_wire;
pub mod web;
mod webhooks;

use paystatus_proto::server::{
    access_service_server::AccessServiceServer, account_service_server::AccountServiceServer,
    change_service_server::ChangeServiceServer, order_service_server::OrderServiceServer,
    webhook_service_server::WebhookServiceServer,
};
use tonic::{
    Request,
    service::{Routes, interceptor::InterceptedService},
};

use super::Context;

/// Every service behind its API key, and health and reflection before it.
///
/// # Errors
/// If the compiled descriptors are not sound; a test would have found it.
pub async fn routes(
    context: &Context,
) -> Result<(Routes, tonic_health::server::HealthReporter), tonic_reflection::server::Error> {
    let bytes = context.config.limits.request_bytes;
    let (store, pages) = (context.store.clone(), context.pages.clone());
    let key = move |request: Request<()>| auth::authenticate(&store, &pages, request);
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(paystatus_proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let orders = OrderServiceServer::new(orders::Orders(context.clone()));
    let changes = ChangeServiceServer::new(changes::Changes(context.clone()));
    let webhooks = WebhookServiceServer::new(webhooks::Webhooks(context.clone()));
    let access = AccessServiceServer::new(access::Access(context.clone()));
    let accounts = AccountServiceServer::new(accounts::AccountList(context.clone()));
    // A webhook travels inside its message.
    let webhook_bytes = bytes.max(context.config.limits.webhook_bytes + 64 * 1024);
    let routes = Routes::new(health)
        .add_service(reflection)
        .add_service(InterceptedService::new(orders.max_decoding_message_size(bytes), key.clone()))
        .add_service(InterceptedService::new(changes.max_decoding_message_size(bytes), key.clone()))
        .add_service(InterceptedService::new(
            webhooks.max_decoding_message_size(webhook_bytes),
            key.clone(),
        ))
        .add_service(InterceptedService::new(
            accounts.max_decoding_message_size(bytes),
            key.clone(),
        ))
        .add_service(InterceptedService::new(access.max_decoding_message_size(bytes), key));
    Ok((routes.prepare(), reporter))
}
