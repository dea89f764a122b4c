use std::collections::BTreeSet;

use diesel::sql_types::{BigInt, Nullable, Text};
use domain::{Actor, Entry, HistoryRow, Instant, JobId, Membership, SegmentId, SegmentRef, UserId};
use usecases::ports::{History, HistoryFilter, HistoryLine, HistorySegment, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    memberships::{self, membership_of},
    statements::Statement,
    users::behind,
};

const TABLE: Table = Table("history");

const SELECT: &str = "SELECT id, user_id, segment_id, slug, operation, at, since, expires_at, source, actor, reason, job_id FROM history";
const SELECT_PAIRS: &str = "SELECT h.id, h.user_id, h.segment_id, h.slug, h.operation, h.at, h.since, h.expires_at, \
     h.source, h.actor, h.reason, h.job_id FROM ";
type Columns = (
    BigInt,
    Text,
    BigInt,
    Text,
    Text,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Text,
    Text,
    Nullable<Text>,
    Nullable<BigInt>,
);
/// In the order of `SELECT`.
type Row =
    (i64, String, i64, String, String, i64, Option<i64>, Option<i64>, String, String, Option<String>, Option<i64>);

/// Each user's last row `l` of a segment up to an instant, where it leaves the user in.
const LAST_AND_LIVE: &str = " WHERE l.segment_id = ? AND l.user_id > ? AND l.at <= ? AND l.operation <> 'remove' \
     AND (l.expires_at IS NULL OR l.expires_at > ?) \
     AND NOT EXISTS (SELECT 1 FROM history n \
     WHERE n.segment_id = l.segment_id AND n.user_id = l.user_id AND n.id > l.id AND n.at <= ?)";

impl History for DieselUnit<'_> {
    fn page(&mut self, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        let statement = self.page_of(Statement::<Columns>::new(SELECT), filter, limit)?;
        self.rows(statement, history_row)
    }

    fn lines(&mut self, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryLine>, StoreError> {
        let select = "SELECT id, user_id, slug, operation, at FROM history";
        let select = Statement::<(BigInt, Text, Text, Text, BigInt)>::new(select);
        let statement = self.page_of(select, filter, limit)?;
        self.rows(statement, |(id, user, slug, operation, at): (i64, String, String, String, i64)| {
            Ok(HistoryLine { id, user, slug, operation, at: TABLE.instant(at)? })
        })
    }

    fn count(&mut self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        let names = self.other_names(filter)?;
        self.count_of(filtered(Statement::new("SELECT count(*) FROM history"), filter, names))
    }

    fn of_users(&mut self, users: &[UserId], segment: Option<SegmentId>) -> Result<Vec<HistoryRow>, StoreError> {
        let mut statement =
            Statement::<Columns>::new(SELECT).then(" WHERE user_id ?").any_text(users.iter().map(UserId::as_str));
        if let Some(segment) = segment {
            statement = statement.then(" AND segment_id = ?").int(segment.0);
        }
        self.rows(statement.then(" ORDER BY id"), history_row)
    }

    fn of_pairs(&mut self, pairs: &[(UserId, SegmentId)]) -> Result<Vec<HistoryRow>, StoreError> {
        let pairs: BTreeSet<(&str, i64)> = pairs.iter().map(|(user, segment)| (user.as_str(), segment.0)).collect();
        let statement = Statement::<Columns>::new(SELECT_PAIRS)
            .then("? CROSS JOIN history h WHERE h.user_id = p.user_id AND h.segment_id = p.segment_id ORDER BY h.id")
            .pairs(pairs);
        self.rows(statement, history_row)
    }

    fn of_job(&mut self, job: JobId, after: i64, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        let statement = Statement::<Columns>::new(SELECT)
            .then(" WHERE job_id = ? AND id > ? ORDER BY id LIMIT ?")
            .int(job.0)
            .int(after)
            .int(rows_max(limit));
        self.rows(statement, history_row)
    }

    fn count_of_job(&mut self, job: JobId) -> Result<u64, StoreError> {
        self.count_of(Statement::new("SELECT count(*) FROM history WHERE job_id = ?").int(job.0))
    }

    fn members_at(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let micros = at.timestamp_micros();
        // The last add says how the membership began, the last row of any kind when it ends.
        let statement = Statement::<memberships::Columns>::new(
            "SELECT l.user_id, l.segment_id, a.slug, COALESCE(a.since, a.at), l.expires_at, a.source, a.actor, a.reason \
             FROM history l JOIN history a ON a.id = (SELECT max(b.id) FROM history b \
             WHERE b.segment_id = l.segment_id AND b.user_id = l.user_id AND b.operation = 'add' AND b.at <= ?)",
        )
        .int(micros)
        .then(LAST_AND_LIVE)
        .int(segment.0)
        .text(behind(after))
        .int(micros)
        .int(micros)
        .int(micros)
        .then(" ORDER BY l.user_id LIMIT ?")
        .int(rows_max(limit));
        self.rows(statement, |row| membership_of(TABLE, row))
    }

    fn count_at(&mut self, segment: SegmentId, at: Instant) -> Result<u64, StoreError> {
        let micros = at.timestamp_micros();
        let statement = Statement::new("SELECT count(*) FROM history l")
            .then(LAST_AND_LIVE)
            .int(segment.0)
            .text("")
            .int(micros)
            .int(micros)
            .int(micros);
        self.count_of(statement)
    }

    fn touched(
        &mut self,
        segment: SegmentId,
        from: Instant,
        to: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        let (from, to) = (from.timestamp_micros(), to.timestamp_micros());
        let statement = Statement::<Text>::new(
            "SELECT DISTINCT user_id FROM history WHERE segment_id = ? AND user_id > ? \
             AND ((at > ? AND at <= ?) OR (expires_at > ? AND expires_at <= ?)) ORDER BY user_id LIMIT ?",
        )
        .int(segment.0)
        .text(behind(after))
        .int(from)
        .int(to)
        .int(from)
        .int(to)
        .int(rows_max(limit));
        self.rows(statement, |user: String| TABLE.user(&user))
    }

    fn everyone(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let (after, limit) = (behind(after), rows_max(limit));
        // Each table gives its own first ones, so that none is read to the end for a page.
        let statement = Statement::<Text>::new(
            "SELECT user_id FROM (\
             SELECT user_id FROM (SELECT user_id FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?) AS u \
             UNION SELECT user_id FROM \
             (SELECT DISTINCT user_id FROM memberships WHERE user_id > ? ORDER BY user_id LIMIT ?) AS m \
             UNION SELECT user_id FROM \
             (SELECT DISTINCT user_id FROM history WHERE user_id > ? ORDER BY user_id LIMIT ?) AS h\
             ) AS everyone ORDER BY user_id LIMIT ?",
        )
        .text(after)
        .int(limit)
        .text(after)
        .int(limit)
        .text(after)
        .int(limit)
        .int(limit);
        self.rows(statement, |user: String| TABLE.user(&user))
    }

    fn begins_at(&mut self) -> Result<Option<Instant>, StoreError> {
        let statement = Statement::<BigInt>::new("SELECT at FROM horizons ORDER BY at DESC LIMIT 1");
        let found = self.rows(statement, |at: i64| Table("horizons").instant(at))?;
        Ok(found.into_iter().next())
    }

    fn begin_at(&mut self, at: Instant) -> Result<(), StoreError> {
        self.execute(Statement::new("INSERT INTO horizons (at) VALUES (?)").int(at.timestamp_micros())).map(drop)
    }

    fn forget(&mut self, ids: &[i64]) -> Result<(), StoreError> {
        self.execute(Statement::new("DELETE FROM history WHERE id ?").any_int(ids.iter().copied())).map(drop)
    }

    fn rewrite(&mut self, row: &HistoryRow) -> Result<(), StoreError> {
        let statement = Statement::new("UPDATE history SET expires_at = ? WHERE id = ?")
            .maybe_int(row.entry.expires_at.map(|at| at.timestamp_micros()))
            .int(row.id);
        self.execute(statement).map(drop)
    }
}

