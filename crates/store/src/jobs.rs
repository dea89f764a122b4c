use diesel::{
    prelude::*,
    sql_types::{BigInt, Text},
};
use domain::{Actor, Claim, Instant, Job, JobId, JobKind, JobState};
use usecases::ports::{JobQuery, Jobs, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    connection::on_backend,
    schema::jobs,
    statements::Statement,
};

const TABLE: Table = Table("jobs");

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = jobs, treat_none_as_default_value = false, treat_none_as_null = true)]
struct Row {
    kind: String,
    state: String,
    actor: String,
    task: String,
    place: Option<String>,
    outcome: Option<String>,
    done: i64,
    total: Option<i64>,
    refused: i64,
    problem: Option<String>,
    undoes: Option<i64>,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    cancelled_by: Option<String>,
    claim_holder: Option<i64>,
    claim_until: Option<i64>,
    tries: i32,
}

impl Jobs for DieselUnit<'_> {
    fn insert(&mut self, job: &Job) -> Result<JobId, StoreError> {
        let row = Row::from(job);
        let id: i64 = self.query(|conn| {
            on_backend!(conn, |conn| {
                diesel::insert_into(jobs::table).values(&row).returning(jobs::id).get_result(conn)
            })
        })?;
        Ok(JobId(id))
    }

    fn find(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        let statement = Statement::<BigInt>::new("SELECT m.id FROM jobs m WHERE m.id = ?");
        let statement = statement.then(self.keeping()).int(id.0);
        let found = self.rows(statement, |id: i64| Ok(JobId(id)))?;
        self.jobs_with(&found).map(|jobs| jobs.into_iter().next())
    }

    fn update(&mut self, job: &Job) -> Result<(), StoreError> {
        let row = Row::from(job);
        let changed = self.query(|conn| diesel::update(jobs::table.find(job.id.0)).set(&row).execute(conn))?;
        match changed {
            0 => self.remember(Err(StoreError::Contended(format!("job {} was forgotten", job.id)))),
            _ => Ok(()),
        }
    }

    fn list(&mut self, query: &JobQuery, limit: usize) -> Result<Vec<Job>, StoreError> {
        let mut statement = filtered(Statement::<BigInt>::new("SELECT id FROM jobs"), query);
        if let Some(after) = query.after {
            statement = statement.then(" AND id < ?").int(after.0);
        }
        let statement = statement.then(" ORDER BY id DESC LIMIT ?").int(rows_max(limit));
        let found = self.rows(statement, |id: i64| Ok(JobId(id)))?;
        let mut jobs = self.jobs_with(&found)?;
        jobs.reverse();
        Ok(jobs)
    }

    fn count(&mut self, query: &JobQuery) -> Result<u64, StoreError> {
        self.count_of(filtered(Statement::new("SELECT count(*) FROM jobs"), query))
    }

    fn next_free(&mut self, at: Instant) -> Result<Option<Job>, StoreError> {
        let statement = Statement::<BigInt>::new(
            "SELECT m.id FROM jobs m WHERE m.finished_at IS NULL \
             AND (m.claim_until IS NULL OR m.claim_until <= ?) ORDER BY m.id LIMIT 1",
        );
        let statement = statement.then(self.claiming()).int(at.timestamp_micros());
        let found = self.rows(statement, |id: i64| Ok(JobId(id)))?;
        self.jobs_with(&found).map(|jobs| jobs.into_iter().next())
    }

    fn ended_before(&mut self, kind: Option<JobKind>, before: Instant, limit: usize) -> Result<Vec<Job>, StoreError> {
        let mut statement =
            Statement::<BigInt>::new("SELECT id FROM jobs WHERE finished_at < ?").int(before.timestamp_micros());
        if let Some(kind) = kind {
            statement = statement.then(" AND kind = ?").text(kind.as_str());
        }
        let statement = statement.then(" ORDER BY finished_at, id LIMIT ?").int(rows_max(limit));
        let found = self.rows(statement, |id: i64| Ok(JobId(id)))?;
        let mut jobs = self.jobs_with(&found)?;
        jobs.sort_by_key(|job| (job.finished_at, job.id));
        Ok(jobs)
    }

    fn delete(&mut self, ids: &[JobId]) -> Result<(), StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        self.query(|conn| diesel::delete(jobs::table.filter(jobs::id.eq_any(&ids))).execute(conn)).map(drop)
    }

    fn begin_upload(&mut self, folder: &str, at: Instant) -> Result<(), StoreError> {
        let statement = Statement::new("INSERT INTO uploads (folder, begun_at) VALUES (?, ?)");
        self.execute(statement.text(folder).int(at.timestamp_micros())).map(drop)
    }

    fn end_upload(&mut self, folder: &str) -> Result<bool, StoreError> {
        Ok(self.execute(Statement::new("DELETE FROM uploads WHERE folder = ?").text(folder))? > 0)
    }

    fn uploads_before(&mut self, before: Instant, limit: usize) -> Result<Vec<String>, StoreError> {
        let statement = Statement::<Text>::new("SELECT folder FROM uploads WHERE begun_at < ? ORDER BY folder LIMIT ?")
            .int(before.timestamp_micros())
            .int(rows_max(limit));
        self.rows(statement, Ok)
    }
}

