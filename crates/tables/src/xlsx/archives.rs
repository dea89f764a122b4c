//! Whether a workbook can be unpacked: what calamine takes on trust is looked at here first, in constant memory.

use std::{
    cell::Cell,
    io::{self, Read, Seek, SeekFrom},
    rc::Rc,
};

use zip::{ZipArchive, read::ZipFile, result::ZipError};

use crate::{Limits, Source, TableError, inputs::bomb};

const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
const PARTS_MAX: usize = 10_000;
const SHARED_BYTES_MAX: u64 = 256 << 20;
const SHARED_COUNT_MAX: u64 = 10_000_000;
/// How much XML may pass without a row: a reader holds that much at once, and all of any other part.
const STRETCH_BYTES_MAX: u64 = 16 << 20;
/// How much of a tag is looked at: names, and the root's attributes.
const TAG_BYTES_MAX: usize = 4 << 10;

/// Unpacks everything once and keeps nothing.
///
/// Afterwards it is known that every part is whole, how large it really is, and that a reader which holds one row, or the
/// shared strings, or a part without rows, holds a bounded amount.
pub(crate) fn check(source: &mut dyn Source, limits: &Limits) -> Result<(), TableError> {
    let allowance = Rc::new(Cell::new(DIRECTORY_BYTES_MAX));
    let metered = Metered { source, allowance: Rc::clone(&allowance) };
    let mut archive = ZipArchive::new(metered).map_err(refused)?;
    allowance.set(u64::MAX);
    if archive.len() > PARTS_MAX {
        return Err(TableError::new("bomb", format!("the workbook has {} parts", archive.len())));
    }
    let mut unpacked = 0;
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(refused)?;
        check_part(&mut part, &mut unpacked, limits)?;
    }
    Ok(())
}

fn check_part(part: &mut ZipFile<'_, Metered<'_>>, unpacked: &mut u64, limits: &Limits) -> Result<(), TableError> {
    let name = String::from_utf8_lossy(part.name_raw()).into_owned();
    let is_shared = name.to_ascii_lowercase().ends_with("sharedstrings.xml");
    let mut scan = Scan::new(is_shared);
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = match part.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // The zip crate stops where the declared size ends, and says so in no other way.
            Err(error) if error.to_string().contains("larger than its declared") => {
                let detail = format!("part `{}` is larger than it says", name.escape_debug());
                return Err(TableError::new("bomb", detail));
            }
            Err(error) => return Err(error.into()),
        };
        if read == 0 {
            return Ok(());
        }
        bytes += read as u64;
        *unpacked += read as u64;
        if *unpacked > limits.unpacked_bytes_max {
            return Err(bomb(limits.unpacked_bytes_max));
        }
        if is_shared && bytes > SHARED_BYTES_MAX {
            let detail = format!("the shared strings unpack to more than {SHARED_BYTES_MAX} bytes");
            return Err(TableError::new("bomb", detail));
        }
        scan.pass(&buffer[..read])
            .map_err(|error| TableError::new(error.code, format!("part `{}` {}", name.escape_debug(), error.detail)))?;
    }
}

fn refused(error: ZipError) -> TableError {
    match error {
        ZipError::Io(error) => error.into(),
        ZipError::InvalidArchive(detail) => {
            TableError::new("truncated", format!("the workbook is cut short or damaged: {detail}"))
        }
        error => TableError::new("unreadable", format!("the workbook cannot be unpacked: {error}")),
    }
}

/// Bounds what the archive's directory makes a reader read, and so hold.
struct Metered<'a> {
    source: &'a mut dyn Source,
    allowance: Rc<Cell<u64>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        let Some(left) = self.allowance.get().checked_sub(read as u64) else {
            let detail = format!("the workbook's directory is larger than {DIRECTORY_BYTES_MAX} bytes");
            return Err(TableError::new("bomb", detail).into());
        };
        self.allowance.set(left);
        Ok(read)
    }
}

impl Seek for Metered<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

/// Follows the tags of a part as far as is needed to tell where rows begin.
struct Scan {
    is_shared: bool,
    state: State,
    tag: Vec<u8>,
    bytes: u64,
    /// How many bytes have passed since a row began.
    stretch: u64,
    strings: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Up to the first `<`, which in a part that is no XML may be anywhere.
    Text,
    Tag,
    /// Within an attribute's value, ended by this quote.
    Value(u8),
    /// Within a comment, CDATA or an instruction, ended by these bytes and `>`.
    Opaque(&'static [u8]),
    /// The part is no XML.
    Foreign,
}

impl Scan {
    fn new(is_shared: bool) -> Scan {
        Scan { is_shared, state: State::Text, tag: Vec::new(), bytes: 0, stretch: 0, strings: 0 }
    }

