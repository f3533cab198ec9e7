// SPDX-License-Identifier: Apache-2.0
//! The border to C, and the only unsafe code: libpam's calls in both directions, and the few system calls that
//! make a socket which never blocks.
//!
//! Promises relied on: libpam calls a module's functions with a valid handle and `argc` valid strings in `argv`;
//! what it hands out stays valid until the handle changes, so everything is copied at once.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::ptr;
use std::sync::Once;
use std::time::Duration;

use crate::code::Code;
use crate::entry::{Call, Privilege, serve};
use crate::login::{Item, Login, Notes, Tone};
use crate::password::Round;
use crate::policyd::Policyd;

/// libpam's handle; nothing is known of its inside.
#[repr(C)]
struct Handle {
    _inside: [u8; 0],
}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    unused: c_int,
}

#[repr(C)]
struct Conversation {
    callback: extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_get_item(handle: *const Handle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_set_item(handle: *mut Handle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_user(handle: *mut Handle, user: *mut *const c_char, prompt: *const c_char) -> c_int;
    fn pam_getenv(handle: *mut Handle, name: *const c_char) -> *const c_char;
    fn pam_set_data(handle: *mut Handle, name: *const c_char, data: *mut c_void, cleanup: Cleanup) -> c_int;
    fn pam_get_data(handle: *const Handle, name: *const c_char, data: *mut *const c_void) -> c_int;
    fn pam_fail_delay(handle: *mut Handle, microseconds: c_uint) -> c_int;
    fn pam_prompt(
        handle: *mut Handle,
        style: c_int,
        answer: *mut *mut c_char,
        format: *const c_char,
        ...
    ) -> c_int;
    fn pam_syslog(handle: *const Handle, priority: c_int, format: *const c_char, ...);
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
}

type Cleanup = extern "C" fn(*mut Handle, *mut c_void, c_int);

const PAM_SERVICE: c_int = 1;
const PAM_TTY: c_int = 3;
const PAM_RHOST: c_int = 4;
const PAM_RUSER: c_int = 8;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_PROMPT_ECHO_ON: c_int = 2;
const PAM_ERROR_MSG: c_int = 3;
const PAM_TEXT_INFO: c_int = 4;
const PAM_SILENT: c_int = 0x8000;
const PAM_PRELIM_CHECK: c_int = 0x4000;
const PAM_UPDATE_AUTHTOK: c_int = 0x2000;
const PAM_MAX_NUM_MSG: c_int = 32;

const NOTES: &CStr = c"virtwarden";
/// What pam_unix asks for after a wrong password.
const DELAY_MICROSECONDS: c_uint = 2_000_000;

// ---- libpam calls the module ----------------------------------------------------------------------------------

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_authenticate(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::Authenticate) }
}

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_setcred(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::SetCredentials) }
}

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_acct_mgmt(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::Admit) }
}

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_open_session(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::Open) }
}

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_close_session(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::Close) }
}

/// # Safety
/// libpam's: a valid handle, `count` strings in `words`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pam_sm_chauthtok(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
) -> c_int {
    let round = if flags & PAM_UPDATE_AUTHTOK != 0 { Round::Update } else { Round::Preliminary };
    if (flags & PAM_UPDATE_AUTHTOK != 0) == (flags & PAM_PRELIM_CHECK != 0) {
        return Code::ServiceErr.to_raw();
    }
    // SAFETY: the caller's promise is passed on.
    unsafe { enter(handle, flags, count, words, Call::Change(round)) }
}

/// # Safety
/// A null or valid handle, and `count` valid strings in `words`.
unsafe fn enter(
    handle: *mut Handle,
    flags: c_int,
    count: c_int,
    words: *const *const c_char,
    call: Call,
) -> c_int {
    guard(Code::ServiceErr, || {
        if handle.is_null() {
            return Code::ServiceErr;
        }
        // SAFETY: the caller promises `count` strings.
        let words = unsafe { copy_words(count, words) };
        let mut login = Bound { handle, flags };
        serve(call, &words, privilege(), &mut login, &Policyd::here())
    })
}

/// # Safety
/// `count` valid strings in `words`.
unsafe fn copy_words(count: c_int, words: *const *const c_char) -> Vec<Vec<u8>> {
    let count = if words.is_null() { 0 } else { usize::try_from(count).unwrap_or(0) };
    (0..count)
        .map(|index| {
            // SAFETY: `index` is below the count that the caller promises.
            let word = unsafe { words.add(index) };
            // SAFETY: as above, so it can be read.
            let word = unsafe { word.read() };
            // SAFETY: libpam's arguments are strings.
            unsafe { copy(word) }
        })
        .collect()
}

