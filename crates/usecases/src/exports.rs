//! Exports: members, combinations of segments, users, history and statistics as tables of any length, from one consistent state.

use std::{collections::BTreeSet, io::Write, mem, ops::ControlFlow, panic::resume_unwind, sync::mpsc, thread};

use domain::{Action, Caller, Instant, Permission, Slug, UserId};
use serde_json::json;
use tables::{Column, ColumnKind, Format, Header, Packing, Value, Writer};

use crate::{
    Act, Error, Look, Subject,
    algebra::{self, AlgebraQuery},
    audit,
    history::{self, HistoryQuery},
    persons,
    ports::{HistoryLines, UserQuery},
    segments::{self, StatsQuery},
    users,
};

/// How many rows are read at once.
const PAGE: usize = 5_000;
/// Lines of history are short, and so many pages of them are asked for at once.
const LINES_PAGE: usize = 4_000;
const LINES_PAGES: usize = 12;
/// And how many at first, for whoever waits to see some.
const FIRST_PAGE: usize = 200;

/// What is to be exported.
#[derive(Debug, Clone)]
pub enum Export {
    /// The members of a segment, now or at an instant.
    Members {
        slug: Slug,
        as_of: Option<Instant>,
        /// Only those whom this finds, as in [`history::find_members`].
        users: UserQuery,
    },
    /// Who is in a combination of segments.
    Algebra(AlgebraQuery),
    Users(UserQuery),
    History(HistoryQuery),
    /// Segments with the number of their members.
    Stats(StatsQuery),
}

/// How a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    pub format: Format,
    pub packing: Packing,
    pub header: Header,
}

const fn column(name: &'static str, kind: ColumnKind) -> Column {
    Column { name, kind }
}

const MEMBERS: [Column; 7] = [
    column("user_id", ColumnKind::Text),
    column("segment", ColumnKind::Text),
    column("since", ColumnKind::Instant),
    column("expires_at", ColumnKind::Instant),
    column("source", ColumnKind::Text),
    column("actor", ColumnKind::Text),
    column("reason", ColumnKind::Text),
];
const USERS: [Column; 5] = [
    column("user_id", ColumnKind::Text),
    column("name", ColumnKind::Text),
    column("email", ColumnKind::Text),
    column("attributes", ColumnKind::Json),
    column("created_at", ColumnKind::Instant),
];
/// As CSV, history has the first four.
const HISTORY: [Column; 8] = [
    column("user_id", ColumnKind::Text),
    column("segment", ColumnKind::Text),
    column("operation", ColumnKind::Text),
    column("timestamp", ColumnKind::Instant),
    column("expires_at", ColumnKind::Instant),
    column("source", ColumnKind::Text),
    column("actor", ColumnKind::Text),
    column("reason", ColumnKind::Text),
];
const STATS: [Column; 10] = [
    column("segment", ColumnKind::Text),
    column("name", ColumnKind::Text),
    column("description", ColumnKind::Text),
    column("kind", ColumnKind::Text),
    column("percent", ColumnKind::Number),
    column("seed", ColumnKind::Text),
    column("default_ttl", ColumnKind::Text),
    column("user_count", ColumnKind::Number),
    column("created_at", ColumnKind::Instant),
    column("updated_at", ColumnKind::Instant),
];

/// Whether the caller may take this out.
pub(crate) fn require(caller: &Caller, export: &Export) -> Result<(), Error> {
    match export {
        Export::Members { slug, .. } => caller.require_in(Permission::Export, [slug])?,
        Export::Algebra(query) => algebra::require(caller, Permission::Export, &query.expression)?,
        Export::History(HistoryQuery { segment: Some(slug), .. }) => caller.require_in(Permission::Export, [slug])?,
        Export::History(_) | Export::Stats(_) => caller.require(Permission::Export)?,
        Export::Users(_) => {
            caller.require(Permission::Export)?;
            caller.require(Permission::ReadPersons)?;
        }
    }
    Ok(())
}

/// Notes who takes which data out, before the first byte goes.
pub fn begin(act: &mut Act, export: &Export, format: Format) -> Result<(), Error> {
    require(act.caller, export)?;
    require_segments(act, export)?;
    let now = act.now();
    let instant = |at: Option<Instant>| at.map(|at| at.to_rfc3339());
    let (subject, mut detail) = match export {
        Export::Members { slug, as_of, users } => {
            // Not what was searched for: that may be somebody's name.
            (format!("segment/{slug}"), json!({"as_of": instant(*as_of), "filtered": users.text.is_some()}))
        }
        Export::Algebra(query) => {
            ("segments".to_owned(), json!({"expr": query.expression.to_string(), "as_of": instant(query.as_of)}))
        }
        Export::Users(query) => ("users".to_owned(), json!({"filtered": query.text.is_some()})),
        Export::History(query) => {
            let pseudonym = query.user.as_ref().map(|id| persons::pseudonym(act.unit, act.chance, id)).transpose()?;
            let detail = json!({
                "user": pseudonym.as_ref().map(UserId::as_str),
                "segment": query.segment.as_ref().map(Slug::as_str),
                "from": instant(query.period.from),
                "to": instant(query.period.to),
            });
            ("history".to_owned(), detail)
        }
        Export::Stats(_) => ("segments".to_owned(), json!({})),
    };
    detail["format"] = json!(format.as_str());
    audit::note(act, now, Action::DataExported, subject, detail)
}

