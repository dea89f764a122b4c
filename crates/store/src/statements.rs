//! SQL that is written out: for sets of rows, where one text serves both engines and Diesel's builder does not.
//!
//! Values never enter the text. Each `?` in it stands for the next bind, so a literal cannot hold one.

use std::marker::PhantomData;

use diesel::{
    QueryResult, RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::Error as DieselError,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Array, BigInt, Binary, Bool, Nullable, Text},
    sqlite::Sqlite,
};

/// A statement whose rows have the SQL types `Columns`. It is prepared once a connection, as Diesel's own are.
pub(crate) struct Statement<Columns = ()> {
    text: String,
    binds: Vec<Bind>,
    is_planned_anew: bool,
    columns: PhantomData<fn() -> Columns>,
}

enum Bind {
    Text(String),
    MaybeText(Option<String>),
    Int(i64),
    MaybeInt(Option<i64>),
    Bytes(Vec<u8>),
    AnyText(Texts),
    AnyInt(Ints),
    Column(Column),
    Pairs(Pairs),
}

/// One column of many rows, for `unnest`.
pub(crate) enum Column {
    Texts(Vec<String>),
    MaybeTexts(Vec<Option<String>>),
    Ints(Vec<i64>),
    MaybeInts(Vec<Option<i64>>),
    Flags(Vec<bool>),
}

/// What PostgreSQL takes as an array is a JSON text for SQLite, so that a list of any length is one bind.
#[derive(Debug)]
struct Texts(Vec<String>);

#[derive(Debug)]
struct Ints(Vec<i64>);

#[derive(Debug)]
struct Pairs {
    users: Vec<String>,
    segments: Vec<i64>,
}

impl<Columns> Statement<Columns> {
    pub(crate) fn new(text: impl Into<String>) -> Statement<Columns> {
        Statement { text: text.into(), binds: Vec::new(), is_planned_anew: false, columns: PhantomData }
    }

    /// PostgreSQL forgets how it found the rows, for a table that is empty now and large soon: a plan that it keeps would
    /// read all of it until statistics are made anew.
    pub(crate) fn planned_anew(self) -> Statement<Columns> {
        Statement { is_planned_anew: true, ..self }
    }

    /// Continues the text.
    pub(crate) fn then(mut self, text: &str) -> Statement<Columns> {
        self.text.push_str(text);
        self
    }

    pub(crate) fn text(self, value: impl Into<String>) -> Statement<Columns> {
        self.bind(Bind::Text(value.into()))
    }

    pub(crate) fn maybe_text(self, value: Option<&str>) -> Statement<Columns> {
        self.bind(Bind::MaybeText(value.map(str::to_owned)))
    }

    pub(crate) fn int(self, value: i64) -> Statement<Columns> {
        self.bind(Bind::Int(value))
    }

    pub(crate) fn maybe_int(self, value: Option<i64>) -> Statement<Columns> {
        self.bind(Bind::MaybeInt(value))
    }

    pub(crate) fn bytes(self, value: Vec<u8>) -> Statement<Columns> {
        self.bind(Bind::Bytes(value))
    }

    /// Stands where ` = ?` would, and holds for any of the values: `WHERE user_id ?`.
    pub(crate) fn any_text<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Statement<Columns> {
        self.bind(Bind::AnyText(Texts(values.into_iter().map(str::to_owned).collect())))
    }

    /// As `any_text`.
    pub(crate) fn any_int(self, values: impl IntoIterator<Item = i64>) -> Statement<Columns> {
        self.bind(Bind::AnyInt(Ints(values.into_iter().collect())))
    }

    /// Stands for a table `p` of these pairs, with the columns user_id and segment_id.
    pub(crate) fn pairs<'a>(self, pairs: impl IntoIterator<Item = (&'a str, i64)>) -> Statement<Columns> {
        let (users, segments) = pairs.into_iter().map(|(user, segment)| (user.to_owned(), segment)).unzip();
        self.bind(Bind::Pairs(Pairs { users, segments }))
    }

    /// PostgreSQL only.
    pub(crate) fn column(self, column: Column) -> Statement<Columns> {
        self.bind(Bind::Column(column))
    }

    /// Continues with the values of these rows, `columns` a row, which `bind` binds in their order: `… VALUES` and this.
    pub(crate) fn values<T>(
        mut self,
        rows: &[T],
        columns: usize,
        bind: impl Fn(Statement<Columns>, &T) -> Statement<Columns>,
    ) -> Statement<Columns> {
        let row = format!(" ({})", vec!["?"; columns].join(", "));
        self.text.push_str(&vec![row.as_str(); rows.len()].join(","));
        rows.iter().fold(self, bind)
    }

    fn bind(mut self, bind: Bind) -> Statement<Columns> {
        self.binds.push(bind);
        self
    }

    /// The text in pieces, each with the bind that stands behind it.
    fn pieces(&self) -> QueryResult<impl Iterator<Item = (&str, Option<&Bind>)>> {
        let places = self.text.matches('?').count();
        if places != self.binds.len() {
            let message = format!("{places} places for {} binds in: {}", self.binds.len(), self.text);
            return Err(DieselError::QueryBuilderError(message.into()));
        }
        Ok(self.text.split('?').zip(self.binds.iter().map(Some).chain([None])))
    }
}

