// SPDX-License-Identifier: Apache-2.0
//! The trail goes to the audit server over TLS, and to no other: row 18 of Table 3, FAU_STG_EXT.1, with an rsyslogd
//! that takes it. STGX-1, STGX-3.

use virtwarden_core::table3::Function;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, bob, check};
use virtwarden_tests::setting::{bob_is_refused, is_on_record, must_contain};
use virtwarden_tests::tls::{INSIDE, OUTSIDE, Offer, SHORT, Server};
use virtwarden_tests::trail;

const SET: &str = "virtwarden setting set audit-server address=127.0.0.1 peer=log.example.org ca=/srv/log/ca.pem --reason 'site rule 18'";
const UNSET: &str = "virtwarden setting unset audit-server";

/// What the setting could touch, and how long ago its service was started.
const STATE: &str = "find /etc/virtwarden /etc/systemd/system /etc/rsyslog* -type f -o -type l | sort | xargs sha256sum;
    find /etc/virtwarden /etc/systemd/system /etc/rsyslog* -type d | sort; systemctl show -p MainPID virtwarden-audit-server";

/// rsyslog, which the base has to hand, and certificates: one authority's, and an impostor's for the same name.
const SCENE: &str = r#"set -e
command -v rsyslogd > /dev/null || dpkg -i /usr/local/lib/testhost/packages/rsyslog/*.deb > /dev/null
systemctl stop story-log 2> /dev/null || true; rm -rf /srv/log; mkdir -p /srv/log; cd /srv/log
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.pem -subj "/CN=$1" -days 30 \
        -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign 2> /dev/null
}
server() { # FILE AUTHORITY NAME PURPOSE
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $1.key -out $1.csr -subj "/CN=$3" 2> /dev/null
    printf "subjectAltName=DNS:$3\nextendedKeyUsage=$4\nbasicConstraints=CA:false\n" > $1.ext
    openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 30 -extfile $1.ext -out $1.pem 2> /dev/null
}
authority ca; authority impostor
server log ca log.example.org serverAuth; server stranger impostor log.example.org serverAuth
server neighbour ca other.example.org serverAuth; server client ca log.example.org clientAuth
chmod 644 ca.pem log.pem; chmod 755 /srv/log
cat > LOG << 'END'
# LOG CERTIFICATE: the audit server, with one of the certificates; LOG alone: none.
cd /srv/log
systemctl stop story-log 2> /dev/null; systemctl reset-failed story-log 2> /dev/null
[ -n "$1" ] || exit 0
cat > LOG.conf << CONF
global(workDirectory="/srv/log" maxMessageSize="128k" DefaultNetstreamDriverCAFile="/srv/log/ca.pem"
    DefaultNetstreamDriverCertFile="/srv/log/$1.pem" DefaultNetstreamDriverKeyFile="/srv/log/$1.key")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
input(type="imtcp" port="6514")
template(name="raw" type="string" string="%rawmsg%\n")
action(type="omfile" file="/srv/log/arrived" template="raw")
CONF
systemd-run -q --collect --unit=story-log rsyslogd -n -iNONE -f /srv/log/LOG.conf
END
systemctl stop virtwarden-settingsd.service 2> /dev/null"#;

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("LOG", &host.root(SCENE))?;
    check("begin anew", &alice(&host, UNSET))?;
    check("nothing waits", &host.root("rm -f /var/lib/virtwarden/audit-server/*"))?;
    Ok(host)
}

/// LOG goes, and rsyslog with it.
fn end(host: &Host) -> Result<(), String> {
    check("tidy", &alice(host, UNSET))?;
    check(
        "tidy",
        &host.root("sh /srv/log/LOG; rm -rf /srv/log; dpkg --purge rsyslog-openssl rsyslog > /dev/null 2>&1"),
    )
}

/// bob is denied something that has this in its record.
fn denied(host: &Host, mark: &str) -> Result<(), String> {
    let ran = bob(host, &format!("virtwarden setting set time-servers servers={mark}.example.org"));
    must_contain("bob", &ran, "(Table 3, 19)")
}

/// The lines about what bob was denied to set that arrived; the look before it is another denial. Counted with others is
/// recorded, too: a story before this one may have made him wear out the patience for one by one.
const DENIALS: &str =
    r#"grep -E '"kind":"(denial|repeated)".*"bob".*"operation":"setting set ' /srv/log/arrived"#;

/// Waits until there are so many of them; says which there are if there never are.
fn arrive(host: &Host, what: &str, compare: &str) -> Result<(), String> {
    let found = format!("found=$({DENIALS}); test $(printf %s \"$found\" | grep -c .) {compare}");
    host.wait(what, &format!("{found} || {{ printf '%s\\n' \"$found\" >&2; false; }}"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_trail_arrives_at_the_server_that_proves_itself_and_at_no_other() -> Result<(), String> {
    let host = begin()?;
    chapter("alice names the audit server");
    let since = trail::end(&host);
    check("LOG", &host.root("sh /srv/log/LOG log"))?;
    denied(&host, "before")?;
    check("set", &alice(&host, SET))?;
    is_on_record(&host, since, "setting set audit-server", Function::AuditServer)?;
    let shown = alice(&host, "virtwarden setting show audit-server");
    must_contain("show", &shown, "127.0.0.1")?;
    if shown.out.contains("DIFFERS") {
        return Err(format!("drift: {}", shown.out));
    }
    // At once: what is recorded before rsyslogd is up waits for it, and what was before the setting is not sent.
    denied(&host, "first")?;
    arrive(&host, "the denial arrives", "-eq 1")?;
    told("LOG", "a denied call of bob's", "arrived over TLS");
    let arrived = host.root("tail -n 1 /srv/log/arrived").out;
    must_be(
        &arrived,
        &["<109>1 20", " settings", " virtwarden - "].map(|part| part.replace(" settings", " ")),
    )?;
    chapter("servers that cannot prove to be it get nothing");
    for impostor in ["stranger", "neighbour", "client"] {
        check(
            "LOG",
            &host.root(&format!("sh /srv/log/LOG; rm -f /srv/log/arrived; sh /srv/log/LOG {impostor}")),
        )?;
        check("now", &host.root("systemctl restart virtwarden-audit-server; date +%s.%N > /srv/log/since"))?;
        denied(&host, impostor)?;
        let refused = "journalctl -q -u virtwarden-audit-server --since @$(cat /srv/log/since) | \
            grep -E 'certificate verify failed|peer name not authorized'";
        host.wait(&format!("{impostor} is refused"), refused)?;
        check("nothing arrives", &host.root("! head -n 3 /srv/log/arrived 2> /dev/null | grep ."))?;
        told("LOG", impostor, "refused, nothing arrives");
    }
    chapter("the right server comes back, and gets what had waited");
    check("LOG", &host.root("sh /srv/log/LOG log"))?;
    arrive(&host, "what had waited", "-ge 3")?;
    host.wait("nothing waits", "test $(cat /var/lib/virtwarden/forwarded) -ge 1")?;
    told("LOG", "three denials", "arrived when it was back");
    end(&host)
}

/// A server that socat plays, and not rsyslog: what it is sent is in the same file.
const LOG: Server<'_> =
    Server { port: 6514, identity: "/srv/log/log", inward: "OPEN:/srv/log/arrived,creat,append" };

/// Something new is to be sent, to a server that offers this.
fn offers(host: &Host, offer: Offer, mark: &str) -> Result<(), String> {
    LOG.offer(host, offer)?;
    check(
        "now",
        &host.root(
            "rm -f /srv/log/arrived; date +%s.%N > /srv/log/since; systemctl restart virtwarden-audit-server",
        ),
    )?;
    denied(host, mark)
}

/// What had waited, and what is new.
fn is_taken(host: &Host, offer: Offer, mark: &str) -> Result<(), String> {
    offers(host, offer, mark)?;
    arrive(host, "the denial arrives", "-ge 1")?;
    told("LOG", offer.0, "is sent the trail");
    Ok(())
}

fn is_refused(host: &Host, offer: Offer, mark: &str) -> Result<(), String> {
    offers(host, offer, mark)?;
    host.wait("the server says why", &LOG.has_refused("/srv/log/since"))?;
    check("nothing arrives", &host.root("! test -s /srv/log/arrived"))?;
    told("LOG", offer.0, "is sent nothing");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_trail_goes_by_the_suite_or_not_at_all() -> Result<(), String> {
    let host = begin()?;
    let cryptography = "virtwarden setting set tls-cryptography suite";
    check("begin anew", &alice(&host, "virtwarden setting unset tls-cryptography"))?;
    LOG.offer(&host, INSIDE)?;
    check("set", &alice(&host, SET))?;
    chapter("OpenSSL's own choice");
    for offer in OUTSIDE {
        is_taken(&host, offer, "before")?;
    }
    chapter("the profile's suite");
    check("suite", &alice(&host, &format!("{cryptography}=profile")))?;
    for offer in OUTSIDE {
        is_refused(&host, offer, "outside")?;
    }
    for offer in [SHORT, INSIDE] {
        is_taken(&host, offer, "inside")?;
    }
    chapter("with 256 bits alone");
    check("suite", &alice(&host, &format!("{cryptography}=profile-256")))?;
    is_refused(&host, SHORT, "short")?;
    is_taken(&host, INSIDE, "long")?;
    check("unset", &alice(&host, "virtwarden setting unset tls-cryptography"))?;
    is_taken(&host, SHORT, "after")?;
    LOG.end(&host)?;
    end(&host)
}

/// All of these, in this order.
fn must_be(text: &str, parts: &[String]) -> Result<(), String> {
    parts.iter().try_fold(text, |rest, part| {
        rest.split_once(part.as_str())
            .map(|(_, after)| after)
            .ok_or(format!("no `{part}` in its place: {text}"))
    })?;
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_policyd_could_not_hand_over_follows() -> Result<(), String> {
    let host = begin()?;
    chapter("the sender is stopped, and nothing is lost");
    check("LOG", &host.root("sh /srv/log/LOG log"))?;
    check("set", &alice(&host, SET))?;
    host.wait("policyd hands over", "test -s /var/lib/virtwarden/forwarded")?;
    check("stop", &host.root("systemctl stop virtwarden-audit-server"))?;
    let shown = alice(&host, "virtwarden setting show audit-server");
    must_contain("drift", &shown, "does not run")?;
    denied(&host, "meanwhile")?;
    check(
        "policyd anew",
        &host.root("systemctl restart virtwarden-policyd; systemctl start virtwarden-audit-server"),
    )?;
    arrive(&host, "it follows", "-eq 1")?;
    told("LOG", "what was denied meanwhile", "arrived");
    end(&host)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn nobody_else_chooses_the_server_or_writes_into_the_channel() -> Result<(), String> {
    let host = begin()?;
    check("LOG", &host.root("sh /srv/log/LOG log"))?;
    chapter("dry run, drift, and unset");
    let before = host.root(STATE).out;
    check("dry run", &alice(&host, &format!("{SET} --dry-run")))?;
    if host.root(STATE).out != before {
        return Err("a dry run changed something".to_owned());
    }
    for (value, said) in [
        ("address=127.0.0.1 ca=/srv/log/ca.pem", "peer=NAME"),
        ("address=log.example.org", "ca=FILE"),
        ("address=log.example.org ca=/srv/log/log.pem", "cannot sign others"),
        ("address=log.example.org ca=/srv/log/LOG", "certificates in PEM"),
        ("'address=log.example.org\" action' ca=/srv/log/ca.pem", "neither a host name"),
        ("address=log.example.org port=0 ca=/srv/log/ca.pem", "1 to 65535"),
    ] {
        let ran = alice(&host, &format!("virtwarden setting set audit-server {value}"));
        must_contain(value, &ran, said)?;
        if ran.succeeded() || host.root(STATE).out != before {
            return Err(format!("`{value}` was taken: {}", ran.shown()));
        }
        told("alice", value, "refused");
    }
    check("set", &alice(&host, SET))?;
    check(
        "by hand",
        &host.root("sed -i s/log.example.org/evil.example.org/ /etc/virtwarden/audit-server/rsyslog.conf"),
    )?;
    must_contain("drift", &alice(&host, "virtwarden setting show audit-server"), "was changed by hand")?;
    check("set again", &alice(&host, SET))?;
    chapter("bob is refused, through every door");
    let state = || host.root(STATE).out;
    let attempts = [
        ("virtwarden setting set audit-server address=evil.example.org", "(Table 3, 18)"),
        ("virtwarden setting unset audit-server", "(Table 3, 18)"),
        ("echo > /etc/virtwarden/audit-server/rsyslog.conf", "ermission denied"),
        ("echo '*.* @192.0.2.9' > /etc/rsyslog.d/bob.conf", "ermission denied"),
        ("echo '127.0.0.1 log.example.org' >> /etc/hosts", "ermission denied"),
        ("systemctl stop virtwarden-audit-server", "uthenticat"),
        ("echo x | nc -w 1 -uU /run/virtwarden/audit-server/records", "ermission denied"),
        ("ls /var/lib/virtwarden/audit-server", "ermission denied"),
        ("logger -p audit.notice forged-by-bob; cat /srv/log/arrived 2>&1 | grep -c forged-by-bob", "0"),
    ];
    bob_is_refused(&host, state, &attempts, (Function::AuditServer, 2))?;
    check("unset", &alice(&host, UNSET))?;
    let after = host.root(STATE).out;
    if after != before {
        return Err(format!("before:\n{before}\nafter:\n{after}"));
    }
    told("alice", "unset", "as it was, byte for byte");
    end(&host)
}
