//! Rows out of a workbook.

use std::{
    cell::Cell,
    io::{self, BufReader, Read, Seek, SeekFrom},
    rc::Rc,
    sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    thread::{self, JoinHandle},
};

use calamine::{Data, DataRef, Reader, SheetType, Xlsx, XlsxError};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::archives;
use crate::{
    Kind, Limits, Row, RowFault, Source, TableError,
    headers::Names,
    instants::{self, Epoch},
};

const BATCH_ROWS_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 256 << 10;
/// Batches that may wait. With the one being filled and the one being emptied, that is all the memory rows take.
const BATCHES_MAX: usize = 2;

/// The rows of a workbook's sheets, one sheet after the other.
///
/// Calamine's cells borrow the workbook they come from, so both live on a thread of their own, which hands over batches of
/// rows and gets them back for their buffers. It ends when the workbook is dropped, and a panic in there is an error here.
pub(crate) struct Workbook {
    messages: Receiver<Message>,
    spent: Sender<Vec<Row>>,
    batch: Vec<Row>,
    at: usize,
    thread: Option<JoinHandle<Result<(), TableError>>>,
}

enum Message {
    Header(Vec<String>),
    Rows(Vec<Row>),
}

impl Workbook {
    pub(crate) fn open(mut source: Box<dyn Source>, limits: &Limits) -> Result<(Workbook, Vec<String>), TableError> {
        archives::check(&mut *source, limits)?;
        let (sender, messages) = sync_channel(BATCHES_MAX);
        let (spent, returned) = channel();
        let limits = limits.clone();
        let thread = thread::Builder::new()
            .name("workbook".to_owned())
            .spawn(move || {
                let mut reading = Reading::new(sender, returned, limits);
                match reading.read(source) {
                    Ok(()) | Err(Stop::Unwanted) => Ok(()),
                    Err(Stop::Failed(error)) => {
                        // The rows before the trouble are told first. Nobody may be there to be told.
                        let _ = reading.hand_over();
                        Err(error)
                    }
                }
            })
            .map_err(TableError::io)?;
        let mut workbook = Workbook { messages, spent, batch: Vec::new(), at: 0, thread: Some(thread) };
        match workbook.messages.recv() {
            Ok(Message::Header(columns)) => Ok((workbook, columns)),
            Ok(Message::Rows(_)) => unreachable!("the header goes before the rows"),
            Err(_) => {
                workbook.end()?;
                Err(TableError::new("empty", "the workbook is empty: a header is needed"))
            }
        }
    }

    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, TableError> {
        while self.at == self.batch.len() {
            let Ok(message) = self.messages.recv() else {
                row.begin(0);
                return self.end().map(|()| false);
            };
            if let Message::Rows(rows) = message {
                // A thread that has ended needs no rows back.
                let _ = self.spent.send(std::mem::replace(&mut self.batch, rows));
                self.at = 0;
            }
        }
        std::mem::swap(row, &mut self.batch[self.at]);
        self.at += 1;
        Ok(true)
    }

    /// What the thread had to say last, once.
    fn end(&mut self) -> Result<(), TableError> {
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(TableError::new("unreadable", "the workbook is damaged")),
        }
    }
}

/// Why the thread stops before the last sheet's end.
enum Stop {
    Failed(TableError),
    Unwanted,
}

impl From<TableError> for Stop {
    fn from(error: TableError) -> Stop {
        Stop::Failed(error)
    }
}

struct Reading {
    messages: SyncSender<Message>,
    returned: Receiver<Vec<Row>>,
    limits: Limits,
    failure: Failure,
    names: Option<Names>,
    batch: Vec<Row>,
    batch_bytes: usize,
    spare: Vec<Row>,
}

impl Reading {
    fn new(messages: SyncSender<Message>, returned: Receiver<Vec<Row>>, limits: Limits) -> Reading {
        let failure = Failure::default();
        Reading {
            messages,
            returned,
            limits,
            failure,
            names: None,
            batch: Vec::new(),
            batch_bytes: 0,
            spare: Vec::new(),
        }
    }

