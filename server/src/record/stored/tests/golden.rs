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

/// Every sample as it is written today, and a check that bytes of its name still mean it.
fn samples() -> Vec<(String, Vec<u8>, Box<dyn Fn(&[u8])>)> {
    let mut all: Vec<(String, Vec<u8>, Box<dyn Fn(&[u8])>)> = Vec::new();
    for (name, record) in samples::records() {
        let bytes = encode(&record).to_vec();
        let check = move |bytes: &[u8]| {
            let read = decode(bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{record:?}"));
        };
        all.push((format!("record.{name}"), bytes, Box::new(check)));
    }
    for (name, order) in samples::orders() {
        let bytes = encode_order(&order);
        let check = move |bytes: &[u8]| {
            let read = decode_order(bytes).unwrap();
            assert_eq!(format!("{read:?}"), format!("{order:?}"));
        };
        all.push((format!("order.{name}"), bytes, Box::new(check)));
    }
    for (index, key) in samples::keys().into_iter().enumerate() {
        let bytes = encode_key(&key).to_vec();
        let check = move |bytes: &[u8]| {
            assert_eq!(decode_key(bytes).as_ref(), Ok(&key));
            // Looked up by its bytes, so these may never change either.
            assert_eq!(encode_key(&key), bytes);
        };
        all.push((format!("key.{index}"), bytes, Box::new(check)));
    }
    for (index, subject) in samples::subjects().into_iter().enumerate() {
        let bytes = encode_subject(&subject).to_vec();
        let check = move |bytes: &[u8]| {
            assert_eq!(decode_subject(bytes).as_ref(), Ok(&subject));
            assert_eq!(encode_subject(&subject), bytes);
        };
        all.push((format!("subject.{index}"), bytes, Box::new(check)));
    }
    let claim = samples::claim();
    let bytes = encode_claim(&claim).to_vec();
    let check = move |bytes: &[u8]| assert_eq!(encode_claim(&claim), bytes);
    all.push(("claim.0".to_owned(), bytes, Box::new(check)));
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
    for (name, bytes, check) in &samples {
        match known.get(name) {
            Some(golden) => check(&hex::decode(golden).expect("hex digits")),
            None if std::env::var_os("UPDATE_GOLDEN").is_some() => {
                writeln!(file, "{name} {}", hex::encode(bytes)).unwrap();
            }
            None => panic!("{name} is new; append it with UPDATE_GOLDEN=1"),
        }
    }
    for name in known.keys() {
        assert!(samples.iter().any(|(n, ..)| n == name), "{name}: its sample is gone");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, file).unwrap();
    }
}
