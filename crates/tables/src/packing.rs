//! Packing on the way out.

use std::io::{self, Write};

use flate2::{Compression, write::GzEncoder};

use crate::Packing;

/// Bytes on their way out, packed or not.
///
/// What was dropped unfinished must not look whole: then the gzip trailer, which the encoder writes in its own drop,
/// goes nowhere.
pub(crate) struct Packed<W: Write> {
    stream: Stream<W>,
}

enum Stream<W: Write> {
    Plain(Tap<W>),
    Gzip(Box<GzEncoder<Tap<W>>>),
}

/// An outlet that can be taken away from under an encoder.
struct Tap<W> {
    out: Option<W>,
}

impl<W: Write> Packed<W> {
    pub(crate) fn new(out: W, packing: Packing) -> Packed<W> {
        let tap = Tap { out: Some(out) };
        let stream = match packing {
            Packing::Plain => Stream::Plain(tap),
            Packing::Gzip => Stream::Gzip(Box::new(GzEncoder::new(tap, Compression::fast()))),
        };
        Packed { stream }
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        if let Stream::Gzip(encoder) = &mut self.stream {
            encoder.try_finish()?;
        }
        self.tap().flush()?;
        Ok(self.tap().out.take().expect("the outlet is taken once, here or on drop"))
    }

    fn tap(&mut self) -> &mut Tap<W> {
        match &mut self.stream {
            Stream::Plain(tap) => tap,
            Stream::Gzip(encoder) => encoder.get_mut(),
        }
    }
}

impl<W: Write> Drop for Packed<W> {
    fn drop(&mut self) {
        self.tap().out = None;
    }
}

impl<W: Write> Write for Packed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(tap) => tap.write(bytes),
            Stream::Gzip(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(tap) => tap.flush(),
            Stream::Gzip(encoder) => encoder.flush(),
        }
    }
}

impl<W: Write> Write for Tap<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Ok(bytes.len()), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_unfinished_does_not_look_whole() {
        let mut bytes = Vec::new();
        let mut packed = Packed::new(&mut bytes, Packing::Gzip);
        packed.write_all(b"half").unwrap();
        packed.flush().unwrap();
        drop(packed);
        let read = io::read_to_string(flate2::read::GzDecoder::new(&*bytes));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