impl DieselUnit<'_> {
    /// The rows that the filter leaves, by instant and then by id, after its cursor.
    fn page_of<Columns>(
        &mut self,
        select: Statement<Columns>,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<Statement<Columns>, StoreError> {
        let names = self.other_names(filter)?;
        let mut statement = filtered(select, filter, names);
        if let Some((at, id)) = filter.after {
            statement = statement.then(" AND (at, id) > (?, ?)").int(at.timestamp_micros()).int(id);
        }
        Ok(statement.then(" ORDER BY at, id LIMIT ?").int(rows_max(limit)))
    }

    /// The segment that the filter names, with the slugs that it had besides the one in the filter. Its rows were written
    /// under those; most segments have none, and then the slug alone finds every row, in the order of its index.
    fn other_names(&mut self, filter: &HistoryFilter) -> Result<Option<(SegmentId, Vec<String>)>, StoreError> {
        let Some(HistorySegment { slug, id: Some(id) }) = &filter.segment else { return Ok(None) };
        let statement =
            Statement::<Text>::new("SELECT DISTINCT slug FROM segment_names WHERE segment_id = ? AND slug <> ?")
                .int(id.0)
                .text(slug.as_str());
        let names = self.rows(statement, |name: String| Ok(name))?;
        Ok(Some((*id, names)).filter(|(_, names)| !names.is_empty()))
    }
}

/// Only what the filter asks for is in the text, so that the index of it can be used.
fn filtered<Columns>(
    mut statement: Statement<Columns>,
    filter: &HistoryFilter,
    other_names: Option<(SegmentId, Vec<String>)>,
) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(user) = &filter.user {
        statement = statement.then(" AND user_id = ?").text(user.as_str());
    }
    if let Some(segment) = &filter.segment {
        statement = match other_names {
            None => statement.then(" AND slug = ?").text(segment.slug.as_str()),
            Some((id, names)) => statement
                .then(" AND (slug = ? OR (segment_id = ? AND slug ?))")
                .text(segment.slug.as_str())
                .int(id.0)
                .any_text(names.iter().map(String::as_str)),
        };
    }
    if let Some(from) = filter.period.from {
        statement = statement.then(" AND at >= ?").int(from.timestamp_micros());
    }
    if let Some(to) = filter.period.to {
        statement = statement.then(" AND at < ?").int(to.timestamp_micros());
    }
    statement
}

fn history_row(row: Row) -> Result<HistoryRow, StoreError> {
    let (id, user, segment, slug, operation, at, since, expires_at, source, actor, reason, job) = row;
    let entry = Entry {
        user: TABLE.user(&user)?,
        segment: SegmentRef { id: SegmentId(segment), slug: TABLE.slug(&slug)? },
        operation: TABLE.operation(&operation)?,
        at: TABLE.instant(at)?,
        since: TABLE.maybe_instant(since)?,
        expires_at: TABLE.maybe_instant(expires_at)?,
        source: TABLE.source(&source)?,
        actor: Actor::new(actor),
        reason: TABLE.reason(reason)?,
        job: job.map(JobId),
    };
    Ok(HistoryRow { id, entry })
}
