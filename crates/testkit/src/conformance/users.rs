use domain::{Attributes, User, UserId};
use usecases::ports::{Store, UserQuery};

use super::{Case, has_users, id, ids, look, minute, must, pages};

pub(super) const CASES: &[Case] = &[
    ("only those who were missing are kept, and told", only_the_missing_are_kept),
    ("a user is found as inserted", user_is_found_as_inserted),
    ("attributes are kept exactly", attributes_are_kept_exactly),
    ("ids differ by letter case", ids_differ_by_letter_case),
    ("an update replaces the profile", update_replaces_the_profile),
    ("a deleted user is gone and can be born again", deleted_user_can_be_born_again),
    ("those who exist are found, by id", those_who_exist_are_found),
    ("those who are held are those who are found", held_are_those_who_are_found),
    ("users are listed byte by byte, page by page", listed_byte_by_byte),
    ("users are found by the beginning of the id and a part of name or e-mail", found_by_text),
    ("a text is no pattern for users either", text_is_not_a_pattern),
    ("a count of users does not look at the cursor", count_does_not_look_at_the_cursor),
];

fn user(text: &str) -> User {
    User::born(id(text), minute(0))
}

fn full(text: &str) -> User {
    let attributes = r#"{"plan": "про 🎉", "nested": {"a": [1, null, true, {"b": {}}], "пусто": ""},
        "big": 123456789012345678901234567890, "exact": 9007199254740993, "fraction": 0.30000000000000004,
        "negative": -9223372036854775809, "quoted": "it's \"so\" \\ \n\t", "nul": "a\u0000b", "": "empty key"}"#;
    User {
        name: Some("Анна О'Нил \"Z\"".to_owned()),
        email: Some("anna+test@пример.рф".to_owned()),
        attributes: serde_json::from_str(attributes).unwrap(),
        created_at: minute(1),
        updated_at: minute(2),
        version: 3,
        ..user(text)
    }
}

fn only_the_missing_are_kept(store: &dyn Store) {
    let known = full("b");
    assert_eq!(must(store, |unit| unit.users().insert_missing(std::slice::from_ref(&known))), [id("b")]);
    let mut born = must(store, |unit| unit.users().insert_missing(&[user("c"), user("b"), user("a")]));
    born.sort();
    assert_eq!(born, ids(["a", "c"]));
    assert_eq!(must(store, |unit| unit.users().insert_missing(&[user("c"), user("b"), user("a")])), []);
    assert_eq!(must(store, |unit| unit.users().insert_missing(&[])), []);
    assert_eq!(look(store, |unit| unit.users().find(&id("b"))), Some(known));
}

fn user_is_found_as_inserted(store: &dyn Store) {
    let longest = "я".repeat(UserId::CHARS_MAX);
    let inserted = [full("1000"), user("a/b?c=d&e%20"), user("';DROP_TABLE_users--"), user(&longest)];
    must(store, |unit| unit.users().insert_missing(&inserted));
    for user in inserted {
        assert_eq!(look(store, |unit| unit.users().find(&user.id)), Some(user));
    }
    assert_eq!(look(store, |unit| unit.users().find(&id("nobody"))), None);
}

fn attributes_are_kept_exactly(store: &dyn Store) {
    let inserted = full("1");
    must(store, |unit| unit.users().insert_missing(&[inserted.clone(), user("empty")]));
    let found = look(store, |unit| unit.users().find(&id("1"))).unwrap();
    assert_eq!(found.attributes["big"].to_string(), "123456789012345678901234567890");
    assert_eq!(found.attributes["exact"].to_string(), "9007199254740993");
    assert_eq!(found.attributes["fraction"].to_string(), "0.30000000000000004");
    assert_eq!(found, inserted);
    assert_eq!(look(store, |unit| unit.users().find(&id("empty"))).unwrap().attributes, Attributes::new());
}

fn ids_differ_by_letter_case(store: &dyn Store) {
    has_users(store, &ids(["Anna", "anna", "Анна", "анна"]));
    assert_eq!(look(store, |unit| unit.users().count(&Default::default())), 4);
    assert_eq!(look(store, |unit| unit.users().find(&id("ANNA"))), None);
}

fn update_replaces_the_profile(store: &dyn Store) {
    has_users(store, &ids(["1", "2"]));
    must(store, |unit| unit.users().update(&User { created_at: minute(0), ..full("1") }));
    let found = look(store, |unit| unit.users().find(&id("1"))).unwrap();
    assert_eq!(found, User { created_at: minute(0), ..full("1") });
    assert_eq!(look(store, |unit| unit.users().find(&id("2"))), Some(user("2")));
    let bare = User { updated_at: minute(5), version: 4, ..user("1") };
    must(store, |unit| unit.users().update(&bare));
    assert_eq!(look(store, |unit| unit.users().find(&id("1"))), Some(bare));
}

fn deleted_user_can_be_born_again(store: &dyn Store) {
    must(store, |unit| unit.users().insert_missing(&[full("1")]));
    must(store, |unit| unit.users().delete(&id("1")));
    assert_eq!(look(store, |unit| unit.users().find(&id("1"))), None);
    assert_eq!(look(store, |unit| unit.users().count(&Default::default())), 0);
    assert_eq!(must(store, |unit| unit.users().insert_missing(&[user("1")])), [id("1")]);
    assert_eq!(look(store, |unit| unit.users().find(&id("1"))), Some(user("1")));
}

