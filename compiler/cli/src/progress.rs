//! Bars on standard error that show how far long work is.

use std::sync::Mutex;

use dpuc_quantise::{Progress, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for each stage of quantising, one after the other; nothing where standard error is no terminal.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    current: Mutex<Option<(Stage, ProgressBar)>>,
}

impl Progress for Bars {
    fn report(&self, stage: Stage, done: usize, total: usize) {
        let Ok(mut current) = self.current.lock() else { return };
        let is_new = current.as_ref().is_none_or(|(known, bar)| *known != stage || bar.length() != Some(total as u64));
        if is_new {
            *current = Some((stage, bar(&format!("{stage:?}").to_lowercase(), total)));
        }
        if let Some((_, bar)) = &*current {
            bar.set_position(done as u64);
            if done == total {
                bar.finish_and_clear();
            }
        }
    }
}

/// A bar of `total` steps.
pub(crate) fn bar(what: &str, total: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} [{bar:40}] {pos}/{len} {msg} {eta}");
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(what.to_owned());
    bar
}
