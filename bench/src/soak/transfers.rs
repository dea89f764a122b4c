//! Files in and out: imports by a node and by the command line, exports that are read whole and such that are not.

use std::{
    fs,
    os::unix::process::CommandExt,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    Soak,
    callers::{Caller, Question},
};
use crate::{
    Failure,
    draws::Draws,
    failed,
    populations::{BIG, slugs_of, user_id},
};

/// In the second half of all users, behind those whom others change.
const USERS: u64 = 5_000;
const ROWS: u64 = 3_000;
/// A job that lost its process is taken up by another one within half a minute.
const JOB_PATIENCE: Duration = Duration::from_secs(120);
/// Jobs are carried out by any node, which the others hear of a little later.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Sent to the first node: of what a node does not survive nobody would hear.
pub(super) fn import(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "import");
    let node = soak.node(0);
    let slug = "soak-import";
    let first = soak.take_users(USERS);
    caller.ask(node, Question::post("/segments", &json!({ "slug": slug })));
    for turn in 0_u64.. {
        soak.rest(Duration::from_secs(5));
        if !soak.goes_on() {
            return;
        }
        // A row less each time and another beginning: a replacement both adds and removes.
        let begin = first + draws.below(USERS - ROWS);
        let rows = ROWS - draws.below(ROWS / 2);
        let numbers = begin..begin + rows;
        let (path, text) = match turn % 3 {
            0 => (format!("/segments/{slug}/users/import?mode=replace"), csv("user_id", numbers, |user| user)),
            1 => (format!("/segments/{slug}/users/import"), csv("user_id", numbers, |user| user)),
            _ => {
                let row = |user: String| format!("{user};soak-import-{}", turn % 5);
                ("/memberships/import?create_segments=true".to_owned(), csv("user_id;segment", numbers, row))
            }
        };
        let question =
            Question { body: text.into_bytes(), content_type: "text/csv", ..Question::post(&path, &json!(0)) };
        let Some(job) = caller.ask(node, question) else { continue };
        let is_done = finished(&caller, &job.body["id"].to_string());
        if is_done && turn % 3 == 0 {
            must_have(&caller, slug, rows);
        }
    }
}

fn csv(head: &str, numbers: std::ops::Range<u64>, row: impl Fn(String) -> String) -> String {
    numbers.map(|number| row(user_id(number))).fold(head.to_owned(), |text, row| text + "\n" + &row) + "\n"
}

/// Whether the job is over and did well.
fn finished(caller: &Caller, id: &str) -> bool {
    let node = caller.soak.node(0);
    let asked = Instant::now();
    let path = format!("/jobs/{id}");
    loop {
        let Some(job) = caller.ask(node, Question::get(&path)) else { return false };
        match job.body["state"].as_str() {
            Some("done") => return true,
            Some("queued" | "running") if asked.elapsed() < JOB_PATIENCE => std::thread::sleep(LOOK_EVERY),
            _ => {
                caller.fault(node, format_args!("after {:?} a job is {}", asked.elapsed(), job.body));
                return false;
            }
        }
    }
}

fn must_have(caller: &Caller, slug: &str, members: u64) {
    let node = caller.soak.node(0);
    let asked = Instant::now();
    let question = json!({ "expr": slug, "return": "count" });
    loop {
        // Until the node has heard of a new segment it knows none of that name.
        let Some(answer) = caller.try_ask(node, Question::post("/segments/algebra", &question)) else { return };
        let found = answer.body["user_count"].as_u64();
        if found == Some(members) {
            return;
        }
        if asked.elapsed() > HEARD_WITHIN {
            return caller.must_be(node, &format!("the members of {slug}"), found, Some(members));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// `strata import` on the same store.
pub(super) fn import_by_command(soak: &Soak, mut draws: Draws) {
    let first = soak.take_users(USERS);
    let caller = Caller::new(soak, "strata import");
    let path = soak.folder.join("rows.csv");
    loop {
        soak.rest(Duration::from_secs(15));
        if !soak.goes_on() {
            return;
        }
        let begin = first + draws.below(USERS - ROWS);
        let rows = csv("user_id;segment", begin..begin + ROWS, |user| format!("{user};soak-command"));
        let ran = fs::write(&path, rows).map_err(failed(path.display())).and_then(|()| {
            let file = path.display().to_string();
            let arguments = ["import", "memberships", &file, "--mode", "replace"];
            let mut command = soak.strata.command(soak.database_url, &arguments)?;
            // Ctrl-C is for us alone.
            command.process_group(0);
            soak.strata.run(command)
        });
        match ran {
            Ok(_) => must_have(&caller, "soak-command", ROWS),
            Err(Failure(reason)) => soak.tally.fault(reason),
        }
    }
}

pub(super) fn export(soak: &Soak, mut draws: Draws) {
    let caller = Caller::new(soak, "export");
    let members = BIG.map(|(slug, _)| {
        let count = (1..=soak.users).filter(|number| slugs_of(*number).iter().any(|held| held == slug)).count();
        (slug, count as u64)
    });
    while soak.goes_on() {
        let node = soak.any_node(&mut draws);
        let (slug, members) = members[draws.below(3) as usize];
        // Nobody comes or goes there, so history has a row for each member.
        let file = [format!("/segments/{slug}/users.csv"), format!("/history.csv?segment={slug}")];
        let path = &file[draws.below(2) as usize];
        if let Some(lines) = caller.lines(node, path) {
            caller.must_be(node, &format!("the lines of {path}"), lines, members + 1);
        }
        caller.begin(node, "/history.csv");
        soak.rest(Duration::from_secs(3));
    }
}
