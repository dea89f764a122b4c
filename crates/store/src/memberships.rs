use std::collections::BTreeSet;

use diesel::{
    PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{Actor, Entry, Instant, Membership, Operation, SegmentId, SegmentRef, Slug, Source, UserId};
use usecases::{
    changes::Change,
    ports::{EndingQuery, Leaving, MemberQuery, MembershipTotals, Memberships, StoreError, TakeMember},
};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    connection::{AnyConnection, on_backend},
    statements::{Column, Statement, portions},
    users::{among, behind},
};

const TABLE: Table = Table("memberships");

/// A segment goes by the slug that it has, or had last: a membership that outlived its segment must still be told of.
const COLUMNS: &str = "SELECT m.user_id, m.segment_id, \
     COALESCE(s.slug, (SELECT n.slug FROM segment_names n WHERE n.segment_id = m.segment_id \
     ORDER BY n.since DESC, n.id DESC LIMIT 1)), \
     m.since, m.expires_at, m.source, m.actor, m.reason FROM ";
const ALL: &str = "memberships m";
const NAMED: &str = " LEFT JOIN segments s ON s.id = m.segment_id";

type Columns = (Text, BigInt, Nullable<Text>, BigInt, Nullable<BigInt>, Text, Text, Nullable<Text>);
/// In the order of `COLUMNS`.
type Row = (String, i64, Option<String>, i64, Option<i64>, String, String, Option<String>);

