//! Cursors that cannot lie: each names the journal it belongs to, a position in it, and the
//! filter it was issued for. Opaque outside; a checksum tells a damaged one from a real one.
//! A cursor grants nothing: the caller's key is checked all the same.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::journal::Position;

/// Where a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Which journal.
    pub(crate) epoch: u64,
    /// Everything up to here was sent.
    pub(crate) position: Position,
    /// Hash of the filter.
    pub(crate) filter: u64,
    /// True inside a snapshot: what was sent is only part of one.
    pub(crate) is_in_snapshot: bool,
}

/// First byte of a cursor; other values are for later forms.
const VERSION: u8 = 1;
const BYTES: usize = 1 + 1 + 8 + 8 + 8 + 4;

impl Cursor {
    /// The text that callers see: 40 characters.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend([VERSION, u8::from(self.is_in_snapshot)]);
        for number in [self.epoch, self.position, self.filter] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(crc32c::crc32c(&bytes).to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a text that [`Cursor::encode`] made; `None` for any other.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() > 2 * BYTES {
            return None;
        }
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (content, checksum) = bytes.split_at(BYTES - 4);
        if checksum != crc32c::crc32c(content).to_be_bytes() || content[0] != VERSION {
            return None;
        }
        let number = |at: usize| content[at..at + 8].try_into().map(u64::from_be_bytes).ok();
        Some(Self {
            epoch: number(2)?,
            position: number(10)?,
            filter: number(18)?,
            is_in_snapshot: content[1] == 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_and_a_damaged_one_does_not() {
        let cursor = Cursor { epoch: u64::MAX, position: 7, filter: 9, is_in_snapshot: false };
        let text = cursor.encode();
        assert_eq!(Cursor::decode(&text), Some(cursor));
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert_eq!(Cursor::decode(&String::from_utf8(bytes).unwrap()), None);
        }
        assert_eq!(Cursor::decode(""), None);
        assert_eq!(Cursor::decode(&"A".repeat(1000)), None);
    }
}
