//! Ends without warning, of the service and of its store: nothing acknowledged is lost, and work goes on (rule 9).

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use testkit::TempPostgres;

use crate::{
    client::{Answer, Client},
    journals::{Ended, Writer, history_is_orderly, history_of, in_ms, is_try_again, operations},
    races::{at_once, patient},
    server::{Beside, Engine, Place, Server, strata, with_and_without_index, without_index},
};

with_and_without_index!(
    nothing_acknowledged_is_lost_by_kill_9,
    a_stop_under_load_answers_whom_it_heard,
    deadlines_are_kept_over_kill_9,
    a_pool_of_one_refuses_some_and_does_the_rest,
);

fn nothing_acknowledged_is_lost_by_kill_9(engine: Engine) {
    const ROUNDS: usize = 8;
    let place = Place::new(engine);
    let settings =
        [("STRATA_WORKER_INTERVAL_MS", "10"), ("STRATA_WORKER_BATCH", "5"), ("STRATA_POOL_TIMEOUT_MS", "30000")];
    let mut server = place.serve_with(&settings);
    let mut writers: Vec<Writer> = (0..6).map(|number| Writer::new(&format!("w{number}"), &server.client)).collect();
    for _ in 0..ROUNDS {
        thread::scope(|scope| {
            let client = &server.client;
            for writer in &mut writers {
                scope.spawn(move || {
                    loop {
                        match writer.act(client) {
                            Ended::Acknowledged => {}
                            Ended::Unknown => break,
                            ended => panic!("{ended:?}, and nothing was wrong"),
                        }
                    }
                });
            }
            thread::sleep(Duration::from_millis(rand::random_range(100..900)));
            kill(&server);
        });
        place.is_sound();
        server = place.serve_with(&settings);
        at_once_each(&mut writers, |writer| writer.settle(&server.client));
    }
    writers.iter().for_each(|writer| writer.everybody_passed(&server.client));
    let rows = history_is_orderly(&server.client);
    println!("{ROUNDS} kills, {} acknowledged, {} passed, {rows} rows", acknowledged(&writers), passed(&writers));
    place.is_sound();
}

