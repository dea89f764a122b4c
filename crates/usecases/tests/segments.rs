//! Definitions: made, renamed, copied, deleted; and what history tells of their names.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::{Description, Name, Percent, Segment};
use testkit::{World, slug, user};
use usecases::{
    Error, Expected, Revision, Subject,
    history::{self, HistoryQuery},
    memberships::{self, Deadline},
    segments::{self, ChangeSegment, CopiedMembers, CopySegment, CreateSegment},
};

fn delete(world: &World, text: &str) -> Result<u64, Error> {
    world.act(|act| segments::delete(act, &slug(text), &Expected::Any))
}

fn rename(world: &World, text: &str, new: &str) -> Result<Segment, Error> {
    world.act(|act| segments::rename(act, &slug(text), &Expected::Any, slug(new)))
}

fn copy(world: &World, text: &str, new: &str, members: CopiedMembers) -> Result<Segment, Error> {
    world
        .act(|act| segments::copy(act, &slug(text), CopySegment { slug: slug(new), members }))
        .map(|copied| copied.segment)
}

fn tick(world: &World) {
    world.clock.advance(TimeDelta::minutes(1));
}

fn members_at(world: &World, text: &str, at: domain::Instant) -> Vec<String> {
    let found = world.look(|look| history::members(look, &slug(text), Some(at), None, 99));
    found.into_iter().map(|member| member.user.to_string()).collect()
}

#[test]
fn a_taken_slug_is_refused() {
    let world = World::in_memory();
    world.has_segment("A");
    let command = CreateSegment {
        slug: slug("A"),
        name: None,
        description: Description::default(),
        percent: None,
        default_ttl: None,
    };
    let refused = world.act(|act| segments::create(act, command));
    assert!(matches!(refused, Err(Error::Taken(Subject::Segment, name)) if name == "A"));
    world.has_segment("B");
    assert!(matches!(rename(&world, "A", "B"), Err(Error::Taken(Subject::Segment, name)) if name == "B"));
    assert!(matches!(copy(&world, "A", "B", CopiedMembers::All), Err(Error::Taken(..))));
    assert!(matches!(copy(&world, "A", "A", CopiedMembers::All), Err(Error::Taken(..))));
}

#[test]
fn what_does_not_exist_cannot_be_changed() {
    let world = World::in_memory();
    assert!(matches!(delete(&world, "A"), Err(Error::NotFound(Subject::Segment, names)) if names == ["A"]));
    assert!(matches!(rename(&world, "A", "B"), Err(Error::NotFound(..))));
    assert!(matches!(copy(&world, "A", "B", CopiedMembers::All), Err(Error::NotFound(..))));
}

#[test]
fn deleting_ends_memberships_and_keeps_history() {
    let world = World::in_memory();
    world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    let then = world.now();
    tick(&world);
    delete(&world, "A").unwrap();
    assert_eq!(world.active("1"), Vec::<String>::new());
    assert_eq!(members_at(&world, "A", then), ["1"]);
    assert_eq!(members_at(&world, "A", world.now()), Vec::<String>::new());
    let rows = world.look(|look| {
        let filter = history::filter(look, &HistoryQuery { segment: Some(slug("A")), ..HistoryQuery::default() })?;
        history::page(look, &filter, 9)
    });
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[1].entry.at, world.now());
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_slug_that_is_created_again_starts_empty_and_the_past_stays() {
    let world = World::in_memory();
    let first = world.has_segment("A");
    world.change("1", &["A"], &[]).unwrap();
    let then = world.now();
    tick(&world);
    delete(&world, "A").unwrap();
    tick(&world);
    let between = world.now();
    tick(&world);
    let second = world.has_segment("A");
    assert_ne!((first.id, first.seed), (second.id, second.seed));
    assert_eq!(world.look(|look| history::members(look, &slug("A"), None, None, 9)), []);
    world.change("2", &["A"], &[]).unwrap();
    assert_eq!(members_at(&world, "A", then), ["1"]);
    assert_eq!(members_at(&world, "A", between), Vec::<String>::new());
    assert_eq!(members_at(&world, "A", world.now()), ["2"]);
    let query = history::DiffQuery { slug: slug("A"), from: then, to: world.now(), after: None };
    let diff = world.look(|look| history::diff(look, &query, 9));
    assert_eq!((diff.entered, diff.left), (vec![user("2")], vec![user("1")]));
}

#[test]
fn a_rename_keeps_members_history_and_positions() {
    let world = World::in_memory();
    world.has_users(10);
    let before = world.has_segment_with("A", Some("50"), None);
    let then = world.now();
    let members = members_at(&world, "A", then);
    tick(&world);
    let after = rename(&world, "A", "B").unwrap();
    assert_eq!((after.id, after.seed, after.version), (before.id, before.seed, before.version + 1));
    assert_eq!(after.name, Name::of(&slug("B")));
    assert_eq!(members_at(&world, "B", world.now()), members);
    assert_eq!(members_at(&world, "A", then), members);
    assert!(matches!(
        world.app.look(&testkit::caller(), |look| segments::get(look, &slug("A"))),
        Err(Error::NotFound(..))
    ));
    // Rows of before are found under both names.
    for text in ["A", "B"] {
        let count = world.look(|look| {
            let filter = history::filter(look, &HistoryQuery { segment: Some(slug(text)), ..HistoryQuery::default() })?;
            history::count(look, &filter)
        });
        assert_eq!(count, 5, "{text}");
    }
    tick(&world);
    let other = world.has_segment("A");
    assert_ne!(other.id, before.id);
    assert_eq!(members_at(&world, "A", world.now()), Vec::<String>::new());
    assert_eq!(members_at(&world, "A", then), members);
}

