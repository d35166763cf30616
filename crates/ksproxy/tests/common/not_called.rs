//! Methods that a test's object has to have and nobody may call.

#[allow(unused_macros, reason = "each test uses some of it")]
macro_rules! not_called {
    ($($method:ident($($argument:ty),*);)*) => {
        $(unsafe fn $method(&self, $(_: $argument),*) -> windows_core::HRESULT {
            panic!("not called")
        })*
    };
}
#[allow(unused_imports, reason = "each test uses some of it")]
pub(crate) use not_called;
