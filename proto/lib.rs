//! The payment-status API as Rust types, generated from `proto/paystatus/v1/*.proto`.
//!
//! [`v1`] holds the messages and the clients, [`server`] the traits a server implements, and
//! [`DESCRIPTORS`] the compiled files, for gRPC reflection and the contract test.

pub mod codec;

/// Messages and clients of version 1 of the API.
pub mod v1 {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::too_many_lines)]
    tonic::include_proto!("paystatus.v1");
}

/// Traits and services of version 1 that a server implements.
///
/// The two stream responses are [`codec::Encoded`], so that a change is encoded once.
pub mod server {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::too_many_lines)]
    include!(concat!(env!("OUT_DIR"), "/server/paystatus.v1.rs"));
}

/// The compiled `.proto` files, as an encoded `google.protobuf.FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
