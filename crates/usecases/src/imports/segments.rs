//! Segments out of files: made, or their definitions completed.

use domain::{Caller, Description, Instant, Kind, Name, Percent, Seed, Segment, Slug, TextError, Ttl};
use serde::{Deserialize, Serialize};
use tables::{Cell, Row};

use super::{
    Batch, Content, Importer, Line, Outcome, Place, Reading,
    rows::{self, BadCell, Columns, corrupt, past},
};
use crate::{
    Act, App, Error, distributions,
    ports::{Hold, Locks},
    segments,
};

const COLUMNS: [&str; 9] =
    ["segment", "name", "description", "kind", "percent", "seed", "default_ttl", "created_at", "updated_at"];

/// What a row says of a segment. What it leaves out is none.
#[derive(Serialize, Deserialize)]
pub(crate) struct Definition {
    name: Option<String>,
    description: Option<String>,
    /// In ten-thousandths of a percent.
    percent: Option<u32>,
    seed: Option<u64>,
    default_ttl: Option<String>,
    created_at: Option<i64>,
    updated_at: Option<i64>,
}

impl Content for Definition {
    fn bytes(&self) -> usize {
        [&self.name, &self.description].into_iter().flatten().map(String::len).sum()
    }
}

pub(super) struct SegmentImporter<'a> {
    app: &'a App,
    asked_at: Instant,
    columns: Columns<9>,
}

impl<'a> SegmentImporter<'a> {
    pub(super) fn new(app: &'a App, asked_at: Instant) -> SegmentImporter<'a> {
        SegmentImporter { app, asked_at, columns: Columns::unknown() }
    }

    fn definition(&self, row: &Row) -> Result<(Slug, Definition), BadCell> {
        rows::sound(row)?;
        let text = |at: usize| self.columns.cell(row, at).map(|cell| rows::plain(COLUMNS[at], cell)).transpose();
        let moment = |at: usize| {
            let cell = self.columns.cell(row, at);
            cell.map(|cell| past(COLUMNS[at], rows::instant(COLUMNS[at], cell)?, self.asked_at)).transpose()
        };
        let slug = Slug::parse(text(0)?.unwrap_or_default()).map_err(|error| BadCell::new("segment", error))?;
        let name = text(1)?.map(|text| name(text, &slug)).transpose().map_err(|error| BadCell::new("name", error))?;
        let description = text(2)?.map(Description::parse).transpose();
        let description = description.map_err(|error| BadCell::new("description", error))?;
        let percent = text(4)?.map(Percent::parse).transpose().map_err(|error| BadCell::new("percent", error))?;
        fits(self.columns.cell(row, 3), percent)?;
        let seed = match text(5)? {
            None => None,
            Some(seed) => {
                Some(Seed::parse(seed).ok_or_else(|| BadCell::new("seed", "is not 16 hexadecimal digits"))?.0)
            }
        };
        let ttl =
            text(6)?.map(Ttl::parse_or_seconds).transpose().map_err(|error| BadCell::new("default_ttl", error))?;
        let definition = Definition {
            name: name.map(|name| name.as_str().to_owned()),
            description: description.map(|description| description.as_str().to_owned()),
            percent: percent.map(Percent::parts),
            seed,
            default_ttl: ttl.map(|ttl| ttl.to_string()),
            created_at: moment(7)?,
            updated_at: moment(8)?,
        };
        Ok((slug, definition))
    }

    /// Whether the segment that is there can become what the row says.
    fn suits(&self, slug: &Slug, definition: &Definition) -> Result<Result<(), BadCell>, Error> {
        let found = self.app.look(&Caller::service("strata"), |look| Ok(look.unit.segments().find(slug)?))?;
        let Some(found) = found else { return Ok(Ok(())) };
        if definition.percent.is_some() && !matches!(found.kind, Kind::Manual | Kind::Percent) {
            let detail = format!("`{slug}` is of kind {} and cannot be distributed", found.kind.as_str());
            return Ok(Err(BadCell::new("percent", detail)));
        }
        match definition.seed.map(Seed) {
            Some(seed) if found.percent.is_some() && seed != found.seed => {
                Ok(Err(BadCell::new("seed", format!("`{slug}` was given to its users by the seed {}", found.seed))))
            }
            _ => Ok(Ok(())),
        }
    }
}

/// A kind says what a percent, or its absence, says already; members by rules and models do not come out of a file.
fn fits(kind: Option<Cell>, percent: Option<Percent>) -> Result<(), BadCell> {
    let Some(cell) = kind else { return Ok(()) };
    let text = rows::plain("kind", cell)?;
    match (Kind::parse(text), percent) {
        (None, _) => Err(BadCell::new("kind", format!("`{}` is not a kind of segment", rows::shown(text)))),
        (Some(Kind::Rule | Kind::Model), _) => {
            Err(BadCell::new("kind", format!("segments of kind {text} cannot be imported")))
        }
        (Some(Kind::Percent), None) => Err(BadCell::new("percent", "is missing, and the kind is percent")),
        (Some(Kind::Manual), Some(_)) => Err(BadCell::new("percent", "is given, and the kind is manual")),
        (Some(Kind::Percent), Some(_)) | (Some(Kind::Manual), None) => Ok(()),
    }
}

impl Importer for SegmentImporter<'_> {
    type Content = Definition;

