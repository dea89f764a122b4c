//! Reports: exports that are written to a file once, and fetched by a link that needs no session and ends.

use std::io::{self, Write};

use chrono::TimeDelta;
use domain::{Caller, Instant, Job, JobId, JobKind, JobState, Kind, Period, Slug, UserId, algebra::Expression};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tables::{Format, Header, Packing};

use crate::{
    Act, App, Error, Look,
    algebra::AlgebraQuery,
    exports::{self, Export, Form},
    history::{self, HistoryQuery},
    jobs::{self, Halt, Run},
    ports::{Direction, NewFile, SegmentOrder, SegmentQuery, SegmentSort, StoredFile, UserQuery},
    segments::StatsQuery,
};

/// The longest that a link holds, and the file is kept.
pub const LINK_DAYS_MAX: i64 = 7;
const SECRET: &str = "links";

/// What is to be reported, and how.
#[derive(Debug, Clone)]
pub struct Request {
    pub export: Export,
    pub format: Format,
    pub packing: Packing,
    /// How long the link holds.
    pub link_seconds: i64,
}

/// A report that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub job: JobId,
    pub file_name: String,
    pub format: Format,
    pub packing: Packing,
    pub rows: u64,
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
    pub expires_at: Instant,
    /// What proves that the link was given by this service.
    pub signature: String,
}

#[derive(Serialize, Deserialize)]
struct Task {
    export: WrittenExport,
    format: String,
    gzip: bool,
    link_seconds: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum WrittenExport {
    Members {
        slug: String,
        as_of: Option<i64>,
        text: Option<String>,
        /// What was begun before there were searches does not say.
        #[serde(default)]
        by_id_only: bool,
    },
    Algebra {
        expr: String,
        as_of: Option<i64>,
    },
    Users {
        text: Option<String>,
    },
    History {
        user: Option<String>,
        segment: Option<String>,
        from: Option<i64>,
        to: Option<i64>,
    },
    Stats {
        text: Option<String>,
        kind: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct Outcome {
    rows: u64,
    sha256: String,
}

/// Begins a report. Claimed by this caller, who is to run the job.
pub fn request(act: &mut Act, request: &Request) -> Result<Job, Error> {
    let task = serde_json::to_string(&Task::of(act.caller, request)).expect("plain data can be written");
    let mut job = Job::queued(JobKind::Report, act.caller.actor().clone(), task, act.now());
    jobs::claim(act, &mut job);
    job.id = act.unit.jobs().insert(&job)?;
    exports::begin(act, &request.export, request.format)?;
    Ok(job)
}

pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let request = Task::read(&run.job)?;
    let form = Form { format: request.format, packing: request.packing, header: Header::Written };
    let out = Hashed { file: run.app.files.create(&key(&run.job, &request))?, digest: Sha256::new() };
    let app = run.app;
    let mut halted = None;
    let written = app.look(&Caller::service("strata"), |look| {
        exports::write(look, &request.export, form, out, &mut |rows| {
            run.job.done = rows;
            run.beat().map_err(|halt| {
                halted = Some(halt);
                Error::Files(io::ErrorKind::Interrupted.into())
            })
        })
    });
    if let Some(halt) = halted {
        return Err(halt);
    }
    let (out, rows) = written?;
    out.file.finish()?;
    let outcome = Outcome { rows, sha256: hexadecimal(&out.digest.finalize()) };
    run.job.outcome = Some(serde_json::to_string(&outcome).expect("plain data can be written"));
    (run.job.done, run.job.total) = (rows, Some(rows));
    run.step(|act, _| {
        // The key that signs links is drawn once for the store, so that every node gives and takes the same.
        act.unit.secrets().find_or_keep(SECRET, &act.chance.digits(4))?;
        Ok(())
    })
}

/// Bytes on their way to a file, and their digest.
struct Hashed {
    file: Box<dyn NewFile>,
    digest: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.digest.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn key(job: &Job, request: &Request) -> String {
    format!("{}/report.{}", folder(job), tables::extension(request.format, request.packing))
}

pub(crate) fn folder(job: &Job) -> String {
    format!("reports/{}", job.id)
}

/// What a job of this kind brought about, once it is done; nothing for one who may not take that out any more.
pub fn of_job(look: &mut Look, job: &Job) -> Result<Option<Report>, Error> {
    if job.kind != JobKind::Report || job.state != JobState::Done {
        return Ok(None);
    }
    let request = Task::read(job)?;
    if exports::require(look.caller, &request.export).is_err() {
        return Ok(None);
    }
    let corrupt = || Error::Conflict(format!("the outcome of job {} cannot be read", job.id));
    let outcome: Outcome =
        job.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).ok_or_else(corrupt)?;
    let finished_at = job.finished_at.ok_or_else(corrupt)?;
    let expires_at = whole_second(finished_at + TimeDelta::seconds(request.link_seconds));
    let secret = look.unit.secrets().find(SECRET)?.ok_or_else(corrupt)?;
    Ok(Some(Report {
        job: job.id,
        file_name: file_name(&request),
        format: request.format,
        packing: request.packing,
        rows: outcome.rows,
        sha256: outcome.sha256,
        expires_at,
        signature: hexadecimal(&signature(&secret, job.id, expires_at).finalize().into_bytes()),
    }))
}

/// Opens what a link leads to, for whoever has it.
pub fn follow(app: &App, id: JobId, expires_at: Instant, given: &str) -> Result<(Report, Box<dyn StoredFile>), Error> {
    let changed = || Error::Denied("the link was changed".to_owned());
    let given = unhexadecimal(given).ok_or_else(changed)?;
    // Whoever has the link has what it leads to.
    let (report, key) = app.look(&Caller::service("strata"), |look| {
        let secret = look.unit.secrets().find(SECRET)?.ok_or_else(changed)?;
        signature(&secret, id, expires_at).verify_slice(&given).map_err(|_| changed())?;
        if expires_at <= look.now {
            return Err(Error::Denied("the link has ended".to_owned()));
        }
        let job = look.unit.jobs().find(id)?.ok_or_else(gone)?;
        let key = key(&job, &Task::read(&job)?);
        Ok((of_job(look, &job)?.ok_or_else(gone)?, key))
    })?;
    let file = app.files.open(&key)?.ok_or_else(gone)?;
    Ok((report, file))
}

fn gone() -> Error {
    Error::Denied("the report is no longer kept".to_owned())
}

/// Links are told in whole seconds, and hold no shorter than was promised.
fn whole_second(at: Instant) -> Instant {
    let begun = i64::from(at.timestamp_subsec_nanos() > 0);
    Instant::from_timestamp(at.timestamp() + begun, 0).unwrap_or(at)
}

/// HMAC (RFC 2104) with SHA-256 over what the link says.
fn signature(secret: &str, job: JobId, expires_at: Instant) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("report:{job}:{}", expires_at.timestamp()).as_bytes());
    mac
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The 32 bytes that a signature or a key has.
pub(crate) fn unhexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn file_name(request: &Request) -> String {
    let stem = match &request.export {
        Export::Members { slug, .. } => format!("members-{slug}"),
        Export::Algebra(_) => "algebra".to_owned(),
        Export::Users(_) => "users".to_owned(),
        Export::History(_) => "history".to_owned(),
        Export::Stats(_) => "stats".to_owned(),
    };
    format!("{stem}.{}", tables::extension(request.format, request.packing))
}

impl Task {
    /// The service, which is to write it, sees more than who asks: what a search may find is settled here.
    fn of(caller: &Caller, request: &Request) -> Task {
        let micros = |at: Option<Instant>| at.map(|at| at.timestamp_micros());
        let export = match &request.export {
            Export::Members { slug, as_of, users } => {
                let UserQuery { text, by_id_only, after: _ } = history::searched_by(caller, users);
                WrittenExport::Members { slug: slug.to_string(), as_of: micros(*as_of), text, by_id_only }
            }
            Export::Algebra(query) => {
                WrittenExport::Algebra { expr: query.expression.to_string(), as_of: micros(query.as_of) }
            }
            Export::Users(query) => WrittenExport::Users { text: query.text.clone() },
            Export::History(query) => WrittenExport::History {
                user: query.user.as_ref().map(UserId::to_string),
                segment: query.segment.as_ref().map(Slug::to_string),
                from: micros(query.period.from),
                to: micros(query.period.to),
            },
            Export::Stats(query) => WrittenExport::Stats {
                text: query.segments.text.clone(),
                kind: query.segments.kind.map(|kind| kind.as_str().to_owned()),
            },
        };
        Task {
            export,
            format: request.format.as_str().to_owned(),
            gzip: request.packing == Packing::Gzip,
            link_seconds: request.link_seconds,
        }
    }

