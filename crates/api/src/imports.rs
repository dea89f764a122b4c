//! Imports: files of any length, taken in as they come.

use std::io::{self, Read};

use actix_web::{
    HttpRequest, HttpResponse, guard,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    web::{self, Bytes, Data, Path, Payload, ServiceConfig},
};
use domain::{JobState, Reason};
use futures_util::StreamExt;
use tokio::{sync::mpsc, time::timeout};
use usecases::{
    App,
    imports::{self, Import, Mode, What},
};

use crate::{
    Limits, answers, blocking,
    callers::Asker,
    jobs::{Begun, JobView},
    parameters::Parameters,
    problems::{Code, Problem},
};

/// What an import may be declared as. What it is is told from the bytes.
const KINDS: [&str; 10] = [
    "text/csv",
    "text/plain",
    "text/tab-separated-values",
    "application/csv",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/gzip",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
];

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/memberships/import").post(memberships))
        .service(web::resource("/segments/import").post(segments))
        .service(web::resource("/segments/{slug}/users/import").guard(guard::Post()).post(members))
        .service(web::resource("/users/import").guard(guard::Post()).post(users));
}

/// Import memberships
///
/// CSV (`;`, `,` or tab), NDJSON or XLSX, packed with gzip or not, of any length: `user_id`, `segment`, and optionally
/// `since`, `ttl` or `expires_at`, `reason`. A history export is taken as it is, by its columns `operation` and
/// `timestamp`. Users that do not exist are born. Up to 10,000 rows are done when the answer comes, more become a job.
/// Bad rows stop none of the others: they wait at the job's `errors_url`.
#[utoipa::path(post, path = "/api/v1/memberships/import", tag = "imports",
    request_body(content = String, content_type = "text/csv", example = "user_id;segment;since\n1000;DISCOUNT_30;2026-01-31"),
    params(crate::openapi::ImportParameters, ("create_segments" = Option<bool>, Query, description = "Creates segments that do not exist, instead of refusing their rows")),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn memberships(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let create_segments = parameters.flag("create_segments");
    let import = Import { create_segments, ..membership_import(&mut parameters, None) };
    take(app, asker, limits, request, payload, parameters, import).await
}

/// Import the members of one segment
///
/// As `/memberships/import`, without the need for a column `segment`. With `mode=replace` the segment has exactly the
/// users of the file afterwards, and only the differences are written.
#[utoipa::path(post, path = "/api/v1/segments/{slug}/users/import", tag = "imports",
    request_body(content = String, content_type = "text/csv", example = "user_id\n1000\n1001"),
    params(crate::openapi::ImportParameters),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
        (status = 404, description = "`segment_not_found`"),
    ))]
pub(crate) async fn members(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
    slug: Path<String>,
) -> Result<HttpResponse, Problem> {
    let slug = crate::segments::slug_in(&slug)?;
    let mut parameters = Parameters::of(&request)?;
    let import = membership_import(&mut parameters, Some(slug.clone()));
    let looking = asker.clone();
    let known = move |app: &App| app.look(looking.caller(), |look| usecases::segments::get(look, &slug));
    blocking::run(app.clone(), known).await?;
    take(app, asker, limits, request, payload, parameters, import).await
}

/// Import users
///
/// `user_id`, and optionally `name`, `email`, `attributes` (a JSON object) and `created_at`; every other column becomes an
/// attribute. Users who are there get what the file says; what it leaves out stays.
#[utoipa::path(post, path = "/api/v1/users/import", tag = "imports",
    request_body(content = String, content_type = "text/csv", example = "user_id;name;country\n1000;Anna;Norway"),
    params(crate::openapi::DefinitionImportParameters),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn users(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take_definitions(app, asker, limits, request, payload, What::Users).await
}

/// Import segments
///
/// `segment`, and optionally `name`, `description`, `kind`, `percent`, `seed`, `default_ttl`, `created_at`, `updated_at`;
/// `user_count`, as exports have it, is read over. Segments that are there get what the file says; what it leaves out
/// stays. A percent gives the segment to its share of all users, by the positions of its seed.
#[utoipa::path(post, path = "/api/v1/segments/import", tag = "imports",
    request_body(content = String, content_type = "text/csv", example = "segment;name;percent\nDISCOUNT_30;Discount of 30 %;12.5"),
    params(crate::openapi::DefinitionImportParameters),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn segments(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    take_definitions(app, asker, limits, request, payload, What::Segments).await
}

