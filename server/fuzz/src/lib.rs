//! What hostile input is tried on, for every adapter of `providers::NAMES`: a new one needs nothing
//! here. `README.md` says how to run it.

mod input;
mod memory;

use std::ops::Range;

// Instrumented code needs its runtime, also where no fuzzer drives it.
use libfuzzer_sys as _;

use paystatus_server::{
    domain::{
        ids::{IdKind, ProviderId, Reference},
        money::{Currency, Money},
        time::Time,
    },
    providers::{Content, Reading, Rejected, Request, Response, Subject},
};

pub use self::input::{Input, seeds};

/// Memory that reading may hold, as a multiple of the input.
const MEMORY_FACTOR: usize = 64;
/// What it may hold beside that: fixed tables, error texts.
const MEMORY_BYTES: usize = 64 * 1024;
/// Bytes of an event's id or name that the journal keeps.
const NAME_BYTES_MAX: usize = 128;
/// Headers that are learned from rejections.
const LEARNED_MAX: usize = 8;
/// A moment like any other.
pub(crate) const NOW: i64 = 1_795_000_000;

/// Reads a body as each adapter's webhook: no panic, bounded memory, sound results.
pub fn read(data: &[u8]) {
    let Some(input) = Input::of(data) else { return };
    let settings = input.settings();
    let needed = input.provider.reading_headers().iter();
    let headers: Vec<_> =
        needed.map(|name| ((*name).to_owned(), input.header_named(name).to_owned())).collect();
    let request = Request::new(&headers, input.body);
    let readings = bounded(data, || input.provider.read(&request, &settings));
    for reading in readings.iter().flatten() {
        check_reading(reading);
    }
    check_ranges(input.body, &bounded(data, || input.provider.sensitive(input.body)));
    check_ranges(input.body, &bounded(data, || input.provider.raw_response(input.body)));
}

/// Checks a request whose signature is anything at all: no panic, bounded memory, never a yes.
///
/// Which headers an adapter looks for, it says itself when they are missing.
pub fn verify(data: &[u8]) {
    let Some(input) = Input::of(data) else { return };
    let settings = input.settings();
    let now = Time::from_seconds(NOW);
    let mut headers: Vec<(String, String)> = input.known_headers();
    for index in 0..LEARNED_MAX {
        let request = Request::new(&headers, input.body);
        let _ = bounded(data, || input.provider.certificate_url(&request, &settings));
        let verified = bounded(data, || input.provider.verify(&request, &settings, now));
        let is_signed = input.provider.signs_webhooks(&settings);
        assert!(verified.is_err() || !is_signed, "{} believed anybody", input.name);
        match verified {
            Err(Rejected::Missing { place }) => {
                headers.push((place.to_ascii_lowercase(), input.header(index).to_owned()));
            }
            _ => return,
        }
    }
}

/// Reads a body as each adapter's answer to each of its questions.
pub fn answers(data: &[u8]) {
    let Some(input) = Input::of(data) else { return };
    let Some(api) = input.provider.status_api() else { return };
    let settings = input.settings();
    let reference = Reference::parse("order-1").ok();
    let ids: Vec<ProviderId> = ID_KINDS.iter().filter_map(|kind| id(kind)).collect();
    let known = [&ids[..], &[]];
    let response = Response { status: input.status(), body: input.body };
    let _ = bounded(data, || api.read_token(&response));
    for ids in known {
        let reference = reference.as_ref();
        let subject = Subject { ids, reference, amount: None, created: None, operations: &[] };
        let mut calls = api.ask(&subject, &settings);
        for _ in 0..2 {
            let mut then = Vec::new();
            for call in calls.iter().take(4) {
                let answer = bounded(data, || api.read(call, &response, &subject, &settings));
                let Ok(answer) = answer else { continue };
                answer.readings.iter().for_each(check_reading);
                then.extend(answer.then);
            }
            calls = then;
        }
    }
}

/// Kinds of ids that adapters ask by; more do no harm.
const ID_KINDS: &[&str] = &[
    "authorization",
    "capture",
    "charge",
    "order",
    "payment",
    "payment_intent",
    "psp_reference",
    "reference",
    "refund",
    "session",
    "transaction",
];

fn id(kind: &str) -> Option<ProviderId> {
    IdKind::parse(kind).ok()?;
    ProviderId::parse(kind, "id-1").ok()
}

/// Reads an amount: what is accepted is exact, not negative, and shown as it was written.
pub fn amounts(data: &[u8]) {
    let Some((digits, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let (text, code) = text.split_once(' ').unwrap_or((text, "EUR"));
    let Ok(currency) = Currency::parse(code) else { return };
    let Ok(money) = bounded(data, || Money::parse(text, currency, digits % 24)) else { return };
    assert!(money.minor_units() >= 0 && money.exponent() <= Money::EXPONENT_MAX);
    let shown = money.to_string();
    let shown = shown.split_once(' ').expect("a currency follows").0;
    assert_eq!(plain(shown), plain(text), "the value is the text's");
    assert_eq!(Money::parse(shown, currency, money.exponent()), Ok(money));
    assert_eq!(money.minus(&money).map(|nothing| nothing.is_zero()), Some(true));
    if let Some(twice) = money.plus(&money) {
        assert_eq!(twice.minus(&money), Some(money));
    }
}

/// A decimal without zeros that say nothing.
fn plain(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{}.{}", whole.trim_start_matches('0'), fraction.trim_end_matches('0'))
}

/// Runs a piece of code that may hold so much memory and no more.
#[track_caller]
fn bounded<T>(data: &[u8], run: impl FnOnce() -> T) -> T {
    let (result, bytes) = memory::peak(run);
    let max = MEMORY_BYTES + MEMORY_FACTOR * data.len();
    assert!(bytes <= max, "{} bytes of input held {bytes} bytes of memory", data.len());
    result
}

fn check_reading(reading: &Reading) {
    assert!((1..=NAME_BYTES_MAX).contains(&reading.event_id.len()));
    assert!(reading.event_name.len() <= NAME_BYTES_MAX);
    let Content::Statements(statements) = &reading.content else { return };
    assert!((1..=8).contains(&statements.len()), "a reading says something, and not too much");
    for statement in statements {
        assert!(statement.ids.len() <= 8);
        assert!(statement.ids.is_sorted(), "ids are sorted");
        assert!(!statement.ids.is_empty() || statement.reference.is_some(), "it names a payment");
    }
}

fn check_ranges(body: &[u8], ranges: &[Range<usize>]) {
    let mut end = 0;
    for range in ranges {
        assert!(end <= range.start && range.start < range.end && range.end <= body.len());
        end = range.end;
    }
}
