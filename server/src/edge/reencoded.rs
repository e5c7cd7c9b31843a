//! A body as it may have been before somebody on its way read it and wrote it anew: the usual
//! ways of writing JSON. Numbers and their digits are never touched.

/// How deep a body may be nested to be written anew.
const DEPTH_MAX: usize = 64;

/// A way of writing JSON.
struct Form {
    /// What it is called, to stand before "it matches".
    name: &'static str,
    /// Between the members of an object or an array.
    comma: &'static str,
    /// Between a name and its value.
    colon: &'static str,
    /// Spaces for each level, if each member has a line of its own.
    indent: Option<usize>,
    /// Names in order.
    is_sorted: bool,
    /// How texts are written.
    text: Text,
}

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    /// As it came.
    AsItCame,
    /// Only what must be is escaped.
    Plain,
    /// All that is not ASCII is escaped.
    Ascii,
    /// The same, and every slash.
    AsciiAndSlashes,
}

const COMPACT: Form = Form {
    name: "written compactly,",
    comma: ",",
    colon: ":",
    indent: None,
    is_sorted: false,
    text: Text::AsItCame,
};

/// The usual ways, the likeliest first.
const FORMS: &[Form] = &[
    COMPACT,
    Form { name: "written compactly, nothing escaped,", text: Text::Plain, ..COMPACT },
    Form { name: "written compactly, non-ASCII escaped,", text: Text::Ascii, ..COMPACT },
    Form { name: "as PHP writes it,", text: Text::AsciiAndSlashes, ..COMPACT },
    Form { name: "as Python writes it,", comma: ", ", colon: ": ", text: Text::Ascii, ..COMPACT },
    Form { name: "with a space after each comma and colon,", comma: ", ", colon: ": ", ..COMPACT },
    Form { name: "with its names sorted,", is_sorted: true, ..COMPACT },
    Form {
        name: "with its names sorted, as Python writes it,",
        comma: ", ",
        colon: ": ",
        is_sorted: true,
        text: Text::Ascii,
        ..COMPACT
    },
    Form { name: "indented by two,", colon: ": ", indent: Some(2), ..COMPACT },
    Form { name: "indented by four,", colon: ": ", indent: Some(4), ..COMPACT },
];

/// The first of the usual encodings of a body that fits, and is not the body itself.
pub(super) fn find(body: &[u8], fits: impl Fn(&[u8]) -> bool) -> Option<&'static str> {
    let fits = |other: &[u8]| other != body && fits(other);
    let trimmed = body.trim_ascii();
    if fits(trimmed) {
        return Some("without space around it");
    }
    if fits(&[trimmed, b"\n"].concat()) {
        return Some("with a line break at its end");
    }
    let root = Node::parse(std::str::from_utf8(body).ok()?)?;
    for form in FORMS {
        let mut written = String::with_capacity(body.len() * 2);
        root.write(form, 0, &mut written);
        if fits(written.as_bytes()) {
            return Some(form.name);
        }
        written.push('\n');
        if fits(written.as_bytes()) {
            return Some(form.name);
        }
    }
    None
}

/// A value, each leaf in the letters in which it came.
enum Node<'a> {
    /// A number, `true`, `false` or `null`.
    Plain(&'a str),
    /// A text with its quotes.
    Text(&'a str),
    /// The members of an array.
    Array(Vec<Node<'a>>),
    /// The members of an object, each name with its quotes.
    Object(Vec<(&'a str, Node<'a>)>),
}

impl<'a> Node<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut rest = text;
        let node = value(&mut rest, 0)?;
        rest.trim_ascii_start().is_empty().then_some(node)
    }

    fn write(&self, form: &Form, level: usize, out: &mut String) {
        match self {
            Self::Plain(text) => out.push_str(text),
            Self::Text(text) => write_text(text, form.text, out),
            Self::Array(members) => {
                let write = |member: &Node<'_>, out: &mut String| {
                    member.write(form, level + 1, out);
                };
                write_members(('[', ']'), members.iter(), write, (form, level), out);
            }
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if form.is_sorted {
                    members.sort_by_key(|(name, _)| *name);
                }
                let write = |(name, value): &(&str, Node<'_>), out: &mut String| {
                    write_text(name, form.text, out);
                    out.push_str(form.colon);
                    value.write(form, level + 1, out);
                };
                write_members(('{', '}'), members.into_iter(), write, (form, level), out);
            }
        }
    }
}

fn write_members<T>(
    (open, close): (char, char),
    members: impl ExactSizeIterator<Item = T>,
    write: impl Fn(T, &mut String),
    (form, level): (&Form, usize),
    out: &mut String,
) {
    out.push(open);
    let is_empty = members.len() == 0;
    let new_line = |level: usize, out: &mut String| {
        if let Some(indent) = form.indent.filter(|_| !is_empty) {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * level));
        }
    };
    for (number, member) in members.enumerate() {
        if number > 0 {
            out.push_str(form.comma);
        }
        new_line(level + 1, out);
        write(member, out);
    }
    new_line(level, out);
    out.push(close);
}

