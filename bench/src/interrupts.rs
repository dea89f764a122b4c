//! Ctrl-C, for whoever has something to do before the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{Failure, failed};

/// From here on Ctrl-C does not end this process but is told by what is returned.
pub(crate) fn begin() -> Result<Arc<AtomicBool>, Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed("the runtime for Ctrl-C"))?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&interrupted);
    thread::spawn(move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            eprintln!("interrupted: load ends, and the checks follow");
            told.store(true, Ordering::Relaxed);
        }
    });
    Ok(interrupted)
}
