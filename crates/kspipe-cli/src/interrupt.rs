//! Ctrl-C and SIGTERM.

use crate::failure::Failure;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a shell reports of a program that Ctrl-C killed.
const KILLED: i32 = 130;

/// The first Ctrl-C (or SIGTERM) ends the stream, so that every frame comes home and files are whole; the last one ends the
/// process.
#[derive(Clone, Default)]
pub(crate) struct Interrupt(Arc<Mutex<Interrupted>>);

#[derive(Default)]
struct Interrupted {
    asked: u32,
    stop: Option<Box<dyn Fn() + Send>>,
}

impl Interrupt {
    /// Listens, once in a process: so many times it asks to stop, after that it kills.
    pub(crate) fn listen(times: u32) -> Result<Self, Failure> {
        let interrupt = Interrupt::default();
        let heard = interrupt.clone();
        ctrlc::set_handler(move || {
            let mut state = heard.lock();
            state.asked = state.asked.saturating_add(1);
            if state.asked > times {
                std::process::exit(KILLED);
            }
            if let Some(stop) = &state.stop {
                stop();
            }
        })
        .map_err(|error| Failure::system("listen for Ctrl-C", error))?;
        Ok(interrupt)
    }

    /// What to stop, at once where somebody asked before there was anything.
    pub(crate) fn stops(&self, stop: impl Fn() + Send + 'static) {
        let mut state = self.lock();
        (0..state.asked).for_each(|_| stop());
        state.stop = Some(Box::new(stop));
    }

    fn lock(&self) -> MutexGuard<'_, Interrupted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(target_os = "linux")]
impl Interrupt {
    /// Somebody has asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.times_asked() > 0
    }

    /// How often.
    pub(crate) fn times_asked(&self) -> u32 {
        self.lock().asked
    }
}
