// SPDX-License-Identifier: Apache-2.0
//! Guessing passwords on a test host: a host where three failures lock, logins with right and wrong ones, and what
//! the trail has of them.

use virtwarden_core::record::{Event, Outcome};

use crate::host::{Host, Ran};
use crate::scene::{self, check};
use crate::trail;

/// How long a lock lasts in these stories, in seconds. Longer than three refused logins take.
pub const LOCK: u64 = 40;

/// Waits of the last Administrator at the console, in seconds.
pub const SPARED: u64 = 10;

/// How somebody types a password over ssh.
pub const METHODS: [&str; 2] = ["password", "keyboard-interactive"];

/// A host with nobody locked, where three failures lock.
///
/// # Errors
/// A step failed; with what it printed.
pub fn set() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    let rule = format!(
        "virtwarden lockout set --attempts 3 --period 10m --unlock {LOCK}s --counted everywhere --tell"
    );
    check("rule", &host.login("root", &format!("{rule} --reason story")))?;
    // Debian's sshd asks for passwords by itself alone; a second factor comes the other way.
    check("sshd", &host.write("/etc/ssh/sshd_config.d/00-story.conf", "KbdInteractiveAuthentication yes"))?;
    check("hand", &host.write("/usr/local/lib/console.py", HAND))?;
    scene::sshd_anew(&host)?;
    unlock(&host)?;
    Ok(host)
}

/// Unlocks everybody, as an Administrator who logged in with a key.
///
/// # Errors
/// It failed; with what it printed.
pub fn unlock(host: &Host) -> Result<(), String> {
    check("unlock", &host.login("root", "for u in alice bob root; do virtwarden lockout unlock $u; done"))
}

/// What this host's people have as passwords.
pub fn right(person: &str) -> String {
    format!("{person}-password")
}

/// One login over ssh with a password.
pub fn ssh(host: &Host, method: &str, person: &str, password: &str) -> Ran {
    host.root(&format!(
        "timeout 60 sshpass -p '{password}' ssh -F /dev/null -o PubkeyAuthentication=no \
         -o PreferredAuthentications={method} -o NumberOfPasswordPrompts=1 -o StrictHostKeyChecking=no \
         -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR {person}@127.0.0.1 id -un"
    ))
}

/// Types a name and a password into login's terminal.
const HAND: &str = include_str!("console.py");

/// One login at the console.
pub fn console(host: &Host, person: &str, password: &str) -> Ran {
    host.root(&format!("timeout 120 python3 /usr/local/lib/console.py {person} '{password}' 2>&1"))
}

/// Somebody must be let in.
///
/// # Errors
/// He was not.
pub fn insist_in(what: &str, ran: &Ran, person: &str) -> Result<(), String> {
    if ran.succeeded() && ran.out.contains(person) {
        Ok(())
    } else {
        Err(format!("{what}: {person} was not let in: {} {}", ran.code, ran.shown()))
    }
}

/// Somebody must not be let in.
///
/// # Errors
/// He was.
pub fn insist_out(what: &str, ran: &Ran) -> Result<(), String> {
    if ran.succeeded() { Err(format!("{what}: let in: {}", ran.shown())) } else { Ok(()) }
}

/// So many wrong passwords, one after the other.
///
/// # Errors
/// One was let in.
pub fn fail(host: &Host, method: &str, person: &str, times: usize) -> Result<(), String> {
    (0..times).try_for_each(|_| insist_out("a wrong password", &ssh(host, method, person, "wrong")))
}

/// What the trail says of an account's logins after a sequence number.
pub fn logins(host: &Host, after: u64, account: &str) -> Vec<Event> {
    let about = |event: &Event| event.targets.iter().any(|target| target.name.as_deref() == Some(account));
    let all = trail::after(host, after).into_iter().map(|recorded| recorded.event);
    all.filter(|event| event.operation.starts_with("login ") && about(event)).collect()
}

/// The events of an operation that ended so, each of which must come from this machine over the network.
pub fn count(events: &[Event], operation: &str, outcome: Outcome) -> usize {
    let alike = events.iter().filter(|event| event.operation == operation && event.outcome == outcome);
    let from = alike.filter(|event| {
        event.origin.as_ref().is_some_and(|origin| origin.to_string() == "127.0.0.1")
            && event.detail.contains("sshd")
    });
    from.map(|event| usize::try_from(event.count.unwrap_or(1)).unwrap_or(usize::MAX)).sum()
}

/// Whether an account is shown as locked.
///
/// # Errors
/// It cannot be told.
pub fn is_locked(host: &Host, account: &str) -> Result<bool, String> {
    let ran = host.login("root", &format!("virtwarden lockout show {account} --json"));
    check("show", &ran)?;
    Ok(ran.out.contains("until"))
}
