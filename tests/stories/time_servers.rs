// SPDX-License-Identifier: Apache-2.0
//! The host's time comes from where an Administrator says, and from nowhere else: row 19 of Table 3, with chrony
//! and a time server on the wire.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, bob, check};
use virtwarden_tests::setting::refusals_of_bob;
use virtwarden_tests::trail;

const SERVER: &str = "192.0.2.2";
const SET: &str = "virtwarden setting set time-servers servers=192.0.2.2 --reason 'site rule 9'";
const UNSET: &str = "virtwarden setting unset time-servers";

/// A time server in a network of its own, that this host reaches over one cable.
const CLOCK: &str = "ip netns list | grep -q clock || {
    ip netns add clock; ip link add vw-here type veth peer name vw-clock; ip link set vw-clock netns clock
    ip address add 192.0.2.1/30 dev vw-here; ip link set vw-here up
    ip netns exec clock ip address add 192.0.2.2/30 dev vw-clock; ip netns exec clock ip link set vw-clock up
    ip netns exec clock ip link set lo up
}
printf 'local stratum 3\nallow all\ncmdport 0\nbindcmdaddress /\npidfile /run/clock.pid\n' > /run/clock.conf
test -e /run/clock.pid || ip netns exec clock chronyd -x -U -u root -f /run/clock.conf
systemctl reset-failed chrony; systemctl start chrony";

/// What the setting could touch.
const FILES: &str = "find /etc/chrony /etc/systemd/system /etc/default/chrony -type f -o -type l | sort | xargs sha256sum;
    find /etc/chrony /etc/systemd/system -type d | sort; systemctl show -p ExecStart --value chrony | sed 's/start_time.*//'";

const SOURCES: &str = "chronyc -n -c sources | cut -d, -f3 | sort";

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("time server", &host.root(CLOCK))?;
    check("begin anew", &alice(&host, UNSET))?;
    Ok(host)
}

fn must_contain(what: &str, ran: &Ran, part: &str) -> Result<(), String> {
    if ran.shown().contains(part) { Ok(()) } else { Err(format!("{what}: no `{part}` in: {}", ran.shown())) }
}

/// All that chrony asks, once each has been asked.
fn sources(host: &Host) -> Vec<String> {
    host.root(SOURCES).out.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs a test host: make stories"]
fn chrony_asks_the_server_that_was_set_and_no_other() -> Result<(), String> {
    let host = begin()?;
    chapter("alice names the time server, and chrony follows it alone");
    let since = trail::end(&host);
    check("set", &alice(&host, SET))?;
    if sources(&host) != [SERVER] {
        return Err(format!("chrony asks {:?}", sources(&host)));
    }
    let chosen = host.root("for i in $(seq 60); do chronyc -n -c sources | grep -q '^^,\\*,192.0.2.2' && exit 0; sleep 1; done; chronyc -n sources; exit 1");
    check("chrony follows the server", &chosen)?;
    told("alice", "setting set time-servers", "chrony follows it");
    must_contain("show", &alice(&host, "virtwarden setting show time-servers"), SERVER)?;
    let records: Vec<_> = trail::after(&host, since)
        .into_iter()
        .filter(|record| record.is_of("alice") && record.event.operation == "setting set time-servers")
        .collect();
    let fits = |kind, outcome| {
        records.iter().any(|r| r.is(kind, outcome) && r.event.functions == [Function::TimeServer])
    };
    if fits(Kind::Attempt, Outcome::Pending) && fits(Kind::Outcome, Outcome::Success) {
        Ok(())
    } else {
        Err(format!("records: {records:?}"))
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_is_unset_is_as_it_was() -> Result<(), String> {
    let host = begin()?;
    chapter("unset leaves no trace");
    let before = host.root(FILES).out;
    check("dry run", &alice(&host, &format!("{SET} --dry-run")))?;
    if host.root(FILES).out != before {
        return Err("a dry run changed something".to_owned());
    }
    check("set", &alice(&host, SET))?;
    check("unset", &alice(&host, UNSET))?;
    let after = host.root(FILES).out;
    if after == before { Ok(()) } else { Err(format!("before:\n{before}\nafter:\n{after}")) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_a_hand_adds_is_drift() -> Result<(), String> {
    let host = begin()?;
    chapter("a server added by hand is shown");
    check("set", &alice(&host, SET))?;
    check("by hand", &host.root("chronyc add server 192.0.2.99"))?;
    must_contain(
        "drift",
        &alice(&host, "virtwarden setting show time-servers"),
        "chrony also asks 192.0.2.99",
    )?;
    check("set again", &alice(&host, SET))?;
    check("by hand", &host.root("echo 'server 192.0.2.98' >> /etc/chrony/virtwarden.conf"))?;
    must_contain("drift", &alice(&host, "virtwarden setting show time-servers"), "was changed by hand")?;
    check("set again", &alice(&host, SET))?;
    if sources(&host) == [SERVER] { Ok(()) } else { Err(format!("chrony asks {:?}", sources(&host))) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_sets_no_time_server() -> Result<(), String> {
    let host = begin()?;
    check("set", &alice(&host, SET))?;
    chapter("bob is refused, through every door");
    let before = (host.root(FILES).out, sources(&host));
    let since = trail::end(&host);
    for (script, said) in [
        ("virtwarden setting set time-servers servers=192.0.2.99", "(Table 3, 19)"),
        ("virtwarden setting unset time-servers", "(Table 3, 19)"),
        ("chronyc add server 192.0.2.99", "501 Not authorised"),
        ("chronyc -h 127.0.0.1 add server 192.0.2.99", "501 Not authorised"),
        ("echo 'server 192.0.2.99' >> /etc/chrony/virtwarden.conf", "Permission denied"),
        ("timedatectl set-ntp false", "uthenticat"),
        ("date -s 2001-01-01", "not permitted"),
    ] {
        let ran = bob(&host, &format!("{{ {script}; }} 2>&1"));
        must_contain(script, &ran, said)?;
        if (host.root(FILES).out, sources(&host)) != before {
            return Err(format!("`{script}` did something: {}", ran.shown()));
        }
        told("bob", script, "refused");
    }
    let records = trail::after(&host, since);
    if refusals_of_bob(&records, Function::TimeServer) == 2 {
        Ok(())
    } else {
        Err("the refusals are not on record".to_owned())
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_is_no_server_is_refused() -> Result<(), String> {
    let host = begin()?;
    chapter("values that make no sense change nothing");
    let before = host.root(FILES).out;
    for value in ["servers=a,a", "servers=a;b", "'servers=x iburst'", "servers=", "proof=maybe", "server=a"] {
        let ran = alice(&host, &format!("virtwarden setting set time-servers {value}"));
        if ran.succeeded() || host.root(FILES).out != before {
            return Err(format!("`{value}` was taken: {}", ran.shown()));
        }
        told("alice", value, "refused");
    }
    check("tidy", &alice(&host, UNSET))
}
