//! Connections: one engine or the other, set up the same way each time, and pooled.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use diesel::{
    Connection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    migration::{Migration, MigrationSource, MigrationVersion},
    pg::Pg,
    r2d2::{HandleError, ManageConnection},
    sql_types::{BigInt, Text},
    sqlite::Sqlite,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use usecases::ports::StoreError;

use crate::{addresses::Address, locks, statements::Statement};

const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Which engine it is was decided by the address: `establish` of this type, which tries each in turn, is never called.
#[derive(diesel::MultiConnection)]
pub(crate) enum AnyConnection {
    Pg(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs one body on whichever engine is behind the connection, for what the two share but `MultiConnection` does not
/// offer, such as `RETURNING`, `ON CONFLICT` and statements of our own.
macro_rules! on_backend {
    ($conn:expr, |$inner:ident| $body:expr) => {
        match $conn {
            $crate::connection::AnyConnection::Pg($inner) => $body,
            $crate::connection::AnyConnection::Sqlite($inner) => $body,
        }
    };
}
pub(crate) use on_backend;

/// A connection of the pool.
pub(crate) struct Pooled {
    pub(crate) conn: AnyConnection,
    /// It is in the middle of something, or was lost in it: the pool closes it instead of lending it again.
    pub(crate) broken: bool,
}

/// Makes connections for the pool.
pub(crate) struct Manager {
    pub(crate) address: Address,
    pub(crate) patience: Patience,
    pub(crate) trouble: Trouble,
}

/// How long a connection waits before it gives up.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For one statement of PostgreSQL; zero is for ever.
    pub(crate) statement: Duration,
    /// For another process that writes to SQLite's file.
    pub(crate) file: Duration,
}

/// Why the last attempt to connect failed. The pool itself only says that it took too long.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    pub(crate) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, message: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), message)
    }
}

/// Where a failed attempt is one of many that say the same, the log says it once.
impl HandleError<ConnectError> for Trouble {
    fn handle_error(&self, ConnectError(message): ConnectError) {
        let before = self.replace(Some(message.clone()));
        if before.as_ref() != Some(&message) {
            log::warn!("cannot connect to the database: {message}");
        }
    }
}

/// Why there is no connection, without any password.
#[derive(Debug)]
pub(crate) struct ConnectError(pub(crate) String);

impl std::error::Error for ConnectError {}

impl std::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = ConnectError;

    fn connect(&self) -> Result<Pooled, ConnectError> {
        let refuse = |message: String| ConnectError(self.address.scrub(&message));
        if let Address::Sqlite(path) = &self.address
            && !path.exists()
        {
            // SQLite would make an empty one, and hide a mistyped path.
            return Err(ConnectError(format!("there is no database file `{}`", path.display())));
        }
        let mut conn = establish(&self.address)?;
        set_up(&mut conn, self.patience).map_err(|error| refuse(error.to_string()))?;
        self.trouble.replace(None);
        Ok(Pooled { conn, broken: false })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectError> {
        pooled.conn.batch_execute("SELECT 1").map_err(|error| ConnectError(self.address.scrub(&error.to_string())))
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.broken
    }
}

fn establish(address: &Address) -> Result<AnyConnection, ConnectError> {
    match address {
        Address::Postgres(url) => PgConnection::establish(url).map(AnyConnection::Pg),
        Address::Sqlite(path) => SqliteConnection::establish(&path.to_string_lossy()).map(AnyConnection::Sqlite),
    }
    .map_err(|error| ConnectError(address.scrub(&error.to_string())))
}

fn set_up(conn: &mut AnyConnection, patience: Patience) -> QueryResult<()> {
    match conn {
        AnyConnection::Pg(conn) => {
            let statement_ms = patience.statement.as_millis();
            // Who waits for a lock is to hear so, rather than that the statement took too long.
            let lock_ms = statement_ms * 9 / 10;
            conn.batch_execute(&format!(
                "SET TIME ZONE 'UTC'; SET statement_timeout = {statement_ms}; SET lock_timeout = {lock_ms}; \
                 SET idle_in_transaction_session_timeout = '60s'; SET application_name = 'strata'"
            ))
        }
        // The busy timeout comes first, because the others may have to wait for a lock. The log may grow to 32 MiB before
        // it is copied into the file: a page that many batches of an import touch is then copied once.
        AnyConnection::Sqlite(conn) => conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 8192",
            patience.file.as_millis()
        )),
    }
}

