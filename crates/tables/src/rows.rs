//! One row of a table, whose buffers live on from row to row.

use std::ops::Range;

use crate::RowFault;

/// The cells of a row, one text and where each cell lies in it.
///
/// A faulty row still holds its cells, as far as they could be told apart, with U+FFFD where bytes were no UTF-8.
#[derive(Debug, Clone, Default)]
pub struct Row {
    line: u64,
    text: String,
    cells: Vec<Span>,
    fault: Option<RowFault>,
    unparsed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    pub text: &'a str,
    pub kind: Kind,
}

/// What the file says of a cell's type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// CSV: untyped text.
    #[default]
    Plain,
    Text,
    /// A decimal number: as JSON writes one, and out of XLSX without an exponent.
    Number,
    /// `true` or `false`.
    Flag,
    /// A date out of XLSX: RFC 3339, UTC, six decimals.
    Instant,
    /// An array's or an object's JSON text.
    Json,
}

#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

impl Row {
    pub fn new() -> Row {
        Row::default()
    }

    /// The physical line the row begins at, from 1; in XLSX the sheet's row.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cell under a column, by its place in `Reader::columns`, or nothing where the cell is empty or absent.
    pub fn cell(&self, column: usize) -> Option<Cell<'_>> {
        let span = self.cells.get(column).filter(|span| span.start < span.end)?;
        Some(Cell { text: &self.text[span.start..span.end], kind: span.kind })
    }

    pub fn fault(&self) -> Option<&RowFault> {
        self.fault.as_ref()
    }

    /// How many cells the row has, empty ones included. A faulty row may have more than there are columns.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The NDJSON line itself, where the cells do not say all of it.
    pub(crate) fn unparsed(&self) -> Option<&str> {
        (!self.unparsed.is_empty()).then_some(&*self.unparsed)
    }

    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn begin(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.cells.clear();
        self.fault = None;
        self.unparsed.clear();
    }

    /// The first fault found is the one that is told.
    pub(crate) fn accuse(&mut self, fault: RowFault) {
        self.fault.get_or_insert(fault);
    }

    pub(crate) fn keep_unparsed(&mut self, line: &str) {
        self.unparsed.clear();
        self.unparsed.push_str(line);
    }

    /// The text's buffer, to be given back by `give_text` with the cells that lie in it.
    pub(crate) fn take_text(&mut self) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.text).into_bytes();
        buffer.clear();
        buffer
    }

    pub(crate) fn give_text(&mut self, text: String) {
        self.text = text;
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The next cell lies here in the text.
    pub(crate) fn push_span(&mut self, range: Range<usize>, kind: Kind) {
        self.cells.push(Span { start: range.start, end: range.end, kind });
    }

    /// Writes a cell where its column is; those passed over are empty.
    pub(crate) fn put(&mut self, column: usize, kind: Kind, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        if self.cells.len() <= column {
            self.cells.resize(column + 1, Span::default());
        }
        self.cells[column] = Span { start, end: self.text.len(), kind };
    }

    pub(crate) fn clear_cells(&mut self) {
        self.text.clear();
        self.cells.clear();
    }
}
