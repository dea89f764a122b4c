//! `/jobs`: long acts, followed, stopped and taken back.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION},
    },
    web::{self, Bytes, Data, Path, ServiceConfig},
};
use domain::{Actor, Job, JobId, JobKind, JobState};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tables::Packing;
use tokio::sync::Semaphore;
use usecases::{
    Act, App, Error, Look, demo,
    imports::{self, Import, Outcome, Refused, What},
    jobs,
    ports::JobQuery,
    reports::{self, Report},
    retention, stale,
};
use utoipa::ToSchema;

use crate::{
    Limits,
    addresses::base,
    answers::{Answer, Call, Page},
    blocking, bodies,
    callers::{self, Asker},
    cursors,
    fields::{Faults, TtlField},
    parameters::Parameters,
    problems::{Code, Problem},
    requests, streams, times,
};

/// How long a request waits for the end of a job that it began.
const WAIT: Duration = Duration::from_secs(20);
/// How often a job is looked at for those who follow it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After how many looks without news a follower hears that the connection still holds.
const SILENT_LOOKS_MAX: u32 = 30;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/jobs").get(list))
        .service(web::resource("/jobs/retention").post(forget))
        .service(web::resource("/jobs/stale_segments").post(tidy))
        .service(web::resource("/jobs/demo").post(fill))
        .service(web::resource("/jobs/{id}").get(get))
        .service(web::resource("/jobs/{id}/cancel").post(cancel))
        .service(web::resource("/jobs/{id}/undo").post(undo))
        .service(web::resource("/jobs/{id}/errors").get(errors))
        .service(web::resource("/jobs/{id}/events").get(events));
}

/// A long act, and how far it came.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    #[schema(example = 17)]
    id: i64,
    #[schema(value_type = JobKindView)]
    kind: &'static str,
    #[schema(value_type = JobStateView)]
    state: &'static str,
    progress: ProgressView,
    /// What an import was asked to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<ImportView>,
    /// What an import, or the taking back of one, did so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<BTreeMap<&'static str, u64>>,
    /// Rows that were refused.
    refused: u64,
    /// The first of them; `errors_url` has all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    refusals: Vec<RefusalView>,
    /// The refused rows in the input's own format, to be mended and sent again.
    #[schema(required = true, example = "/api/v1/jobs/17/errors")]
    errors_url: Option<String>,
    /// What was made: the link of a report.
    #[schema(required = true)]
    result_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportView>,
    /// The stale segments that were found, the first thousand of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments: Option<Vec<String>>,
    /// Why it failed, or what is left of what was cancelled.
    #[schema(required = true)]
    problem: Option<String>,
    /// The job that this one takes back.
    #[schema(required = true)]
    undoes: Option<i64>,
    #[schema(example = "api")]
    actor: String,
    /// Who asked for its end.
    #[schema(required = true)]
    cancelled_by: Option<String>,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    created_at: String,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    started_at: Option<String>,
    #[schema(value_type = Option<chrono::DateTime<chrono::Utc>>, required = true)]
    finished_at: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobKind)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum JobKindView {
    ImportMemberships,
    ImportUsers,
    ImportSegments,
    Undo,
    Report,
    Retention,
    StaleSegments,
    Demo,
}

/// How much of history stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Retention {
    /// What happened before the beginning of the month so many months ago is forgotten.
    #[schema(minimum = 1, maximum = 1200, example = 24)]
    months: u32,
}

/// Which segments are stale.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stale {
    /// Those that nobody changed, entered or left for so long.
    #[schema(example = "P180D")]
    older_than: TtlField,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobState)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code)]
pub(crate) enum JobStateView {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// What is told of a job while it is followed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "events are written as text; this is what the document says of them")]
pub(crate) struct JobEvent {
    #[schema(example = "job")]
    event: String,
    /// The job as JSON, as `/jobs/{id}` has it.
    data: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Progress)]
pub(crate) struct ProgressView {
    /// Rows; of demo data, days.
    done: u64,
    #[schema(required = true)]
    total: Option<u64>,
    /// Rows in a second, since it began.
    #[schema(required = true)]
    rate: Option<f64>,
    #[schema(required = true)]
    eta_seconds: Option<f64>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ImportTask)]