/// A panic must not cross into C. It ends the call without a word to the program's standard error.
fn guard(otherwise: Code, act: impl FnOnce() -> Code) -> c_int {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| panic::set_hook(Box::new(|_| {})));
    panic::catch_unwind(AssertUnwindSafe(act)).unwrap_or(otherwise).to_raw()
}

fn privilege() -> Privilege {
    // SAFETY: it takes nothing and cannot fail.
    match unsafe { libc::geteuid() } {
        0 => Privilege::Root,
        _ => Privilege::None,
    }
}

/// The bytes of a string of C; none for a null pointer.
///
/// # Safety
/// Null, or a valid string.
unsafe fn copy(text: *const c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: not null, so the caller promises a string.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

// ---- the module calls libpam ----------------------------------------------------------------------------------

/// The handle for the length of one call: libpam keeps it valid that long.
struct Bound {
    handle: *mut Handle,
    flags: c_int,
}

impl Bound {
    fn show(&self, style: c_int, text: &str) {
        if let Ok(text) = CString::new(text) {
            // SAFETY: the handle is valid; the format takes one string; no answer is wanted for these styles.
            unsafe { pam_prompt(self.handle, style, ptr::null_mut(), c"%s".as_ptr(), text.as_ptr()) };
        }
    }
}

impl Login for Bound {
    fn account(&mut self) -> Result<Vec<u8>, Code> {
        let mut user = ptr::null();
        // SAFETY: the handle is valid; `user` is written before it returns.
        Code::from_raw(unsafe { pam_get_user(self.handle, &raw mut user, ptr::null()) }).ok()?;
        if user.is_null() {
            return Err(Code::UserUnknown);
        }
        // SAFETY: libpam promises a string that stays until the item changes.
        Ok(unsafe { copy(user) })
    }

    fn item(&self, item: Item) -> Vec<u8> {
        let number = match item {
            Item::Service => PAM_SERVICE,
            Item::Tty => PAM_TTY,
            Item::RemoteHost => PAM_RHOST,
            Item::RemoteUser => PAM_RUSER,
        };
        let mut value = ptr::null();
        // SAFETY: the handle is valid; `value` is written before it returns.
        match Code::from_raw(unsafe { pam_get_item(self.handle, number, &raw mut value) }).ok() {
            // SAFETY: these items are strings, or null.
            Ok(()) => unsafe { copy(value.cast()) },
            Err(_) => Vec::new(),
        }
    }

    fn variable(&self, name: &CStr) -> Vec<u8> {
        // SAFETY: the handle and the name are valid.
        let value = unsafe { pam_getenv(self.handle, name.as_ptr()) };
        // SAFETY: libpam promises null or a string.
        unsafe { copy(value) }
    }

    fn notes(&self) -> Notes {
        let mut data = ptr::null();
        // SAFETY: the handle and the name are valid; `data` is written before it returns.
        let found = Code::from_raw(unsafe { pam_get_data(self.handle, NOTES.as_ptr(), &raw mut data) });
        if found.ok().is_err() || data.is_null() {
            return Notes::default();
        }
        // SAFETY: only `keep` puts something there, and libpam frees it no sooner than it is replaced.
        unsafe { data.cast::<Notes>().read() }
    }

    fn keep(&mut self, notes: Notes) {
        let data = Box::into_raw(Box::new(notes));
        // SAFETY: the handle and the name are valid; libpam calls `forget` once with the data.
        let kept = unsafe { pam_set_data(self.handle, NOTES.as_ptr(), data.cast(), forget) };
        if Code::from_raw(kept).ok().is_err() {
            // SAFETY: libpam did not take it, so it is still ours.
            drop(unsafe { Box::from_raw(data) });
        }
    }

    fn tell(&mut self, tone: Tone, text: &str) {
        let style = match tone {
            Tone::Plain => PAM_TEXT_INFO,
            Tone::Error => PAM_ERROR_MSG,
        };
        if self.flags & PAM_SILENT == 0 {
            self.show(style, text);
        }
    }

    fn warn(&mut self, text: &str) {
        self.show(PAM_TEXT_INFO, text);
    }

    fn log(&self, text: &str) {
        if let Ok(text) = CString::new(text) {
            // SAFETY: the handle is valid; the format takes one string.
            unsafe { pam_syslog(self.handle, libc::LOG_ERR, c"%s".as_ptr(), text.as_ptr()) };
        }
    }

    fn delay(&mut self) {
        // SAFETY: the handle is valid.
        unsafe { pam_fail_delay(self.handle, DELAY_MICROSECONDS) };
    }
}

extern "C" fn forget(_handle: *mut Handle, data: *mut c_void, _status: c_int) {
    if !data.is_null() {
        // SAFETY: it is what `keep` put there, and libpam calls this once for it.
        drop(unsafe { Box::from_raw(data.cast::<Notes>()) });
    }
}

// ---- a program calls libpam -----------------------------------------------------------------------------------

/// Whether what is typed may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    /// It may.
    Shown,
    /// It may not.
    Hidden,
}

