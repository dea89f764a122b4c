//! Writing a table.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use chrono::{DateTime, Utc};

use crate::{Format, Packing, csv, ndjson, packing::Packed, xlsx::Sheets};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub kind: ColumnKind,
}

/// What most of a column's values are. It is how a sheet lays the column out; each value still tells its own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    Text,
    Number,
    Instant,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    Empty,
    Text(&'a str),
    Number(i64),
    /// A number's text as JSON has it (RFC 8259, section 6).
    Decimal(&'a str),
    /// What is finer than a microsecond is cut off.
    Instant(DateTime<Utc>),
    /// JSON text, on one line.
    Json(&'a str),
}

/// Whether a CSV begins with its header; the other formats cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    Written,
    LeftOut,
}

/// Writes rows as they come, holding back no more than small buffers.
///
/// `finish` ends the file. What is dropped before does not look whole: gzip has no trailer, a workbook no contents.
/// A row of nothing but empty values is a blank row in a sheet, which readers skip.
pub struct Writer<W: Write> {
    columns: Cow<'static, [Column]>,
    rows: u64,
    body: Body<W>,
}

enum Body<W: Write> {
    Csv(Buffered<W>),
    Ndjson(Buffered<W>),
    Xlsx(Box<Sheets<Packed<W>>>),
}

impl<W: Write> Writer<W> {
    pub fn new(
        out: W,
        format: Format,
        packing: Packing,
        columns: impl Into<Cow<'static, [Column]>>,
        header: Header,
    ) -> io::Result<Writer<W>> {
        Writer::with_sheets(out, format, packing, columns.into(), header, Sheets::<Packed<W>>::ROWS_MAX)
    }

    fn with_sheets(
        out: W,
        format: Format,
        packing: Packing,
        columns: Cow<'static, [Column]>,
        header: Header,
        sheet_rows_max: u32,
    ) -> io::Result<Writer<W>> {
        let packed = Packed::new(out, packing);
        let body = match format {
            Format::Csv => {
                let mut lines = Buffered::new(packed);
                if header == Header::Written {
                    csv::write_header(&mut lines.buffer, &columns);
                }
                Body::Csv(lines)
            }
            Format::Ndjson => Body::Ndjson(Buffered::new(packed)),
            Format::Xlsx => {
                let names = columns.iter().map(|column| column.name.to_owned()).collect();
                let wide = |column: &Column| column.kind == ColumnKind::Instant;
                let wide = columns.iter().map(wide).collect();
                Body::Xlsx(Box::new(Sheets::new(packed, names, wide, sheet_rows_max)?))
            }
        };
        Ok(Writer { columns, rows: 0, body })
    }

    /// Writes one row: a value for each column, in their order.
    ///
    /// In XLSX a text of more than 32,767 UTF-16 units is an error of kind `InvalidData`, which names the column; the row
    /// is not written.
    pub fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        debug_assert_eq!(values.len(), self.columns.len(), "a row has a value for each column");
        match &mut self.body {
            Body::Csv(lines) => {
                csv::write_row(&mut lines.buffer, values);
                lines.pass_on()?;
            }
            Body::Ndjson(lines) => {
                ndjson::write_row(&mut lines.buffer, &self.columns, values);
                lines.pass_on()?;
            }
            Body::Xlsx(sheets) => sheets.row(values)?,
        }
        self.rows += 1;
        Ok(())
    }

    /// How many rows were written, headers not counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Sends out what is held back.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.body {
            Body::Csv(lines) | Body::Ndjson(lines) => lines.flush(),
            Body::Xlsx(sheets) => sheets.flush(),
        }
    }

    /// Ends the file and gives back what it was written to, flushed.
    pub fn finish(self) -> io::Result<W> {
        match self.body {
            Body::Csv(lines) | Body::Ndjson(lines) => lines.finish(),
            Body::Xlsx(sheets) => sheets.finish()?.finish(),
        }
    }
}

/// Lines on their way out, passed on a few at a time.
pub(crate) struct Buffered<W: Write> {
    pub(crate) buffer: Vec<u8>,
    out: Packed<W>,
}

const BUFFER_BYTES: usize = 32 << 10;

impl<W: Write> Buffered<W> {
    pub(crate) fn new(out: Packed<W>) -> Buffered<W> {
        Buffered { buffer: Vec::with_capacity(2 * BUFFER_BYTES), out }
    }

    pub(crate) fn pass_on(&mut self) -> io::Result<()> {
        if self.buffer.len() >= BUFFER_BYTES {
            self.write_out()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.out.flush()
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.write_out()?;
        self.out.finish()
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Reader, Row};

    #[test]
    fn a_full_sheet_is_followed_by_another() {
        let columns = vec![Column { name: "n", kind: ColumnKind::Number }];
        let out = std::io::Cursor::new(Vec::new());
        let mut writer =
            Writer::with_sheets(out, Format::Xlsx, Packing::Plain, columns.into(), Header::Written, 5).unwrap();
        for number in 0..11 {
            writer.row(&[Value::Number(number)]).unwrap();
        }
        let mut reader = Reader::open(Box::new(writer.finish().unwrap()), &Limits::default()).unwrap();
        let (mut row, mut read) = (Row::new(), Vec::new());
        while reader.next(&mut row).unwrap() {
            read.push((row.line(), row.cell(0).unwrap().text.to_owned()));
        }
        let expected: Vec<_> = (0..11_u64).map(|number| (2 + number % 4, number.to_string())).collect();
        assert_eq!(read, expected);
    }
}
