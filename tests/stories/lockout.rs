// SPDX-License-Identifier: Apache-2.0
//! Guessing passwords: FIA_AFL_EXT.1, scenarios AFL-1 to AFL-4, and what a person who is locked out can do
//! about it. alice is an Administrator, bob a User; root, who has a key alone, unlocks.

use std::thread;
use std::time::{Duration, Instant};

use virtwarden_core::record::{Event, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::guessing::{
    LOCK, METHODS, SPARED, console, count, fail, insist_in, insist_out, is_locked, logins, right, set, ssh,
    unlock,
};
use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{BEHIND, check};
use virtwarden_tests::trail::{self, eventually};

#[test]
#[ignore = "needs a test host: make stories"]
fn afl_1_one_failure_less_than_the_limit_then_the_right_password() -> Result<(), String> {
    let host = set()?;
    for method in METHODS {
        let begin = trail::end(&host);
        fail(&host, method, "alice", 2)?;
        insist_in(method, &ssh(&host, method, "alice", &right("alice")), "alice")?;
        eventually(|| {
            let told = logins(&host, begin, "alice");
            let counts = [
                count(&told, "login failed", Outcome::Failure),
                count(&told, "login passed", Outcome::Success),
                count(&told, "login locked", Outcome::Denied),
            ];
            if counts == [2, 1, 0] { Ok(()) } else { Err(format!("{method}: {counts:?}: {told:?}")) }
        })?;
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn afl_2_at_the_limit_the_right_password_is_refused() -> Result<(), String> {
    let host = set()?;
    for method in METHODS {
        unlock(&host)?;
        let begin = trail::end(&host);
        fail(&host, method, "alice", 3)?;
        let refused = ssh(&host, method, "alice", &right("alice"));
        insist_out(method, &refused)?;
        if !is_locked(&host, "alice")? {
            return Err(format!("{method}: alice is not shown as locked"));
        }
        eventually(|| {
            let told = logins(&host, begin, "alice");
            let counts = [
                count(&told, "login failed", Outcome::Failure),
                count(&told, "login locked", Outcome::Denied),
                count(&told, "login passed", Outcome::Success),
            ];
            let refusals = count(&told, "login begin", Outcome::Denied);
            let met = told.iter().any(|event| event.detail.contains("limit met"));
            if counts == [3, 1, 0] && refusals > 0 && met {
                return Ok(());
            }
            Err(format!("{method}: {counts:?} {refusals}: {told:?}"))
        })?;
    }
    unlock(&host)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn afl_3_another_administrator_unlocks() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    fail(&host, "password", "alice", 3)?;
    insist_out("locked", &ssh(&host, "password", "alice", &right("alice")))?;
    thread::sleep(Duration::from_secs(LOCK));
    insist_out("time does not end it", &ssh(&host, "password", "alice", &right("alice")))?;
    let begin = trail::end(&host);
    check("unlock", &host.login("root", "virtwarden lockout unlock alice"))?;
    insist_in("unlocked", &ssh(&host, "password", "alice", &right("alice")), "alice")?;
    let by_root = |event: &Event| event.actor.as_ref().is_some_and(|actor| actor.account.name == "root");
    eventually(|| {
        let told = logins(&host, begin, "alice");
        if told.iter().any(|event| event.operation == "login unlocked" && by_root(event)) {
            return Ok(());
        }
        Err(format!("no record of the unlock: {told:?}"))
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn afl_4_just_before_its_time_refused_just_after_let_in() -> Result<(), String> {
    let host = set()?;
    // A login takes a second or two before it is judged at its end; on a busy host more.
    let in_time = [6, 15, 25].into_iter().find_map(|before| just_before_and_after(&host, before).transpose());
    in_time.unwrap_or_else(|| Err("this host is too slow for this story".to_owned()))
}

/// Tries so many seconds before the lock ends, and after it. None if this host was too slow to try before.
fn just_before_and_after(host: &Host, seconds: u64) -> Result<Option<()>, String> {
    unlock(host)?;
    fail(host, "password", "alice", 2)?;
    let before = Instant::now();
    fail(host, "password", "alice", 1)?;
    let after = Instant::now();
    let lock = Duration::from_secs(LOCK);
    // The lock fell between the two moments.
    let early = before + lock - Duration::from_secs(seconds);
    thread::sleep(early.saturating_duration_since(Instant::now()));
    let early = ssh(host, "password", "alice", &right("alice"));
    if Instant::now() > before + lock {
        return Ok(None);
    }
    insist_out("just before", &early)?;
    thread::sleep((after + lock).saturating_duration_since(Instant::now()));
    insist_in("just after", &ssh(host, "password", "alice", &right("alice")), "alice").map(Some)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_key_still_opens_and_neither_it_nor_sudo_without_a_password_clears_anything() -> Result<(), String> {
    let host = set()?;
    fail(&host, "password", "alice", 3)?;
    check("sudoers", &host.write("/etc/sudoers.d/story", "alice ALL=(ALL) NOPASSWD: ALL"))?;
    let with_key = host.login("alice", "id -un && sudo -n id -u");
    host.root("rm -f /etc/sudoers.d/story");
    check("key and sudo", &with_key)?;
    insist_in("key", &with_key, "alice")?;
    insist_out("still locked", &ssh(&host, "password", "alice", &right("alice")))?;
    if is_locked(&host, "alice")? { unlock(&host) } else { Err("the lock was cleared".to_owned()) }
}

/// A hundred guesses that run side by side as if over the network, then the right one.
const HUNDRED: &str = "cd /tmp; for n in $(seq 100); do \
    echo wrong-$n | timeout 120 pamtester -I rhost=192.0.2.7 -I tty=ssh sshd alice authenticate >/dev/null 2>&1 & \
    done; wait; echo alice-password | timeout 60 pamtester -I rhost=192.0.2.7 -I tty=ssh sshd alice authenticate";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_hundred_at_once_get_no_more_guesses_than_one_after_the_other() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    let begin = trail::end(&host);
    insist_out("the right one came too late", &host.root(HUNDRED))?;
    eventually(|| guessed_as_often(&logins(&host, begin, "alice")))?;
    unlock(&host)
}

/// Two that failed, one that met the limit, one lock; none that passed.
fn guessed_as_often(told: &[Event]) -> Result<(), String> {
    let of = |operation: &str, words: &str| {
        told.iter().filter(|event| event.operation == operation && event.detail.contains(words)).count()
    };
    let counts = [
        of("login failed", "more and the account is locked"),
        of("login failed", "the limit is met"),
        of("login locked", "limit met"),
    ];
    let passed =
        told.iter().filter(|event| event.operation == "login passed" && event.outcome == Outcome::Success);
    if counts == [2, 1, 1] && passed.count() == 0 { Ok(()) } else { Err(format!("{counts:?}: {told:?}")) }
}

/// Two logins that begin before the lock falls, and whose passwords are typed when it has.
const BEGUN_BEFORE: &str = "cd /tmp; \
    try() { timeout 120 pamtester -I rhost=192.0.2.7 -I tty=ssh sshd alice authenticate; }; \
    late() { ( while test ! -e locked; do sleep 0.3; done; echo \"$2\" ) | try > $1 2>&1; echo \"code $?\" >> $1; }; \
    rm -f locked right wrong; late right alice-password & late wrong wrong & sleep 5; \
    for n in 1 2 3; do echo wrong | try; done >/dev/null 2>&1; touch locked; wait; cat right; echo ==; cat wrong";

#[test]
#[ignore = "needs a test host: make stories"]
fn nothing_tells_a_right_guess_from_a_wrong_one_that_comes_too_late() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    let begin = trail::end(&host);
    let seen = host.root(BEGUN_BEFORE).out;
    eventually(|| {
        let told = logins(&host, begin, "alice");
        let late = |operation: &str, words: &str| {
            told.iter().any(|event| event.operation == operation && event.detail.contains(words))
        };
        let both = late("login passed", "the limit was met before")
            && late("login failed", "refused, the account is locked");
        if both { Ok(()) } else { Err(format!("they were not too late: {told:?}")) }
    })?;
    match seen.split_once("==\n") {
        Some((right, wrong)) if right == wrong && right.contains("code 1") => unlock(&host),
        _ => Err(format!("they look different: {seen}")),
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_lock_survives_the_monitors_death_and_the_hosts_reboot() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    fail(&host, "password", "alice", 3)?;
    check("kill", &host.root("systemctl kill -s KILL virtwarden-policyd"))?;
    host.wait("back", "systemctl is-active virtwarden-policyd && test -S /run/virtwarden/login.sock")?;
    insist_out("after its death", &ssh(&host, "password", "alice", &right("alice")))?;
    // A guest that does not react would hold the shutdown up.
    host.root(&format!(
        "for vm in $(virsh -c '{BEHIND}' list --name); do virsh -c '{BEHIND}' destroy $vm; done"
    ));
    check("reboot", &host.reboot())?;
    insist_out("after a reboot", &ssh(&host, "password", "alice", &right("alice")))?;
    if !is_locked(&host, "alice")? {
        return Err("the lock is gone".to_owned());
    }
    unlock(&host)?;
    insist_in("unlocked", &ssh(&host, "password", "alice", &right("alice")), "alice")
}

#[test]
#[ignore = "needs a test host: make stories"]
fn whoever_is_locked_out_cannot_unlock_himself() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    fail(&host, "password", "bob", 3)?;
    let kept = "sha256sum /var/lib/virtwarden/lockout.json /var/lib/virtwarden/lockout/locked";
    let (before, begin) = (host.root(kept).out, trail::end(&host));
    for (attempt, shown) in [
        ("virtwarden lockout unlock bob", "(Table 3, 16)"),
        ("virtwarden lockout set --attempts 100 --period 1m --unlock 1s --reason mine", "(Table 3, 16)"),
        ("rm -f /var/lib/virtwarden/lockout.json", "ermission denied"),
        ("rm -rf /var/lib/virtwarden/lockout", "ermission denied"),
        ("mv /var/lib/virtwarden/lockout /tmp/mine", "ermission denied"),
        ("date -s +1hour", "ermitted"),
        ("systemctl restart virtwarden-policyd", ""),
        ("printf x | timeout 5 nc -U /run/virtwarden/login.sock", "ermission denied"),
        ("PATH=$PATH:/usr/sbin faillock --user bob --reset && false", ""),
    ] {
        let ran = host.login("bob", &format!("{attempt} 2>&1"));
        insist_out(attempt, &ran)?;
        if !ran.shown().contains(shown) {
            return Err(format!("`{attempt}` showed {}", ran.shown()));
        }
    }
    if host.root(kept).out != before {
        return Err("what is kept has changed".to_owned());
    }
    insist_out("still locked", &ssh(&host, "password", "bob", &right("bob")))?;
    trail::until(&host, begin, |told| {
        let denied = told.iter().filter(|recorded| {
            let of_row_16 = recorded.event.functions.contains(&Function::LockoutPolicy);
            recorded.is_of("bob") && recorded.event.outcome == Outcome::Denied && of_row_16
        });
        let operations: Vec<_> = denied.map(|recorded| recorded.event.operation.as_str()).collect();
        // Who sets it looks first at what it is.
        let all = operations == ["lockout unlock", "setting show", "lockout set"];
        if all { Ok(()) } else { Err(format!("on record: {operations:?}")) }
    })?;
    unlock(&host)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_last_administrator_gets_in_at_the_console_and_a_user_waits() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    for person in ["alice", "bob"] {
        for _ in 0..3 {
            insist_out("a wrong password", &console(&host, person, "wrong"))?;
        }
        insist_out("locked, or to wait", &console(&host, person, &right(person)))?;
    }
    thread::sleep(Duration::from_secs(SPARED));
    insist_in("the last Administrator", &console(&host, "alice", &right("alice")), "alice")?;
    insist_out("a User", &console(&host, "bob", &right("bob")))?;
    unlock(&host)?;
    insist_in("unlocked", &console(&host, "bob", &right("bob")), "bob")
}

const UNITS: &str = "virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket virtwarden-control.socket \
     virtwarden-login.socket";

#[test]
#[ignore = "needs a test host: make stories"]
fn while_the_monitor_is_away_nobodys_lock_disappears() -> Result<(), String> {
    let host = set()?;
    check("rule", &host.login("root", "virtwarden lockout set --unlock never --reason story"))?;
    for _ in 0..3 {
        insist_out("a wrong password", &console(&host, "bob", "wrong"))?;
    }
    check("away", &host.root(&format!("systemctl mask --runtime --now {UNITS}")))?;
    let looked = look_while_away(&host);
    check("back", &host.root(&format!("systemctl unmask --runtime {UNITS}; systemctl start {UNITS}")))?;
    looked?;
    insist_out("bob, after it is back", &console(&host, "bob", &right("bob")))?;
    unlock(&host)
}

fn look_while_away(host: &Host) -> Result<(), String> {
    insist_out("bob is locked", &console(host, "bob", &right("bob")))?;
    insist_in("alice at the console", &console(host, "alice", &right("alice")), "alice")?;
    for method in METHODS {
        insist_out("no password over the network", &ssh(host, method, "alice", &right("alice")))?;
    }
    let with_key = host.login("alice", "id -un; timeout 20 virtwarden status");
    if with_key.out.contains("alice") && !with_key.succeeded() {
        Ok(())
    } else {
        Err(format!("with a key: {}", with_key.shown()))
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn an_administrators_password_is_out_of_a_users_reach_even_as_root() -> Result<(), String> {
    let host = set()?;
    check(
        "sudoers",
        &host.write("/etc/sudoers.d/story", "bob ALL=(root) NOPASSWD: /usr/bin/passwd, /usr/sbin/chpasswd"),
    )?;
    let (before, begin) = (host.root("sha256sum /etc/shadow").out, trail::end(&host));
    let tried = [
        "printf 'another-Password-1\nanother-Password-1\n' | sudo -n passwd alice",
        "echo alice:another-Password-1 | sudo -n chpasswd",
    ]
    .map(|attempt| (attempt, host.login("bob", &format!("{attempt} 2>&1"))));
    host.root("rm -f /etc/sudoers.d/story");
    for (attempt, ran) in &tried {
        insist_out(attempt, ran)?;
        if !ran.shown().contains("(Table 3, 12)") {
            return Err(format!("`{attempt}` showed {}", ran.shown()));
        }
    }
    if host.root("sha256sum /etc/shadow").out != before {
        return Err("the shadow file has changed".to_owned());
    }
    let denied = |recorded: &&trail::Recorded| {
        let login = recorded.event.actor.as_ref().and_then(|actor| actor.login.as_ref());
        recorded.event.operation == "credential change"
            && recorded.event.outcome == Outcome::Denied
            && recorded.event.functions == [Function::AuthorizationFactors]
            && recorded.is_about("alice")
            && login.is_some_and(|login| login.account.name == "bob")
    };
    trail::until(&host, begin, |told| match told.iter().filter(denied).count() {
        2 => Ok(()),
        count => Err(format!("{count} denials on record")),
    })
}