/// The person whom libpam's modules talk to.
pub trait Converse {
    /// Shows a text.
    ///
    /// # Errors
    /// The person is gone.
    fn tell(&mut self, tone: Tone, text: &str) -> io::Result<()>;
    /// Asks for something.
    ///
    /// # Errors
    /// The person is gone, or took too long.
    fn ask(&mut self, echo: Echo, text: &str) -> io::Result<String>;
}

/// A program's own use of libpam: authenticates an account.
pub struct Application<'person> {
    handle: *mut Handle,
    last: Code,
    /// A box that libpam's conversation points to; freed when libpam is done with it.
    person: *mut &'person mut dyn Converse,
}

impl<'person> Application<'person> {
    /// Begins a transaction for an account that is also the one that asks.
    ///
    /// # Errors
    /// libpam's.
    pub fn start(service: &CStr, account: &CStr, person: &'person mut dyn Converse) -> Result<Self, Code> {
        let person = Box::into_raw(Box::new(person));
        let conversation = Conversation { callback: converse, data: person.cast() };
        let mut application = Self { handle: ptr::null_mut(), last: Code::Success, person };
        // SAFETY: all four are valid; libpam copies the strings and the conversation.
        let started = unsafe {
            pam_start(
                service.as_ptr(),
                account.as_ptr(),
                &raw const conversation,
                &raw mut application.handle,
            )
        };
        Code::from_raw(started).ok()?;
        // SAFETY: the handle is valid and libpam copies the string.
        Code::from_raw(unsafe { pam_set_item(application.handle, PAM_RUSER, account.as_ptr().cast()) })
            .ok()?;
        Ok(application)
    }

    /// Authenticates the account and asks whether it may be entered.
    ///
    /// # Errors
    /// libpam's: it is not him, or he may not.
    pub fn authenticate(&mut self) -> Result<(), Code> {
        // SAFETY: the handle is valid until this is dropped.
        self.last = Code::from_raw(unsafe { pam_authenticate(self.handle, 0) });
        self.last.ok()?;
        // SAFETY: as above.
        self.last = Code::from_raw(unsafe { pam_acct_mgmt(self.handle, 0) });
        self.last.ok()
    }
}

impl Drop for Application<'_> {
    fn drop(&mut self) {
        if !self.handle.is_null() {
            // SAFETY: the handle came from `pam_start` and is ended once.
            unsafe { pam_end(self.handle, self.last.to_raw()) };
        }
        // SAFETY: it came from a box, and libpam, which had it, is done.
        drop(unsafe { Box::from_raw(self.person) });
    }
}

extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    guard(Code::ConvErr, || {
        if !(1..=PAM_MAX_NUM_MSG).contains(&count)
            || messages.is_null()
            || responses.is_null()
            || data.is_null()
        {
            return Code::ConvErr;
        }
        // SAFETY: it is the box that `start` gave libpam, and the application that holds it is borrowed.
        let person = unsafe { &mut *data.cast::<&mut dyn Converse>() };
        // SAFETY: libpam promises `count` messages.
        let Ok(answers) = (unsafe { talk(*person, count, messages) }) else { return Code::ConvErr };
        let Some(answers) = allocate(&answers) else { return Code::BufErr };
        // SAFETY: not null, so libpam wants the answers there.
        unsafe { responses.write(answers) };
        Code::Success
    })
}

/// # Safety
/// `count` valid messages.
unsafe fn talk(
    person: &mut dyn Converse,
    count: c_int,
    messages: *const *const Message,
) -> io::Result<Vec<Option<CString>>> {
    let mut answers = Vec::new();
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: `index` is below the count that the caller promises.
        let message = unsafe { messages.add(index) };
        // SAFETY: as above.
        let message = unsafe { message.read() };
        if message.is_null() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: not null, so a message.
        let message = unsafe { message.read() };
        // SAFETY: its text is a string, or null.
        let text = unsafe { copy(message.text) };
        answers.push(say(person, message.style, &String::from_utf8_lossy(&text))?);
    }
    Ok(answers)
}

