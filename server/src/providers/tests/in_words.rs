//! What was read, in words to compare.

use std::collections::BTreeSet;

use crate::{
    domain::{
        ids::ProviderId,
        statement::{Said, Statement, operation_word, payment_word},
    },
    providers::Content,
};

/// The statements of a content.
pub(in crate::providers) fn statements(content: Content) -> Vec<Statement> {
    match content {
        Content::Statements(statements) => statements,
        Content::Look(_) | Content::Ignored { .. } => Vec::new(),
    }
}

/// A statement in words: its ids and reference, what it says of what, the amount.
pub(in crate::providers) fn in_words(statement: &Statement) -> String {
    let ids = |ids: &[ProviderId]| {
        let ids: Vec<_> = ids.iter().map(|id| format!("{}={}", id.kind, id.value)).collect();
        ids.join(",")
    };
    let said = match &statement.said {
        Said::Payment(claim) => payment_word(*claim).to_owned(),
        Said::Operation(op) => {
            let reference = op.reference.as_ref().map(|r| format!(" as {r}")).unwrap_or_default();
            format!("{:?} {} {}{reference}", op.kind, ids(&op.ids), operation_word(op.claim))
        }
    };
    let amount = statement.amount.map(|a| format!(" {}", a.money)).unwrap_or_default();
    let reference = statement.reference.as_ref().map(|r| format!(" as {r}")).unwrap_or_default();
    format!("{}{reference}: {said}{amount}", ids(&statement.ids))
}

/// Each of them.
pub(in crate::providers) fn each_in_words(statements: &[Statement]) -> Vec<String> {
    statements.iter().map(in_words).collect()
}

/// All of them, in whatever order they came.
pub(in crate::providers) fn all_words(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().map(in_words).collect()
}