impl DieselUnit<'_> {
    /// By id.
    fn jobs_with(&mut self, ids: &[JobId]) -> Result<Vec<Job>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let rows: Vec<(i64, Row)> = self.query(|conn| {
            let query = jobs::table.filter(jobs::id.eq_any(&ids)).order(jobs::id);
            query.select((jobs::id, Row::as_select())).load(conn)
        })?;
        let jobs = rows.into_iter().map(|(id, row)| row.job(id)).collect();
        self.remember(jobs)
    }
}

fn filtered<Columns>(mut statement: Statement<Columns>, query: &JobQuery) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(kind) = query.kind {
        statement = statement.then(" AND kind = ?").text(kind.as_str());
    }
    if let Some(state) = query.state {
        statement = statement.then(" AND state = ?").text(state.as_str());
    }
    if let Some(undoes) = query.undoes {
        statement = statement.then(" AND undoes = ?").int(undoes.0);
    }
    if let Some((actor, since)) = &query.owner {
        statement = statement.then(" AND actor = ? AND created_at >= ?").text(actor.as_str());
        statement = statement.int(since.timestamp_micros());
    }
    if let Some(after) = query.ended_after {
        statement = statement.then(" AND finished_at > ?").int(after.timestamp_micros());
    }
    statement
}

impl From<&Job> for Row {
    fn from(job: &Job) -> Row {
        let micros = |at: Option<Instant>| at.map(|at| at.timestamp_micros());
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Row {
            kind: job.kind.as_str().to_owned(),
            state: job.state.as_str().to_owned(),
            actor: job.actor.to_string(),
            task: job.task.clone(),
            place: job.place.clone(),
            outcome: job.outcome.clone(),
            done: count(job.done),
            total: job.total.map(count),
            refused: count(job.refused),
            problem: job.problem.clone(),
            undoes: job.undoes.map(|id| id.0),
            created_at: job.created_at.timestamp_micros(),
            started_at: micros(job.started_at),
            finished_at: micros(job.finished_at),
            cancelled_by: job.cancelled_by.as_ref().map(Actor::to_string),
            claim_holder: job.claim.map(|claim| claim.holder as i64),
            claim_until: micros(job.claim.map(|claim| claim.until)),
            tries: i32::try_from(job.tries).unwrap_or(i32::MAX),
        }
    }
}

impl Row {
    fn job(self, id: i64) -> Result<Job, StoreError> {
        let row = self;
        let count = |number: i64| u64::try_from(number).map_err(|_| TABLE.corrupt(format!("{number} is no count")));
        let claim = match (row.claim_holder, TABLE.maybe_instant(row.claim_until)?) {
            (Some(holder), Some(until)) => Some(Claim { holder: holder as u64, until }),
            _ => None,
        };
        let kind = JobKind::parse(&row.kind);
        let state = JobState::parse(&row.state);
        Ok(Job {
            id: JobId(id),
            kind: kind.ok_or_else(|| TABLE.corrupt(format!("`{}` is not a kind of job", row.kind)))?,
            state: state.ok_or_else(|| TABLE.corrupt(format!("`{}` is not a state", row.state)))?,
            actor: Actor::new(row.actor),
            task: row.task,
            place: row.place,
            outcome: row.outcome,
            done: count(row.done)?,
            total: row.total.map(count).transpose()?,
            refused: count(row.refused)?,
            problem: row.problem,
            undoes: row.undoes.map(JobId),
            created_at: TABLE.instant(row.created_at)?,
            started_at: TABLE.maybe_instant(row.started_at)?,
            finished_at: TABLE.maybe_instant(row.finished_at)?,
            cancelled_by: row.cancelled_by.map(Actor::new),
            claim,
            tries: u32::try_from(row.tries).map_err(|_| TABLE.corrupt(format!("{} is no count", row.tries)))?,
        })
    }
}
