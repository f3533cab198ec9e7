// SPDX-License-Identifier: Apache-2.0
//! Settings reach the components that keep them, on a real host: the banner before login, sshd's options,
//! what a password must be. Rows 2, 15, 16 and 20 of Table 3; FTA_TAB.1, FIA_PMG_EXT.1, FIA_AFL_EXT.1.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, bob, check};
use virtwarden_tests::trail;

/// The words of the scenario TAB-1.
const WARNING: &str = "TEST TEST Warning Message TEST TEST";
/// What somebody expands, somewhere: agetty, a shell, printf, strftime, GVariant, markup.
const HOSTILE: &str = r#"\l \n \\ \4{eth0} \e{red} 100 %n %s $(id) `id` ${HOME} <b>'"é漢字"#;

const FILES: &str = "find /etc/ssh /etc/issue /etc/issue.d /etc/issue.net /etc/security /etc/dconf /etc/virtwarden/banner \
    /etc/pam.d -type f 2>/dev/null | sort | xargs -r sha256sum; stat -c '%n %a %U %G' /etc/ssh/sshd_config.d /etc/issue.d";

/// ssh to the host itself, as root's key can, saying what comes when.
const SSH: &str = "ssh -v -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=10";

/// All files that a setting could touch, as one text.
fn files(host: &Host) -> String {
    host.root(FILES).out
}

/// A host that has no dictionary for libpwquality says so, as its message advises.
const DICTIONARY: &str = "c=/etc/security/pwquality.conf; test -e /var/cache/cracklib/cracklib_dict.pwd ||
    grep -q '^dictcheck = 0' $c || echo 'dictcheck = 0' >> $c";

/// Takes every setting back that an earlier story left.
fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("dictionary", &host.root(DICTIONARY))?;
    let ran = alice(
        &host,
        "for what in banner 'setting password-policy' 'setting remote-timeout' 'setting lockout'; do
            set -- $what; virtwarden $1 unset ${2:-} || exit 1; done",
    );
    check("begin anew", &ran)?;
    Ok(host)
}

fn must_contain(what: &str, text: &str, part: &str) -> Result<(), String> {
    if text.contains(part) { Ok(()) } else { Err(format!("{what}: no `{part}` in: {text}")) }
}

fn set_banner(host: &Host, text: &str) -> Result<Ran, String> {
    check("write", &host.write("/tmp/banner.txt", text))?;
    Ok(alice(host, "virtwarden banner set --file /tmp/banner.txt --reason 'site rule 4'"))
}

/// What agetty shows on a terminal before it asks for a name.
fn on_terminal(host: &Host) -> String {
    host.root("timeout 20 script -qec 'agetty -t 2 - vt100' /dev/null </dev/null").out.replace('\r', "")
}

