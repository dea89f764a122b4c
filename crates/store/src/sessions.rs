use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{AccountId, Instant, SecretHash, Session, SessionId, SessionKind};
use usecases::ports::{KeptSecret, Sessions, SignIn, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    statements::Statement,
};

const TABLE: Table = Table("sessions");
const SIGN_INS: Table = Table("sign_ins");
const COLUMNS: &str = "id, account, kind, means, created_at, expires_at, ended_at";
type Columns = (BigInt, BigInt, Text, Text, BigInt, BigInt, Nullable<BigInt>);

/// In the order of `COLUMNS`.
#[derive(Queryable)]
struct Row {
    id: i64,
    account: i64,
    kind: String,
    means: String,
    created_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
}

#[derive(Queryable)]
struct SignInRow {
    state: String,
    provider: String,
    nonce: String,
    verifier: String,
    account: Option<i64>,
    session: Option<i64>,
    expires_at: i64,
}

impl Sessions for DieselUnit<'_> {
    fn insert(&mut self, session: &Session) -> Result<SessionId, StoreError> {
        let statement = Statement::<BigInt>::new(
            "INSERT INTO sessions (account, kind, means, created_at, expires_at, ended_at) \
             VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        );
        let statement = statement
            .int(session.account.0)
            .text(session.kind.as_str())
            .text(session.means.as_str())
            .int(session.created_at.timestamp_micros())
            .int(session.expires_at.timestamp_micros())
            .maybe_int(session.ended_at.map(|at| at.timestamp_micros()));
        let inserted = self.rows(statement, |id: i64| Ok(SessionId(id)))?;
        Ok(inserted.into_iter().next().expect("an insert returns its row"))
    }

    fn find(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let statement = Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM sessions WHERE id = ?")).int(id.0);
        Ok(self.rows(statement, |row: Row| Session::try_from(row))?.into_iter().next())
    }

    fn of_account(&mut self, account: AccountId, at: Instant, limit: usize) -> Result<Vec<Session>, StoreError> {
        let statement = Statement::<Columns>::new(format!(
            "SELECT {COLUMNS} FROM sessions WHERE account = ? AND ended_at IS NULL AND expires_at > ? \
             ORDER BY id DESC LIMIT ?"
        ));
        let statement = statement.int(account.0).int(at.timestamp_micros()).int(rows_max(limit));
        self.rows(statement, |row: Row| Session::try_from(row))
    }

    fn prolong(&mut self, id: SessionId, expires_at: Instant) -> Result<(), StoreError> {
        let statement = Statement::new("UPDATE sessions SET expires_at = ? WHERE id = ? AND ended_at IS NULL");
        self.execute(statement.int(expires_at.timestamp_micros()).int(id.0)).map(drop)
    }

    fn end(&mut self, id: SessionId, at: Instant) -> Result<bool, StoreError> {
        let statement = Statement::new("UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at IS NULL");
        Ok(self.execute(statement.int(at.timestamp_micros()).int(id.0))? > 0)
    }

    fn end_all(&mut self, account: AccountId, but: Option<SessionId>, at: Instant) -> Result<u64, StoreError> {
        let statement = Statement::new(
            "UPDATE sessions SET ended_at = ? WHERE account = ? AND id <> ? AND ended_at IS NULL AND expires_at > ?",
        );
        let links = Statement::new("DELETE FROM sign_in_links WHERE account = ?").int(account.0);
        self.execute(links)?;
        // No session has the id 0.
        let but = but.map_or(0, |id| id.0);
        let statement = statement.int(at.timestamp_micros()).int(account.0).int(but).int(at.timestamp_micros());
        Ok(self.execute(statement)? as u64)
    }

    fn keep_secret(&mut self, hash: &SecretHash, session: SessionId) -> Result<(), StoreError> {
        let statement = Statement::new("INSERT INTO session_secrets (hash, session) VALUES (?, ?)");
        self.execute(statement.text(hash.as_str()).int(session.0)).map(drop)
    }

    fn find_secret(&mut self, hash: &SecretHash) -> Result<Option<KeptSecret>, StoreError> {
        let statement = Statement::<(BigInt, Nullable<BigInt>)>::new(
            "SELECT session, spent_at FROM session_secrets WHERE hash = ?",
        );
        let found = self.rows(statement.text(hash.as_str()), |(session, spent_at): (i64, Option<i64>)| {
            Ok(KeptSecret { session: SessionId(session), spent_at: TABLE.maybe_instant(spent_at)? })
        })?;
        Ok(found.into_iter().next())
    }

    fn spend(&mut self, hash: &SecretHash, at: Instant) -> Result<bool, StoreError> {
        let statement = Statement::new("UPDATE session_secrets SET spent_at = ? WHERE hash = ? AND spent_at IS NULL");
        Ok(self.execute(statement.int(at.timestamp_micros()).text(hash.as_str()))? > 0)
    }

    fn keep_link(&mut self, hash: &SecretHash, account: AccountId, expires_at: Instant) -> Result<(), StoreError> {
        let statement = Statement::new("INSERT INTO sign_in_links (hash, account, expires_at) VALUES (?, ?, ?)");
        self.execute(statement.text(hash.as_str()).int(account.0).int(expires_at.timestamp_micros())).map(drop)
    }

    fn take_link(&mut self, hash: &SecretHash) -> Result<Option<(AccountId, Instant)>, StoreError> {
        let statement = Statement::<(BigInt, BigInt)>::new(
            "DELETE FROM sign_in_links WHERE hash = ? RETURNING account, expires_at",
        );
        let taken = self.rows(statement.text(hash.as_str()), |(account, expires_at): (i64, i64)| {
            Ok((AccountId(account), TABLE.instant(expires_at)?))
        })?;
        Ok(taken.into_iter().next())
    }

    fn keep_sign_in(&mut self, sign_in: &SignIn) -> Result<(), StoreError> {
        let statement = Statement::new(
            "INSERT INTO sign_ins (state, provider, nonce, verifier, account, session, expires_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        );
        let statement = statement
            .text(sign_in.state.as_str())
            .text(sign_in.provider.as_str())
            .text(sign_in.nonce.as_str())
            .text(sign_in.verifier.as_str())
            .maybe_int(sign_in.link.map(|(account, _)| account.0))
            .maybe_int(sign_in.link.map(|(_, session)| session.0))
            .int(sign_in.expires_at.timestamp_micros());
        self.execute(statement).map(drop)
    }

    fn take_sign_in(&mut self, state: &SecretHash) -> Result<Option<SignIn>, StoreError> {
        let statement = Statement::<(Text, Text, Text, Text, Nullable<BigInt>, Nullable<BigInt>, BigInt)>::new(
            "DELETE FROM sign_ins WHERE state = ? \
             RETURNING state, provider, nonce, verifier, account, session, expires_at",
        );
        let taken = self.rows(statement.text(state.as_str()), |row: SignInRow| SignIn::try_from(row))?;
        Ok(taken.into_iter().next())
    }

    fn forget(&mut self, before: Instant, now: Instant, limit: usize) -> Result<usize, StoreError> {
        let (before, now, limit) = (before.timestamp_micros(), now.timestamp_micros(), rows_max(limit));
        let over = Statement::<BigInt>::new(
            "SELECT id FROM (SELECT id FROM sessions WHERE expires_at < ? \
             UNION SELECT id FROM sessions WHERE ended_at < ?) AS over ORDER BY id LIMIT ?",
        );
        let over = self.rows(over.int(before).int(before).int(limit), |id: i64| Ok(id))?;
        if !over.is_empty() {
            let secrets = Statement::new("DELETE FROM session_secrets WHERE session ?").any_int(over.iter().copied());
            self.execute(secrets)?;
            self.execute(Statement::new("DELETE FROM sessions WHERE id ?").any_int(over.iter().copied()))?;
        }
        let mut forgotten = over.len();
        for (table, key) in [("sign_in_links", "hash"), ("sign_ins", "state")] {
            let statement = Statement::new(format!(
                "DELETE FROM {table} WHERE {key} IN \
                 (SELECT {key} FROM {table} WHERE expires_at < ? ORDER BY {key} LIMIT ?)"
            ));
            forgotten += self.execute(statement.int(now).int(limit))?;
        }
        Ok(forgotten)
    }
}

impl TryFrom<Row> for Session {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Session, StoreError> {
        let kind = SessionKind::parse(&row.kind);
        Ok(Session {
            id: SessionId(row.id),
            account: AccountId(row.account),
            kind: kind.ok_or_else(|| TABLE.corrupt(format!("`{}` is no kind of session", row.kind)))?,
            means: row.means,
            created_at: TABLE.instant(row.created_at)?,
            expires_at: TABLE.instant(row.expires_at)?,
            ended_at: TABLE.maybe_instant(row.ended_at)?,
        })
    }
}

impl TryFrom<SignInRow> for SignIn {
    type Error = StoreError;

    fn try_from(row: SignInRow) -> Result<SignIn, StoreError> {
        let SignInRow { state, provider, nonce, verifier, account, session, expires_at } = row;
        Ok(SignIn {
            state: SecretHash::new(state),
            provider,
            nonce,
            verifier,
            link: account.map(AccountId).zip(session.map(SessionId)),
            expires_at: SIGN_INS.instant(expires_at)?,
        })
    }
}
