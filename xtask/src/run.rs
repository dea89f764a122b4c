//! `cargo xtask run`: from a clone to a running service with data in it.

use std::{net::TcpListener, process::Command};

use crate::{Failure, Outcome, console, machine, must};

pub(crate) fn run(listen: &str) -> Outcome {
    console::build_if_possible()?;
    let strata = machine::build_strata()?;
    let folder = machine::cache().join("demo");
    std::fs::create_dir_all(&folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
    let url = format!("sqlite://{}", folder.join("strata.db").display());
    let listen = free_or_another(listen)?;

    let kept = [
        ("STRATA_FILES_URL", format!("file://{}", folder.join("files").display())),
        ("STRATA_INDEX_FILE", folder.join("index").display().to_string()),
    ];
    let of_demo = |arguments: &[&str]| {
        let mut command = Command::new(&strata);
        command.args(arguments).args(["--database-url", &url]).envs(kept.iter().map(|(name, value)| (name, value)));
        command
    };
    must(of_demo(&["demo"]).env("STRATA_LISTEN", &listen))?;
    println!("\nThe console is at http://{listen}; the API is described at http://{listen}/api/docs.");
    println!("The first start prints a link that signs you in, once. Later it is your password, or another link:");
    println!("{} account link administrator --database-url {url}", strata.display());
    println!("Ctrl-C ends it.");
    println!("The data are kept in {}; delete the folder to begin anew.", folder.display());
    must(&mut of_demo(&["serve", "--listen", &listen]))
}

/// The address, or, when somebody else listens there, one with a free port.
fn free_or_another(listen: &str) -> Result<String, Failure> {
    if TcpListener::bind(listen).is_ok() {
        return Ok(listen.to_owned());
    }
    let host = listen.rsplit_once(':').map_or("127.0.0.1", |(host, _)| host);
    let other = TcpListener::bind((host.trim_matches(['[', ']']), 0)).and_then(|free| free.local_addr());
    other.map(|address| address.to_string()).map_err(|error| Failure(format!("cannot listen on {host}: {error}")))
}
