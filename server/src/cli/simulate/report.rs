//! The table at the end of a simulation, and the story of a scenario.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use crate::{
    cli::{
        json,
        out::{Cell, Out},
        words::{self, BAD, BOLD, DIM, GOOD},
    },
    simulate::{
        Judged, STORIES, Settings,
        account::Found,
        scenario::{Played, Scenario, Told},
    },
};

/// Problems that are listed.
const PROBLEMS_SHOWN: usize = 20;

#[derive(Serialize)]
struct OrderJson<'a> {
    order_id: &'a str,
    about: &'a str,
    amount: &'a str,
    sent: u64,
    again: u64,
    forged: u64,
    flipped: u64,
    dropped: u64,
    expected: &'a str,
    became: &'a str,
    problems: &'a [String],
}

#[derive(Serialize)]
struct SummaryJson<'a> {
    provider: &'a str,
    run: &'a str,
    seed: u64,
    chaos: String,
    orders: usize,
    webhooks: u64,
    problems: usize,
}

/// Shows what was sent and what became of it. Returns how many orders are not as they must be.
pub(super) fn orders(judged: &[Judged], settings: &Settings, json: bool) -> io::Result<usize> {
    let mut out = Out::new();
    let wrong = judged.iter().filter(|one| !one.problems.is_empty()).count();
    if json {
        as_json(&mut out, judged, settings, wrong)?;
        return Ok(wrong);
    }
    table(&mut out, judged)?;
    out.line("")?;
    let (count, seed, chaos) = (judged.len(), settings.seed, &settings.chaos);
    let dropped = judged.iter().filter(|one| one.tally.dropped > 0).count();
    let provider = &settings.account.provider;
    if wrong == 0 {
        out.line(format_args!(
            "{GOOD}✓{GOOD:#} {count} orders at {provider} ended as its ledger says {DIM}(seed \
             {seed}, chaos {chaos}, order ids {}-…){DIM:#}",
            settings.run
        ))?;
    } else {
        out.line(format_args!(
            "{BAD}✗ {wrong} of {count} orders at {provider} did not end as its ledger \
             says{BAD:#} {DIM}(seed {seed}, chaos {chaos}){DIM:#}"
        ))?;
    }
    if dropped > 0 {
        let found = settings.status_api.map(|_| settings.account.finds_by_reference());
        let expected = match found {
            Some(Found::All) => "had to be learned by asking the status API",
            Some(Found::Refusals) => {
                "had to stay undecided if they were paid: the status API's answer approves nothing"
            }
            Some(Found::Nothing) => {
                "had to stay undecided: nobody knows the provider's id, to ask with it"
            }
            None => "had to stay undecided: without --status-api nobody can ask",
        };
        out.line(format_args!("{DIM}{dropped} orders of which no webhook came {expected}{DIM:#}"))?;
    }
    problems(&mut out, judged)?;
    Ok(wrong)
}

fn as_json(
    out: &mut Out,
    judged: &[Judged],
    settings: &Settings,
    problems: usize,
) -> io::Result<()> {
    for one in judged {
        let tally = &one.tally;
        out.json(&OrderJson {
            order_id: &one.order_id,
            about: one.about,
            amount: &one.amount,
            sent: tally.sent(),
            again: tally.again,
            forged: tally.forged,
            flipped: tally.flipped,
            dropped: tally.dropped,
            expected: &one.expected,
            became: &one.became,
            problems: &one.problems,
        })?;
    }
    out.json(&SummaryJson {
        provider: &settings.account.provider,
        run: &settings.run,
        seed: settings.seed,
        chaos: settings.chaos.to_string(),
        orders: judged.len(),
        webhooks: judged.iter().map(|one| one.tally.sent()).sum(),
        problems,
    })
}

