//! How long to look before sleeping.

use super::super::sync::relax;

/// Waking another processor costs more than a short wait, so who waits looks for a while first.
#[derive(Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    const SPINS: u32 = if cfg!(loom) { 0 } else { 512 };

    /// Waits a moment; `false` where it is time to sleep.
    pub(super) fn spin(&mut self) -> bool {
        if self.0 >= Self::SPINS {
            return false;
        }
        self.0 += 1;
        relax();
        true
    }
}
