//! What a fuzzer would need luck to find: bodies as large as are taken, made to cost much. Memory is
//! measured on the way, as in the fuzz targets.

use paystatus_server::providers::NAMES;

/// The largest body that is tried: as large as webhooks may be by default.
const BODY_BYTES: usize = 256 * 1024;

/// Bodies that say little at great length.
fn bodies() -> Vec<Vec<u8>> {
    let filled = |start: &str, part: &str, end: &str| {
        let count = (BODY_BYTES - start.len() - end.len()) / part.len();
        format!("{start}{}{end}", part.repeat(count)).into_bytes()
    };
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{}1{}", open.repeat(depth), close.repeat(depth)).into_bytes()
    };
    let mut bodies = vec![
        filled(r#"{"a":0"#, r#","a":0"#, "}"),
        filled(r#"{"a":""#, r"\u0000", r#""}"#),
        filled(r#"{"amount":"#, "9", "}"),
        filled(r#"{"data":{"amount":"#, "9", "}}"),
        filled(r#"{"target":["#, "{},", "{}]}"),
        filled(r#"{"data":{"object":{"a":["#, "0,", "0]}}}"),
        filled(r#"{"notificationItems":["#, "{},", "{}]}"),
        filled(r#"{"items":["#, "{},", "{}]}"),
        filled("id=", "%41", ""),
        filled("", "a=b&", ""),
    ];
    for depth in [127, 128, 129, BODY_BYTES / 16] {
        bodies.push(nested("[", "]", depth));
        bodies.push(nested(r#"{"a":"#, "}", depth));
        bodies.push(nested(r#"{"data":{"object":"#, "}}", depth / 2));
    }
    let distinct: Vec<_> = (0..BODY_BYTES / 16).map(|i| format!(r#""k{i}":{i}"#)).collect();
    bodies.push(format!("{{{}}}", distinct.join(",")).into_bytes());
    bodies
}

fn everywhere(body: &[u8], headers: &str) {
    for provider in 0..u8::try_from(NAMES.len()).unwrap() {
        for choices in [0, 1, 2, 3, 7] {
            let data = [&[provider, choices][..], headers.as_bytes(), b"\n\n", body].concat();
            paystatus_fuzz::read(&data);
            paystatus_fuzz::verify(&data);
            paystatus_fuzz::answers(&data);
        }
    }
}

#[test]
fn large_bodies_are_cheap() {
    for body in bodies() {
        everywhere(&body, "payment");
    }
}

#[test]
fn large_headers_are_cheap() {
    for part in ["v1,", "v1=0,", "0", ",", " ", "t=1,v1=", "v1,AAAA "] {
        let value = part.repeat(16 * 1024 / part.len());
        everywhere(b"{}", &value);
    }
}

#[test]
fn seeds_are_read_and_what_follows_them_is_too() {
    let seeds = paystatus_fuzz::seeds();
    assert!(seeds.len() > NAMES.len());
    for seed in &seeds {
        paystatus_fuzz::read(seed);
        paystatus_fuzz::answers(seed);
        for end in (0..seed.len()).step_by(7) {
            paystatus_fuzz::read(&seed[..end]);
        }
    }
    for text in
        ["\u{2}12.50 EUR", "\u{0}0", "\u{12}0.000000000000000001 ETH", "\u{2}1e3", "\u{2}007"]
    {
        paystatus_fuzz::amounts(text.as_bytes());
    }
}
