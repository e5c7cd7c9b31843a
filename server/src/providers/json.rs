//! JSON bodies, one level at a time: each value keeps its own text, so that amounts stay exact
//! and card tokens can be found in the body. What is wrong is said without any value.
//!
//! Decided here, for every provider:
//! - Reading a level never recurses: nested values are skipped in a loop. A body nested deeper
//!   than [`DEPTH_MAX`] is refused by [`check_depth`], so that nothing later has to cope with it.
//! - A name that stands twice is refused when it is asked for, because a signature might cover
//!   one of the two values and the reading use the other. Repeats of other names do no harm.
//! - `null`, and an empty text, say as little as an absent value.

mod nested;

use std::ops::Range;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Unreadable;
use crate::domain::{
    ids::{InvalidName, ProviderId, Reference},
    time::Time,
};

/// How deep arrays and objects may be nested in a body.
pub(super) const DEPTH_MAX: usize = 128;

/// Bytes of an event's name that are kept.
pub(super) const EVENT_NAME_BYTES_MAX: usize = 128;

/// Characters of a time: enough for nanoseconds and an offset.
const TIME_CHARS_MAX: usize = 40;
/// What a text that is no time must be.
pub(super) const NO_TIME: &str = "must be a time such as 2026-11-21T12:00:00Z";

/// A name that a body gives its event, cut to what is kept.
pub(super) fn event_name(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if name.len() + c.len_utf8() > EVENT_NAME_BYTES_MAX {
            break;
        }
        name.push(c);
    }
    name
}

/// An error that names a place, and what is wrong there.
pub(super) fn unreadable(place: &str, what: impl std::fmt::Display) -> Unreadable {
    Unreadable { what: format!("{place} {what}") }
}

/// A JSON object whose values have not been read yet.
#[derive(Debug)]
pub(super) struct Object<'a> {
    place: String,
    members: Vec<(String, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// The object that a body is.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| unreadable("the body", "is not UTF-8"))?;
        let members: Members<'a> = serde_json::from_str(text).map_err(|err| {
            let (line, column) = (err.line(), err.column());
            unreadable("the body", format!("is not a JSON object (line {line}, column {column})"))
        })?;
        Ok(Self { place: String::new(), members: members.0 })
    }

    /// The object of that name.
    pub(super) fn object(&self, name: &str) -> Result<Self, Unreadable> {
        let place = self.place_of(name);
        let value = self.value(name)?.ok_or_else(|| unreadable(&place, "is missing"))?;
        let members: Members<'a> = serde_json::from_str(value.get())
            .map_err(|_| unreadable(&place, "must be a JSON object"))?;
        Ok(Self { place, members: members.0 })
    }

    /// The object of that name, if there is one.
    pub(super) fn maybe_object(&self, name: &str) -> Result<Option<Self>, Unreadable> {
        if self.value(name)?.is_none() {
            return Ok(None);
        }
        self.object(name).map(Some)
    }

    /// The objects in the array of that name, at most so many; none if there is no array.
    pub(super) fn objects(&self, name: &str, max: usize) -> Result<Vec<Self>, Unreadable> {
        let place = self.place_of(name);
        let Some(value) = self.value(name)? else { return Ok(Vec::new()) };
        let items: Vec<&'a RawValue> = serde_json::from_str(value.get())
            .map_err(|_| unreadable(&place, "must be a JSON array"))?;
        if items.len() > max {
            return Err(unreadable(&place, format!("holds more than {max}")));
        }
        let object = |(index, item): (usize, &&'a RawValue)| {
            let place = format!("{place}[{index}]");
            let members: Members<'a> = serde_json::from_str(item.get())
                .map_err(|_| unreadable(&place, "must be a JSON object"))?;
            Ok(Self { place, members: members.0 })
        };
        items.iter().enumerate().map(object).collect()
    }

    /// The texts in the array of that name, at most so many; none if there is no array.
    pub(super) fn texts(&self, name: &str, max: usize) -> Result<Vec<String>, Unreadable> {
        let place = self.place_of(name);
        let Some(value) = self.value(name)? else { return Ok(Vec::new()) };
        let texts: Vec<String> = serde_json::from_str(value.get())
            .map_err(|_| unreadable(&place, "must be a JSON array of strings"))?;
        if texts.len() > max {
            return Err(unreadable(&place, format!("holds more than {max}")));
        }
        Ok(texts)
    }

    /// All names and values, in the order of the body, repeats included.
    pub(super) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The value of that name.
    pub(super) fn value(&self, name: &str) -> Result<Option<&'a RawValue>, Unreadable> {
        let mut of_that_name = self.members().filter(|(n, _)| *n == name).map(|(_, value)| value);
        let value = of_that_name.next();
        if of_that_name.next().is_some() {
            return Err(unreadable(&self.place_of(name), "stands twice in its object"));
        }
        Ok(value.filter(|value| value.get() != "null"))
    }

    /// The text of that name.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(value) = self.value(name)? else { return Ok(None) };
        let text: String = serde_json::from_str(value.get())
            .map_err(|_| unreadable(&self.place_of(name), "must be a JSON string"))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The text of that name, which must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<String, Unreadable> {
        self.text(name)?.ok_or_else(|| unreadable(&self.place_of(name), "is missing"))
    }

    /// The first of these names that has a text: a field with several spellings.
    pub(super) fn text_spelled(&self, names: &[&str]) -> Result<Option<String>, Unreadable> {
        for name in names {
            if let Some(text) = self.text(name)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The truth value of that name.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        match self.value(name)?.map(RawValue::get) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(unreadable(&self.place_of(name), "must be true or false")),
        }
    }

    /// The moment of that name, RFC 3339.
    pub(super) fn time(&self, name: &str) -> Result<Option<Time>, Unreadable> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let wrong = || unreadable(&self.place_of(name), NO_TIME);
        rfc_3339(&text).map(Some).ok_or_else(wrong)
    }

    /// The merchant's reference of that name.
    pub(super) fn reference(&self, name: &str) -> Result<Option<Reference>, Unreadable> {
        let text = self.text(name)?;
        text.map(|text| Reference::parse(&text)).transpose().map_err(|e| self.invalid(name, &e))
    }

    /// The provider's id of that name.
    pub(super) fn id(&self, name: &str, kind: &str) -> Result<Option<ProviderId>, Unreadable> {
        let text = self.text(name)?;
        text.map(|text| ProviderId::parse(kind, &text))
            .transpose()
            .map_err(|e| self.invalid(name, &e))
    }

    /// Where a value of that name stands, for error texts.
    pub(super) fn place_of(&self, name: &str) -> String {
        let point = if self.place.is_empty() { "" } else { "." };
        format!("{}{point}{name}", self.place)
    }

    fn invalid(&self, name: &str, why: &InvalidName) -> Unreadable {
        unreadable(&self.place_of(name), why)
    }
}

