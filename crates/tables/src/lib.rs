//! Rows in and out of CSV, NDJSON and XLSX, packed with gzip or not.
//!
//! Bytes in, rows out, in constant memory: a file is never held whole, whatever its size. How an input is written is told
//! from its content alone. Nothing here knows of segments or users, of HTTP, or of time zones other than UTC.

mod csv;
mod errors;
mod formats;
mod headers;
mod inputs;
mod instants;
mod ndjson;
mod packing;
mod readers;
mod rejects;
mod rows;
mod writers;
mod xlsx;

pub use errors::{RowFault, TableError};
pub use formats::{Format, Limits, Packing, Shape, content_type, extension};
pub use headers::{IMPORT_ERROR, IMPORT_LINE, IMPORT_TEXT};
pub use inputs::Source;
pub use readers::Reader;
pub use rejects::Rejects;
pub use rows::{Cell, Kind, Row};
pub use writers::{Column, ColumnKind, Header, Value, Writer};