fn a_stop_under_load_answers_whom_it_heard(engine: Engine) {
    let place = Place::new(engine);
    let server = patient(&place);
    let mut writers: Vec<Writer> = (0..6).map(|number| Writer::new(&format!("w{number}"), &server.client)).collect();
    let client = server.client.clone();
    let status = thread::scope(|scope| {
        for writer in &mut writers {
            let client = &client;
            scope.spawn(move || while writer.act(client) == Ended::Acknowledged {});
        }
        thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        let status = server.stop();
        println!("stopped after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(10));
        status
    });
    assert!(status.success());
    place.is_sound();
    let server = patient(&place);
    writers.iter_mut().for_each(|writer| writer.settle(&server.client));
}

/// As `kill -9` does, with the server still borrowed by those who use it.
fn kill(server: &Server) {
    let killed = Command::new("kill").args(["-9", &server.id().to_string()]).status().unwrap();
    assert!(killed.success());
}

fn at_once_each(writers: &mut [Writer], act: impl Fn(&mut Writer) + Sync) {
    thread::scope(|scope| writers.iter_mut().for_each(|writer| drop(scope.spawn(|| act(writer)))));
}

fn acknowledged(writers: &[Writer]) -> usize {
    writers.iter().map(|writer| writer.acknowledged).sum()
}

fn passed(writers: &[Writer]) -> usize {
    writers.iter().map(Writer::passing).sum()
}

fn slowest(writers: &[Writer]) -> Duration {
    writers.iter().map(|writer| writer.slowest).max().unwrap_or_default()
}

fn deadlines_are_kept_over_kill_9(engine: Engine) {
    let place = Place::new(engine);
    let server = place.serve();
    server.client.has_segment("VIP");
    let until = |client: &Client, user: &str, ms| {
        let deadline = in_ms(ms);
        let answer = client.post(&format!("/users/{user}/segments/VIP"), json!({"expires_at": deadline}));
        assert_eq!(answer.status, 200, "{}", answer.text);
        (deadline, Instant::now() + Duration::from_millis(ms as u64))
    };
    let (late, _) = until(&server.client, "late", 2_500);
    let (early, early_ends) = until(&server.client, "early", 300);
    server.kill();
    thread::sleep(early_ends.saturating_duration_since(Instant::now()));

    // Nobody worked meanwhile, and nobody works yet: reading decides.
    let server = place.serve_with(&[("STRATA_WORKER", "false")]);
    assert!(server.client.segments_of("early").is_empty());
    assert_eq!(server.client.segments_of("late"), ["VIP"]);
    server.kill();

    let server = place.serve_with(&[("STRATA_WORKER_INTERVAL_MS", "20")]);
    for (user, deadline) in [("early", early), ("late", late)] {
        let rows = loop {
            let rows = history_of(&server.client, user, "VIP");
            if rows.len() > 1 {
                break rows;
            }
            assert!(in_ms(-5_000) < deadline, "nobody ended what was over at {deadline}: {rows:?}");
            thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(operations(&rows), ["add", "remove"]);
        assert_eq!((&rows[1]["timestamp"], &rows[1]["source"]), (&json!(deadline), &json!("expiry")));
        assert!(server.client.segments_of(user).is_empty());
    }
    place.is_sound();
}

fn a_pool_of_one_refuses_some_and_does_the_rest(engine: Engine) {
    let place = Place::new(engine);
    let file = place.dir.path().join("users.csv");
    let names: String = (0..4_000).map(|user| format!("u{user}\n")).collect();
    fs::write(&file, format!("user_id\n{names}")).unwrap();
    assert!(place.run(&["import", "users", file.to_str().unwrap()]).status.success());
    let server = place.serve_with(&[("STRATA_POOL_SIZE", "1"), ("STRATA_POOL_TIMEOUT_MS", "50")]);
    let client = &server.client;
    ["SHARE", "VIP"].into_iter().for_each(|slug| client.has_segment(slug));
    let share = |percent| client.post("/segments/SHARE/distribute", json!({"percent": percent}));
    let answers: Vec<(String, Answer)> = at_once(24, |number| match number {
        0..4 => (0..3).map(|again| ("share".to_owned(), share(if again % 2 == 0 { 100 } else { 0 }))).collect(),
        _ => (0..20)
            .map(|again| format!("x{number}-{again}"))
            .map(|user| (user.clone(), client.put(&format!("/segments/VIP/users/{user}"), json!({}))))
            .collect::<Vec<_>>(),
    })
    .into_iter()
    .flatten()
    .collect();
    let refused: Vec<&(String, Answer)> = answers.iter().filter(|(_, answer)| answer.status != 200).collect();
    println!("{} of {} were refused", refused.len(), answers.len());
    assert!(!refused.is_empty() && refused.len() < answers.len());
    for (what, answer) in refused {
        is_try_again(answer, what);
        assert_eq!(answer.problem(), "busy");
    }
    for (user, answer) in answers.iter().filter(|(user, _)| user != "share") {
        let page = patiently(|| client.get(&format!("/users/{user}/segments/VIP")));
        assert_eq!(page.json()["is_member"], answer.status == 200, "{user}");
    }
    history_is_orderly(client);
    place.is_sound();
}

fn patiently(ask: impl Fn() -> Answer) -> Answer {
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
        is_try_again(&answer, "");
        assert!(Instant::now() < patience, "still refused: {}", answer.text);
        thread::sleep(Duration::from_millis(20));
    }
}

/// What is seen from outside while the store is away and after it came back.
struct Outage {
    asked: usize,
    slowest: Duration,
    back_after: Duration,
}

/// Goes on writing, takes the store away, asks meanwhile, brings it back, and waits until everything is served again.
fn goes_through(server: &Server, writers: &mut [Writer], take_away: &dyn Fn(), bring_back: &dyn Fn()) -> Outage {
    let (stop, client) = (AtomicBool::new(false), &server.client);
    thread::scope(|scope| {
        for writer in writers {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match writer.act(client) {
                        Ended::Acknowledged => {}
                        Ended::Refused => writer.settle(client),
                        ended => panic!("{ended:?}: the server gave no answer"),
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        take_away();
        let (mut asked, mut slowest) = (0, Duration::ZERO);
        let away_until = Instant::now() + Duration::from_millis(1_500);
        while Instant::now() < away_until {
            let change = || client.post("/users/someone/segments", json!({"add": ["VIP"]}));
            let asks: [&dyn Fn() -> Answer; 3] =
                [&|| client.get("/users/someone/segments"), &change, &|| client.get("//readyz")];
            for ask in asks {
                let begun = Instant::now();
                is_try_again(&ask(), "while the store is away");
                slowest = slowest.max(begun.elapsed());
                asked += 1;
            }
            assert_eq!(client.get("//healthz").status, 200);
        }
        bring_back();
        let back = Instant::now();
        patiently(|| client.get("//readyz"));
        patiently(|| client.get("/users/someone/segments"));
        let back_after = back.elapsed();
        thread::sleep(Duration::from_millis(700));
        stop.store(true, Ordering::Relaxed);
        Outage { asked, slowest, back_after }
    })
}

#[test]
fn postgres_may_go_away_and_come_back() {
    // An index would answer for a while; how it does is a story of its own.
    without_index();
    let postgres = TempPostgres::start();
    let place = Place::on(&postgres);
    let settings = [("STRATA_POOL_TIMEOUT_MS", "300"), ("STRATA_WORKER_INTERVAL_MS", "20")];
    let server = place.serve_with(&settings);
    server.client.has_segment("VIP");
    let mut writers: Vec<Writer> = (0..5).map(|number| Writer::new(&format!("w{number}"), &server.client)).collect();
    let crash = || postgres.stop();
    let shut_down = || shut_down_fast(&place.url);
    let ways: [(&str, &dyn Fn()); 3] = [("crash", &crash), ("fast shutdown", &shut_down), ("crash again", &crash)];
    for (what, take_away) in ways {
        let outage = goes_through(&server, &mut writers, take_away, &|| postgres.restart());
        let Outage { asked, slowest, back_after } = outage;
        println!("{what}: {asked} asked, slowest {slowest:?}, back after {back_after:?}");
        assert!(slowest < Duration::from_millis(300 + 700), "{slowest:?}");
        assert!(back_after < Duration::from_secs(5), "{back_after:?}");
        writers.iter_mut().for_each(|writer| writer.settle(&server.client));
        place.is_sound();
    }
    writers.iter().for_each(|writer| writer.everybody_passed(&server.client));
    let refused: usize = writers.iter().map(|writer| writer.refused).sum();
    println!("{} acknowledged, {refused} refused, slowest {:?}", acknowledged(&writers), slowest(&writers));
    history_is_orderly(&server.client);
    assert!(server.stop().success());
    place.is_sound();
}

/// PostgreSQL's own folder is where its socket is.
fn pid_file(url: &str) -> PathBuf {
    let (_, folder) = url.split_once("host=").unwrap();
    Path::new(folder).join("data/postmaster.pid")
}

fn signal(name: &str, id: &str) {
    // A child may have ended meanwhile.
    Command::new("kill").args([name, id]).stderr(Stdio::null()).status().unwrap();
}

/// As `pg_ctl stop -m fast` does: whoever is connected is cut off, and what was committed is kept.
fn shut_down_fast(url: &str) {
    let pid_file = pid_file(url);
    let id = fs::read_to_string(&pid_file).unwrap().lines().next().unwrap().to_owned();
    signal("-INT", &id);
    let patience = Instant::now() + Duration::from_secs(20);
    while pid_file.exists() {
        assert!(Instant::now() < patience, "PostgreSQL does not end");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn postgres_restarted_fast_is_hardly_noticed() {
    let postgres = TempPostgres::start();
    let place = Place::on(&postgres);
    let server = place.serve_with(&[("STRATA_WORKER_INTERVAL_MS", "20")]);
    let mut writers: Vec<Writer> = (0..5).map(|number| Writer::new(&format!("w{number}"), &server.client)).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for writer in &mut writers {
            let (stop, client) = (&stop, &server.client);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    match writer.act(client) {
                        Ended::Acknowledged => {}
                        Ended::Refused => writer.settle(client),
                        ended => panic!("{ended:?}: the server gave no answer"),
                    }
                }
            });
        }
        for _ in 0..4 {
            thread::sleep(Duration::from_millis(400));
            shut_down_fast(&place.url);
            postgres.restart();
        }
        thread::sleep(Duration::from_millis(400));
        stop.store(true, Ordering::Relaxed);
    });
    writers.iter_mut().for_each(|writer| writer.settle(&server.client));
    writers.iter().for_each(|writer| writer.everybody_passed(&server.client));
    let refused: usize = writers.iter().map(|writer| writer.refused).sum();
    println!("4 restarts: {} acknowledged, {refused} refused, slowest {:?}", acknowledged(&writers), slowest(&writers));
    // Only what was under way, and not what came later: a new request waits for the store.
    assert!(refused <= 4 * 5 * 2, "{refused}");
    history_is_orderly(&server.client);
    place.is_sound();
}

