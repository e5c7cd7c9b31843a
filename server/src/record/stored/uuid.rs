//! UUIDs written in the usual way take 16 bytes instead of 36.

/// Length of a UUID as text.
pub(super) const TEXT: usize = 36;
/// Length of a UUID as bytes.
pub(super) const BYTES: usize = 16;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The bytes of a lower-case UUID with four dashes; `None` for any other text.
pub(super) fn pack(text: &str) -> Option<[u8; BYTES]> {
    let text: &[u8; TEXT] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; BYTES];
    let mut at = 0;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if is_after_dash(index) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *byte = digit(text[at])? << 4 | digit(text[at + 1])?;
        at += 2;
    }
    Some(bytes)
}

/// Appends the text of those bytes.
pub(super) fn unpack(bytes: &[u8], text: &mut String) {
    for (index, byte) in bytes.iter().enumerate() {
        if is_after_dash(index) {
            text.push('-');
        }
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

fn is_after_dash(byte: usize) -> bool {
    matches!(byte, 4 | 6 | 8 | 10)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_usual_way_is_packed() {
        let text = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let mut again = String::new();
        unpack(&pack(text).unwrap(), &mut again);
        assert_eq!(again, text);
        assert_eq!(pack(&text.to_uppercase()), None);
        assert_eq!(pack(&text.replace('-', "")), None);
        assert_eq!(pack(&text.replace('-', "0")), None);
        assert_eq!(pack(&text.replace('f', "g")), None);
        assert_eq!(pack(""), None);
    }
}
