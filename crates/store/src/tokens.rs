use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{Actor, ApiToken, Instant, Scope, SecretHash, SegmentPrefix, TokenId, TokenName};
use usecases::ports::{StoreError, Tokens};

use crate::{
    DieselUnit,
    columns::{Table, rows_max},
    statements::Statement,
};

const TABLE: Table = Table("tokens");
const COLUMNS: &str = "id, name, hash, scopes, prefix, created_by, created_at, expires_at, revoked_at, used_at";
type Columns =
    (BigInt, Text, Text, Text, Nullable<Text>, Text, BigInt, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>);

/// In the order of `COLUMNS`.
#[derive(Queryable)]
struct Row {
    id: i64,
    name: String,
    hash: String,
    scopes: String,
    prefix: Option<String>,
    created_by: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    used_at: Option<i64>,
}

impl Tokens for DieselUnit<'_> {
    fn insert(&mut self, token: &ApiToken) -> Result<TokenId, StoreError> {
        let micros = |at: Option<Instant>| at.map(|at| at.timestamp_micros());
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.as_str()).collect();
        let statement = Statement::<BigInt>::new(
            "INSERT INTO tokens \
             (name, hash, scopes, prefix, created_by, created_at, expires_at, revoked_at, used_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        );
        let statement = statement
            .text(token.name.as_str())
            .text(token.hash.as_str())
            .text(scopes.join(" "))
            .maybe_text(token.prefix.as_ref().map(SegmentPrefix::as_str))
            .text(token.created_by.as_str())
            .int(token.created_at.timestamp_micros())
            .maybe_int(micros(token.expires_at))
            .maybe_int(micros(token.revoked_at))
            .maybe_int(micros(token.used_at));
        let inserted = self.rows(statement, |id: i64| Ok(TokenId(id)))?;
        Ok(inserted.into_iter().next().expect("an insert returns its row"))
    }

    fn find(&mut self, id: TokenId) -> Result<Option<ApiToken>, StoreError> {
        self.tokens_where("id = ?", |statement| statement.int(id.0)).map(first)
    }

    fn find_hash(&mut self, hash: &SecretHash) -> Result<Option<ApiToken>, StoreError> {
        self.tokens_where("hash = ?", |statement| statement.text(hash.as_str())).map(first)
    }

    fn list(&mut self, after: Option<TokenId>, limit: usize) -> Result<Vec<ApiToken>, StoreError> {
        // No token has the id 0.
        let after = after.map_or(0, |id| id.0);
        self.tokens_where("id > ? ORDER BY id LIMIT ?", |statement| statement.int(after).int(rows_max(limit)))
    }

    fn count(&mut self) -> Result<u64, StoreError> {
        self.count_of(Statement::new("SELECT count(*) FROM tokens"))
    }

    fn revoke(&mut self, id: TokenId, at: Instant) -> Result<bool, StoreError> {
        let statement = Statement::new("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
        Ok(self.execute(statement.int(at.timestamp_micros()).int(id.0))? > 0)
    }

    fn note_use(&mut self, id: TokenId, at: Instant) -> Result<(), StoreError> {
        let statement = Statement::new("UPDATE tokens SET used_at = ? WHERE id = ?");
        self.execute(statement.int(at.timestamp_micros()).int(id.0)).map(drop)
    }
}

fn first(tokens: Vec<ApiToken>) -> Option<ApiToken> {
    tokens.into_iter().next()
}

impl DieselUnit<'_> {
    fn tokens_where(
        &mut self,
        condition: &str,
        bind: impl FnOnce(Statement<Columns>) -> Statement<Columns>,
    ) -> Result<Vec<ApiToken>, StoreError> {
        let statement = bind(Statement::new(format!("SELECT {COLUMNS} FROM tokens WHERE {condition}")));
        self.rows(statement, |row: Row| ApiToken::try_from(row))
    }
}

impl TryFrom<Row> for ApiToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<ApiToken, StoreError> {
        let scope = |word: &str| Scope::parse(word).ok_or_else(|| TABLE.corrupt(format!("`{word}` is no scope")));
        let prefix = row.prefix.as_deref().map(SegmentPrefix::parse).transpose();
        Ok(ApiToken {
            id: TokenId(row.id),
            name: TokenName::parse(&row.name).map_err(|error| TABLE.corrupt(error))?,
            hash: SecretHash::new(row.hash),
            scopes: row.scopes.split_whitespace().map(scope).collect::<Result<_, _>>()?,
            prefix: prefix.map_err(|error| TABLE.corrupt(error))?,
            created_by: Actor::new(row.created_by),
            created_at: TABLE.instant(row.created_at)?,
            expires_at: TABLE.maybe_instant(row.expires_at)?,
            revoked_at: TABLE.maybe_instant(row.revoked_at)?,
            used_at: TABLE.maybe_instant(row.used_at)?,
        })
    }
}
