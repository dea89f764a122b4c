use diesel::prelude::*;
use domain::Instant;
use usecases::ports::{Answers, StoreError, StoredAnswer};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    connection::on_backend,
    schema::answers,
    statements::Statement,
};

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = answers)]
struct Row {
    key: String,
    fingerprint: String,
    answer: String,
    created_at: i64,
}

impl Answers for DieselUnit<'_> {
    fn find(&mut self, key: &str) -> Result<Option<StoredAnswer>, StoreError> {
        self.lock_answer(key)?;
        let row = self.query(|conn| answers::table.find(key).select(Row::as_select()).first(conn).optional())?;
        let answer = row.map(StoredAnswer::try_from).transpose();
        self.remember(answer)
    }

    fn keep(&mut self, answer: &StoredAnswer) -> Result<(), StoreError> {
        let row = Row::from(answer);
        self.query(|conn| {
            on_backend!(conn, |conn| {
                diesel::insert_into(answers::table)
                    .values(&row)
                    .on_conflict(answers::key)
                    .do_update()
                    .set(&row)
                    .execute(conn)
            })
        })
        .map(drop)
    }

    fn forget(&mut self, before: Instant, limit: usize) -> Result<usize, StoreError> {
        let oldest = "DELETE FROM answers WHERE key IN \
                      (SELECT m.key FROM answers m WHERE m.created_at < ? ORDER BY m.created_at LIMIT ?";
        let statement =
            Statement::new(oldest).then(self.claiming()).then(")").int(before.timestamp_micros()).int(rows_max(limit));
        self.execute(statement)
    }
}

impl From<&StoredAnswer> for Row {
    fn from(answer: &StoredAnswer) -> Row {
        Row {
            key: answer.key.clone(),
            fingerprint: answer.fingerprint.clone(),
            answer: answer.answer.clone(),
            created_at: answer.created_at.timestamp_micros(),
        }
    }
}

impl TryFrom<Row> for StoredAnswer {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<StoredAnswer, StoreError> {
        Ok(StoredAnswer {
            key: row.key,
            fingerprint: row.fingerprint,
            answer: row.answer,
            created_at: Table("answers").instant(row.created_at)?,
        })
    }
}
