//! `strata import`: CSV files, read twice: once to find every bad row, once to take them in.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    time::{Duration, Instant as Stopwatch},
};

use chrono::DateTime;
use csv::{Reader, ReaderBuilder, StringRecord};
use domain::{Actor, Attributes, Instant, Reason, Slug, Ttl, UserId, to_micros};
use flate2::read::MultiGzDecoder;
use indicatif::{ProgressBar, ProgressStyle};
use usecases::{
    App, Error,
    imports::{self, BATCH_MAX, ImportedMemberships, ImportedUsers, MembershipRow, MissingSegments, UserRow},
    memberships::Deadline,
    ports::StoreError,
};

use crate::{Failure, say, serve, settings::Settings, world};

/// How many bad rows are named one by one.
const BAD_ROWS_SHOWN_MAX: usize = 100;
const TRIES_MAX: u32 = 5;

pub(crate) fn users(settings: &Settings, file: &Path) -> Result<(), Failure> {
    let begun = Stopwatch::now();
    let rows = validate(file, user_reader)?;
    let app = world::app(serve::migrated(settings)?);
    let mut total = ImportedUsers::default();
    take_in(file, user_reader, rows, |batch| {
        let done = app.act(Actor::new("import"), |act| imports::users(act, batch.to_vec()))?;
        total.created += done.created;
        total.updated += done.updated;
        total.unchanged += done.unchanged;
        Ok(())
    })?;
    say(format_args!(
        "{rows} rows in {:.1} s: {} users created, {} updated, {} unchanged",
        begun.elapsed().as_secs_f64(),
        total.created,
        total.updated,
        total.unchanged
    ))
}

pub(crate) fn memberships(settings: &Settings, file: &Path, missing: MissingSegments) -> Result<(), Failure> {
    let begun = Stopwatch::now();
    let now = world::now();
    let reader = |header: &StringRecord| membership_reader(header, now);
    let rows = validate(file, reader)?;
    let app = world::app(serve::migrated(settings)?);
    if missing == MissingSegments::Refuse {
        refuse_unknown_segments(&app, file, now)?;
    }
    let mut total = ImportedMemberships::default();
    take_in(file, reader, rows, |batch| {
        let done = app.act(Actor::new("import"), |act| imports::memberships(act, batch.to_vec(), missing))?;
        total.added += done.added;
        total.extended += done.extended;
        total.unchanged += done.unchanged;
        total.segments_created += done.segments_created;
        total.users_created += done.users_created;
        Ok(())
    })?;
    say(format_args!(
        "{rows} rows in {:.1} s: {} memberships added, {} extended, {} unchanged; {} segments and {} users created",
        begun.elapsed().as_secs_f64(),
        total.added,
        total.extended,
        total.unchanged,
        total.segments_created,
        total.users_created
    ))
}

/// Names every segment that does not exist before anything is written.
fn refuse_unknown_segments(app: &App, file: &Path, now: Instant) -> Result<(), Failure> {
    let mut lines: HashMap<Slug, u64> = HashMap::new();
    let mut table = Table::open(file, &ProgressBar::hidden(), |header| membership_reader(header, now))?;
    while let Some((line, row)) = table.next() {
        let row: MembershipRow = row.map_err(Failure)?;
        lines.entry(row.slug).or_insert(line);
    }
    let slugs: Vec<Slug> = lines.keys().cloned().collect();
    let known = app.look(|look| Ok(look.unit.segments().find_all(&slugs)?))?;
    for segment in known {
        lines.remove(&segment.slug);
    }
    let mut bad: Vec<(u64, Slug)> = lines.into_iter().map(|(slug, line)| (line, slug)).collect();
    bad.sort();
    report_bad(file, bad.iter().map(|(line, slug)| format!("line {line}: no segment named `{slug}`")).collect())
}

/// Makes a row of a line's cells, or says what is wrong with it.
type RowReader<T> = Box<dyn Fn(&StringRecord) -> Result<T, String>>;

/// Reads the whole file without keeping any of it, and names every bad row.
fn validate<T>(file: &Path, reader: impl Fn(&StringRecord) -> Result<RowReader<T>, String>) -> Result<u64, Failure> {
    let progress = progress_bar(file, "checking ");
    let mut table = Table::open(file, &progress, reader)?;
    let (mut rows, mut bad) = (0, Vec::new());
    while let Some((line, row)) = table.next() {
        rows += 1;
        if let Err(reason) = row {
            bad.push(format!("line {line}: {reason}"));
        }
    }
    progress.finish_and_clear();
    report_bad(file, bad)?;
    Ok(rows)
}

