use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};
use domain::{Action, Actor, AuditEntry, AuditRow, ChainHash};
use usecases::ports::{Audit, AuditQuery, Direction, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    statements::Statement,
};

const TABLE: Table = Table("audit");

#[derive(Queryable)]
struct Row {
    id: i64,
    at: i64,
    actor: String,
    action: String,
    subject: String,
    detail: String,
    hash: String,
}

impl Audit for DieselUnit<'_> {
    fn last(&mut self) -> Result<Option<(i64, ChainHash)>, StoreError> {
        self.lock_audit()?;
        let statement = Statement::<(BigInt, Text)>::new("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
        let found = self.rows(statement, |(id, hash): (i64, String)| Ok((id, read_hash(id, &hash)?)))?;
        Ok(found.into_iter().next())
    }

    fn append(&mut self, row: &AuditRow) -> Result<(), StoreError> {
        let AuditRow { id, entry, hash } = row;
        let statement = Statement::new(
            "INSERT INTO audit (id, at, actor, action, subject, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let statement = statement
            .int(*id)
            .int(entry.at.timestamp_micros())
            .text(entry.actor.as_str())
            .text(entry.action.as_str())
            .text(entry.subject.as_str())
            .text(entry.detail.as_str())
            .text(hash.to_string());
        self.execute(statement).map(drop)
    }

    fn list(&mut self, query: &AuditQuery, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let select = "SELECT id, at, actor, action, subject, detail, hash FROM audit";
        let mut statement = filtered(Statement::<(BigInt, BigInt, Text, Text, Text, Text, Text)>::new(select), query);
        let (behind, order) = match query.direction {
            Direction::Ascending => (" AND id > ?", " ORDER BY id LIMIT ?"),
            Direction::Descending => (" AND id < ?", " ORDER BY id DESC LIMIT ?"),
        };
        if let Some(after) = query.after {
            statement = statement.then(behind).int(after);
        }
        let statement = statement.then(order).int(rows_max(limit));
        self.rows(statement, |row: Row| AuditRow::try_from(row))
    }

    fn count(&mut self, query: &AuditQuery) -> Result<u64, StoreError> {
        self.count_of(filtered(Statement::new("SELECT count(*) FROM audit"), query))
    }
}

fn filtered<Columns>(mut statement: Statement<Columns>, query: &AuditQuery) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(actor) = &query.actor {
        statement = statement.then(" AND actor = ?").text(actor.as_str());
    }
    if let Some(action) = query.action {
        statement = statement.then(" AND action = ?").text(action.as_str());
    }
    if let Some(subject) = &query.subject {
        statement = statement.then(" AND subject = ?").text(subject.as_str());
    }
    if let Some(from) = query.period.from {
        statement = statement.then(" AND at >= ?").int(from.timestamp_micros());
    }
    if let Some(to) = query.period.to {
        statement = statement.then(" AND at < ?").int(to.timestamp_micros());
    }
    statement
}

fn read_hash(id: i64, text: &str) -> Result<ChainHash, StoreError> {
    let detail = || format!("row {id}: `{}` is no hash", text.escape_debug());
    ChainHash::parse(text).ok_or_else(|| TABLE.corrupt(detail()))
}

impl TryFrom<Row> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<AuditRow, StoreError> {
        let Row { id, at, actor, action, subject, detail, hash } = row;
        let known = Action::parse(&action);
        let unknown = || format!("row {id}: `{}` is no action", action.escape_debug());
        let action = known.ok_or_else(|| TABLE.corrupt(unknown()))?;
        let entry = AuditEntry { at: TABLE.instant(at)?, actor: Actor::new(actor), action, subject, detail };
        Ok(AuditRow { id, entry, hash: read_hash(id, &hash)? })
    }
}
