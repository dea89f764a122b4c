//! Users out of files: born, or their profiles completed.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Attributes, Instant, User, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tables::{Cell, Kind, Row};

use super::{
    Batch, Content, Importer, Line, Outcome, Place, Reading,
    rows::{self, BadCell, corrupt, past},
};
use crate::{
    Act, Error,
    ports::{Hold, Locks},
    users,
};

/// What a row says of a user.
#[derive(Serialize, Deserialize)]
pub(crate) struct Profile {
    name: Option<String>,
    email: Option<String>,
    /// A JSON object.
    attributes: String,
    created_at: Option<i64>,
}

impl Content for Profile {
    fn bytes(&self) -> usize {
        let texts = [&self.name, &self.email].into_iter().flatten().map(String::len).sum::<usize>();
        texts + self.attributes.len()
    }
}

pub(super) struct UserImporter {
    pub(super) asked_at: Instant,
}

impl UserImporter {
    fn line(&self, columns: &[String], row: &Row) -> Result<Line<Profile>, BadCell> {
        rows::sound(row)?;
        let mut attributes = Attributes::new();
        let (mut user, mut name, mut email, mut created_at) = (None, None, None, None);
        for (at, column) in columns.iter().enumerate() {
            let Some(cell) = row.cell(at) else { continue };
            match column.as_str() {
                "user_id" => user = Some(cell),
                "name" => name = Some(text(column, cell)?),
                "email" => email = Some(text(column, cell)?),
                "created_at" => created_at = Some(past(column, rows::instant(column, cell)?, self.asked_at)?),
                "attributes" => attributes.extend(object(cell)?),
                _ => drop(attributes.insert(column.clone(), value(column, cell)?)),
            }
        }
        let place = Place::of(rows::user_id(user)?.to_string(), row.line());
        let attributes = Value::Object(attributes).to_string();
        Ok(Line { place, content: Profile { name, email, attributes, created_at } })
    }
}

impl Importer for UserImporter {
    type Content = Profile;

    fn read(&mut self, columns: &[String], row: &Row) -> Reading<Profile> {
        Ok(self.line(columns, row).map_err(|bad| bad.refusing(None)))
    }

    fn lock(&self, act: &mut Act, _lines: &[Line<Profile>]) -> Result<(), Error> {
        self.lock_all(act)
    }

    fn lock_all(&self, act: &mut Act) -> Result<(), Error> {
        Ok(act.unit.lock(&Locks::new().population(Hold::Shared))?)
    }

    /// What a row leaves out stays; attributes are set one by one.
    fn act(&self, act: &mut Act, batch: &Batch<Profile>) -> Result<Outcome, Error> {
        let now = act.now();
        let rows: BTreeMap<UserId, User> = batch
            .lines
            .iter()
            .map(|line| user(line, now).map(|user| (user.id.clone(), user)))
            .collect::<Result<_, _>>()?;
        let fresh: Vec<User> = rows.values().cloned().collect();
        let born = act.unit.users().insert_missing(&fresh)?;
        users::welcome(act, &born, now)?;
        let born: BTreeSet<UserId> = born.into_iter().collect();
        let mut outcome = Outcome { added: born.len() as u64, ..Outcome::default() };
        let present: Vec<UserId> = rows.keys().filter(|id| !born.contains(id)).cloned().collect();
        for before in act.unit.users().hold(&present)? {
            let Some(row) = rows.get(&before.id) else { continue };
            let mut after = before.clone();
            after.name = row.name.clone().or(after.name);
            after.email = row.email.clone().or(after.email);
            after.attributes.extend(row.attributes.clone());
            if after == before {
                outcome.unchanged += 1;
                continue;
            }
            after.updated_at = now.max(before.updated_at);
            after.version += 1;
            act.unit.users().update(&after)?;
            outcome.updated += 1;
        }
        Ok(outcome)
    }
}

fn user(line: &Line<Profile>, now: Instant) -> Result<User, Error> {
    let id = UserId::parse(&line.place.first).map_err(corrupt)?;
    let born_at = line.content.created_at.and_then(Instant::from_timestamp_micros).unwrap_or(now).min(now);
    Ok(User {
        name: line.content.name.clone(),
        email: line.content.email.clone(),
        attributes: serde_json::from_str(&line.content.attributes).map_err(corrupt)?,
        ..User::born(id, born_at)
    })
}

fn text(column: &str, cell: Cell) -> Result<String, BadCell> {
    let text = rows::plain(column, cell)?;
    let max = User::TEXT_CHARS_MAX;
    if text.chars().count() > max || text.chars().any(char::is_control) {
        return Err(BadCell::new(
            column,
            format!("must have at most {max} characters, none of them control characters"),
        ));
    }
    Ok(text.to_owned())
}

fn object(cell: Cell) -> Result<Attributes, BadCell> {
    let refuse = || BadCell::new("attributes", format!("`{}` is not a JSON object", rows::shown(cell.text)));
    match json("attributes", cell.text)? {
        Some(Value::Object(attributes)) => Ok(attributes),
        _ => Err(refuse()),
    }
}

/// Typed cells are what they are. One without a type is a number or a truth value when it is written as JSON writes one,
/// or else a text.
fn value(column: &str, cell: Cell) -> Result<Value, BadCell> {
    match cell.kind {
        Kind::Text | Kind::Instant => Ok(cell.text.into()),
        Kind::Number | Kind::Flag | Kind::Json => {
            let refuse = || BadCell::new(column, format!("`{}` is not JSON", rows::shown(cell.text)));
            json(column, cell.text)?.ok_or_else(refuse)
        }
        Kind::Plain => match json(column, cell.text)? {
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value),
            _ => Ok(cell.text.into()),
        },
    }
}

/// Inside serde_json, a number of any precision is an object with one key of this name, for which no other may pass.
fn json(column: &str, text: &str) -> Result<Option<Value>, BadCell> {
    const NUMBER: &str = "$serde_json::private::Number";
    if text.contains("serde_json::private") {
        return Err(BadCell::new(column, format!("cannot hold the text `{NUMBER}`")));
    }
    Ok(serde_json::from_str(text).ok())
}
