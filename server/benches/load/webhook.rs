//! Webhooks of Optty, signed and built before the clock runs.
//!
//! Each order gets three, some thousand webhooks apart: it is pending, it is authorised, it is
//! captured. There is always a next order.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;

/// The account, its merchant and its secret.
pub(crate) const ACCOUNT: &str = "optty-bench";
pub(crate) const MERCHANT: &str = "bench";
pub(crate) const SECRET: &str = "secret-of-the-bench";

/// Orders between two webhooks of one order.
const APART: usize = 5_000;
/// Where the number of the order goes.
const NUMBER: &str = "############";
/// Where the hash goes.
const HASH_BYTES: usize = 128;

const PAYMENT: &str = r#"{"event":"ORDER_ASYNC_CALLBACK","data":{"transactionId":"3d59905e-1e26-4647-a67b-############","reference":"order-############","status":"STATUS","captureStatus":"AUTHORIZED","hash":"HASH","currency":"AUD","amount":146.24,"transactionReference":"c38f5823fd","provider":"FAT_ZEBRA_AU","initiator":"regular","metadata":{"basket":"f3b1c5de77aa40cf9f0ddc2b","channel":"web","locale":"en-AU","campaign":"spring-sale"},"token":"nx5so6w6gprawk7ur","rawBNPLResponse":null}}"#;
const CAPTURE: &str = r#"{"event":"ORDER_CAPTURE_ASYNC_CALLBACK","data":{"transactionId":"3d59905e-1e26-4647-a67b-############","reference":"order-############","orderReference":"order-############","captureReference":"capture-############","status":"STATUS","captureStatus":"CAPTURED","hash":"HASH","currency":"AUD","amount":"146.24","transactionReference":"c38f5823fd","provider":"FAT_ZEBRA_AU","initiator":"regular","metadata":{"basket":"f3b1c5de77aa40cf9f0ddc2b"},"token":"nx5so6w6gprawk7ur","rejectReason":null}}"#;

/// The order id that a webhook creates.
pub(crate) fn order_id(number: u64) -> String {
    format!("order-{number:012}")
}

/// A request with two kinds of gaps.
struct Template {
    bytes: Vec<u8>,
    numbers: Vec<usize>,
    hash: usize,
}

impl Template {
    fn new(body: &str, status: &str) -> Self {
        let body = body.replace("STATUS", status).replace("HASH", &"@".repeat(HASH_BYTES));
        let length = body.len();
        let request = format!(
            "POST /webhooks/{ACCOUNT} HTTP/1.1\r\nhost: localhost\r\nuser-agent: optty\r\n\
             accept: */*\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        Self {
            numbers: request.match_indices(NUMBER).map(|(at, _)| at).collect(),
            hash: request.find('@').expect("a place for the hash"),
            bytes: request.into_bytes(),
        }
    }

    fn fill(&self, number: u64, hash: &[u8; HASH_BYTES], request: &mut Vec<u8>) {
        request.clear();
        request.extend_from_slice(&self.bytes);
        let digits = digits(number);
        for at in &self.numbers {
            request[*at..at + NUMBER.len()].copy_from_slice(&digits);
        }
        request[self.hash..self.hash + HASH_BYTES].copy_from_slice(hash);
    }
}

fn digits(mut number: u64) -> [u8; NUMBER.len()] {
    let mut digits = [b'0'; NUMBER.len()];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    digits
}

/// What the webhooks of one order are signed with.
struct Hashes {
    pending: [u8; HASH_BYTES],
    successful: [u8; HASH_BYTES],
}

impl Hashes {
    fn new(key: &Hmac<Sha512>, number: u64) -> Self {
        let hash = |status: &str| {
            let mac = key.clone().chain_update(format!("{status}|{}", order_id(number)));
            let mut hash = [0; HASH_BYTES];
            hex::encode_to_slice(mac.finalize().into_bytes(), &mut hash).expect("64 bytes");
            hash
        };
        Self { pending: hash("PENDING"), successful: hash("SUCCESSFUL") }
    }
}

/// Webhooks to be sent one after the other.
pub(crate) struct Webhooks {
    key: Hmac<Sha512>,
    templates: [Template; 3],
    first: u64,
    orders: Vec<Hashes>,
    sent: usize,
}

impl Webhooks {
    /// Webhooks of the orders with these numbers, which no other webhooks may name.
    pub(crate) fn of_orders(numbers: std::ops::Range<u64>) -> Self {
        let mut webhooks = Self {
            key: Hmac::new_from_slice(SECRET.as_bytes()).expect("any length"),
            templates: [
                Template::new(PAYMENT, "PENDING"),
                Template::new(PAYMENT, "SUCCESSFUL"),
                Template::new(CAPTURE, "SUCCESSFUL"),
            ],
            first: numbers.start,
            orders: Vec::new(),
            sent: 0,
        };
        webhooks.sign_ahead((numbers.end - numbers.start) as usize);
        webhooks
    }

    /// Has so many orders signed that none of their webhooks was sent of yet; their numbers follow
    /// those before.
    pub(crate) fn sign_ahead(&mut self, orders: usize) {
        let signed = self.orders.len();
        let wanted = self.sent.div_ceil(3) + orders;
        let numbers = (signed..wanted).map(|order| self.first + order as u64);
        self.orders.extend(numbers.map(|number| Hashes::new(&self.key, number)));
    }

    /// Bytes of a webhook's body, about.
    pub(crate) fn body_bytes() -> usize {
        PAYMENT.len() + HASH_BYTES
    }

    /// The next webhook of the three an order gets, or of the orders begun before.
    pub(crate) fn next(&mut self, request: &mut Vec<u8>) {
        loop {
            let (turn, kind) = (self.sent / 3, self.sent % 3);
            self.sent += 1;
            if let Some(order) = turn.checked_sub(kind * APART) {
                return self.fill(order, kind, request);
            }
        }
    }

    /// The first webhook of the next order.
    pub(crate) fn next_order(&mut self, request: &mut Vec<u8>) {
        self.fill(self.sent, 0, request);
        self.sent += 1;
    }

    fn fill(&self, order: usize, kind: usize, request: &mut Vec<u8>) {
        let hashes = self.orders.get(order).expect("more webhooks than were signed");
        let hash = if kind == 0 { &hashes.pending } else { &hashes.successful };
        self.templates[kind].fill(self.first + order as u64, hash, request);
    }
}
