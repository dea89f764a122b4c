//! `/history`: what happened, as JSON and as CSV.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CONTENT_DISPOSITION,
    web::{self, Bytes, Data, ServiceConfig},
};
use domain::HistoryRow;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::timeout,
};
use usecases::{
    App, Error, Look,
    history::{self, HistoryQuery},
};
use utoipa::ToSchema;

use crate::{
    Limits,
    answers::{Call, Page},
    cursors,
    parameters::Parameters,
    problems::{Code, Problem},
    requests, times,
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/history").get(list)).service(web::resource("/history.csv").get(csv));
}

#[derive(Serialize, ToSchema)]
#[schema(as = HistoryRow)]
pub(crate) struct HistoryView {
    id: i64,
    #[schema(example = "1000")]
    user_id: String,
    /// The slug that the segment had then.
    #[schema(example = "DISCOUNT_30")]
    segment: String,
    #[schema(value_type = OperationView)]
    operation: &'static str,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    timestamp: String,
    /// The deadline after an add or an extend.
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    expires_at: Option<String>,
    #[schema(example = "manual")]
    source: &'static str,
    #[schema(example = "api")]
    actor: String,
    #[schema(required = true)]
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum OperationView {
    Add,
    Remove,
    Extend,
}

impl From<&HistoryRow> for HistoryView {
    fn from(row: &HistoryRow) -> HistoryView {
        let entry = &row.entry;
        HistoryView {
            id: row.id,
            user_id: entry.user.to_string(),
            segment: entry.segment.slug.to_string(),
            operation: entry.operation.as_str(),
            timestamp: times::write(entry.at),
            expires_at: entry.expires_at.map(times::write),
            source: entry.source.as_str(),
            actor: entry.actor.to_string(),
            reason: entry.reason.as_ref().map(ToString::to_string),
        }
    }
}

fn read_query(parameters: &mut Parameters) -> HistoryQuery {
    HistoryQuery {
        user: parameters.user_id("user_id"),
        segment: parameters.slug("segment"),
        period: parameters.period(),
    }
}

/// What happened
#[utoipa::path(get, path = "/api/v1/history", tag = "history",
    params(crate::openapi::HistoryFilters, crate::openapi::Paging),
    responses((status = 200, description = "A page of rows, by instant", body = Page<HistoryView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let query = read_query(&mut parameters);
    let after = parameters.cursor::<(i64, i64)>().and_then(|(at, id)| {
        let at = chrono::DateTime::from_timestamp_micros(at).ok_or("is not a cursor of this list");
        parameters.faults.take("cursor", "invalid_cursor", at).map(|at| (at, id))
    });
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    call.look(move |look| {
        let mut filter = history::filter(look, &query)?;
        filter.after = after;
        let found = history::page(look, &filter, limit + 1)?;
        let total = if exact { Some(history::count(look, &filter)?) } else { None };
        let (found, next_cursor) =
            cursors::page(found, limit, |last| cursors::write(&(last.entry.at.timestamp_micros(), last.id)));
        Ok(Page { items: found.iter().map(HistoryView::from).collect(), next_cursor, total })
    })
    .await
}

const ROWS_AT_ONCE: usize = 5_000;
/// About how many bytes are sent at once.
const PIECE_BYTES: usize = 1 << 16;
/// How many pieces may wait for a slow reader.
const PIECES_WAITING_MAX: usize = 4;

/// What happened, as a file
#[utoipa::path(get, path = "/api/v1/history.csv", tag = "history",
    params(
        crate::openapi::HistoryFilters,
        ("header" = Option<bool>, Query, description = "`false` leaves out the line with the names"),
    ),
    responses((status = 200, description = "`user_id;segment;operation;timestamp`, by instant, streamed", body = String, content_type = "text/csv")))]
