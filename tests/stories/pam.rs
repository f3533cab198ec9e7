// SPDX-License-Identifier: Apache-2.0
//! The PAM module inside real programs of libpam, with hostile names, limits and descriptors, and in front of a
//! policyd that is dead, slow or lying. Whatever happens, the program neither crashes nor hangs, and nobody gets
//! in who would have been refused.

use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::scene::check;

/// As `pam-auth-update` puts the lines together.
const STACK: &str = "auth requisite pam_virtwarden.so begin
auth [success=2 default=ignore] FACTOR
auth [default=die] pam_virtwarden.so failed
auth requisite pam_deny.so
auth required pam_permit.so
auth required pam_virtwarden.so passed
account required pam_virtwarden.so
account required pam_permit.so
session optional pam_virtwarden.so
session required pam_permit.so
password required pam_virtwarden.so wanted
password [success=1 default=ignore] pam_unix.so
password requisite pam_deny.so
password required pam_permit.so
password optional pam_virtwarden.so done
";

const LOCKED: &str = "/var/lib/virtwarden/lockout/locked";

/// An impostor in policyd's place; the real one comes back when this goes.
struct Stage<'host> {
    host: &'host Host,
}

impl<'host> Stage<'host> {
    /// `pam-story` asks for a password; `pam-open` takes everybody, so that only the module can refuse.
    fn set(host: &'host Host) -> Result<Self, String> {
        check("put", &host.put(env!("CARGO_BIN_EXE_impostor"), "/usr/local/bin/impostor"))?;
        host.root(
            "systemctl stop virtwarden-policyd.service virtwarden-login.socket; mkdir -p /run/virtwarden; \
             mkdir -p /var/lib/virtwarden/lockout; rm -f /var/lib/virtwarden/lockout/locked",
        );
        for (service, factor) in [("pam-story", "pam_unix.so"), ("pam-open", "pam_permit.so")] {
            let stack = STACK.replace("FACTOR", factor);
            check("service", &host.write(&format!("/etc/pam.d/{service}"), &stack))?;
        }
        Ok(Self { host })
    }

    fn policyd_is(&self, manner: &str) -> Result<(), String> {
        let script = format!(
            "{GONE}; impostor {manner} > /run/impostor.log 2>&1 < /dev/null & echo $! > /run/impostor.pid; \
             for i in $(seq 50); do test -S /run/virtwarden/login.sock && exit 0; sleep 0.1; done; exit 1"
        );
        check(manner, &self.host.root(&script))
    }

    fn policyd_is_gone(&self) {
        self.host.root(GONE);
    }

    fn policyd_was_asked(&self) -> Vec<String> {
        self.host.root("cat /run/impostor.log").out.lines().map(str::to_owned).collect()
    }

    /// Runs pamtester; one that takes more than eight seconds counts as hanging.
    fn pamtester(&self, line: &str) -> Ran {
        self.host.root(&format!("echo alice-password | timeout -s KILL 8 pamtester {line}"))
    }
}

const GONE: &str = "test -f /run/impostor.pid && kill $(cat /run/impostor.pid); rm -f /run/impostor.pid \
                    /run/virtwarden/login.sock";

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        self.policyd_is_gone();
        self.host.root(
            "rm -f /etc/pam.d/pam-story /etc/pam.d/pam-open /var/lib/virtwarden/lockout/locked; \
             systemctl start virtwarden-login.socket virtwarden-policyd.service",
        );
    }
}

