// SPDX-License-Identifier: Apache-2.0
//! Whether idle screens lock, and when: rows 13 and 14 of Table 3, with dconf's own word in bob's session, and a shell
//! on a terminal that ends.

use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, bob, check};
use virtwarden_tests::setting::{bob_is_refused, is_on_record, is_on_record_of, must_contain};
use virtwarden_tests::trail;

const LOCK: &str = "virtwarden setting set screen-lock lock=enabled --reason 'site rule 13'";
const TIMEOUT: &str = "virtwarden setting set screen-lock-timeout idle=10m delay=20s --reason 'site rule 14'";
const UNSET: &str = "virtwarden setting unset screen-lock && virtwarden setting unset screen-lock-timeout";

/// What the settings could touch.
const FILES: &str =
    "find /etc/dconf /etc/profile.d /etc/systemd/system -type f -o -type l | sort | xargs sha256sum;
    find /etc/dconf /etc/profile.d /etc/systemd/system -type d | sort; ls /run/dconf/user 2>/dev/null";

/// What a desktop of bob's would do, asked by his account.
const DESKTOP: &str = "gsettings get org.gnome.desktop.screensaver lock-enabled
    gsettings get org.gnome.desktop.session idle-delay; gsettings get org.gnome.desktop.screensaver lock-delay";

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("begin anew", &alice(&host, UNSET))?;
    check("bob's own", &bob(&host, "dconf reset -f /org/gnome/desktop/; echo user-db:user > ~/profile"))?;
    Ok(host)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn desktops_lock_as_alice_says() -> Result<(), String> {
    let host = begin()?;
    chapter("before: each person's own");
    check("bob's own", &bob(&host, "gsettings set org.gnome.desktop.screensaver lock-enabled false"))?;
    must_contain("before", &bob(&host, DESKTOP), "false\nuint32 300\nuint32 0\n")?;
    chapter("alice sets the lock and its time");
    let since = trail::end(&host);
    check("set", &alice(&host, LOCK))?;
    check("set", &alice(&host, TIMEOUT))?;
    is_on_record(&host, since, "setting set screen-lock", Function::ScreenLock)?;
    is_on_record(&host, since, "setting set screen-lock-timeout", Function::ScreenLockTimeout)?;
    must_contain("bob's desktop", &bob(&host, DESKTOP), "true\nuint32 600\nuint32 20\n")?;
    told("gsettings", "bob's lock, idle and delay", "as set");
    for name in ["screen-lock", "screen-lock-timeout"] {
        let shown = alice(&host, &format!("virtwarden setting show {name}"));
        check("show", &shown)?;
        if shown.out.contains("DIFFERS") {
            return Err(format!("drift: {}", shown.out));
        }
    }
    chapter("the lock is disabled, and its time stays");
    check("set", &alice(&host, "virtwarden setting set screen-lock lock=disabled"))?;
    must_contain("bob's desktop", &bob(&host, DESKTOP), "false\nuint32 600\nuint32 20\n")?;
    check("unset", &alice(&host, "virtwarden setting unset screen-lock"))?;
    must_contain("bob's desktop", &bob(&host, DESKTOP), "false\nuint32 600\nuint32 20\n")?;
    must_contain(
        "bob's own lock",
        &bob(&host, "gsettings writable org.gnome.desktop.screensaver lock-enabled"),
        "true",
    )?;
    check("tidy", &alice(&host, UNSET))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_changes_neither() -> Result<(), String> {
    let host = begin()?;
    check("set", &alice(&host, &format!("{LOCK} && {TIMEOUT}")))?;
    chapter("bob is refused, and a profile of his own is not read");
    let asked =
        format!("setpriv --reuid=bob --regid=bob --clear-groups env HOME=/home/bob sh -c '{DESKTOP}'");
    let state = || format!("{}{}", host.root(FILES).out, host.root(&asked).shown());
    let refusals = |name: &str, set: &str| {
        [format!("virtwarden setting set {name} {set}"), format!("virtwarden setting unset {name}")]
    };
    let [set, unset] = refusals("screen-lock", "lock=disabled");
    let attempts = [
        (set.as_str(), "(Table 3, 13)"),
        (unset.as_str(), "(Table 3, 13)"),
        ("gsettings set org.gnome.desktop.screensaver lock-enabled false", "not writable"),
        ("dconf write /org/gnome/desktop/screensaver/lock-enabled false", "non-writable"),
        (
            "dconf reset -f /org/gnome/desktop/; rm -f ~/.config/dconf/user; gsettings get org.gnome.desktop.screensaver lock-enabled",
            "true",
        ),
        ("DCONF_PROFILE=$HOME/profile gsettings get org.gnome.desktop.screensaver lock-enabled", "true"),
        (
            "DCONF_PROFILE=$HOME/profile dconf write /org/gnome/desktop/screensaver/lock-enabled false",
            "non-writable",
        ),
        ("echo > /etc/dconf/db/local.d/locks/90-virtwarden-screen-lock", "ermission denied"),
        ("rm -f /run/dconf/user/$(id -u)", "ermission denied"),
    ];
    bob_is_refused(&host, state, &attempts, (Function::ScreenLock, 2))?;
    let [set, unset] = refusals("screen-lock-timeout", "idle=1d");
    let attempts = [
        (set.as_str(), "(Table 3, 14)"),
        (unset.as_str(), "(Table 3, 14)"),
        ("gsettings set org.gnome.desktop.session idle-delay 0", "not writable"),
        ("gsettings set org.gnome.desktop.screensaver lock-delay 3600", "not writable"),
        ("DCONF_PROFILE=$HOME/profile gsettings get org.gnome.desktop.session idle-delay", "uint32 600"),
        ("echo > /etc/profile.d/virtwarden-console.sh", "ermission denied"),
    ];
    bob_is_refused(&host, state, &attempts, (Function::ScreenLockTimeout, 2))?;
    check("tidy", &alice(&host, UNSET))
}

/// What a program of bob's that starts now has on its desktop.
const TIMES: &str = "gsettings get org.gnome.desktop.session idle-delay
    gsettings get org.gnome.desktop.screensaver lock-delay";

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_locks_his_own_screen_sooner_and_never_later() -> Result<(), String> {
    let host = begin()?;
    chapter("bob shortens his own time");
    let too_early = bob(&host, "virtwarden screen shorten 4m");
    if too_early.succeeded() {
        return Err(too_early.shown());
    }
    must_contain("before anybody has set one", &too_early, "your desktop's settings")?;
    check("set", &alice(&host, TIMEOUT))?;
    let since = trail::end(&host);
    check("shorten", &bob(&host, "virtwarden screen shorten 4m"))?;
    is_on_record_of("bob", &host, since, "screen shorten", Function::ScreenLockTimeout)?;
    must_contain("bob's desktop", &bob(&host, TIMES), "uint32 240\nuint32 20\n")?;
    must_contain("alice's desktop", &alice(&host, TIMES), "uint32 600\nuint32 20\n")?;
    must_contain("show", &bob(&host, "virtwarden screen show"), "dark after 4 min, locked 20 s later")?;
    let shown = alice(&host, "virtwarden setting show screen-lock-timeout");
    must_contain("alice is told", &shown, "shorter for bob")?;
    if shown.out.contains("DIFFERS") {
        return Err(format!("drift: {}", shown.out));
    }
    let history = alice(&host, "virtwarden setting history screen-lock-timeout");
    must_contain("history", &history, "screen shorten")?;
    told("bob", "his own time", "4 minutes, everybody's is 10");
    chapter("he lengthens nothing, by no door");
    let state = || format!("{}{}", host.root(FILES).out, bob(&host, TIMES).out);
    let attempts = [
        ("virtwarden screen shorten 11m", "(Table 3, 14)"),
        ("virtwarden screen shorten 4m --delay 21s", "(Table 3, 14)"),
        ("virtwarden screen shorten 1d --dry-run", "(Table 3, 14)"),
        ("virtwarden screen shorten 30s", "from 1 minute"),
        ("gsettings set org.gnome.desktop.session idle-delay 0", "not writable"),
        ("gsettings set org.gnome.desktop.session idle-delay 60", "not writable"),
        ("dconf write /org/gnome/desktop/screensaver/lock-delay 'uint32 3600'", "non-writable"),
        ("DCONF_PROFILE=$HOME/profile gsettings get org.gnome.desktop.session idle-delay", "uint32 240"),
        ("rm -f /run/virtwarden/desktop/$(id -u)", "ermission denied"),
        ("echo > /run/virtwarden/desktop/$(id -u).d/own", "ermission denied"),
        ("echo > /etc/dconf/virtwarden-screen-lock-timeouts", "ermission denied"),
        ("systemctl stop virtwarden-desktop-profile@$(id -u).service", "required"),
    ];
    bob_is_refused(&host, state, &attempts, (Function::ScreenLockTimeout, 3))?;
    chapter("while it changes, no program of his reads anything else");
    check("looking", &host.write("/home/bob/look", LOOK))?;
    let seen = bob(&host, "bash ~/look");
    must_contain("values seen", &seen, "only 180 240\n")?;
    check("in the end", &bob(&host, "virtwarden screen shorten 4m && rm ~/look"))?;
    chapter("alice's value counts where it is shorter, and bob's again where it is not");
    check("set", &alice(&host, "virtwarden setting set screen-lock-timeout idle=2m delay=0s"))?;
    must_contain("bob's desktop", &bob(&host, TIMES), "uint32 120\nuint32 0\n")?;
    check("set", &alice(&host, "virtwarden setting set screen-lock-timeout idle=10m delay=20s"))?;
    must_contain("bob's desktop", &bob(&host, TIMES), "uint32 240\nuint32 20\n")?;
    check("restore", &bob(&host, "virtwarden screen restore"))?;
    must_contain("bob's desktop", &bob(&host, TIMES), "uint32 600\nuint32 20\n")?;
    check("again", &bob(&host, "virtwarden screen shorten 1m --delay 0s"))?;
    let ran = on_a_console(&host)?;
    must_contain("TMOUT", &ran, "left=60.")?;
    must_contain("the shell", &ran, "ended by itself after 6")?;
    chapter("with everybody's setting goes what hangs on it");
    check("tidy", &alice(&host, UNSET))?;
    must_contain("bob's desktop", &bob(&host, TIMES), "uint32 300\nuint32 0\n")?;
    let left = host.root("ls /run/dconf/user /run/virtwarden/desktop 2>/dev/null; true").out;
    if left.lines().any(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(format!("left behind: {left}"));
    }
    Ok(())
}

/// Asks for bob's time while it is changed to and fro, with a profile of his own at hand; says which values there were.
const LOOK: &str = r#"
gsettings() { DCONF_PROFILE=$HOME/profile command gsettings "$@"; }
(for round in 1 2 3 4 5 6; do virtwarden -q screen shorten 3m; virtwarden -q screen shorten 4m; done; touch /tmp/bob-done) &
while [ ! -e /tmp/bob-done ]; do gsettings get org.gnome.desktop.session idle-delay; done > /tmp/bob-seen
wait; echo only $(cut -d' ' -f2 /tmp/bob-seen | sort -un); rm /tmp/bob-done /tmp/bob-seen
"#;

/// A login on a terminal of the machine itself, that types what it is told; what it showed, and whether it ended by itself.
const CONSOLE: &str = r#"
import os, pty, select, sys, time
child, terminal = pty.fork()
if child == 0:
    os.execvp("login", ["login", "-f", "bob"])
shown, typed, until = "", False, time.time() + 110
while time.time() < until:
    try:
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 4096).decode(errors="replace")
    except OSError:
        time.sleep(0.1)
    if not typed and "$ " in shown:
        typed = os.write(terminal, b"TMOUT=0\runset TMOUT\recho left=$TMOUT.\r") > 0
        began = time.time()
    if os.waitpid(child, os.WNOHANG)[0]:
        print(shown.replace("\r", ""), "ended by itself after", int(time.time() - began))
        sys.exit(0)
