//! [`caught`]: a call of a function that may be one of Wine's stubs.
//!
//! Wine's libraries export functions nobody has written yet. Calling one raises the exception 0x80000100, which ends a
//! program that knows nothing of it. The stubs have no unwind data, so no handler of a frame can catch it on x86-64.
//! A vectored handler can: it is asked first, before any frame is looked at, and lets the thread go on where the call
//! was to return, with the registers it had there.

use crate::lock::{Lock, lock};
use crate::object_access::Win32Error;
use core::ptr::NonNull;
use windows_sys::Win32::System::Diagnostics::Debug::{
    AddVectoredExceptionHandler, CONTEXT, EXCEPTION_CONTINUE_EXECUTION, EXCEPTION_CONTINUE_SEARCH, EXCEPTION_POINTERS,
    RemoveVectoredExceptionHandler,
};
use windows_sys::Win32::System::Threading::GetCurrentThreadId;

/// `EXCEPTION_WINE_STUB`: a function that Wine exports and does not have.
const EXCEPTION_WINE_STUB: i32 = 0x8000_0100_u32.cast_signed();

/// Calls `body`; if a stub of Wine's is called in it, the rest of it is left out.
///
/// # Errors
/// `ERROR_CALL_NOT_IMPLEMENTED` for a stub; `ERROR_NO_SYSTEM_RESOURCES` without a call.
///
/// # Safety
///
/// Where `body` calls what may be a stub, nothing with a destructor is alive inside `body`: it would not run.
pub(super) unsafe fn caught(body: &mut dyn FnMut()) -> Result<(), Win32Error> {
    let mut call = Call { landing: Landing::default(), returned: false, body };
    let call = NonNull::from(&mut call);
    // SAFETY: the structure is above, and all its users reach it by this pointer.
    let landing = unsafe { NonNull::new_unchecked(&raw mut (*call.as_ptr()).landing) };
    let guard = Guard::new(landing)?;
    // SAFETY: the guard knows the landing of this call; the rest as the caller promises.
    unsafe { land(call) };
    drop(guard);
    // SAFETY: as above.
    if unsafe { (*call.as_ptr()).returned } { Ok(()) } else { Err(Win32Error::CALL_NOT_IMPLEMENTED) }
}

/// A call that is being made.
#[repr(C)]
struct Call<'a> {
    /// Written by [`land`]. First, because that counts in bytes from here.
    landing: Landing,
    /// Whether the body came to its end.
    returned: bool,
    body: &'a mut dyn FnMut(),
}

/// Where the thread goes on, and the registers it needs there that [`land`] cannot name as lost.
#[repr(C)]
#[derive(Default)]
struct Landing {
    instruction: usize,
    stack: usize,
    frame: usize,
    /// rbx; esi on x86.
    base: usize,
    /// The innermost exception registration of the thread on x86. The frames that are left out may have put theirs before
    /// it, which must not be found when they are gone.
    registration: usize,
}

/// Makes the call, and comes back when it has returned or the handler has sent the thread here. What else the code around
/// this has in registers is lost to it either way, and it is told so.
///
/// # Safety
///
/// As [`caught`]; and a [`Guard`] holds the landing.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
unsafe fn land(call: NonNull<Call<'_>>) {
    // SAFETY: `perform` has the calling convention the call is written for; the stack is aligned for one. Whether it
    // returns or the handler sends the thread to the label, the stack pointer is what it was, rbp and rbx too, and all
    // other registers are named as lost. The frames that are left out are those of `perform` and its body, which have
    // nothing to destroy as the caller promises, and the stub's.
    unsafe {
        core::arch::asm!(
            "lea rax, [rip + 2f]",
            "mov [rdi], rax",
            "mov [rdi + 8], rsp",
            "mov [rdi + 16], rbp",
            "mov [rdi + 24], rbx",
            "call {perform}",
            "2:",
            perform = sym perform,
            inout("rdi") call.as_ptr() => _,
            out("r12") _,
            out("r13") _,
            out("r14") _,
            out("r15") _,
            clobber_abi("sysv64"),
        );
    }
}

