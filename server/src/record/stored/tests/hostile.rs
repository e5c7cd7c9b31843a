//! Damaged and newer bytes are refused or read as something else; they never cause a panic.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{records::any_record, samples, states::any_order};
use crate::record::{
    FORMAT, Unreadable, decode, decode_key, decode_order, decode_subject, encode, encode_order,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_records_do_no_harm(record in any_record(), at: Index, bit in 0..8_u32, cut: Index) {
        let mut bytes = encode(&record).to_vec();
        let _ = decode(&bytes[..cut.index(bytes.len())]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let _ = decode(&bytes);
    }

    #[test]
    fn damaged_states_do_no_harm(order in any_order(), at: Index, bit in 0..8_u32, cut: Index) {
        let mut bytes = encode_order(&order);
        let _ = decode_order(&bytes[..cut.index(bytes.len())]);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        let _ = decode_order(&bytes);
    }

    #[test]
    fn noise_does_no_harm(bytes in vec(any::<u8>(), 0..80)) {
        let _ = (decode(&bytes), decode_order(&bytes), decode_key(&bytes), decode_subject(&bytes));
        let valid_start = [&[8, 1], &bytes[..]].concat();
        let _ = (decode(&valid_start), decode_order(&valid_start));
    }
}

/// Every single bit of a few fixed samples, and every length.
#[test]
fn every_bit_and_every_length_of_the_samples() {
    for (_, record) in samples::records() {
        let bytes = encode(&record).to_vec();
        for length in 0..bytes.len() {
            assert_ne!(decode(&bytes[..length]).as_ref(), Ok(&record));
        }
        let mut damaged = bytes.clone();
        for bit in 0..bytes.len() * 8 {
            damaged[bit / 8] ^= 1 << (bit % 8);
            let _ = decode(&damaged);
            damaged[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn a_newer_format_is_named_whatever_follows() {
    let newer = FORMAT + 1;
    let refused = Unreadable::NewerFormat { found: newer, known: FORMAT };
    let bytes = [8, u8::try_from(newer).unwrap(), 0xff, 0xff];
    assert_eq!(decode(&bytes), Err(refused.clone()));
    assert_eq!(decode_order(&bytes), Err(refused));
}

#[test]
fn no_format_is_no_record() {
    let (_, record) = samples::records().remove(0);
    let bytes = encode(&record);
    assert!(matches!(decode(&[]), Err(Unreadable::Invalid { .. })));
    assert!(matches!(decode(&bytes[2..]), Err(Unreadable::Invalid { .. })));
    assert!(matches!(decode(&[8, 0]), Err(Unreadable::Invalid { .. })));
    assert!(matches!(decode(&[8, 1]), Err(Unreadable::Invalid { .. })));
}
