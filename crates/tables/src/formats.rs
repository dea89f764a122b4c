//! The formats a table can have, and how much of it is read.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// RFC 4180, with `;`, a tab or `,` between cells.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Office Open XML, ECMA-376.
    Xlsx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    Plain,
    Gzip,
}

/// How an input was written, so that rejected rows can be written the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub format: Format,
    pub packing: Packing,
    /// What stands between cells. Of meaning in CSV only; `;` elsewhere.
    pub delimiter: u8,
}

/// How much is taken from an input before it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    pub row_bytes_max: usize,
    pub unpacked_bytes_max: u64,
    pub columns_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { row_bytes_max: 1 << 20, unpacked_bytes_max: 10 << 30, columns_max: 1_000 }
    }
}

impl Format {
    pub fn parse(text: &str) -> Option<Format> {
        [Format::Csv, Format::Ndjson, Format::Xlsx].into_iter().find(|format| format.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
            Format::Xlsx => "xlsx",
        }
    }
}

/// The media type of the bytes as they are, so gzip is a type of its own.
pub fn content_type(format: Format, packing: Packing) -> &'static str {
    match (packing, format) {
        (Packing::Gzip, _) => "application/gzip",
        (Packing::Plain, Format::Csv) => "text/csv; charset=utf-8",
        (Packing::Plain, Format::Ndjson) => "application/x-ndjson",
        (Packing::Plain, Format::Xlsx) => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
}

/// The end of a file's name, without the dot before it.
pub fn extension(format: Format, packing: Packing) -> &'static str {
    match (packing, format) {
        (Packing::Plain, _) => format.as_str(),
        (Packing::Gzip, Format::Csv) => "csv.gz",
        (Packing::Gzip, Format::Ndjson) => "ndjson.gz",
        (Packing::Gzip, Format::Xlsx) => "xlsx.gz",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_named_as_its_files_end() {
        for format in [Format::Csv, Format::Ndjson, Format::Xlsx] {
            assert_eq!(Format::parse(format.as_str()), Some(format));
            assert_eq!(extension(format, Packing::Gzip), format!("{}.gz", extension(format, Packing::Plain)));
        }
        assert_eq!(Format::parse("xls"), None);
    }
}
