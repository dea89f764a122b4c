//! A person's rights: what is kept of a user is told, and erased.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Action, Attributes, HistoryRow};
use testkit::{World, user};
use usecases::{
    Error, Expected, Subject, audit, history, persons,
    ports::AuditQuery,
    users::{self, CreateUser},
};

fn world() -> World {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_segment("B");
    let anna = CreateUser {
        id: Some(user("anna")),
        name: Some("Anna".to_owned()),
        email: None,
        attributes: Attributes::new(),
    };
    world.act(|act| users::create(act, anna)).unwrap();
    world.change("anna", &["A", "B"], &[]).unwrap();
    world.change("ivan", &["A"], &[]).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    world.change("anna", &[], &["B"]).unwrap();
    world
}

fn told(world: &World, id: &str) -> Vec<HistoryRow> {
    let mut rows = Vec::new();
    world.look(|look| {
        persons::tell(look, &user(id), &mut |row| {
            rows.push(row.clone());
            Ok::<_, Error>(())
        })
    });
    rows
}

fn erase(world: &World, id: &str) -> Result<u64, Error> {
    world.act(|act| persons::erase(act, &user(id), &Expected::Any))
}

fn erasures() -> AuditQuery {
    AuditQuery { action: Some(Action::UserErased), ..AuditQuery::default() }
}

fn is_unknown<T>(ended: Result<T, Error>) -> bool {
    matches!(ended, Err(Error::NotFound(Subject::User, _)))
}

#[test]
fn all_that_is_kept_is_told() {
    let world = world();
    let profile = world.look(|look| persons::profile(look, &user("anna")));
    assert_eq!(profile.user.unwrap().name.as_deref(), Some("Anna"));
    assert_eq!(profile.memberships.len(), 1);
    assert_eq!(told(&world, "anna").len(), 3);
    assert!(is_unknown(world.app.look(&testkit::caller(), |look| persons::profile(look, &user("nobody")))));
    // Of one who was deleted history is left.
    world.act(|act| users::delete(act, &user("anna"), &Expected::Any)).unwrap();
    let profile = world.look(|look| persons::profile(look, &user("anna")));
    assert_eq!((profile.user, profile.memberships), (None, Vec::new()));
    assert_eq!(told(&world, "anna").len(), 4);
}

#[test]
fn nothing_says_who_was_erased_and_the_counts_stay() {
    let world = world();
    let entered = world.now() - TimeDelta::minutes(1);
    let before = world.look(|look| history::count(look, &Default::default()));
    assert_eq!(erase(&world, "anna").unwrap(), 4);
    assert!(is_unknown(world.app.look(&testkit::caller(), |look| persons::profile(look, &user("anna")))));
    assert_eq!(world.active("anna"), Vec::<String>::new());
    let rows = world.look(|look| history::page(look, &Default::default(), 99));
    assert_eq!(rows.len() as u64, before + 1);
    assert!(rows.iter().all(|row| row.entry.user != user("anna")));
    let erased: Vec<&HistoryRow> = rows.iter().filter(|row| row.entry.user.as_str().starts_with("erased-")).collect();
    assert!(erased.len() == 4 && erased.iter().all(|row| row.entry.user == erased[0].entry.user));
    assert!(erased.iter().all(|row| row.entry.reason.is_none()));
    let then = world.look(|look| history::count_members(look, &testkit::slug("A"), Some(entered)));
    assert_eq!(then, 2);
    // Nor does the audit log.
    let noted = world.look(|look| audit::list(look, &erasures(), 9));
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].entry.subject, "user");
    assert_eq!(noted[0].entry.detail, r#"{"history_rows":4}"#);
    let all = world.look(|look| audit::list(look, &AuditQuery::default(), 99));
    assert!(all.iter().all(|row| !format!("{:?}", row.entry).contains("anna")));
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn one_who_was_deleted_before_or_came_back_is_erased_under_the_same_name() {
    let world = world();
    world.act(|act| users::delete(act, &user("anna"), &Expected::Any)).unwrap();
    assert_eq!(erase(&world, "anna").unwrap(), 4);
    assert!(is_unknown(erase(&world, "anna")) && is_unknown(erase(&world, "nobody")));
    world.change("anna", &["A"], &[]).unwrap();
    assert_eq!(erase(&world, "anna").unwrap(), 2);
    let rows = world.look(|look| history::page(look, &Default::default(), 99));
    let names: std::collections::BTreeSet<&str> =
        rows.iter().map(|row| row.entry.user.as_str()).filter(|name| *name != "ivan").collect();
    assert_eq!(names.len(), 1);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_user_of_another_version_is_not_erased() {
    let world = world();
    let stale = Expected::OneOf(vec!["0-0".to_owned()]);
    let refused = world.act(|act| persons::erase(act, &user("anna"), &stale));
    assert!(matches!(refused, Err(Error::Stale(Subject::User, _))));
    assert_eq!(told(&world, "anna").len(), 3);
    assert_eq!(world.look(|look| audit::count(look, &erasures())), 0);
}

#[test]
fn whoever_is_handed_all_that_is_kept_is_noted_under_the_name_that_stays() {
    let world = world();
    world.act(|act| persons::begin(act, &user("anna"))).unwrap();
    let handed_out = AuditQuery { action: Some(Action::DataExported), ..AuditQuery::default() };
    let noted = world.look(|look| audit::list(look, &handed_out, 9));
    assert_eq!(noted.len(), 1);
    erase(&world, "anna").unwrap();
    let rows = world.look(|look| history::page(look, &Default::default(), 99));
    let name = &rows.iter().find(|row| row.entry.user != user("ivan")).unwrap().entry.user;
    assert_eq!(noted[0].entry.subject, format!("user/{name}"));
}