async fn take_definitions(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    payload: Payload,
    what: What,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&request)?;
    let (atomic, dry_run) = (parameters.flag("atomic"), parameters.flag("dry_run"));
    let import = Import { atomic, dry_run, ..Import::of_rows(what) };
    take(app, asker, limits, request, payload, parameters, import).await
}

fn membership_import(parameters: &mut Parameters, segment: Option<domain::Slug>) -> Import {
    let mode = parameters
        .read("mode", "invalid_value", |text| Mode::parse(text).ok_or("must be add, remove or replace"))
        .unwrap_or(Mode::Add);
    Import {
        what: What::Memberships { segment },
        mode,
        atomic: parameters.flag("atomic"),
        dry_run: parameters.flag("dry_run"),
        create_segments: false,
        deadline: parameters.deadline(),
        reason: parameters.read("reason", "invalid_reason", Reason::parse),
    }
}

async fn take(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    mut payload: Payload,
    parameters: Parameters,
    import: Import,
) -> Result<HttpResponse, Problem> {
    parameters.end()?;
    require_kind(&request)?;
    let bytes_max = limits.import_bytes_max;
    let too_large = || Problem::new(Code::BodyTooLarge, format!("an import has at most {bytes_max} bytes"));
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let once = answers::once_of(&request, &[])?;
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(4);
    let tables = tables::Limits { unpacked_bytes_max: bytes_max, ..tables::Limits::default() };
    let atomic = import.atomic;
    let taking_for = asker.clone();
    let taking = blocking::run(app.clone(), move |app| {
        let mut body = Body { receiver, piece: Bytes::new() };
        imports::accept(app, taking_for.caller(), &import, once, &tables, &mut body)
    });
    let patience = limits.export_patience;
    let feeding = async {
        let mut total = 0;
        loop {
            let piece = match timeout(patience, payload.next()).await {
                Ok(None) => break sender.send(Ok(Bytes::new())).await,
                Ok(Some(Ok(piece))) if piece.is_empty() => continue,
                Ok(Some(Ok(piece))) => Ok(piece),
                Ok(Some(Err(error))) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, error.to_string())),
                Err(_) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "nothing came for too long")),
            };
            total += piece.as_ref().map_or(0, Bytes::len) as u64;
            let piece = match piece {
                Ok(_) if total > bytes_max => {
                    let detail = format!("an import has at most {bytes_max} bytes");
                    Err(io::Error::new(io::ErrorKind::FileTooLarge, detail))
                }
                piece => piece,
            };
            let failed = piece.is_err();
            // Whoever takes the bytes has given up; the answer says why.
            if sender.send(piece).await.is_err() || failed {
                break Ok(());
            }
        }
    };
    let (accepted, _) = tokio::join!(taking, feeding);
    let (job, begun) = accepted?;
    let begun = Begun { app, asker, request, job, begun }.finish().await?;
    if atomic && begun.job.state == JobState::Failed && begun.job.refused > 0 {
        return Err(Problem::invalid(imports::faults(&begun.job)));
    }
    begun.answer().await
}

/// A form or JSON is certainly not meant.
fn require_kind(request: &HttpRequest) -> Result<(), Problem> {
    let coding = request.headers().get(CONTENT_ENCODING).map(|coding| coding.as_bytes().to_ascii_lowercase());
    if coding.is_some_and(|coding| coding != b"identity" && coding != b"gzip") {
        return Err(Problem::new(Code::UnsupportedMediaType, "a file may be packed with gzip, not otherwise"));
    }
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = value.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if KINDS.contains(&kind.as_str()) {
        return Ok(());
    }
    let found = if kind.is_empty() { "nothing".to_owned() } else { format!("`{}`", kind.escape_debug()) };
    let known = KINDS.join(", ");
    let detail = format!("the body is declared as {found}; a file is declared as one of {known}");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

/// The bytes of a body, as they come. An empty piece is the end; without it the body was cut off.
struct Body {
    receiver: mpsc::Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let cut_off = || io::Error::new(io::ErrorKind::UnexpectedEof, "the connection was lost");
            self.piece = self.receiver.blocking_recv().ok_or_else(cut_off)??;
        }
        let length = self.piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.piece.split_to(length));
        Ok(length)
    }
}