pub(crate) async fn csv(app: Data<App>, limits: Data<Limits>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let query = read_query(&mut parameters);
    let header =
        parameters.read("header", "invalid_value", |text| text.parse::<bool>().map_err(|_| "must be true or false"));
    parameters.end()?;
    let (header, kind) = match header {
        Some(false) => (Header::LeftOut, "text/csv; charset=utf-8; header=absent"),
        _ => (Header::Written, "text/csv; charset=utf-8; header=present"),
    };

    // An export holds a connection for as long as its reader takes, so not all connections may go to exports.
    let permit = Arc::clone(&limits.exports).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Code::Busy, "as many exports as may run at once are running"))?;
    let (sender, mut receiver) = mpsc::channel::<Bytes>(PIECES_WAITING_MAX);
    let (tell_end, end) = oneshot::channel::<Result<(), Problem>>();
    let id = requests::current_id();
    let (runtime, patience) = (Handle::current(), limits.export_patience);
    tokio::task::spawn_blocking(move || {
        requests::working_for(id, || {
            let send = |piece| match runtime.block_on(timeout(patience, sender.send(piece))) {
                Ok(Ok(())) => Reader::There,
                Ok(Err(_)) => Reader::Gone,
                Err(_) => Reader::Asleep,
            };
            let ended = app.look(|look| write_all(look, &query, header, &send));
            let ended = match ended {
                Ok(Reader::There | Reader::Gone) => Ok(()),
                Ok(Reader::Asleep) => {
                    log::warn!("the reader of an export took nothing for {} ms", patience.as_millis());
                    Err(Problem::new(Code::TimedOut, "the export was not read"))
                }
                Err(error) => Err(Problem::from(error)),
            };
            // Nobody listens when the reader has gone.
            tell_end.send(ended).unwrap_or_default();
            drop((sender, permit));
        });
    });

    // Until the first piece is there, a failure can still be told as a problem.
    let Some(first) = receiver.recv().await else {
        end.await.unwrap_or_else(|_| Err(unfinished()))?;
        return Err(unfinished());
    };
    let rest = stream::unfold(Some((receiver, end)), |export| async {
        let (mut receiver, end) = export?;
        match receiver.recv().await {
            Some(piece) => Some((Ok(piece), Some((receiver, end)))),
            // A body that ends early must not look like a whole one: an error breaks the connection instead.
            None => match end.await.unwrap_or_else(|_| Err(unfinished())) {
                Ok(()) => None,
                Err(problem) => Some((Err(problem), None)),
            },
        }
    });
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""))
        .streaming(stream::iter([Ok::<_, Problem>(first)]).chain(rest)))
}

fn unfinished() -> Problem {
    Problem::new(Code::Internal, "the export ended before it was done")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Header {
    Written,
    LeftOut,
}

/// Whether anybody takes what is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    There,
    Gone,
    Asleep,
}

/// Writes page after page of one consistent state, as fast as the reader takes them.
fn write_all(
    look: &mut Look,
    query: &HistoryQuery,
    header: Header,
    send: &dyn Fn(Bytes) -> Reader,
) -> Result<Reader, Error> {
    let mut filter = history::filter(look, query)?;
    let mut piece = new_piece();
    if header == Header::Written {
        write_line(&mut piece, ["user_id", "segment", "operation", "timestamp"]);
    }
    loop {
        let rows = history::page(look, &filter, ROWS_AT_ONCE)?;
        for row in &rows {
            let entry = &row.entry;
            let (user, segment) = (harmless(entry.user.as_str()), harmless(entry.segment.slug.as_str()));
            write_line(&mut piece, [&*user, &*segment, entry.operation.as_str(), &times::write(entry.at)]);
            if piece.get_ref().len() >= PIECE_BYTES {
                let reader = send(finished(std::mem::replace(&mut piece, new_piece())));
                if reader != Reader::There {
                    return Ok(reader);
                }
            }
        }
        filter.after = rows.last().map(|last| (last.entry.at, last.id));
        if rows.len() < ROWS_AT_ONCE {
            return Ok(send(finished(piece)));
        }
    }
}

fn new_piece() -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().delimiter(b';').buffer_capacity(1 << 10).from_writer(Vec::new())
}

fn finished(piece: csv::Writer<Vec<u8>>) -> Bytes {
    Bytes::from(piece.into_inner().expect("writing to memory does not fail"))
}

fn write_line<const N: usize>(writer: &mut csv::Writer<Vec<u8>>, cells: [&str; N]) {
    writer.write_record(cells).expect("writing to memory does not fail");
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> std::borrow::Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_as_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("1000"), "1000");
        assert_eq!(harmless("a=b"), "a=b");
    }
}
