//! Files for imports, and what exports tell.

use std::io::Write;

use domain::Job;
use tables::{Column, ColumnKind, Format, Header, Limits, Packing, Value, Writer};
use usecases::{
    Error,
    exports::{self, Export, Form},
    history::HistoryQuery,
    imports::{self, Import},
};

use crate::{World, caller};

/// A table of texts as a file; an empty text is an empty cell.
pub fn table(format: Format, packing: Packing, names: &[&'static str], rows: &[Vec<&str>]) -> Vec<u8> {
    let columns: Vec<Column> = names.iter().map(|name| Column { name, kind: ColumnKind::Text }).collect();
    let mut writer = Writer::new(Vec::new(), format, packing, columns, Header::Written).unwrap();
    for row in rows {
        writer.row(&row.iter().map(|text| value(text)).collect::<Vec<Value>>()).unwrap();
    }
    writer.finish().unwrap()
}

fn value(text: &str) -> Value<'_> {
    if text.is_empty() { Value::Empty } else { Value::Text(text) }
}

/// Bytes, packed as gzip does.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

impl World {
    /// Takes a file in, without carrying it out.
    pub fn accept(&self, import: &Import, mut file: &[u8]) -> Result<Job, Error> {
        Ok(imports::accept(&self.app, &caller(), import, None, &Limits::default(), &mut file)?.0)
    }

    /// Imports a file and waits for its end.
    pub fn import_bytes(&self, import: &Import, file: &[u8]) -> Result<Job, Error> {
        let job = self.accept(import, file)?;
        self.finish(job)
    }

    pub fn export(&self, export: &Export, format: Format, packing: Packing) -> Vec<u8> {
        let form = Form { format, packing, header: Header::Written };
        self.look(|look| Ok(exports::write(look, export, form, Vec::new(), &mut |_| Ok(()))?.0))
    }

    pub fn export_text(&self, export: &Export, format: Format) -> String {
        String::from_utf8(self.export(export, format, Packing::Plain)).unwrap()
    }

    /// All that history tells, a row a line, in one order for any two worlds.
    pub fn history_lines(&self) -> Vec<String> {
        let told = self.export_text(&Export::History(HistoryQuery::default()), Format::Ndjson);
        let mut lines: Vec<String> = told.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }
}
