//! Turns `proto/paystatus/v1/*.proto` into Rust. protox parses the files: no `protoc` needed.

use std::{env, error::Error, fs, path::PathBuf};

use protox::prost::Message as _;

const INCLUDE: &str = "proto";
const PROTOS: &[&str] = &[
    "proto/paystatus/v1/access_service.proto",
    "proto/paystatus/v1/account_service.proto",
    "proto/paystatus/v1/change.proto",
    "proto/paystatus/v1/change_service.proto",
    "proto/paystatus/v1/money.proto",
    "proto/paystatus/v1/order.proto",
    "proto/paystatus/v1/order_service.proto",
    "proto/paystatus/v1/timeline.proto",
    "proto/paystatus/v1/webhook_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    // Listed one by one: `proto/lib.rs` lies beside them, and its edits need no new codegen.
    for proto in PROTOS {
        println!("cargo::rerun-if-changed={proto}");
    }
    let descriptors = protox::compile(PROTOS, [INCLUDE])?;

    // Kept for gRPC reflection and for the contract test.
    let out_dir = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out_dir.join("descriptors.bin"), descriptors.encode_to_vec())?;

    tonic_prost_build::configure().build_server(false).compile_fds(descriptors.clone())?;

    // The server's side again, with two differences: frames of streams are encoded once for
    // all watchers, so they pass as ready bytes; and streams get small buffers.
    let server_dir = out_dir.join("server");
    fs::create_dir_all(&server_dir)?;
    tonic_prost_build::configure()
        .out_dir(server_dir)
        .build_client(false)
        .codec_path("crate::codec::SmallBufferCodec")
        .extern_path(".paystatus.v1.WatchOrderResponse", "crate::codec::Encoded")
        .extern_path(".paystatus.v1.WatchChangesResponse", "crate::codec::Encoded")
        .extern_path(".paystatus.v1", "crate::v1")
        .compile_fds(descriptors)?;
    Ok(())
}