    fn read(job: &Job) -> Result<Request, Error> {
        let corrupt = || Error::Conflict(format!("the task of job {} cannot be read", job.id));
        let task: Task = serde_json::from_str(&job.task).map_err(|_| corrupt())?;
        let instant = |micros: Option<i64>| micros.and_then(Instant::from_timestamp_micros);
        let slug = |text: String| Slug::parse(&text).map_err(|_| corrupt());
        let export = match task.export {
            WrittenExport::Members { slug: name, as_of, text, by_id_only } => {
                let users = UserQuery { text, by_id_only, after: None };
                Export::Members { slug: slug(name)?, as_of: instant(as_of), users }
            }
            WrittenExport::Algebra { expr, as_of } => Export::Algebra(AlgebraQuery {
                expression: Expression::parse(&expr).map_err(|_| corrupt())?,
                as_of: instant(as_of),
            }),
            WrittenExport::Users { text } => Export::Users(UserQuery { text, ..UserQuery::default() }),
            WrittenExport::History { user, segment, from, to } => Export::History(HistoryQuery {
                user: user.as_deref().map(UserId::parse).transpose().map_err(|_| corrupt())?,
                segment: segment.map(slug).transpose()?,
                period: Period { from: instant(from), to: instant(to) },
            }),
            WrittenExport::Stats { text, kind } => Export::Stats(StatsQuery::from(SegmentQuery {
                text,
                kind: kind.as_deref().and_then(Kind::parse),
                sort: SegmentSort { by: SegmentOrder::Slug, direction: Direction::Ascending },
                after: None,
            })),
        };
        Ok(Request {
            export,
            format: Format::parse(&task.format).ok_or_else(corrupt)?,
            packing: if task.gzip { Packing::Gzip } else { Packing::Plain },
            link_seconds: task.link_seconds,
        })
    }
}
