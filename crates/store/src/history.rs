use std::{collections::BTreeSet, ops::ControlFlow};

use diesel::{
    RunQueryDsl,
    connection::SimpleConnection,
    pg::PgRowByRowLoadingMode,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{Actor, Entry, HistoryRow, Instant, JobId, Membership, SegmentId, SegmentRef, UserId, history::replay};
use serde_json::json;
use usecases::ports::{
    Direction, History, HistoryFilter, HistoryLines, HistorySegment, HistoryTally, MemberQuery, Moves, StoreError,
    UserQuery,
};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    connection::AnyConnection,
    statements::{Column, Statement},
    users::{among, behind},
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

/// Rows of a segment up to an instant, behind a user.
const UP_TO: &str = " WHERE segment_id = ? AND at <= ? AND user_id > ?";

impl History for DieselUnit<'_> {
    fn page(&mut self, filter: &HistoryFilter, limit: usize) -> Result<Vec<HistoryRow>, StoreError> {
        let statement = self.page_of(Statement::<Columns>::new(SELECT), filter, limit)?;
        self.rows(statement, history_row)
    }

    fn lines(
        &mut self,
        filter: &HistoryFilter,
        size: usize,
        pages: usize,
        take: &mut dyn FnMut(HistoryLines) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let bearers = self.bearers_of(filter)?;
        let mut failed = None;
        let mut take = |page| match history_lines(page) {
            Ok(lines) => take(lines),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        };
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                let statement = pages_of_lines(filter, &bearers, size, pages);
                for page in statement.load_iter::<LinesPage, PgRowByRowLoadingMode>(conn)? {
                    if take(page?).is_break() {
                        break;
                    }
                }
                Ok(())
            }
            AnyConnection::Sqlite(conn) => {
                let mut after = filter.after.map(|(at, id)| (at.timestamp_micros(), id));
                for _ in 0..pages {
                    let page: LinesPage = page_of_lines(filter, &bearers, size, after).get_result(conn)?;
                    after = page.1.zip(page.2);
                    let is_last = usize::try_from(page.0).is_ok_and(|count| count < size);
                    if take(page).is_break() || is_last {
                        break;
                    }
                }
                Ok(())
            }
        })?;
        self.remember(failed.map_or(Ok(()), Err))
    }

    fn count(&mut self, filter: &HistoryFilter) -> Result<u64, StoreError> {
        let bearers = self.bearers_of(filter)?;
        self.count_of(filtered(Statement::new("SELECT count(*) FROM history"), filter, &bearers))
    }

    fn tally(&mut self, filter: &HistoryFilter, points: &[Instant]) -> Result<Vec<HistoryTally>, StoreError> {
        let points: Vec<i64> = points.iter().map(Instant::timestamp_micros).collect();
        let bearers = self.bearers_of(filter)?;
        let rows: Vec<TallyRow> = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => tally_at_once(filter, &bearers, &points).load(conn),
            AnyConnection::Sqlite(conn) => tally_by_parts(filter, &bearers, &points).load(conn),
        })?;
        let tallies = rows.into_iter().map(|(place, source, operation, count)| {
            let place = usize::try_from(place).map_err(|error| TABLE.corrupt(error))?;
            let (source, operation) = (TABLE.source(&source)?, TABLE.operation(&operation)?);
            Ok(HistoryTally { place, source, operation, count: count.unsigned_abs() })
        });
        let tallies = tallies.collect();
        self.remember(tallies)
    }

    /// Without groups, which would have all rows sorted first.
    fn moves(&mut self, after: Instant, to: Instant) -> Result<Moves, StoreError> {
        let statement = Statement::<(BigInt, BigInt, BigInt)>::new(
            "SELECT count(*) FILTER (WHERE operation = 'add'), count(*) FILTER (WHERE operation = 'remove'), \
             count(*) FILTER (WHERE operation = 'extend') FROM history WHERE at > ? AND at <= ?",
        )
        .int(after.timestamp_micros())
        .int(to.timestamp_micros());
        let moves = self.rows(statement, |(added, removed, extended): (i64, i64, i64)| {
            let [added, removed, extended] = [added, removed, extended].map(i64::unsigned_abs);
            Ok(Moves { added, removed, extended })
        })?;
        Ok(moves.into_iter().next().unwrap_or_default())
    }

    fn last_of(&mut self, segments: &[SegmentId]) -> Result<Vec<HistoryRow>, StoreError> {
        let segments: Vec<i64> = segments.iter().map(|segment| segment.0).collect();
        let rows: Vec<Row> = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                Statement::<Columns>::new("SELECT h.* FROM unnest(?) AS s (segment) CROSS JOIN LATERAL (")
                    .column(Column::Ints(segments))
                    .then(SELECT)
                    .then(" WHERE segment_id = s.segment ORDER BY at DESC, id DESC LIMIT 1) AS h ORDER BY h.at, h.id")
                    .load(conn)
            }
            // It has no lateral joins, but ids that find a row by themselves.
            AnyConnection::Sqlite(conn) => Statement::<Columns>::new(SELECT)
                .then(
                    " WHERE id IN (SELECT (SELECT h.id FROM history h WHERE h.segment_id = s.value \
                     ORDER BY h.at DESC, h.id DESC LIMIT 1) FROM json_each(?) s) ORDER BY at, id",
                )
                .text(json!(segments).to_string())
                .load(conn),
        })?;
        let rows = rows.into_iter().map(history_row).collect();
        self.remember(rows)
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

    fn told_up_to(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let users = UserQuery { after: after.cloned(), ..UserQuery::default() };
        self.told_of(&MemberQuery { segment, at, users }, limit)
    }

    fn members_at(
        &mut self,
        segment: SegmentId,
        at: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<Membership>, StoreError> {
        let users = UserQuery { after: after.cloned(), ..UserQuery::default() };
        self.found_at(&MemberQuery { segment, at, users }, limit)
    }

    fn count_at(&mut self, segment: SegmentId, at: Instant) -> Result<u64, StoreError> {
        self.count_found_at(&MemberQuery { segment, at, users: UserQuery::default() })
    }

    fn found_at(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Membership>, StoreError> {
        let mut query = query.clone();
        let mut members: Vec<Membership> = Vec::new();
        // Stretch by stretch of users, of whom not everyone is a member.
        while members.len() < limit {
            let entries = self.told_of(&query, limit)?;
            let Some(last) = entries.last() else { break };
            members.extend(entries.chunk_by(|a, b| a.user == b.user).filter_map(|entries| replay(entries, query.at)));
            query.users.after = Some(last.user.clone());
        }
        members.truncate(limit);
        Ok(members)
    }

    fn count_found_at(&mut self, query: &MemberQuery) -> Result<u64, StoreError> {
        let micros = query.at.timestamp_micros();
        let statement = Statement::new(
            "SELECT count(*) FROM (SELECT operation, expires_at, \
             row_number() OVER (PARTITION BY user_id ORDER BY id DESC) AS place FROM history",
        )
        .then(UP_TO)
        .int(query.segment.0)
        .int(micros)
        .text(behind(None));
        let statement = searched(statement, &query.users, behind(None))
            .then(") AS told WHERE place = 1 AND operation <> 'remove' AND (expires_at IS NULL OR expires_at > ?)")
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

    fn rename(&mut self, user: &UserId, name: &UserId) -> Result<u64, StoreError> {
        let statement = Statement::new("UPDATE history SET user_id = ?, reason = NULL WHERE user_id = ?");
        Ok(self.execute(statement.text(name.as_str()).text(user.as_str()))? as u64)
    }

    fn begins_at(&mut self) -> Result<Option<Instant>, StoreError> {
        let statement = Statement::<BigInt>::new("SELECT at FROM horizons ORDER BY at DESC LIMIT 1");
        let found = self.rows(statement, |at: i64| Table("horizons").instant(at))?;
        Ok(found.into_iter().next())
    }

    fn begin_at(&mut self, at: Instant) -> Result<(), StoreError> {
        self.execute(Statement::new("INSERT INTO horizons (at) VALUES (?)").int(at.timestamp_micros())).map(drop)
    }

    fn known_before(
        &mut self,
        before: Instant,
        after: Option<&UserId>,
        limit: usize,
    ) -> Result<Vec<UserId>, StoreError> {
        let statement = Statement::<Text>::new(
            "SELECT DISTINCT user_id FROM history WHERE at < ? AND user_id > ? ORDER BY user_id LIMIT ?",
        )
        .int(before.timestamp_micros())
        .text(behind(after))
        .int(rows_max(limit));
        self.rows(statement, |user: String| TABLE.user(&user))
    }

    fn forget(&mut self, places: &[(Instant, i64)]) -> Result<(), StoreError> {
        let ids = || places.iter().map(|(_, id)| *id);
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => Statement::<()>::new(
                "DELETE FROM history h USING unnest(?, ?) AS p (at, id) WHERE h.at = p.at AND h.id = p.id",
            )
            .column(Column::Ints(places.iter().map(|(at, _)| at.timestamp_micros()).collect()))
            .column(Column::Ints(ids().collect()))
            .execute(conn),
            AnyConnection::Sqlite(conn) => {
                Statement::<()>::new("DELETE FROM history WHERE id ?").any_int(ids()).execute(conn)
            }
        })
        .map(drop)
    }

    fn rewrite(&mut self, row: &HistoryRow) -> Result<(), StoreError> {
        let statement = Statement::new("UPDATE history SET expires_at = ? WHERE at = ? AND id = ?")
            .maybe_int(row.entry.expires_at.map(|at| at.timestamp_micros()))
            .int(row.entry.at.timestamp_micros())
            .int(row.id);
        self.execute(statement).map(drop)
    }

    fn make_parts(&mut self, now: Instant) -> Result<usize, StoreError> {
        let made = self.in_parts("SELECT strata_make_months(?)", now)?;
        Ok(made.and_then(|made| usize::try_from(made).ok()).unwrap_or(0))
    }

    fn forget_part(&mut self, before: Instant) -> Result<Option<u64>, StoreError> {
        let forgotten = self.in_parts("SELECT strata_drop_month(?)", before)?;
        Ok(forgotten.and_then(|rows| u64::try_from(rows).ok()))
    }
}