/// So that whoever asks hears at once of each that there is not, or was not.
fn require_segments(act: &mut Act, export: &Export) -> Result<(), Error> {
    let (slugs, as_of) = match export {
        Export::Members { slug, as_of, .. } => (BTreeSet::from([slug]), as_of),
        Export::Algebra(query) => (query.expression.segments(), &query.as_of),
        Export::Users(_) | Export::History(_) | Export::Stats(_) => return Ok(()),
    };
    let now = act.now();
    let mut missing = Vec::new();
    for slug in slugs {
        let is_known = match as_of {
            None => act.unit.segments().find(slug)?.is_some(),
            // Whoever is confined may not see every segment that once was called so.
            Some(at) => match history::segment_at(&mut act.looking(now), slug, *at) {
                Ok(_) => true,
                Err(Error::NotFound(..)) => false,
                Err(error) => return Err(error),
            },
        };
        if !is_known {
            missing.push(slug.to_string());
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::NotFound(Subject::Segment, missing)) }
}

/// Writes the table, as fast as `out` takes it, and tells how many rows it has. `tell` hears now and then how many were
/// written, and may stop it.
pub fn write<W: Write + Send>(
    look: &mut Look,
    export: &Export,
    form: Form,
    out: W,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(W, u64), Error> {
    require(look.caller, export)?;
    let columns = match export {
        Export::Members { .. } => &MEMBERS[..],
        Export::Algebra(_) => &USERS[..1],
        Export::Users(_) => &USERS[..],
        Export::History(_) if form.format == Format::Csv => &HISTORY[..4],
        Export::History(_) => &HISTORY[..],
        Export::Stats(_) => &STATS[..],
    };
    let mut table = Writer::new(out, form.format, form.packing, columns, form.header)?;
    match export {
        Export::Members { slug, as_of, users } => write_members(look, slug, *as_of, users, &mut table, tell)?,
        Export::Algebra(query) => write_set(look, query, &mut table, tell)?,
        Export::Users(query) => write_users(look, query, &mut table, tell)?,
        Export::History(query) if form.format == Format::Csv => write_lines(look, query, &mut table, tell)?,
        Export::History(query) => write_history(look, query, &mut table, tell)?,
        Export::Stats(query) => write_stats(look, query, &mut table, tell)?,
    }
    let rows = table.rows();
    Ok((table.finish()?, rows))
}

fn write_members<W: Write>(
    look: &mut Look,
    slug: &Slug,
    as_of: Option<Instant>,
    users: &UserQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut users, mut page) = (users.clone(), FIRST_PAGE);
    loop {
        let members = history::find_members(look, slug, as_of, &users, page)?;
        for member in &members {
            table.row(&[
                Value::Text(member.user.as_str()),
                Value::Text(member.segment.slug.as_str()),
                Value::Instant(member.since),
                member.expires_at.map_or(Value::Empty, Value::Instant),
                Value::Text(member.source.as_str()),
                Value::Text(member.actor.as_str()),
                text(member.reason.as_ref().map(|reason| reason.as_str())),
            ])?;
        }
        if paged(table, &mut page, members.len(), tell)? == Paged::Last {
            return Ok(());
        }
        users.after = members.into_iter().next_back().map(|last| last.user);
    }
}

/// The ids alone: of several segments none could say since when, or why.
fn write_set<W: Write>(
    look: &mut Look,
    query: &AlgebraQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    // A page is of users who were looked at: a job whose expression finds few must not seem to sleep.
    let (mut page, mut looked_at, mut written) = (FIRST_PAGE, 0, Ok(()));
    algebra::each(look, query, None, &mut |user| {
        looked_at += 1;
        if let Some(user) = user {
            written = table.row(&[Value::Text(user.as_str())]).map_err(Error::from);
        }
        if written.is_ok() && looked_at == page {
            written = paged(table, &mut page, mem::take(&mut looked_at), tell).map(drop);
        }
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    written?;
    tell(table.rows())
}

fn write_users<W: Write>(
    look: &mut Look,
    query: &UserQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut query, mut page) = (query.clone(), FIRST_PAGE);
    loop {
        let found = users::list(look, &query, page)?;
        for user in &found {
            let attributes = serde_json::Value::Object(user.attributes.clone()).to_string();
            table.row(&[
                Value::Text(user.id.as_str()),
                text(user.name.as_deref()),
                text(user.email.as_deref()),
                Value::Json(&attributes),
                Value::Instant(user.created_at),
            ])?;
        }
        if paged(table, &mut page, found.len(), tell)? == Paged::Last {
            return Ok(());
        }
        query.after = found.into_iter().next_back().map(|last| last.id);
    }
}

fn write_history<W: Write>(
    look: &mut Look,
    query: &HistoryQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut filter, mut page) = (history::filter(look, query)?, FIRST_PAGE);
    loop {
        let rows = history::page(look, &filter, page)?;
        for row in &rows {
            let entry = &row.entry;
            table.row(&[
                Value::Text(entry.user.as_str()),
                Value::Text(entry.segment.slug.as_str()),
                Value::Text(entry.operation.as_str()),
                Value::Instant(entry.at),
                entry.expires_at.map_or(Value::Empty, Value::Instant),
                Value::Text(entry.source.as_str()),
                Value::Text(entry.actor.as_str()),
                text(entry.reason.as_ref().map(|reason| reason.as_str())),
            ])?;
        }
        if paged(table, &mut page, rows.len(), tell)? == Paged::Last {
            return Ok(());
        }
        filter.after = rows.last().map(|last| (last.entry.at, last.id));
    }
}

