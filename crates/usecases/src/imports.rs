//! Imports: many rows at once, each batch in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    Attributes, Description, Instant, Kind, Name, Reason, Seed, Segment, SegmentId, Slug, Source, User, UserId,
};

use crate::{
    Act, Error, Fault,
    memberships::{Deadline, Outcome, Wish, fulfil, hold},
    ports::{Hold, Locks, StoreError},
    segments, users,
};

/// At most this many rows in one batch.
pub const BATCH_MAX: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipRow {
    pub user: UserId,
    pub slug: Slug,
    /// Keeps the joining instant of data that comes from elsewhere; now when absent.
    pub since: Option<Instant>,
    pub deadline: Option<Deadline>,
    pub reason: Option<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingSegments {
    Create,
    Refuse,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedMemberships {
    pub added: u64,
    pub extended: u64,
    pub unchanged: u64,
    pub segments_created: u64,
    pub users_created: u64,
}

/// Adds the users to the segments that the rows name. Whoever is in already stays as they are.
pub fn memberships(
    act: &mut Act,
    rows: Vec<MembershipRow>,
    missing: MissingSegments,
) -> Result<ImportedMemberships, Error> {
    let slugs: Vec<Slug> = BTreeSet::from_iter(rows.iter().map(|row| row.slug.clone())).into_iter().collect();
    let ids: Vec<UserId> = BTreeSet::from_iter(rows.iter().map(|row| row.user.clone())).into_iter().collect();
    let known: BTreeSet<Slug> = act.unit.segments().find_all(&slugs)?.into_iter().map(|segment| segment.slug).collect();
    let mut locks = Locks::new().population(Hold::Shared);
    for slug in &slugs {
        locks = locks.segment(slug, if known.contains(slug) { Hold::Shared } else { Hold::Alone });
    }
    for id in &ids {
        locks = locks.user(id);
    }
    act.unit.lock(&locks)?;
    let now = act.now();

    let mut imported = ImportedMemberships::default();
    let found: HashMap<Slug, Segment> = segments_named(act, &slugs, &known, missing, now, &mut imported)?;
    imported.users_created = users::give_birth(act, &ids, now)?.len() as u64;
    let pairs: Vec<_> = rows.iter().map(|row| (row.user.clone(), found[&row.slug].id)).collect();
    let stored = hold(act.unit, &pairs)?;
    let now = act.now();
    refuse_past(&rows, now)?;
    let wishes = rows
        .into_iter()
        .map(|row| {
            let wish = Wish::Enter {
                since: row.since.unwrap_or(now).min(now),
                expires_at: row.deadline.map(|deadline| deadline.instant(now)),
                source: Source::Import,
                reason: row.reason,
            };
            (row.user, &found[&row.slug], wish)
        })
        .collect();
    for outcome in fulfil(act, now, stored, wishes)? {
        match outcome {
            Outcome::Added => imported.added += 1,
            Outcome::Extended => imported.extended += 1,
            Outcome::Unchanged | Outcome::Removed => imported.unchanged += 1,
        }
    }
    Ok(imported)
}

fn refuse_past(rows: &[MembershipRow], now: Instant) -> Result<(), Error> {
    let past: Vec<Fault> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.deadline.is_some_and(|deadline| deadline.instant(now) <= now))
        .map(|(number, row)| Fault {
            pointer: format!("/{number}/expires_at"),
            code: "in_the_past",
            detail: format!("the deadline of user `{}` in `{}` is not in the future", row.user, row.slug),
        })
        .collect();
    if past.is_empty() { Ok(()) } else { Err(Error::Invalid(past)) }
}

fn segments_named(
    act: &mut Act,
    slugs: &[Slug],
    known: &BTreeSet<Slug>,
    missing: MissingSegments,
    now: Instant,
    imported: &mut ImportedMemberships,
) -> Result<HashMap<Slug, Segment>, Error> {
    if missing == MissingSegments::Refuse {
        let found = segments::require_all(act.unit, slugs)?;
        return Ok(found.into_iter().map(|segment| (segment.slug.clone(), segment)).collect());
    }
    let mut found: HashMap<Slug, Segment> =
        act.unit.segments().find_all(slugs)?.into_iter().map(|segment| (segment.slug.clone(), segment)).collect();
    for slug in slugs {
        if found.contains_key(slug) {
            continue;
        }
        if known.contains(slug) {
            return Err(StoreError::Contended(format!("segment `{slug}` was deleted")).into());
        }
        let segment = Segment {
            id: SegmentId(0),
            slug: slug.clone(),
            name: Name::of(slug),
            description: Description::default(),
            kind: Kind::Manual,
            percent: None,
            seed: Seed(act.chance.draw()),
            default_ttl: None,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        found.insert(slug.clone(), segments::insert(act, segment)?);
        imported.segments_created += 1;
    }
    Ok(found)
}

#[derive(Debug, Clone, PartialEq)]
pub struct UserRow {
    pub id: UserId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub attributes: Attributes,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportedUsers {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
}

/// Creates the users, or completes the profiles of those who are there: what a row leaves out stays.
pub fn users(act: &mut Act, rows: Vec<UserRow>) -> Result<ImportedUsers, Error> {
    // Of two rows of one user, the later one has the word.
    let rows: BTreeMap<UserId, UserRow> = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut locks = Locks::new().population(Hold::Shared);
    for id in rows.keys() {
        locks = locks.user(id);
    }
    act.unit.lock(&locks)?;
    let now = act.now();
    let fresh: Vec<User> = rows
        .values()
        .map(|row| User {
            name: row.name.clone(),
            email: row.email.clone(),
            attributes: row.attributes.clone(),
            ..User::born(row.id.clone(), now)
        })
        .collect();
    let born = act.unit.users().insert_missing(&fresh)?;
    users::welcome(act, &born, now)?;
    let born: BTreeSet<UserId> = born.into_iter().collect();
    let mut imported = ImportedUsers { created: born.len() as u64, ..ImportedUsers::default() };
    let present: Vec<UserId> = rows.keys().filter(|id| !born.contains(id)).cloned().collect();
    for before in act.unit.users().find_all(&present)? {
        let Some(row) = rows.get(&before.id) else { continue };
        let mut after = before.clone();
        after.name = row.name.clone().or(after.name);
        after.email = row.email.clone().or(after.email);
        after.attributes.extend(row.attributes.clone());
        if after == before {
            imported.unchanged += 1;
            continue;
        }
        after.updated_at = now.max(before.updated_at);
        after.version += 1;
        act.unit.users().update(&after)?;
        imported.updated += 1;
    }
    Ok(imported)
}
