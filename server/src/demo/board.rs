//! What is shown while the demo runs: a few lines drawn again and again on a terminal, one line a
//! second elsewhere.

use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{story::STORIES, witness::Witness};
use crate::cli::{
    out::Out,
    words::{self, BOLD, DIM},
};

/// How often a terminal is drawn.
const DRAW_INTERVAL: Duration = Duration::from_millis(100);
/// How often a line is written elsewhere.
const LINE_INTERVAL: Duration = Duration::from_secs(1);

/// Lines do not wrap while they are drawn, so that each is one line of the terminal.
const WRAP_OFF: &str = "\x1b[?7l";
const WRAP_ON: &str = "\x1b[?7h";
const CLEAR_LINE: &str = "\x1b[2K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Counts what happens.
pub(super) struct Board {
    tallies: Mutex<Vec<Tally>>,
    started: Instant,
    duration: Duration,
}

/// What happened in one story.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) orders: u64,
    /// All that were sent, repeats and forged ones included.
    pub(super) webhooks: u64,
    pub(super) repeats: u64,
    pub(super) forged: u64,
}

impl Board {
    /// A board for so long a demo.
    pub(super) fn new(duration: Duration) -> Self {
        let tallies = Mutex::new(vec![Tally::default(); STORIES.len()]);
        Self { tallies, started: Instant::now(), duration }
    }

    /// Counts something of a story.
    pub(super) fn count(&self, story: usize, add: impl FnOnce(&mut Tally)) {
        add(&mut self.lock()[story]);
    }

    /// What happened in each story.
    pub(super) fn tallies(&self) -> Vec<Tally> {
        self.lock().clone()
    }

    /// What happened in all.
    pub(super) fn total(&self) -> Tally {
        self.lock().iter().fold(Tally::default(), |sum, tally| Tally {
            orders: sum.orders + tally.orders,
            webhooks: sum.webhooks + tally.webhooks,
            repeats: sum.repeats + tally.repeats,
            forged: sum.forged + tally.forged,
        })
    }

    /// Shows what happens until it is dropped.
    pub(super) async fn show(&self, witness: &Witness) -> io::Result<()> {
        let is_terminal = io::stdout().is_terminal();
        let mut drawing = Drawing::default();
        let interval = if is_terminal { DRAW_INTERVAL } else { LINE_INTERVAL };
        let mut ticks = tokio::time::interval(interval);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let mut lines = vec![self.summary(witness)];
            if is_terminal {
                lines.push(statuses(witness));
                lines.push(String::new());
                lines.extend(witness.newest());
                drawing.draw(&lines)?;
            } else {
                Out::new().line(&lines[0])?;
            }
        }
    }

    fn summary(&self, witness: &Witness) -> String {
        let Tally { orders, webhooks, repeats, forged } = self.total();
        let (elapsed, duration) = (self.started.elapsed(), self.duration);
        let phase = if elapsed < duration {
            format!("{:.0} s of {:.0} s", elapsed.as_secs_f64(), duration.as_secs_f64())
        } else {
            "waiting for the last orders".to_owned()
        };
        let changes = witness.change_count();
        format!(
            "{BOLD}{phase}{BOLD:#}  {orders} orders  {webhooks} webhooks {DIM}({repeats} repeats, \
             {forged} forged){DIM:#}  {changes} changes seen"
        )
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Tally>> {
        self.tallies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn statuses(witness: &Witness) -> String {
    let shown = witness.statuses().into_iter().filter(|(_, count)| *count > 0);
    let shown = shown.map(|(status, count)| {
        let style = words::style(status);
        format!("{style}{status}{style:#} {count}")
    });
    shown.collect::<Vec<_>>().join("  ")
}

/// Lines that are drawn over the ones before.
#[derive(Default)]
struct Drawing {
    line_count: usize,
}

impl Drawing {
    fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let mut text = String::from(WRAP_OFF);
        if self.line_count > 0 {
            text += &format!("\x1b[{}A", self.line_count);
        }
        for line in lines {
            text += &format!("\r{CLEAR_LINE}{line}\n");
        }
        text += CLEAR_BELOW;
        text += WRAP_ON;
        self.line_count = lines.len();
        Out::new().text(&text)
    }
}