    /// As by a call: giving one segment to its share may be long.
    const BATCH_MAX: usize = 1;

    fn read(&mut self, columns: &[String], row: &Row) -> Reading<Definition> {
        self.columns.find(columns, COLUMNS);
        let (slug, definition) = match self.definition(row) {
            Ok(read) => read,
            Err(bad) => return Ok(Err(bad.refusing(None))),
        };
        let place = Place::of(slug.to_string(), row.line());
        let suits = self.suits(&slug, &definition)?;
        Ok(suits.map(|()| Line { place, content: definition }).map_err(|bad| bad.refusing(None)))
    }

    fn lock(&self, act: &mut Act, lines: &[Line<Definition>]) -> Result<(), Error> {
        let mut locks = Locks::new();
        for line in lines {
            locks = locks.segment(&slug(line)?, Hold::Alone);
            if line.content.percent.is_some() {
                locks = locks.population(Hold::Alone);
            }
        }
        Ok(act.unit.lock(&locks)?)
    }

    fn lock_all(&self, act: &mut Act) -> Result<(), Error> {
        Ok(act.unit.lock(&Locks::new().population(Hold::Alone).every_segment(Hold::Alone))?)
    }

    /// What a row leaves out stays.
    fn act(&self, act: &mut Act, batch: &Batch<Definition>) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        for line in &batch.lines {
            let slug = slug(line)?;
            let (before, is_new) = match act.unit.segments().find(&slug)? {
                Some(segment) => (segment, false),
                None => (make(act, slug, &line.content)?, true),
            };
            let after = complete(act, before.clone(), &line.content)?;
            match (is_new, after == before) {
                (true, _) => outcome.added += 1,
                (false, true) => outcome.unchanged += 1,
                (false, false) => outcome.updated += 1,
            }
            if after != before {
                let after = if is_new { after } else { after.touched(act.now()) };
                act.unit.segments().update(&after)?;
            }
        }
        Ok(outcome)
    }
}

/// The segment with its name alone, as old as the row says, but no older than its slug is free.
fn make(act: &mut Act, slug: Slug, definition: &Definition) -> Result<Segment, Error> {
    let now = act.now();
    let free_since = act.unit.segments().bearers(&slug)?.into_iter().filter_map(|bearer| bearer.period.to).max();
    let moment = |micros: Option<i64>| micros.and_then(Instant::from_timestamp_micros);
    let created_at = moment(definition.created_at).unwrap_or(now).max(free_since.unwrap_or(Instant::MIN_UTC)).min(now);
    let seed = definition.seed.map_or_else(|| Seed(act.chance.draw()), Seed);
    let updated_at = moment(definition.updated_at).unwrap_or(created_at).clamp(created_at, now);
    segments::insert(act, Segment { updated_at, ..Segment::made(slug, seed, created_at) })
}

fn complete(act: &mut Act, segment: Segment, definition: &Definition) -> Result<Segment, Error> {
    let mut after = segment;
    if let Some(text) = &definition.name {
        after.name = name(text, &after.slug).map_err(corrupt)?;
    }
    if let Some(description) = &definition.description {
        after.description = Description::parse(description).map_err(corrupt)?;
    }
    if let Some(ttl) = &definition.default_ttl {
        after.default_ttl = Some(Ttl::parse(ttl).map_err(corrupt)?);
    }
    if let Some(seed) = definition.seed
        && after.percent.is_none()
    {
        after.seed = Seed(seed);
    }
    match definition.percent.and_then(Percent::from_parts) {
        Some(percent) => Ok(distributions::give(act, after, percent)?.segment),
        None => Ok(after),
    }
}

fn slug(line: &Line<Definition>) -> Result<Slug, Error> {
    Slug::parse(&line.place.first).map_err(corrupt)
}

/// A segment that is named after its slug may have a name as long as that.
fn name(text: &str, slug: &Slug) -> Result<Name, TextError> {
    if text == slug.as_str() { Ok(Name::of(slug)) } else { Name::parse(text) }
}
