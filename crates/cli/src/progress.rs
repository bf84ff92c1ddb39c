//! Progress of long work, on a terminal only, and only when it takes longer than a second.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// Work shorter than this shows nothing.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// A line on standard error with the current step.
pub(crate) struct Progress {
    bar: ProgressBar,
    done: Arc<AtomicBool>,
}

impl Progress {
    /// Starts to show `message` after a second. With `enabled` false nothing is ever shown.
    pub(crate) fn start(enabled: bool, message: impl Into<String>) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let done = Arc::new(AtomicBool::new(false));
        bar.set_message(message.into());

        if enabled {
            let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.set_style(style);
            let (bar, done) = (bar.clone(), Arc::clone(&done));
            std::thread::spawn(move || {
                std::thread::sleep(QUIET_FOR);
                if !done.load(Ordering::Acquire) {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    bar.enable_steady_tick(Duration::from_millis(120));
                }
            });
        }

        Self { bar, done }
    }

    /// Also shows the time that is left, when the work may take `limit` from now on.
    pub(crate) fn within(self, limit: Duration) -> Self {
        let ends = Instant::now().checked_add(limit);
        let left = move |_: &ProgressState, text: &mut dyn Write| {
            let left = ends.map(|ends| ends.saturating_duration_since(Instant::now()));
            if let Some(left) = left {
                // A sink of text does not fail.
                let _ = write!(text, ", {} left", time(left));
            }
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed}{left})") {
            self.bar.set_style(style.with_key("left", left));
        }

        self
    }

    /// Shows the next step.
    pub(crate) fn say(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }
}

/// A time in the two largest units: `9m 30s`, `45s`.
fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

impl Progress {
    /// Shows nothing more.
    pub(crate) fn finish(&self) {
        self.done.store(true, Ordering::Release);
        self.bar.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_two_largest_units() {
        let of = |seconds| time(Duration::from_secs(seconds));
        assert_eq!([of(45), of(570), of(3720)], ["45s", "9m 30s", "1h 2m"]);
    }
}
