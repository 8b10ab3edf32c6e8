//! A progress bar for work that lasts: shown on a terminal after half a second, gone when done.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// Work up to then shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// How far some work is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    shown: Cell<bool>,
}

impl Progress {
    /// Work on so many of `what`, their number to be told.
    pub fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let form = format!("{{wide_bar}} {{human_pos}}/{{human_len}} {what}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&form) {
            bar.set_style(style);
        }
        Self { bar, started: Instant::now(), shown: Cell::new(false) }
    }

    /// How many there are.
    pub fn total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// How many are done.
    pub fn at(&self, done: u64) {
        if !self.shown.get() && self.started.elapsed() >= PATIENCE {
            self.shown.set(true);
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }

    /// All done: the bar goes.
    pub fn done(&self) {
        self.bar.finish_and_clear();
    }
}
