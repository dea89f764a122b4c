//! Users: born, described, forgotten.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Attributes, Source, User};
use testkit::{World, importing, slug, user};
use usecases::{
    Error, Expected, Revision, Subject, history,
    imports::{Outcome, What},
    memberships::{self, Deadline},
    users::{self, ChangeUser, CreateUser},
};

fn create(world: &World, id: Option<&str>) -> Result<User, Error> {
    let command = CreateUser { id: id.map(user), name: None, email: None, attributes: Attributes::new() };
    world.act(|act| users::create(act, command))
}

fn attributes(text: &str) -> Attributes {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_taken_id_is_refused() {
    let world = World::in_memory();
    create(&world, Some("1")).unwrap();
    assert!(matches!(create(&world, Some("1")), Err(Error::Taken(Subject::User, id)) if id == "1"));
}

#[test]
fn an_id_is_drawn_when_none_is_given() {
    let world = World::in_memory();
    let (first, second) = (create(&world, None).unwrap(), create(&world, None).unwrap());
    assert_ne!(first.id, second.id);
    assert_eq!(first.id.as_str().len(), 32);
}

#[test]
fn deleting_ends_memberships_and_keeps_history() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_segment("B");
    let born = world.now();
    world.change_until("1", &["A"], &[], Some(Deadline::At(born + TimeDelta::seconds(1)))).unwrap();
    world.change("1", &["B"], &[]).unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    world.act(|act| users::delete(act, &user("1"), &Expected::Any)).unwrap();
    assert_eq!(world.active("1"), Vec::<String>::new());
    assert_eq!(world.look(|look| memberships::of_user(look, &user("1"), Some(born))).len(), 2);
    let rows = world.look(|look| history::page(look, &Default::default(), 9));
    let told: Vec<_> = rows[2..].iter().map(|row| (row.entry.at, row.entry.source)).collect();
    assert_eq!(told, [(born + TimeDelta::seconds(1), Source::Expiry), (world.now(), Source::Manual)]);
    let again = world.act(|act| users::delete(act, &user("1"), &Expected::Any));
    assert!(matches!(again, Err(Error::NotFound(Subject::User, _))));
    assert_eq!(world.expire(), 0);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn attributes_are_merged_and_the_version_counts() {
    let world = World::in_memory();
    let first = create(&world, Some("1")).unwrap();
    let change = |text: &str, expected: &Expected| {
        let command = ChangeUser { attributes: Some(attributes(text)), ..ChangeUser::default() };
        world.act(|act| users::change(act, &user("1"), expected, command))
    };
    let second =
        change(r#"{"a": 1, "b": {"c": 2}}"#, &Expected::OneOf(vec![Revision::from(&first).to_string()])).unwrap();
    let third = change(r#"{"a": null, "b": {"d": 3}}"#, &Expected::Any).unwrap();
    assert_eq!(third.attributes, attributes(r#"{"b": {"c": 2, "d": 3}}"#));
    assert_eq!((second.version, third.version), (2, 3));
    assert_eq!(change(r#"{"a": null}"#, &Expected::Any).unwrap(), third);
    let stale = change(r#"{"x": 1}"#, &Expected::OneOf(vec![Revision::from(&second).to_string()]));
    assert!(matches!(stale, Err(Error::Stale(Subject::User, _))));
}

#[test]
fn an_import_completes_profiles_and_repeats_without_effect() {
    let world = World::in_memory();
    create(&world, Some("1")).unwrap();
    let import = |file: &str| Outcome::of(&world.import(&importing(What::Users), file).unwrap());
    let file = "user_id;name\n1;Анна\n2;\n2;Боб\n";
    let first = import(file);
    assert_eq!((first.added, first.updated, first.unchanged, first.duplicates), (1, 1, 0, 1));
    let again = import(file);
    assert_eq!((again.added, again.updated, again.unchanged), (0, 0, 2));
    assert_eq!(import("user_id;name\n1;\n").unchanged, 1);
    assert_eq!(world.look(|look| users::get(look, &user("1"))).name.as_deref(), Some("Анна"));
    assert_eq!(world.look(|look| users::get(look, &user("2"))).name.as_deref(), Some("Боб"));
}

#[test]
fn reading_creates_nobody() {
    let world = World::in_memory();
    world.has_segment("A");
    assert!(!world.look(|look| memberships::is_member(look, &user("1"), &slug("A"))));
    assert_eq!(world.look(|look| users::count(look, &Default::default())), 0);
}
