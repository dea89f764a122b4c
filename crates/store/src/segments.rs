use diesel::{
    prelude::*,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use domain::{Description, Instant, Kind, Name, Percent, Period, Seed, Segment, SegmentId, Slug, Ttl};
use usecases::{
    changes::Change,
    ports::{Bearer, Direction, SegmentOrder, SegmentQuery, Segments, StoreError},
};

use crate::{
    DieselUnit,
    columns::{Table, holding, rows_max},
    connection::on_backend,
    schema::{segment_names, segments},
    statements::Statement,
};

const TABLE: Table = Table("segments");
const COLUMNS: &str = "id, slug, name, description, kind, percent, seed, default_ttl, created_at, updated_at, version";
type Columns = (BigInt, Text, Text, Text, Text, Nullable<Integer>, BigInt, Nullable<Text>, BigInt, BigInt, BigInt);

const SELECT_NAMES: &str = "SELECT segment_id, slug, since, until FROM segment_names";
/// In the order of `SELECT_NAMES`.
type NameRow = (i64, String, i64, Option<i64>);

/// In the order of `COLUMNS`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = segments)]
struct Row {
    id: i64,
    slug: String,
    name: String,
    description: String,
    kind: String,
    percent: Option<i32>,
    seed: i64,
    default_ttl: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = segments, treat_none_as_default_value = false, treat_none_as_null = true)]
struct Definition<'a> {
    slug: &'a str,
    name: &'a str,
    description: &'a str,
    kind: &'a str,
    percent: Option<i32>,
    seed: i64,
    default_ttl: Option<String>,
    search: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

/// What a job wrote may be dated long before it was written.
const NOTHING_SINCE: &str = " updated_at < ? \
     AND NOT EXISTS (SELECT 1 FROM history h WHERE h.segment_id = segments.id AND h.at >= ?) \
     AND NOT EXISTS (SELECT 1 FROM history h JOIN jobs j ON j.id = h.job_id \
     WHERE h.segment_id = segments.id AND j.created_at >= ?)";

