//! Imports: files of any length, each a job that can be followed, stopped and taken back.
//!
//! A file is first read to its end, row by row, so that one that cannot be read changes nothing. Its good rows are
//! sorted and carried out in batches, each one transaction; its bad rows go into a file of the input's own format.

mod memberships;
mod rows;
mod segments;
mod tasks;
pub(crate) mod undo;
mod users;

use std::{
    cmp::Ordering,
    io::{self, Read, Write},
    iter::Peekable,
};

use chrono::TimeDelta;
use domain::{Action, Caller, Job, JobId, JobKind, Permission};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tables::{Format, Limits, Reader, Rejects, Row, TableError};

use crate::{
    Act, App, Error, Fault,
    answers::Once,
    audit,
    jobs::{self, Begun, Ending, Halt, Run, read, write},
    ports::{Files, NewFile, StoredFile},
    sorting::{Sortable, Sorted, Sorter},
};

use rows::Refusal;
use tasks::Task;

pub use tasks::{Import, Mode, What};

/// Up to this many rows are carried out while the caller waits.
pub const AT_ONCE_MAX: u64 = 10_000;
/// How many rows are carried out in one transaction, where each is little.
pub const BATCH_MAX: usize = 20_000;
/// How long a file may be on its way in.
const UPLOAD_DAYS_MAX: i64 = 1;
/// How many refused rows a job tells of by itself; the file has all.
const REFUSALS_TOLD_MAX: usize = 20;

/// What came of an import so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Memberships that began, users who were born, or segments that were made.
    pub added: u64,
    /// Memberships that got another deadline.
    pub extended: u64,
    /// Users and segments that were completed.
    pub updated: u64,
    pub removed: u64,
    /// Rows that named what was so already.
    pub unchanged: u64,
    /// Rows that speak of the same as a later one: that one counts.
    pub duplicates: u64,
    /// Users whom rows of memberships brought to life.
    pub users_created: u64,
    pub segments_created: u64,
    /// The first rows that were refused.
    pub refusals: Vec<Refused>,
    /// Where the file of refused rows is, when there are any.
    pub refused_file: Option<String>,
}

/// A row that was not imported, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub line: u64,
    pub column: String,
    pub reason: String,
}

