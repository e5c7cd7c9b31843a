//! Texts that several adapters read alike: times, ids of events, parts of paths, and where
//! sensitive texts stand.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use super::{
    Content, Reading, STATEMENTS_MAX, Unreadable,
    json::{self, EVENT_NAME_BYTES_MAX, Object, unreadable},
};
use crate::domain::{digest::Digest, ids::IdValue, statement::Statement, time::Time};

/// How deep sensitive texts are looked for.
const SENSITIVE_DEPTH_MAX: usize = 16;
/// What stands in a path as it is: letters, digits, and what RFC 3986 calls unreserved.
const NOT_IN_PATHS: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A provider's id of an event; in place of one that is too long or unprintable, one made of it.
pub(super) fn event_id(id: &str) -> String {
    if id.len() <= EVENT_NAME_BYTES_MAX && IdValue::parse(id).is_ok() {
        return id.to_owned();
    }
    hex::encode(Digest::new("long event id").text(id).finish())
}

/// What an event says, or why it says nothing, in as many readings as it takes: each holds few
/// statements. The first has the event's own id, the others one with their number.
pub(super) fn in_readings(
    id: &str,
    name: &str,
    said: Result<Vec<Statement>, &str>,
) -> Vec<Reading> {
    let said = match said {
        Ok(said) => said,
        Err(reason) => {
            let content = Content::Ignored { reason: reason.to_owned() };
            let event_name = json::event_name(name);
            return vec![Reading { event_id: event_id(id), event_name, content }];
        }
    };
    let part = |(number, some): (usize, &[Statement])| Reading {
        event_id: if number == 0 { event_id(id) } else { event_id(&format!("{id}/{number}")) },
        event_name: json::event_name(name),
        content: Content::Statements(some.to_vec()),
    };
    said.chunks(STATEMENTS_MAX).enumerate().map(part).collect()
}

/// The time of that name, in whole seconds since 1970.
pub(super) fn seconds(object: &Object<'_>, name: &str) -> Result<Option<Time>, Unreadable> {
    let Some(value) = object.value(name)? else { return Ok(None) };
    let wrong = || unreadable(&object.place_of(name), "must be whole seconds since 1970");
    let digits = value.get().bytes().all(|b| b.is_ascii_digit());
    let seconds = if digits { value.get().parse().ok() } else { None };
    seconds.map(|seconds| Some(Time::from_seconds(seconds))).ok_or_else(wrong)
}

/// An id as one part of a path. `None` for one that a URL would take for "here" or "above".
pub(super) fn path_part(id: &str) -> Option<String> {
    let is_dots = id.bytes().all(|b| b == b'.');
    (!is_dots).then(|| utf8_percent_encode(id, NOT_IN_PATHS).to_string())
}

/// Where sensitive texts stand, anywhere in the body: those of these names, and every `id` within an
/// object of one of the names in `owners`. Sorted, without overlaps.
pub(super) fn named(body: &[u8], names: &[&str], owners: &[&str]) -> Vec<Range<usize>> {
    let Ok(object) = Object::of_body(body) else { return Vec::new() };
    let mut ranges = Vec::new();
    let mut open = vec![(object, 0_usize, false)];
    while let Some((object, depth, is_owner)) = open.pop() {
        for (name, value) in object.members() {
            if names.contains(&name) || (is_owner && name == "id") {
                ranges.extend(json::string_range(body, value));
            }
            if depth < SENSITIVE_DEPTH_MAX {
                let is_owner = owners.contains(&name);
                let within = objects_in(value).into_iter();
                open.extend(within.map(|object| (object, depth + 1, is_owner)));
            }
        }
    }
    ranges.sort_by_key(|range| range.start);
    ranges
}

/// The object that a value is, or those in the list that it is.
fn objects_in(value: &RawValue) -> Vec<Object<'_>> {
    let values: Vec<&RawValue> = match value.get().as_bytes().first() {
        Some(b'{') => vec![value],
        Some(b'[') => serde_json::from_str(value.get()).unwrap_or_default(),
        _ => return Vec::new(),
    };
    values.into_iter().filter_map(|value| Object::of_body(value.get().as_bytes()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{json::rfc_3339, *};

    #[test]
    fn an_id_is_one_part_of_a_path() {
        let parts =
            ["pi_1-2.~", "a/b?c", "ä", ".", ".."].map(|id| path_part(id).unwrap_or_default());
        assert_eq!(parts, ["pi_1-2.~", "a%2Fb%3Fc", "%C3%A4", "", ""]);
    }

    #[test]
    fn times_are_read_in_one_form_only() {
        let micros = |text| rfc_3339(text).map(Time::as_micros);
        assert_eq!(micros("2026-11-21T12:00:00.1234567Z"), Some(1_795_262_400_123_456));
        assert_eq!(micros("2026-11-21T13:00:00+01:00"), micros("2026-11-21T12:00:00Z"));
        for text in ["", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21T12:00:00Z[UTC]", "now"] {
            assert_eq!(micros(text), None, "{text}");
        }
        let read = |number: &str| {
            let body = format!(r#"{{"t":{number}}}"#);
            seconds(&Object::of_body(body.as_bytes()).unwrap(), "t").map_err(|err| err.what)
        };
        assert_eq!(read("1700000000"), Ok(Some(Time::from_seconds(1_700_000_000))));
        assert_eq!(read("null"), Ok(None));
        for number in ["-1", "1.5", "1e3", "\"1\"", "99999999999999999999"] {
            assert_eq!(read(number).unwrap_err(), "t must be whole seconds since 1970");
        }
    }

    #[test]
    fn named_texts_are_found_at_every_level() {
        let body =
            br#"{"a":"1","token":"x","b":[{"token":"y"},[1],{"c":{"token":"z","token":7}}]}"#;
        let found = |body: &'static [u8], owners: &[&str]| -> Vec<&[u8]> {
            let ranges = named(body, &["token"], owners);
            ranges.into_iter().map(|range| &body[range]).collect()
        };
        assert_eq!(found(body, &[]), [b"x", b"y", b"z"]);
        let owned = br#"{"id":"0","a":{"id":"1","b":{"id":"2"}},"c":[{"a":[{"id":"3"}]}],"a":"4"}"#;
        assert_eq!(found(owned, &["a"]), [b"1", b"3"]);
        let deep = [b"{\"a\":".repeat(4000), b"{}".to_vec(), b"}".repeat(4000)].concat();
        assert!(named(&deep, &["token"], &[]).is_empty());
        assert!(named(b"\xff", &["token"], &[]).is_empty());
    }

    #[test]
    fn long_event_ids_are_replaced() {
        assert_eq!(event_id("evt_1"), "evt_1");
        assert_eq!(event_id(&"x".repeat(129)).len(), 32);
        assert_ne!(event_id("a\n"), event_id("b\n"));
    }
}
