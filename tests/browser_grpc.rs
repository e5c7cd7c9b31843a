//! A page that follows its order by gRPC-Web, with a client that is generated from `proto/` as any
//! shop would generate it.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use paystatus_proto::DESCRIPTORS;
use prost::Message as _;
use prost_types::{
    FileDescriptorSet,
    compiler::{CodeGeneratorRequest, CodeGeneratorResponse},
};

use crate::{
    browser::start,
    harness::browser::{Browser, Customer},
    receipts::{informed, next},
};

/// Everything that `proto/` defines for orders, under one name.
const EXPORTS: &str = "export * from './paystatus/v1/order_service_pb.js';
export * from './paystatus/v1/order_pb.js';
export * from './paystatus/v1/change_pb.js';
";

/// Generates the client, and makes one script of it and `grpc.mjs` for the shop to serve.
fn build(folder: &Path) {
    let generated = folder.join("generated");
    let descriptors = FileDescriptorSet::decode(DESCRIPTORS).expect("they are ours");
    let request = CodeGeneratorRequest {
        file_to_generate: descriptors.file.iter().map(|file| file.name().to_owned()).collect(),
        parameter: Some("target=js,import_extension=js".to_owned()),
        proto_file: descriptors.file,
        ..Default::default()
    };
    let plugin = folder.join("node_modules/.bin/protoc-gen-es");
    let answer = run(Command::new(plugin), &request.encode_to_vec());
    let answer = CodeGeneratorResponse::decode(&*answer).expect("the plugin answers");
    assert_eq!(answer.error, None);
    for file in answer.file {
        let path = generated.join(file.name());
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
        fs::write(path, file.content()).expect("it can be written");
    }
    fs::write(generated.join("paystatus.js"), EXPORTS).expect("it can be written");
    let mut bundle = Command::new(folder.join("node_modules/.bin/esbuild"));
    bundle.args(["grpc.mjs", "--bundle", "--format=esm", "--outfile=shop/grpc.js"]);
    bundle.args(["--log-level=warning"]);
    run(bundle.current_dir(folder), b"");
}

fn run(mut command: impl std::borrow::BorrowMut<Command>, input: &[u8]) -> Vec<u8> {
    let command = command.borrow_mut();
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
    process.stdin.take().expect("it is piped").write_all(input).expect("it reads");
    let output = process.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{command:?}: see above");
    output.stdout
}

/// Waits for a word of the page.
async fn says(browser: &mut Browser, page: &str, word: &str) {
    browser.reads_itself(page, word).await;
}

#[tokio::test]
async fn a_shop_s_own_client_follows_an_order_over_grpc_web() {
    let Some((system, mut browser, server)) = start().await else { return };
    build(&browser.folder);
    let mut told = system.informed().await;
    let token = system.placed("W-7").await;
    let customer = Customer { name: "customer", options: serde_json::json!({}) };
    browser.open_as("page", &customer, &server, &token, "&grpc").await;
    says(&mut browser, "page", "W-7:UNDECIDED").await;
    system.becomes("W-7", "paid").await;
    says(&mut browser, "page", "W-7:APPROVED closing:DONE end").await;
    assert_eq!(next(&mut told).await, informed("W-7", 1), "it left a receipt");
    browser.open_as("invalid", &customer, &server, "nonsense", "&grpc").await;
    says(&mut browser, "invalid", "error:16:").await;
}