/// The first four columns alone. While some rows are written the next ones are read.
fn write_lines<W: Write + Send>(
    look: &mut Look,
    query: &HistoryQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut filter, mut rows) = (history::filter(look, query)?, 0);
    let (mut size, mut pages) = (FIRST_PAGE, 1);
    thread::scope(|scope| {
        let (read, to_write) = mpsc::channel::<HistoryLines>();
        let (written, done) = mpsc::channel();
        let writer = thread::Builder::new().spawn_scoped(scope, move || {
            for (number, lines) in to_write.iter().enumerate() {
                for line in lines.iter() {
                    let line = line?;
                    table.row(&[
                        Value::Text(line.user),
                        Value::Text(line.slug),
                        Value::Text(line.operation),
                        Value::Instant(line.at),
                    ])?;
                }
                if number == 0 {
                    table.flush()?;
                }
                // Nobody waits for the last ones.
                let _ = written.send(());
            }
            Ok::<(), Error>(())
        })?;
        let mut unwritten = 0;
        loop {
            let (mut after, mut is_over) = (None, false);
            look.unit.history().lines(&filter, size, pages, &mut |lines| {
                rows += lines.count as u64;
                unwritten += 1;
                after = lines.last;
                is_over = lines.count < size;
                // Whoever hears of nothing more stopped writing, and says why.
                is_over |= read.send(lines).is_err();
                if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            tell(rows)?;
            // Answers of the store do not wait for a slow reader: it would lose patience.
            while unwritten > LINES_PAGES / 2 && !is_over {
                is_over = done.recv().is_err();
                unwritten -= 1;
            }
            if is_over {
                break;
            }
            filter.after = after;
            (size, pages) = (LINES_PAGE, LINES_PAGES);
        }
        drop(read);
        writer.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn write_stats<W: Write>(
    look: &mut Look,
    query: &StatsQuery,
    table: &mut Writer<W>,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut query, mut page) = (query.clone(), FIRST_PAGE);
    loop {
        let stats = segments::stats(look, &query, page)?;
        for (segment, count) in &stats {
            let percent = segment.percent.map(|percent| percent.to_string());
            let (seed, ttl) = (segment.seed.to_string(), segment.default_ttl.map(|ttl| ttl.to_string()));
            table.row(&[
                Value::Text(segment.slug.as_str()),
                Value::Text(segment.name.as_str()),
                Value::Text(segment.description.as_str()),
                Value::Text(segment.kind.as_str()),
                percent.as_deref().map_or(Value::Empty, Value::Decimal),
                Value::Text(&seed),
                ttl.as_deref().map_or(Value::Empty, Value::Text),
                Value::Number(i64::try_from(*count).unwrap_or(i64::MAX)),
                Value::Instant(segment.created_at),
                Value::Instant(segment.updated_at),
            ])?;
        }
        if paged(table, &mut page, stats.len(), tell)? == Paged::Last {
            return Ok(());
        }
        let Some((last, count)) = stats.last() else { return Ok(()) };
        match &mut query.by_size {
            Some(by_size) => by_size.after = Some((*count, last.slug.clone())),
            None => query.segments.after = Some((query.segments.sort.by.value(last), last.slug.clone())),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Paged {
    More,
    Last,
}

/// Tells of a page that was written, and whether it was the last one: a page that is not full.
fn paged<W: Write>(
    table: &mut Writer<W>,
    page: &mut usize,
    rows: usize,
    tell: &mut dyn FnMut(u64) -> Result<(), Error>,
) -> Result<Paged, Error> {
    tell(table.rows())?;
    if rows < *page {
        return Ok(Paged::Last);
    }
    if *page == FIRST_PAGE {
        table.flush()?;
        *page = PAGE;
    }
    Ok(Paged::More)
}

fn text(value: Option<&str>) -> Value<'_> {
    value.map_or(Value::Empty, Value::Text)
}
