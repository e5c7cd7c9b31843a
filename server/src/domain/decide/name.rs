//! Names that stay: what was announced once keeps its name, and a name that went becomes an
//! alias. This is the one part of a view that history decides.

use crate::domain::{
    digest::{Digest, short_name},
    ids::{AccountId, ProviderId},
    view::{AttemptKey, AttemptView, OperationKey, OperationView, View},
};

/// Gives names to a fresh projection, as far as possible those of the view before it.
pub(super) fn keep_names(before: &View, after: &mut View) {
    let mut taken: Vec<String> = Vec::new();
    for attempt in &mut after.attempts {
        let earlier: Vec<&AttemptView> =
            before.attempts.iter().filter(|old| is_same(old, attempt)).collect();
        let free = earlier.iter().find(|old| !taken.contains(&old.name));
        attempt.name = match &attempt.key {
            AttemptKey::Recorded(id) => id.as_str().to_owned(),
            AttemptKey::Observed(account, id) => {
                free.map_or_else(|| observed("attempt", account, id), |old| old.name.clone())
            }
        };
        let names = earlier.iter().flat_map(|old| old.aliases.iter().chain([&old.name]));
        let mut aliases: Vec<String> =
            names.filter(|name| **name != attempt.name && !taken.contains(name)).cloned().collect();
        aliases.sort();
        aliases.dedup();
        attempt.aliases = aliases;
        taken.push(attempt.name.clone());
        taken.extend(attempt.aliases.iter().cloned());
    }
    // What was paired by guess may part again: a name in use is nobody's alias.
    let in_use: Vec<String> = after.attempts.iter().map(|a| a.name.clone()).collect();
    after.attempts.iter_mut().for_each(|a| a.aliases.retain(|alias| !in_use.contains(alias)));
    name_operations(before, after);
    let attempts = &after.attempts;
    let name_of = |key: &AttemptKey| {
        attempts.iter().find(|a| a.key == *key).map(|a| a.name.clone()).unwrap_or_default()
    };
    for operation in &mut after.operations {
        operation.attempt_name = operation.attempt.as_ref().map(name_of).unwrap_or_default();
    }
    for condition in &mut after.conditions {
        condition.attempt_names = condition.attempts.iter().map(name_of).collect();
    }
}

/// True if an attempt of the view before is this one, or has become part of it.
fn is_same(old: &AttemptView, new: &AttemptView) -> bool {
    if matches!(old.key, AttemptKey::Recorded(_)) {
        return old.key == new.key;
    }
    old.account == new.account && old.ids.iter().any(|id| new.ids.contains(id))
}

fn name_operations(before: &View, after: &mut View) {
    let mut taken = Vec::new();
    for operation in &mut after.operations {
        let same = |old: &&OperationView| {
            let shared = old.ids.iter().any(|id| operation.ids.contains(id))
                || (old.reference.is_some() && old.reference == operation.reference);
            let is_observed = matches!(old.key, OperationKey::Observed(..));
            let free = !taken.contains(&(old.kind, old.name.clone()));
            is_observed
                && old.kind == operation.kind
                && old.account == operation.account
                && shared
                && free
        };
        operation.name = match &operation.key {
            OperationKey::Recorded(_, id) => id.as_str().to_owned(),
            OperationKey::Observed(_, account, id) => before
                .operations
                .iter()
                .find(same)
                .map_or_else(|| observed("operation", account, id), |old| old.name.clone()),
        };
        taken.push((operation.kind, operation.name.clone()));
    }
}

/// A name for something that only evidence names. The `~` keeps it apart from callers' names.
fn observed(what: &'static str, account: &AccountId, id: &ProviderId) -> String {
    let digest = Digest::new(what).text(account.as_str());
    let id = digest.text(id.kind.as_str()).text(id.value.as_str()).finish();
    format!("~{}", short_name(&id))
}
