//! What an input is, told from its first bytes, and what is inside once it is unpacked.

use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, SeekFrom};

use flate2::bufread::MultiGzDecoder;

use crate::{Limits, Packing, TableError};

/// Bytes that can be read from their start again. They are read from position 0, wherever they stand.
pub trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

pub(crate) type Text = BufReader<Box<dyn Read + Send>>;

pub(crate) enum Input {
    Text(Text),
    Workbook(Box<dyn Source>),
}

const BUFFER_BYTES: usize = 1 << 16;
const GZIP: &[u8] = b"\x1f\x8b";
const ZIP: &[u8] = b"PK\x03\x04";
/// The container of `.xls`, and of an `.xlsx` under a password.
const COMPOUND: &[u8] = b"\xd0\xcf\x11\xe0";
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

pub(crate) fn open(mut source: Box<dyn Source>, limits: &Limits) -> Result<(Input, Packing), TableError> {
    source.seek(SeekFrom::Start(0))?;
    let start = peek(&mut source)?;
    if !start.starts_with(GZIP) {
        if start.starts_with(ZIP) {
            return Ok((Input::Workbook(source), Packing::Plain));
        }
        return Ok((Input::Text(text(start, source)?), Packing::Plain));
    }
    source.seek(SeekFrom::Start(0))?;
    let packed = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, source));
    let mut unpacked = Unpacked { packed, bytes: 0, bytes_max: limits.unpacked_bytes_max };
    let start = peek(&mut unpacked)?;
    if start.starts_with(GZIP) {
        return Err(TableError::new("unreadable", "the file is packed with gzip twice"));
    }
    if start.starts_with(ZIP) {
        let mut spool = tempfile::tempfile().map_err(TableError::io)?;
        io::copy(&mut Cursor::new(start).chain(unpacked), &mut spool)?;
        return Ok((Input::Workbook(Box::new(spool)), Packing::Gzip));
    }
    Ok((Input::Text(text(start, unpacked)?), Packing::Gzip))
}

/// The next bytes of a text, none at its end.
pub(crate) fn fill(input: &mut Text) -> Result<&[u8], TableError> {
    loop {
        match input.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What is buffered by now; asking twice is what the borrow checker can follow.
    Ok(input.buffer())
}

/// Up to four bytes, fewer only where there are no more.
fn peek(source: &mut impl Read) -> Result<Vec<u8>, TableError> {
    let mut start = Vec::with_capacity(4);
    source.by_ref().take(4).read_to_end(&mut start)?;
    Ok(start)
}

fn text(start: Vec<u8>, rest: impl Read + Send + 'static) -> Result<Text, TableError> {
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err(TableError::new("not_utf8", "the file is UTF-16; save it as UTF-8"));
    }
    if start.starts_with(COMPOUND) {
        let detail = "the file is an old Excel file or is under a password; save it as .xlsx, without a password";
        return Err(TableError::new("unreadable", detail));
    }
    let unmarked = start.strip_prefix(UTF8_MARK).unwrap_or(&start).to_vec();
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(unmarked).chain(rest));
    Ok(BufReader::with_capacity(BUFFER_BYTES, whole))
}

/// Counts what comes out of a packed file, because a small file can unpack to anything.
struct Unpacked<R> {
    packed: R,
    bytes: u64,
    bytes_max: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.packed.read(buffer)?;
        self.bytes += read as u64;
        if self.bytes > self.bytes_max {
            return Err(bomb(self.bytes_max).into());
        }
        Ok(read)
    }
}

pub(crate) fn bomb(bytes_max: u64) -> TableError {
    TableError::new("bomb", format!("the file unpacks to more than {bytes_max} bytes"))
}
