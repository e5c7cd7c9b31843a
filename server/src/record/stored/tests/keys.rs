//! Names as bytes: no two are the same, and none begins another.

use proptest::{collection::vec, prelude::*};

use super::names::{
    any_account, any_claim, any_merchant, any_operator, any_order_key, any_subscription, any_text,
};
use crate::record::{
    Subject, Unreadable, decode_key, decode_subject, encode_claim, encode_key, encode_subject,
};

pub(super) fn any_subject() -> impl Strategy<Value = Subject> {
    prop_oneof![
        any_order_key().prop_map(Subject::Order),
        any_account().prop_map(Subject::Account),
        any_text().prop_map(Subject::Key),
        (any_merchant(), any_subscription()).prop_map(|(m, s)| Subject::Subscription(m, s)),
        any_operator().prop_map(Subject::Operator),
        Just(Subject::Audit),
    ]
}

/// Fails unless different things have bytes of which none begins another.
fn assert_apart<T: PartialEq + std::fmt::Debug>(things: &[T], bytes: fn(&T) -> bytes::Bytes) {
    for a in things {
        for b in things {
            assert_eq!(a == b, bytes(a).starts_with(&bytes(b)), "{a:?} and {b:?}");
        }
    }
}

proptest! {
    #[test]
    fn different_names_have_different_bytes(
        keys in vec(any_order_key(), 8),
        claims in vec(any_claim(), 8),
        subjects in vec(any_subject(), 8),
    ) {
        assert_apart(&keys, encode_key);
        assert_apart(&claims, encode_claim);
        assert_apart(&subjects, encode_subject);
    }

    #[test]
    fn names_come_back(key in any_order_key(), subject in any_subject()) {
        prop_assert_eq!(decode_key(&encode_key(&key)), Ok(key.clone()));
        prop_assert_eq!(decode_subject(&encode_subject(&subject)), Ok(subject));
        let of_order = encode_subject(&Subject::Order(key.clone()));
        prop_assert_eq!(&of_order[1..], &encode_key(&key)[..]);
    }

    /// One name has one spelling: what can be read is what would be written.
    #[test]
    fn what_can_be_read_is_what_is_written(
        subject in any_subject(), at: prop::sample::Index, value: u8,
    ) {
        let mut bytes = encode_subject(&subject).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(subject) = decode_subject(&bytes) {
            prop_assert_eq!(&encode_subject(&subject)[..], &bytes[..]);
        }
    }
}

#[test]
fn a_length_has_one_spelling() {
    let long_form = [5, 0x81, 0x00, b'a'];
    assert_eq!(decode_subject(&[5, 1, b'a']).map(|_| ()), Ok(()));
    assert!(matches!(decode_subject(&long_form), Err(Unreadable::Invalid { .. })));
    assert!(matches!(decode_subject(&[5, 1, b'a', 0]), Err(Unreadable::Invalid { .. })));
}