pub(crate) struct ImportView {
    /// The one segment that it is about.
    #[schema(required = true)]
    segment: Option<String>,
    #[schema(example = "add")]
    mode: &'static str,
    atomic: bool,
    dry_run: bool,
    create_segments: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Refusal)]
pub(crate) struct RefusalView {
    #[schema(example = 7)]
    line: u64,
    /// Empty when it is about the whole row.
    #[schema(example = "expires_at")]
    column: String,
    #[schema(example = "the deadline is not in the future")]
    reason: String,
}

/// A file that waits to be fetched.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
pub(crate) struct ReportView {
    /// Whoever has it may fetch the file, without signing in, until it ends.
    pub(crate) link: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-21T12:00:00.000000Z")]
    pub(crate) expires_at: String,
    pub(crate) rows: u64,
    /// Of the file, in hexadecimal digits.
    pub(crate) sha256: String,
    /// The job that wrote it.
    pub(crate) job_id: i64,
}

impl ReportView {
    pub(crate) fn new(report: &Report, base: &str) -> ReportView {
        let (id, name) = (report.job, &report.file_name);
        let (expires, signature) = (report.expires_at.timestamp(), &report.signature);
        ReportView {
            link: format!("{base}/api/v1/reports/{id}/{name}?expires={expires}&signature={signature}"),
            expires_at: times::write(report.expires_at),
            rows: report.rows,
            sha256: report.sha256.clone(),
            job_id: id.0,
        }
    }
}

impl JobView {
    /// `base` is where this service is reached from outside.
    pub(crate) fn read(look: &mut Look, job: &Job, base: &str) -> Result<JobView, Error> {
        let report = reports::of_job(look, job)?.map(|report| ReportView::new(&report, base));
        let stale = (job.kind == JobKind::StaleSegments).then(|| stale::Outcome::of(job).slugs);
        let outcome = Outcome::of(job);
        let has_file = outcome.refused_file.is_some();
        let import = match job.kind {
            JobKind::ImportMemberships | JobKind::ImportUsers | JobKind::ImportSegments => {
                Some(ImportView::from(Import::of(job)?))
            }
            _ => None,
        };
        let tenth = |number: f64| (number * 10.0).round() / 10.0;
        Ok(JobView {
            id: job.id.0,
            kind: job.kind.as_str(),
            state: job.state.as_str(),
            progress: ProgressView {
                done: job.done,
                total: job.total,
                rate: job.rate(look.now).map(tenth),
                eta_seconds: job.eta_seconds(look.now).map(tenth),
            },
            import,
            counts: counts(job, &outcome),
            refused: job.refused,
            refusals: outcome.refusals.into_iter().map(RefusalView::from).collect(),
            errors_url: has_file.then(|| format!("/api/v1/jobs/{}/errors", job.id)),
            result_url: report.as_ref().map(|report| report.link.clone()),
            report,
            segments: stale,
            problem: job.problem.clone(),
            undoes: job.undoes.map(|id| id.0),
            actor: job.actor.to_string(),
            cancelled_by: job.cancelled_by.as_ref().map(Actor::to_string),
            created_at: times::write(job.created_at),
            started_at: job.started_at.map(times::write),
            finished_at: job.finished_at.map(times::write),
        })
    }
}

fn counts(job: &Job, outcome: &Outcome) -> Option<BTreeMap<&'static str, u64>> {
    let counts = match job.kind {
        JobKind::ImportUsers | JobKind::ImportSegments => vec![
            ("created", outcome.added),
            ("updated", outcome.updated),
            ("unchanged", outcome.unchanged),
            ("duplicates", outcome.duplicates),
        ],
        JobKind::Undo => vec![
            ("added", outcome.added),
            ("extended", outcome.extended),
            ("removed", outcome.removed),
            ("unchanged", outcome.unchanged),
        ],
        JobKind::ImportMemberships => vec![
            ("added", outcome.added),
            ("extended", outcome.extended),
            ("removed", outcome.removed),
            ("unchanged", outcome.unchanged),
            ("duplicates", outcome.duplicates),
            ("users_created", outcome.users_created),
            ("segments_created", outcome.segments_created),
        ],
        JobKind::Retention => {
            let outcome = retention::Outcome::of(job);
            vec![("forgotten", outcome.forgotten), ("kept", outcome.kept)]
        }
        JobKind::StaleSegments => vec![("found", stale::Outcome::of(job).found)],
        JobKind::Demo => {
            let outcome = demo::Outcome::of(job);
            vec![("users_created", outcome.users), ("days", outcome.days)]
        }
        JobKind::Report => return None,
    };
    Some(BTreeMap::from_iter(counts))
}