impl Segments for DieselUnit<'_> {
    fn insert(&mut self, segment: &Segment) -> Result<SegmentId, StoreError> {
        let definition = Definition::from(segment);
        let id = self.query(|conn| {
            on_backend!(conn, |conn| {
                diesel::insert_into(segments::table).values(&definition).returning(segments::id).get_result::<i64>(conn)
            })
        })?;
        self.begin_name(SegmentId(id), &segment.slug, segment.created_at)?;
        Ok(SegmentId(id))
    }

    fn find(&mut self, slug: &Slug) -> Result<Option<Segment>, StoreError> {
        let row = self.query(|conn| {
            segments::table.filter(segments::slug.eq(slug.as_str())).select(Row::as_select()).first(conn).optional()
        })?;
        let segment = row.map(Segment::try_from).transpose();
        self.remember(segment)
    }

    fn find_all(&mut self, slugs: &[Slug]) -> Result<Vec<Segment>, StoreError> {
        let statement = Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM segments WHERE slug ? ORDER BY slug"))
            .any_text(slugs.iter().map(Slug::as_str));
        self.rows(statement, |row: Row| Segment::try_from(row))
    }

    fn update(&mut self, segment: &Segment) -> Result<(), StoreError> {
        let SegmentId(id) = segment.id;
        let definition = Definition::from(segment);
        let changed = self.query(|conn| diesel::update(segments::table.find(id)).set(&definition).execute(conn))?;
        if changed == 0 {
            return self.remember(Err(StoreError::Contended(format!("segment `{}` was deleted", segment.slug))));
        }
        let renamed = self.execute(
            Statement::new("UPDATE segment_names SET until = ? WHERE segment_id = ? AND until IS NULL AND slug <> ?")
                .int(segment.updated_at.timestamp_micros())
                .int(id)
                .text(segment.slug.as_str()),
        )?;
        match renamed {
            0 => Ok(()),
            _ => self.begin_name(segment.id, &segment.slug, segment.updated_at),
        }
    }

    fn delete(&mut self, SegmentId(id): SegmentId, at: Instant) -> Result<(), StoreError> {
        self.query(|conn| {
            let name =
                segment_names::table.filter(segment_names::segment_id.eq(id)).filter(segment_names::until.is_null());
            diesel::update(name).set(segment_names::until.eq(at.timestamp_micros())).execute(conn)?;
            diesel::delete(segments::table.find(id)).execute(conn)
        })?;
        self.changed([Change::Deleted { segment: SegmentId(id) }])
    }

    fn list(&mut self, query: &SegmentQuery, limit: usize) -> Result<Vec<Segment>, StoreError> {
        let column = match query.sort.by {
            SegmentOrder::Slug => "slug",
            SegmentOrder::Name => "name",
            SegmentOrder::CreatedAt => "created_at",
            SegmentOrder::UpdatedAt => "updated_at",
        };
        let (direction, behind) = match query.sort.direction {
            Direction::Ascending => ("ASC", ">"),
            Direction::Descending => ("DESC", "<"),
        };
        let mut statement = filtered(Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM segments")), query);
        if let Some((value, slug)) = &query.after {
            statement = statement.then(&format!(" AND ({column}, slug) {behind} (?, ?)"));
            statement = match query.sort.by {
                SegmentOrder::Slug | SegmentOrder::Name => statement.text(value),
                SegmentOrder::CreatedAt | SegmentOrder::UpdatedAt => match value.parse() {
                    Ok(micros) => statement.int(micros),
                    Err(_) => return self.remember(Err(TABLE.corrupt("a cursor without an instant"))),
                },
            };
            statement = statement.text(slug.as_str());
        }
        let statement =
            statement.then(&format!(" ORDER BY {column} {direction}, slug {direction} LIMIT ?")).int(rows_max(limit));
        self.rows(statement, |row: Row| Segment::try_from(row))
    }

    fn stale(&mut self, before: Instant, after: Option<&Slug>, limit: usize) -> Result<Vec<Segment>, StoreError> {
        let micros = before.timestamp_micros();
        let statement = Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM segments WHERE slug > ? AND"))
            .text(after.map_or("", Slug::as_str))
            .then(NOTHING_SINCE)
            .int(micros)
            .int(micros)
            .int(micros)
            .then(" ORDER BY slug LIMIT ?")
            .int(rows_max(limit));
        self.rows(statement, |row: Row| Segment::try_from(row))
    }

    fn is_stale(&mut self, slug: &Slug, before: Instant) -> Result<bool, StoreError> {
        let micros = before.timestamp_micros();
        let statement = Statement::new("SELECT count(*) FROM segments WHERE slug = ? AND")
            .text(slug.as_str())
            .then(NOTHING_SINCE)
            .int(micros)
            .int(micros)
            .int(micros);
        Ok(self.count_of(statement)? > 0)
    }

    fn count(&mut self, query: &SegmentQuery) -> Result<u64, StoreError> {
        self.count_of(filtered(Statement::new("SELECT count(*) FROM segments"), query))
    }

    fn count_changed(&mut self, after: Instant) -> Result<u64, StoreError> {
        let statement = Statement::new("SELECT count(*) FROM segments WHERE updated_at > ?");
        self.count_of(statement.int(after.timestamp_micros()))
    }

    fn distributed(&mut self) -> Result<Vec<Segment>, StoreError> {
        let statement =
            Statement::<Columns>::new(format!("SELECT {COLUMNS} FROM segments WHERE kind = ? ORDER BY slug"))
                .text(Kind::Percent.as_str());
        self.rows(statement, |row: Row| Segment::try_from(row))
    }

    fn bearers(&mut self, slug: &Slug) -> Result<Vec<Bearer>, StoreError> {
        let which = " WHERE slug = ? ORDER BY since, id";
        self.rows(
            Statement::<(BigInt, Text, BigInt, Nullable<BigInt>)>::new(SELECT_NAMES).then(which).text(slug.as_str()),
            bearer,
        )
    }

    fn names(&mut self, segments: &[SegmentId]) -> Result<Vec<Bearer>, StoreError> {
        let which = " WHERE segment_id ? ORDER BY segment_id, since, id";
        let statement = Statement::<(BigInt, Text, BigInt, Nullable<BigInt>)>::new(SELECT_NAMES).then(which);
        self.rows(statement.any_int(segments.iter().map(|segment| segment.0)), bearer)
    }
}