impl Memberships for DieselUnit<'_> {
    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<Membership>, StoreError> {
        let pairs: BTreeSet<(&str, i64)> = pairs.iter().map(|(user, segment)| (user.as_str(), segment.0)).collect();
        let statement = Statement::<Columns>::new(COLUMNS)
            .then("? CROSS JOIN memberships m")
            .then(NAMED)
            .then(" WHERE m.user_id = p.user_id AND m.segment_id = p.segment_id ORDER BY m.user_id, m.segment_id")
            .then(self.keeping())
            .pairs(pairs);
        self.rows(statement, membership)
    }

    fn of_users(&mut self, users: &[UserId]) -> Result<Vec<Membership>, StoreError> {
        // Rows are locked in the order in which they are returned, and that order must be everyone's.
        let statement = stored(" WHERE m.user_id ? ORDER BY m.user_id, m.segment_id")
            .then(self.keeping())
            .any_text(users.iter().map(UserId::as_str));
        let mut memberships = self.rows(statement, membership)?;
        memberships.sort_by(|a, b| (&a.user, &a.segment.slug).cmp(&(&b.user, &b.segment.slug)));
        Ok(memberships)
    }

    fn of_segment(
        &mut self,
        segment: SegmentId,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let statement = stored(" WHERE m.segment_id = ? AND m.user_id > ? ORDER BY m.user_id LIMIT ?")
            .then(self.keeping())
            .int(segment.0)
            .text(behind(after))
            .int(rows_max(limit));
        self.rows(statement, membership)
    }

    fn active(&mut self, users: &[UserId], at: Instant) -> Result<Vec<(UserId, Slug)>, StoreError> {
        let at = at.timestamp_micros();
        let statement = Statement::<(Text, Text)>::new(
            "SELECT m.user_id, s.slug FROM memberships m JOIN segments s ON s.id = m.segment_id \
             WHERE m.user_id ? AND m.since <= ? AND (m.expires_at IS NULL OR m.expires_at > ?) \
             ORDER BY m.user_id, s.slug",
        )
        .any_text(users.iter().map(UserId::as_str))
        .int(at)
        .int(at);
        self.rows(statement, |(user, slug): (String, String)| Ok((TABLE.user(&user)?, TABLE.slug(&slug)?)))
    }

    fn members(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let at = at.timestamp_micros();
        let statement = stored(
            " WHERE m.segment_id = ? AND m.user_id > ? AND m.since <= ? \
             AND (m.expires_at IS NULL OR m.expires_at > ?) ORDER BY m.user_id LIMIT ?",
        )
        .int(segment.0)
        .text(behind(after))
        .int(at)
        .int(at)
        .int(rows_max(limit));
        self.rows(statement, membership)
    }

    fn found(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let after = behind(query.users.after.as_ref());
        let statement = live_in(Statement::<Columns>::new(COLUMNS).then(ALL).then(NAMED), query);
        let statement = among(statement.then(" AND m.user_id > ?").text(after), "m.user_id", &query.users, after);
        let statement = statement.then(" ORDER BY m.user_id LIMIT ?").int(rows_max(limit));
        self.rows(statement, membership)
    }

    fn count_found(&mut self, query: &MemberQuery) -> Result<u64, StoreError> {
        let statement = live_in(Statement::new("SELECT count(*) FROM memberships m"), query);
        self.count_of(among(statement, "m.user_id", &query.users, behind(None)))
    }

    fn ending(&mut self, query: &EndingQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let mut statement = ending(Statement::<Columns>::new(COLUMNS).then(ALL).then(NAMED), query);
        if let Some((deadline, user, SegmentId(segment))) = &query.after {
            statement = statement.then(" AND (m.expires_at, m.user_id, m.segment_id) > (?, ?, ?)");
            statement = statement.int(deadline.timestamp_micros()).text(user.as_str()).int(*segment);
        }
        let statement = statement.then(" ORDER BY m.expires_at, m.user_id, m.segment_id LIMIT ?").int(rows_max(limit));
        self.rows(statement, membership)
    }

    fn count_ending(&mut self, query: &EndingQuery) -> Result<u64, StoreError> {
        self.count_of(ending(Statement::new("SELECT count(*) FROM memberships m"), query))
    }

    fn sources(&mut self, segment: Option<SegmentId>, at: Instant) -> Result<Vec<(Source, u64)>, StoreError> {
        let at = at.timestamp_micros();
        let mut statement = Statement::<(Text, BigInt)>::new(
            "SELECT source, count(*) FROM memberships WHERE since <= ? AND (expires_at IS NULL OR expires_at > ?)",
        )
        .int(at)
        .int(at);
        if let Some(SegmentId(segment)) = segment {
            statement = statement.then(" AND segment_id = ?").int(segment);
        }
        self.rows(statement.then(" GROUP BY source ORDER BY source"), |(source, count): (String, i64)| {
            Ok((TABLE.source(&source)?, count.unsigned_abs()))
        })
    }

    fn totals(&mut self, at: Instant) -> Result<MembershipTotals, StoreError> {
        let at = at.timestamp_micros();
        let statement = Statement::<(BigInt, BigInt)>::new(
            "SELECT count(*), count(expires_at) FROM memberships \
             WHERE since <= ? AND (expires_at IS NULL OR expires_at > ?)",
        )
        .int(at)
        .int(at);
        let totals = self.rows(statement, |(memberships, with_deadline): (i64, i64)| {
            let [memberships, with_deadline] = [memberships, with_deadline].map(i64::unsigned_abs);
            Ok(MembershipTotals { memberships, with_deadline })
        })?;
        Ok(totals.into_iter().next().unwrap_or_default())
    }

    fn each(&mut self, segment: SegmentId, recent: Instant, take: TakeMember) -> Result<(), StoreError> {
        let (recent, mut last) = (recent.timestamp_micros(), String::new());
        loop {
            let page = self.query(|conn| {
                on_backend!(conn, |conn| page_of_each(segment, recent, &last).get_result::<EachPage>(conn))
            })?;
            let (count, users, sinces, deadlines) = page;
            let [users, sinces, deadlines] = [users, sinces, deadlines].map(Option::unwrap_or_default);
            let instants = sinces.split(' ').zip(deadlines.split(' '));
            for (user, (since, until)) in users.split(' ').zip(instants).take(usize::try_from(count).unwrap_or(0)) {
                // Of no instant there is no digit.
                take(user, since.parse().ok(), until.parse().ok());
            }
            if count < EACH_PAGE {
                return Ok(());
            }
            last = users.rsplit(' ').next().unwrap_or_default().to_owned();
        }
    }

    fn shared(&mut self, segment: SegmentId, at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        let at = at.timestamp_micros();
        let statement = Statement::<(BigInt, BigInt)>::new(
            "SELECT o.segment_id, count(*) FROM memberships m JOIN memberships o ON o.user_id = m.user_id \
             WHERE m.segment_id = ? AND m.since <= ? AND (m.expires_at IS NULL OR m.expires_at > ?) \
             AND o.segment_id <> ? AND o.since <= ? AND (o.expires_at IS NULL OR o.expires_at > ?) \
             GROUP BY o.segment_id ORDER BY o.segment_id",
        )
        .int(segment.0)
        .int(at)
        .int(at)
        .int(segment.0)
        .int(at)
        .int(at);
        self.rows(statement, |(segment, count): (i64, i64)| Ok((SegmentId(segment), count.unsigned_abs())))
    }

    fn shared_among(
        &mut self,
        segments: &[SegmentId],
        at: Instant,
    ) -> Result<Vec<(SegmentId, SegmentId, u64)>, StoreError> {
        let at = at.timestamp_micros();
        let statement = Statement::<(BigInt, BigInt, BigInt)>::new(
            "SELECT m.segment_id, o.segment_id, count(*) FROM memberships m JOIN memberships o \
             ON o.user_id = m.user_id AND o.segment_id > m.segment_id \
             WHERE m.segment_id ? AND m.since <= ? AND (m.expires_at IS NULL OR m.expires_at > ?) \
             AND o.segment_id ? AND o.since <= ? AND (o.expires_at IS NULL OR o.expires_at > ?) \
             GROUP BY m.segment_id, o.segment_id ORDER BY m.segment_id, o.segment_id",
        )
        .any_int(segments.iter().map(|segment| segment.0))
        .int(at)
        .int(at)
        .any_int(segments.iter().map(|segment| segment.0))
        .int(at)
        .int(at);
        self.rows(statement, |(first, second, count): (i64, i64, i64)| {
            Ok((SegmentId(first), SegmentId(second), count.unsigned_abs()))
        })
    }

    fn counts(&mut self, segments: &[SegmentId], at: Instant) -> Result<Vec<(SegmentId, u64)>, StoreError> {
        let at = at.timestamp_micros();
        let statement = Statement::<(BigInt, BigInt)>::new(
            "SELECT segment_id, count(*) FROM memberships \
             WHERE segment_id ? AND since <= ? AND (expires_at IS NULL OR expires_at > ?) \
             GROUP BY segment_id ORDER BY segment_id",
        )
        .any_int(segments.iter().map(|segment| segment.0))
        .int(at)
        .int(at);
        self.rows(statement, |(segment, count): (i64, i64)| Ok((SegmentId(segment), count.unsigned_abs())))
    }

    fn expire(&mut self, at: Instant, limit: usize) -> Result<usize, StoreError> {
        let due = Due { at: at.timestamp_micros(), segment: None, limit: Some(rows_max(limit)) };
        self.end_due(&due)
    }

    fn expire_in(&mut self, segment: SegmentId, at: Instant) -> Result<(), StoreError> {
        let due = Due { at: at.timestamp_micros(), segment: Some(segment.0), limit: None };
        self.end_due(&due).map(drop)
    }

    fn end_all(&mut self, leaving: &Leaving) -> Result<usize, StoreError> {
        self.changed([Change::Emptied { segment: leaving.segment.id }])?;
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                let gone = "WITH gone AS (DELETE FROM memberships WHERE segment_id = ? RETURNING user_id, since) ";
                leave(Statement::new(gone).int(leaving.segment.id.0), leaving)
                    .then(" FROM gone ORDER BY user_id")
                    .execute(conn)
            }
            AnyConnection::Sqlite(conn) => {
                let told = leave(Statement::new(""), leaving)
                    .then(" FROM memberships WHERE segment_id = ? ORDER BY user_id")
                    .int(leaving.segment.id.0)
                    .execute(conn)?;
                Statement::<()>::new("DELETE FROM memberships WHERE segment_id = ?")
                    .int(leaving.segment.id.0)
                    .execute(conn)?;
                Ok(told)
            }
        })
    }

    fn hold_passing(&mut self, segment: SegmentId) -> Result<(), StoreError> {
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => Statement::<()>::new(
                "SELECT count(*) FROM (SELECT 1 FROM memberships WHERE segment_id = ? AND expires_at IS NOT NULL \
                 ORDER BY user_id FOR UPDATE) AS held",
            )
            .int(segment.0)
            .execute(conn)
            .map(drop),
            AnyConnection::Sqlite(_) => Ok(()),
        })
    }

    fn record(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        let recorded = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => record_at_once(conn, entries),
            AnyConnection::Sqlite(conn) => record_in_rows(conn, entries),
        });
        match recorded? {
            Recorded::Whole => self.changed(entries.iter().map(Change::from)),
            Recorded::Missing => {
                let message = "a membership was to be ended or extended that is not stored";
                self.remember(Err(StoreError::Contended(message.to_owned())))
            }
        }
    }
}