impl DieselUnit<'_> {
    /// Asks PostgreSQL to make or drop parts; SQLite has none. However long that takes, it is given up at once where
    /// others read what it needs alone: whoever comes after would wait for it as well.
    fn in_parts(&mut self, ask: &str, at: Instant) -> Result<Option<i64>, StoreError> {
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                conn.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 500")?;
                Statement::<BigInt>::new(ask).int(at.timestamp_micros()).get_result(conn).map(Some)
            }
            AnyConnection::Sqlite(_) => Ok(None),
        })
    }

    /// All entries up to the query's instant of at most `limit` users whom it finds and who have any, by user, after its
    /// cursor, and then in the order they were written.
    fn told_of(&mut self, query: &MemberQuery, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let (segment, micros) = (query.segment.0, query.at.timestamp_micros());
        let after = behind(query.users.after.as_ref());
        let users = Statement::<Text>::new("SELECT DISTINCT user_id FROM history")
            .then(UP_TO)
            .int(segment)
            .int(micros)
            .text(after);
        let users = searched(users, &query.users, after).then(" ORDER BY user_id LIMIT ?").int(rows_max(limit));
        let users = self.rows(users, |user: String| TABLE.user(&user))?;
        let Some(last) = users.last() else { return Ok(Vec::new()) };
        let rows = Statement::<Columns>::new(SELECT).then(UP_TO).int(segment).int(micros).text(after);
        let rows = match query.users.text {
            None => rows.then(" AND user_id <= ?").text(last.as_str()),
            // Those in between whom the query does not find are passed over.
            Some(_) => rows.then(" AND user_id ?").any_text(users.iter().map(UserId::as_str)),
        };
        let rows = rows.then(" ORDER BY user_id, id");
        self.rows(rows, |row| history_row(row).map(|row| row.entry))
    }

    /// The rows that the filter leaves, by instant and then by id, in its direction, after its cursor.
    fn page_of<Columns>(
        &mut self,
        select: Statement<Columns>,
        filter: &HistoryFilter,
        limit: usize,
    ) -> Result<Statement<Columns>, StoreError> {
        let bearers = self.bearers_of(filter)?;
        let mut statement = filtered(select, filter, &bearers);
        let (order, behind) = match filter.direction {
            Direction::Ascending => (" ORDER BY at, id LIMIT ?", " AND (at, id) > (?, ?)"),
            Direction::Descending => (" ORDER BY at DESC, id DESC LIMIT ?", " AND (at, id) < (?, ?)"),
        };
        if let Some((at, id)) = filter.after {
            statement = statement.then(behind).int(at.timestamp_micros()).int(id);
        }
        Ok(statement.then(order).int(rows_max(limit)))
    }

    /// The segments that ever had the slug which the filter names: history is found by their numbers.
    fn bearers_of(&mut self, filter: &HistoryFilter) -> Result<Vec<i64>, StoreError> {
        let Some(HistorySegment { slug, .. }) = &filter.segment else { return Ok(Vec::new()) };
        let statement = Statement::<BigInt>::new(
            "SELECT DISTINCT segment_id FROM segment_names WHERE slug = ? ORDER BY segment_id",
        )
        .text(slug.as_str());
        self.rows(statement, Ok)
    }
}

