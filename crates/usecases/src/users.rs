//! Users: brought to life, described, forgotten.

use domain::{
    Attributes, Caller, Entry, Instant, Membership, Operation, Permission, Reason, Segment, Source, User, UserId,
};

use crate::{
    Act, Error, Expected, Look, Revision, Subject, memberships,
    ports::{Hold, Locks, UserQuery},
};

pub struct CreateUser {
    /// Drawn when absent.
    pub id: Option<UserId>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub attributes: Attributes,
}

pub fn create(act: &mut Act, command: CreateUser) -> Result<User, Error> {
    act.caller.require(Permission::Manage)?;
    let id = match command.id {
        Some(id) => id,
        None => UserId::parse(&act.chance.digits(2)).expect("32 hexadecimal digits are a user id"),
    };
    act.unit.lock(&Locks::new().population(Hold::Shared).user(&id))?;
    let now = act.now();
    let user = User { name: command.name, email: command.email, attributes: command.attributes, ..User::born(id, now) };
    if act.unit.users().insert_missing(std::slice::from_ref(&user))?.is_empty() {
        return Err(Error::Taken(Subject::User, user.id.to_string()));
    }
    welcome(act, std::slice::from_ref(&user.id), now)?;
    Ok(shown(act.caller, user))
}

/// Brings those to life who are not there yet, and tells who they are.
/// The caller shares the population.
pub(crate) fn give_birth(act: &mut Act, ids: &[UserId], now: Instant) -> Result<Vec<UserId>, Error> {
    let users: Vec<User> = ids.iter().map(|id| User::born(id.clone(), now)).collect();
    let born = act.unit.users().insert_missing(&users)?;
    welcome(act, &born, now)?;
    Ok(born)
}

/// Lets the newly born into each distributed segment that has their position below its percent.
pub(crate) fn welcome(act: &mut Act, born: &[UserId], now: Instant) -> Result<(), Error> {
    if born.is_empty() {
        return Ok(());
    }
    let distributed: Vec<Segment> = act.unit.segments().distributed()?;
    let mut entries: Vec<Entry> = Vec::new();
    for segment in &distributed {
        let Some(percent) = segment.percent else { continue };
        for user in born.iter().filter(|user| percent.takes(segment.seed.position(user))) {
            entries.push(memberships::entering(act, user.clone(), segment, now, Source::Percent));
        }
    }
    Ok(memberships::record(act.unit, &entries)?)
}

pub fn get(look: &mut Look, id: &UserId) -> Result<User, Error> {
    look.caller.require(Permission::ReadSegments)?;
    let user = look.unit.users().find(id)?.ok_or_else(|| unknown(id))?;
    Ok(shown(look.caller, user))
}

pub fn list(look: &mut Look, query: &UserQuery, limit: usize) -> Result<Vec<User>, Error> {
    look.caller.require(Permission::ReadSegments)?;
    let users = look.unit.users().list(&seen(look.caller, query), limit)?;
    Ok(users.into_iter().map(|user| shown(look.caller, user)).collect())
}

pub fn count(look: &mut Look, query: &UserQuery) -> Result<u64, Error> {
    look.caller.require(Permission::ReadSegments)?;
    Ok(look.unit.users().count(&seen(look.caller, query))?)
}

/// Without name, address and attributes for who does not see them.
fn shown(caller: &Caller, user: User) -> User {
    if caller.has(Permission::ReadPersons) {
        return user;
    }
    User { name: None, email: None, attributes: Attributes::default(), ..user }
}

/// Whoever does not see names does not find by them either.
fn seen(caller: &Caller, query: &UserQuery) -> UserQuery {
    UserQuery { by_id_only: query.by_id_only || !caller.has(Permission::ReadPersons), ..query.clone() }
}

/// What to change: `None` leaves as it is, `Some(None)` clears.
#[derive(Default)]
pub struct ChangeUser {
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    /// Merged as RFC 7396 merges: a null takes a key away, an object is merged into an object.
    pub attributes: Option<Attributes>,
}

pub fn change(act: &mut Act, id: &UserId, expected: &Expected, command: ChangeUser) -> Result<User, Error> {
    act.caller.require(Permission::Manage)?;
    act.unit.lock(&Locks::new().user(id))?;
    let now = act.now();
    let held = act.unit.users().hold(std::slice::from_ref(id))?;
    let before = held.into_iter().next().ok_or_else(|| unknown(id))?;
    expected.require(&Revision::from(&before), Subject::User, id.as_str())?;
    let mut after = before.clone();
    if let Some(name) = command.name {
        after.name = name;
    }
    if let Some(email) = command.email {
        after.email = email;
    }
    if let Some(patch) = command.attributes {
        domain::users::merge(&mut after.attributes, patch);
    }
    if after == before {
        return Ok(shown(act.caller, before));
    }
    after.updated_at = now.max(before.updated_at);
    after.version = before.version + 1;
    act.unit.users().update(&after)?;
    Ok(shown(act.caller, after))
}

/// Forgets a user: memberships end, history stays.
pub fn delete(act: &mut Act, id: &UserId, expected: &Expected) -> Result<(), Error> {
    act.caller.require(Permission::Manage)?;
    act.unit.lock(&Locks::new().population(Hold::Alone).user(id))?;
    let now = act.now();
    let user = act.unit.users().find(id)?.ok_or_else(|| unknown(id))?;
    expected.require(&Revision::from(&user), Subject::User, id.as_str())?;
    forget(act, id, now)
}

/// Ends the memberships of a user who exists, and forgets the profile. The caller has the locks of a deletion.
pub(crate) fn forget(act: &mut Act, id: &UserId, now: Instant) -> Result<(), Error> {
    let reason = Reason::parse("user deleted").ok();
    let stored = act.unit.memberships().of_users(std::slice::from_ref(id))?;
    let entries: Vec<Entry> = stored.iter().map(|member| ending(act, member, now, reason.as_ref())).collect();
    memberships::record(act.unit, &entries)?;
    act.unit.users().delete(id)?;
    Ok(())
}

/// The entry that ends a stored membership now, or at its deadline when that came before.
fn ending(act: &Act, member: &Membership, now: Instant, reason: Option<&Reason>) -> Entry {
    if member.is_due_at(now)
        && let Some(expiry) = Entry::expiry(member)
    {
        return expiry;
    }
    Entry {
        reason: reason.cloned(),
        ..act.entry(member.user.clone(), member.segment.clone(), Operation::Remove, now.max(member.since))
    }
}

pub(crate) fn unknown(id: &UserId) -> Error {
    Error::NotFound(Subject::User, vec![id.to_string()])
}
