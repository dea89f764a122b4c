use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{Account, AccountId, Identity, Instant, Login, PasswordHash, Role};
use usecases::ports::{AccountQuery, Accounts, StoreError};

use crate::{
    DieselUnit,
    columns::{Table, holding, rows_max},
    statements::Statement,
};

const TABLE: Table = Table("accounts");
const IDENTITIES: Table = Table("identities");
const COLUMNS: &str = "id, login, role, sees_persons, password, disabled_at, created_at, updated_at, version";
type Columns = (BigInt, Text, Text, BigInt, Nullable<Text>, Nullable<BigInt>, BigInt, BigInt, BigInt);

/// In the order of `COLUMNS`.
#[derive(Queryable)]
struct Row {
    id: i64,
    login: String,
    role: String,
    sees_persons: i64,
    password: Option<String>,
    disabled_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl Accounts for DieselUnit<'_> {
    fn insert(&mut self, account: &Account) -> Result<AccountId, StoreError> {
        let statement = Statement::<BigInt>::new(
            "INSERT INTO accounts (login, login_key, role, sees_persons, password, disabled_at, created_at, updated_at, version) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        );
        let statement = statement
            .text(account.login.as_str())
            .text(account.login.key())
            .text(account.role.as_str())
            .int(account.sees_persons.into())
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
            "UPDATE accounts SET role = ?, sees_persons = ?, password = ?, disabled_at = ?, updated_at = ?, version = ? WHERE id = ?",
        );
        let statement = statement
            .text(account.role.as_str())
            .int(account.sees_persons.into())
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
        self.execute(Statement::new("DELETE FROM identities WHERE account = ?").int(id.0))?;
        self.execute(Statement::new("DELETE FROM accounts WHERE id = ?").int(id.0)).map(drop)
    }

    fn link(&mut self, identity: &Identity, account: AccountId, at: Instant) -> Result<(), StoreError> {
        let statement =
            Statement::new("INSERT INTO identities (provider, subject, account, created_at) VALUES (?, ?, ?, ?)");
        let statement = statement.text(identity.provider()).text(identity.subject());
        self.execute(statement.int(account.0).int(at.timestamp_micros())).map(drop)
    }

    fn unlink(&mut self, identity: &Identity, account: AccountId) -> Result<bool, StoreError> {
        let statement = Statement::new("DELETE FROM identities WHERE provider = ? AND subject = ? AND account = ?");
        let statement = statement.text(identity.provider()).text(identity.subject()).int(account.0);
        Ok(self.execute(statement)? > 0)
    }

    fn identities(&mut self, account: AccountId) -> Result<Vec<Identity>, StoreError> {
        let statement = Statement::<(Text, Text)>::new(
            "SELECT provider, subject FROM identities WHERE account = ? ORDER BY provider, subject",
        );
        self.rows(statement.int(account.0), |(provider, subject): (String, String)| {
            Identity::new(&provider, &subject).map_err(|error| IDENTITIES.corrupt(error))
        })
    }

    fn find_identity(&mut self, identity: &Identity) -> Result<Option<AccountId>, StoreError> {
        let statement = Statement::<BigInt>::new("SELECT account FROM identities WHERE provider = ? AND subject = ?");
        let statement = statement.text(identity.provider()).text(identity.subject());
        Ok(self.rows(statement, |id: i64| Ok(AccountId(id)))?.into_iter().next())
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
            sees_persons: row.sees_persons != 0,
            password: row.password.map(PasswordHash::new),
            disabled_at: TABLE.maybe_instant(row.disabled_at)?,
            created_at: TABLE.instant(row.created_at)?,
            updated_at: TABLE.instant(row.updated_at)?,
            version: row.version,
        })
    }
}