#[test]
fn a_rename_to_the_same_slug_changes_nothing() {
    let world = World::in_memory();
    let before = world.has_segment("A");
    tick(&world);
    assert_eq!(rename(&world, "A", "A").unwrap(), before);
}

#[test]
fn a_name_of_its_own_survives_a_rename() {
    let world = World::in_memory();
    world.has_segment("A");
    let name = Name::parse("Скидка").unwrap();
    let command = ChangeSegment { name: Some(Some(name.clone())), ..ChangeSegment::default() };
    world.act(|act| segments::change(act, &slug("A"), &Expected::Any, command)).unwrap();
    assert_eq!(rename(&world, "A", "B").unwrap().name, name);
    let command = ChangeSegment { name: Some(None), ..ChangeSegment::default() };
    let cleared = world.act(|act| segments::change(act, &slug("B"), &Expected::Any, command)).unwrap();
    assert_eq!(cleared.name, Name::of(&slug("B")));
}

#[test]
fn a_copy_takes_members_with_their_deadlines_along() {
    let world = World::in_memory();
    let original = world.has_segment("A");
    let deadline = world.now() + TimeDelta::hours(1);
    world.change_until("1", &["A"], &[], Some(Deadline::At(deadline))).unwrap();
    world.change("2", &["A"], &[]).unwrap();
    world.change_until("gone", &["A"], &[], Some(Deadline::At(world.now() + TimeDelta::seconds(1)))).unwrap();
    tick(&world);
    let copied = copy(&world, "A", "B", CopiedMembers::All).unwrap();
    assert_eq!((copied.seed, copied.version), (original.seed, 1));
    let members = world.look(|look| history::members(look, &slug("B"), None, None, 9));
    let told: Vec<_> = members.iter().map(|found| (found.user.as_str(), found.since, found.expires_at)).collect();
    assert_eq!(told, [("1", world.now(), Some(deadline)), ("2", world.now(), None)]);
    assert_eq!(world.active("2"), ["A", "B"]);
    let empty = copy(&world, "A", "C", CopiedMembers::Nobody).unwrap();
    assert_ne!(empty.seed, original.seed);
    assert_eq!(empty.percent, None::<Percent>);
    assert_eq!(world.look(|look| history::members(look, &slug("C"), None, None, 9)), []);
}

#[test]
fn only_the_expected_version_is_changed() {
    let world = World::in_memory();
    let first = world.has_segment("A");
    let expected = Expected::OneOf(vec!["other".to_owned(), Revision::from(&first).to_string()]);
    let command = || ChangeSegment { description: Description::parse("x").ok(), ..ChangeSegment::default() };
    let second = world.act(|act| segments::change(act, &slug("A"), &expected, command())).unwrap();
    let stale = world.act(|act| segments::change(act, &slug("A"), &expected, command()));
    assert!(matches!(stale, Err(Error::Stale(Subject::Segment, name)) if name == "A"));
    let stale = world.act(|act| segments::delete(act, &slug("A"), &expected));
    assert!(matches!(stale, Err(Error::Stale(..))));
    let expected = Expected::OneOf(vec![Revision::from(&second).to_string()]);
    world.act(|act| segments::delete(act, &slug("A"), &expected)).unwrap();
    tick(&world);
    // Another segment with the same slug and version is not the one that was seen.
    world.has_segment("A");
    let expected = Expected::OneOf(vec![Revision::from(&first).to_string()]);
    assert!(matches!(world.act(|act| segments::delete(act, &slug("A"), &expected)), Err(Error::Stale(..))));
}

#[test]
fn stats_tell_of_segments_without_members_too() {
    let world = World::in_memory();
    world.has_segment("A");
    world.has_segment("B");
    world.change("1", &["B"], &[]).unwrap();
    let told = world.look(|look| segments::stats(look, &Default::default(), 9));
    let told: Vec<_> = told.iter().map(|(segment, count)| (segment.slug.as_str(), *count)).collect();
    assert_eq!(told, [("A", 0), ("B", 1)]);
}

#[test]
fn an_unknown_slug_has_no_past() {
    let world = World::in_memory();
    let asked =
        world.app.look(&testkit::caller(), |look| history::members(look, &slug("A"), Some(world.now()), None, 9));
    assert!(matches!(asked, Err(Error::NotFound(..))));
    let found = world.look(|look| memberships::of_user(look, &user("nobody"), Some(world.now())));
    assert_eq!(found, []);
}
