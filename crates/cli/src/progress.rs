//! Bars for who waits.
//!
//! Invariant: a bar goes to standard error, and draws itself only if that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Gives a bar its form.
pub(crate) fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// A bar that goes when it is dropped.
pub(crate) struct Bar(pub(crate) ProgressBar);

impl Bar {
    /// A bar whose length is not known yet.
    pub(crate) fn new(template: &str) -> Self {
        Self(styled(ProgressBar::new(0), template))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