#[test]
fn postgres_frozen_is_waited_for_as_long_as_told() {
    // An index would answer for a while; how it does is a story of its own.
    without_index();
    let postgres = TempPostgres::start();
    let place = Place::on(&postgres);
    let server = place.serve_with(&[
        ("STRATA_REQUEST_TIMEOUT_MS", "600"),
        ("STRATA_POOL_TIMEOUT_MS", "300"),
        ("STRATA_POOL_SIZE", "4"),
        ("STRATA_WORKER", "false"),
    ]);
    let client = &server.client;
    client.has_segment("VIP");
    assert_eq!(client.put("/segments/VIP/users/before", json!({})).status, 200);
    let main = fs::read_to_string(pid_file(&place.url)).unwrap().lines().next().unwrap().to_owned();
    let children = Command::new("ps").args(["-o", "pid=", "--ppid", &main]).output().unwrap().stdout;
    let mut all = vec![main];
    all.extend(String::from_utf8(children).unwrap().split_whitespace().map(str::to_owned));

    all.iter().for_each(|id| signal("-STOP", id));
    let frozen = at_once(12, |number| {
        let begun = Instant::now();
        let answer = match number {
            0 => client.get("//healthz"),
            1 => client.get("//readyz"),
            2..6 => client.get("/users/before/segments"),
            _ => client.put(&format!("/segments/VIP/users/u{number}"), json!({})),
        };
        (answer, begun.elapsed())
    });
    all.iter().for_each(|id| signal("-CONT", id));
    for (number, (answer, took)) in frozen.iter().enumerate() {
        match number {
            0 => assert_eq!(answer.status, 200),
            _ => is_try_again(answer, "while PostgreSQL is frozen"),
        }
        assert!(*took < Duration::from_millis(600 + 900), "{took:?}");
    }
    let begun = Instant::now();
    let answer = patiently(|| client.get("/users/before/segments"));
    println!("back after {:?}", begun.elapsed());
    assert_eq!(answer.json()["segments"], json!(["VIP"]));
    for number in 6..12 {
        assert_eq!(patiently(|| client.put(&format!("/segments/VIP/users/u{number}"), json!({}))).status, 200);
        assert_eq!(operations(&history_of(client, &format!("u{number}"), "VIP")), ["add"]);
    }
    place.is_sound();
}

