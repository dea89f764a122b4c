//! Answers of any length: written on a blocking thread, sent piece by piece, as fast as the reader takes them.

use std::{
    io::{self, Write},
    time::Duration,
};

use actix_web::{HttpResponse, HttpResponseBuilder, web::Bytes};
use futures_util::{StreamExt, stream};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};
use usecases::Error;

use crate::{
    problems::{Code, Problem},
    requests,
};

/// About how many bytes are sent at once.
const PIECE_BYTES: usize = 1 << 16;
/// How many pieces may wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;

/// What is written here goes to the reader. Once the reader has gone or sleeps, writing fails.
pub(crate) struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Bytes>,
    runtime: Handle,
    patience: Duration,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES + 1024)));
        // The clock of the timeout is the runtime's, which a thread of its own is not in.
        match self.runtime.block_on(async { timeout(self.patience, self.sender.send(piece)).await }) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// Answers with what `write` writes. A failure before the first piece becomes a problem; a later one breaks the
/// connection, because a body that ends early must not look like a whole one.
pub(crate) async fn answer(
    mut response: HttpResponseBuilder,
    patience: Duration,
    write: impl FnOnce(Pieces) -> Result<Pieces, Error> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let (tell_end, end) = oneshot::channel::<Result<(), Problem>>();
    let id = requests::current_id();
    let pieces = Pieces { piece: Vec::new(), sender, runtime: Handle::current(), patience };
    tokio::task::spawn_blocking(move || {
        requests::working_for(id, || {
            let written = write(pieces).and_then(|mut pieces| {
                pieces.flush()?;
                Ok(pieces)
            });
            let (sender, ended) = match written {
                Ok(pieces) => (Some(pieces.sender), Ok(())),
                Err(Error::Files(error)) if error.kind() == io::ErrorKind::BrokenPipe => (None, Ok(())),
                Err(Error::Files(error)) if error.kind() == io::ErrorKind::TimedOut => {
                    log::warn!("the reader took nothing for {} ms", patience.as_millis());
                    (None, Err(Problem::new(Code::TimedOut, "the answer was not read")))
                }
                Err(error) => (None, Err(Problem::from(error))),
            };
            // Nobody listens when the reader has gone.
            tell_end.send(ended).unwrap_or_default();
            drop(sender);
        });
    });

    let Some(first) = receiver.recv().await else {
        end.await.unwrap_or_else(|_| Err(unfinished()))?;
        return Ok(response.finish());
    };
    let rest = stream::unfold(Some((receiver, end)), |answer| async {
        let (mut receiver, end) = answer?;
        match receiver.recv().await {
            Some(piece) => Some((Ok(piece), Some((receiver, end)))),
            None => match end.await.unwrap_or_else(|_| Err(unfinished())) {
                Ok(()) => None,
                Err(problem) => Some((Err(problem), None)),
            },
        }
    });
    Ok(response.streaming(stream::iter([Ok::<_, Problem>(first)]).chain(rest)))
}

fn unfinished() -> Problem {
    Problem::new(Code::Internal, "the answer ended before it was done")
}