fn those_who_exist_are_found(store: &dyn Store) {
    has_users(store, &ids(["я", "a", "Z", "unasked"]));
    let found = look(store, |unit| unit.users().find_all(&ids(["Y", "Z", "a", "b", "я"])));
    assert_eq!(found, ["Z", "a", "я"].map(user));
    assert_eq!(look(store, |unit| unit.users().find_all(&[])), []);
}

fn held_are_those_who_are_found(store: &dyn Store) {
    must(store, |unit| unit.users().insert_missing(&[full("я"), user("a"), user("Z"), user("unasked")]));
    let held = |asked: &[UserId]| must(store, |unit| unit.users().hold(asked));
    assert_eq!(held(&ids(["я", "b", "a", "Z", "a"])), [user("Z"), user("a"), full("я")]);
    assert_eq!(held(&ids(["nobody"])), []);
    assert_eq!(held(&[]), []);
}

/// In the order of bytes: no language sorts like this.
const BYTEWISE: [&str; 12] = ["!", "-1", "1", "10", "9", "Z", "_", "a", "aZ", "a_", "Я", "я"];

fn listed_byte_by_byte(store: &dyn Store) {
    let mut shuffled = ids(BYTEWISE);
    shuffled.reverse();
    shuffled.swap(2, 7);
    has_users(store, &shuffled);
    for limit in [1, 5, 100] {
        let listed = pages(limit, |last: Option<&User>| {
            let after = last.map(|last| last.id.clone());
            look(store, |unit| unit.users().list(&UserQuery { after, ..UserQuery::default() }, limit))
        });
        assert_eq!(listed.into_iter().map(|user| user.id).collect::<Vec<_>>(), ids(BYTEWISE));
        let told = pages(limit, |last: Option<&UserId>| look(store, |unit| unit.users().ids(last, limit)));
        assert_eq!(told, ids(BYTEWISE));
    }
    // A cursor that is nobody's id stands between two that are.
    assert_eq!(look(store, |unit| unit.users().ids(Some(&id("a1")), 1)), ids(["aZ"]));
}

fn found(store: &dyn Store, text: &str) -> Vec<String> {
    let query = UserQuery { text: Some(text.to_owned()), ..UserQuery::default() };
    let listed = look(store, |unit| unit.users().list(&query, 100));
    assert_eq!(look(store, |unit| unit.users().count(&query)), listed.len() as u64, "{text}");
    for limit in [1, 2] {
        let paged = pages(limit, |last: Option<&User>| {
            let query = UserQuery { after: last.map(|last| last.id.clone()), ..query.clone() };
            look(store, |unit| unit.users().list(&query, limit))
        });
        assert_eq!(paged, listed, "{text} by {limit}");
    }
    listed.into_iter().map(|user| user.id.to_string()).collect()
}

fn found_by_text(store: &dyn Store) {
    let named = |text: &str, name: Option<&str>, email: Option<&str>| User {
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
        ..user(text)
    };
    let users = [
        named("1000", None, None),
        named("1001", Some("АННА Иванова"), None),
        named("2100", Some("Боб"), Some("Bob@Example.com")),
        named("3", Some("x100y"), None),
    ];
    must(store, |unit| unit.users().insert_missing(&users));
    for (text, expected) in [
        ("100", vec!["1000", "1001", "3"]),
        ("1001", vec!["1001"]),
        ("анна", vec!["1001"]),
        ("ИВАН", vec!["1001"]),
        ("bOB@", vec!["2100"]),
        ("EXAMPLE", vec!["2100"]),
        ("боб", vec!["2100"]),
        ("2", vec!["2100"]),
        ("nobody", vec![]),
    ] {
        assert_eq!(found(store, text), expected, "{text}");
    }
    let by_id = UserQuery { text: Some("100".to_owned()), by_id_only: true, ..UserQuery::default() };
    let users = look(store, |unit| unit.users().list(&by_id, 10));
    assert_eq!(users.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["1000", "1001"]);
    assert_eq!(look(store, |unit| unit.users().count(&by_id)), 2);
}

fn text_is_not_a_pattern(store: &dyn Store) {
    let mut users = ["a%b", "a_b", "aXb", "a\\b", "a'b", "%"].map(user);
    users[2].name = Some("50% off_\\".to_owned());
    must(store, |unit| unit.users().insert_missing(&users));
    for (text, expected) in [
        ("%", vec!["%", "aXb"]),
        ("a%", vec!["a%b"]),
        ("a_", vec!["a_b"]),
        ("a\\", vec!["a\\b"]),
        ("a'", vec!["a'b"]),
        ("0% o", vec!["aXb"]),
        ("f_\\", vec!["aXb"]),
        ("b", vec![]),
    ] {
        assert_eq!(found(store, text), expected, "{text}");
    }
}

fn count_does_not_look_at_the_cursor(store: &dyn Store) {
    has_users(store, &ids(BYTEWISE));
    let query = UserQuery { after: Some(id("a")), ..UserQuery::default() };
    assert_eq!(look(store, |unit| unit.users().count(&query)), 12);
}
