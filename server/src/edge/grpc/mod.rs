//! The gRPC services. One file per service; `from_wire` and `to_wire` are the only places
//! where wire types and the domain meet.

mod access;
mod accounts;
mod audit;
pub mod auth;
mod await_order;
mod by_time;
pub mod certificates;
mod change_set;
mod changes;
mod cursor;
mod errors;
mod filter;
mod from_wire;
mod gate;
mod leave;
mod operators;
mod orders;
mod page;
mod page_watch;
mod receipt;
pub mod sessions;
mod stream;
pub(crate) mod to_wire;
pub mod usage;
pub mod web;
mod webhooks;

use std::sync::Arc;

use paystatus_proto::server::{
    access_service_server::AccessServiceServer, account_service_server::AccountServiceServer,
    change_service_server::ChangeServiceServer, order_service_server::OrderServiceServer,
    webhook_service_server::WebhookServiceServer,
};
use tonic::service::Routes;

use self::gate::Gate;
use super::Context;

/// Every service behind the gate, and health and reflection before it.
///
/// # Errors
/// If the compiled descriptors are not sound; a test would have found it.
pub async fn routes(
    context: &Arc<Context>,
) -> Result<(Routes, tonic_health::server::HealthReporter), tonic_reflection::server::Error> {
    let bytes = context.config.limits.request_bytes;
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
    let context = &Arc::new(context.clone());
    let routes = Routes::new(health)
        .add_service(reflection)
        .add_service(Gate::new(orders.max_decoding_message_size(bytes), context))
        .add_service(Gate::new(changes.max_decoding_message_size(bytes), context))
        .add_service(Gate::new(webhooks.max_decoding_message_size(webhook_bytes), context))
        .add_service(Gate::new(accounts.max_decoding_message_size(bytes), context))
        .add_service(Gate::new(access.max_decoding_message_size(bytes), context));
    Ok((routes.prepare(), reporter))
}