/// Continues with the live memberships of the query's segment, among `m`.
fn live_in<Columns>(statement: Statement<Columns>, query: &MemberQuery) -> Statement<Columns> {
    let at = query.at.timestamp_micros();
    statement
        .then(" WHERE m.segment_id = ? AND m.since <= ? AND (m.expires_at IS NULL OR m.expires_at > ?)")
        .int(query.segment.0)
        .int(at)
        .int(at)
}

/// Continues with the memberships that the query's filters leave, among `m`.
fn ending<Columns>(statement: Statement<Columns>, query: &EndingQuery) -> Statement<Columns> {
    let at = query.at.timestamp_micros();
    let mut statement = statement.then(" WHERE m.expires_at > ? AND m.since <= ?").int(at).int(at);
    if let Some(before) = query.before {
        statement = statement.then(" AND m.expires_at < ?").int(before.timestamp_micros());
    }
    if let Some(SegmentId(segment)) = query.segment {
        statement = statement.then(" AND m.segment_id = ?").int(segment);
    }
    if let Some(user) = &query.user {
        statement = statement.then(" AND m.user_id = ?").text(user.as_str());
    }
    if let Some(source) = query.source {
        statement = statement.then(" AND m.source = ?").text(source.as_str());
    }
    statement
}

/// How many rows [`Memberships::each`] has from the database at once.
const EACH_PAGE: i64 = 20_000;