fn write_text(quoted: &str, text: Text, out: &mut String) {
    let decoded = match text {
        Text::AsItCame => None,
        _ => serde_json::from_str::<String>(quoted).ok(),
    };
    let Some(plain) = decoded.and_then(|decoded| serde_json::to_string(&decoded).ok()) else {
        out.push_str(quoted);
        return;
    };
    for letter in plain.chars() {
        match letter {
            '/' if text == Text::AsciiAndSlashes => out.push_str("\\/"),
            letter if text != Text::Plain && !letter.is_ascii() => {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            letter => out.push(letter),
        }
    }
}

/// Takes one value off the front.
fn value<'a>(rest: &mut &'a str, depth: usize) -> Option<Node<'a>> {
    *rest = rest.trim_ascii_start();
    match rest.as_bytes().first()? {
        _ if depth > DEPTH_MAX => None,
        b'"' => text(rest).map(Node::Text),
        b'[' => members(rest, ']', |rest| value(rest, depth + 1)).map(Node::Array),
        b'{' => members(rest, '}', |rest| {
            let name = text(rest)?;
            take(rest, ':')?;
            Some((name, value(rest, depth + 1)?))
        })
        .map(Node::Object),
        _ => {
            let end = rest.find(|c: char| ",]}:\"[{".contains(c) || c.is_ascii_whitespace());
            let (leaf, after) = rest.split_at(end.unwrap_or(rest.len()));
            *rest = after;
            let is_plain = leaf.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
            (is_plain && !leaf.is_empty()).then_some(Node::Plain(leaf))
        }
    }
}

fn members<'a, T>(
    rest: &mut &'a str,
    close: char,
    member: impl Fn(&mut &'a str) -> Option<T>,
) -> Option<Vec<T>> {
    *rest = &rest[1..];
    let mut members = Vec::new();
    if take(rest, close).is_some() {
        return Some(members);
    }
    loop {
        members.push(member(rest)?);
        if take(rest, close).is_some() {
            return Some(members);
        }
        take(rest, ',')?;
    }
}

fn take(rest: &mut &str, wanted: char) -> Option<()> {
    *rest = rest.trim_ascii_start().strip_prefix(wanted)?;
    Some(())
}

/// Takes a quoted text off the front, with its quotes.
fn text<'a>(rest: &mut &'a str) -> Option<&'a str> {
    *rest = rest.trim_ascii_start();
    let inner = rest.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let (text, after) = rest.split_at(end + 2);
    *rest = after;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAME: &str = "{\"b\" : 1.50,\n\"a\":[true,{}, []],\"n\":\"\\u00e9/\\\"\"}";

    /// What is found if the provider signed exactly this.
    fn found(came: &str, signed: &str) -> Option<&'static str> {
        find(came.as_bytes(), |body| body == signed.as_bytes())
    }

    #[test]
    fn the_usual_encodings_are_found() {
        let compact = r#"{"b":1.50,"a":[true,{},[]],"n":"\u00e9/\""}"#;
        for (signed, form) in [
            (compact, "written compactly,"),
            (r#"{"b":1.50,"a":[true,{},[]],"n":"é/\""}"#, "written compactly, nothing escaped,"),
            (r#"{"b":1.50,"a":[true,{},[]],"n":"\u00e9\/\""}"#, "as PHP writes it,"),
            (r#"{"b": 1.50, "a": [true, {}, []], "n": "\u00e9/\""}"#, "as Python writes it,"),
            (r#"{"a":[true,{},[]],"b":1.50,"n":"\u00e9/\""}"#, "with its names sorted,"),
            (
                r#"{"a": [true, {}, []], "b": 1.50, "n": "\u00e9/\""}"#,
                "with its names sorted, as Python writes it,",
            ),
            (
                "{\n  \"b\": 1.50,\n  \"a\": [\n    true,\n    {},\n    []\n  ],\n  \
                 \"n\": \"\\u00e9/\\\"\"\n}",
                "indented by two,",
            ),
        ] {
            assert_eq!(found(CAME, signed), Some(form), "{signed}");
        }
        assert_eq!(found(CAME, &format!("{compact}\n")), Some("written compactly,"));
        assert_eq!(found(compact, &format!("{compact}\n")), Some("with a line break at its end"));
        assert_eq!(found(&format!("{compact}\r\n"), compact), Some("without space around it"));
        let (letters, escaped) = (r#"{"n": "é𝄞"}"#, r#"{"n":"\u00e9\ud834\udd1e"}"#);
        assert_eq!(found(letters, escaped), Some("written compactly, non-ASCII escaped,"));
    }

    #[test]
    fn what_is_no_encoding_of_the_body_is_not_found() {
        assert_eq!(found(CAME, CAME), None, "the body itself was tried before");
        assert_eq!(found(CAME, r#"{"b":1.5,"a":[true,{},[]],"n":"é/\""}"#), None);
        assert_eq!(found("", "{}"), None);
    }

    #[test]
    fn bad_input_does_no_harm() {
        for text in
            ["{", "[", "\"", "{\"a\"", "{\"a\":", "[1,", "[,]", "{,}", "\\", ":", "1 2", "\"\\"]
        {
            assert!(Node::parse(text).is_none(), "{text}");
        }
        assert!(Node::parse(&"[".repeat(1_000_000)).is_none());
        let nested = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert!(Node::parse(&nested).is_some());
        assert_eq!(find(b"\xff{}", |body| body.starts_with(b"{")), None);
    }
}