impl Outcome {
    pub fn of(job: &Job) -> Outcome {
        job.outcome.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn add(&mut self, other: &Outcome) {
        for (sum, more) in [
            (&mut self.added, other.added),
            (&mut self.extended, other.extended),
            (&mut self.updated, other.updated),
            (&mut self.removed, other.removed),
            (&mut self.unchanged, other.unchanged),
            (&mut self.duplicates, other.duplicates),
            (&mut self.users_created, other.users_created),
            (&mut self.segments_created, other.segments_created),
        ] {
            *sum += more;
        }
    }
}

/// Takes a file in: keeps it, reads it to its end, and makes a job of it. A file that cannot be read is refused whole.
/// Up to [`AT_ONCE_MAX`] rows are claimed by this caller, who is to [`jobs::run`] the job; more are left to the workers.
pub fn accept(
    app: &App,
    caller: &Caller,
    import: &Import,
    once: Option<Once>,
    limits: &Limits,
    body: &mut dyn Read,
) -> Result<(Job, Begun), Error> {
    let folder = format!("imports/{}", app.chance.digits(2));
    may(caller, import)?;
    app.act(caller, |act| {
        let now = act.now();
        Ok(act.unit.jobs().begin_upload(&folder, now)?)
    })?;
    let accepted = receive(app, &folder, body).and_then(|digest| {
        let rows = survey(app, &folder, import, limits)?;
        let once = once.map(|once| Once { fingerprint: format!("{}:{digest}", once.fingerprint), ..once });
        let task = Task::new(import, &folder, limits).write();
        jobs::begin(app, caller, once, |act| insert(act, import, &folder, task, rows))
    });
    if !matches!(accepted, Ok((_, Begun::Now))) {
        // What cannot be forgotten now is found by the sweep.
        let forgotten = forget(app, &folder);
        return accepted.and_then(|accepted| forgotten.map(|()| accepted));
    }
    accepted
}

fn may(caller: &Caller, import: &Import) -> Result<(), Error> {
    match &import.what {
        What::Memberships { segment: Some(slug) } => Ok(caller.require_in(Permission::Manage, [slug])?),
        What::Memberships { segment: None } | What::Segments => Ok(caller.require(Permission::Manage)?),
        // What it counts as unchanged tells what was there.
        What::Users => {
            caller.require(Permission::Manage)?;
            Ok(caller.require(Permission::ReadPersons)?)
        }
    }
}

/// Forgets at most `limit` files that began to come long ago and never became a job, because the process was killed.
pub fn sweep(app: &App, limit: usize) -> Result<usize, Error> {
    let old = app.look(&Caller::service("strata"), |look| {
        Ok(look.unit.jobs().uploads_before(look.now - TimeDelta::days(UPLOAD_DAYS_MAX), limit)?)
    })?;
    for folder in &old {
        app.act(&Caller::service("worker"), |act| {
            // Only where no job has it by now; and should this fail, it is known as before.
            if act.unit.jobs().end_upload(folder)? {
                app.files.delete(folder)?;
            }
            Ok(())
        })?;
    }
    Ok(old.len())
}

fn forget(app: &App, folder: &str) -> Result<(), Error> {
    app.files.delete(folder)?;
    app.act(&Caller::service("worker"), |act| Ok(act.unit.jobs().end_upload(folder)?)).map(drop)
}

fn input(folder: &str) -> String {
    format!("{folder}/input")
}

/// Keeps the bytes as they come, and tells their digest.
fn receive(app: &App, folder: &str, body: &mut dyn Read) -> Result<String, Error> {
    let mut file = app.files.create(&input(folder))?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                digest.update(&buffer[..length]);
                file.write_all(&buffer[..length])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(Error::TooLarge(error.to_string()));
            }
            Err(error) => return Err(Error::invalid("", "incomplete", format!("the body ended early: {error}"))),
        }
    }
    file.finish()?;
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads the whole file without keeping any of it, and tells how many rows there are.
fn survey(app: &App, folder: &str, import: &Import, limits: &Limits) -> Result<u64, Error> {
    let mut reader = open(&*app.files, folder, limits)?;
    let (mut row, mut rows, mut columns) = (Row::default(), 0, 0);
    loop {
        if columns != reader.columns().len() || rows == 0 {
            columns = reader.columns().len();
            rows::refuse_unknown_columns(import, reader.columns())?;
        }
        if !reader.next(&mut row).map_err(unreadable)? {
            break;
        }
        rows += 1;
    }
    rows::refuse_unknown_columns(import, reader.columns())?;
    rows::refuse_missing_columns(import, reader.columns())?;
    match rows {
        0 => Err(Error::invalid("", "no_rows", "the file has no rows")),
        rows => Ok(rows),
    }
}

fn open(files: &dyn Files, folder: &str, limits: &Limits) -> Result<Reader, Error> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "the file to import is gone");
    let file = files.open(&input(folder))?.ok_or_else(missing)?;
    Reader::open(Box::new(file), limits).map_err(unreadable)
}

fn unreadable(error: TableError) -> Error {
    use std::error::Error as _;
    if let Some(world) = error.source().and_then(|source| source.downcast_ref::<io::Error>()) {
        return Error::Files(io::Error::new(world.kind(), error));
    }
    let pointer = error.line.map(|line| format!("line {line}")).unwrap_or_default();
    Error::invalid(pointer, error.code, error.detail)
}

