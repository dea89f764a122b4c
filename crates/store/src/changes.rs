//! What transactions tell of their changes: collected as they are made, and written before the commit.

use diesel::{
    QueryResult, RunQueryDsl,
    pg::PgRowByRowLoadingMode,
    sql_types::{BigInt, Binary, Text},
};
use domain::SegmentId;
use serde::{Deserialize, Serialize};
use usecases::{
    changes::{Change, Commit, PORTION, Seen, Told},
    ports::{Changes, StoreError},
};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    connection::AnyConnection,
    statements::Statement,
};

const TABLE: Table = Table("changes");
const NOTES: Table = Table("changes_notes");

/// What a unit is to tell, and what it told already.
#[derive(Default)]
pub(crate) struct Telling {
    waiting: Vec<Change>,
    transaction: Option<u64>,
    /// Nothing when there were more portions than this one.
    told: Option<Told>,
}

/// A portion, as it is stored. Instants stand as their distance from the first one, which takes few bytes.
#[derive(Serialize, Deserialize)]
struct Portion<'a> {
    first: i64,
    #[serde(borrow)]
    rows: Vec<Row<'a>>,
}

#[derive(Serialize, Deserialize)]
enum Row<'a> {
    Entered(&'a str, i64, i64, Option<i64>),
    Extended(&'a str, i64, Option<i64>),
    Left(&'a str, i64),
    Emptied(i64),
    Named(i64, &'a str),
    Deleted(i64),
    Born(&'a str),
    Died(&'a str),
}

fn pack(changes: &[Change]) -> Result<Vec<u8>, StoreError> {
    let first = changes.iter().find_map(|change| match change {
        Change::Entered { since, .. } => Some(since.timestamp_micros()),
        _ => None,
    });
    let first = first.unwrap_or(0);
    let after = |at: &domain::Instant| at.timestamp_micros().wrapping_sub(first);
    let row = |change| match change {
        &Change::Entered { ref user, segment, ref since, ref expires_at } => {
            Row::Entered(user.as_str(), segment.0, after(since), expires_at.as_ref().map(after))
        }
        &Change::Extended { ref user, segment, ref expires_at } => {
            Row::Extended(user.as_str(), segment.0, expires_at.as_ref().map(after))
        }
        &Change::Left { ref user, segment } => Row::Left(user.as_str(), segment.0),
        &Change::Emptied { segment } => Row::Emptied(segment.0),
        &Change::Named { segment, ref slug } => Row::Named(segment.0, slug.as_str()),
        &Change::Deleted { segment } => Row::Deleted(segment.0),
        Change::Born { user } => Row::Born(user.as_str()),
        Change::Died { user } => Row::Died(user.as_str()),
    };
    let portion = Portion { first, rows: changes.iter().map(row).collect() };
    postcard::to_allocvec(&portion).map_err(crate::unavailable)
}

fn unpack(bytes: &[u8]) -> Result<Vec<Change>, StoreError> {
    let portion: Portion = postcard::from_bytes(bytes).map_err(|error| TABLE.corrupt(error))?;
    let instant = |after: i64| TABLE.instant(portion.first.wrapping_add(after));
    let change = |row: &Row| {
        Ok(match *row {
            Row::Entered(user, segment, since, until) => Change::Entered {
                user: TABLE.user(user)?,
                segment: SegmentId(segment),
                since: instant(since)?,
                expires_at: until.map(instant).transpose()?,
            },
            Row::Extended(user, segment, until) => Change::Extended {
                user: TABLE.user(user)?,
                segment: SegmentId(segment),
                expires_at: until.map(instant).transpose()?,
            },
            Row::Left(user, segment) => Change::Left { user: TABLE.user(user)?, segment: SegmentId(segment) },
            Row::Emptied(segment) => Change::Emptied { segment: SegmentId(segment) },
            Row::Named(segment, slug) => Change::Named { segment: SegmentId(segment), slug: TABLE.slug(slug)? },
            Row::Deleted(segment) => Change::Deleted { segment: SegmentId(segment) },
            Row::Born(user) => Change::Born { user: TABLE.user(user)? },
            Row::Died(user) => Change::Died { user: TABLE.user(user)? },
        })
    };
    portion.rows.iter().map(change).collect()
}

impl DieselUnit<'_> {
    /// To be told if the unit is committed.
    pub(crate) fn changed(&mut self, changes: impl IntoIterator<Item = Change>) -> Result<(), StoreError> {
        for change in changes {
            self.telling.waiting.push(change);
            if self.telling.waiting.len() == PORTION {
                self.tell()?;
            }
        }
        Ok(())
    }

    /// Writes what waits to be told.
    fn tell(&mut self) -> Result<(), StoreError> {
        let changes = std::mem::take(&mut self.telling.waiting);
        let packed = pack(&changes);
        let packed = self.remember(packed)?;
        let transaction = self.telling.transaction;
        let (number, transaction_id) = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => Statement::<(BigInt, BigInt)>::new(
                "INSERT INTO changes (told) VALUES (?) RETURNING number, transaction_id",
            )
            .bytes(packed)
            .get_result(conn),
            AnyConnection::Sqlite(conn) => Statement::<(BigInt, BigInt)>::new(
                "INSERT INTO changes (transaction_id, told) VALUES (coalesce(?, \
                 (SELECT seq + 1 FROM sqlite_sequence WHERE name = 'changes'), 1), ?) RETURNING number, transaction_id",
            )
            .maybe_int(transaction.map(u64::cast_signed))
            .bytes(packed)
            .get_result::<(i64, i64)>(conn),
        })?;
        let is_first = transaction.is_none();
        let transaction = transaction_id.cast_unsigned();
        self.telling.transaction = Some(transaction);
        self.telling.told = is_first.then_some(Told { number, transaction, changes });
        Ok(())
    }

    /// Tells the rest, before the commit.
    pub(crate) fn tell_all(&mut self) -> Result<Option<Commit>, StoreError> {
        if !self.telling.waiting.is_empty() {
            self.tell()?;
        }
        let Telling { transaction, told, .. } = std::mem::take(&mut self.telling);
        Ok(transaction.map(|transaction| Commit { transaction, told }))
    }
}

impl Changes for DieselUnit<'_> {
    fn seen(&mut self) -> Result<Seen, StoreError> {
        let seen = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                let snapshot: String =
                    Statement::<Text>::new("SELECT CAST(pg_current_snapshot() AS TEXT)").get_result(conn)?;
                Ok(of_snapshot(&snapshot).ok_or(snapshot))
            }
            AnyConnection::Sqlite(conn) => {
                let last: i64 = Statement::<BigInt>::new(
                    "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)",
                )
                .get_result(conn)?;
                Ok(Ok(Seen::before(last.cast_unsigned() + 1)))
            }
        })?;
        self.remember(seen.map_err(|snapshot| TABLE.corrupt(format!("`{snapshot}` is not a snapshot"))))
    }

    fn since(&mut self, seen: &Seen, take: &mut dyn FnMut(Told)) -> Result<(), StoreError> {
        let mut failed = None;
        let mut read = |row: QueryResult<(i64, i64, Vec<u8>)>| -> QueryResult<()> {
            let (number, transaction, told) = row?;
            let transaction = transaction.cast_unsigned();
            if failed.is_none() && !seen.has(transaction) {
                match unpack(&told) {
                    Ok(changes) => take(Told { number, transaction, changes }),
                    Err(error) => failed = Some(error),
                }
            }
            Ok(())
        };
        let select = || Statement::<(BigInt, BigInt, Binary)>::new("SELECT number, transaction_id, told FROM changes");
        let next = i64::try_from(seen.next).unwrap_or(i64::MAX);
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                // Without an upper bound, which excludes nothing, PostgreSQL expects a third of a table that it does not know.
                let statement =
                    select().then(" WHERE transaction_id >= ? AND transaction_id < ?").int(next).int(i64::MAX);
                let statement = if seen.open.is_empty() {
                    statement
                } else {
                    statement.then(" OR transaction_id ?").any_int(seen.open.iter().map(|open| open.cast_signed()))
                };
                let statement = statement.then(" ORDER BY number").planned_anew();
                statement.load_iter::<_, PgRowByRowLoadingMode>(conn)?.try_for_each(&mut read)
            }
            AnyConnection::Sqlite(conn) => {
                let statement = select().then(" WHERE number >= ? ORDER BY number").int(next);
                statement.load_iter(conn)?.try_for_each(&mut read)
            }
        })?;
        self.remember(failed.map_or(Ok(()), Err))
    }

    fn forgotten(&mut self) -> Result<Option<Seen>, StoreError> {
        let statement =
            Statement::<Text>::new("SELECT seen FROM changes_notes WHERE forgotten ORDER BY at DESC LIMIT 1");
        Ok(self.rows(statement, noted)?.into_iter().next())
    }

    fn note(&mut self, at: domain::Instant, seen: &Seen) -> Result<(), StoreError> {
        let statement = Statement::new("INSERT INTO changes_notes (at, seen, forgotten) VALUES (?, ?, FALSE)");
        self.execute(statement.int(at.timestamp_micros()).text(seen.to_string())).map(drop)
    }

    fn is_noted(&mut self, at: domain::Instant) -> Result<bool, StoreError> {
        let statement = Statement::new("SELECT count(*) FROM changes_notes WHERE at = ?").int(at.timestamp_micros());
        Ok(self.count_of(statement)? > 0)
    }

    fn noted_at(&mut self) -> Result<Option<domain::Instant>, StoreError> {
        let statement = Statement::<BigInt>::new("SELECT at FROM changes_notes ORDER BY at DESC LIMIT 1");
        Ok(self.rows(statement, |at: i64| NOTES.instant(at))?.into_iter().next())
    }

    fn forget(&mut self, before: domain::Instant, limit: usize) -> Result<usize, StoreError> {
        let note = Statement::<(BigInt, Text)>::new(
            "SELECT at, seen FROM changes_notes WHERE at <= ? ORDER BY at DESC LIMIT 1",
        )
        .int(before.timestamp_micros());
        let found = self.rows(note, |(at, seen): (i64, String)| Ok((at, noted(seen)?)))?;
        let Some((at, seen)) = found.into_iter().next() else { return Ok(0) };
        self.execute(Statement::new("UPDATE changes_notes SET forgotten = TRUE WHERE at = ?").int(at))?;
        self.execute(Statement::new("DELETE FROM changes_notes WHERE at < ?").int(at))?;
        let gone = Statement::new(
            "DELETE FROM changes WHERE number IN (SELECT number FROM changes WHERE transaction_id < ? AND NOT (transaction_id ?) \
             ORDER BY transaction_id LIMIT ?)",
        )
        .int(i64::try_from(seen.next).unwrap_or(i64::MAX))
        .any_int(seen.open.iter().map(|open| open.cast_signed()))
        .int(rows_max(limit));
        self.execute(gone)
    }
}

