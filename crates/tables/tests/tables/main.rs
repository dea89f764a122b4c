//! Tables as another crate sees them: bytes in, rows out.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands, and so may what only tests use")]

mod bad_inputs;
mod csv_inputs;
mod ndjson_inputs;
mod rejects;
mod round_trips;
mod workbooks;

use std::io::{Cursor, Write};

use flate2::{Compression, write::GzEncoder};
use tables::{Kind, Limits, Reader, Row, Source, TableError};
use zip::{ZipWriter, write::SimpleFileOptions};

/// All of a table, with its faults by row.
#[derive(Debug)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Option<(Kind, String)>>>,
    lines: Vec<u64>,
    faults: Vec<(u64, &'static str, String)>,
}

impl Table {
    /// The cells' texts, empty where there is none.
    fn texts(&self) -> Vec<Vec<&str>> {
        let text =
            |cell: &Option<(Kind, String)>| cell.as_ref().map_or("", |(_, text)| text.as_str()).to_owned().leak();
        self.rows.iter().map(|row| row.iter().map(|cell| &*text(cell)).collect()).collect()
    }
}

fn read(bytes: impl Into<Vec<u8>>) -> Result<Table, TableError> {
    read_within(bytes, &Limits::default())
}

fn read_within(bytes: impl Into<Vec<u8>>, limits: &Limits) -> Result<Table, TableError> {
    read_from(Box::new(Cursor::new(bytes.into())), limits)
}

fn read_from(source: Box<dyn Source>, limits: &Limits) -> Result<Table, TableError> {
    let mut reader = Reader::open(source, limits)?;
    let mut table = Table { columns: Vec::new(), rows: Vec::new(), lines: Vec::new(), faults: Vec::new() };
    let mut row = Row::new();
    while reader.next(&mut row)? {
        let cell = |column| row.cell(column).map(|cell| (cell.kind, cell.text.to_owned()));
        table.rows.push((0..reader.columns().len()).map(cell).collect());
        table.lines.push(row.line());
        table.faults.extend(row.fault().map(|fault| (row.line(), fault.code, fault.detail.clone())));
    }
    assert!(!reader.next(&mut row).unwrap(), "the end stays the end");
    table.columns = reader.columns().to_vec();
    Ok(table)
}

/// The code and the line of what keeps the bytes from being read.
fn refused(bytes: impl Into<Vec<u8>>) -> (&'static str, Option<u64>) {
    let error = read(bytes).unwrap_err();
    (error.code, error.line)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zipped(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A workbook of these sheets' rows, in XML, and its shared strings.
fn workbook(sheets: &[&str], shared: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut entries, mut relations, mut parts) = (String::new(), String::new(), Vec::new());
    for (index, rows) in sheets.iter().enumerate() {
        entries += &format!("<sheet name=\"S{index}\" sheetId=\"{}\" r:id=\"r{index}\"/>", index + 1);
        relations += &format!("<Relationship Id=\"r{index}\" Type=\"{office}/worksheet\" Target=\"s{index}.xml\"/>");
        parts.push((format!("xl/s{index}.xml"), format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")));
    }
    parts.extend([
        ("xl/workbook.xml".to_owned(), format!("<workbook><sheets>{entries}</sheets></workbook>")),
        ("xl/_rels/workbook.xml.rels".to_owned(), format!("<Relationships>{relations}</Relationships>")),
        (
            "_rels/.rels".to_owned(),
            format!(
                "<Relationships><Relationship Id=\"a\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/>\
                 </Relationships>"
            ),
        ),
    ]);
    if !shared.is_empty() {
        parts.push(("xl/sharedStrings.xml".to_owned(), shared.to_owned()));
    }
    zipped(&parts.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect::<Vec<_>>())
}

#[test]
fn readers_and_writers_may_move_to_another_thread() {
    fn assert_send<T: Send>() {}
    assert_send::<tables::Reader>();
    assert_send::<tables::Row>();
    assert_send::<tables::Writer<Vec<u8>>>();
    assert_send::<tables::Rejects<Vec<u8>>>();
}