/// As above. The handler passes the landing in edx.
#[cfg(target_arch = "x86")]
#[inline(never)]
unsafe fn land(call: NonNull<Call<'_>>) {
    // SAFETY: as above, of ebp and esi.
    unsafe {
        core::arch::asm!(
            // Position independent: the address of the label by way of the address of the next instruction.
            "lea eax, [2f]",
            "mov [ecx], eax",
            "mov [ecx + 4], esp",
            "mov [ecx + 8], ebp",
            "mov [ecx + 12], esi",
            "mov eax, fs:[0]",
            "mov [ecx + 16], eax",
            "call {perform}",
            "jmp 3f",
            "2:",
            "mov eax, [edx + 16]",
            "mov fs:[0], eax",
            "3:",
            perform = sym perform,
            inout("ecx") call.as_ptr() => _,
            out("ebx") _,
            out("edi") _,
            clobber_abi("fastcall"),
        );
    }
}

/// The convention of this function needs nothing of its caller but one register.
#[cfg(target_arch = "x86_64")]
unsafe extern "sysv64" fn perform(call: NonNull<Call<'_>>) {
    // SAFETY: the call that `caught` has made, of which nothing but the landing is used by others meanwhile.
    unsafe {
        ((*call.as_ptr()).body)();
        (*call.as_ptr()).returned = true;
    }
}

/// As above.
#[cfg(target_arch = "x86")]
unsafe extern "fastcall" fn perform(call: NonNull<Call<'_>>) {
    // SAFETY: the call that `caught` has made, of which nothing but the landing is used by others meanwhile.
    unsafe {
        ((*call.as_ptr()).body)();
        (*call.as_ptr()).returned = true;
    }
}

/// The calls that threads are in, the newest last. A thread may be in several, one inside the other.
static GUARDS: Lock<Vec<Watched>> = Lock::new(Vec::new());

struct Watched {
    thread: u32,
    landing: NonNull<Landing>,
}

// SAFETY: what is pointed to is read and written only by the thread whose call it is.
unsafe impl Send for Watched {}

/// Has the handler look after a landing of this thread, for as long as it lives.
struct Guard {
    landing: NonNull<Landing>,
    handler: *mut core::ffi::c_void,
}

impl Guard {
    fn new(landing: NonNull<Landing>) -> Result<Self, Win32Error> {
        let mut guards = lock(&GUARDS);
        guards.try_reserve(1).map_err(|_| Win32Error::NO_SYSTEM_RESOURCES)?;
        // SAFETY: a function of that type, which stays loaded: the caller is in this library.
        let handler = unsafe { AddVectoredExceptionHandler(1, Some(handle)) };
        if handler.is_null() {
            return Err(Win32Error::NO_SYSTEM_RESOURCES);
        }
        guards.push(Watched { thread: this_thread(), landing });
        Ok(Self { landing, handler })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: added by this guard.
        unsafe { RemoveVectoredExceptionHandler(self.handler) };
        lock(&GUARDS).retain(|watched| watched.landing != self.landing);
    }
}

fn this_thread() -> u32 {
    // SAFETY: always.
    unsafe { GetCurrentThreadId() }
}

