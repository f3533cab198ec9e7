// SPDX-License-Identifier: Apache-2.0
//! What shells offer at a press of a key: what the person may see and nothing else, without a record and without waiting.
//! In real shells on a terminal, where the completed line is entered.

use std::time::{Duration, Instant};

use virtwarden_core::record::Kind;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, check};
use virtwarden_tests::setting::must_contain;
use virtwarden_tests::trail;

const SHELLS: [&str; 3] = ["fish", "bash", "zsh"];
/// The base has zsh and fish to hand.
const INSTALL: &str = "command -v zsh > /dev/null && command -v fish > /dev/null ||
    dpkg -i /usr/local/lib/testhost/packages/shells/*.deb";
const PURGE: &str = "dpkg --purge $(cd /usr/local/lib/testhost/packages/shells && ls | sed 's/_.*//')";

/// Who types what, and what the command then says.
const TYPED: &[(&str, &str, &str)] = &[
    ("bob", "virtwarden vm show bo<TAB>", "UUID"),
    ("bob", "virtwarden media list bo<TAB>", "tools.iso"),
    ("bob", "virtwarden media insert bobvm to<TAB>--dry-run", "+image `tools.iso`"),
    ("alice", "virtwarden vm show fin<TAB>", "UUID"),
    ("alice", "virtwarden setting set screen-lock lo<TAB>en<TAB>--dry-run", "would change: screen-lock"),
    ("alice", "virtwarden vm domain finance re<TAB>--dry-run", "information domain blue -> red"),
    ("alice", "virtwarden sharing allow disk @red @bl<TAB>--dry-run", "would change"),
    ("alice", "virtwarden network show bl<TAB>", "made of"),
    ("alice", "virtwarden vm create other --template serv<TAB>--dry-run", "template server"),
    ("alice", "virtwarden vm create other --template=serv<TAB>--dry-run", "template server"),
];

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("shells", &host.root(INSTALL))?;
    check("keys", &host.write("/usr/local/lib/keys.py", include_str!("../src/keys.py")))?;
    Ok(host)
}

fn types(host: &Host, person: &str, shell: &str, keys: &str) -> virtwarden_tests::host::Ran {
    host.run_as(person, &["python3", "/usr/local/lib/keys.py", shell, keys])
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_key_completes_what_the_person_may_see() -> Result<(), String> {
    let host = begin()?;
    let played = SHELLS.into_iter().try_for_each(|shell| {
        chapter(shell);
        TYPED.iter().try_for_each(|(person, keys, said)| {
            let ran = types(&host, person, shell, keys);
            must_contain(&format!("{person}, {shell}: {keys}"), &ran, said)?;
            told(person, keys, "completed");
            Ok(())
        })
    });
    played.and_then(|()| nothing_more_for_bob(&host)).and(check("purge", &host.root(PURGE)))
}

/// What is not his is not offered, and to ask for it is no attempt.
fn nothing_more_for_bob(host: &Host) -> Result<(), String> {
    chapter("what is not bob's");
    let since = trail::end(host);
    for (words, hidden) in [
        ("vm show ''", "finance"),
        ("sharing allow disk ''", "finance"),
        ("network show ''", "red"),
        ("network show ''", "blue"),
        ("session end ''", "\n0"),
    ] {
        let ran = host.login("bob", &format!("virtwarden complete -- {words}"));
        if !ran.succeeded() || !ran.err.is_empty() || ran.out.contains(hidden) {
            return Err(format!("{words}: {}", ran.shown()));
        }
        told("bob", words, &format!("no {hidden}").replace('\n', ""));
    }
    for words in [
        "role add ''",
        "audit list --vm ''",
        "media insert bobvm ''",
        "lockout unlock ''",
        "policy explain bob ''",
    ] {
        check(words, &host.login("bob", &format!("virtwarden complete -- {words}")))?;
    }
    let records = trail::after(host, since);
    let asked = |kind| matches!(kind, Kind::Attempt | Kind::Denial | Kind::Repeated);
    match records.iter().find(|record| record.is_of("bob") && asked(record.event.kind)) {
        None => Ok(()),
        Some(record) => Err(format!("a key made a record: {record:?}")),
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_policyd_that_says_nothing_is_not_waited_for() -> Result<(), String> {
    let host = begin()?;
    chapter("policyd is stopped");
    let signal = |word: &str| host.root(&format!("systemctl kill --signal={word} virtwarden-policyd"));
    let script = "for words in 'vm show ' 'media insert bobvm ' 'network show ' 'role add '; do
        virtwarden complete -- $words '' || exit 1; done; virtwarden complete -- setting set remote-timeout ''";
    // Logged in before: a login waits for policyd.
    let script = format!(
        "sleep 4; date +%s%N > began; {{ {script}; }} > offered 2>&1; echo $? >> offered; date +%s%N > ended"
    );
    let begun = Instant::now();
    let child = host.begin("bob", &format!("cd; {script}")).map_err(|error| error.to_string())?;
    std::thread::sleep(Duration::from_secs(2));
    check("stop", &signal("STOP"))?;
    let ended = child.wait_with_output().map_err(|error| error.to_string());
    check("go on", &signal("CONT"))?;
    ended?;
    let offered = host.root("cat /home/bob/offered").out;
    let took = host.root("echo $((($(cat /home/bob/ended) - $(cat /home/bob/began)) / 1000000))").out;
    let took: u64 = took.trim().parse().map_err(|_| format!("it never ended: {offered}"))?;
    if offered != "idle=\n0\n" || took > 6_000 {
        return Err(format!("after {took} ms, and {} s: {offered}", begun.elapsed().as_secs()));
    }
    told("bob", &format!("five keys in {took} ms"), "what needs no policyd is offered, no word of the rest");
    Ok(())
}
