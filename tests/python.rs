//! A team without Rust integrates from `proto/` alone; `tests/python/client.py` is one.

use std::process::{Command, Output};

use serde_json::json;

use crate::toolchain;

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
            "paystatus.v1.ChangeService",
            "paystatus.v1.OrderService",
            "paystatus.v1.WebhookService",
        ]),
    );
    assert!(output.status.success(), "{}", said(&output));
}

fn said(output: &Output) -> String {
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\n{out}\n{err}", output.status)
}