fn insert(act: &mut Act, import: &Import, folder: &str, task: String, rows: u64) -> Result<Job, Error> {
    if !act.unit.jobs().end_upload(folder)? {
        return Err(Error::Conflict(format!("the file came for longer than {UPLOAD_DAYS_MAX} day, and was given up")));
    }
    let kind = match import.what {
        What::Users => JobKind::ImportUsers,
        What::Segments => JobKind::ImportSegments,
        What::Memberships { .. } => JobKind::ImportMemberships,
    };
    let mut job = Job { total: Some(rows), ..Job::queued(kind, act.caller.actor().clone(), task, act.now()) };
    if rows <= AT_ONCE_MAX {
        jobs::claim(act, &mut job);
    }
    job.id = act.unit.jobs().insert(&job)?;
    if !import.dry_run {
        let detail = serde_json::json!({"kind": kind.as_str(), "rows": rows, "mode": import.mode.as_str()});
        audit::note(act, job.created_at, Action::DataImported, format!("job/{}", job.id), detail)?;
    }
    Ok(job)
}

/// The kept files of an import, for when its job is forgotten.
pub(crate) fn folder(job: &Job) -> Result<String, Error> {
    Task::of(job).map(|task| task.folder().to_owned())
}

/// Where a line stands among all: lines are carried out in this order, so that rows that belong together meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) first: String,
    pub(crate) second: String,
    /// For rows of a log, which are all carried out, one after the other.
    pub(crate) moment: Option<i64>,
    pub(crate) line: u64,
}

impl Place {
    /// Of a row that speaks of one thing by itself.
    fn of(first: String, line: u64) -> Place {
        Place { first, second: String::new(), moment: None, line }
    }

    /// Whether two lines speak of the same thing, and the later one alone counts.
    fn repeats(&self, other: &Place) -> bool {
        self.is_of_pair(other) && self.moment.is_none()
    }

    fn is_of_pair(&self, other: &Place) -> bool {
        self.first == other.first && self.second == other.second
    }
}

/// A row that was read, as it is sorted.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line<T> {
    place: Place,
    content: T,
}

/// What is kept of a row.
pub(crate) trait Content: Serialize + DeserializeOwned {
    /// How long its texts are.
    fn bytes(&self) -> usize;
}

impl<T: Content> Sortable for Line<T> {
    fn bytes(&self) -> usize {
        256 + self.place.first.len() + self.place.second.len() + self.content.bytes()
    }
}

