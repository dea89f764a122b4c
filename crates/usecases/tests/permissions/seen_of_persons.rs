//! Who sees names, addresses and attributes.

use super::*;

fn about(text: &str) -> UserQuery {
    UserQuery { text: Some(text.to_owned()), ..UserQuery::default() }
}

fn found(world: &World, caller: &Caller, text: &str) -> (usize, u64) {
    let query = about(text);
    world.app.look(caller, |look| Ok((users::list(look, &query, 9)?.len(), users::count(look, &query)?))).unwrap()
}

fn got(world: &World, caller: &Caller) -> Vec<domain::User> {
    let (one, all) = world
        .app
        .look(caller, |look| Ok((users::get(look, &user("anna"))?, users::list(look, &UserQuery::default(), 9)?)))
        .unwrap();
    let anna = all.into_iter().find(|listed| listed.id == one.id).unwrap();
    vec![one, anna]
}

/// Who reads segments, and whether persons too.
fn readers(world: &World) -> Vec<(Caller, bool)> {
    vec![
        (account(world, "viewer", Role::Viewer), false),
        (Caller::account(&create_account(world, "granted", Role::Viewer, true)), true),
        (account(world, "analyst", Role::Analyst), true),
        (token(world, "reader", &[Scope::Read], None), false),
        (token(world, "manager", &[Scope::Read, Scope::Assign, Scope::Manage], None), false),
        (token(world, "persons", &[Scope::Read, Scope::Persons], None), true),
    ]
}

#[test]
fn names_addresses_and_attributes_are_told_to_who_may_see_them() {
    let world = world();
    let all = world.look(|look| users::get(look, &user("anna")));
    for (caller, sees) in readers(&world) {
        for user in got(&world, &caller) {
            match sees {
                true => assert_eq!(user, all, "{}", caller.actor()),
                false => {
                    assert_eq!((user.name, user.email, user.attributes.len()), (None, None, 0));
                    assert_eq!((user.id, user.created_at, user.version), (all.id.clone(), all.created_at, 1));
                }
            }
        }
    }
}

#[test]
fn users_are_found_by_names_and_addresses_by_who_may_see_them() {
    let world = world();
    for (caller, sees) in readers(&world) {
        for text in ["Karenina", "karenina", "example.com"] {
            assert_eq!(found(&world, &caller, text), if sees { (1, 1) } else { (0, 0) }, "{}", caller.actor());
        }
    }
}

#[test]
fn members_are_found_by_names_by_who_may_see_them() {
    let world = world();
    let confined = token(&world, "confined", &[Scope::Read, Scope::Persons], Some("V"));
    for (caller, sees) in readers(&world).into_iter().chain([(confined, false)]) {
        for as_of in [None, Some(world.now())] {
            let count = |text: &str| {
                let found = world.app.look(&caller, |look| {
                    let found = history::find_members(look, &slug("VIP"), as_of, &about(text), 9)?;
                    let count = history::count_found_members(look, &slug("VIP"), as_of, &about(text))?;
                    assert_eq!(found.len() as u64, count);
                    Ok(count)
                });
                found.unwrap()
            };
            assert_eq!((count("karenina"), count("ann")), (u64::from(sees), 1), "{}", caller.actor());
        }
    }
}

/// A report is written by the service, which sees all: it finds no more than who asked for it.
#[test]
fn members_are_taken_out_by_names_by_who_may_see_them() {
    let world = world();
    let prefix = Some("V");
    for (caller, sees) in [
        (account(&world, "analyst", Role::Analyst), true),
        (token(&world, "both", &[Scope::Read, Scope::Manage, Scope::Persons], None), true),
        (token(&world, "manager", &[Scope::Read, Scope::Manage], None), false),
        (token(&world, "confined", &[Scope::Read, Scope::Manage, Scope::Persons], prefix), false),
    ] {
        for as_of in [None, Some(world.now())] {
            let count = |text: &str| {
                let export = Export::Members { slug: slug("VIP"), as_of, users: about(text) };
                let form = Form { format: Format::Csv, packing: Packing::Plain, header: Header::Written };
                let exported = world
                    .app
                    .look(&caller, |look| Ok(exports::write(look, &export, form, Vec::new(), &mut |_| Ok(()))?.1))
                    .unwrap();
                let job = world.finish(report(&world, &caller, export).unwrap()).unwrap();
                let reported = world.app.look(&caller, |look| reports::of_job(look, &job)).unwrap().unwrap().rows;
                (exported, reported)
            };
            let named = u64::from(sees);
            assert_eq!((count("karenina"), count("ann")), ((named, named), (1, 1)), "{}", caller.actor());
        }
    }
}

#[test]
fn users_are_found_by_their_ids_by_everybody() {
    let world = world();
    for (caller, _) in readers(&world) {
        assert_eq!(found(&world, &caller, "iva"), (1, 1), "{}", caller.actor());
    }
}

#[test]
fn who_changes_users_without_seeing_them_is_told_nothing_of_them() {
    let world = world();
    let caller = token(&world, "manager", &[Scope::Read, Scope::Manage], None);
    let told = |work: &dyn Fn(&mut Act) -> Result<domain::User, Error>| {
        let told = world.app.act(&caller, work).unwrap();
        (told.name, told.email, told.attributes.len())
    };
    let nothing = (None, None, 0);
    let named = || ChangeUser { name: Some(Some("Anna K.".to_owned())), ..ChangeUser::default() };
    assert_eq!(told(&|act| users::change(act, &user("anna"), &Expected::Any, named())), nothing);
    assert_eq!(told(&|act| users::change(act, &user("anna"), &Expected::Any, named())), nothing);
    let boris = || CreateUser { name: Some("Boris".to_owned()), ..new_user("boris") };
    assert_eq!(told(&|act| users::create(act, boris())), nothing);
    // What is not told is kept all the same.
    let kept = world.look(|look| users::get(look, &user("anna")));
    assert_eq!((kept.name.as_deref(), kept.email.as_deref()), (Some("Anna K."), Some("anna@example.com")));
    assert_eq!(kept.attributes.len(), 1);
}