/// FTA_TAB.1, TAB-1.
#[test]
#[ignore = "needs a test host: make stories"]
fn the_banner_is_shown_before_anybody_logs_in() -> Result<(), String> {
    let host = begin()?;
    chapter("alice sets the banner, and it is shown before login");
    let since = trail::end(&host);
    check("set", &set_banner(&host, WARNING)?)?;
    for (how, option) in
        [("key", "PreferredAuthentications=publickey"), ("password", "PreferredAuthentications=password")]
    {
        let secret = if how == "password" { "sshpass -p bob-password " } else { "" };
        let ran = host.root(&format!("{secret}{SSH} -o {option} bob@127.0.0.1 id -un 2>&1"));
        check(how, &ran)?;
        let shown = ran.shown();
        let (banner, login) = (shown.find(WARNING), shown.find("Authenticated to"));
        if banner.is_none() || banner > login {
            return Err(format!("ssh with a {how} showed no banner before login: {shown}"));
        }
        told("ssh", how, "shows it first");
    }
    let refused =
        host.root(&format!("{SSH} -o BatchMode=yes -o PreferredAuthentications=none bob@127.0.0.1 2>&1"));
    must_contain("ssh without any login", &refused.shown(), WARNING)?;
    let terminal = on_terminal(&host);
    must_contain("agetty", &terminal, WARNING)?;
    if terminal.find(WARNING) > terminal.find("login:") {
        return Err(format!("agetty asked first: {terminal}"));
    }
    told("agetty", "terminal and serial console", "shows it first");
    trail::until(&host, since, |told| {
        let set = told.iter().filter(|record| record.event.operation == "banner set");
        let set: Vec<_> = set.filter(|record| record.is_of("alice")).collect();
        let [attempt, outcome] = set.as_slice() else { return Err(format!("records: {set:?}")) };
        must_contain("attempt", &attempt.event.detail, "reason: site rule 4")?;
        must_contain("outcome", &outcome.event.detail, &format!("banner: none -> \"{WARNING}\""))?;
        if attempt.event.functions != [Function::Banner] || outcome.event.outcome != Outcome::Success {
            return Err(format!("records: {set:?}"));
        }
        Ok(())
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_banner_is_literal_whatever_is_in_it() -> Result<(), String> {
    let host = begin()?;
    chapter("a hostile banner is shown as it is");
    let long = format!("{}\n{HOSTILE}", "漢字é\n".repeat(400));
    let long: String = long.chars().take(1200).collect();
    for text in [HOSTILE, long.trim_end()] {
        check("set", &set_banner(&host, text)?)?;
        let by_ssh =
            host.root(&format!("LC_ALL=C.UTF-8 {SSH} -o BatchMode=yes bob@127.0.0.1 true 2>&1")).shown();
        must_contain("ssh", &by_ssh.replace('\r', ""), text)?;
        must_contain("agetty", &on_terminal(&host), text)?;
    }
    let before = (files(&host), host.root("sshd -T").out);
    for (what, script) in [
        ("a terminal's escape", r"printf 'a\033[2Jb' > /tmp/x"),
        ("a carriage return", r"printf 'a\rb' > /tmp/x"),
        ("text that runs backwards", r"printf 'a\342\200\256b' > /tmp/x"),
        ("4097 bytes", "head -c 4097 /dev/zero | tr '\\0' x > /tmp/x"),
        ("nothing", "printf ' \\n' > /tmp/x"),
        ("what is no UTF-8", r"printf 'a\377b' > /tmp/x"),
    ] {
        check("write", &host.root(script))?;
        let ran = alice(&host, "virtwarden banner set --file /tmp/x");
        if ran.succeeded() || (files(&host), host.root("sshd -T").out) != before {
            return Err(format!("{what} was taken: {}", ran.shown()));
        }
        told("alice", what, "refused");
    }
    check("4096 bytes", &host.root("head -c 4095 /dev/zero | tr '\\0' x > /tmp/x"))?;
    check("4096 bytes", &alice(&host, "virtwarden banner set --file /tmp/x"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn unset_gives_every_file_back() -> Result<(), String> {
    let host = begin()?;
    chapter("what is unset leaves no trace");
    let before = (files(&host), host.root("sshd -T").out);
    for (set, unset) in [
        (format!("banner set '{WARNING}'"), "banner unset"),
        ("setting set password-policy minimum-length=15".to_owned(), "setting unset password-policy"),
        ("setting set remote-timeout idle=10m".to_owned(), "setting unset remote-timeout"),
        ("lockout set --attempts 9 --period 15m --unlock 10m".to_owned(), "setting unset lockout"),
    ] {
        let shown = alice(&host, &format!("virtwarden {set} --dry-run"));
        check("dry run", &shown)?;
        must_contain("dry run", &shown.out, "/etc/")?;
        if (files(&host), host.root("sshd -T").out) != before {
            return Err(format!("a dry run of `{set}` changed something"));
        }
        check(&set, &alice(&host, &format!("virtwarden {set}")))?;
        if files(&host) == before.0 {
            return Err(format!("`{set}` changed nothing"));
        }
        check(unset, &alice(&host, &format!("virtwarden {unset}")))?;
        let after = (files(&host), host.root("sshd -T").out);
        if after != before {
            return Err(format!("`{unset}` left: {after:?}, was: {before:?}"));
        }
        told("alice", unset, "as it was, byte for byte");
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn sshd_does_not_hide_the_lockout_and_ends_dead_connections() -> Result<(), String> {
    let host = begin()?;
    chapter("sshd says itself what it does");
    check("set", &alice(&host, "virtwarden lockout set --attempts 9 --period 15m --unlock 10m"))?;
    check("set", &alice(&host, "virtwarden setting set remote-timeout idle=10m"))?;
    let options = host.root("sshd -T").out;
    for wanted in
        ["maxauthtries 10", "unusedconnectiontimeout 600", "clientaliveinterval 20", "clientalivecountmax 3"]
    {
        must_contain("sshd -T", &options, wanted)?;
        told("sshd -T", wanted, "in effect");
    }
    if options.contains("persourcepenalties") {
        must_contain("sshd -T", &options, "authfail:0")?;
        told("sshd -T", "no penalty for failed logins", "in effect");
    }
    // Eight failures do not lock, and would be 40 s of penalty for the address.
    let ssh = "ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o PreferredAuthentications=password \
        -o NumberOfPasswordPrompts=1 -o ConnectTimeout=20 bob@127.0.0.1 id -un";
    let ran = host.root(&format!(
        "for i in 1 2 3 4 5 6 7 8; do timeout 90 sshpass -p wrong {ssh} & done; wait; timeout 90 sshpass -p bob-password {ssh}"
    ));
    must_contain("the right password after eight wrong ones", &ran.out, "bob")?;
    told("bob", "the right password after eight wrong ones", "logs in");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_a_hand_changed_is_shown_as_drift() -> Result<(), String> {
    let host = begin()?;
    chapter("drift is shown, and setting again ends it");
    check("set", &set_banner(&host, WARNING)?)?;
    check("by hand", &host.root("echo other > /etc/virtwarden/banner; rm /etc/issue.d/90-virtwarden.issue"))?;
    let shown = alice(&host, "virtwarden setting show banner").shown();
    must_contain("drift", &shown, "`/etc/virtwarden/banner` was changed by hand")?;
    must_contain("drift", &shown, "`/etc/issue.d/90-virtwarden.issue` is missing")?;
    let drift = alice(&host, "virtwarden setting drift");
    must_contain("setting drift", &drift.shown(), "`/etc/issue.d/90-virtwarden.issue` is missing")?;
    if drift.code != 1 {
        return Err(format!("setting drift: exit code {}", drift.code));
    }
    check("set again", &set_banner(&host, WARNING)?)?;
    check("no drift", &alice(&host, "virtwarden setting drift banner"))?;
    let history = alice(&host, "virtwarden setting history banner").out;
    must_contain("setting history", &history, "banner set")?;
    must_contain("setting history", &history, "alice")?;
    let shown = alice(&host, "virtwarden setting show banner").shown();
    if shown.contains("by hand") || shown.contains("is missing") {
        return Err(format!("drift stayed: {shown}"));
    }
    check("faillock", &host.root("echo 'auth optional pam_faillock.so preauth' > /etc/pam.d/story"))?;
    let shown = alice(&host, "virtwarden setting show lockout").shown();
    check("faillock", &host.root("rm /etc/pam.d/story"))?;
    must_contain("drift", &shown, "`pam_faillock.so` in /etc/pam.d/story")?;
    set_banner(&host, "ours")?;
    check("match", &host.write("/etc/ssh/sshd_config.d/99-story.conf", "Match User alice\nBanner none"))?;
    let shown = host.login("alice", "virtwarden setting show banner").shown();
    check("match", &host.root("rm /etc/ssh/sshd_config.d/99-story.conf"))?;
    must_contain("drift", &shown, "gives Banner none to `Match User alice`")
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_configuration_that_is_broken_already_is_left_alone() -> Result<(), String> {
    let host = begin()?;
    chapter("sshd's configuration was broken by hand");
    check("break", &host.root("echo 'Bogus yes' > /etc/ssh/sshd_config.d/50-story.conf"))?;
    let before = files(&host);
    let ran = set_banner(&host, WARNING)?;
    let after = files(&host);
    check("mend", &host.root("rm /etc/ssh/sshd_config.d/50-story.conf"))?;
    must_contain("message", &ran.shown(), "sshd's configuration is broken already")?;
    must_contain("message", &ran.shown(), "Bogus")?;
    if ran.succeeded() || before != after {
        return Err("it was built upon".to_owned());
    }
    check("sshd runs", &host.root("systemctl is-active ssh.service"))?;
    check("override", &host.root("echo 'Banner /etc/motd' > /etc/ssh/sshd_config.d/00-story.conf"))?;
    let before = files(&host);
    let ran = set_banner(&host, WARNING)?;
    let after = files(&host);
    check("mend", &host.root("rm /etc/ssh/sshd_config.d/00-story.conf; systemctl reload ssh.service"))?;
    must_contain("message", &ran.shown(), "sshd has Banner /etc/motd")?;
    if before == after { Ok(()) } else { Err("not undone".to_owned()) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_sets_nothing() -> Result<(), String> {
    let host = begin()?;
    chapter("bob is refused, is told so, changes nothing and is recorded");
    let before = (files(&host), host.root("sshd -T; cat /var/lib/virtwarden/settings.json").out);
    for (script, function) in [
        ("virtwarden banner set mine", Function::Banner),
        ("virtwarden banner unset", Function::Banner),
        ("virtwarden setting set password-policy minimum-length=8", Function::PasswordPolicy),
        ("virtwarden setting unset password-policy", Function::PasswordPolicy),
        ("virtwarden setting set remote-timeout idle=never", Function::RemoteTimeout),
        ("virtwarden lockout set --attempts 100 --period 1s --unlock 1s", Function::LockoutPolicy),
        ("virtwarden setting unset lockout", Function::LockoutPolicy),
    ] {
        let since = trail::end(&host);
        let ran = bob(&host, script);
        must_contain(script, &ran.shown(), &format!("(Table 3, {})", function.number()))?;
        if ran.succeeded()
            || (files(&host), host.root("sshd -T; cat /var/lib/virtwarden/settings.json").out) != before
        {
            return Err(format!("`{script}` did something: {}", ran.shown()));
        }
        let fits = |record: &trail::Recorded| {
            record.is_of("bob")
                && record.is(Kind::Denial, Outcome::Denied)
                && record.event.functions == [function]
        };
        trail::until(&host, since, |records| {
            let found = records.iter().any(fits);
            if found { Ok(()) } else { Err(format!("`{script}`: no denial in {records:?}")) }
        })?;
        told("bob", script, "refused");
    }
    let behind = bob(&host, "echo '{}' | timeout 5 nc -U /run/virtwarden/settings.sock");
    must_contain("settingsd's socket", &behind.shown(), "Permission denied")
}

/// A password, what it is called, and whether a policy of 15 characters takes it.
const PASSWORDS: &[(&str, &str, Fate)] = &[
    ("14 characters, mixed", "kT7xQ2mVw9zLp!", Fate::Refused),
    ("8 characters", "kT7x!2mV", Fate::Refused),
    ("15 lower case", "qzjxkvwbpmfhgdt", Fate::Taken),
    ("15 upper case", "QZJXKVWBPMFHGDT", Fate::Taken),
    ("15 digits", "738294615028374", Fate::Taken),
    ("15 specials", "!)@(#*$&%^!(@)#", Fate::Taken),
    ("15 characters, mixed", "kT7xQ2mVw9zLp!a", Fate::Taken),
    ("64 characters", "kT7xQ2mVw9zLp!aR@3fG#8hJ$5dS%6cX^1vB&4nM*0qW(eY)uI-oP_zA+sD=lKjH", Fate::Taken),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Taken,
    Refused,
}

/// FIA_PMG_EXT.1, PMG-1.
#[test]
#[ignore = "needs a test host: make stories"]
fn a_weak_password_is_refused_to_root_too_and_a_long_one_works_everywhere() -> Result<(), String> {
    let host = begin()?;
    chapter("passwords of at least 15 characters");
    check("account", &host.root("userdel -r pmg 2>/dev/null; useradd -m -s /bin/sh pmg"))?;
    no_dictionary(&host)?;
    check("set", &alice(&host, "virtwarden setting set password-policy minimum-length=15"))?;
    let longest =
        format!("{}{}", PASSWORDS[7].1, "Zx9!kQ7@mW5#pL3$vR1%tN8^bH6&jF4*cD2(gS0)yU-iO_eA+wE=rTqYlKzXnMvBh");
    let longest: String = longest.chars().take(128).collect();
    let mut tried: Vec<_> = PASSWORDS.to_vec();
    tried.push(("128 characters", &longest, Fate::Taken));
    for (what, password, fate) in tried {
        let before = host.root("getent shadow pmg").out;
        check("write", &host.write("/root/password", password))?;
        let ran = host.root("p=$(cat /root/password); printf '%s\\n%s\\n' \"$p\" \"$p\" | passwd pmg");
        let changed = host.root("getent shadow pmg").out != before;
        if (ran.succeeded(), changed) != (fate == Fate::Taken, fate == Fate::Taken) {
            return Err(format!("{what}: {fate:?} expected, {}", ran.shown()));
        }
        if fate == Fate::Taken {
            works(&host, what)?;
        }
        told(
            "root",
            what,
            if fate == Fate::Taken { "taken, and good for ssh, login and su" } else { "refused" },
        );
    }
    check("chpasswd", &host.root("! echo pmg:short | chpasswd"))?;
    check("unset", &alice(&host, "virtwarden setting unset password-policy"))?;
    check("account", &host.root("userdel -r pmg 2>/dev/null; rm -f /root/password"))
}

/// Without a dictionary libpwquality would refuse every password: that is said before it can happen.
fn no_dictionary(host: &Host) -> Result<(), String> {
    let aside = "mkdir -p /root/aside; mv /var/cache/cracklib/* /root/aside/ 2>/dev/null
        sed -i '/^dictcheck = 0$/d' /etc/security/pwquality.conf";
    check("aside", &host.root(aside))?;
    let before = files(host);
    let ran = alice(host, "virtwarden setting set password-policy minimum-length=15");
    let after = files(host);
    check("back", &host.root(&format!("mv /root/aside/* /var/cache/cracklib/ 2>/dev/null; {DICTIONARY}")))?;
    must_contain("message", &ran.shown(), "has no dictionary")?;
    if ran.succeeded() || before != after {
        Err("a policy came into force all the same".to_owned())
    } else {
        Ok(())
    }
}

/// The password logs in by each method.
fn works(host: &Host, what: &str) -> Result<(), String> {
    let ssh = "timeout 60 sshpass -f /root/password ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o PreferredAuthentications=password pmg@127.0.0.1 id -un";
    must_contain(&format!("{what}: ssh"), &host.root(ssh).out, "pmg")?;
    check("program", &host.write("/root/typed", include_str!("../login/typed")))?;
    let typed = |program: &str| {
        let shown = host.root(&format!("timeout 120 python3 /root/typed /root/password {program}")).out;
        must_contain(&format!("{what}: {program}"), &shown, "\npmg")
    };
    typed("login pmg")?;
    typed("setpriv --reuid=65534 --regid=65534 --clear-groups su pmg")
}
