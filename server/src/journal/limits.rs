//! Whether a batch keeps the limits of this module, asked before anything is written.

use super::{
    APPEND_BYTES_MAX, APPEND_ENTRIES_MAX, ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX, CLAIM_BYTES_MAX,
    CLAIMS_MAX, Entry, Error, RECORD_BYTES_MAX, SUBJECT_BYTES_MAX,
};

/// Refuses a batch of which any part is too large.
pub(super) fn check(entries: &[Entry]) -> Result<(), Error> {
    at_most(entries.len(), APPEND_ENTRIES_MAX, "an append takes 1024 entries at most")?;
    for entry in entries {
        check_entry(entry)?;
    }
    let bytes = entries.iter().map(Entry::bytes).sum();
    at_most(bytes, APPEND_BYTES_MAX, "an append takes 64 MiB at most")
}

fn check_entry(entry: &Entry) -> Result<(), Error> {
    at_most(entry.subject.len(), SUBJECT_BYTES_MAX, "a subject takes 1 KiB at most")?;
    at_most(entry.record.len(), RECORD_BYTES_MAX, "a record takes 4 MiB at most")?;
    at_most(entry.claims.len(), CLAIMS_MAX, "an entry makes 256 claims at most")?;
    at_most(entry.attachments.len(), ATTACHMENTS_MAX, "an entry has 16 attachments at most")?;
    for claim in &entry.claims {
        at_most(claim.len(), CLAIM_BYTES_MAX, "a claim takes 1 KiB at most")?;
    }
    for bytes in entry.attachments.iter().filter_map(|attachment| attachment.bytes.as_ref()) {
        at_most(bytes.len(), ATTACHMENT_BYTES_MAX, "an attachment takes 2 MiB at most")?;
    }
    Ok(())
}

fn at_most(found: usize, max: usize, what: &'static str) -> Result<(), Error> {
    if found > max { Err(Error::TooLarge { what }) } else { Ok(()) }
}