fn noted(seen: String) -> Result<Seen, StoreError> {
    seen.parse().map_err(|_| NOTES.corrupt(format!("`{seen}` does not say what was seen")))
}

/// `xmin:xmax:xip,xip`, as PostgreSQL writes it.
fn of_snapshot(text: &str) -> Option<Seen> {
    let [_, next, open] = text.split(':').collect::<Vec<_>>()[..] else { return None };
    let open = open.split(',').filter(|open| !open.is_empty()).map(|open| open.parse().ok());
    Some(Seen { open: open.collect::<Option<_>>()?, ..Seen::before(next.parse().ok()?) })
}

#[cfg(test)]
mod tests {
    use domain::{Slug, UserId};

    use super::*;

    #[test]
    fn changes_are_read_as_they_were_packed() {
        let user = UserId::parse("user-1").unwrap();
        let segment = SegmentId(7);
        let at = |micros| TABLE.instant(micros).unwrap();
        let changes = [
            Change::Born { user: user.clone() },
            Change::Named { segment, slug: Slug::parse("VIP").unwrap() },
            Change::Entered { user: user.clone(), segment, since: at(1_790_000_000_000_001), expires_at: Some(at(-5)) },
            Change::Entered { user: user.clone(), segment, since: at(0), expires_at: None },
            Change::Extended { user: user.clone(), segment, expires_at: Some(at(1_800_000_000_000_000)) },
            Change::Left { user: user.clone(), segment },
            Change::Emptied { segment },
            Change::Deleted { segment },
            Change::Died { user },
        ];
        assert_eq!(unpack(&pack(&changes).unwrap()).unwrap(), changes);
        assert!(unpack(&[7]).is_err());
    }

    #[test]
    fn a_snapshot_says_what_is_open() {
        assert_eq!(of_snapshot("10:20:10,14").unwrap().to_string(), "20-10-14");
        assert_eq!(of_snapshot("20:20:").unwrap().to_string(), "20");
        assert_eq!(of_snapshot("20:20"), None);
        assert_eq!(of_snapshot("20:x:"), None);
    }
}
