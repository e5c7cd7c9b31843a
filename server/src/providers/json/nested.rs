//! Objects within objects that may be absent, and lists of them.

use serde_json::value::RawValue;

use super::{Members, Object, unreadable};
use crate::providers::Unreadable;

impl<'a> Object<'a> {
    /// The object of that name, if there is one.
    pub(in crate::providers) fn optional_object(
        &self,
        name: &str,
    ) -> Result<Option<Self>, Unreadable> {
        if self.value(name)?.is_none() { Ok(None) } else { self.object(name).map(Some) }
    }

    /// The objects of the list of that name; none if there is no list.
    pub(in crate::providers) fn list_of_objects(
        &self,
        name: &str,
    ) -> Result<Vec<Self>, Unreadable> {
        let Some(value) = self.value(name)? else { return Ok(Vec::new()) };
        Self::in_list(value, &self.place_of(name))
    }

    /// The objects of the list that a body is.
    pub(in crate::providers) fn list_of_body(body: &'a [u8]) -> Result<Vec<Self>, Unreadable> {
        let text = std::str::from_utf8(body).map_err(|_| unreadable("the body", "is not UTF-8"))?;
        let value: &RawValue = serde_json::from_str(text.trim())
            .map_err(|_| unreadable("the body", "must be a list of JSON objects"))?;
        Self::in_list(value, "the body")
    }

    fn in_list(value: &'a RawValue, place: &str) -> Result<Vec<Self>, Unreadable> {
        let wrong = |_| unreadable(place, "must be a list of JSON objects");
        let values: Vec<&'a RawValue> = serde_json::from_str(value.get()).map_err(wrong)?;
        let object = |(index, value): (usize, &'a RawValue)| {
            let members: Members<'a> = serde_json::from_str(value.get()).map_err(wrong)?;
            Ok(Self { place: format!("{place}[{index}]"), members: members.0 })
        };
        values.into_iter().enumerate().map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_one_level_at_a_time() {
        let body = br#"{"l":[{"a":"1"},{"a":2}],"o":null,"n":[1],"t":"x"}"#;
        let object = Object::of_body(body).unwrap();
        let list = object.list_of_objects("l").unwrap();
        assert_eq!(list[0].text("a").unwrap().as_deref(), Some("1"));
        assert_eq!(list[1].text("a").unwrap_err().what, "l[1].a must be a JSON string");
        assert!(object.list_of_objects("o").unwrap().is_empty());
        for name in ["n", "t"] {
            let what = object.list_of_objects(name).unwrap_err().what;
            assert_eq!(what, format!("{name} must be a list of JSON objects"));
        }
        assert!(object.optional_object("o").unwrap().is_none());
        assert!(object.optional_object("t").is_err());
        assert_eq!(Object::list_of_body(b" [{},{}]\n").unwrap().len(), 2);
        assert!(Object::list_of_body(b"{}").is_err());
        assert!(Object::list_of_body(&b"[".repeat(100_000)).is_err());
    }
}