/// Lines are put together by the database: as a row each, they cost more to hand over than to find. Neither users, slugs
/// nor operations have blanks.
type LinesColumns =
    (BigInt, Nullable<BigInt>, Nullable<BigInt>, Nullable<Text>, Nullable<Text>, Nullable<Text>, Nullable<Text>);
/// How many there are, instant and id of the last one, and the columns.
type LinesPage = (i64, Option<i64>, Option<i64>, Option<String>, Option<String>, Option<String>, Option<String>);

fn history_lines(page: LinesPage) -> Result<HistoryLines, StoreError> {
    let (count, at, id, users, slugs, operations, instants) = page;
    Ok(HistoryLines {
        count: usize::try_from(count).unwrap_or(0),
        users: users.unwrap_or_default(),
        slugs: slugs.unwrap_or_default(),
        operations: operations.unwrap_or_default(),
        instants: instants.unwrap_or_default(),
        last: TABLE.maybe_instant(at)?.zip(id),
    })
}

/// In PostgreSQL each page begins where the one before it ended, so that it works on while the last one is read.
fn pages_of_lines(filter: &HistoryFilter, bearers: &[i64], size: usize, pages: usize) -> Statement<LinesColumns> {
    let (at, id) = filter.after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.timestamp_micros(), id));
    let statement = Statement::new(
        "WITH RECURSIVE pages (number, count, at, id, users, slugs, operations, instants) AS (\
         SELECT 0, CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), \
         '' COLLATE \"C\", '' COLLATE \"C\", '' COLLATE \"C\", '' COLLATE \"C\" \
         UNION ALL SELECT before.number + 1, page.* FROM pages before CROSS JOIN LATERAL (\
         SELECT count(*), max(at), (array_agg(id))[count(*)], string_agg(user_id, ' '), string_agg(slug, ' '), \
         string_agg(operation, ' '), string_agg(CAST(at AS TEXT), ' ') COLLATE \"C\" \
         FROM (SELECT user_id, slug, operation, at, id FROM history",
    )
    .int(rows_max(size))
    .int(at)
    .int(id);
    filtered(statement, filter, bearers)
        .then(" AND (at, id) > (before.at, before.id) ORDER BY at, id LIMIT ?) AS line) AS page")
        .int(rows_max(size))
        .then(" WHERE before.number < ? AND before.count = ?")
        .int(rows_max(pages))
        .int(rows_max(size))
        .then(") SELECT count, at, id, users, slugs, operations, instants FROM pages WHERE number > 0")
}

