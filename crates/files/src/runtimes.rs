//! The thread on which the network is waited for, so that callers need know nothing of it.

use std::{future::Future, io, sync::mpsc};

use tokio::runtime;

/// May be dropped anywhere, also where tokio forbids to block.
pub(crate) struct Runtime(Option<runtime::Runtime>);

impl Runtime {
    pub(crate) fn start() -> io::Result<Runtime> {
        runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("files")
            .enable_all()
            .build()
            .map(|runtime| Runtime(Some(runtime)))
    }

    /// Waits for `work`. Unlike `block_on`, which panics there, this only blocks when it is called from async code, as
    /// the drop of a writer may be.
    pub(crate) fn join<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> io::Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let runtime = self.0.as_ref().expect("it runs until it is dropped");
        runtime.spawn(async move { sender.send(work.await).expect("the caller waits below") });
        receiver.recv().map_err(|_| io::Error::other("work on files ended in a panic"))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