type EachColumns = (BigInt, Nullable<Text>, Nullable<Text>, Nullable<Text>);
/// How many there are, and the columns.
type EachPage = (i64, Option<String>, Option<String>, Option<String>);

/// Put together by the database, as lines of history are: handed over as a row each they take longer than they take to find.
fn page_of_each(segment: SegmentId, recent: i64, last: &str) -> Statement<EachColumns> {
    Statement::new(
        "SELECT count(*), string_agg(user_id, ' '), \
         string_agg(CASE WHEN since > ? THEN CAST(since AS TEXT) ELSE '' END, ' '), \
         string_agg(COALESCE(CAST(expires_at AS TEXT), ''), ' ') FROM (SELECT user_id, since, expires_at FROM memberships \
         WHERE segment_id = ? AND user_id > ? ORDER BY user_id LIMIT ?) AS page",
    )
    .int(recent)
    .int(segment.0)
    .text(last)
    .int(EACH_PAGE)
}

/// Which memberships are ended because their deadline came: all of a segment, or so many of all, the longest due first.
struct Due {
    at: i64,
    segment: Option<i64>,
    limit: Option<i64>,
}

impl Due {
    /// Continues with what finds them among `m`.
    fn find<Columns>(&self, statement: Statement<Columns>) -> Statement<Columns> {
        let statement = statement.then(" WHERE m.expires_at <= ?").int(self.at);
        let statement = match self.segment {
            Some(segment) => statement.then(" AND m.segment_id = ?").int(segment),
            None => statement,
        };
        let statement = statement.then(" ORDER BY m.expires_at, m.user_id, m.segment_id");
        match self.limit {
            Some(limit) => statement.then(" LIMIT ?").int(limit),
            None => statement,
        }
    }
}