/// The vectored handler: called by the thread that raised an exception, any exception of any thread.
unsafe extern "system" fn handle(exception: *mut EXCEPTION_POINTERS) -> i32 {
    // SAFETY: the system passes structures that are there for the call.
    let (record, context) = unsafe { (&*(*exception).ExceptionRecord, &mut *(*exception).ContextRecord) };
    if record.ExceptionCode != EXCEPTION_WINE_STUB {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    let thread = this_thread();
    // No thread raises this exception while it holds the lock: what is done under it calls no stub.
    let landing = lock(&GUARDS).iter().rev().find(|watched| watched.thread == thread).map(|watched| watched.landing);
    let Some(landing) = landing else { return EXCEPTION_CONTINUE_SEARCH };
    // SAFETY: a landing in a frame of this thread that has not returned: its guard is there.
    resume(context, unsafe { landing.as_ref() });
    EXCEPTION_CONTINUE_EXECUTION
}

/// Lets the thread go on at the landing.
#[cfg(target_arch = "x86_64")]
fn resume(context: &mut CONTEXT, landing: &Landing) {
    context.Rip = landing.instruction as u64;
    context.Rsp = landing.stack as u64;
    context.Rbp = landing.frame as u64;
    context.Rbx = landing.base as u64;
}

/// As above.
#[cfg(target_arch = "x86")]
fn resume(context: &mut CONTEXT, landing: &Landing) {
    context.Eip = landing.instruction as u32;
    context.Esp = landing.stack as u32;
    context.Ebp = landing.frame as u32;
    context.Esi = landing.base as u32;
    context.Edx = core::ptr::from_ref(landing).addr() as u32;
}

#[cfg(test)]
mod tests {
    use super::*;
    use windows_sys::Win32::System::Diagnostics::Debug::RaiseException;

    const STUB: Result<(), Win32Error> = Err(Win32Error::CALL_NOT_IMPLEMENTED);

    /// What Wine's stubs do.
    fn raise(code: i32) {
        let arguments = [c"library".as_ptr().addr(), c"function".as_ptr().addr()];
        // SAFETY: two arguments.
        unsafe { RaiseException(code.cast_unsigned(), 1, 2, arguments.as_ptr()) };
    }

    /// Calls a stub; nothing with a destructor is alive in it.
    fn call_a_stub() -> Result<(), Win32Error> {
        // SAFETY: nothing to destroy.
        unsafe { caught(&mut || raise(EXCEPTION_WINE_STUB)) }
    }

    #[test]
    fn a_function_that_is_there_is_called() {
        let mut called = 0;
        // SAFETY: nothing to destroy.
        assert_eq!(unsafe { caught(&mut || called += 1) }, Ok(()));
        assert_eq!(called, 1);
    }

    #[test]
    fn a_stub_is_caught_again_and_again() {
        for _ in 0..20 {
            assert_eq!(call_a_stub(), STUB);
        }
        assert!(lock(&GUARDS).iter().all(|watched| watched.thread != this_thread()), "no guard is left behind");
    }

    #[test]
    fn calls_may_be_nested_and_the_inner_one_is_left() {
        let (mut inner, mut after) = (Ok(()), false);
        // SAFETY: nothing to destroy.
        let outer = unsafe {
            caught(&mut || {
                inner = call_a_stub();
                after = true;
                raise(EXCEPTION_WINE_STUB);
            })
        };
        assert_eq!((inner, after, outer), (STUB, true, STUB));
    }

    #[test]
    fn what_the_caller_holds_is_there_after_a_stub() {
        let numbers: Vec<f64> = (1..=16).map(f64::from).collect();
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|i| numbers[i] * 1.5);
        let [p, q, r, s, t, u, v, w] = std::array::from_fn(|i| numbers[i] as u64 + 7);
        assert_eq!(call_a_stub(), STUB);
        assert_eq!([a, b, c, d, e, f, g, h], std::array::from_fn(|i| numbers[i] * 1.5));
        assert_eq!([p, q, r, s, t, u, v, w], std::array::from_fn(|i| numbers[i] as u64 + 7));
    }

    #[test]
    fn threads_are_told_apart() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for turn in 0..20 {
                        // SAFETY: nothing to destroy.
                        let answer = unsafe {
                            caught(&mut || {
                                if turn % 2 == 0 {
                                    raise(EXCEPTION_WINE_STUB);
                                }
                            })
                        };
                        assert_eq!(answer.is_err(), turn % 2 == 0);
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_after_a_stub_unwinds() {
        let caught = std::panic::catch_unwind(|| {
            assert_eq!(call_a_stub(), STUB);
            std::panic::resume_unwind(Box::new(5));
        });
        assert_eq!(caught.expect_err("a panic").downcast_ref::<i32>(), Some(&5));
    }
}
