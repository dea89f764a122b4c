//! CSV records out of bytes.

use std::io::{BufRead, BufReader, Cursor, Read};

use super::{DELIMITER, DELIMITERS, is_guarded};
use crate::{
    Kind, Limits, Row, RowFault, TableError,
    headers::Names,
    inputs::{Text, fill},
    readers::Lines,
};

/// The records of a CSV text, read with one pass over the bytes and into the row's own buffers.
///
/// Not the csv crate: it does not tell the physical line under every line end, nor give up on a record before it has been
/// read whole. What it makes of any bytes, this makes too; a test holds the two together.
pub(crate) struct Records {
    input: Text,
    lines: Lines,
    delimiter: u8,
    row_bytes_max: usize,
    names: Names,
    /// Where the cells of the record end in its text, ours included.
    ends: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeRecord,
    BeforeCell,
    Bare,
    Quoted,
    /// After a quote within quotes: the cell's end, or the first half of a quote.
    QuoteSeen,
}

impl Records {
    /// Finds the delimiter in the header line, and reads the header. The text begins with a line that is not blank.
    pub(crate) fn open(mut text: Text, lines: Lines, limits: &Limits) -> Result<(Records, Vec<String>), TableError> {
        let line = lines.line;
        let mut header = Vec::new();
        let delimiter = find_delimiter(&mut text, &mut header, limits).map_err(|error| error.at(line))?;
        let whole: Box<dyn Read + Send> = Box::new(Cursor::new(header).chain(text));
        let mut records = Records {
            input: BufReader::with_capacity(1 << 16, whole),
            lines,
            delimiter,
            row_bytes_max: limits.row_bytes_max,
            names: Names::parse(Vec::new(), line, limits)?,
            ends: Vec::new(),
        };
        let mut bytes = Vec::new();
        records.read_record(&mut bytes)?;
        let mut names = Vec::with_capacity(records.ends.len());
        let mut start = 0;
        for &end in &records.ends {
            let cell = &bytes[start..end];
            let cell = if is_guarded(cell) { &cell[1..] } else { cell };
            let name = std::str::from_utf8(cell)
                .map_err(|_| TableError::new("not_utf8", "the header is not UTF-8; save the file as UTF-8").at(line))?;
            names.push(name.to_owned());
            start = end;
        }
        records.names = Names::parse(names, line, limits)?;
        let columns = records.names.kept();
        Ok((records, columns))
    }

    pub(crate) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    pub(crate) fn next(&mut self, row: &mut Row) -> Result<bool, TableError> {
        loop {
            let mut bytes = row.take_text();
            let line = self.read_record(&mut bytes);
            let Some(line) = line? else {
                row.begin(self.lines.line);
                return Ok(false);
            };
            row.begin(line);
            let is_blank = self.ends.len() == 1 && self.names.len() > 1 && bytes.trim_ascii().is_empty();
            self.lay_out(row, bytes);
            if !is_blank {
                return Ok(true);
            }
        }
    }

    /// Makes a row of the record's text and the ends of its cells.
    fn lay_out(&mut self, row: &mut Row, bytes: Vec<u8>) {
        match String::from_utf8(bytes) {
            Ok(text) if self.ends.iter().all(|&end| text.is_char_boundary(end)) => row.give_text(text),
            Ok(text) => self.decode_lossily(row, text.as_bytes()),
            Err(error) => self.decode_lossily(row, error.as_bytes()),
        }
        let mut start = 0;
        for (column, &end) in self.ends.iter().enumerate() {
            if !self.names.is_dropped(column) {
                let guard = usize::from(is_guarded(&row.text().as_bytes()[start..end]));
                row.push_span(start + guard..end, Kind::Plain);
            }
            start = end;
        }
        if self.ends.len() != self.names.len() {
            row.accuse(RowFault::wrong_cell_count(self.ends.len(), self.names.len()));
        }
        if row.text().as_bytes().contains(&0) {
            row.accuse(RowFault::nul());
        }
    }

    fn decode_lossily(&mut self, row: &mut Row, bytes: &[u8]) {
        let (mut text, mut start) = (String::with_capacity(bytes.len()), 0);
        for end in &mut self.ends {
            text.push_str(&String::from_utf8_lossy(&bytes[start..*end]));
            start = *end;
            *end = text.len();
        }
        row.give_text(text);
        row.accuse(RowFault::not_utf8());
    }

