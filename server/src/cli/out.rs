//! Writing to the terminal. Nothing here panics when the reader is gone, and colours come out
//! only where a terminal shows them and `NO_COLOR` does not forbid them.

use std::{
    fmt,
    io::{self, Write as _},
};

use serde::Serialize;

/// Standard output.
pub(crate) struct Out(anstream::AutoStream<io::StdoutLock<'static>>);

impl Out {
    /// Takes standard output.
    pub(crate) fn new() -> Self {
        Self(anstream::stdout().lock())
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes())?;
        self.0.flush()
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> io::Result<()> {
        writeln!(self.0, "{line}")
    }

    /// Writes one JSON object as one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        writeln!(self.0, "{text}")
    }

    /// Writes a list: one JSON object an item, or one row an item below a heading.
    pub(crate) fn list<'a, T, J: Serialize>(
        &mut self,
        items: &'a [T],
        json: Option<impl Fn(&'a T) -> J>,
        heading: &[&str],
        row: impl Fn(&'a T) -> Vec<Cell>,
    ) -> io::Result<()> {
        if let Some(json) = json {
            return items.iter().try_for_each(|item| self.json(&json(item)));
        }
        let rows: Vec<Vec<Cell>> = items.iter().map(row).collect();
        self.table(heading, &rows)
    }

    /// Writes rows below a heading, in columns.
    pub(crate) fn table(&mut self, heading: &[&str], rows: &[Vec<Cell>]) -> io::Result<()> {
        let width_of = |column: usize| {
            let cells = rows.iter().map(|row| row[column].text.chars().count());
            cells.chain([heading[column].chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..heading.len()).map(width_of).collect();
        let is_number = |column: usize| rows.iter().any(|row| row[column].is_number);
        let heading = heading.iter().enumerate();
        let heading: Vec<Cell> = heading
            .map(|(column, text)| Cell { is_number: is_number(column), ..Cell::dim(*text) })
            .collect();
        for row in std::iter::once(&heading).chain(rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| cell.padded(*width));
            let line = cells.collect::<Vec<_>>().join("  ");
            self.line(line.trim_end())?;
        }
        Ok(())
    }
}

/// One cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: anstyle::Style,
    is_number: bool,
}

impl Cell {
    /// Plain text.
    pub(crate) fn text(text: impl ToString) -> Self {
        Self::styled(text, anstyle::Style::new())
    }

    /// Text in a style.
    pub(crate) fn styled(text: impl ToString, style: anstyle::Style) -> Self {
        Self { text: text.to_string(), style, is_number: false }
    }

    /// Text that does not ask for attention.
    pub(crate) fn dim(text: impl ToString) -> Self {
        Self::styled(text, anstyle::Style::new().dimmed())
    }

    /// A number, set to the right; nothing for zero.
    pub(crate) fn number(number: u64) -> Self {
        let text = if number == 0 { String::new() } else { number.to_string() };
        Self { is_number: true, ..Self::text(text) }
    }

    fn padded(&self, width: usize) -> String {
        let Self { text, style, is_number } = self;
        // Styles take no room, so the padding goes around them.
        let padding = " ".repeat(width.saturating_sub(text.chars().count()));
        match (text.is_empty(), is_number) {
            (true, _) => padding,
            (false, true) => format!("{padding}{style}{text}{style:#}"),
            (false, false) => format!("{style}{text}{style:#}{padding}"),
        }
    }
}

/// Says something on standard error. If nobody listens, nothing is lost.
pub(crate) fn talk(line: &dyn fmt::Display) {
    drop(writeln!(anstream::stderr(), "{line}"));
}
