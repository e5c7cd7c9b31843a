//! The methods of the API, one file for each service.

mod access;
mod accounts;
mod orders;
mod subscriptions;
mod webhooks;

use crate::requests::{Page, PageRequest};

/// The server's limits are its own: this only keeps the number within the message.
fn page_size(page: &PageRequest) -> i32 {
    i32::try_from(page.size).unwrap_or(i32::MAX)
}

fn page_token(page: PageRequest) -> String {
    page.token.unwrap_or_default()
}

fn page<W, T>(items: Vec<W>, next_page_token: String, from_wire: fn(W) -> T) -> Page<T> {
    let next_page_token = Some(next_page_token).filter(|token| !token.is_empty());
    Page { items: items.into_iter().map(from_wire).collect(), next_page_token }
}

fn stated(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
