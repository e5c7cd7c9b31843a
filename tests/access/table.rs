//! Who can call what: the table of the README, which `walk` makes come true.

use std::path::{Path, PathBuf};

use paystatus_proto::DESCRIPTORS;
use prost::Message as _;
use prost_types::FileDescriptorSet;

/// Sorts of callers: the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Nothing, or what is no key any more.
    NoKey,
    /// A page token.
    Page,
    Checkout,
    Operator,
    /// An owner of some merchants.
    Owner,
    /// An owner of all.
    OwnerOfAll,
    /// A certificate.
    Certificate,
}

const COLUMNS: [(Caller, &str); 7] = [
    (Caller::NoKey, "no key"),
    (Caller::Page, "page token"),
    (Caller::Checkout, "checkout"),
    (Caller::Operator, "operator"),
    (Caller::Owner, "owner of a merchant"),
    (Caller::OwnerOfAll, "owner of all"),
    (Caller::Certificate, "certificate"),
];

/// What a caller may: the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum May {
    /// It is refused.
    No,
    /// Everything.
    Yes,
    /// What is of its merchants.
    Own,
    /// What is of the token's order.
    Order,
    /// What a key of its role may.
    AsRole,
    /// Whatever it has: what counts is the provider's signature.
    Signed,
}

/// Calls that the same callers may make: a row. Methods are `Service/Method`, routes
/// `METHOD /path`; `+` names a variant of a request.
pub(crate) struct Row {
    what: &'static str,
    pub(crate) calls: &'static [&'static str],
    may: [May; 7],
}

const EVERYBODY: [May; 7] = [May::Yes; 7];
const PAGES: [May; 7] = [May::No, May::Order, May::No, May::No, May::No, May::No, May::No];
const CHECKOUT: [May; 7] = [May::No, May::No, May::Own, May::Own, May::Own, May::Yes, May::AsRole];
const OPERATOR: [May; 7] = [May::No, May::No, May::No, May::Own, May::Own, May::Yes, May::AsRole];
const OWNER: [May; 7] = [May::No, May::No, May::No, May::No, May::Own, May::Yes, May::AsRole];

pub(crate) const TABLE: &[Row] = &[
    Row {
        what: "orders: record, read, wait, page tokens",
        calls: &[
            "OrderService/CreateOrder",
            "OrderService/GetOrder",
            "OrderService/ListOrders",
            "OrderService/CreateAttempt",
            "OrderService/CreateCapture",
            "OrderService/CreateRefund",
            "OrderService/CreateVoid",
            "OrderService/RecordProviderReply",
            "OrderService/AwaitOrder",
            "OrderService/CreatePageToken",
            "OrderService/GetTimeline",
        ],
        may: CHECKOUT,
    },
    Row {
        what: "one order: watch, leave a receipt",
        calls: &["OrderService/WatchOrder", "OrderService/RecordReceipt"],
        may: [May::No, May::Order, May::Own, May::Own, May::Own, May::Yes, May::AsRole],
    },
    Row {
        what: "changes and subscriptions",
        calls: &[
            "ChangeService/WatchChanges",
            "ChangeService/CreateSubscription",
            "ChangeService/GetSubscription",
            "ChangeService/ListSubscriptions",
            "ChangeService/DeleteSubscription",
            "ChangeService/AckSubscription",
        ],
        may: CHECKOUT,
    },
    Row { what: "unclaimed orders", calls: &["OrderService/ListOrders+unclaimed"], may: OPERATOR },
    Row {
        what: "webhooks: hand in, list, show, replay",
        calls: &[
            "WebhookService/SubmitWebhook",
            "WebhookService/ListWebhooks",
            "WebhookService/GetWebhook",
            "WebhookService/ReplayWebhooks",
        ],
        may: OPERATOR,
    },
    Row {
        what: "card tokens in webhooks",
        calls: &["WebhookService/GetWebhook+card_tokens"],
        may: OWNER,
    },
    Row { what: "provider accounts", calls: &["AccountService/ListAccounts"], may: OPERATOR },
    Row {
        what: "keys, operators, audit list",
        calls: &[
            "AccessService/CreateKey",
            "AccessService/ListKeys",
            "AccessService/DeleteKey",
            "AccessService/CreateOperator",
            "AccessService/UpdateOperator",
            "AccessService/ListOperators",
            "AccessService/DeleteOperator",
            "AccessService/ListAuditEntries",
        ],
        may: OWNER,
    },
    Row {
        what: "gRPC health, reflection",
        calls: &[
            "grpc.health.v1.Health/Check",
            "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        ],
        may: EVERYBODY,
    },
    Row {
        what: "`POST /webhooks/{account}`",
        calls: &["POST /webhooks/{account}"],
        may: [May::Signed; 7],
    },
    Row {
        what: "`/pages/order`, and below it `/status`, `/plain`, `/receipt`",
        calls: &[
            "GET /pages/order",
            "GET /pages/order/status",
            "GET /pages/order/plain",
            "POST /pages/order/receipt",
        ],
        may: PAGES,
    },
    Row {
        what: "`WatchOrder`, `RecordReceipt` as gRPC-Web, on the public address",
        calls: &[
            "POST /paystatus.v1.OrderService/WatchOrder",
            "POST /paystatus.v1.OrderService/RecordReceipt",
        ],
        may: PAGES,
    },
    Row {
        what: "`GET /health`, `/pages/v1/payment-status.js`",
        calls: &["GET /health", "GET /pages/v1/payment-status.js"],
        may: EVERYBODY,
    },
    Row {
        what: "`GET /metrics`, `/healthz`, on the admin address",
        calls: &["GET /metrics", "GET /healthz"],
        may: EVERYBODY,
    },
];

impl May {
    fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Own => "its merchants",
            Self::Order => "its order",
            Self::AsRole => "as its role",
            Self::Signed => "if signed",
        }
    }
}

