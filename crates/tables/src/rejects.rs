//! Rejected rows, written so that they can be mended and sent again.

use std::io::{self, Write};

use chrono::DateTime;

use crate::{
    Format, Kind, Packing, Row, Shape, csv,
    headers::{IMPORT_ERROR, IMPORT_LINE, IMPORT_TEXT},
    ndjson,
    packing::Packed,
    writers::Buffered,
    xlsx::Sheets,
};

/// A file of rejected rows in the input's own format, never packed.
///
/// `import_line` and `import_error` are its first columns, which are left out when it is read again. The header is that
/// of the first reject; a file without rejects is empty. An NDJSON line whose cells do not say all of it is kept as it
/// stood, under `import_text`.
pub struct Rejects<W: Write> {
    delimiter: u8,
    rows: u64,
    body: Body<W>,
}

enum Body<W: Write> {
    Csv(Buffered<W>),
    Ndjson(Buffered<W>),
    /// The outlet, until the first reject tells the columns.
    Unheaded(Packed<W>),
    Xlsx(Box<Sheets<Packed<W>>>),
    /// Only while the first sheet is begun.
    Between,
}

impl<W: Write> Rejects<W> {
    pub fn new(out: W, shape: &Shape) -> Rejects<W> {
        let packed = Packed::new(out, Packing::Plain);
        let body = match shape.format {
            Format::Csv => Body::Csv(Buffered::new(packed)),
            Format::Ndjson => Body::Ndjson(Buffered::new(packed)),
            Format::Xlsx => Body::Unheaded(packed),
        };
        Rejects { delimiter: shape.delimiter, rows: 0, body }
    }

    /// Writes a row with the line it stood at and why it was rejected. `columns` are those of its reader.
    pub fn reject(&mut self, columns: &[String], row: &Row, reason: &str) -> io::Result<()> {
        if let Body::Unheaded(_) = self.body {
            self.begin_sheet(columns)?;
        }
        match &mut self.body {
            Body::Csv(lines) => {
                if self.rows == 0 {
                    write_header(&mut lines.buffer, columns, self.delimiter);
                }
                write_csv(&mut lines.buffer, row, reason, self.delimiter);
                lines.pass_on()?;
            }
            Body::Ndjson(lines) => {
                write_ndjson(&mut lines.buffer, columns, row, reason);
                lines.pass_on()?;
            }
            Body::Xlsx(sheets) => write_cells(sheets, row, reason)?,
            Body::Unheaded(_) | Body::Between => {
                return Err(io::Error::other("the file of rejects could not be begun"));
            }
        }
        self.rows += 1;
        Ok(())
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file and gives back what it was written to, flushed.
    pub fn finish(self) -> io::Result<W> {
        match self.body {
            Body::Csv(lines) | Body::Ndjson(lines) => lines.finish(),
            Body::Unheaded(out) => out.finish(),
            Body::Xlsx(sheets) => sheets.finish()?.finish(),
            Body::Between => Err(io::Error::other("the file of rejects could not be begun")),
        }
    }

    fn begin_sheet(&mut self, columns: &[String]) -> io::Result<()> {
        if let Body::Unheaded(out) = std::mem::replace(&mut self.body, Body::Between) {
            let ours = [IMPORT_LINE, IMPORT_ERROR].map(str::to_owned);
            let names: Vec<String> = ours.into_iter().chain(columns.iter().cloned()).collect();
            let sheets = Sheets::new(out, names, Vec::new(), Sheets::<Packed<W>>::ROWS_MAX)?;
            self.body = Body::Xlsx(Box::new(sheets));
        }
        Ok(())
    }
}

fn write_header(out: &mut Vec<u8>, columns: &[String], delimiter: u8) {
    csv::write_cell(out, IMPORT_LINE);
    for name in std::iter::once(IMPORT_ERROR).chain(columns.iter().map(String::as_str)) {
        out.push(delimiter);
        csv::write_guarded(out, name);
    }
    out.push(b'\n');
}

fn write_csv(out: &mut Vec<u8>, row: &Row, reason: &str, delimiter: u8) {
    csv::write_cell(out, &row.line().to_string());
    out.push(delimiter);
    csv::write_guarded(out, reason);
    // A faulty row keeps its own number of cells.
    for column in 0..row.len() {
        out.push(delimiter);
        if let Some(cell) = row.cell(column) {
            csv::write_guarded(out, cell.text);
        }
    }
    out.push(b'\n');
}

fn write_ndjson(out: &mut Vec<u8>, columns: &[String], row: &Row, reason: &str) {
    out.extend_from_slice(format!("{{\"{IMPORT_LINE}\":{},\"{IMPORT_ERROR}\":", row.line()).as_bytes());
    ndjson::write_string(out, reason);
    if let Some(text) = row.unparsed() {
        out.extend_from_slice(format!(",\"{IMPORT_TEXT}\":").as_bytes());
        ndjson::write_string(out, text);
        out.extend_from_slice(b"}\n");
        return;
    }
    for (column, name) in columns.iter().enumerate() {
        let Some(cell) = row.cell(column) else { continue };
        out.push(b',');
        ndjson::write_string(out, name);
        out.push(b':');
        match cell.kind {
            Kind::Number | Kind::Flag | Kind::Json => out.extend_from_slice(cell.text.as_bytes()),
            Kind::Plain | Kind::Text | Kind::Instant => ndjson::write_string(out, cell.text),
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Cells longer than a sheet should hold came out of a sheet, and go back in.
fn write_cells<W: Write>(sheets: &mut Sheets<W>, row: &Row, reason: &str) -> io::Result<()> {
    sheets.begin_row()?;
    sheets.integer(0, i64::try_from(row.line()).unwrap_or(i64::MAX));
    sheets.text(1, reason);
    for (column, place) in (0..row.len()).zip(2..) {
        let Some(cell) = row.cell(column) else { continue };
        match cell.kind {
            Kind::Number => sheets.decimal(place, cell.text),
            Kind::Flag => sheets.flag(place, cell.text),
            Kind::Instant => match DateTime::parse_from_rfc3339(cell.text) {
                Ok(at) => sheets.instant(place, at.to_utc()),
                Err(_) => sheets.text(place, cell.text),
            },
            Kind::Plain | Kind::Text | Kind::Json => sheets.text(place, cell.text),
        }
    }
    sheets.end_row()
}
