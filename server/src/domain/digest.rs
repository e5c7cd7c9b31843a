//! Ids made from content: stable for ever, whatever the version of the program.

use sha2::{Digest as _, Sha256};

/// First half of a SHA-256 over length-prefixed fields.
pub type ContentId = [u8; 16];

/// Collects fields; no two different sequences of fields give the same bytes.
pub struct Digest(Sha256);

impl Digest {
    /// Begins a digest for one purpose, so that ids of two purposes never meet.
    #[must_use]
    pub fn new(purpose: &'static str) -> Self {
        Self(Sha256::new()).text(purpose)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a text that may be absent.
    #[must_use]
    pub fn maybe(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.number(1).text(text),
            None => self.number(0),
        }
    }

    /// Adds a number.
    #[must_use]
    pub fn number(mut self, number: i64) -> Self {
        self.0.update(number.to_le_bytes());
        self
    }

    /// Adds another id.
    #[must_use]
    pub fn id(mut self, id: &ContentId) -> Self {
        self.0.update(id);
        self
    }

    /// The id of all that was added.
    #[must_use]
    pub fn finish(self) -> ContentId {
        let mut id = ContentId::default();
        id.copy_from_slice(&self.0.finalize()[..16]);
        id
    }
}

/// A short name of an id, for people: 13 characters of base 32, which is 65 bits.
#[must_use]
pub fn short_name(id: &ContentId) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = u128::from_be_bytes(*id);
    (0..13).map(|i| char::from(ALPHABET[((bits >> (123 - 5 * i)) & 31) as usize])).collect()
}
