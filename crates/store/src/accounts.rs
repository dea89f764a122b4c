use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{Account, AccountId, Login, PasswordHash, Role};
use usecases::ports::{AccountQuery, Accounts, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, holding, rows_max},
    statements::Statement,
};

const TABLE: Table = Table("accounts");
const COLUMNS: &str = "id, login, role, password, disabled_at, created_at, updated_at, version";
type Columns = (BigInt, Text, Text, Nullable<Text>, Nullable<BigInt>, BigInt, BigInt, BigInt);

/// In the order of `COLUMNS`.
#[derive(Queryable)]
struct Row {
    id: i64,
    login: String,
    role: String,
    password: Option<String>,
    disabled_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl Accounts for DieselUnit<'_> {
    fn insert(&mut self, account: &Account) -> Result<AccountId, StoreError> {
        let statement = Statement::<BigInt>::new(
            "INSERT INTO accounts (login, login_key, role, password, disabled_at, created_at, updated_at, version) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        );
        let statement = statement
            .text(account.login.as_str())
            .text(account.login.key())
            .text(account.role.as_str())
            .maybe_text(account.password.as_ref().map(PasswordHash::as_str))
            .maybe_int(account.disabled_at.map(|at| at.timestamp_micros()))
            .int(account.created_at.timestamp_micros())
            .int(account.updated_at.timestamp_micros())
            .int(account.version);
        let inserted = self.rows(statement, |id: i64| Ok(AccountId(id)))?;
        Ok(inserted.into_iter().next().expect("an insert returns its row"))
    }

    fn find(&mut self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.account_where("id = ?", |statement| statement.int(id.0))
    }

    fn find_login(&mut self, login: &Login) -> Result<Option<Account>, StoreError> {
        self.account_where("login_key = ?", |statement| statement.text(login.key()))
    }

    fn update(&mut self, account: &Account) -> Result<(), StoreError> {
        let statement = Statement::new(
            "UPDATE accounts SET role = ?, password = ?, disabled_at = ?, updated_at = ?, version = ? WHERE id = ?",
        );
        let statement = statement
            .text(account.role.as_str())
            .maybe_text(account.password.as_ref().map(PasswordHash::as_str))
            .maybe_int(account.disabled_at.map(|at| at.timestamp_micros()))
            .int(account.updated_at.timestamp_micros())
            .int(account.version)
            .int(account.id.0);
        match self.execute(statement)? {
            0 => self.remember(Err(StoreError::Contended(format!("account {} was deleted", account.id)))),
            _ => Ok(()),
        }
    }

    fn delete(&mut self, id: AccountId) -> Result<(), StoreError> {
        self.execute(Statement::new("DELETE FROM accounts WHERE id = ?").int(id.0)).map(drop)
    }

    fn list(&mut self, query: &AccountQuery, limit: usize) -> Result<Vec<Account>, StoreError> {
        let mut statement = filtered(Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM accounts")), query);
        if let Some(after) = query.after {
            statement = statement.then(" AND id > ?").int(after.0);
        }
        let statement = statement.then(" ORDER BY id LIMIT ?").int(rows_max(limit));
        self.rows(statement, |row: Row| Account::try_from(row))
    }

    fn count(&mut self, query: &AccountQuery) -> Result<u64, StoreError> {
        self.count_of(filtered(Statement::new("SELECT count(*) FROM accounts"), query))
    }

    fn active_administrators(&mut self) -> Result<u64, StoreError> {
        let statement = Statement::new("SELECT count(*) FROM accounts WHERE role = ? AND disabled_at IS NULL");
        self.count_of(statement.text(Role::Administrator.as_str()))
    }
}

impl DieselUnit<'_> {
    fn account_where(
        &mut self,
        condition: &str,
        bind: impl FnOnce(Statement<Columns>) -> Statement<Columns>,
    ) -> Result<Option<Account>, StoreError> {
        let statement = bind(Statement::new(format!("SELECT {COLUMNS} FROM accounts WHERE {condition}")));
        Ok(self.rows(statement, |row: Row| Account::try_from(row))?.into_iter().next())
    }
}

fn filtered<Columns>(mut statement: Statement<Columns>, query: &AccountQuery) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(text) = &query.text {
        statement = statement.then(r" AND login_key LIKE ? ESCAPE '\'").text(holding(text));
    }
    if let Some(role) = query.role {
        statement = statement.then(" AND role = ?").text(role.as_str());
    }
    statement
}

impl TryFrom<Row> for Account {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Account, StoreError> {
        let role = Role::parse(&row.role);
        Ok(Account {
            id: AccountId(row.id),
            login: Login::parse(&row.login).map_err(|error| TABLE.corrupt(error))?,
            role: role.ok_or_else(|| TABLE.corrupt(format!("`{}` is not a role", row.role)))?,
            password: row.password.map(PasswordHash::new),
            disabled_at: TABLE.maybe_instant(row.disabled_at)?,
            created_at: TABLE.instant(row.created_at)?,
            updated_at: TABLE.instant(row.updated_at)?,
            version: row.version,
        })
    }
}
