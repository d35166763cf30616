//! The class in the registry, where there is one.

#[cfg(windows)]
mod registry;

/// Registers the class. `false` if it could not be, and then nothing is left behind.
pub(crate) fn register() -> bool {
    #[cfg(windows)]
    let registered = registry::register();
    // No registry: nothing would find the class by it.
    #[cfg(not(windows))]
    let registered = false;
    registered
}

/// Removes the class. `false` if something of it is left.
pub(crate) fn unregister() -> bool {
    #[cfg(windows)]
    let removed = registry::unregister();
    // No registry, so nothing is left in it.
    #[cfg(not(windows))]
    let removed = true;
    removed
}
