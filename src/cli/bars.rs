//! Progress bars on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::platform::progress::{Meter, Progress};
use crate::platform::redact::printable;

/// Draws one bar for each transfer under way, on standard error.
pub(super) struct Bars {
    all: MultiProgress,
}

struct Bar(ProgressBar);

impl Bars {
    pub(super) fn new() -> Self {
        Self {
            all: MultiProgress::new(),
        }
    }
}

impl Progress for Bars {
    fn begin(&self, name: &str, total_bytes: u64) -> Box<dyn Meter> {
        let style = ProgressStyle::with_template(
            "{msg:30!} {wide_bar} {binary_bytes:>11}/{binary_total_bytes:>11} {eta:>4}",
        )
        .expect("the template is one of indicatif's")
        .progress_chars("━╸─");
        let bar = self
            .all
            .add(ProgressBar::new(total_bytes))
            .with_style(style);
        bar.set_message(printable(name));
        Box::new(Bar(bar))
    }

    fn step(&self, message: &str) {
        // A terminal that went away loses the line, nothing else.
        let _ = self.all.println(printable(message));
    }
}

impl Meter for Bar {
    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