/// Brings the schema up to date, and returns the names of what was done. A SQLite file is made when there is none.
///
/// It has a connection of its own, without time limits: a migration takes as long as it takes.
pub(crate) fn migrate(address: &Address) -> Result<Vec<String>, StoreError> {
    let mut conn = establish(address).map_err(|error| StoreError::Unavailable(Box::new(error)))?;
    let patience = Patience { statement: Duration::ZERO, file: Duration::from_secs(60) };
    set_up(&mut conn, patience).map_err(crate::unavailable)?;
    match &mut conn {
        AnyConnection::Pg(conn) => migrate_postgres(conn),
        // All in one transaction, which makes a second process wait and then find nothing to do.
        AnyConnection::Sqlite(conn) => conn.immediate_transaction(|conn| {
            let done = conn.run_pending_migrations(SQLITE)?;
            names(MigrationSource::<Sqlite>::migrations(&SQLITE)?, &done)
        }),
    }
    .map_err(StoreError::Unavailable)
}

/// The lock is the session's, and goes with the connection whatever happens.
fn migrate_postgres(conn: &mut PgConnection) -> Result<Vec<String>, AnyError> {
    Statement::<()>::new("SELECT pg_advisory_lock(?)").int(locks::MIGRATION).execute(conn)?;
    let done = conn.run_pending_migrations(POSTGRES)?;
    let names = names(MigrationSource::<Pg>::migrations(&POSTGRES)?, &done)?;
    Statement::<()>::new("SELECT pg_advisory_unlock(?)").int(locks::MIGRATION).execute(conn)?;
    Ok(names)
}

fn names<DB: diesel::backend::Backend>(
    known: Vec<Box<dyn Migration<DB>>>,
    done: &[MigrationVersion<'_>],
) -> Result<Vec<String>, AnyError> {
    let mut names: Vec<String> = known
        .iter()
        .filter(|migration| done.contains(&migration.name().version()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort();
    Ok(names)
}

/// Says what keeps this program from working with the schema that is there. Nothing is made or changed.
pub(crate) fn check_schema(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let refuse = |message: String| Err(StoreError::Unavailable(message.into()));
    let exists = match conn {
        AnyConnection::Pg(conn) => Statement::<BigInt>::new("SELECT count(*) FROM pg_class WHERE oid = to_regclass(?)")
            .text("__diesel_schema_migrations")
            .get_result::<i64>(conn),
        AnyConnection::Sqlite(conn) => Statement::<BigInt>::new("SELECT count(*) FROM sqlite_master WHERE name = ?")
            .text("__diesel_schema_migrations")
            .get_result::<i64>(conn),
    }
    .map_err(crate::unavailable)?;
    if exists == 0 {
        return refuse("the database has no schema yet: migrate it first".to_owned());
    }
    let applied: Vec<String> = on_backend!(conn, |conn| {
        Statement::<Text>::new("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(conn)
    })
    .map_err(crate::unavailable)?;
    let known: Vec<(String, String)> = match conn {
        AnyConnection::Pg(_) => MigrationSource::<Pg>::migrations(&POSTGRES).map(described),
        AnyConnection::Sqlite(_) => MigrationSource::<Sqlite>::migrations(&SQLITE).map(described),
    }
    .map_err(StoreError::Unavailable)?;
    if let Some((_, name)) = known.iter().find(|(version, _)| !applied.contains(version)) {
        return refuse(format!("the schema is older than this program: migration {name} is pending"));
    }
    match applied.iter().find(|version| known.iter().all(|(known, _)| known != *version)) {
        Some(version) => refuse(format!("the schema is newer than this program: it has migration {version}")),
        None => Ok(()),
    }
}

fn described<DB: diesel::backend::Backend>(migrations: Vec<Box<dyn Migration<DB>>>) -> Vec<(String, String)> {
    migrations.iter().map(|m| (m.name().version().to_string(), m.name().to_string())).collect()
}