/// As [`Entry::expiry`] says, of rows `m`; which they are is still to be said.
const EXPIRE: &str = "INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor) \
     SELECT m.user_id, m.segment_id, \
     COALESCE(s.slug, (SELECT n.slug FROM segment_names n WHERE n.segment_id = m.segment_id \
     ORDER BY n.since DESC, n.id DESC LIMIT 1)), 'remove', m.expires_at, 'expiry', 'expiry' FROM ";

impl DieselUnit<'_> {
    /// Of all those that are due each worker takes others; of a segment none is left out.
    fn end_due(&mut self, due: &Due) -> Result<usize, StoreError> {
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                let claim = if due.segment.is_none() { " FOR UPDATE SKIP LOCKED" } else { " FOR UPDATE" };
                due.find(Statement::<()>::new("WITH due AS MATERIALIZED (SELECT m.ctid AS place FROM memberships m"))
                    .then(claim)
                    .then(
                        "), gone AS (DELETE FROM memberships m USING due WHERE m.ctid = due.place \
                         RETURNING m.user_id, m.segment_id, m.expires_at) ",
                    )
                    .then(EXPIRE)
                    .then("gone m")
                    .then(NAMED)
                    .then(" ORDER BY m.expires_at, m.user_id, m.segment_id")
                    .execute(conn)
            }
            AnyConnection::Sqlite(conn) => {
                let ended = due.find(Statement::<()>::new(EXPIRE).then(ALL).then(NAMED)).execute(conn)?;
                let gone = "DELETE FROM memberships WHERE (user_id, segment_id) IN \
                     (SELECT m.user_id, m.segment_id FROM memberships m";
                due.find(Statement::<()>::new(gone)).then(")").execute(conn)?;
                Ok(ended)
            }
        })
    }
}

/// Continues with the rows of history that [`Leaving`] means, of rows that are still to be said.
fn leave(statement: Statement, leaving: &Leaving) -> Statement {
    let at = leaving.at.timestamp_micros();
    statement
        .then(
            "INSERT INTO history (user_id, segment_id, slug, operation, at, source, actor, reason, job_id) \
             SELECT user_id, ?, ?, 'remove', CASE WHEN since > ? THEN since ELSE ? END, ?, ?, ?, ?",
        )
        .int(leaving.segment.id.0)
        .text(leaving.segment.slug.as_str())
        .int(at)
        .int(at)
        .text(leaving.source.as_str())
        .text(leaving.actor.as_str())
        .maybe_text(leaving.reason.as_ref().map(|reason| reason.as_str()))
        .maybe_int(leaving.job.map(|job| job.0))
}

/// What came of carrying entries out.
enum Recorded {
    Whole,
    /// Fewer memberships were stored than the entries end and extend.
    Missing,
}

