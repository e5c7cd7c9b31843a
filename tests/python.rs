//! A team without Rust integrates from `proto/` alone; `tests/python/client.py` is one.

use std::process::{Command, Output, Stdio};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use crate::{
    harness::{MERCHANT, OPTTY, System, soon, webhook::optty_order},
    toolchain,
};

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/client.py");

#[test]
fn stubs_come_from_the_proto_files_alone() {
    let Some(python) = toolchain::python() else {
        return;
    };
    let output = Command::new(python).arg(CLIENT).output().expect("Python starts");
    let answer: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    assert_eq!(
        answer["services"],
        json!([
            "paystatus.v1.AccessService",
            "paystatus.v1.AccountService",
            "paystatus.v1.ChangeService",
            "paystatus.v1.OrderService",
            "paystatus.v1.WebhookService",
        ]),
    );
    assert!(output.status.success(), "{}", said(&output));
}

/// It records, watches, is told the moment the webhook comes, and reads three errors.
#[tokio::test]
async fn a_python_client_follows_an_order_until_it_is_approved() {
    let python = tokio::task::spawn_blocking(toolchain::python).await.expect("it is looked for");
    let Some(python) = python else {
        return;
    };
    let system = System::start().await;
    let mut client = tokio::process::Command::new(python)
        .arg(CLIENT)
        .args(["--address", &system.grpc().to_string(), "--key", &system.checkout])
        .args(["--merchant", MERCHANT, "--account", OPTTY, "--order", "python-1"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("Python starts");
    let mut stdout = BufReader::new(client.stdout.take().expect("it is piped"));
    let mut line = String::new();
    soon("the client's stream", stdout.read_line(&mut line)).await.expect("it prints");
    assert_eq!(line, "WATCHING\n");
    system.deliver(OPTTY, &optty_order("python-1", "SUCCESSFUL", json!(146.24))).await;

    let mut rest = String::new();
    soon("the client's report", stdout.read_to_string(&mut rest)).await.expect("it prints");
    let status = soon("the client's end", client.wait()).await.expect("it ends");
    assert!(status.success(), "{status}\n{rest}");
    let report: serde_json::Value = serde_json::from_str(&rest).expect("it is JSON");
    let statuses = json!(["PAYMENT_STATUS_PENDING", "PAYMENT_STATUS_SUCCESSFUL"]);
    assert_eq!(report["statuses"], statuses);
    assert_eq!(report["order"]["captured_amount"]["minor_units"], 14624);
}

fn said(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}\n{err}", output.status)
}
