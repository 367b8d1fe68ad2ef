//! Progress of long work: a bar at a terminal, plain lines elsewhere. All of it on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use allium_words::inert::inert;
use indicatif::{ProgressBar, ProgressStyle};

/// Steps of one piece of work.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Work of `n_steps` steps.
    pub(crate) fn start(n_steps: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { bar: None };
        }
        let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:30} {pos}/{len} {wide_msg}");
        let bar = ProgressBar::new(n_steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar: Some(bar) }
    }

    /// The next step begins. `what` must hold no text from the network.
    pub(crate) fn step(&self, what: &str) {
        match &self.bar {
            None => line(what),
            Some(bar) => {
                if !bar.message().is_empty() {
                    bar.inc(1);
                }
                bar.set_message(what.to_owned());
            }
        }
    }

    /// All is done; `summary` stays on the screen.
    pub(crate) fn finish(self, summary: &str) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        line(summary);
    }
}

/// A line for a person.
pub(crate) fn line(text: &str) {
    // A closed standard error cannot be reported.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The one-line reason why the work was not done, causes included; control characters are shown escaped.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut chain: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        // Some errors already end with their cause.
        if !chain.last().is_some_and(|last| last.ends_with(&cause)) {
            chain.push(cause);
        }
    }
    line(&format!("allium: {}", inert(&chain.join(": "))));
}