/// A time as RFC 3339 writes it. The parser would take more of ISO 8601, and zone names, which are
/// no part of it.
pub(super) fn rfc_3339(text: &str) -> Option<Time> {
    let plain = text.len() <= TIME_CHARS_MAX && text.is_ascii() && !text.contains('[');
    let parsed = if plain { text.parse::<Timestamp>().ok() } else { None };
    parsed.map(|time| Time::from_micros(time.as_microsecond()))
}

/// Where the text of a JSON string stands in the body, without its quotes. `None` for a value
/// that is not a string, is empty, or is not of this body.
pub(super) fn string_range(body: &[u8], value: &RawValue) -> Option<Range<usize>> {
    let range = value_range(body, value)?;
    let is_string = value.get().starts_with('"') && range.len() > 2;
    is_string.then(|| range.start + 1..range.end - 1)
}

/// Where a value stands in the body that it was read from.
pub(super) fn value_range(body: &[u8], value: &RawValue) -> Option<Range<usize>> {
    let text = value.get();
    let start = (text.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
    let range = start..start.checked_add(text.len())?;
    (body.get(range.clone())? == text.as_bytes()).then_some(range)
}

/// Refuses a body whose arrays and objects are nested deeper than [`DEPTH_MAX`].
pub(super) fn check_depth(body: &[u8]) -> Result<(), Unreadable> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(unreadable("the body", format!("is nested deeper than {DEPTH_MAX}")));
        }
    }
    Ok(())
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfMap;
        impl<'de> Visitor<'de> for OfMap {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(OfMap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_is_refused_only_when_asked_for() {
        let object = Object::of_body(br#"{"a":"1","b":"2","a":"1"}"#).unwrap();
        assert_eq!(object.text("a").unwrap_err().what, "a stands twice in its object");
        assert_eq!(object.text("b").unwrap().as_deref(), Some("2"));
        let object = Object::of_body(br#"{"a":1,"\u0061":2}"#).unwrap();
        assert!(object.value("a").is_err(), "an escaped name is the same name");
    }

    #[test]
    fn errors_name_the_place_and_no_value() {
        let body = br#"{"data":{"n":42,"s":"\ud800","o":"secret","f":"yes","e":"","x":" y"}}"#;
        let data = Object::of_body(body).unwrap().object("data").unwrap();
        let said = |result: Result<(), Unreadable>| result.unwrap_err().what;
        assert_eq!(said(data.text("n").map(drop)), "data.n must be a JSON string");
        assert_eq!(said(data.text("s").map(drop)), "data.s must be a JSON string");
        assert_eq!(said(data.object("o").map(drop)), "data.o must be a JSON object");
        assert_eq!(said(data.flag("f").map(drop)), "data.f must be true or false");
        assert_eq!(said(data.required_text("e").map(drop)), "data.e is missing");
        assert!(said(data.reference("x").map(drop)).starts_with("data.x must be 1 to 256"));
        for body in [&b"\xff{}"[..], b"", b"[]", b"{", b"\"secret\"", b"{}{}", b"\xef\xbb\xbf{}"] {
            let what = Object::of_body(body).unwrap_err().what;
            assert!(what.starts_with("the body is not") && !what.contains("secret"), "{what}");
        }
    }

    #[test]
    fn arrays_of_objects_are_bounded() {
        let body = br#"{"data":{"a":[{"x":"1"},{"x":"2"}],"b":[1],"c":{},"d":null}}"#;
        let data = Object::of_body(body).unwrap().object("data").unwrap();
        let items = data.objects("a", 2).unwrap();
        let texts: Vec<_> = items.iter().map(|item| item.required_text("x").unwrap()).collect();
        assert_eq!(texts, ["1", "2"]);
        assert_eq!(items[1].required_text("y").unwrap_err().what, "data.a[1].y is missing");
        assert_eq!(data.objects("a", 1).unwrap_err().what, "data.a holds more than 1");
        assert_eq!(data.objects("b", 1).unwrap_err().what, "data.b[0] must be a JSON object");
        assert_eq!(data.objects("c", 1).unwrap_err().what, "data.c must be a JSON array");
        assert_eq!(data.objects("d", 1).unwrap().len(), 0);
        assert!(data.maybe_object("d").unwrap().is_none());
        assert!(data.maybe_object("c").unwrap().is_some());
        assert!(data.maybe_object("a").is_err());
        let body = Object::of_body(br#"{"a":["x","y"],"b":[1],"c":null}"#).unwrap();
        assert_eq!(body.texts("a", 2).unwrap(), ["x", "y"]);
        assert_eq!(body.texts("a", 1).unwrap_err().what, "a holds more than 1");
        assert_eq!(body.texts("b", 1).unwrap_err().what, "b must be a JSON array of strings");
        assert_eq!(body.texts("c", 1).unwrap().len(), 0);
    }

    #[test]
    fn times_are_rfc_3339() {
        let time = |text: &str| {
            let body = format!(r#"{{"t":"{text}"}}"#);
            Object::of_body(body.as_bytes())
                .unwrap()
                .time("t")
                .map(|time| time.map(Time::as_micros))
        };
        assert_eq!(time("1970-01-01T01:00:01+01:00"), Ok(Some(1_000_000)));
        assert_eq!(time("1970-01-01T00:00:00.25Z"), Ok(Some(250_000)));
        assert_eq!(time(""), Ok(None));
        for text in ["1970-01-01", "1", "1970-01-01T00:00:00", "1970-01-01T00:00:00Z[UTC]"] {
            assert_eq!(
                time(text).unwrap_err().what,
                "t must be a time such as 2026-11-21T12:00:00Z"
            );
        }
    }

    #[test]
    fn nesting_is_limited_and_harmless_beyond() {
        let nested = |depth: usize| {
            let (open, close) = ("[".repeat(depth), "]".repeat(depth));
            format!(r#"{{"text":"[[{{\"[","data":{open}{close}}}"#).into_bytes()
        };
        assert!(check_depth(&nested(DEPTH_MAX - 1)).is_ok());
        assert!(check_depth(&nested(DEPTH_MAX)).is_err());
        let deep = nested(500_000);
        let object = Object::of_body(&deep).unwrap();
        assert!(object.object("data").is_err());
        assert!(object.text("data").is_err());
    }

    #[test]
    fn event_names_are_cut_between_characters() {
        assert_eq!(event_name("a.\u{0}b"), "a.b");
        assert_eq!(event_name(&"x".repeat(128)).len(), 128);
        assert_eq!(event_name(&format!("{}ä", "x".repeat(127))).len(), 127);
    }

    #[test]
    fn ranges_are_where_the_value_stands() {
        let body = br#" { "a" : "x\"y" , "b":"", "c":12 } "#;
        let object = Object::of_body(body).unwrap();
        let of = |name| string_range(body, object.value(name).unwrap().unwrap());
        assert_eq!(&body[of("a").unwrap()], br#"x\"y"#);
        assert_eq!((of("b"), of("c")), (None, None));
        let other = body.to_vec();
        let value = object.value("a").unwrap().unwrap();
        assert_eq!(value_range(&other[..3], value), None);
    }
}
