// SPDX-License-Identifier: Apache-2.0
//! An Administrator is a person who has logged in: every way to be one, and every way to be nobody (FIA_UIA_EXT.1).

use std::thread::sleep;
use std::time::Duration;

use virtwarden_core::authentication::{Absence, Authentication, Factor, Origin};
use virtwarden_core::control::Whoami;
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::scene::{self, check};
use virtwarden_tests::trail;

const WHO: &str = "virtwarden --json whoami";
/// ssh to the host itself, with what is typed at its prompt.
const SSH: &str = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
/// What an Administrator alone may do, and what shows that it was done.
const ACT: &str = "virtwarden vm assign finance alice";
const ACTED: &str = "virtwarden --json vm show finance | grep -c alice";

/// Who somebody turned out to be; what is printed around it is a terminal's.
fn told(ran: &Ran) -> Result<Whoami, String> {
    let text = &ran.out;
    let (from, to) = (text.find('{').unwrap_or_default(), text.rfind('}').map_or(0, |end| end + 1));
    let json = text.get(from..to).unwrap_or_default();
    serde_json::from_str(json).map_err(|error| format!("{error}: {}", ran.shown()))
}

fn with_password(person: &str, script: &str) -> String {
    let method = "-o PubkeyAuthentication=no -o PreferredAuthentications=password";
    format!("sshpass -p {person}-password {SSH} {method} {person}@127.0.0.1 \"{script}\"")
}

/// What somebody sees who logs in at a terminal: `PERSON PASSWORD COMMAND`.
fn at_a_terminal(words: &str) -> String {
    format!("timeout 120 python3 /usr/local/lib/console.py {words} 2>&1")
}

/// The programs that type what a person would.
fn hands(host: &Host) -> Result<(), String> {
    check("hand", &host.write("/usr/local/lib/console.py", include_str!("../src/console.py")))?;
    check("hand", &host.write("/usr/local/lib/typed", include_str!("../src/typed.py")))?;
    check("hand", &host.root("chmod 755 /usr/local/lib/typed"))
}

/// Waits for a sign that somebody else gives.
fn awaits(sign: &str) -> String {
    format!("for try in $(seq 300); do test -e /tmp/story-{sign} && break; sleep 0.3; done")
}

/// Waits until no login of alice's over ssh is open, and gives a sign.
const GONE: &str = "for try in $(seq 300); do pgrep -f 'alice \\[priv\\]' > /dev/null || break; sleep 0.3; done; \
                    sleep 1; touch /tmp/story-go";

/// A script of alice's own, for where quotes would not survive.
fn script(host: &Host, name: &str, text: &str) -> Result<String, String> {
    let path = format!("/tmp/story-{name}");
    check("write", &host.write(&path, text))?;
    check("write", &host.root(&format!("rm -f {path}.out; chmod 755 {path}")))?;
    Ok(path)
}