fn page_of_lines(
    filter: &HistoryFilter,
    bearers: &[i64],
    size: usize,
    after: Option<(i64, i64)>,
) -> Statement<LinesColumns> {
    let statement = Statement::new(
        "SELECT count(*), max(at), json_group_array(id) ->> '$[#-1]', string_agg(user_id, ' '), string_agg(slug, ' '), \
         string_agg(operation, ' '), string_agg(CAST(at AS TEXT), ' ') FROM (SELECT user_id, slug, operation, at, id FROM history",
    );
    let (at, id) = after.unwrap_or((i64::MIN, i64::MIN));
    filtered(statement, filter, bearers)
        .then(" AND (at, id) > (?, ?) ORDER BY at, id LIMIT ?) AS line")
        .int(at)
        .int(id)
        .int(rows_max(size))
}

/// Place, source, operation and count.
type TallyColumns = (BigInt, Text, Text, BigInt);
type TallyRow = (i64, String, String, i64);

const GROUPED: &str = " GROUP BY 1, source, operation ORDER BY 1, source, operation";

/// PostgreSQL finds each row's place among the instants by itself, in one walk. Its buckets begin with what they are named
/// after and ours end with it, so they are those of the microsecond after.
fn tally_at_once(filter: &HistoryFilter, bearers: &[i64], points: &[i64]) -> Statement<TallyColumns> {
    let statement =
        Statement::new("SELECT CAST(width_bucket(at, ?) AS BIGINT), source, operation, count(*) FROM history")
            .column(Column::Ints(points.iter().map(|point| point.saturating_add(1)).collect()));
    filtered(statement, filter, bearers)
        .then(" AND at > ? AND at <= ?")
        .int(points.first().copied().unwrap_or(i64::MAX))
        .int(points.last().copied().unwrap_or(i64::MIN))
        .then(GROUPED)
}

