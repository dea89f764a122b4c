//! A person's rights: to know all that is kept of a user, and to have it erased.

use domain::{Action, HistoryRow, Membership, Permission, User, UserId};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::{
    Act, Error, Expected, Look, Revision, Subject, audit,
    ports::{Chance, HistoryFilter, Hold, Locks, StoreError, Unit},
    reports::hexadecimal,
    users,
};

/// What the key of pseudonyms is kept under.
const SECRET: &str = "pseudonyms";
/// How much of history is read at once.
const PAGE: usize = 1_000;

/// What is kept of a user, but for history.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Nothing for one of whom only history is left.
    pub user: Option<User>,
    /// Also those that are due and not written off yet, by slug.
    pub memberships: Vec<Membership>,
}

/// Notes that somebody is handed all that is kept of a user, under the name that stays when the user is erased.
pub fn begin(act: &mut Act, id: &UserId) -> Result<(), Error> {
    act.caller.require(Permission::FulfilRights)?;
    let now = act.now();
    profile(&mut act.looking(now), id)?;
    let pseudonym = pseudonym(act.unit, act.chance, id)?;
    audit::note(act, now, Action::DataExported, format!("user/{pseudonym}"), json!({"format": "json"}))
}

/// Fails for one of whom nothing is kept.
pub fn profile(look: &mut Look, id: &UserId) -> Result<Profile, Error> {
    look.caller.require(Permission::FulfilRights)?;
    let user = look.unit.users().find(id)?;
    let memberships = look.unit.memberships().of_users(std::slice::from_ref(id))?;
    let may_be_unknown = user.is_none() && memberships.is_empty();
    if may_be_unknown && look.unit.history().page(&of(id), 1)?.is_empty() {
        return Err(users::unknown(id));
    }
    Ok(Profile { user, memberships })
}

/// Tells the user's whole history, by instant.
pub fn tell<E: From<StoreError>>(
    look: &mut Look,
    id: &UserId,
    take: &mut dyn FnMut(&HistoryRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut filter = of(id);
    loop {
        let page = look.unit.history().page(&filter, PAGE)?;
        page.iter().try_for_each(&mut *take)?;
        match page.last() {
            Some(last) if page.len() == PAGE => filter.after = Some((last.entry.at, last.id)),
            _ => return Ok(()),
        }
    }
}

/// Forgets a user for good: profile and attributes go, memberships end, and history goes on under a pseudonym, without reasons,
/// so that every count of it stays. Who has neither key nor id cannot find the one from the other. Tells how many rows of
/// history that were.
pub fn erase(act: &mut Act, id: &UserId, expected: &Expected) -> Result<u64, Error> {
    act.caller.require(Permission::FulfilRights)?;
    act.unit.lock(&Locks::new().population(Hold::Alone).user(id))?;
    let now = act.now();
    let user = act.unit.users().find(id)?;
    if let Some(user) = &user {
        expected.require(&Revision::from(user), Subject::User, id.as_str())?;
        users::forget(act, id, now)?;
    }
    let pseudonym = pseudonym(act.unit, act.chance, id)?;
    let rows = act.unit.history().rename(id, &pseudonym)?;
    if rows == 0 && user.is_none() {
        return Err(users::unknown(id));
    }
    // The log, which nobody can take anything from, does not say who it was.
    audit::note(act, now, Action::UserErased, "user".to_owned(), json!({"history_rows": rows}))?;
    Ok(rows)
}

/// The same for the same user, in this store only.
pub(crate) fn pseudonym(unit: &mut dyn Unit, chance: &dyn Chance, id: &UserId) -> Result<UserId, StoreError> {
    let key = unit.secrets().find_or_keep(SECRET, &chance.digits(4))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(id.as_str().as_bytes());
    let digest = hexadecimal(&mac.finalize().into_bytes()[..16]);
    Ok(UserId::parse(&format!("erased-{digest}")).expect("letters and digits are a user id"))
}

fn of(id: &UserId) -> HistoryFilter {
    HistoryFilter { user: Some(id.clone()), ..HistoryFilter::default() }
}