    fn read(&mut self, source: Box<dyn Source>) -> Result<(), Stop> {
        let watched = Watched { source, failure: Rc::clone(&self.failure) };
        let mut workbook =
            Xlsx::new(BufReader::with_capacity(1 << 16, watched)).map_err(|error| self.refused(&error))?;
        let epoch = if workbook.has_1904_epoch() { Epoch::Of1904 } else { Epoch::Of1900 };
        let sheets = workbook.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let names: Vec<String> = sheets.map(|sheet| sheet.name.clone()).collect();
        for name in names {
            self.read_sheet(&mut workbook, &name, epoch)?;
        }
        self.hand_over()
    }

    fn read_sheet(&mut self, workbook: &mut Xlsx<BufReader<Watched>>, name: &str, epoch: Epoch) -> Result<(), Stop> {
        let mut cells = workbook.worksheet_cells_reader(name).map_err(|error| self.refused(&error))?;
        let mut heading: Vec<String> = Vec::new();
        let (mut is_headed, mut current, mut widest) = (false, 0, 0);
        let mut row = self.spare_row();
        loop {
            let cell = cells.next_cell().map_err(|error| self.refused(&error).at(u64::from(current) + 1))?;
            let position = cell.as_ref().map(|cell| cell.get_position());
            if position.is_none_or(|(at, _)| at != current) {
                let line = u64::from(current) + 1;
                if !is_headed && !heading.is_empty() {
                    self.head(name, std::mem::take(&mut heading), line)?;
                    is_headed = true;
                } else if row.len() > 0 || widest > 0 {
                    row = self.push(row, widest)?;
                }
                widest = 0;
            }
            let (Some(cell), Some((at, column))) = (cell, position) else { return Ok(()) };
            current = at;
            let column = column as usize;
            if !is_headed {
                let mut text = String::new();
                if write_value(cell.get_value(), epoch, &mut text).is_none() {
                    continue;
                }
                if column >= self.limits.columns_max {
                    let detail = format!("the header has more than {} columns", self.limits.columns_max);
                    return Err(TableError::new("too_many_columns", detail).at(u64::from(at) + 1).into());
                }
                heading.resize(heading.len().max(column + 1), String::new());
                heading[column] = text;
                continue;
            }
            self.put(&mut row, at, column, cell.get_value(), epoch, &mut widest)?;
        }
    }

    fn put(
        &self,
        row: &mut Row,
        at: u32,
        column: usize,
        value: &DataRef<'_>,
        epoch: Epoch,
        widest: &mut usize,
    ) -> Result<(), TableError> {
        let line = u64::from(at) + 1;
        if *widest == 0 && row.line() != line {
            row.begin(line);
        }
        let mut text = String::new();
        let Some((kind, fault)) = write_value(value, epoch, &mut text) else { return Ok(()) };
        let names = self.names.as_ref().expect("a row is read under a header");
        *widest = (*widest).max(column + 1);
        if let Some(fault) = fault {
            row.accuse(fault);
        }
        if text.contains('\0') {
            row.accuse(RowFault::nul());
        }
        // What lies so far out is counted, and not kept.
        if let Some(place) = names.place(column).filter(|place| *place < self.limits.columns_max) {
            row.put(place, kind, |out| out.push_str(&text));
        }
        if row.text_len() > self.limits.row_bytes_max {
            return Err(TableError::row_too_long(self.limits.row_bytes_max).at(line));
        }
        Ok(())
    }

    /// Takes a sheet's first row for its header, which must be that of the first sheet.
    fn head(&mut self, sheet: &str, heading: Vec<String>, line: u64) -> Result<(), Stop> {
        let names = Names::parse(heading, line, &self.limits);
        match &self.names {
            None => {
                let names = names?;
                let columns = names.kept();
                self.names = Some(names);
                self.messages.send(Message::Header(columns)).map_err(|_| Stop::Unwanted)
            }
            Some(first) if names.is_ok_and(|names| names.written == first.written) => Ok(()),
            Some(_) => {
                let detail = format!("sheet `{}` has other columns than the first sheet", sheet.escape_debug());
                Err(TableError::new("other_columns", detail).at(line).into())
            }
        }
    }

