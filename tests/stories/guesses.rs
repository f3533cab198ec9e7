// SPDX-License-Identifier: Apache-2.0
//! Guesses where no login prompt stands: su that is stopped and killed, a user manager, a job, gdm's own stack,
//! polkit's agent. FIA_AFL_EXT.1, FIA_UIA_EXT.1. alice is an Administrator, bob a User.

use std::thread;
use std::time::Duration;

use virtwarden_core::record::{Event, Outcome};
use virtwarden_tests::guessing::{SPARED, console, insist_in, insist_out, logins, right, set, ssh, unlock};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::scene::check;
use virtwarden_tests::trail;

/// Starts su on a terminal of its own, and kills or leaves it: at its prompt, or once a wrong password is typed.
const RECKLESS: &str = r#"
import os, pty, signal, sys, time
def su(typed, end):
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("su", ["su", "alice", "-c", "true"])
    seen = b""
    while b"assword" not in seen:
        try:
            seen += os.read(terminal, 4096)
        except OSError:
            break
    else:
        time.sleep(0.3)
        os.write(terminal, typed)
        end(child, terminal)
    os.waitpid(child, 0)
    return seen.decode().strip()
def kill(child, _): os.kill(child, signal.SIGKILL)
def stop(child, _):
    os.kill(child, signal.SIGSTOP); time.sleep(0.5); os.kill(child, signal.SIGKILL)
def hang_up(_, terminal): os.close(terminal)
su(b"", kill)
su(b"wrong" + bytes([10]), stop)
su(b"", hang_up)
time.sleep(1)
print(su(b"", kill))
"#;

#[test]
#[ignore = "needs a test host: make stories"]
fn a_su_that_is_killed_before_its_verdict_counts_as_a_failure() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    check("program", &host.write("/usr/local/lib/reckless.py", RECKLESS))?;
    let begin = trail::end(&host);
    let reckless = host.login("bob", "timeout 60 python3 /usr/local/lib/reckless.py");
    check("three of them", &reckless)?;
    let told = logins(&host, begin, "alice");
    let left = told.iter().filter(|event| event.detail.contains("left before its end")).count();
    let met = told.iter().filter(|event| event.detail.contains("limit met")).count();
    if left < 2 || met != 1 || !reckless.out.contains("ocked") {
        return Err(format!("{left} left, {met} met, shown {}: {told:?}", reckless.out));
    }
    // Bob is over the network, and so is the lock: the console is another matter.
    insist_in("at the console", &console(&host, "alice", &right("alice")), "alice")?;
    insist_out("over the network", &ssh(&host, "password", "alice", &right("alice")))?;
    unlock(&host)
}

/// Three su that wait at their prompts, and one more.
const WAITING: &str = r#"
import os, pty, time
def su():
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("su", ["su", "alice", "-c", "true"])
    return child, terminal
waiting = [su() for _ in range(3)]
time.sleep(3)
child, terminal = su()
time.sleep(3)
print(os.read(terminal, 4096).decode())
"#;

#[test]
#[ignore = "needs a test host: make stories"]
fn no_more_passwords_are_waited_for_than_failures_are_left() -> Result<(), String> {
    let host = set()?;
    check("program", &host.write("/usr/local/lib/waiting.py", WAITING))?;
    let begin = trail::end(&host);
    let waiting = host.login("bob", "timeout 60 python3 /usr/local/lib/waiting.py");
    check("four of them", &waiting)?;
    let told = logins(&host, begin, "alice");
    let crowded =
        |event: &Event| event.outcome == Outcome::Denied && event.detail.contains("as many attempts");
    if !waiting.out.contains("too many programs wait")
        || told.iter().filter(|event| crowded(event)).count() != 1
    {
        return Err(format!("shown {}: {told:?}", waiting.out));
    }
    unlock(&host)
}

/// The failed logins of an account by a service, with where each came from.
fn failures_by(host: &Host, after: u64, account: &str, service: &str) -> Vec<String> {
    let by = format!("by {service}: ");
    let told = logins(host, after, account).into_iter();
    let failed = told.filter(|event| event.operation == "login failed" && event.detail.contains(&by));
    failed.map(|event| event.origin.map_or_else(|| "nowhere".to_owned(), |from| from.to_string())).collect()
}

/// bob is logged in over the network; what works for him elsewhere is there, too.
#[test]
#[ignore = "needs a test host: make stories"]
fn guesses_of_a_user_manager_or_a_job_count_where_their_person_is() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    let begin = trail::end(&host);
    let guess = "echo wrong | su alice -c true";
    let manager = format!("systemd-run --user --wait -q sh -c '{guess}'");
    let job = format!("echo '{guess}' | at now 2>&1; sleep 8");
    for (way, script) in [("user manager", &manager), ("job", &job), ("user manager", &manager)] {
        let ran = host.login("bob", script);
        if ran.shown().contains("command not found") {
            return Err(format!("{way}: {}", ran.shown()));
        }
    }
    let from = failures_by(&host, begin, "alice", "su");
    if from != ["127.0.0.1"; 3] {
        return Err(format!("they count as from {from:?}"));
    }
    insist_out("over the network", &ssh(&host, "password", "alice", &right("alice")))?;
    insist_in("at the console", &console(&host, "alice", &right("alice")), "alice")?;
    unlock(&host)
}

