use std::collections::HashSet;

use diesel::{
    prelude::*,
    sql_types::{BigInt, Nullable, Text},
};
use domain::{User, UserId};
use usecases::{
    changes::Change,
    ports::{StoreError, UserQuery, Users},
};

use crate::{
    DieselUnit,
    columns::{Table, holding, rows_max},
    connection::AnyConnection,
    schema::users,
    statements::{Column, Statement, portions},
};

const TABLE: Table = Table("users");
const COLUMNS: &str = "user_id, name, email, attributes, created_at, updated_at, version";
type Columns = (Text, Nullable<Text>, Nullable<Text>, Text, BigInt, BigInt, BigInt);

/// In the order of `COLUMNS`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Row {
    user_id: String,
    name: Option<String>,
    email: Option<String>,
    attributes: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_default_value = false, treat_none_as_null = true)]
struct Profile<'a> {
    user_id: &'a str,
    name: Option<&'a str>,
    email: Option<&'a str>,
    attributes: String,
    search: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl Users for DieselUnit<'_> {
    fn insert_missing(&mut self, users: &[User]) -> Result<Vec<UserId>, StoreError> {
        let profiles = users.iter().map(Profile::try_from).collect();
        let profiles: Vec<Profile> = self.remember(profiles)?;
        let mut inserted: HashSet<String> = self.query(|conn| match conn {
            AnyConnection::Pg(conn) => insert_at_once(&profiles).load(conn).map(HashSet::from_iter),
            AnyConnection::Sqlite(conn) => insert_in_rows(conn, &profiles),
        })?;
        // A user who was given twice was inserted once.
        let born: Vec<UserId> =
            users.iter().map(|user| &user.id).filter(|id| inserted.remove(id.as_str())).cloned().collect();
        self.changed(born.iter().map(|user| Change::Born { user: user.clone() }))?;
        Ok(born)
    }

    fn find(&mut self, id: &UserId) -> Result<Option<User>, StoreError> {
        let row = self.query(|conn| users::table.find(id.as_str()).select(Row::as_select()).first(conn).optional())?;
        let user = row.map(User::try_from).transpose();
        self.remember(user)
    }

    fn find_all(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let statement =
            Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM users WHERE user_id ? ORDER BY user_id"))
                .any_text(ids.iter().map(UserId::as_str));
        self.rows(statement, |row: Row| User::try_from(row))
    }

    fn hold(&mut self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let statement =
            Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM users m WHERE user_id ? ORDER BY user_id"))
                .then(self.keeping())
                .any_text(ids.iter().map(UserId::as_str));
        self.rows(statement, |row: Row| User::try_from(row))
    }

    fn update(&mut self, user: &User) -> Result<(), StoreError> {
        let profile = self.remember(Profile::try_from(user))?;
        let changed =
            self.query(|conn| diesel::update(users::table.find(user.id.as_str())).set(&profile).execute(conn))?;
        match changed {
            0 => self.remember(Err(StoreError::Contended(format!("user `{}` was deleted", user.id)))),
            _ => Ok(()),
        }
    }

    fn delete(&mut self, id: &UserId) -> Result<(), StoreError> {
        self.query(|conn| diesel::delete(users::table.find(id.as_str())).execute(conn))?;
        self.changed([Change::Died { user: id.clone() }])
    }

    fn list(&mut self, query: &UserQuery, limit: usize) -> Result<Vec<User>, StoreError> {
        let mut statement = filtered(Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM users")), query);
        if let Some(after) = &query.after {
            statement = statement.then(" AND user_id > ?").text(after.as_str());
        }
        let statement = statement.then(" ORDER BY user_id LIMIT ?").int(rows_max(limit));
        self.rows(statement, |row: Row| User::try_from(row))
    }

    fn count(&mut self, query: &UserQuery) -> Result<u64, StoreError> {
        self.count_of(filtered(Statement::new("SELECT count(*) FROM users"), query))
    }

    fn ids(&mut self, after: Option<&UserId>, limit: usize) -> Result<Vec<UserId>, StoreError> {
        let statement = Statement::<Text>::new("SELECT user_id FROM users WHERE user_id > ? ORDER BY user_id LIMIT ?")
            .text(behind(after))
            .int(rows_max(limit));
        self.rows(statement, |id: String| TABLE.user(&id))
    }
}

/// Sorted, so that two units with the same users in two orders do not wait for each other.
fn insert_at_once(profiles: &[Profile]) -> Statement<Text> {
    let texts = |read: fn(&Profile) -> String| Column::Texts(profiles.iter().map(read).collect());
    let maybe_texts = |read: fn(&Profile) -> Option<String>| Column::MaybeTexts(profiles.iter().map(read).collect());
    let ints = |read: fn(&Profile) -> i64| Column::Ints(profiles.iter().map(read).collect());
    Statement::new(
        "INSERT INTO users (user_id, name, email, attributes, search, created_at, updated_at, version) \
         SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) AS u (user_id) ORDER BY user_id COLLATE \"C\" \
         ON CONFLICT DO NOTHING RETURNING user_id",
    )
    .column(texts(|profile| profile.user_id.to_owned()))
    .column(maybe_texts(|profile| profile.name.map(str::to_owned)))
    .column(maybe_texts(|profile| profile.email.map(str::to_owned)))
    .column(texts(|profile| profile.attributes.clone()))
    .column(maybe_texts(|profile| profile.search.clone()))
    .column(ints(|profile| profile.created_at))
    .column(ints(|profile| profile.updated_at))
    .column(ints(|profile| profile.version))
}