#[test]
fn sqlite_locked_by_others_refuses_changes_and_answers_questions() {
    let place = Place::new(Engine::Sqlite);
    let server = place.serve();
    let client = &server.client;
    client.has_segment("VIP");
    let Some(mut holder) = lock(&place.dir.path().join("strata.db")) else {
        return println!("there is neither sqlite3 nor python3 to hold the lock");
    };
    let begun = Instant::now();
    let answers = at_once(6, |number| match number {
        0..4 => client.put(&format!("/segments/VIP/users/u{number}"), json!({})),
        _ => client.get("/users/u0/segments"),
    });
    println!("refused after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10));
    for answer in &answers[..4] {
        is_try_again(answer, "while another process holds the lock");
        assert_eq!(answer.problem(), "busy");
    }
    assert!(answers[4..].iter().all(|answer| answer.status == 200));
    drop(holder.0.stdin.take());
    assert!(holder.0.wait().unwrap().success());
    for number in 0..4 {
        assert!(client.segments_of(&format!("u{number}")).is_empty());
        assert_eq!(client.put(&format!("/segments/VIP/users/u{number}"), json!({})).status, 200);
    }
    place.is_sound();
}

/// Another process that holds SQLite's write lock until its standard input ends.
fn lock(file: &Path) -> Option<Beside> {
    let python = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); \
                  c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()";
    let mut shell = Command::new("sqlite3");
    shell.arg(file);
    let mut snake = Command::new("python3");
    snake.args(["-c", python]).arg(file);
    for mut command in [shell, snake] {
        let Ok(child) = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else { continue };
        let mut holder = Beside(child);
        holder.0.stdin.as_mut().unwrap().write_all(b"BEGIN IMMEDIATE;\nSELECT 'locked';\n").unwrap();
        let mut told = [0; 6];
        std::io::Read::read_exact(holder.0.stdout.as_mut().unwrap(), &mut told).unwrap();
        assert_eq!(&told, b"locked");
        return Some(holder);
    }
    None
}

