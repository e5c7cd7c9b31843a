//! Bytes that were written once can be read for ever. `record/golden/v1.hex` holds one sample
//! a line: its name and its bytes. `UPDATE_GOLDEN=1 cargo test golden` appends samples that
//! are new, and never alters a line. A line that fails here means that journals in the field
//! can no longer be read: change the code, not the line.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use super::samples;
use crate::record::{
    decode, decode_key, decode_order, decode_subject, encode, encode_claim, encode_key,
    encode_order, encode_subject,
};

/// Fails unless the bytes mean what the sample does.
type Check = dyn Fn(&[u8]);

/// Something as it is written today, and a check that other bytes still mean it.
struct Sample {
    name: String,
    bytes: Vec<u8>,
    check: Box<Check>,
}

impl Sample {
    fn new(name: String, bytes: impl Into<Vec<u8>>, check: impl Fn(&[u8]) + 'static) -> Self {
        Self { name, bytes: bytes.into(), check: Box::new(check) }
    }
}

fn samples() -> Vec<Sample> {
    let mut all = Vec::new();
    for (name, record) in samples::records() {
        all.push(Sample::new(format!("record.{name}"), encode(&record), move |bytes| {
            let read = decode(bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{record:?}"));
        }));
    }
    for (name, order) in samples::orders() {
        all.push(Sample::new(format!("order.{name}"), encode_order(&order), move |bytes| {
            let read = decode_order(bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{order:?}"));
        }));
    }
    // Names are looked up by their bytes, so these may never be written in another way either.
    for (index, key) in samples::keys().into_iter().enumerate() {
        all.push(Sample::new(format!("key.{index}"), encode_key(&key), move |bytes| {
            assert_eq!(decode_key(bytes).as_ref(), Ok(&key));
            assert_eq!(encode_key(&key), bytes);
        }));
    }
    for (index, subject) in samples::subjects().into_iter().enumerate() {
        let bytes = encode_subject(&subject);
        all.push(Sample::new(format!("subject.{index}"), bytes, move |bytes| {
            assert_eq!(decode_subject(bytes).as_ref(), Ok(&subject));
            assert_eq!(encode_subject(&subject), bytes);
        }));
    }
    let claim = samples::claim();
    all.push(Sample::new("claim.0".to_owned(), encode_claim(&claim), move |bytes| {
        assert_eq!(encode_claim(&claim), bytes);
    }));
    all
}

#[test]
fn golden_bytes_can_be_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/record/golden/v1.hex");
    let mut file = fs::read_to_string(&path).unwrap_or_default();
    let lines = file.lines().map(|line| line.split_once(' ').expect("a name and bytes"));
    let known: BTreeMap<String, String> =
        lines.map(|(name, bytes)| (name.to_owned(), bytes.to_owned())).collect();
    let samples = samples();
    for Sample { name, bytes, check } in &samples {
        match known.get(name) {
            Some(golden) => check(&hex::decode(golden).expect("hex digits")),
            None if std::env::var_os("UPDATE_GOLDEN").is_some() => {
                writeln!(file, "{name} {}", hex::encode(bytes)).unwrap();
            }
            None => panic!("{name} is new; append it with UPDATE_GOLDEN=1"),
        }
    }
    for name in known.keys() {
        assert!(samples.iter().any(|sample| sample.name == *name), "{name}: its sample is gone");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, file).unwrap();
    }
}
