//! `strata account` and `strata audit`: accounts by the operator's hand, and the log of what became of them.

use std::{
    io::Write,
    process::{Output, Stdio},
    thread,
};

use crate::server::{Engine, Place, on_both_engines};

on_both_engines!(
    accounts_are_made_changed_and_deleted,
    what_cannot_be_done_to_an_account_says_why,
    a_password_comes_from_standard_input_only,
    the_last_two_administrators_cannot_both_be_demoted_at_once,
    the_audit_log_is_proved,
);

pub const PASSWORD: &str = "correct horse battery staple";

fn account(place: &Place, arguments: &[&str]) -> Output {
    typing(place, arguments, "")
}

pub fn typing(place: &Place, arguments: &[&str], typed: &str) -> Output {
    let mut command = place.command(&[&["account"], arguments].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub fn told(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs a command that must go well, and gives its lines.
fn lines(output: Output) -> Vec<String> {
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn create(place: &Place, login: &str, role: &str) -> Vec<String> {
    lines(account(place, &["create", login, "--role", role, "--no-password"]))
}

fn accounts_are_made_changed_and_deleted(engine: Engine) {
    let place = Place::new(engine);
    assert_eq!(create(&place, "root", "administrator"), ["created: root (administrator, without a password)"]);
    let anna = ["create", "Анна@example.com", "--role", "analyst"];
    assert_eq!(lines(typing(&place, &anna, &format!("{PASSWORD}\n"))), ["created: Анна@example.com (analyst)"]);
    assert_eq!(create(&place, "ivan", "viewer"), ["created: ivan (viewer, without a password)"]);
    let anna = "анна@EXAMPLE.com";
    assert_eq!(lines(account(&place, &["role", anna, "viewer"])), ["changed: Анна@example.com (viewer)"]);
    assert_eq!(lines(account(&place, &["role", anna, "viewer"])), ["it is so already: Анна@example.com (viewer)"]);
    assert_eq!(lines(account(&place, &["disable", anna])), ["changed: Анна@example.com (viewer, disabled)"]);
    assert_eq!(lines(account(&place, &["enable", anna])), ["changed: Анна@example.com (viewer)"]);
    let other = lines(typing(&place, &["password", "ivan"], PASSWORD));
    assert_eq!(other, ["another password: ivan (viewer)"]);
    let listed = ["root (administrator, without a password)", "Анна@example.com (viewer)", "ivan (viewer)"];
    assert_eq!(lines(account(&place, &["list"])), listed);
    assert_eq!(lines(account(&place, &["list", "--query", "АННА"])), listed[1..2]);
    let history: Vec<String> = lines(account(&place, &["history", anna]))
        .into_iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect();
    let expected = [
        r#"account.created by operator {"login":"Анна@example.com","role":"analyst"}"#,
        r#"account.changed by operator {"role":{"from":"analyst","to":"viewer"}}"#,
        "account.disabled by operator {}",
        "account.enabled by operator {}",
    ];
    assert_eq!(history, expected);
    assert_eq!(lines(account(&place, &["delete", anna])), ["deleted: Анна@example.com (viewer)"]);
    assert_eq!(lines(account(&place, &["list"])), [listed[0], listed[2]]);
}

fn what_cannot_be_done_to_an_account_says_why(engine: Engine) {
    let place = Place::new(engine);
    create(&place, "root", "administrator");
    let long = "a".repeat(255);
    for (arguments, typed, why) in [
        (vec!["create", "ROOT", "--no-password"], "", "account `ROOT` already exists"),
        (vec!["role", "nobody", "viewer"], "", "no account named `nobody`"),
        (vec!["role", "root", "viewer"], "", "`root` is the last administrator who may sign in"),
        (vec!["disable", "root"], "", "`root` is the last administrator who may sign in"),
        (vec!["delete", "root"], "", "`root` is the last administrator who may sign in"),
        (vec!["create", "a b", "--no-password"], "", "holds white space or a control character"),
        (vec!["create", &long, "--no-password"], "", "a login has 1 to 254 characters, this one has 255"),
        (vec!["create", "ivan", "--role", "king"], "", "invalid value 'king'"),
        (vec!["create", "ivan"], "too short\n", "a password has 15 to 256 characters, this one has 9"),
        (vec!["create", "ivan"], "", "a password has 15 to 256 characters, this one has 0"),
        (vec!["create", "ivan"], "the password of ivan\n", "a password cannot hold the login"),
        (vec!["password", "root"], "zzzzzzzzzzzzzzzz", "a password cannot be one character again and again"),
    ] {
        let output = typing(&place, &arguments, typed);
        assert!(!output.status.success() && told(&output).contains(why), "{arguments:?} says {}", told(&output));
    }
    assert_eq!(lines(account(&place, &["list"])), ["root (administrator, without a password)"]);
    assert_eq!(lines(account(&place, &["history", "root"])).len(), 1);
}

fn a_password_comes_from_standard_input_only(engine: Engine) {
    let place = Place::new(engine);
    let output = typing(&place, &["create", "anna", "--password", PASSWORD], PASSWORD);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let output = typing(&place, &["create", "anna"], PASSWORD);
    assert!(output.status.success() && !told(&output).contains("horse"), "{}", told(&output));
}

fn the_last_two_administrators_cannot_both_be_demoted_at_once(engine: Engine) {
    let place = Place::new(engine);
    create(&place, "first", "administrator");
    create(&place, "second", "administrator");
    let went_well = thread::scope(|scope| {
        let demote = |login| account(&place, &["role", login, "viewer"]).status.success();
        let both = ["first", "second"].map(|login| scope.spawn(move || demote(login)));
        both.map(|one| one.join().unwrap())
    });
    assert_eq!(went_well.iter().filter(|well| **well).count(), 1, "{went_well:?}");
    let listed = lines(account(&place, &["list"])).join("\n");
    assert_eq!(listed.matches("(administrator").count(), 1, "{listed}");
}

fn the_audit_log_is_proved(engine: Engine) {
    let place = Place::new(engine);
    create(&place, "root", "administrator");
    let verify = |noted: &str| {
        let flags: &[&str] = if noted.is_empty() { &[] } else { &["--noted", noted] };
        place.run(&[&["audit", "verify"], flags].concat())
    };
    let first = lines(verify(""));
    let (said, last) = first[0].split_once(", the last is ").unwrap();
    assert_eq!(said, "1 rows: 0 flaws");
    create(&place, "ivan", "viewer");
    assert!(lines(verify(last))[0].starts_with("2 rows: 0 flaws, the last is 2:"));
    let later = verify(&last.replacen("1:", "7:", 1));
    assert!(!later.status.success() && told(&later).contains("rows 3 to 7 are missing"), "{}", told(&later));
    let other = verify(&format!("1:{}", "0".repeat(64)));
    let why = "row 1 is not the one whose hash was noted";
    assert!(!other.status.success() && told(&other).contains(why), "{}", told(&other));
    let nonsense = verify("1");
    assert!(nonsense.status.code() == Some(2) && told(&nonsense).contains("64 hexadecimal digits"));
}