fn report_bad(file: &Path, bad: Vec<String>) -> Result<(), Failure> {
    if bad.is_empty() {
        return Ok(());
    }
    let mut text = format!("{}: {} bad rows, so nothing was imported", file.display(), bad.len());
    for line in bad.iter().take(BAD_ROWS_SHOWN_MAX) {
        text.push_str(&format!("\n  {line}"));
    }
    if bad.len() > BAD_ROWS_SHOWN_MAX {
        text.push_str(&format!("\n  and {} more", bad.len() - BAD_ROWS_SHOWN_MAX));
    }
    Err(Failure(text))
}

/// Gives the rows to `act` in batches, each one transaction.
fn take_in<T>(
    file: &Path,
    reader: impl Fn(&StringRecord) -> Result<RowReader<T>, String>,
    rows: u64,
    mut act: impl FnMut(&[T]) -> Result<(), Error>,
) -> Result<(), Failure> {
    let progress = progress_bar(file, "importing");
    let mut table = Table::open(file, &progress, reader)?;
    let mut done = 0_u64;
    let mut batch = Vec::with_capacity(BATCH_MAX);
    loop {
        let row = table.next();
        let at_end = row.is_none();
        if let Some((line, row)) = row {
            batch.push(row.map_err(|reason| Failure(format!("line {line}: {reason}: the file changed meanwhile")))?);
        }
        if batch.len() < BATCH_MAX && !at_end {
            continue;
        }
        if !batch.is_empty() {
            with_patience(|| act(&batch)).map_err(|error| {
                let rest = "the same import can be started again: rows that are in already change nothing";
                Failure(format!("{done} of {rows} rows were imported, then: {error}; {rest}"))
            })?;
        }
        done += batch.len() as u64;
        batch.clear();
        if at_end {
            progress.finish_and_clear();
            return Ok(());
        }
    }
}

/// Others may be at the same rows, or the store may be starting again: then the batch, which left nothing, is tried again.
fn with_patience(mut act: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let mut tries = 1;
    loop {
        match act() {
            Err(Error::Store(StoreError::Contended(_) | StoreError::Busy(_) | StoreError::Unavailable(_)))
                if tries < TRIES_MAX =>
            {
                std::thread::sleep(Duration::from_millis(200 << tries));
                tries += 1;
            }
            ended => return ended,
        }
    }
}

fn progress_bar(file: &Path, act: &'static str) -> ProgressBar {
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {bytes}/{total_bytes} {eta}")
        .expect("the template is one of indicatif's");
    ProgressBar::new(bytes).with_style(style).with_prefix(act)
}

/// A CSV file under its header.
struct Table<T> {
    reader: Reader<Box<dyn Read>>,
    read_row: RowReader<T>,
    record: StringRecord,
}

impl<T> Table<T> {
    fn open(
        file: &Path,
        progress: &ProgressBar,
        reader: impl Fn(&StringRecord) -> Result<RowReader<T>, String>,
    ) -> Result<Table<T>, Failure> {
        let fail = |reason: String| Failure(format!("{}: {reason}", file.display()));
        let opened = File::open(file).map_err(|error| fail(error.to_string()))?;
        let mut bytes = BufReader::new(progress.wrap_read(opened));
        let packed = bytes.fill_buf().map_err(|error| fail(error.to_string()))?.starts_with(&[0x1f, 0x8b]);
        let plain: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(bytes)) } else { Box::new(bytes) };
        let mut plain = BufReader::with_capacity(1 << 16, plain);
        let start = plain.fill_buf().map_err(|error| fail(error.to_string()))?;
        let marked = start.starts_with(b"\xef\xbb\xbf");
        let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        let delimiter = [b';', b'\t', b','].into_iter().find(|delimiter| line.contains(delimiter)).unwrap_or(b',');
        if marked {
            plain.consume(3);
        }
        let mut table = ReaderBuilder::new().delimiter(delimiter).from_reader(Box::new(plain) as Box<dyn Read>);
        let header = table.headers().map_err(|error| fail(error.to_string()))?.clone();
        if header.is_empty() {
            return Err(fail("the file is empty: a header line is needed".to_owned()));
        }
        let read_row = reader(&header).map_err(fail)?;
        Ok(Table { reader: table, read_row, record: StringRecord::new() })
    }

    /// The next row with its line, or nothing at the end.
    fn next(&mut self) -> Option<(u64, Result<T, String>)> {
        let line = self.reader.position().line();
        match self.reader.read_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.record.position().map_or(line, |position| position.line());
                Some((line, (self.read_row)(&self.record)))
            }
            Err(error) => {
                let line = error.position().map_or(line, |position| position.line());
                Some((line, Err(plainly(&error))))
            }
        }
    }
}

