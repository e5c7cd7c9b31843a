//! Tokens of pages: where the next one begins, and for which request. Opaque outside.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use tonic::Status;

use super::errors;
use crate::domain::digest::Digest;

/// Letters of a token.
const TOKEN_LETTERS: usize = 22;

/// A token for the page that begins after a number, for a request with this digest.
pub(super) fn token(after: u64, request: Digest) -> String {
    let mut bytes = after.to_be_bytes().to_vec();
    bytes.extend_from_slice(&request.finish()[..8]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the page begins; 0 for the first.
pub(super) fn after(token: &str, request: Digest) -> Result<u64, Status> {
    if token.is_empty() {
        return Ok(0);
    }
    let bytes: Option<[u8; 16]> =
        URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or_else(|| errors::field("page_token", "is not a token of ours"))?;
    let (after, digest) = bytes.split_at(8);
    if digest != &request.finish()[..8] {
        return Err(errors::field("page_token", "was issued for other filters"));
    }
    Ok(after.try_into().map_or(0, u64::from_be_bytes))
}

/// The page of a list that a token asks for, and the token of the next; empty at the end.
pub(super) fn of<'a, T>(
    list: &'a [T],
    size: usize,
    asked: &str,
    request: impl Fn() -> Digest,
) -> Result<(&'a [T], String), Status> {
    let first = usize::try_from(after(asked, request())?).unwrap_or(usize::MAX).min(list.len());
    let end = first.saturating_add(size).min(list.len());
    let next = (end < list.len()).then(|| token(end as u64, request()));
    Ok((&list[first..end], next.unwrap_or_default()))
}

/// A token for the page that begins after a number, of a list that ends at another.
pub(super) fn span_token((after, end): (u64, u64), request: Digest) -> String {
    let inner = URL_SAFE_NO_PAD.encode(end.to_be_bytes());
    format!("{}{inner}", token(after, request.number(end.cast_signed())))
}

/// Where the page begins and the list ends; `None` for the first.
pub(super) fn span(token: &str, request: Digest) -> Result<Option<(u64, u64)>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let unknown = || errors::field("page_token", "is not a token of ours");
    let (first, end) = token.split_at_checked(TOKEN_LETTERS).ok_or_else(unknown)?;
    let end = URL_SAFE_NO_PAD.decode(end).ok().and_then(|bytes| bytes.try_into().ok());
    let end = end.map(u64::from_be_bytes).ok_or_else(unknown)?;
    Ok(Some((after(first, request.number(end.cast_signed()))?, end)))
}
