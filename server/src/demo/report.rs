//! The table at the end, and what was proved.

use std::{collections::BTreeMap, io, time::Duration};

use super::{
    board::{Board, Tally},
    judge::{self, Judged},
    story::STORIES,
};
use crate::{
    cli::{
        out::{Cell, Out},
        words::{BAD, BOLD, DIM, GOOD},
    },
    store,
};

/// Problems that are listed.
const PROBLEMS_SHOWN: usize = 20;

/// Shows the table and what was proved. Returns the number of problems.
pub(super) fn show(board: &Board, judged: &[Judged]) -> io::Result<usize> {
    let mut out = Out::new();
    out.line("")?;
    table(&mut out, board, judged)?;
    out.line("")?;
    let problems: Vec<String> = problems(judged);
    let unseen: Vec<&String> = judged.iter().flat_map(|one| &one.unseen).collect();
    let wrong = judged.iter().filter(|one| !one.played.problems.is_empty()).count();
    let total = board.total();
    let Tally { repeats, forged, .. } = total;
    let orders = judged.len();
    proof(
        &mut out,
        wrong == 0,
        format!(
            "{orders} orders, each became what the provider meant; {repeats} repeats and {forged} \
             forgeries notwithstanding"
        ),
        format!("{wrong} of {orders} orders did not become what the provider meant"),
    )?;
    let changes: usize = judged.iter().map(|one| one.change_count).sum();
    proof(
        &mut out,
        unseen.is_empty(),
        format!(
            "{changes} changes reached the subscriber in order, without a gap, once, and add up"
        ),
        "the subscriber did not see every change in order, once".to_owned(),
    )?;
    told(&mut out, judged)?;
    for problem in problems.iter().chain(unseen.iter().copied()).take(PROBLEMS_SHOWN) {
        out.line(format_args!("  {BAD}{problem}{BAD:#}"))?;
    }
    let count = problems.len() + unseen.len();
    if count > PROBLEMS_SHOWN {
        out.line(format_args!("  {BAD}and {} more{BAD:#}", count - PROBLEMS_SHOWN))?;
    }
    Ok(count)
}

/// Shows what came of comparing view and journal on disk. Returns the number of problems.
pub(super) fn verified(
    verified: &Result<store::verify::Report, store::verify::Failure>,
) -> io::Result<usize> {
    let (good, bad) = match verified {
        Ok(report) => {
            let records = report.records;
            (format!("{records} records in the journal, checked: the view agrees"), String::new())
        }
        Err(failure) => (String::new(), format!("the data on disk is not sound: {failure}")),
    };
    proof(&mut Out::new(), verified.is_ok(), good, bad)?;
    Ok(usize::from(verified.is_err()))
}

fn table(out: &mut Out, board: &Board, judged: &[Judged]) -> io::Result<()> {
    let mut rows = Vec::new();
    for (index, (story, tally)) in STORIES.iter().zip(board.tallies()).enumerate() {
        if tally.orders == 0 {
            continue;
        }
        let meant = judge::in_words(&story.meant);
        let of_story = || judged.iter().filter(|one| one.played.story == index);
        let is_good = of_story().all(|one| one.became == meant && one.played.problems.is_empty());
        let mut became: BTreeMap<&str, usize> = BTreeMap::new();
        of_story().for_each(|one| *became.entry(&one.became).or_default() += 1);
        let became: Vec<String> = match became.len() {
            1 => became.into_keys().map(str::to_owned).collect(),
            _ => became.into_iter().map(|(what, count)| format!("{count} {what}")).collect(),
        };
        rows.push(vec![
            Cell::text(story.about),
            Cell::number(tally.orders),
            Cell::number(tally.webhooks),
            Cell::number(tally.repeats),
            Cell::number(tally.forged),
            Cell::text(meant),
            Cell::styled(became.join("; "), if is_good { GOOD } else { BAD }),
        ]);
    }
    let Tally { orders, webhooks, repeats, forged } = board.total();
    rows.push(vec![
        Cell::styled("in all", BOLD),
        Cell::number(orders),
        Cell::number(webhooks),
        Cell::number(repeats),
        Cell::number(forged),
        Cell::text(""),
        Cell::text(""),
    ]);
    let heading = ["WHAT HAPPENED", "ORDERS", "WEBHOOKS", "AGAIN", "FORGED", "MEANT", "BECAME"];
    out.table(&heading, &rows)
}

fn problems(judged: &[Judged]) -> Vec<String> {
    let of_one = |one: &Judged| -> Vec<String> {
        let id = &one.played.order_id;
        one.played.problems.iter().map(|problem| format!("{id}: {problem}")).collect()
    };
    judged.iter().flat_map(of_one).collect()
}

fn proof(out: &mut Out, is_good: bool, good: String, bad: String) -> io::Result<()> {
    if is_good {
        out.line(format_args!("{GOOD}✓{GOOD:#} {good}"))
    } else {
        out.line(format_args!("{BAD}✗ {bad}{BAD:#}"))
    }
}

/// How fast the waiting customers knew.
fn told(out: &mut Out, judged: &[Judged]) -> io::Result<()> {
    let mut times: Vec<Duration> = judged.iter().filter_map(|one| one.played.told_after).collect();
    times.sort();
    let at = |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1));
    let (Some(half), Some(most)) = (
        (!times.is_empty()).then(|| at(50)).flatten(),
        (!times.is_empty()).then(|| at(99)).flatten(),
    ) else {
        return Ok(());
    };
    let milliseconds = |time: &Duration| time.as_secs_f64() * 1000.0;
    let count = times.len();
    out.line(format_args!(
        "{DIM}{count} waiting customers knew {:.1} ms (median) after the provider spoke, 99 of \
         100 within {:.1} ms{DIM:#}",
        milliseconds(half),
        milliseconds(most)
    ))
}
