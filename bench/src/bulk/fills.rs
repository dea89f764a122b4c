//! Stores that are full: made by SQL that both engines take, without Strata's help.

use crate::{
    Failure,
    populations::{began, digits, hasty, months},
    stores::{Store, Workshop},
};

/// At most so many users share the memberships.
const USERS_MAX: u64 = 1_000_000;
/// The segment that three users of ten are in, or that nobody is in yet.
pub(super) const BIG: &str = "BIG";
/// The seed of its positions, and as text.
pub(super) const SEED: u64 = 0x0123_4567_89ab_cdef;
const DAY_US: u64 = 86_400_000_000;

/// Whether memberships have deadlines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deadlines {
    None,
    /// So many passed without anybody having noticed, and as many of the others are far away.
    Due(u64),
}

pub(super) fn users_of(rows: u64) -> u64 {
    rows.min(USERS_MAX)
}

/// A store with users and a thousand segments, but no memberships.
pub(super) fn with_users(workshop: &Workshop, users: u64) -> Result<Store, Failure> {
    eprintln!("filling a store with {users} users");
    let store = workshop.migrated()?;
    workshop.execute(&store, &format!("{}{}", hasty(workshop), population(users, began()?)))?;
    workshop.settle(&store)?;
    Ok(store)
}

/// A store with so many memberships, in random order, each with the row of history that began it.
pub(super) fn with_memberships(workshop: &Workshop, rows: u64, deadlines: Deadlines) -> Result<Store, Failure> {
    eprintln!("filling a store with {rows} memberships");
    let users = users_of(rows);
    let began = began()?;
    let store = workshop.migrated()?;
    // Below 3 of 10 users lies the large segment, which so has no deadlines.
    let expires_at = match deadlines {
        Deadlines::None => "NULL".to_owned(),
        Deadlines::Due(due) => {
            let every = rows / due;
            let (passed, far) = (began + 60 * DAY_US, began + 3_650 * DAY_US);
            format!("CASE n % {every} WHEN 5 THEN {passed} + mixed WHEN 6 THEN {far} + mixed END")
        }
    };
    // Knuth's multiplicative hash puts the numbers below 2^32 into an order of its own, each once.
    let memberships = format!(
        "INSERT INTO history (user_id, segment_id, slug, operation, at, expires_at, source, actor)
         SELECT {user_id}, segments.id, slug, 'add', {began} + mixed * 1000, {expires_at}, 'manual', 'bench'
         FROM (SELECT n, member, (n * 2654435761) % 4294967296 AS mixed,
                      CASE WHEN n < {users} AND member % 10 < 3 THEN 1 ELSE 2 + (member * 7919 + n / {users}) % 999 END AS segment
               FROM (SELECT CAST(value AS BIGINT) AS n, CAST(value AS BIGINT) % {users} AS member
                     FROM generate_series(0, {rows} - 1) AS value) AS numbers) AS pairs
         JOIN segments ON segments.id = pairs.segment
         ORDER BY mixed;
         INSERT INTO memberships (user_id, segment_id, since, expires_at, source, actor)
         SELECT user_id, segment_id, at, expires_at, source, actor FROM history ORDER BY id;\n",
        user_id = user_id("member"),
    );
    let script =
        format!("{}BEGIN;\n{}{}{memberships}COMMIT;\n", hasty(workshop), months(workshop), population(users, began));
    workshop.execute(&store, &script)?;
    workshop.settle(&store)?;
    Ok(store)
}

fn population(users: u64, began: u64) -> String {
    format!(
        "INSERT INTO segments (slug, name, description, kind, seed, search, created_at, updated_at, version)
         SELECT slug, slug, '', 'manual', {SEED} + n - 1, lower(slug) || '\n' || lower(slug), {began}, {began}, 1
         FROM (SELECT value AS n, CASE value WHEN 1 THEN '{BIG}' ELSE {slug} END AS slug
               FROM generate_series(1, 1000) AS value) AS numbers
         ORDER BY n;
         INSERT INTO segment_names (segment_id, slug, since) SELECT id, slug, created_at FROM segments ORDER BY id;
         INSERT INTO users (user_id, attributes, created_at, updated_at, version)
         SELECT {user_id}, '{{}}', {began}, {began}, 1 FROM generate_series(0, {users} - 1) AS value;\n",
        slug = "'SEG_' || substr(CAST(10000 + value AS TEXT), 2)",
        user_id = user_id("value"),
    )
}

fn user_id(number: &str) -> String {
    format!("'user-' || {}", digits(number, 7))
}