/// One statement for each kind of change, however many entries there are. Of one pair there is a remove, then an add,
/// or else one extend, so the kinds may be carried out one after the other.
fn record_at_once(conn: &mut PgConnection, entries: &[Entry]) -> QueryResult<Recorded> {
    if entries.is_empty() {
        return Ok(Recorded::Whole);
    }
    append(entries).execute(conn)?;
    let of = |operation| entries.iter().filter(|entry| entry.operation == operation).collect::<Vec<_>>();
    let (removes, adds, extends) = (of(Operation::Remove), of(Operation::Add), of(Operation::Extend));
    if !removes.is_empty() {
        let statement = Statement::<()>::new(
            "DELETE FROM memberships m USING unnest(?, ?) AS e (user_id, segment_id) \
             WHERE m.user_id = e.user_id AND m.segment_id = e.segment_id",
        );
        if statement.column(users(&removes)).column(segments(&removes)).execute(conn)? < removes.len() {
            return Ok(Recorded::Missing);
        }
    }
    if !adds.is_empty() {
        add(&adds).execute(conn)?;
    }
    if !extends.is_empty() {
        let statement = Statement::<()>::new(
            "UPDATE memberships m SET expires_at = e.expires_at \
             FROM unnest(?, ?, ?) AS e (user_id, segment_id, expires_at) \
             WHERE m.user_id = e.user_id AND m.segment_id = e.segment_id",
        );
        let statement = statement.column(users(&extends)).column(segments(&extends)).column(deadlines(&extends));
        if statement.execute(conn)? < extends.len() {
            return Ok(Recorded::Missing);
        }
    }
    Ok(Recorded::Whole)
}

/// The ordinality keeps ids in the order of the entries.
fn append(entries: &[Entry]) -> Statement {
    let entries: Vec<&Entry> = entries.iter().collect();
    Statement::new(
        "INSERT INTO history (user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id) \
         SELECT user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id \
         FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY AS e \
         (user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id, place) \
         ORDER BY place",
    )
    .column(users(&entries))
    .column(segments(&entries))
    .column(texts(&entries, |entry| entry.segment.slug.as_str()))
    .column(texts(&entries, |entry| entry.operation.as_str()))
    .column(Column::Ints(entries.iter().map(|entry| entry.at.timestamp_micros()).collect()))
    .column(Column::MaybeInts(entries.iter().map(|entry| micros(entry.since)).collect()))
    .column(deadlines(&entries))
    .column(texts(&entries, |entry| entry.source.as_str()))
    .column(texts(&entries, |entry| entry.actor.as_str()))
    .column(reasons(&entries))
    .column(Column::MaybeInts(entries.iter().map(|entry| entry.job.map(|job| job.0)).collect()))
}

/// Sorted, so that two units with the same pairs in two orders do not wait for each other; by segment, because of the index.
fn add(entries: &[&Entry]) -> Statement {
    Statement::new(
        "INSERT INTO memberships (user_id, segment_id, since, expires_at, source, actor, reason) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?) AS e (user_id, segment_id) \
         ORDER BY segment_id, user_id COLLATE \"C\"",
    )
    .column(users(entries))
    .column(segments(entries))
    .column(Column::Ints(entries.iter().map(|entry| since(entry)).collect()))
    .column(deadlines(entries))
    .column(texts(entries, |entry| entry.source.as_str()))
    .column(texts(entries, |entry| entry.actor.as_str()))
    .column(reasons(entries))
}

fn users(entries: &[&Entry]) -> Column {
    texts(entries, |entry| entry.user.as_str())
}

fn segments(entries: &[&Entry]) -> Column {
    Column::Ints(entries.iter().map(|entry| entry.segment.id.0).collect())
}

fn deadlines(entries: &[&Entry]) -> Column {
    Column::MaybeInts(entries.iter().map(|entry| micros(entry.expires_at)).collect())
}

fn reasons(entries: &[&Entry]) -> Column {
    Column::MaybeTexts(entries.iter().map(|entry| reason(entry).map(str::to_owned)).collect())
}

fn texts(entries: &[&Entry], read: fn(&Entry) -> &str) -> Column {
    Column::Texts(entries.iter().map(|entry| read(entry).to_owned()).collect())
}

