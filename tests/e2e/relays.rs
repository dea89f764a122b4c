//! A relay between a process and its PostgreSQL, to cut one process off while others go on.

use std::{
    io::{self, Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use tempfile::TempDir;

/// Passes bytes to and fro as long as it is not cut. It ends with the test that made it.
pub struct Relay {
    /// Where PostgreSQL is reached through it.
    pub url: String,
    link: Arc<Mutex<Link>>,
    _folder: TempDir,
}

#[derive(Default)]
struct Link {
    is_cut: bool,
    open: Vec<UnixStream>,
}

impl Relay {
    /// To a PostgreSQL whose address names the folder of its socket.
    pub fn to(url: &str) -> Relay {
        let host = url.split(['?', '&']).find_map(|part| part.strip_prefix("host=")).expect("it listens on a socket");
        let port = url.split(['?', '&']).find_map(|part| part.strip_prefix("port=")).unwrap_or("5432");
        let socket = format!(".s.PGSQL.{port}");
        let decoded = percent_encoding::percent_decode_str(host).decode_utf8().unwrap().into_owned();
        let target = PathBuf::from(decoded).join(&socket);
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(&socket)).unwrap();
        let link = Arc::new(Mutex::new(Link::default()));
        let kept = Arc::clone(&link);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let mut link = kept.lock().unwrap();
                if link.is_cut {
                    continue;
                }
                let Ok(server) = UnixStream::connect(&target) else { continue };
                pump(client.try_clone().unwrap(), server.try_clone().unwrap());
                pump(server.try_clone().unwrap(), client.try_clone().unwrap());
                link.open.extend([client, server]);
            }
        });
        Relay { url: url.replace(host, folder.path().to_str().unwrap()), link, _folder: folder }
    }

    /// Breaks every connection, and refuses others.
    pub fn cut(&self) {
        let mut link = self.link.lock().unwrap();
        link.is_cut = true;
        for stream in link.open.drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    pub fn mend(&self) {
        self.link.lock().unwrap().is_cut = false;
    }
}

fn pump(mut from: UnixStream, mut to: UnixStream) {
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        loop {
            match from.read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let passed: io::Result<()> = to.write_all(&bytes[..count]);
                    if passed.is_err() {
                        break;
                    }
                }
            }
        }
        from.shutdown(Shutdown::Both).ok();
        to.shutdown(Shutdown::Both).ok();
    });
}
