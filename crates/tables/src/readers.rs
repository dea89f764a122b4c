//! Reading a table, however it is written.

use std::io::BufRead;

use crate::{
    Format, Limits, Row, Shape, Source, TableError,
    csv::{self, Records},
    inputs::{self, Input, Text, fill},
    ndjson::Objects,
    xlsx::Workbook,
};

/// The rows of a table under its header.
///
/// Blank lines are skipped, and `\n`, `\r\n` and `\r` all end a line. A file with a header and nothing under it has no rows.
/// The columns `import_line` and `import_error`, and in NDJSON `import_text`, are left out: they come from files of
/// rejected rows.
pub struct Reader {
    shape: Shape,
    columns: Vec<String>,
    body: Body,
}

enum Body {
    Csv(Box<Records>),
    Ndjson(Box<Objects>),
    Xlsx(Workbook),
}

impl Reader {
    /// Tells format, packing and delimiter from the content, and reads the header.
    ///
    /// A workbook is unpacked once from end to end, to be sure of it, before any of its rows are given.
    pub fn open(source: Box<dyn Source>, limits: &Limits) -> Result<Reader, TableError> {
        let (input, packing) = inputs::open(source, limits)?;
        let mut shape = Shape { format: Format::Xlsx, packing, delimiter: csv::DELIMITER };
        let mut text = match input {
            Input::Text(text) => text,
            Input::Workbook(source) => {
                let (workbook, columns) = Workbook::open(source, limits)?;
                return Ok(Reader { shape, columns, body: Body::Xlsx(workbook) });
            }
        };
        let mut lines = Lines::default();
        if skip_blank(&mut text, &mut lines)? == b'{' {
            shape.format = Format::Ndjson;
            let objects = Objects::new(text, lines, limits);
            return Ok(Reader { shape, columns: Vec::new(), body: Body::Ndjson(Box::new(objects)) });
        }
        shape.format = Format::Csv;
        let (records, columns) = Records::open(text, lines, limits)?;
        shape.delimiter = records.delimiter();
        Ok(Reader { shape, columns, body: Body::Csv(Box::new(records)) })
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The columns, by which a row's cells are found. In NDJSON there are none at first, and each new key is added.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Reads the next row over the last one, whose buffers it takes on. False at the end.
    pub fn next(&mut self, row: &mut Row) -> Result<bool, TableError> {
        match &mut self.body {
            Body::Csv(records) => records.next(row),
            Body::Ndjson(objects) => objects.next(row, &mut self.columns),
            Body::Xlsx(workbook) => workbook.next(row),
        }
    }
}

/// Physical lines, counted alike under every line end.
#[derive(Debug)]
pub(crate) struct Lines {
    /// The line of the next byte, from 1.
    pub(crate) line: u64,
    after_return: bool,
}

impl Default for Lines {
    fn default() -> Lines {
        Lines { line: 1, after_return: false }
    }
}

impl Lines {
    /// Passes one byte that is `\n` or `\r`.
    pub(crate) fn pass_end(&mut self, byte: u8) {
        if byte == b'\r' || !self.after_return {
            self.line += 1;
        }
        self.after_return = byte == b'\r';
    }

    /// Passes bytes among which there is neither `\n` nor `\r`.
    pub(crate) fn pass_within(&mut self) {
        self.after_return = false;
    }

    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => self.pass_end(byte),
                _ => self.pass_within(),
            }
        }
    }
}

/// Passes the blank lines at the start, and tells the first byte that is not blank, which is not passed.
fn skip_blank(text: &mut Text, lines: &mut Lines) -> Result<u8, TableError> {
    loop {
        let chunk = fill(text)?;
        if chunk.is_empty() {
            return Err(TableError::new("empty", "the file is empty: a header is needed"));
        }
        let first = chunk.iter().position(|byte| !byte.is_ascii_whitespace());
        let blank = &chunk[..first.unwrap_or(chunk.len())];
        // A line that begins with blanks keeps them: a tab there is an empty first cell.
        let passed = match first {
            Some(_) => blank.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |at| at + 1),
            None => chunk.len(),
        };
        lines.pass(&chunk[..passed]);
        let found = first.map(|at| chunk[at]);
        text.consume(passed);
        if let Some(byte) = found {
            return Ok(byte);
        }
    }
}