impl From<Import> for ImportView {
    fn from(import: Import) -> ImportView {
        let segment = match import.what {
            What::Memberships { segment } => segment.map(|slug| slug.to_string()),
            What::Users | What::Segments => None,
        };
        ImportView {
            segment,
            mode: import.mode.as_str(),
            atomic: import.atomic,
            dry_run: import.dry_run,
            create_segments: import.create_segments,
        }
    }
}

impl From<Refused> for RefusalView {
    fn from(Refused { line, column, reason }: Refused) -> RefusalView {
        RefusalView { line, column, reason }
    }
}

/// Long acts, the newest first
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs",
    params(
        ("kind" = Option<JobKindView>, Query,),
        ("state" = Option<JobStateView>, Query,),
        crate::openapi::Paging,
    ),
    responses((status = 200, description = "A page of jobs", body = Page<JobView>)))]
pub(crate) async fn list(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let kind = parameters.read("kind", "invalid_value", |text| JobKind::parse(text).ok_or("is not a kind of job"));
    let state = parameters.read("state", "invalid_value", |text| JobState::parse(text).ok_or("is not a state"));
    let after = parameters.id_cursor("jobs").map(JobId);
    let (limit, exact) = (parameters.limit(), parameters.counts_exactly());
    parameters.end()?;
    let base = base(&call.request);
    call.look(move |look| {
        let query = JobQuery { kind, state, after, ..JobQuery::default() };
        let found = jobs::list(look, &query, limit + 1)?;
        let total = if exact { Some(jobs::count(look, &query)?) } else { None };
        let (found, next_cursor) = cursors::page(found, limit, |last| cursors::write(&("jobs", last.id.0)));
        let items = found.iter().map(|job| JobView::read(look, job, &base)).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor, total })
    })
    .await
}

/// One long act
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "jobs",
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "`job_not_found`"),
    ))]
pub(crate) async fn get(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let (id, base) = (id_of(&id)?, base(&call.request));
    call.look(move |look| {
        let job = jobs::get(look, id)?;
        JobView::read(look, &job, &base)
    })
    .await
}

/// End a job
///
/// One that nobody took up ends at once, one under way after the step that it is at. What it did stays, and can be undone.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/cancel", tag = "jobs",
    responses(
        (status = 200, description = "The job", body = JobView),
        (status = 404, description = "`job_not_found`"),
        (status = 409, description = "`conflict`"),
    ))]
pub(crate) async fn cancel(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let (id, base) = (id_of(&id)?, base(&call.request));
    call.act(move |act| {
        let job = jobs::cancel(act, id)?;
        let now = act.now();
        Ok(Answer::ok(&JobView::read(&mut act.looking(now), &job, &base)?))
    })
    .await
}

/// Take an import back
///
/// What it added is removed, what it removed comes back with its beginning and deadline, and deadlines that it moved are
/// as before; whatever others changed since stays. History gets rows of its own. An undo can be undone.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/undo", tag = "jobs",
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
        (status = 404, description = "`job_not_found`"),
        (status = 409, description = "`conflict`"),
    ))]
pub(crate) async fn undo(call: Call, id: Path<String>) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let id = id_of(&id)?;
    let begun = begin(call, move |act| jobs::undo(act, id)).await?;
    begun.answer().await
}

/// Forget the beginning of history
///
/// Of each membership that was there by then its add stays, so that every later instant can still be asked. A dry run
/// tells how many rows would go.
#[utoipa::path(post, path = "/api/v1/jobs/retention", tag = "jobs", request_body = Retention,
    params(crate::openapi::DryRun),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn forget(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let body = bodies::read::<Retention>(&call.request, &call.body)?;
    let begun = begin(call, move |act| retention::request(act, body.months, dry_run)).await?;
    begun.answer().await
}

/// Delete stale segments
///
/// Their history stays. A dry run names them.
#[utoipa::path(post, path = "/api/v1/jobs/stale_segments", tag = "jobs", request_body = Stale,
    params(crate::openapi::DryRun),
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
    ))]
