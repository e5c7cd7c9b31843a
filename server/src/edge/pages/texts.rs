//! What a page without scripts says: the texts of the web component, in the customer's language.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::domain::view::{Outcome, PaymentStatus};

/// Where nothing is known of the customer's language, or we do not speak it.
const DEFAULT: &str = "en";
/// Languages of one header that are looked at.
const LANGUAGES_MAX: usize = 20;

static ALL: LazyLock<BTreeMap<String, Texts>> = LazyLock::new(|| {
    let json = include_str!("../../../../client/web/src/texts.json");
    serde_json::from_str(json).expect("a test reads it")
});

/// The texts of one language.
#[derive(Debug, Deserialize)]
pub(super) struct Texts {
    pub(super) connecting: Message,
    pub(super) expired: Message,
    pub(super) invalid: Message,
    undecided: Message,
    approved: Message,
    refused: Message,
    declined: Message,
    canceled: Message,
    lapsed: Message,
    withdrawn: Message,
    /// That the page updates by itself.
    pub(super) live: String,
    pub(super) amount: String,
    pub(super) order: String,
    pub(super) time: String,
    /// Stands between whole numbers and their fraction.
    pub(super) decimal: String,
}

/// A headline and a sentence.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) title: String,
    pub(super) text: String,
}

impl Texts {
    /// What a customer is told of a state.
    pub(super) fn message(&self, outcome: Outcome, status: PaymentStatus) -> &Message {
        match (outcome, status) {
            (Outcome::Undecided, _) => &self.undecided,
            (Outcome::Approved, _) => &self.approved,
            (Outcome::Withdrawn, _) => &self.withdrawn,
            (Outcome::Refused, PaymentStatus::Declined) => &self.declined,
            (Outcome::Refused, PaymentStatus::Canceled) => &self.canceled,
            (Outcome::Refused, PaymentStatus::Expired) => &self.lapsed,
            (Outcome::Refused, _) => &self.refused,
        }
    }
}

/// The language that was asked for, else the best of an `Accept-Language` that we speak.
pub(super) fn choose(asked: Option<&str>, accepted: &str) -> (&'static str, &'static Texts) {
    let known = |tag: &str| {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        ALL.get_key_value(language.as_str()).map(|(language, texts)| (language.as_str(), texts))
    };
    let accepted = by_weight(accepted);
    let wanted = asked.into_iter().chain(accepted).chain([DEFAULT]);
    wanted.filter_map(known).next().expect("the default is there: a test reads it")
}

/// The languages of an `Accept-Language`, the most wanted first (RFC 9110, 12.5.4).
fn by_weight(header: &str) -> impl Iterator<Item = &str> {
    let parts = header.split(',').take(LANGUAGES_MAX).filter_map(|part| {
        let (tag, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        (weight > 0.0).then_some((tag.trim(), weight))
    });
    let mut languages: Vec<_> = parts.collect();
    languages.sort_by(|one, other| other.1.total_cmp(&one.1));
    languages.into_iter().map(|(tag, _)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_can_be_read_and_each_language_has_all() {
        let languages: Vec<_> = ALL.keys().map(String::as_str).collect();
        assert_eq!(languages, ["de", "en", "es", "fr", "ja", "pt"]);
        for (language, texts) in ALL.iter() {
            assert!(texts.decimal.len() == 1 && !texts.live.is_empty(), "{language}");
        }
    }

    #[test]
    fn the_language_is_the_one_asked_for_else_the_best_one_accepted() {
        for (asked, accepted, expected) in [
            (None, "", "en"),
            (None, "de-CH, en;q=0.8", "de"),
            (None, "nl, en;q=0.5, FR-ca;q=0.9", "fr"),
            (None, "ja;q=0, *;q=0.1", "en"),
            (None, "pt;q=nonsense", "en"),
            (Some("es-MX"), "de", "es"),
            (Some("xx"), "de", "de"),
        ] {
            assert_eq!(choose(asked, accepted).0, expected, "{asked:?} {accepted}");
        }
    }
}
