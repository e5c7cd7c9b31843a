//! Names stay: what was announced keeps its name, or becomes an alias by a change of its own.

use crate::domain::{
    change::{AttemptChange, Change},
    command::Decision,
    testing::{MemoryWorld, accept, create_attempt, create_order, say},
    time::Time,
};

fn attempts(decision: &Decision) -> Vec<(AttemptChange, String, Vec<String>)> {
    let of = |change: &Change| match change {
        Change::Attempt { what, attempt } => {
            Some((*what, attempt.name.clone(), attempt.aliases.clone()))
        }
        _ => None,
    };
    decision.drafts[0].decided.changes.iter().filter_map(of).collect()
}

/// A reader that folds changes by name must learn that the name it knew is gone.
#[test]
fn recording_an_attempt_that_was_seen_before_is_a_merge_too() {
    let mut world = MemoryWorld::default();
    world.run(&create_order("o1", "100"), Time::default()).unwrap();
    let seen = world.run(&accept("1", vec![say("p1 o1 : pending")]), Time::default()).unwrap();
    let (what, name, _) = attempts(&seen).remove(0);
    assert!(what == AttemptChange::Created && name.starts_with('~'));
    let recorded = world.run(&create_attempt("o1", "a1", "o1", None), Time::default()).unwrap();
    let aliases = vec![name];
    assert_eq!(
        attempts(&recorded),
        [
            (AttemptChange::Created, "a1".to_owned(), aliases.clone()),
            (AttemptChange::Merged, "a1".to_owned(), aliases),
        ]
    );
}
