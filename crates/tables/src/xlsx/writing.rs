//! Workbooks, written as their rows come.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::escapes;
use crate::{instants, writers::Value};

/// Sheets of one table, written front to back: a full one is followed by another under the same header.
///
/// Strings stand in their cells, and the parts that name the sheets come last, so that nothing is held back. A sheet also
/// ends long before 4 GiB: a part as large would need Zip64 from its start, which Excel does not take from a stream.
pub(crate) struct Sheets<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    names: Vec<String>,
    wide: Vec<bool>,
    letters: Vec<String>,
    rows_max: u32,
    sheets: u32,
    /// Rows in this sheet, its header included.
    rows: u32,
    sheet_bytes: u64,
    buffer: Vec<u8>,
}

const BUFFER_BYTES: usize = 16 << 10;
const SHEET_BYTES_MAX: u64 = 3 << 30;
/// The most a cell may hold, in UTF-16 units.
const CELL_UNITS_MAX: usize = 32_767;
/// Whole numbers are kept exactly up to here, by what holds every number as a double.
const WHOLE_MAX: u64 = 1 << 53;
/// Any decimal of so many digits is the same after it was a double.
const DIGITS_MAX: usize = 15;

impl<W: Write> Sheets<W> {
    /// The most rows a sheet can have.
    pub(crate) const ROWS_MAX: u32 = 1_048_576;

    /// `wide` are the columns that hold instants, which a narrow column would show as `####`.
    pub(crate) fn new(out: W, names: Vec<String>, wide: Vec<bool>, rows_max: u32) -> io::Result<Sheets<W>> {
        let mut sheets = Sheets {
            zip: ZipWriter::new_stream(out),
            names,
            wide,
            letters: Vec::new(),
            rows_max,
            sheets: 0,
            rows: 0,
            sheet_bytes: 0,
            buffer: Vec::with_capacity(2 * BUFFER_BYTES),
        };
        sheets.begin_sheet()?;
        Ok(sheets)
    }