#[test]
fn sqlite_without_space_refuses_changes_loses_nothing_and_goes_on() {
    let place = Place::new(Engine::Sqlite);
    // Files of this server end at 1 MiB, which is what a full disk is to it, and works without being root.
    let limited = || bounded(&place, "2048");
    let server = limited();
    let mut writers: Vec<Writer> = (0..4).map(|number| Writer::new(&format!("w{number}"), &server.client)).collect();
    let refused = AtomicUsize::new(0);
    at_once_each(&mut writers, |writer| {
        let patience = Instant::now() + Duration::from_secs(60);
        while refused.load(Ordering::Relaxed) < 60 {
            assert!(Instant::now() < patience, "the space does not end");
            match writer.act(&server.client) {
                Ended::Acknowledged => {}
                Ended::Refused => {
                    refused.fetch_add(1, Ordering::Relaxed);
                    writer.settle(&server.client);
                }
                ended => panic!("{ended:?}: the server gave no answer"),
            }
        }
    });
    println!("{} acknowledged, {} refused", acknowledged(&writers), refused.into_inner());
    // Questions are answered at the first try.
    for _ in 0..20 {
        let answer = server.client.get("/segments?limit=1000");
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    place.is_sound();

    // The same after a start without space.
    server.kill();
    let server = limited();
    assert_eq!(server.client.get("//readyz").status, 200);
    at_once_each(&mut writers, |writer| writer.settle(&server.client));
    // It may have found a little in SQLite's log, which it tidies up at its start.
    let more = server.client.post("/segments", json!({"slug": "more"}));
    assert!([201, 503].contains(&more.status), "{}", more.text);

    let server = match limit(&server, "unlimited") {
        true => server,
        false => {
            server.kill();
            place.serve()
        }
    };
    at_once_each(&mut writers, |writer| {
        for _ in 0..40 {
            assert_eq!(writer.act(&server.client), Ended::Acknowledged);
        }
        writer.settle(&server.client);
        writer.everybody_passed(&server.client);
    });
    history_is_orderly(&server.client);
    assert!(server.stop().success());
    place.is_sound();
}

/// A server whose files end after so many blocks of 512 bytes, and which survives to tell.
pub fn bounded(place: &Place, blocks: &str) -> Server {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -S -f {blocks}; exec \"$0\" \"$@\"")]);
    shell.arg(strata().get_program());
    // What `strata()` takes away, so that it is nobody's setting.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("STRATA_")) {
        shell.env_remove(name);
    }
    Server::launch(shell, place, &[("STRATA_WORKER_INTERVAL_MS", "20")])
}

/// Space comes and goes while the server runs, where the system has a command for it.
pub fn limit(server: &Server, bytes: &str) -> bool {
    let limit = format!("--fsize={bytes}:");
    Command::new("prlimit")
        .args(["--pid", &server.id().to_string(), &limit])
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn sqlite_on_a_full_disk_goes_on_answering_questions() {
    let place = Place::new(Engine::Sqlite);
    let server = bounded(&place, "unlimited");
    let client = &server.client;
    client.has_segment("VIP");
    if !limit(&server, "0") {
        return println!("there is no prlimit to take the space away");
    }
    for number in 0..20 {
        let refused = client.put(&format!("/segments/VIP/users/u{number}"), json!({}));
        is_try_again(&refused, "without space");
        // A connection that was lost could not be opened again now.
        assert_eq!(client.get("//readyz").status, 200);
        assert!(client.segments_of(&format!("u{number}")).is_empty());
    }
    assert!(limit(&server, "unlimited"));
    for number in 0..20 {
        assert_eq!(client.put(&format!("/segments/VIP/users/u{number}"), json!({})).status, 200);
    }
    history_is_orderly(client);
    place.is_sound();
}