    fn pass(&mut self, chunk: &[u8]) -> Result<(), TableError> {
        if self.bytes == 0 {
            let start = chunk.strip_prefix(b"\xef\xbb\xbf").unwrap_or(chunk).trim_ascii_start();
            if matches!(chunk, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..]) {
                return Err(TableError::new("unreadable", "is XML that is not UTF-8"));
            }
            if !start.is_empty() && !start.starts_with(b"<") {
                self.state = State::Foreign;
            }
        }
        self.bytes += chunk.len() as u64;
        let (mut at, mut stretch_from) = (0, 0);
        while at < chunk.len() {
            let byte = chunk[at];
            at += 1;
            match self.state {
                State::Foreign => at = chunk.len(),
                State::Text => {
                    if byte == b'<' {
                        self.tag.clear();
                        self.state = State::Tag;
                    } else {
                        let rest = &chunk[at..];
                        at += rest.iter().position(|&byte| byte == b'<').unwrap_or(rest.len());
                    }
                }
                State::Tag => match byte {
                    b'>' => {
                        self.state = State::Text;
                        if self.end_tag()? {
                            (self.stretch, stretch_from) = (0, at);
                        }
                    }
                    b'<' => return Err(TableError::new("unreadable", "is broken XML")),
                    b'"' | b'\'' => {
                        self.keep(byte);
                        self.state = State::Value(byte);
                    }
                    _ => {
                        self.keep(byte);
                        self.begin_opaque()?;
                    }
                },
                State::Value(quote) => {
                    self.keep(byte);
                    if byte == quote {
                        self.state = State::Tag;
                    }
                }
                State::Opaque(end) => {
                    if byte == b'>' && self.tag.ends_with(end) {
                        self.state = State::Text;
                    }
                    self.tag.push(byte);
                    if self.tag.len() > 2 {
                        self.tag.remove(0);
                    }
                }
            }
        }
        self.stretch += (chunk.len() - stretch_from) as u64;
        if self.stretch > STRETCH_BYTES_MAX && !self.is_shared {
            let detail = format!("has {STRETCH_BYTES_MAX} bytes that belong to no row, or to only one");
            return Err(TableError::new("row_too_long", detail));
        }
        Ok(())
    }

    fn keep(&mut self, byte: u8) {
        if self.tag.len() < TAG_BYTES_MAX {
            self.tag.push(byte);
        }
    }

    /// Once it is seen that this is no tag, it is passed over up to its own end.
    fn begin_opaque(&mut self) -> Result<(), TableError> {
        let end: &[u8] = match &*self.tag {
            b"!--" => b"--",
            b"![CDATA[" => b"]]",
            b"?" => b"?",
            b"!D" | b"!d" => return Err(TableError::new("unreadable", "declares a document type")),
            _ => return Ok(()),
        };
        self.tag.clear();
        self.state = State::Opaque(end);
        Ok(())
    }

    /// Whether the tag begins a row.
    fn end_tag(&mut self) -> Result<bool, TableError> {
        let name = self.tag.split(|byte| byte.is_ascii_whitespace() || *byte == b'/').next().unwrap_or_default();
        let name = name.rsplit(|&byte| byte == b':').next().unwrap_or_default();
        match name {
            b"row" => return Ok(true),
            b"si" => {
                self.strings += 1;
                if self.strings > SHARED_COUNT_MAX {
                    return Err(TableError::new("bomb", format!("has more than {SHARED_COUNT_MAX} strings")));
                }
            }
            b"sst" => self.check_declared_count()?,
            // These are read as a whole, so that a part that has them may not be large.
            b"sheet" | b"definedName" | b"Relationship" | b"xf" | b"numFmt" | b"font" | b"fill" | b"border"
                if self.bytes > STRETCH_BYTES_MAX =>
            {
                return Err(TableError::new("bomb", format!("is larger than {STRETCH_BYTES_MAX} bytes")));
            }
            _ => {}
        }
        Ok(false)
    }

    /// A reader makes room for as many strings as are declared.
    fn check_declared_count(&self) -> Result<(), TableError> {
        let absurd = || TableError::new("bomb", format!("declares more than {SHARED_COUNT_MAX} strings"));
        if self.tag.len() >= TAG_BYTES_MAX {
            return Err(absurd());
        }
        let tag = String::from_utf8_lossy(&self.tag);
        for (at, name) in tag.match_indices("uniqueCount") {
            let value = tag[at + name.len()..].trim_start().trim_start_matches('=').trim_start();
            let digits: String =
                value.trim_start_matches(['"', '\'']).chars().take_while(char::is_ascii_digit).collect();
            if digits.parse::<u64>().is_ok_and(|count| count > SHARED_COUNT_MAX) || digits.len() > 19 {
                return Err(absurd());
            }
        }
        Ok(())
    }
}
