//! A server that speaks S3, on loopback and in a temporary folder, from its start to its stop.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    thread::{self, JoinHandle},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{runtime, sync::oneshot, task::JoinSet};

pub(crate) const BUCKET: &str = "strata";
pub(crate) const KEY_ID: &str = "strata-tests";
pub(crate) const SECRET: &str = "open sesame";

/// Stops when it is dropped.
pub(crate) struct S3Server {
    address: SocketAddr,
    home: TempDir,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl S3Server {
    pub(crate) fn start() -> S3Server {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(home.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
        let service = builder.build();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || serve(listener, service, stopped));
        S3Server { address, home, running: Some((stop, thread)) }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where the server keeps buckets, and parts of uploads beside them.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Returns when nobody listens any more, and every connection is closed.
    pub(crate) fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            thread.join().unwrap();
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(listener: TcpListener, service: S3Service, mut stopped: oneshot::Receiver<()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let mut connections = JoinSet::new();
        loop {
            let (socket, _) = tokio::select! {
                accepted = listener.accept() => accepted.unwrap(),
                _ = &mut stopped => return,
            };
            let service = service.clone();
            connections.spawn(async move {
                let connection = auto::Builder::new(TokioExecutor::new());
                // A client that goes away is no concern of the server.
                connection.serve_connection(TokioIo::new(socket), service).await.ok();
            });
        }
    });
}