fn person(who: &Whoami) -> Result<(&str, &Origin, &[Factor]), String> {
    match &who.authentication {
        Authentication::Person(person) => Ok((&person.service, &person.origin, &person.factors)),
        Authentication::Nobody(absence) => Err(format!("nobody: {absence:?}")),
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn each_way_to_log_in_is_on_record_with_its_proof() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let before = trail::end(&host);
    let key = told(&host.login("alice", WHO))?;
    let (service, origin, factors) = person(&key)?;
    assert_eq!((service, origin), ("sshd", &Origin::Remote { address: "127.0.0.1".to_owned() }));
    let print = host
        .root("journalctl -o cat | grep 'Accepted publickey for alice' | tail -n 1 | grep -o 'SHA256:.*'")
        .out;
    assert!(
        matches!(factors, [Factor::PublicKey { key }] if print.lines().any(|print| key.ends_with(print.trim()))),
        "{factors:?} {print}"
    );
    assert!(key.roles.contains(&"administrator".to_owned()), "{key:?}");

    let password = told(&host.root(&with_password("alice", WHO)))?;
    let (service, _, factors) = person(&password)?;
    assert_eq!((service, factors), ("sshd", &[Factor::Password][..]));

    hands(&host)?;
    let console = told(&host.root(&at_a_terminal(&format!("alice alice-password '{WHO}'"))))?;
    let (service, origin, factors) = person(&console)?;
    assert_eq!((service, factors), ("login", &[Factor::Pam][..]));
    assert!(matches!(origin, Origin::Local { .. }), "{origin:?}");

    trail::until(&host, before, |told| {
        let began = told.iter().filter(|line| line.is_of("alice") && line.event.kind == Kind::Login);
        let began = began.filter(|line| line.event.operation == "session begin");
        let proofs: Vec<_> = began.map(|line| &line.event.detail).collect();
        for proof in ["sshd, by key", "sshd, by password", "login, by what PAM asked for"] {
            if !proofs.iter().any(|detail| detail.starts_with(proof)) {
                return Err(format!("{proof}: {proofs:?}"));
            }
        }
        Ok(())
    })
}

/// What is on record of failed logins with keys, once there is as much as expected: name, address and what happened.
fn rejections(host: &Host, since: u64, expected: usize) -> Vec<[String; 3]> {
    let one = |line: trail::Recorded| {
        let event = line.event;
        let failed = event.operation == "login rejected" && event.outcome == Outcome::Failure;
        let name = event.targets.first()?.name.clone()?;
        let from = event.origin.filter(|_| failed)?;
        Some([name, from.to_string(), event.detail])
    };
    let look = || -> Vec<_> { trail::after(host, since).into_iter().filter_map(one).collect() };
    for _ in 0..20 {
        if look().len() >= expected {
            break;
        }
        sleep(Duration::from_millis(500));
    }
    look()
}

/// Logs in with a key that nobody has provisioned.
fn strange_key(host: &Host, name: &str) -> Result<(), String> {
    let make = "test -e /tmp/story-key || ssh-keygen -q -t ed25519 -N '' -f /tmp/story-key";
    let options = "-F /dev/null -i /tmp/story-key -o IdentitiesOnly=yes -o BatchMode=yes";
    let ran = host.root(&format!("{make}; timeout 30 {SSH} {options} -l '{name}' 127.0.0.1 id 2>&1"));
    if !ran.succeeded() && ran.out.contains("ermission denied") {
        Ok(())
    } else {
        Err(format!("a strange key as `{name}`: {}", ran.shown()))
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_key_that_is_not_provisioned_is_on_record_with_name_and_address() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let before = trail::end(&host);
    let forged = "Failed publickey for root from 6.6.6.6 port 1 ssh2: RSA SHA256:x";
    let log = format!("logger -t sshd '{forged}'; logger -t sshd-session '{forged}'; true");
    check("forge", &host.login("bob", &log))?;
    for name in ["alice", "mallory", "x from 6.6.6.6 port 1 ssh2: "] {
        strange_key(&host, name)?;
    }
    let heard = rejections(&host, before, 3);
    let whom: Vec<_> = heard.iter().map(|[name, from, _]| (name.as_str(), from.as_str())).collect();
    assert_eq!(whom.get(..2), Some(&[("alice", "127.0.0.1"), ("mallory", "127.0.0.1")][..]), "{heard:?}");
    assert!(
        whom.get(2).is_some_and(|(name, from)| name.contains("6.6.6.6") && *from == "unknown"),
        "{heard:?}"
    );
    assert_eq!(heard.len(), 3, "one each, and none that bob wrote: {heard:?}");
    assert!(heard.iter().all(|[_, _, detail]| detail.contains("by sshd: ")), "{heard:?}");

    // Each key, where sshd tells of each; a key that fits afterwards changes nothing of that.
    check("level", &host.write("/etc/ssh/sshd_config.d/00-story-level.conf", "LogLevel VERBOSE"))?;
    check("sshd", &host.root("systemctl reload ssh && sleep 1"))?;
    let (before, strange) = (trail::end(&host), strange_key(&host, "alice"));
    let heard = rejections(&host, before, 1);
    check("level", &host.root("rm /etc/ssh/sshd_config.d/00-story-level.conf; systemctl reload ssh"))?;
    strange?;
    let print = host.root("ssh-keygen -l -f /tmp/story-key.pub").out;
    let print = print.split_whitespace().find(|word| word.starts_with("SHA256:")).unwrap_or("no print");
    assert!(
        matches!(&heard[..], [[name, _, detail]] if name == "alice" && detail.contains(print)),
        "{heard:?}"
    );

    // What happens while the monitor is away is told when it is back. And none of it locks anybody.
    let before = trail::end(&host);
    check("stop", &host.root("systemctl stop virtwarden-policyd virtwarden-login.socket"))?;
    let strange = strange_key(&host, "alice");
    check("start", &host.root("systemctl start virtwarden-login.socket virtwarden-policyd"))?;
    strange?;
    let heard = rejections(&host, before, 1);
    assert!(matches!(&heard[..], [[name, from, _]] if name == "alice" && from == "127.0.0.1"), "{heard:?}");
    for _ in 0..6 {
        strange_key(&host, "alice")?;
    }
    person(&told(&host.root(&with_password("alice", WHO)))?).map(drop)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn sudo_in_a_session_is_the_person_who_logged_in() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let sudo = format!("echo alice-password | sudo -S -p '' -i {WHO}");
    let root = told(&host.login("alice", &sudo))?;
    assert_eq!(
        (root.account.name.as_str(), root.login.map(|login| login.name).as_deref()),
        ("root", Some("alice"))
    );
    assert!(matches!(root.authentication, Authentication::Person(_)));
    let other = told(&host.login("alice", &format!("echo alice-password | sudo -S -p '' -u bob {WHO}")))?;
    assert_eq!(other.authentication, Authentication::Nobody(Absence::OtherAccount));
    Ok(())
}

/// What alice's account is where she has not logged in: shown the refusal, kept from acting, and on record.
fn is_nobody(host: &Host, way: &str, run: &str, absence: Absence) -> Result<(), String> {
    let before = trail::end(host);
    let act = script(host, "act", &format!("#!/bin/sh\n{{ {WHO}; {ACT}; }} > /tmp/story-act.out 2>&1"))?;
    check("ways", &host.root("rm -f /tmp/story-act.out"))?;
    let ran = host.root(&run.replace("ACT", &act));
    let out = host.root("for i in $(seq 1 75); do grep -qE 'denied|no VM' /tmp/story-act.out 2>/dev/null && break; sleep 1; done; cat /tmp/story-act.out");
    let who = told(&out).map_err(|error| format!("{way}: {error} {}", ran.shown()))?;
    if who.authentication != Authentication::Nobody(absence) || who.withheld != ["administrator"] {
        return Err(format!("{way}: {who:?}"));
    }
    if !out.out.contains("alice holds role `administrator`, but") && !out.out.contains("there is no VM") {
        return Err(format!("{way}: {}", out.shown()));
    }
    let acted = host.login("alice", ACTED).out;
    if acted.trim() != "0" {
        return Err(format!("{way}: acted {acted}"));
    }
    trail::until(host, before, |told| {
        let denied = told.iter().any(|line| {
            let nobody = line.event.actor.as_ref().is_some_and(|actor| actor.authenticated.is_none());
            line.is(Kind::Denial, Outcome::Denied)
                && line.is_of("alice")
                && line.is_about("finance")
                && nobody
        });
        if denied { Ok(()) } else { Err(format!("{way}: not on record")) }
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_runs_without_a_login_is_a_user_at_most() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    hands(&host)?;
    let cron = "printf '* * * * * alice ACT\\n' > /etc/cron.d/story; \
                for try in $(seq 130); do test -e /tmp/story-act.out && break; sleep 1; done; rm /etc/cron.d/story";
    let lingering = "loginctl enable-linger alice; \
                     for try in $(seq 200); do systemctl -q is-active user@$(id -u alice) && break; sleep 0.3; done; \
                     systemd-run -q --wait -M alice@.host --user ACT; \
                     loginctl disable-linger alice";
    let automatic = at_a_terminal("alice - ACT");
    let within = with_password("bob", "/usr/local/lib/typed alice-password su - alice -c ACT");
    for (way, run, absence) in [
        ("no login", "setpriv --reuid alice --regid alice --init-groups ACT", Absence::NoSession),
        ("systemd unit", "systemd-run -q --wait --uid alice ACT", Absence::NoSession),
        ("at", "su alice -c 'echo ACT | at now'", Absence::NoSession),
        ("user manager that lingers", lingering, Absence::NoSession),
        ("automatic login", automatic.as_str(), Absence::Unproved),
        ("su within bob's session", within.as_str(), Absence::OtherAccount),
        ("cron", cron, Absence::NoSession),
    ] {
        is_nobody(&host, way, run, absence)?;
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_outlives_its_session_is_nobodys() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let fresh = "rm -f /tmp/story-go /tmp/story-here";
    let (go, here) = (awaits("go"), awaits("here"));
    // In a file of its own: what has quotes already shall need no more.
    let left = script(&host, "left", &format!("#!/bin/sh\n{go}\nexec /tmp/story-act"))?;
    let tmux = format!("{fresh}; {SSH} alice@127.0.0.1 'tmux new-session -d {left}'; {GONE}");
    is_nobody(&host, "tmux", &tmux, Absence::Ended)?;
    let killed = format!(
        "{fresh}; {SSH} alice@127.0.0.1 'setsid {left} > /dev/null 2>&1 & touch /tmp/story-here; sleep 200' & {here}; \
         for leader in $(pgrep -f 'alice \\[priv\\]'); do kill -9 $leader; done; {GONE}"
    );
    is_nobody(&host, "the leader was killed", &killed, Absence::Ended)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn an_open_connection_loses_what_its_session_gave_it() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let open = "rm -f /tmp/story-in; mkfifo /tmp/story-in; (sleep 200 > /tmp/story-in 2> /dev/null < /dev/null) & \
                setsid virsh -c qemu:///system < /tmp/story-in > /tmp/story-virsh.out 2>&1 & \
                echo 'domstate finance' > /tmp/story-in; \
                until grep -q 'shut off' /tmp/story-virsh.out; do sleep 0.3; done";
    check("open", &host.root("rm -f /tmp/story-in /tmp/story-virsh.out /tmp/story-go"))?;
    let _left = host.root(&format!("timeout 60 {SSH} alice@127.0.0.1 \"{open}\""));
    check("worked", &host.root("grep -q 'shut off' /tmp/story-virsh.out"))?;
    check("left", &host.root(GONE))?;
    check("ask", &host.root("timeout 30 sh -c \"echo 'start finance' > /tmp/story-in\""))?;
    let _late = host.wait("answer", "grep -qE 'failed to get domain|access denied' /tmp/story-virsh.out");
    let said = host.root("cat /tmp/story-virsh.out").out;
    assert!(said.contains("failed to get domain") || said.contains("access denied"), "{said}");
    let state = host.login("alice", "virsh -c qemu:///system domstate finance").out;
    assert!(state.contains("shut off"), "{state}");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn policyd_may_die_while_people_are_logged_in() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("fresh", &host.root("rm -f /tmp/story-here /tmp/story-back"))?;
    let inside = format!("touch /tmp/story-here; {}; {WHO}", awaits("back"));
    let session = host.begin("alice", &inside).map_err(|error| error.to_string())?;
    host.wait("her session", "test -e /tmp/story-here")?;
    check("kill", &host.root("systemctl kill -s KILL virtwarden-policyd; sleep 1"))?;
    host.wait("the monitor", "systemctl is-active virtwarden-policyd && touch /tmp/story-back")?;
    let out = session.wait_with_output().map_err(|error| error.to_string())?;
    let who = told(&Ran::from(out))?;
    person(&who).map(drop)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn where_sessions_are_to_be_raised_a_login_is_a_users() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let rule = "[session]\nactivation = \"raise\"";
    check("rule", &host.write("/etc/virtwarden/policy.d/10-raise.toml", rule))?;
    check("reload", &host.login("alice", "virtwarden policy reload"))?;
    let who = told(&host.login("alice", WHO));
    let act = host.login("alice", "virtwarden policy show");
    check(
        "rule",
        &host.root("rm /etc/virtwarden/policy.d/10-raise.toml; systemctl reload virtwarden-policyd"),
    )?;
    let again = trail::eventually(|| check("again", &host.login("alice", "virtwarden policy show")));
    assert_eq!(who?.authentication, Authentication::Nobody(Absence::NotRaised));
    assert!(!act.succeeded() && act.err.contains("virtwarden session elevate"), "{}", act.shown());
    again
}

/// Connects to root's helper as often as it can, then takes all the places there are and says nothing.
const CROWD: &str = r#"
import socket, time
def connect():
    there = socket.socket(socket.AF_UNIX)
    there.settimeout(2)
    there.connect("/run/virtwarden/elevate.sock")
    return there
for _ in range(300):
    try:
        connect().close()
    except OSError:
        pass
silent = [connect() for _ in range(32)]
print("crowded", flush=True)
time.sleep(30)
"#;

#[test]
#[ignore = "needs a test host: make stories"]
fn a_crowd_without_tickets_keeps_nobody_from_raising_his_session() -> Result<(), String> {
    let host = Host::of_this_run()?;
    let rule = "[session]\nactivation = \"raise\"";
    check("rule", &host.write("/etc/virtwarden/policy.d/10-raise.toml", rule))?;
    check("reload", &host.root("systemctl reload virtwarden-policyd; sleep 1"))?;
    let kept = crowd(&host);
    check(
        "rule",
        &host.root("rm /etc/virtwarden/policy.d/10-raise.toml; systemctl reload virtwarden-policyd"),
    )?;
    kept
}

fn crowd(host: &Host) -> Result<(), String> {
    check("crowd", &host.write("/usr/local/lib/crowd.py", CROWD))?;
    let crowd = host.begin("bob", "timeout 60 python3 /usr/local/lib/crowd.py > /tmp/story-crowd.out 2>&1");
    let mut crowd = crowd.map_err(|error| error.to_string())?;
    let crowded = "for i in $(seq 60); do grep -q crowded /tmp/story-crowd.out && exit 0; sleep 0.5; done; \
                   cat /tmp/story-crowd.out; exit 1";
    let crowded = host.root(crowded);
    // The silent are sent away after seconds, though they would have stayed.
    let elevate = "for i in $(seq 10); do echo alice-password | virtwarden session elevate --stdin && exit 0; sleep 1; done; exit 1";
    let raised = host.login("alice", elevate);
    let still = crowd.try_wait().map_err(|error| error.to_string())?.is_none();
    let _reaped = (crowd.kill(), crowd.wait());
    check("crowd", &crowded)?;
    check("raised", &raised)?;
    if still { Ok(()) } else { Err("the crowd had gone before".to_owned()) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_service_does_what_is_listed_for_it_and_no_more() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let role = "[role.nightly]\ncolumn = \"administrator\"\nservices = [\"backup\"]\nfunctions = [\"checkpoint\"]\n\
                networks = []\npools = []\ndevices = []";
    check("role", &host.write("/etc/virtwarden/policy.d/10-nightly.toml", role))?;
    check("reload", &host.login("alice", "virtwarden policy reload"))?;
    let before = trail::end(&host);
    let as_backup = |virsh: &str| host.root(&format!("runuser -u backup -- virsh -c qemu:///system {virsh}"));
    let (made, started) = (as_backup("snapshot-create-as finance nightly"), as_backup("start finance"));
    let state = host.login("alice", "virsh -c qemu:///system domstate finance").out;
    check("role", &host.root("rm /etc/virtwarden/policy.d/10-nightly.toml"))?;
    check("reload", &host.login("alice", "virtwarden policy reload"))?;
    check("snapshot", &made)?;
    assert!(!started.succeeded() && started.err.contains("(Table 3, 22)"), "{}", started.shown());
    assert!(state.contains("shut off"), "{state}");
    let of_backup: Vec<_> =
        trail::after(&host, before).into_iter().filter(|line| line.is_of("backup")).collect();
    assert!(of_backup.iter().any(|line| line.is(Kind::Outcome, Outcome::Success)), "{of_backup:?}");
    assert!(of_backup.iter().any(|line| line.is(Kind::Denial, Outcome::Denied)), "{of_backup:?}");
    let nobody = |line: &trail::Recorded| {
        line.event.actor.as_ref().is_some_and(|actor| actor.authenticated.is_none() && actor.login.is_none())
    };
    assert!(of_backup.iter().all(nobody), "each record says that no person authenticated: {of_backup:?}");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_remote_session_that_nobody_uses_ends_and_typing_or_asking_keeps_it() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("set", &host.login("alice", "virtwarden setting set remote-timeout idle=1m --reason story"))?;
    let before = trail::end(&host);
    let begin = |script: &str| host.begin("alice", script).map_err(|error| error.to_string());
    let idle = begin("sleep 170")?;
    let listening = begin("virsh -c qemu:///system event --loop --all --timeout 170")?;
    let asking =
        begin(&format!("for i in 1 2 3 4 5; do sleep 20; virtwarden policy show > /dev/null; done; {WHO}"))?;
    let typing = format!(
        "{{ for i in 1 2 3 4 5; do sleep 20; echo :; done; echo '{WHO}; exit'; sleep 10; }} | timeout 170 {SSH} -tt alice@127.0.0.1"
    );
    let typing = host.root(&typing);
    sleep(Duration::from_secs(2));
    let ended = trail::until(&host, before, |told| {
        let ends = told.iter().filter(|line| line.event.operation == "session end" && line.is_of("alice"));
        let rows = ends.filter(|line| line.event.detail.contains("(Table 3, 15)")).count();
        if rows >= 2 { Ok(()) } else { Err(format!("{rows} sessions ended for want of use")) }
    });
    check("unset", &host.login("alice", "virtwarden setting unset remote-timeout --reason story"))?;
    for (what, mut child) in [("idle", idle), ("listening", listening)] {
        let over = child.try_wait().map_err(|error| error.to_string())?;
        let _reaped = (child.kill(), child.wait());
        assert!(over.is_some(), "{what} still runs");
    }
    let asking = asking.wait_with_output().map_err(|error| error.to_string())?;
    person(&told(&Ran::from(asking))?).map_err(|error| format!("asking: {error}"))?;
    person(&told(&typing)?).map_err(|error| format!("typing: {error}"))?;
    ended
}