fn say(person: &mut dyn Converse, style: c_int, text: &str) -> io::Result<Option<CString>> {
    let answer = match style {
        PAM_PROMPT_ECHO_OFF => person.ask(Echo::Hidden, text)?,
        PAM_PROMPT_ECHO_ON => person.ask(Echo::Shown, text)?,
        PAM_ERROR_MSG => return person.tell(Tone::Error, text).map(|()| None),
        PAM_TEXT_INFO => return person.tell(Tone::Plain, text).map(|()| None),
        _ => return Err(io::ErrorKind::Unsupported.into()),
    };
    Ok(Some(CString::new(answer)?))
}

/// Answers in memory that libpam frees; null texts where nothing was asked.
fn allocate(answers: &[Option<CString>]) -> Option<*mut Response> {
    // SAFETY: the count is at most 32; the result is checked.
    let responses: *mut Response = unsafe { libc::calloc(answers.len(), size_of::<Response>()) }.cast();
    if responses.is_null() {
        return None;
    }
    for (index, answer) in answers.iter().enumerate() {
        let Some(answer) = answer else { continue };
        // SAFETY: `index` is below the count that was allocated.
        let response = unsafe { responses.add(index) };
        // SAFETY: the string is valid and ends with NUL. Should memory be short, libpam's caller sees no answer.
        let text = unsafe { libc::strdup(answer.as_ptr()) };
        // SAFETY: the place was allocated above.
        unsafe { response.write(Response { text, unused: 0 }) };
    }
    Some(responses)
}

// ---- sockets --------------------------------------------------------------------------------------------------

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    ToRead,
    ToWrite,
}

/// A Unix stream socket that does not block, is not inherited, and is none of descriptors 0 to 2: a program
/// that was started without those may write its messages there.
pub(crate) fn stream_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: it takes numbers only.
    let number = unsafe { libc::socket(libc::AF_UNIX, kind, 0) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, so nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(number) };
    // `try_clone` keeps clear of 0 to 2 and sets close-on-exec.
    if number <= libc::STDERR_FILENO { socket.as_fd().try_clone_to_owned() } else { Ok(socket) }
}

/// Connects without waiting: `WouldBlock` if too many wait already.
pub(crate) fn connect(socket: &OwnedFd, path: &Path) -> io::Result<()> {
    // SAFETY: zero is a valid value for every field.
    let mut address: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    address.sun_family = libc::sa_family_t::try_from(libc::AF_UNIX).map_err(io::Error::other)?;
    let path = path.as_os_str().as_bytes();
    if path.len() >= address.sun_path.len() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for (place, byte) in address.sun_path.iter_mut().zip(path) {
        *place = c_char::from_ne_bytes([*byte]);
    }
    let length = libc::socklen_t::try_from(size_of_val(&address)).map_err(io::Error::other)?;
    // SAFETY: the address is valid for its length, and its path ends with NUL.
    let connected = unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if connected == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Sends what fits; no signal if the other side is gone.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for its length.
    let sent =
        unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Receives what is there; zero at the end.
pub(crate) fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for its length.
    let received = unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    usize::try_from(received).map_err(|_| io::Error::last_os_error())
}

/// Waits until the socket is ready or time is up, whichever is first.
pub(crate) fn wait(socket: &OwnedFd, readiness: Readiness, longest: Duration) -> io::Result<()> {
    let events = match readiness {
        Readiness::ToRead => libc::POLLIN,
        Readiness::ToWrite => libc::POLLOUT,
    };
    let mut watched = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
    let milliseconds = c_int::try_from(longest.as_millis().saturating_add(1)).unwrap_or(c_int::MAX);
    // SAFETY: one valid entry.
    let ready = unsafe { libc::poll(&raw mut watched, 1, milliseconds) };
    if ready < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::panic, reason = "it is what is tested")]
    fn a_panic_becomes_an_error_of_the_module() {
        assert_eq!(guard(Code::ServiceErr, || panic!("hostile")), Code::ServiceErr.to_raw());
        assert_eq!(guard(Code::ServiceErr, || Code::Ignore), Code::Ignore.to_raw());
    }

    #[test]
    fn no_handle_is_an_error() {
        // SAFETY: null is allowed, and there are no words.
        let code = unsafe { pam_sm_authenticate(ptr::null_mut(), 0, 0, ptr::null()) };
        assert_eq!(code, Code::ServiceErr.to_raw());
    }

    #[test]
    fn a_password_stack_that_runs_in_both_rounds_or_none_is_an_error() {
        for flags in [0, PAM_PRELIM_CHECK | PAM_UPDATE_AUTHTOK] {
            // SAFETY: null is allowed, and there are no words.
            let code = unsafe { pam_sm_chauthtok(ptr::null_mut(), flags, 0, ptr::null()) };
            assert_eq!(code, Code::ServiceErr.to_raw());
        }
    }
}