/// SQLite goes from instant to instant, and finds the rows in between by an index.
fn tally_by_parts(filter: &HistoryFilter, bearers: &[i64], points: &[i64]) -> Statement<TallyColumns> {
    let parts: Vec<(usize, i64, i64)> =
        points.windows(2).enumerate().map(|(number, ends)| (number + 1, ends[0], ends[1])).collect();
    let statement = Statement::new(
        "SELECT p.place, source, operation, count(*) FROM (SELECT json_extract(value, '$[0]') AS place, \
         json_extract(value, '$[1]') AS begins, json_extract(value, '$[2]') AS ends FROM json_each(?)) p CROSS JOIN history",
    )
    .text(json!(parts).to_string());
    filtered(statement, filter, bearers).then(" AND at > p.begins AND at <= p.ends").then(GROUPED)
}

/// Continues with who is to be found behind `after`, if anybody in particular is.
fn searched<Columns>(statement: Statement<Columns>, users: &UserQuery, after: &str) -> Statement<Columns> {
    match users.text {
        Some(_) => among(statement, "history.user_id", users, after),
        None => statement,
    }
}

/// Only what the filter asks for is in the text, so that the index of it can be used.
fn filtered<Columns>(mut statement: Statement<Columns>, filter: &HistoryFilter, bearers: &[i64]) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(user) = &filter.user {
        statement = statement.then(" AND user_id = ?").text(user.as_str());
    }
    if let Some(HistorySegment { slug, id }) = &filter.segment {
        let now = id.map(|id| id.0);
        // A user has few rows, a segment may have millions: a column with a plus is not looked up in an index.
        let column = if filter.user.is_some() { "+segment_id" } else { "segment_id" };
        statement = match (bearers, now) {
            (&[only], Some(now)) if only == now => statement.then(&format!(" AND {column} = ?")).int(now),
            (&[only], None) => statement.then(&format!(" AND {column} = ? AND slug = ?")).int(only).text(slug.as_str()),
            _ => {
                let then = bearers.iter().copied().filter(|bearer| Some(*bearer) != now);
                let either = format!(" AND ({column} = ? OR ({column} ? AND slug = ?))");
                let statement = statement.then(&either);
                // No segment has the number 0.
                statement.int(now.unwrap_or(0)).any_int(then).text(slug.as_str())
            }
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