fn table(out: &mut Out, judged: &[Judged]) -> io::Result<()> {
    let mut rows = Vec::new();
    for story in STORIES {
        let of_story: Vec<&Judged> = judged.iter().filter(|one| one.about == story.about).collect();
        if !of_story.is_empty() {
            let is_good = of_story.iter().all(|one| one.problems.is_empty());
            let mut row = counts(story.about, &of_story);
            row.push(Cell::text(counted(of_story.iter().map(|one| one.expected.as_str()))));
            let became = counted(of_story.iter().map(|one| one.became.as_str()));
            row.push(Cell::styled(became, if is_good { GOOD } else { BAD }));
            rows.push(row);
        }
    }
    let mut row = counts("in all", &judged.iter().collect::<Vec<_>>());
    row.extend([Cell::text(""), Cell::text("")]);
    rows.push(row);
    let heading = [
        "WHAT HAPPENED",
        "ORDERS",
        "SENT",
        "AGAIN",
        "FORGED",
        "FLIPPED",
        "DROPPED",
        "EXPECTED",
        "BECAME",
    ];
    out.table(&heading, &rows)
}

fn counts(about: &str, judged: &[&Judged]) -> Vec<Cell> {
    let sum = |of: fn(&Judged) -> u64| judged.iter().map(|one| of(one)).sum::<u64>();
    vec![
        Cell::text(about),
        Cell::number(judged.len() as u64),
        Cell::number(sum(|one| one.tally.sent())),
        Cell::number(sum(|one| one.tally.again)),
        Cell::number(sum(|one| one.tally.forged)),
        Cell::number(sum(|one| one.tally.flipped)),
        Cell::number(sum(|one| one.tally.dropped)),
    ]
}

/// Each text once, with how often it is there if there are several.
fn counted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    texts.for_each(|text| *counts.entry(text).or_default() += 1);
    match counts.len() {
        1 => counts.into_keys().collect(),
        _ => {
            let all = counts.into_iter().map(|(text, count)| format!("{count} {text}"));
            all.collect::<Vec<_>>().join("; ")
        }
    }
}

fn problems(out: &mut Out, judged: &[Judged]) -> io::Result<()> {
    let all: Vec<String> = judged
        .iter()
        .flat_map(|one| one.problems.iter().map(|problem| format!("{}: {problem}", one.order_id)))
        .collect();
    for problem in all.iter().take(PROBLEMS_SHOWN) {
        out.line(format_args!("  {BAD}{problem}{BAD:#}"))?;
    }
    if all.len() > PROBLEMS_SHOWN {
        out.line(format_args!("  {BAD}and {} more{BAD:#}", all.len() - PROBLEMS_SHOWN))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct ScenarioJson<'a> {
    scenario: &'static str,
    told: Vec<ToldJson<'a>>,
    orders: Vec<json::OrderJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum ToldJson<'a> {
    Done(&'a str),
    Awaited { order_id: &'a str, outcome: String },
    Changed(Box<json::ChangeJson<'a>>),
}

/// Tells a scenario as it happened.
pub(super) fn scenario(scenario: Scenario, played: &Played, as_json: bool) -> io::Result<()> {
    let mut out = Out::new();
    if as_json {
        let told = played.told.iter().map(|told| match told {
            Told::Done(what) => ToldJson::Done(what),
            Told::Awaited(order_id, outcome) => {
                ToldJson::Awaited { order_id, outcome: outcome.to_string() }
            }
            Told::Changed(change) => ToldJson::Changed(Box::new(json::change(change))),
        });
        return out.json(&ScenarioJson {
            scenario: scenario.name(),
            told: told.collect(),
            orders: played.orders.iter().map(json::order).collect(),
        });
    }
    out.line(format_args!("{BOLD}{}{BOLD:#}", scenario.name()))?;
    for told in &played.told {
        match told {
            Told::Done(what) => out.line(what)?,
            Told::Awaited(_, outcome) => out.line(format_args!(
                "    {DIM}waiting checkout:{DIM:#} {}",
                words::outcome(*outcome)
            ))?,
            Told::Changed(change) => {
                out.line(format_args!("    {DIM}watcher:{DIM:#} {}", words::change(change)))?
            }
        }
    }
    for order in &played.orders {
        let totals = words::totals(&order.totals).unwrap_or_default();
        out.line(format_args!(
            "{GOOD}✓{GOOD:#} {} ended {}, {}, {totals}",
            order.order_id,
            words::status(order.status),
            words::outcome(order.outcome)
        ))?;
    }
    Ok(())
}