impl Row {
    pub(crate) fn may(&self, caller: Caller) -> May {
        let column = COLUMNS.iter().position(|(column, _)| *column == caller);
        self.may[column.expect("every caller has a column")]
    }
}

#[test]
fn the_readme_says_the_same() {
    let cells = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![cells([""].into_iter().chain(COLUMNS.map(|(_, name)| name)).collect())];
    lines[0].replace_range(..2, "|");
    lines.push(format!("|{}", "---|".repeat(COLUMNS.len() + 1)));
    for row in TABLE {
        lines.push(cells([row.what].into_iter().chain(row.may.map(May::word)).collect()));
    }
    let table = lines.join("\n");
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("\n{table}\n\n")), "README.md must hold this:\n{table}");
}

#[test]
fn every_method_and_every_route_has_a_row() {
    let files = FileDescriptorSet::decode(DESCRIPTORS).expect("valid descriptors").file;
    let services = files.iter().flat_map(|file| &file.service);
    let mut there: Vec<String> = services
        .flat_map(|service| {
            service.method.iter().map(move |m| format!("{}/{}", service.name(), m.name()))
        })
        .collect();
    there.extend(["Health/Check", "ServerReflection/ServerReflectionInfo"].map(str::to_owned));
    there.extend(routes());
    let plain = |call: &&str| {
        let call = call.split('+').next().expect("there is a first");
        let is_route = call.contains(' ');
        let short = |call: &str| call.rsplit('.').next().expect("a last").to_owned();
        if is_route { call.split(' ').next_back().expect("a path").to_owned() } else { short(call) }
    };
    let mut listed: Vec<String> = TABLE.iter().flat_map(|row| row.calls).map(plain).collect();
    for list in [&mut there, &mut listed] {
        list.sort();
        list.dedup();
    }
    assert_eq!(listed, there);
}

/// The paths of all routes, from the code: a router does not tell.
fn routes() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("server/src/edge");
    let (mut folders, mut found) = (vec![root], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.extend(routes_in(&path)),
            }
        }
    }
    found
}

fn routes_in(file: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let quoted = |text: &str| text.split('"').nth(1).expect("a text").to_owned();
    let paths = |after: &str| {
        let after = after.trim_start();
        let name = after.split(',').next().expect("there is a first");
        if after.starts_with('"') {
            return vec![quoted(after)];
        }
        // By the name of a constant of the same file, or of one in a list of them.
        if let Some((_, value)) = text.split_once(&format!("const {name}: &str =")) {
            return vec![quoted(value)];
        }
        let (_, list) = text.split_once("const METHODS:").expect("a constant with paths");
        let list = list.split(';').nth(1).expect("its values").split('"');
        list.skip(1).step_by(2).map(str::to_owned).collect()
    };
    text.split(".route(").skip(1).flat_map(paths).collect()
}
