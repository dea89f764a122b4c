//! Memberships that come many at a time.

#![allow(clippy::unwrap_used)]

use chrono::TimeDelta;
use domain::Source;
use testkit::{World, slug, user};
use usecases::{
    Error, history,
    imports::{self, ImportedMemberships, MembershipRow, MissingSegments},
    memberships::{self, Deadline},
};

fn row(id: &str, text: &str) -> MembershipRow {
    MembershipRow { user: user(id), slug: slug(text), since: None, deadline: None, reason: None }
}

fn import(world: &World, rows: Vec<MembershipRow>, missing: MissingSegments) -> Result<ImportedMemberships, Error> {
    world.act(|act| imports::memberships(act, rows, missing))
}

#[test]
fn rows_create_what_they_name_and_repeat_without_effect() {
    let world = World::in_memory();
    world.has_segment("A");
    let rows = || vec![row("1", "A"), row("1", "B"), row("2", "B"), row("1", "A")];
    let first = import(&world, rows(), MissingSegments::Create).unwrap();
    let expected = ImportedMemberships { added: 3, extended: 0, unchanged: 1, segments_created: 1, users_created: 2 };
    assert_eq!(first, expected);
    let again = import(&world, rows(), MissingSegments::Create).unwrap();
    assert_eq!(again, ImportedMemberships { unchanged: 4, ..ImportedMemberships::default() });
    assert_eq!(world.active("1"), ["A", "B"]);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn unknown_segments_are_refused_whole_when_asked_to() {
    let world = World::in_memory();
    world.has_segment("A");
    let refused = import(&world, vec![row("1", "A"), row("1", "Y"), row("1", "X")], MissingSegments::Refuse);
    assert!(matches!(refused, Err(Error::NotFound(_, names)) if names == ["X", "Y"]));
    assert_eq!(world.active("1"), Vec::<String>::new());
}

#[test]
fn every_deadline_in_the_past_is_named_by_its_row() {
    let world = World::in_memory();
    let past = |id| MembershipRow { deadline: Some(Deadline::At(world.now())), ..row(id, "A") };
    let refused = import(&world, vec![past("1"), row("2", "A"), past("3")], MissingSegments::Create);
    let Err(Error::Invalid(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(
        faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(),
        ["/0/expires_at", "/2/expires_at"]
    );
}

#[test]
fn the_joining_instant_of_other_data_is_kept_and_never_lies_ahead() {
    let world = World::in_memory();
    let joined = world.now() - TimeDelta::days(400);
    let rows = vec![
        MembershipRow { since: Some(joined), ..row("1", "A") },
        MembershipRow { since: Some(world.now() + TimeDelta::days(1)), ..row("2", "A") },
    ];
    import(&world, rows, MissingSegments::Create).unwrap();
    let since = |id: &str| world.look(|look| memberships::of_user(look, &user(id), None))[0].since;
    assert_eq!((since("1"), since("2")), (joined, world.now()));
    let then = world.look(|look| memberships::of_user(look, &user("1"), Some(joined)));
    assert_eq!(then[0].source, Source::Import);
    assert_eq!(world.differences(), Vec::<String>::new());
}

#[test]
fn a_pair_that_is_named_again_with_a_deadline_is_extended() {
    let world = World::in_memory();
    let deadline = world.now() + TimeDelta::hours(1);
    let rows = vec![row("1", "A"), MembershipRow { deadline: Some(Deadline::At(deadline)), ..row("1", "A") }];
    let imported = import(&world, rows, MissingSegments::Create).unwrap();
    assert_eq!((imported.added, imported.extended), (1, 1));
    let members = world.look(|look| history::members(look, &slug("A"), None, None, 9));
    assert_eq!(members[0].expires_at, Some(deadline));
}