print(shown, "still there")
"#;

fn on_a_console(host: &Host) -> Result<Ran, String> {
    check("program", &host.write("/root/console.py", CONSOLE))?;
    Ok(host.root("timeout 120 python3 /root/console.py; rm /root/console.py"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_shell_on_a_console_ends() -> Result<(), String> {
    let host = begin()?;
    chapter("a shell on the machine's own terminal that nobody types into");
    check("set", &alice(&host, "virtwarden setting set screen-lock-timeout idle=1m"))?;
    let ran = on_a_console(&host)?;
    must_contain("TMOUT", &ran, "left=60.")?;
    must_contain("the shell", &ran, "timed out waiting for input: auto-logout")?;
    must_contain("the shell", &ran, "ended by itself after 6")?;
    told("bash", "1 minute without input", "ended");
    let over_ssh = bob(&host, "bash -lic 'echo over ssh: ${TMOUT-none}.' 2>/dev/null");
    must_contain("over ssh", &over_ssh, "over ssh: none.")?;
    check("tidy", &alice(&host, UNSET))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_hand_is_seen_and_unset_leaves_no_trace() -> Result<(), String> {
    let host = begin()?;
    chapter("drift is shown, and unset leaves no trace, in whichever order");
    let before = host.root(FILES).out;
    check("dry run", &alice(&host, &format!("{LOCK} --dry-run && {TIMEOUT} --dry-run")))?;
    if host.root(FILES).out != before {
        return Err("a dry run changed something".to_owned());
    }
    check("set", &alice(&host, &format!("{LOCK} && {TIMEOUT}")))?;
    let by_hand = "rm /etc/dconf/db/local.d/locks/*-timeout; dconf update; echo 'readonly TMOUT=7' > /etc/profile.d/a.sh";
    check("by hand", &host.root(by_hand))?;
    let shown = alice(&host, "virtwarden setting show screen-lock-timeout");
    check("tidy", &host.root("rm /etc/profile.d/a.sh"))?;
    must_contain("drift", &shown, "locks/90-virtwarden-screen-lock-timeout` is missing")?;
    must_contain("drift", &shown, "idle-delay` is not locked")?;
    must_contain("drift", &shown, "TMOUT 7, not 600")?;
    for (first, second) in [("screen-lock", "screen-lock-timeout"), ("screen-lock-timeout", "screen-lock")] {
        check("set", &alice(&host, &format!("{TIMEOUT} && {LOCK}")))?;
        check("unset", &alice(&host, &format!("virtwarden setting unset {first}")))?;
        let shown = alice(&host, &format!("virtwarden setting show {second}"));
        if shown.out.contains("DIFFERS") {
            return Err(format!("`{second}` went with `{first}`: {}", shown.out));
        }
        check("unset", &alice(&host, &format!("virtwarden setting unset {second}")))?;
        let after = host.root(FILES).out;
        if after != before {
            return Err(format!("before:\n{before}\nafter:\n{after}"));
        }
        told("alice", &format!("unset {first}, then {second}"), "as it was, byte for byte");
    }
    for value in [
        "screen-lock lock=maybe",
        "screen-lock-timeout idle=1s",
        "screen-lock-timeout idle=2d",
        "screen-lock-timeout idle=10m delay=2h",
    ] {
        let ran = alice(&host, &format!("virtwarden setting set {value}"));
        if ran.succeeded() || host.root(FILES).out != before {
            return Err(format!("`{value}` was taken: {}", ran.shown()));
        }
        told("alice", value, "refused");
    }
    Ok(())
}