    /// Reads a record's cells into `text`, and tells its line. Lines with nothing on them are passed.
    fn read_record(&mut self, text: &mut Vec<u8>) -> Result<Option<u64>, TableError> {
        self.ends.clear();
        let (mut state, mut line, mut taken) = (State::BeforeRecord, self.lines.line, 0);
        let delimiter = self.delimiter;
        loop {
            let chunk = fill(&mut self.input)?;
            if chunk.is_empty() {
                if state == State::BeforeRecord {
                    return Ok(None);
                }
                self.ends.push(text.len());
                return Ok(Some(line));
            }
            let (mut at, mut is_whole) = (0, false);
            while at < chunk.len() && !is_whole {
                let byte = chunk[at];
                match state {
                    State::BeforeRecord if matches!(byte, b'\n' | b'\r') => {
                        self.lines.pass_end(byte);
                        at += 1;
                    }
                    State::BeforeRecord => {
                        self.lines.pass_within();
                        (line, state) = (self.lines.line, State::BeforeCell);
                    }
                    State::BeforeCell if byte == b'"' => {
                        state = State::Quoted;
                        at += 1;
                    }
                    State::Quoted => {
                        let rest = &chunk[at..];
                        let run = rest.iter().position(|&byte| byte == b'"').unwrap_or(rest.len());
                        text.extend_from_slice(&rest[..run]);
                        self.lines.pass(&rest[..run]);
                        at += run;
                        if at < chunk.len() {
                            state = State::QuoteSeen;
                            at += 1;
                        }
                    }
                    State::QuoteSeen if byte == b'"' => {
                        text.push(byte);
                        self.lines.pass_within();
                        state = State::Quoted;
                        at += 1;
                    }
                    State::BeforeCell | State::QuoteSeen | State::Bare => {
                        let rest = &chunk[at..];
                        let ends = |&byte: &u8| byte == delimiter || byte == b'\n' || byte == b'\r';
                        let run = rest.iter().position(ends).unwrap_or(rest.len());
                        text.extend_from_slice(&rest[..run]);
                        self.lines.pass_within();
                        at += run;
                        state = State::Bare;
                        if at < chunk.len() {
                            self.ends.push(text.len());
                            state = State::BeforeCell;
                            if chunk[at] != delimiter {
                                self.lines.pass_end(chunk[at]);
                                is_whole = true;
                            }
                            at += 1;
                        }
                    }
                }
            }
            if state != State::BeforeRecord {
                taken += at;
            }
            self.input.consume(at);
            if taken > self.row_bytes_max {
                return Err(TableError::row_too_long(self.row_bytes_max).at(line));
            }
            if is_whole {
                return Ok(Some(line));
            }
        }
    }
}

/// Takes the header line into `header`, and tells which delimiter stands there most often outside quotes.
fn find_delimiter(text: &mut Text, header: &mut Vec<u8>, limits: &Limits) -> Result<u8, TableError> {
    let mut counts = [0_usize; DELIMITERS.len()];
    let (mut is_quoted, mut begins_cell) = (false, true);
    loop {
        let chunk = fill(text)?;
        let ended = chunk.iter().position(|&byte| {
            if byte == b'"' && (is_quoted || begins_cell) {
                is_quoted = !is_quoted;
            }
            let delimiter = DELIMITERS.iter().position(|&delimiter| delimiter == byte && !is_quoted);
            if let Some(index) = delimiter {
                counts[index] += 1;
            }
            // A second quote right after a closing one opens again.
            begins_cell = delimiter.is_some() || (byte == b'"' && !is_quoted);
            matches!(byte, b'\n' | b'\r') && !is_quoted
        });
        let (taken, is_at_end) = (ended.map_or(chunk.len(), |at| at + 1), chunk.is_empty());
        header.extend_from_slice(&chunk[..taken]);
        text.consume(taken);
        if header.len() > limits.row_bytes_max {
            return Err(TableError::row_too_long(limits.row_bytes_max));
        }
        if ended.is_some() || is_at_end {
            break;
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    let found = DELIMITERS.iter().zip(counts).find(|(_, count)| *count == most && most > 0);
    Ok(found.map_or(b',', |(delimiter, _)| *delimiter))
}

const _: () = assert!(DELIMITERS[0] == DELIMITER);