    /// Adds a row to the batch, and gives another to go on with.
    fn push(&mut self, mut row: Row, widest: usize) -> Result<Row, Stop> {
        let columns = self.names.as_ref().map_or(0, Names::len);
        if widest > columns {
            row.accuse(RowFault::wrong_cell_count(widest, columns));
        }
        self.batch_bytes += row.text_len();
        self.batch.push(row);
        if self.batch.len() >= BATCH_ROWS_MAX || self.batch_bytes >= BATCH_BYTES_MAX {
            self.hand_over()?;
        }
        Ok(self.spare_row())
    }

    fn hand_over(&mut self) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.batch_bytes = 0;
        let rows = std::mem::take(&mut self.batch);
        self.messages.send(Message::Rows(rows)).map_err(|_| Stop::Unwanted)
    }

    /// What broke the workbook, unless it was the source that failed.
    fn refused(&self, error: &XlsxError) -> TableError {
        match self.failure.take() {
            Some(failure) => TableError::io(failure),
            None => TableError::new("unreadable", format!("the workbook cannot be read: {error}")),
        }
    }

    fn spare_row(&mut self) -> Row {
        if self.spare.is_empty() {
            self.spare = self.returned.try_recv().unwrap_or_default();
        }
        let mut row = self.spare.pop().unwrap_or_default();
        row.begin(0);
        row
    }
}

/// Remembers how the source failed, which the readers above it do not pass on.
struct Watched {
    source: Box<dyn Source>,
    failure: Failure,
}

type Failure = Rc<Cell<Option<io::Error>>>;

impl Watched {
    fn remember<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            if kind != io::ErrorKind::Interrupted {
                self.failure.set(Some(error));
            }
            kind.into()
        })
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.source.read(buffer);
        self.remember(result)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.source.seek(to);
        self.remember(result)
    }
}

/// Writes a cell's text, and tells its kind and what is wrong with it. Nothing for an empty cell.
fn write_value(value: &DataRef<'_>, epoch: Epoch, out: &mut String) -> Option<(Kind, Option<RowFault>)> {
    let kind = match value {
        DataRef::Empty => return None,
        DataRef::String(text) | DataRef::DurationIso(text) => return write_text(text, out),
        DataRef::SharedString(text) => return write_text(text, out),
        DataRef::Int(number) => {
            out.push_str(&number.to_string());
            Kind::Number
        }
        DataRef::Float(number) if number.is_finite() => {
            write_number(*number, out);
            Kind::Number
        }
        DataRef::Float(number) => {
            out.push_str(&number.to_string());
            return Some((Kind::Text, Some(RowFault::new("cell_error", format!("holds `{number}`")))));
        }
        DataRef::Bool(flag) => {
            out.push_str(if *flag { "true" } else { "false" });
            Kind::Flag
        }
        DataRef::DateTime(serial) if serial.is_duration() => {
            write_number(serial.as_f64(), out);
            Kind::Number
        }
        DataRef::DateTime(serial) => match instants::from_serial(serial.as_f64(), epoch) {
            Some(at) => {
                out.push_str(&instants::text(at));
                Kind::Instant
            }
            None => {
                write_number(serial.as_f64(), out);
                let fault = RowFault::new("cell_error", format!("has the date {out}, which no calendar has"));
                return Some((Kind::Number, Some(fault)));
            }
        },
        DataRef::DateTimeIso(text) => match parse_iso(text) {
            Some(at) => {
                out.push_str(&instants::text(at));
                Kind::Instant
            }
            None => return write_text(text, out),
        },
        DataRef::Error(error) => {
            // Only the owned value says which error it is.
            let text = Data::Error(error.clone()).to_string();
            let fault = RowFault::new("cell_error", format!("has the error {text} in a cell"));
            out.push_str(&text);
            return Some((Kind::Text, Some(fault)));
        }
    };
    Some((kind, None))
}

fn write_text(text: &str, out: &mut String) -> Option<(Kind, Option<RowFault>)> {
    out.push_str(text);
    (!text.is_empty()).then_some((Kind::Text, None))
}

/// The shortest decimal that is this number, without an exponent, as Rust writes it. Minus zero is zero.
fn write_number(number: f64, out: &mut String) {
    out.push_str(&(number + 0.0).to_string());
}

/// ISO 8601 as a cell of type `d` has it; without an offset it is UTC.
fn parse_iso(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.to_utc());
    }
    if let Ok(at) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(at.and_utc());
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}