pub(crate) async fn tidy(call: Call) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(&call.request)?;
    let dry_run = parameters.flag("dry_run");
    parameters.end()?;
    let body = bodies::read::<Stale>(&call.request, &call.body)?;
    let mut faults = Faults::default();
    let older_than = faults.ttl("/older_than", Some(&body.older_than));
    let older_than = faults.or(older_than)?;
    let begun = begin(call, move |act| stale::request(act, older_than, dry_run)).await?;
    begun.answer().await
}

/// Fill an empty store with a made-up shop
///
/// 10,000 users with half a year of history, the same that `strata demo` makes. Progress is in days. Cancelled, it leaves what it made,
/// and says how much that is.
#[utoipa::path(post, path = "/api/v1/jobs/demo", tag = "jobs",
    responses(
        (status = 200, description = "It is done", body = JobView),
        (status = 202, description = "It goes on by itself: follow Location", body = JobView),
        (status = 409, description = "`conflict`: there are users or segments already, or it is being made"),
    ))]
pub(crate) async fn fill(call: Call) -> Result<HttpResponse, Problem> {
    Parameters::of(&call.request)?.end()?;
    let begun = begin(call, demo::request).await?;
    begun.answer().await
}

/// The rows that an import refused
///
/// In the input's own format, with the columns `import_line` and `import_error` before the others. Mended, it can be sent
/// again as it is.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/errors", tag = "jobs",
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 404, description = "`job_not_found`, or `route_not_found` when no row was refused"),
    ))]
pub(crate) async fn errors(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request)?.end()?;
    let id = id_of(&id)?;
    let found = blocking::run(app, move |app| imports::refused_file(app, asker.caller(), id));
    let none = || Problem::new(Code::RouteNotFound, format!("job {id} refused no rows, or they are no longer kept"));
    let (format, mut file) = found.await?.ok_or_else(none)?;
    let mut response = HttpResponse::Ok();
    let name = format!("refused-{id}.{}", format.as_str());
    response
        .insert_header((CONTENT_TYPE, tables::content_type(format, Packing::Plain)))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    streams::answer(response, limits.export_patience, move |mut pieces| {
        std::io::copy(&mut file, &mut pieces)?;
        Ok(pieces)
    })
    .await
}

/// Follow a job
///
/// Server-sent events: an event `job` with the job as JSON whenever it changed, until it ended.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/events", tag = "jobs",
    responses(
        (status = 200, description = "`event: job`, `data: {…}`", body = JobEvent, content_type = "text/event-stream"),
        (status = 404, description = "`job_not_found`"),
    ))]