/// Cuts rows into portions of few lengths for [`Statement::values`], so that few statements are ever prepared.
pub(crate) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = [256, 16, 1].into_iter().find(|length| *length <= rows.len())?;
        let (portion, rest) = rows.split_at(length);
        rows = rest;
        Some(portion)
    })
}

impl<Columns> Query for Statement<Columns> {
    type SqlType = Columns;
}

impl<Columns, Conn> RunQueryDsl<Conn> for Statement<Columns> {}

/// The text tells one statement from another.
impl<Columns> QueryId for Statement<Columns> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Columns> QueryFragment<Pg> for Statement<Columns> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        if self.is_planned_anew {
            out.unsafe_to_cache_prepared();
        }
        for (piece, bind) in self.pieces()? {
            out.push_sql(piece);
            match bind {
                None => {}
                Some(Bind::Text(value)) => out.push_bind_param::<Text, _>(value)?,
                Some(Bind::MaybeText(value)) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                Some(Bind::Int(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Some(Bind::MaybeInt(value)) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                Some(Bind::Bytes(value)) => out.push_bind_param::<Binary, _>(value)?,
                Some(Bind::AnyText(Texts(values))) => {
                    let (before, after) = any_of(values.len());
                    out.push_sql(before);
                    out.push_bind_param::<Array<Text>, _>(values)?;
                    out.push_sql(after);
                }
                Some(Bind::AnyInt(Ints(values))) => {
                    let (before, after) = any_of(values.len());
                    out.push_sql(before);
                    out.push_bind_param::<Array<BigInt>, _>(values)?;
                    out.push_sql(after);
                }
                Some(Bind::Pairs(Pairs { users, segments })) => {
                    out.push_sql("unnest(");
                    out.push_bind_param::<Array<Text>, _>(users)?;
                    out.push_sql(", ");
                    out.push_bind_param::<Array<BigInt>, _>(segments)?;
                    out.push_sql(") AS p (user_id, segment_id)");
                }
                Some(Bind::Column(Column::Texts(values))) => out.push_bind_param::<Array<Text>, _>(values)?,
                Some(Bind::Column(Column::MaybeTexts(values))) => {
                    out.push_bind_param::<Array<Nullable<Text>>, _>(values)?;
                }
                Some(Bind::Column(Column::Ints(values))) => out.push_bind_param::<Array<BigInt>, _>(values)?,
                Some(Bind::Column(Column::MaybeInts(values))) => {
                    out.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?;
                }
                Some(Bind::Column(Column::Flags(values))) => out.push_bind_param::<Array<Bool>, _>(values)?,
            }
        }
        Ok(())
    }
}

/// PostgreSQL holds each row against an array value by value, and looks a long list up only when it is a table.
fn any_of(values: usize) -> (&'static str, &'static str) {
    const ARRAY_MAX: usize = 16;
    if values <= ARRAY_MAX { ("= ANY(", ")") } else { ("IN (SELECT unnest(", "))") }
}

impl<Columns> QueryFragment<Sqlite> for Statement<Columns> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for (piece, bind) in self.pieces()? {
            out.push_sql(piece);
            match bind {
                None => {}
                Some(Bind::Text(value)) => out.push_bind_param::<Text, _>(value)?,
                Some(Bind::MaybeText(value)) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                Some(Bind::Int(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Some(Bind::MaybeInt(value)) => out.push_bind_param::<Nullable<BigInt>, _>(value)?,
                Some(Bind::Bytes(value)) => out.push_bind_param::<Binary, _>(value)?,
                Some(Bind::AnyText(values)) => {
                    out.push_sql("IN (SELECT value FROM json_each(");
                    out.push_bind_param::<Text, _>(values)?;
                    out.push_sql("))");
                }
                Some(Bind::AnyInt(values)) => {
                    out.push_sql("IN (SELECT value FROM json_each(");
                    out.push_bind_param::<Text, _>(values)?;
                    out.push_sql("))");
                }
                Some(Bind::Pairs(pairs)) => {
                    out.push_sql(
                        "(SELECT json_extract(value, '$[0]') AS user_id, json_extract(value, '$[1]') AS segment_id \
                         FROM json_each(",
                    );
                    out.push_bind_param::<Text, _>(pairs)?;
                    out.push_sql(")) p");
                }
                Some(Bind::Column(_)) => {
                    return Err(DieselError::QueryBuilderError("SQLite has no arrays to unnest".into()));
                }
            }
        }
        Ok(())
    }
}

impl ToSql<Text, Sqlite> for Texts {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl ToSql<Text, Sqlite> for Pairs {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let pairs: Vec<(&String, &i64)> = self.users.iter().zip(&self.segments).collect();
        out.set_value(serde_json::to_string(&pairs)?);
        Ok(IsNull::No)
    }
}

impl ToSql<Text, Sqlite> for Ints {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}