fn insert_in_rows(conn: &mut SqliteConnection, profiles: &[Profile]) -> QueryResult<HashSet<String>> {
    let mut inserted = HashSet::new();
    for rows in portions(profiles) {
        let statement = Statement::<Text>::new(
            "INSERT OR IGNORE INTO users \
             (user_id, name, email, attributes, search, created_at, updated_at, version) VALUES",
        );
        let statement = statement.values(rows, 8, |statement, profile| {
            statement
                .text(profile.user_id)
                .maybe_text(profile.name)
                .maybe_text(profile.email)
                .text(profile.attributes.as_str())
                .maybe_text(profile.search.as_deref())
                .int(profile.created_at)
                .int(profile.updated_at)
                .int(profile.version)
        });
        let ids: Vec<String> = statement.then(" RETURNING user_id").load(conn)?;
        inserted.extend(ids);
    }
    Ok(inserted)
}

/// Continues with whom the query finds among rows that `column` says the user of, where those behind `after` are asked for.
///
/// Each is looked up, in the order of the rows: a list of all users who are found would be made anew for each page. What is
/// behind `after` is said of users too: PostgreSQL goes along both side by side, and would else begin each page at the first.
pub(crate) fn among<Columns>(
    mut statement: Statement<Columns>,
    column: &str,
    query: &UserQuery,
    after: &str,
) -> Statement<Columns> {
    if query.by_id_only
        && let Some(text) = &query.text
    {
        // For a few ids not all rows are gone along.
        statement = beginning(statement.then(" AND "), column, text);
    }
    let looked_up =
        format!(" AND EXISTS (SELECT 1 FROM users WHERE users.user_id = {column} AND users.user_id > ? AND ");
    suiting(statement.then(&looked_up).text(after), query).then(")")
}

fn filtered<Columns>(statement: Statement<Columns>, query: &UserQuery) -> Statement<Columns> {
    suiting(statement.then(" WHERE "), query)
}

/// Continues with what holds of a row of `users` whom the query finds.
fn suiting<Columns>(statement: Statement<Columns>, query: &UserQuery) -> Statement<Columns> {
    let Some(text) = &query.text else { return statement.then("1 = 1") };
    if query.by_id_only {
        return beginning(statement, "users.user_id", text);
    }
    let statement = beginning(statement.then("("), "users.user_id", text);
    statement.then(r" OR users.search LIKE ? ESCAPE '\')").text(holding(text))
}

/// Continues with what holds of an id that begins so: a range and not a pattern, because SQLite's LIKE overlooks letter case,
/// and an id's counts.
fn beginning<Columns>(statement: Statement<Columns>, column: &str, text: &str) -> Statement<Columns> {
    let statement = statement.then(&format!("({column} >= ?")).text(text);
    match end_of_prefix(text) {
        Some(end) => statement.then(&format!(" AND {column} < ?)")).text(end),
        None => statement.then(")"),
    }
}

/// The least text behind all that begin with `prefix`, in the order of bytes, which is that of characters.
fn end_of_prefix(prefix: &str) -> Option<String> {
    let mut end = prefix.to_owned();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

/// No id is empty, so the empty text is before all of them.
pub(crate) fn behind(after: Option<&UserId>) -> &str {
    after.map_or("", UserId::as_str)
}

impl<'a> TryFrom<&'a User> for Profile<'a> {
    type Error = StoreError;

    fn try_from(user: &'a User) -> Result<Profile<'a>, StoreError> {
        let (name, email) = (user.name.as_deref(), user.email.as_deref());
        let known = name.is_some() || email.is_some();
        let search = format!("{}\n{}", name.unwrap_or_default(), email.unwrap_or_default()).to_lowercase();
        Ok(Profile {
            user_id: user.id.as_str(),
            name,
            email,
            attributes: serde_json::to_string(&user.attributes).map_err(|error| TABLE.corrupt(error))?,
            search: known.then_some(search),
            created_at: user.created_at.timestamp_micros(),
            updated_at: user.updated_at.timestamp_micros(),
            version: user.version,
        })
    }
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<User, StoreError> {
        Ok(User {
            id: TABLE.user(&row.user_id)?,
            name: row.name,
            email: row.email,
            attributes: serde_json::from_str(&row.attributes).map_err(|error| TABLE.corrupt(error))?,
            created_at: TABLE.instant(row.created_at)?,
            updated_at: TABLE.instant(row.updated_at)?,
            version: row.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_its_successor() {
        assert_eq!(end_of_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(end_of_prefix("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(end_of_prefix("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(end_of_prefix(""), None);
    }
}