fn refused(ran: &Ran, shown: &str) -> Result<(), String> {
    match ran.code {
        1 if ran.shown().contains(shown) => Ok(()),
        code => Err(format!("refusal with `{shown}` expected; exit code {code}: {}", ran.shown())),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(is: &T, should: &T) -> Result<(), String> {
    if is == should { Ok(()) } else { Err(format!("{should:?} expected, got {is:?}")) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn policyd_hears_of_each_step_of_a_login() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    let steps = "authenticate acct_mgmt open_session close_session";
    check("login", &stage.pamtester(&format!("-I tty=tty9 pam-story alice {steps}")))?;
    let asked = [
        "Begin alice pam-story tty9 ",
        "Passed alice pam-story tty9 ",
        "Admit alice Seen",
        "Open alice Seen ",
        "Close 42",
    ];
    same(&stage.policyd_was_asked(), &asked.map(str::to_owned).to_vec())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_wrong_password_is_told_and_a_key_is_no_proof_of_the_stack() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    refused(&stage.pamtester("pam-story bob authenticate"), "Authentication failure")?;
    let exposed = "-E 'SSH_AUTH_INFO_0=publickey ssh-ed25519 AAAA'";
    check("key", &stage.pamtester(&format!("{exposed} pam-story bob acct_mgmt open_session")))?;
    let asked = [
        "Begin bob pam-story  ",
        "Failed bob pam-story  ",
        "Admit bob Absent",
        "Open bob Absent publickey ssh-ed25519 AAAA",
    ];
    same(&stage.policyd_was_asked(), &asked.map(str::to_owned).to_vec())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_person_is_told_what_policyd_says_unless_the_program_wants_silence() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("banner")?;
    let ran = stage.pamtester("pam-story alice authenticate");
    check("banner", &ran)?;
    if !ran.shown().contains("TEST Warning ä \\n %s") {
        return Err(format!("the banner is not shown literally: {}", ran.shown()));
    }
    stage.policyd_is("locked")?;
    let text = "this account is locked for another 9 minutes";
    refused(&stage.pamtester("pam-open alice authenticate"), text)?;
    let silent = stage.pamtester("pam-open alice 'authenticate(PAM_SILENT)'");
    refused(&silent, "")?;
    same(&silent.shown().contains(text), &false)
}

/// Manners in which there is no answer to be believed.
const LIARS: [&str; 7] = ["garbage", "huge", "escapes", "dripping", "silent", "mixed-up", "leaving"];

#[test]
#[ignore = "needs a test host: make stories"]
fn a_lying_or_hanging_policyd_lets_nobody_in_over_the_network_and_the_console_stays_open()
-> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    for manner in LIARS {
        stage.policyd_is(manner)?;
        let remote = stage.pamtester("-I rhost=192.0.2.7 pam-open alice authenticate");
        refused(&remote, "password logins over the network are refused")
            .map_err(|why| format!("{manner}: {why}"))?;
        check(manner, &stage.pamtester("pam-open alice authenticate acct_mgmt open_session"))?;
        let change = stage.pamtester("pam-open alice chauthtok");
        refused(&change, "credentials cannot be changed").map_err(|why| format!("{manner}: {why}"))?;
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn who_keeps_policyd_busy_gains_no_guesses() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("silent")?;
    let within_bobs_login =
        "echo 1001 > /proc/self/loginuid; timeout -s KILL 8 pamtester pam-open alice authenticate";
    refused(&host.root(within_bobs_login), "does not answer in time")
}

#[test]
#[ignore = "needs a test host: make stories"]
fn no_lock_disappears_with_policyd() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is_gone();
    let locks = "virtwarden-locked 1\nlocal - alice\nlocal 1000 bob\nlocal 99999999999 %FFroot";
    check("locks", &host.write(LOCKED, locks))?;
    refused(&stage.pamtester("pam-open alice authenticate"), "locked until an Administrator unlocks it")?;
    check("bob's lock is over", &stage.pamtester("pam-open bob authenticate"))?;
    refused(&stage.pamtester("pam-open \"$(printf '\\377root')\" authenticate"), "locked for another")?;
    refused(&stage.pamtester("-I rhost=h pam-open bob authenticate"), "over the network are refused")?;
    check("alice's key", &stage.pamtester("-I rhost=h pam-open alice acct_mgmt open_session"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_damaged_snapshot_opens_the_console_alone_and_is_named_in_the_log() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is_gone();
    check("locks", &host.write(LOCKED, "virtwarden-locked 1\nlocal - alice\n"))?;
    check("console", &stage.pamtester("pam-open alice authenticate"))?;
    let within_bobs_login =
        "echo 1001 > /proc/self/loginuid; timeout -s KILL 8 pamtester pam-open alice authenticate";
    refused(&host.root(within_bobs_login), "it is not known who is locked")?;
    check(
        "log",
        &host.root("journalctl -q --since -1min | grep 'not known who is locked: .*line 3 is malformed'"),
    )
}

/// Shell words.
const NAMES: [&str; 6] = [
    "\"$(head -c 65536 /dev/zero | tr '\\0' a)\"",
    "\"$(head -c 257 /dev/zero | tr '\\0' a)\"",
    "\"$(printf 'al\\377\\376ice')\"",
    "\"$(printf 'alice\\nroot')\"",
    "'%s%n%n'",
    "\"$(printf '\\033[2J')\"",
];

#[test]
#[ignore = "needs a test host: make stories"]
fn hostile_names_arrive_and_what_no_account_can_have_is_refused() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    for name in NAMES {
        let ran = stage.pamtester(&format!("pam-open {name} authenticate"));
        let expected = i32::from(name.contains("zero"));
        same(&ran.code, &expected).map_err(|why| format!("{name}: {why}: {}", ran.shown()))?;
    }
    let begun: Vec<String> =
        stage.policyd_was_asked().into_iter().filter(|line| line.starts_with("Begin")).collect();
    let heard = ["4096 bytes", "257 bytes", "al\\xff\\xfeice", "alice\\nroot", "%s%n%n", "\\x1b[2J"];
    same(&begun, &heard.map(|name| format!("Begin {name} pam-open  ")).to_vec())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn closed_descriptors_and_low_limits_change_no_refusal() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    for manner in ["refusing", "locked", "silent"] {
        stage.policyd_is(manner)?;
        for hostile in ["exec <&- >&- 2>&-", "exec <&-", "exec >&- 2>&-"] {
            let ran = strange(&host, hostile);
            same(&ran.code, &1).map_err(|why| format!("{manner}, {hostile}: {why}"))?;
        }
        for limit in 3..=8 {
            let ran = strange(&host, &format!("ulimit -n {limit}"));
            // 127: too few for the program itself to be loaded.
            if !matches!(ran.code, 1 | 127) {
                return Err(format!("{manner}, {limit} descriptors: {} {}", ran.code, ran.shown()));
            }
        }
    }
    stage.policyd_is("obliging")?;
    let closed = strange(&host, "exec <&- >&- 2>&-");
    same(&closed.code, &0).map_err(|why| format!("without descriptors: {why}"))
}

/// Over the network, so that a process that does not get its answer must refuse.
fn strange(host: &Host, hostile: &str) -> Ran {
    let pamtester = "pamtester -I rhost=192.0.2.7 pam-open alice authenticate";
    host.root(&format!("sh -c '{hostile}; exec timeout -s KILL 8 {pamtester}' < /dev/null"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_process_without_descriptors_cannot_pretend_that_policyd_is_away() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("locked")?;
    for limit in 3..=12 {
        let ran =
            host.root(&format!("ulimit -n {limit}; timeout -s KILL 8 pamtester pam-open alice authenticate"));
        if !matches!(ran.code, 1 | 127) {
            return Err(format!("{limit} descriptors: {} {}", ran.code, ran.shown()));
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn fifty_logins_at_once_are_all_served() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    let ran = host.root(
        "for i in $(seq 50); do \
           timeout -s KILL 30 pamtester pam-open alice authenticate acct_mgmt open_session close_session >/dev/null & \
           all=\"$all $!\"; done; \
         for one in $all; do wait $one || exit 1; done",
    );
    check("fifty", &ran)?;
    same(&stage.policyd_was_asked().len(), &250)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_program_without_privilege_is_left_alone() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("refusing")?;
    // Not by a login of his: that would ask policyd itself.
    let by_bob = "setpriv --reuid=bob --regid=bob --clear-groups timeout -s KILL 8 pamtester";
    let steps = "authenticate acct_mgmt open_session";
    check("screen lock", &host.root(&format!("{by_bob} pam-open bob {steps}")))?;
    same(&stage.policyd_was_asked(), &Vec::new())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_line_that_is_not_understood_lets_nobody_in() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    for line in ["auth required pam_virtwarden.so", "auth required pam_virtwarden.so begin debug"] {
        let stack = format!("{line}\nauth required pam_permit.so\n");
        check("service", &host.write("/etc/pam.d/pam-open", &stack))?;
        refused(&stage.pamtester("pam-open alice authenticate"), "Error in service module")?;
    }
    let logged =
        host.root("journalctl -q --since -1min | grep -c 'needs one argument: begin, failed or passed'");
    same(&(logged.out.trim().parse::<u32>().unwrap_or(0) >= 2), &true)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_thousand_logins_leave_neither_memory_nor_descriptors() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let stage = Stage::set(&host)?;
    stage.policyd_is("obliging")?;
    let ran = host.root(
        "steps=$(for i in $(seq 1000); do printf 'authenticate acct_mgmt open_session close_session '; done); \
         valgrind --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=9 \
           --num-callers=30 pamtester pam-open alice $steps > /run/valgrind.log 2>&1; code=$?; \
         grep -E 'definitely|indirectly|no leaks|ERROR SUMMARY|total heap' /run/valgrind.log; exit $code",
    );
    check("valgrind", &ran)?;
    print!("{}", ran.out);
    same(&stage.policyd_was_asked().len(), &5000)?;
    let ran = host.root(&format!("python3 - <<'END'\n{HANDLES}\nEND"));
    check("handles", &ran)?;
    print!("{}", ran.out);
    Ok(())
}

/// A thousand handles, each with the module loaded and unloaded.
const HANDLES: &str = r"
import ctypes, os, sys
pam = ctypes.CDLL('libpam.so.0')
CONVERSE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
class Conversation(ctypes.Structure):
    _fields_ = [('callback', CONVERSE), ('data', ctypes.c_void_p)]
conversation = Conversation(CONVERSE(lambda *_: 19), None)
def login():
    handle = ctypes.c_void_p()
    assert pam.pam_start(b'pam-open', b'alice', ctypes.byref(conversation), ctypes.byref(handle)) == 0
    for step in (pam.pam_authenticate, pam.pam_acct_mgmt, pam.pam_open_session, pam.pam_close_session):
        assert step(handle, 0) == 0
    assert pam.pam_end(handle, 0) == 0
def descriptors():
    return len(os.listdir('/proc/self/fd'))
def kilobytes():
    return int([line for line in open('/proc/self/status') if line.startswith('VmRSS')][0].split()[1])
before = descriptors()
sizes = [kilobytes()]
for _ in range(5):
    for _ in range(1000): login()
    sizes.append(kilobytes())
print('descriptors before and after 5000 logins:', before, descriptors(), '- KiB after each 1000:', sizes)
# libpam and Python grow once, at any time; a leak grows with every thousand.
growth = min(after - before for before, after in zip(sizes, sizes[1:]))
sys.exit(descriptors() != before or growth > 16)
";