/// What gdm3 43.0 of Debian 12 installs as /etc/pam.d/gdm-password, without its comments.
const GDM: &str = "auth requisite pam_nologin.so
auth required pam_succeed_if.so user != root quiet_success
@include common-auth
auth optional pam_gnome_keyring.so
@include common-account
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so close
session required pam_loginuid.so
session [success=ok ignore=ignore module_unknown=ignore default=bad] pam_selinux.so open
session optional pam_keyinit.so force revoke
session required pam_limits.so
session required pam_env.so readenv=1
session required pam_env.so readenv=1 envfile=/etc/default/locale
@include common-session
session optional pam_gnome_keyring.so auto_start
@include common-password";

/// One login at gdm's greeter, as its worker plays the stack; it is let in if the word is printed.
fn greeter(host: &Host, person: &str, password: &str) -> Ran {
    host.root(&format!(
        "echo '{password}' | timeout 60 pamtester -I tty=/dev/tty7 gdm-password {person} authenticate acct_mgmt \
         open_session close_session 2>&1 && echo {person}"
    ))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn gdms_own_stack_counts_locks_and_spares_at_the_machine() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    check(
        "stack",
        &host.root(&format!(
            "test -e /etc/pam.d/gdm-password || cat > /etc/pam.d/gdm-password <<'END'\n{GDM}\nEND"
        )),
    )?;
    let begin = trail::end(&host);
    insist_out("a wrong password", &greeter(&host, "alice", "wrong"))?;
    insist_in("the right one", &greeter(&host, "alice", &right("alice")), "alice")?;
    for person in ["alice", "bob"] {
        for _ in 0..3 {
            insist_out("a wrong password", &greeter(&host, person, "wrong"))?;
        }
    }
    let refused = greeter(&host, "bob", &right("bob"));
    insist_out("locked", &refused)?;
    if !refused.shown().contains("locked") {
        return Err(format!("bob was told {}", refused.shown()));
    }
    thread::sleep(Duration::from_secs(SPARED));
    insist_in("the last Administrator", &greeter(&host, "alice", &right("alice")), "alice")?;
    let from = failures_by(&host, begin, "alice", "gdm-password");
    if from.len() != 4 || from.iter().any(|from| !from.contains("tty7")) {
        return Err(format!("alice's failures are from {from:?}"));
    }
    let sessions = trail::after(&host, begin).into_iter().filter(|line| {
        line.event.operation == "session begin"
            && line.is_of("alice")
            && line.event.detail.starts_with("gdm-password, by")
    });
    match sessions.count() {
        2 => unlock(&host),
        count => Err(format!("{count} sessions of alice by gdm-password on record")),
    }
}

/// polkit asks through an agent of the terminal; the agent's helper plays the PAM stack.
const AGENT: &str = "#!/bin/sh
pkttyagent --process $$ --fallback &
agent=$!
sleep 1
pkcheck --action-id org.freedesktop.systemd1.manage-units --process $$ --allow-user-interaction
code=$?
kill $agent
exit $code";

#[test]
#[ignore = "needs a test host: make stories"]
fn polkits_questions_count_and_are_on_record() -> Result<(), String> {
    let host = set()?;
    check("hand", &host.write("/usr/local/lib/typed", include_str!("../src/typed.py")))?;
    check("agent", &host.write("/usr/local/lib/agent", AGENT))?;
    check("programs", &host.root("chmod 755 /usr/local/lib/typed /usr/local/lib/agent"))?;
    let begin = trail::end(&host);
    let asked = |password: &str| {
        host.login("alice", &format!("timeout 60 /usr/local/lib/typed {password} /usr/local/lib/agent"))
    };
    insist_out("a wrong password", &asked("wrong"))?;
    check("the right one", &asked(&right("alice")))?;
    let from = failures_by(&host, begin, "alice", "polkit-1");
    let passed = logins(&host, begin, "alice").into_iter();
    let passed = passed.filter(|event| {
        event.operation == "login passed"
            && event.detail.contains("by polkit-1: ")
            && event.outcome == Outcome::Success
    });
    match (&from[..], passed.count()) {
        ([from], 1) if from == "127.0.0.1" => unlock(&host),
        (from, passed) => Err(format!("failures from {from:?}, {passed} passed")),
    }
}