pub(crate) async fn events(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Parameters::of(&request)?.end()?;
    let (id, base) = (id_of(&id)?, base(&request));
    let followers = Arc::clone(&limits.followers);
    let permit = Arc::clone(&followers).try_acquire_owned();
    let permit =
        permit.map_err(|_| Problem::new(Code::Busy, "as many jobs as can be followed at once are followed"))?;
    let first = view(app.clone(), asker.clone(), id, base.clone()).await?;
    let state =
        Following { app, asker, request, id, base, followers, told: String::new(), next: Some(first), is_over: false };
    let events = stream::unfold(state, move |mut following| {
        let _held = &permit;
        async move {
            let text = following.news().await?;
            Some((Ok::<_, Problem>(Bytes::from(text)), following))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(events))
}

struct Following {
    app: Data<App>,
    asker: Asker,
    /// Of whoever follows, who may not be let in any more.
    request: HttpRequest,
    id: JobId,
    base: String,
    followers: Arc<Semaphore>,
    told: String,
    next: Option<(JobState, String)>,
    is_over: bool,
}

impl Following {
    /// The next piece of the stream, when there is something to tell or silence lasted; nothing after the end.
    async fn news(&mut self) -> Option<String> {
        if self.is_over {
            return None;
        }
        for _ in 0..SILENT_LOOKS_MAX {
            let (state, text) = match self.next.take() {
                Some(first) => first,
                None => {
                    tokio::time::sleep(LOOK_EVERY).await;
                    // The service ends: whoever follows comes again.
                    if self.followers.is_closed() {
                        return None;
                    }
                    self.asker = callers::again(&self.request, &self.asker).await?;
                    match view(self.app.clone(), self.asker.clone(), self.id, self.base.clone()).await {
                        Ok(seen) => seen,
                        // The store may be away for a while; the job is not over for that.
                        Err(_) => continue,
                    }
                }
            };
            self.is_over = state.is_final();
            if text != self.told || self.is_over {
                self.told = text;
                return Some(format!("event: job\ndata: {}\n\n", self.told));
            }
        }
        Some(": still there\n\n".to_owned())
    }
}

async fn view(app: Data<App>, asker: Asker, id: JobId, base: String) -> Result<(JobState, String), Problem> {
    blocking::run(app, move |app| {
        app.look(asker.caller(), |look| {
            let job = jobs::get(look, id)?;
            let view = JobView::read(look, &job, &base)?;
            Ok((job.state, serde_json::to_string(&view).expect("a view is plain data")))
        })
    })
    .await
}

fn id_of(text: &str) -> Result<JobId, Problem> {
    let id = text.parse().ok().filter(|id| *id > 0).map(JobId);
    id.ok_or_else(|| Problem::new(Code::JobNotFound, format!("no job named `{}`", text.escape_debug())))
}

/// A job that a request began, or had begun before.
pub(crate) struct Begun {
    pub(crate) app: Data<App>,
    pub(crate) asker: Asker,
    pub(crate) request: HttpRequest,
    pub(crate) job: Job,
    pub(crate) begun: jobs::Begun,
}

/// Begins a job by `work`; with an idempotency key at most once.
pub(crate) async fn begin(
    call: Call,
    work: impl FnOnce(&mut Act) -> Result<Job, Error> + Send + 'static,
) -> Result<Begun, Problem> {
    let once = call.once()?;
    let (app, asker, request) = (call.app.clone(), call.asker.clone(), call.request.clone());
    let (job, begun) = blocking::run(call.app, move |app| jobs::begin(app, call.asker.caller(), once, work)).await?;
    Ok(Begun { app, asker, request, job, begun })
}

impl Begun {
    pub(crate) fn is_replayed(&self) -> bool {
        self.begun == jobs::Begun::Before
    }

    /// Carries the job out if it is this request's to do, and waits for its end, within reason.
    pub(crate) async fn finish(mut self) -> Result<Begun, Problem> {
        if self.job.state != JobState::Running || self.is_replayed() {
            return Ok(self);
        }
        let (app, job) = (self.app.clone(), self.job.clone());
        let id = requests::current_id();
        let running = tokio::task::spawn_blocking(move || {
            requests::working_for(id, || {
                let ended = jobs::run(&app, job, &|| false);
                // It stays, and a worker goes on with it.
                ended.inspect_err(|error| log::warn!("a job stopped: {error}")).ok()
            })
        });
        let limits = self.request.app_data::<Data<Limits>>();
        let wait = limits.map_or(WAIT, |limits| WAIT.min(limits.request_timeout / 2));
        if let Ok(Ok(Some(job))) = tokio::time::timeout(wait, running).await {
            self.job = job;
        }
        Ok(self)
    }

    /// Carries the job out as [`finish`](Self::finish) does, and tells of it.
    pub(crate) async fn answer(self) -> Result<HttpResponse, Problem> {
        self.finish().await?.told().await
    }

    /// The job as it stands: 200 when it is over, or else 202 and where to follow it.
    pub(crate) async fn told(self) -> Result<HttpResponse, Problem> {
        let (job, base) = (self.job.clone(), base(&self.request));
        let asker = self.asker.clone();
        let view = blocking::run(self.app.clone(), move |app| {
            app.look(asker.caller(), |look| {
                let view = JobView::read(look, &job, &base)?;
                Ok(serde_json::to_string(&view).expect("a view is plain data"))
            })
        })
        .await?;
        let status = if self.job.state.is_final() { StatusCode::OK } else { StatusCode::ACCEPTED };
        let mut response = HttpResponse::build(status);
        response.insert_header((LOCATION, format!("/api/v1/jobs/{}", self.job.id)));
        if self.is_replayed() {
            response.insert_header(("idempotent-replayed", "true"));
        }
        Ok(response.content_type("application/json").body(view))
    }
}