fn plainly(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// Where each known column stands. Unknown and repeated ones are refused by name.
fn columns(header: &StringRecord, known: &[&str]) -> Result<HashMap<String, usize>, String> {
    let mut columns = HashMap::new();
    for (index, name) in header.iter().enumerate() {
        if !known.is_empty() && !known.contains(&name) {
            return Err(format!("unknown column `{}`; there are {}", name.escape_debug(), known.join(", ")));
        }
        if name.chars().any(char::is_control) {
            return Err(format!("column `{}` has a control character in its name", name.escape_debug()));
        }
        if columns.insert(name.to_owned(), index).is_some() {
            return Err(format!("column `{}` stands twice in the header", name.escape_debug()));
        }
    }
    Ok(columns)
}

fn required(columns: &HashMap<String, usize>, name: &str) -> Result<usize, String> {
    columns.get(name).copied().ok_or_else(|| format!("there is no column `{name}` in the header"))
}

fn membership_reader(header: &StringRecord, now: Instant) -> Result<RowReader<MembershipRow>, String> {
    let columns = columns(header, &["user_id", "segment", "since", "ttl", "expires_at", "reason"])?;
    let (user, segment) = (required(&columns, "user_id")?, required(&columns, "segment")?);
    Ok(Box::new(move |record| {
        let cell = |name: &str| columns.get(name).map(|&at| &record[at]).filter(|cell| !cell.is_empty());
        let since = cell("since").map(|text| instant("since", text)).transpose()?;
        if since.is_some_and(|since| since > now) {
            return Err("since: is in the future".to_owned());
        }
        let deadline = match (cell("ttl"), cell("expires_at")) {
            (Some(_), Some(_)) => return Err("ttl: give ttl or expires_at, not both".to_owned()),
            (Some(text), None) => Some(Deadline::After(read_ttl(text)?)),
            (None, Some(text)) => Some(Deadline::At(instant("expires_at", text)?)),
            (None, None) => None,
        };
        if matches!(deadline, Some(Deadline::At(at)) if at <= now) {
            return Err("expires_at: is not in the future".to_owned());
        }
        Ok(MembershipRow {
            user: UserId::parse(&record[user]).map_err(|error| format!("user_id: {error}"))?,
            slug: Slug::parse(&record[segment]).map_err(|error| format!("segment: {error}"))?,
            since,
            deadline,
            reason: cell("reason").map(Reason::parse).transpose().map_err(|error| format!("reason: {error}"))?,
        })
    }))
}

fn read_ttl(text: &str) -> Result<Ttl, String> {
    let ttl = match text.parse::<i64>() {
        Ok(seconds) => Ttl::from_seconds(seconds),
        Err(_) => Ttl::parse(text),
    };
    ttl.map_err(|error| format!("ttl: {error}"))
}

/// RFC 3339, or a bare date or date and time, which are UTC.
fn instant(column: &str, text: &str) -> Result<Instant, String> {
    let bare = |format: &str| chrono::NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc());
    let date = || {
        chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc())
    };
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| bare("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| bare("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|_| date())
        .map(to_micros)
        .map_err(|_| format!("{column}: `{}` is not an instant such as 2026-11-20T12:00:00Z", text.escape_debug()))
}

fn user_reader(header: &StringRecord) -> Result<RowReader<UserRow>, String> {
    let columns = columns(header, &[])?;
    let user = required(&columns, "user_id")?;
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    Ok(Box::new(move |record| {
        let id = UserId::parse(&record[user]).map_err(|error| format!("user_id: {error}"))?;
        let mut row = UserRow { id, name: None, email: None, attributes: Attributes::new() };
        for (name, cell) in names.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty()) {
            match name.as_str() {
                "user_id" => {}
                "name" => row.name = Some(text(name, cell)?),
                "email" => row.email = Some(text(name, cell)?),
                _ => drop(row.attributes.insert(name.clone(), value(name, cell)?)),
            }
        }
        Ok(row)
    }))
}

fn text(column: &str, cell: &str) -> Result<String, String> {
    let max = domain::User::TEXT_CHARS_MAX;
    if cell.chars().count() > max || cell.chars().any(char::is_control) {
        return Err(format!("{column}: must have at most {max} characters, none of them control characters"));
    }
    Ok(cell.to_owned())
}

/// A number or a truth value when the cell is written as JSON writes one, or else a text.
fn value(column: &str, cell: &str) -> Result<serde_json::Value, String> {
    if cell.contains('\0') {
        return Err(format!("{column}: cannot hold the NUL character"));
    }
    match serde_json::from_str(cell) {
        Ok(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Ok(value),
        _ => Ok(cell.into()),
    }
}
