//! Signals that ask the program to stop.

use tokio::signal::unix::{SignalKind, signal};

/// Completes when the program is asked to stop, by Ctrl-C or by a service manager.
pub(crate) fn stop_asked() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
