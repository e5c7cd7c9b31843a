//! A frame with changes, put together from parts that are encoded already.

use bytes::Bytes;
use paystatus_proto::codec::Encoded;

/// A response with a change set of changes that are already encoded: only the lengths and the
/// cursor are new for each stream.
pub(super) fn change_set(cursor: &str, changes: &[&Bytes]) -> Encoded {
    use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
    let nested = |length: usize| 1 + encoded_len_varint(length as u64) + length;
    let set: usize = changes.iter().map(|change| nested(change.len())).sum();
    let frame = nested(cursor.len()) + nested(set);
    let mut bytes = Vec::with_capacity(nested(frame));
    let open = |bytes: &mut Vec<u8>, tag: u32, length: usize| {
        encode_key(tag, WireType::LengthDelimited, bytes);
        encode_varint(length as u64, bytes);
    };
    open(&mut bytes, 1, frame);
    open(&mut bytes, 1, cursor.len());
    bytes.extend_from_slice(cursor.as_bytes());
    open(&mut bytes, 3, set);
    for change in changes {
        open(&mut bytes, 1, change.len());
        bytes.extend_from_slice(change);
    }
    Encoded::new(bytes.into())
}

#[cfg(test)]
mod tests {
    use paystatus_proto::v1;
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_change_set_from_parts_is_what_prost_would_write() {
        let change = |id: &str| v1::Change { change_id: id.to_owned(), ..v1::Change::default() };
        let long = "x".repeat(300);
        let changes = vec![change("a"), change(&long)];
        let parts: Vec<Bytes> = changes.iter().map(|c| c.encode_to_vec().into()).collect();
        let content = Some(v1::frame::Content::ChangeSet(v1::ChangeSet { changes }));
        let frame = Some(v1::Frame { cursor: "cursor".to_owned(), content });
        let expected = v1::WatchChangesResponse { frame: frame.clone() }.encode_to_vec();
        let made = change_set("cursor", &parts.iter().collect::<Vec<_>>());
        assert_eq!(made.as_bytes(), &expected);
        let of_order = v1::WatchOrderResponse::decode(made.as_bytes().clone()).unwrap();
        assert_eq!(of_order.frame, frame, "both responses have the same form");
    }
}