impl DieselUnit<'_> {
    fn begin_name(&mut self, SegmentId(id): SegmentId, slug: &Slug, since: Instant) -> Result<(), StoreError> {
        self.query(|conn| {
            diesel::insert_into(segment_names::table)
                .values((
                    segment_names::segment_id.eq(id),
                    segment_names::slug.eq(slug.as_str()),
                    segment_names::since.eq(since.timestamp_micros()),
                ))
                .execute(conn)
        })?;
        self.changed([Change::Named { segment: SegmentId(id), slug: slug.clone() }])
    }
}

fn bearer((segment, slug, since, until): NameRow) -> Result<Bearer, StoreError> {
    let table = Table("segment_names");
    let period = Period { from: Some(table.instant(since)?), to: table.maybe_instant(until)? };
    Ok(Bearer { segment: SegmentId(segment), slug: table.slug(&slug)?, period })
}

fn filtered<Columns>(mut statement: Statement<Columns>, query: &SegmentQuery) -> Statement<Columns> {
    statement = statement.then(" WHERE 1 = 1");
    if let Some(kind) = query.kind {
        statement = statement.then(" AND kind = ?").text(kind.as_str());
    }
    if let Some(text) = &query.text {
        statement = statement.then(r" AND search LIKE ? ESCAPE '\'").text(holding(text));
    }
    statement
}

impl<'a> From<&'a Segment> for Definition<'a> {
    fn from(segment: &'a Segment) -> Definition<'a> {
        Definition {
            slug: segment.slug.as_str(),
            name: segment.name.as_str(),
            description: segment.description.as_str(),
            kind: segment.kind.as_str(),
            percent: segment.percent.map(|percent| percent.parts().cast_signed()),
            seed: segment.seed.0.cast_signed(),
            default_ttl: segment.default_ttl.map(|ttl| ttl.to_string()),
            search: format!("{}\n{}", segment.slug, segment.name.as_str()).to_lowercase(),
            created_at: segment.created_at.timestamp_micros(),
            updated_at: segment.updated_at.timestamp_micros(),
            version: segment.version,
        }
    }
}

impl TryFrom<Row> for Segment {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Segment, StoreError> {
        let percent = |parts: i32| {
            let percent = u32::try_from(parts).ok().and_then(Percent::from_parts);
            percent.ok_or_else(|| TABLE.corrupt(format!("{parts} ten-thousandths are not a percent")))
        };
        Ok(Segment {
            id: SegmentId(row.id),
            slug: TABLE.slug(&row.slug)?,
            name: Name::stored(row.name),
            description: Description::parse(&row.description).map_err(|error| TABLE.corrupt(error))?,
            kind: Kind::parse(&row.kind).ok_or_else(|| TABLE.corrupt(format!("`{}` is not a kind", row.kind)))?,
            percent: row.percent.map(percent).transpose()?,
            seed: Seed(row.seed.cast_unsigned()),
            default_ttl: row
                .default_ttl
                .map(|text| Ttl::parse(&text))
                .transpose()
                .map_err(|error| TABLE.corrupt(error))?,
            created_at: TABLE.instant(row.created_at)?,
            updated_at: TABLE.instant(row.updated_at)?,
            version: row.version,
        })
    }
}