    pub(crate) fn row(&mut self, values: &[Value<'_>]) -> io::Result<()> {
        for (name, value) in self.names.iter().zip(values) {
            if let Value::Text(text) | Value::Json(text) | Value::Decimal(text) = value {
                check_length(name, text)?;
            }
        }
        self.begin_row()?;
        for (column, value) in values.iter().enumerate() {
            match value {
                Value::Empty => {}
                Value::Text(text) | Value::Json(text) => self.text(column, text),
                Value::Number(number) => self.integer(column, *number),
                Value::Decimal(text) => self.decimal(column, text),
                Value::Instant(at) => self.instant(column, *at),
            }
        }
        self.end_row()
    }

    pub(crate) fn begin_row(&mut self) -> io::Result<()> {
        if self.rows == self.rows_max || self.sheet_bytes > SHEET_BYTES_MAX {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.rows += 1;
        self.put(&format!("<row r=\"{}\">", self.rows));
        Ok(())
    }

    pub(crate) fn end_row(&mut self) -> io::Result<()> {
        self.put("</row>");
        if self.buffer.len() >= BUFFER_BYTES { self.pass_on() } else { Ok(()) }
    }

    pub(crate) fn text(&mut self, column: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        self.begin_cell(column, " t=\"inlineStr\"><is><t xml:space=\"preserve\">");
        escapes::write(&mut self.buffer, text);
        self.put("</t></is></c>");
    }

    pub(crate) fn integer(&mut self, column: usize, number: i64) {
        match number.unsigned_abs() <= WHOLE_MAX {
            true => self.number(column, &number.to_string()),
            false => self.text(column, &number.to_string()),
        }
    }

    /// A number's text as JSON has it; as text where a double would not keep it.
    pub(crate) fn decimal(&mut self, column: usize, text: &str) {
        let digits = text.split(['e', 'E']).next().unwrap_or_default().trim_start_matches(['-', '0', '.']);
        let digits = digits.bytes().filter(u8::is_ascii_digit).count();
        let is_kept = text.parse::<f64>().is_ok_and(|number| {
            digits == 0 || digits <= DIGITS_MAX && number.is_normal() || number.to_string() == text
        });
        match is_kept {
            true => self.number(column, text),
            false => self.text(column, text),
        }
    }

    pub(crate) fn flag(&mut self, column: usize, text: &str) {
        self.begin_cell(column, " t=\"b\"><v>");
        self.put(if text == "true" { "1</v></c>" } else { "0</v></c>" });
    }

    /// A date, or RFC 3339 text where no date is this microsecond.
    pub(crate) fn instant(&mut self, column: usize, at: DateTime<Utc>) {
        match instants::to_serial(at) {
            Some(serial) => {
                self.begin_cell(column, " s=\"1\"><v>");
                self.put(&serial.to_string());
                self.put("</v></c>");
            }
            None => self.text(column, &instants::text(at)),
        }
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.zip.flush()
    }

    /// Ends the workbook, and gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.end_sheet()?;
        let sheets = 1..=self.sheets;
        let entries: String = sheets
            .clone()
            .map(|sheet| format!("<sheet name=\"Sheet{sheet}\" sheetId=\"{sheet}\" r:id=\"rId{sheet}\"/>"))
            .collect();
        let relations: String = sheets
            .clone()
            .map(|sheet| {
                let target = format!("worksheets/sheet{sheet}.xml");
                format!("<Relationship Id=\"rId{sheet}\" Type=\"{OFFICE}/worksheet\" Target=\"{target}\"/>")
            })
            .collect();
        let types: String = sheets
            .map(|sheet| {
                let part = format!("/xl/worksheets/sheet{sheet}.xml");
                format!("<Override PartName=\"{part}\" ContentType=\"{SPREADSHEET}.worksheet+xml\"/>")
            })
            .collect();
        self.part(
            "xl/workbook.xml",
            &format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{entries}</sheets></workbook>"),
        )?;
        self.part(
            "xl/_rels/workbook.xml.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\">{relations}\
                 <Relationship Id=\"rIdStyles\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
            ),
        )?;
        self.part("xl/styles.xml", &styles())?;
        self.part(
            "_rels/.rels",
            &format!(
                "<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        )?;
        self.part(
            "[Content_Types].xml",
            &format!(
                "<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
                 <Override PartName=\"/xl/workbook.xml\" ContentType=\"{SPREADSHEET}.sheet.main+xml\"/>\
                 <Override PartName=\"/xl/styles.xml\" ContentType=\"{SPREADSHEET}.styles+xml\"/>{types}</Types>"
            ),
        )?;
        Ok(self.zip.finish()?.into_inner())
    }

    fn begin_sheet(&mut self) -> io::Result<()> {
        self.sheets += 1;
        (self.rows, self.sheet_bytes) = (0, 0);
        self.zip.start_file(format!("xl/worksheets/sheet{}.xml", self.sheets), options())?;
        self.put(DECLARATION);
        self.put(&format!("<worksheet xmlns=\"{MAIN}\">"));
        if self.wide.contains(&true) {
            self.put("<cols>");
            for column in 1..=self.wide.len() {
                if self.wide[column - 1] {
                    self.put(&format!("<col min=\"{column}\" max=\"{column}\" width=\"24\" customWidth=\"1\"/>"));
                }
            }
            self.put("</cols>");
        }
        self.put("<sheetData>");
        self.rows += 1;
        self.put("<row r=\"1\">");
        for column in 0..self.names.len() {
            let name = std::mem::take(&mut self.names[column]);
            self.text(column, &name);
            self.names[column] = name;
        }
        self.end_row()
    }

    fn end_sheet(&mut self) -> io::Result<()> {
        self.put("</sheetData></worksheet>");
        self.pass_on()
    }

    fn part(&mut self, name: &str, xml: &str) -> io::Result<()> {
        self.zip.start_file(name, options())?;
        self.put(DECLARATION);
        self.put(xml);
        self.pass_on()
    }

    fn number(&mut self, column: usize, text: &str) {
        self.begin_cell(column, "><v>");
        self.put(text);
        self.put("</v></c>");
    }

    /// A cell names its place, because empty ones are left out.
    fn begin_cell(&mut self, column: usize, rest: &str) {
        while self.letters.len() <= column {
            self.letters.push(letters(self.letters.len()));
        }
        self.buffer.extend_from_slice(b"<c r=\"");
        self.buffer.extend_from_slice(self.letters[column].as_bytes());
        self.buffer.extend_from_slice(self.rows.to_string().as_bytes());
        self.buffer.push(b'"');
        self.put(rest);
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.zip.write_all(&self.buffer)?;
        self.sheet_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const SPREADSHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1))
}

/// Style 1 is a date to the millisecond, the finest that Excel shows.
fn styles() -> String {
    format!(
        "<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"1\">\
         <numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd hh:mm:ss.000\"/></numFmts>\
         <fonts count=\"1\"><font><sz val=\"11\"/><name val=\"Calibri\"/></font></fonts>\
         <fills count=\"2\"><fill><patternFill patternType=\"none\"/></fill>\
         <fill><patternFill patternType=\"gray125\"/></fill></fills>\
         <borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
         <cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>\
         <cellXfs count=\"2\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>\
         <xf numFmtId=\"164\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\"/></cellXfs>\
         <cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>"
    )
}

/// A, B, … Z, AA, …
fn letters(column: usize) -> String {
    let (mut rest, mut letters) = (column + 1, Vec::new());
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

fn check_length(name: &str, text: &str) -> io::Result<()> {
    // No text has more UTF-16 units than bytes.
    if text.len() <= CELL_UNITS_MAX || text.encode_utf16().count() <= CELL_UNITS_MAX {
        return Ok(());
    }
    let detail =
        format!("column `{name}` has a text of more than {CELL_UNITS_MAX} characters, which a sheet cannot hold");
    Err(io::Error::new(io::ErrorKind::InvalidData, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lettered_as_in_a_sheet() {
        for (column, expected) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16_383, "XFD")] {
            assert_eq!(letters(column), expected);
        }
    }
}