/// As in PostgreSQL, kind after kind, but with the values of several rows in one statement instead of arrays. OR FAIL
/// leaves what a failing statement did before it failed, so that SQLite need not keep a copy of each page it changes: the
/// unit rolls back anyway.
fn record_in_rows(conn: &mut SqliteConnection, entries: &[Entry]) -> QueryResult<Recorded> {
    let entries: Vec<&Entry> = entries.iter().collect();
    for rows in portions(&entries) {
        append_rows(rows).execute(conn)?;
    }
    for entry in entries.iter().filter(|entry| entry.operation == Operation::Remove) {
        let statement = Statement::<()>::new("DELETE FROM memberships WHERE user_id = ? AND segment_id = ?");
        if statement.text(entry.user.as_str()).int(entry.segment.id.0).execute(conn)? == 0 {
            return Ok(Recorded::Missing);
        }
    }
    let adds: Vec<&Entry> = entries.iter().copied().filter(|entry| entry.operation == Operation::Add).collect();
    for rows in portions(&adds) {
        add_rows(rows).execute(conn)?;
    }
    for entry in entries.iter().filter(|entry| entry.operation == Operation::Extend) {
        let statement =
            Statement::<()>::new("UPDATE memberships SET expires_at = ? WHERE user_id = ? AND segment_id = ?")
                .maybe_int(micros(entry.expires_at))
                .text(entry.user.as_str())
                .int(entry.segment.id.0);
        if statement.execute(conn)? == 0 {
            return Ok(Recorded::Missing);
        }
    }
    Ok(Recorded::Whole)
}

fn append_rows(entries: &[&Entry]) -> Statement {
    Statement::new(
        "INSERT OR FAIL INTO history \
         (user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id) VALUES",
    )
    .values(entries, 11, |statement, entry| {
        statement
            .text(entry.user.as_str())
            .int(entry.segment.id.0)
            .text(entry.segment.slug.as_str())
            .text(entry.operation.as_str())
            .int(entry.at.timestamp_micros())
            .maybe_int(micros(entry.since))
            .maybe_int(micros(entry.expires_at))
            .text(entry.source.as_str())
            .text(entry.actor.as_str())
            .maybe_text(reason(entry))
            .maybe_int(entry.job.map(|job| job.0))
    })
}

fn add_rows(entries: &[&Entry]) -> Statement {
    Statement::new(
        "INSERT OR FAIL INTO memberships \
         (user_id, segment_id, since, expires_at, source, actor, reason) VALUES",
    )
    .values(entries, 7, |statement, entry| {
        statement
            .text(entry.user.as_str())
            .int(entry.segment.id.0)
            .int(since(entry))
            .maybe_int(micros(entry.expires_at))
            .text(entry.source.as_str())
            .text(entry.actor.as_str())
            .maybe_text(reason(entry))
    })
}

/// When the membership that an add begins is said to have begun.
fn since(entry: &Entry) -> i64 {
    entry.since.unwrap_or(entry.at).timestamp_micros()
}

fn micros(at: Option<Instant>) -> Option<i64> {
    at.map(|at| at.timestamp_micros())
}

fn reason(entry: &Entry) -> Option<&str> {
    entry.reason.as_ref().map(|reason| reason.as_str())
}

fn stored(which: &str) -> Statement<Columns> {
    Statement::new(COLUMNS).then(ALL).then(NAMED).then(which)
}

fn membership((user, segment, slug, since, expires_at, source, actor, reason): Row) -> Result<Membership, StoreError> {
    let slug = slug.ok_or_else(|| TABLE.corrupt(format!("user `{user}` is in segment {segment}, which never was")))?;
    Ok(Membership {
        user: TABLE.user(&user)?,
        segment: SegmentRef { id: SegmentId(segment), slug: TABLE.slug(&slug)? },
        since: TABLE.instant(since)?,
        expires_at: TABLE.maybe_instant(expires_at)?,
        source: TABLE.source(&source)?,
        actor: Actor::new(actor),
        reason: TABLE.reason(reason)?,
    })
}