impl<T> Ord for Line<T> {
    fn cmp(&self, other: &Line<T>) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl<T> PartialOrd for Line<T> {
    fn partial_cmp(&self, other: &Line<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Line<T> {
    fn eq(&self, other: &Line<T>) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Line<T> {}

/// Fails when the world does; what is wrong with a row is its refusal.
pub(crate) type Reading<T> = Result<Result<Line<T>, Refusal<Line<T>>>, Error>;

/// A kind of import: how its rows are read, and how they are carried out.
pub(crate) trait Importer {
    type Content: Content;

    /// How many rows are carried out in one transaction.
    const BATCH_MAX: usize = BATCH_MAX;

    /// Whether only the place of the row is kept, because it was refused.
    fn is_refused(_content: &Self::Content) -> bool {
        false
    }
    fn read(&mut self, columns: &[String], row: &Row) -> Reading<Self::Content>;
    /// Takes the locks under which these lines are carried out.
    fn lock(&self, act: &mut Act, lines: &[Line<Self::Content>]) -> Result<(), Error>;
    /// Takes the locks under which any lines are carried out.
    fn lock_all(&self, act: &mut Act) -> Result<(), Error>;
    fn act(&self, act: &mut Act, batch: &Batch<Self::Content>) -> Result<Outcome, Error>;
}

/// Lines that are carried out together, each place once.
pub(crate) struct Batch<T> {
    pub(crate) lines: Vec<Line<T>>,
    duplicates: u64,
    /// The place behind which this batch begins.
    pub(crate) behind: Option<Place>,
    /// The place where the next batch begins.
    pub(crate) before: Option<Place>,
}

pub(crate) fn carry_out(run: &mut Run) -> Result<(), Halt> {
    let task = Task::of(&run.job)?;
    match &task.import.what {
        What::Users => {
            let importer = users::UserImporter { asked_at: run.job.created_at };
            go_through(run, &task, importer)
        }
        What::Segments => {
            let importer = segments::SegmentImporter::new(run.app, run.job.created_at);
            go_through(run, &task, importer)
        }
        What::Memberships { .. } => {
            let importer = memberships::MembershipImporter::new(run.app, &task, run.job.created_at);
            go_through(run, &task, importer)
        }
    }
}

fn go_through<I: Importer>(run: &mut Run, task: &Task, mut importer: I) -> Result<(), Halt> {
    let (sorted, refused) = sort_out(run, task, &mut importer)?;
    let mut outcome = Outcome::of(&run.job);
    run.job.refused = refused.count;
    // Without a place it begins, also where an earlier attempt told of what it never brought to an end.
    if run.job.place.is_none() {
        run.job.done = refused.count;
        outcome = Outcome::default();
    }
    (outcome.refusals, outcome.refused_file) = (refused.told, refused.file);
    run.job.outcome = Some(write(&outcome));
    if task.import.atomic && refused.count > 0 {
        let rows = if refused.count == 1 { "1 row was".to_owned() } else { format!("{} rows were", refused.count) };
        return Err(Error::Conflict(format!("{rows} refused, so nothing was imported")).into());
    }
    let place = run.job.place.as_deref().map(read).transpose()?;
    let mut feed = Feed::<I> { sorted: sorted.peekable(), behind: place };
    feed.skip_done()?;
    let ending = match task.import {
        Import { dry_run: true, .. } => Some(Ending::TakeBack),
        Import { atomic: true, .. } => Some(Ending::Commit),
        _ => None,
    };
    let Some(ending) = ending else {
        while let Some(batch) = feed.next()? {
            run.step(|act, job| {
                importer.lock(act, &batch.lines)?;
                note::<I>(job, &mut outcome.clone(), &importer.act(act, &batch)?, &batch)
            })?;
            outcome = Outcome::of(&run.job);
        }
        return Ok(());
    };
    run.whole(ending, |act, run| {
        importer.lock_all(act)?;
        while let Some(batch) = feed.next()? {
            let more = importer.act(act, &batch)?;
            note::<I>(&mut run.job, &mut outcome, &more, &batch)?;
            // It begins anew when it is interrupted.
            run.job.place = None;
            run.beat()?;
        }
        Ok(())
    })
}

/// Notes what a batch did.
fn note<I: Importer>(
    job: &mut Job,
    outcome: &mut Outcome,
    more: &Outcome,
    batch: &Batch<I::Content>,
) -> Result<(), Error> {
    outcome.add(more);
    outcome.duplicates += batch.duplicates;
    let carried_out = batch.lines.iter().filter(|line| !I::is_refused(&line.content)).count() as u64;
    job.done += carried_out + batch.duplicates;
    job.outcome = Some(write(outcome));
    job.place = batch.lines.last().map(|line| write(&line.place));
    Ok(())
}

struct RefusedRows {
    count: u64,
    told: Vec<Refused>,
    file: Option<String>,
}

/// Reads all rows: the good ones are sorted, the bad ones written aside.
fn sort_out<I: Importer>(run: &mut Run, task: &Task, importer: &mut I) -> Result<(Lines<I>, RefusedRows), Halt> {
    let app = run.app;
    let mut reader = open(&*app.files, task.folder(), &task.limits())?;
    let mut sorter = Sorter::new(&*app.files);
    let mut refused = RefusedRows { count: 0, told: Vec::new(), file: None };
    let mut rejects: Option<Rejects<Box<dyn NewFile>>> = None;
    let mut row = Row::default();
    let mut rows = 0_u64;
    while reader.next(&mut row).map_err(unreadable)? {
        rows += 1;
        if rows.is_multiple_of(8_192) {
            run.beat()?;
        }
        let refusal = match importer.read(reader.columns(), &row)? {
            Ok(line) => {
                sorter.push(line)?;
                continue;
            }
            Err(refusal) => refusal,
        };
        if let Some(kept) = refusal.kept {
            sorter.push(kept)?;
        }
        let out = match &mut rejects {
            Some(out) => out,
            none => {
                let key = format!("{}/refused.{}", task.folder(), reader.shape().format.as_str());
                let file = app.files.create(&key)?;
                refused.file = Some(key);
                none.insert(Rejects::new(file, reader.shape()))
            }
        };
        let reason = match refusal.column.as_str() {
            "" => refusal.reason.clone(),
            column => format!("{column}: {}", refusal.reason),
        };
        out.reject(reader.columns(), &row, &reason)?;
        refused.count += 1;
        if refused.told.len() < REFUSALS_TOLD_MAX {
            refused.told.push(Refused { line: row.line(), column: refusal.column, reason: refusal.reason });
        }
    }
    if let Some(rejects) = rejects {
        rejects.finish()?.finish()?;
    }
    Ok((sorter.sorted()?, refused))
}

type Lines<I> = Sorted<Line<<I as Importer>::Content>>;

/// Sorted lines, batch by batch.
struct Feed<I: Importer> {
    sorted: Peekable<Lines<I>>,
    behind: Option<Place>,
}

impl<I: Importer> Feed<I> {
    /// Leaves out what was carried out before.
    fn skip_done(&mut self) -> Result<(), Error> {
        while let Some(place) = self.peek()?
            && self.behind.as_ref().is_some_and(|behind| place <= *behind)
        {
            self.sorted.next();
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<Place>, Error> {
        match self.sorted.peek() {
            None => Ok(None),
            Some(Ok(line)) => Ok(Some(line.place.clone())),
            // To be had as a value, the failure is taken out.
            Some(Err(_)) => match self.sorted.next() {
                Some(Err(error)) => Err(error.into()),
                _ => unreachable!("what was seen is there"),
            },
        }
    }

    fn next(&mut self) -> Result<Option<Batch<I::Content>>, Error> {
        let mut batch = Batch { lines: Vec::new(), duplicates: 0, behind: self.behind.clone(), before: None };
        loop {
            let Some(next) = self.peek()? else { break };
            let repeats = batch.lines.last().is_some_and(|last| next.repeats(&last.place));
            // What is told of one pair is told together: nobody else may come between its parts. But no file may be a
            // single batch.
            let belongs = batch.lines.len() < 2 * I::BATCH_MAX
                && batch.lines.last().is_some_and(|last| next.is_of_pair(&last.place));
            if batch.lines.len() >= I::BATCH_MAX && !belongs {
                batch.before = Some(next);
                break;
            }
            let Some(line) = self.sorted.next().transpose()? else { break };
            if repeats && let Some(passed) = batch.lines.pop() {
                batch.duplicates += u64::from(!I::is_refused(&passed.content));
            }
            batch.lines.push(line);
        }
        self.behind = batch.lines.last().map(|line| line.place.clone());
        Ok(if batch.lines.is_empty() { None } else { Some(batch) })
    }
}

/// A file that was kept, and how it is written.
pub type KeptFile = (Format, Box<dyn StoredFile>);

/// The file of rows that an import refused, to be mended and sent again.
pub fn refused_file(app: &App, caller: &Caller, id: JobId) -> Result<Option<KeptFile>, Error> {
    caller.require_partly(Permission::Manage)?;
    let job = &app.look(caller, |look| jobs::get(look, id))?;
    let Some(key) = Outcome::of(job).refused_file else { return Ok(None) };
    let format = key.rsplit('.').next().and_then(Format::parse).unwrap_or(Format::Csv);
    Ok(app.files.open(&key)?.map(|file| (format, file)))
}

/// The rows that an import refused, as faults of the request that sent them.
pub fn faults(job: &Job) -> Vec<Fault> {
    let of = |refused: Refused| Fault {
        pointer: format!("line {}", refused.line),
        code: "refused",
        detail: match refused.column.as_str() {
            "" => refused.reason,
            column => format!("{column}: {}", refused.reason),
        },
    };
    Outcome::of(job).refusals.into_iter().map(of).collect()
}
