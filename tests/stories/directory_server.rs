// SPDX-License-Identifier: Apache-2.0
//! People of a directory log in, from the server that was set and from no other: row 17 of Table 3, with slapd and sssd.

use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, check};
use virtwarden_tests::setting::{bob_is_refused, is_on_record, must_contain};
use virtwarden_tests::tls::{INSIDE, OUTSIDE, Offer, SHORT, Server};
use virtwarden_tests::trail;

const SET: &str = "virtwarden setting set directory-server address=ldap.example.org base=dc=example,dc=org ca=/srv/directory/ca.pem \
    --reason 'site rule 17'";
const UNSET: &str = "virtwarden setting unset directory-server";

/// What the setting could touch, and what it does.
const STATE: &str =
    "find /etc/sssd /etc/virtwarden /etc/nsswitch.conf /etc/pam.d -type f | sort | xargs sha256sum;
    find /etc/sssd /etc/virtwarden -type d | sort; systemctl is-active sssd; getent passwd dora";

/// slapd and sssd, which the base has to hand; dora, who is in the directory alone; the certificate of an authority, and
/// another authority's.
const SCENE: &str = r##"set -e
mkdir -p /srv/directory; cd /srv/directory; chmod 755 .
cp -n /etc/hosts hosts.before
grep -q ldap.example.org /etc/hosts || echo '127.0.0.1 ldap.example.org other.example.org' >> /etc/hosts
[ -e installed ] || {
    printf 'slapd slapd/password1 password admin-password\nslapd slapd/password2 password admin-password\nslapd slapd/domain string example.org\nslapd shared/organization string example\n' | debconf-set-selections
    DEBIAN_FRONTEND=noninteractive dpkg -i /usr/local/lib/testhost/packages/directory/*.deb > dpkg.said 2>&1
    for name in ca impostor; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $name.key -out $name.pem -subj "/CN=$name" -days 30 \
            -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign 2> /dev/null
    done
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=ldap.example.org 2> /dev/null
    printf 'subjectAltName=DNS:ldap.example.org\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false\n' > server.ext
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out server.pem 2> /dev/null
    install -d -o openldap -g openldap -m 700 /etc/ldap/tls
    install -o openldap -g openldap -m 600 ca.pem server.pem server.key /etc/ldap/tls
    ldapmodify -Q -Y EXTERNAL -H ldapi:/// > /dev/null << END
dn: cn=config
changetype: modify
add: olcTLSCACertificateFile
olcTLSCACertificateFile: /etc/ldap/tls/ca.pem
-
add: olcTLSCertificateKeyFile
olcTLSCertificateKeyFile: /etc/ldap/tls/server.key
-
add: olcTLSCertificateFile
olcTLSCertificateFile: /etc/ldap/tls/server.pem
END
    sed -i 's#^SLAPD_SERVICES=.*#SLAPD_SERVICES="ldap:/// ldapi:/// ldaps:///"#' /etc/default/slapd
    systemctl restart slapd
    ldapadd -x -D cn=admin,dc=example,dc=org -w admin-password > /dev/null << END
dn: uid=dora,dc=example,dc=org
objectClass: account
objectClass: posixAccount
uid: dora
cn: dora
uidNumber: 20001
gidNumber: 20001
homeDirectory: /home/dora
loginShell: /bin/bash
userPassword: dora-password

dn: ou=elsewhere,dc=example,dc=org
objectClass: organizationalUnit
ou: elsewhere
END
    install -d -o 20001 -g 20001 /home/dora
    touch installed
}
chmod 644 ca.pem impostor.pem server.pem; systemctl start slapd
for try in $(seq 100); do LDAPTLS_CACERT=ca.pem ldapsearch -x -H ldaps://ldap.example.org -b "" -s base > bound 2>&1 && break; sleep 0.2; done
grep -q "result: 0" bound"##;

/// The settings service begins to see what was just installed.
const SETTLE: &str = "systemctl stop virtwarden-settingsd.service 2> /dev/null";

/// All of it goes, and the login stacks are what they were.
const TIDY: &str = "cd /; DEBIAN_FRONTEND=noninteractive dpkg --purge slapd sssd-ldap sssd-krb5-common sssd-common libnss-sss libpam-sss \
        python3-sss ldap-utils > /dev/null 2>&1
    cp /srv/directory/hosts.before /etc/hosts; rm -rf /srv/directory /etc/ldap/tls /home/dora /var/lib/ldap /etc/sssd
    ! grep -q pam_sss /etc/pam.d/common-auth && ! grep -q sss /etc/nsswitch.conf";

fn begin() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    check("directory", &host.root(&format!("{SCENE}; {SETTLE}")))?;
    check("begin anew", &alice(&host, UNSET))?;
    Ok(host)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_is_missing_is_named_and_may_come_at_any_time() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("sssd is missing, and is installed while the settings service runs");
    check(
        "ca",
        &host.root("mkdir -p /srv/directory; cp /etc/ssl/certs/ISRG_Root_X1.pem /srv/directory/ca.pem"),
    )?;
    must_contain("set", &alice(&host, SET), "install sssd-ldap")?;
    check("directory", &host.root(SCENE))?;
    let refused = alice(&host, SET);
    must_contain("set", &refused, "starts anew now, so try again")?;
    if host.root("ls /etc/sssd/conf.d").out.contains("virtwarden") {
        return Err(format!("something was written: {}", refused.shown()));
    }
    check("set again", &alice(&host, SET))?;
    told("alice", "the same once more", "set");
    let looked = host.root("virtwarden doctor");
    if looked.shown().contains("sssd") {
        return Err(format!("doctor does not like what Debian's sssd brings: {}", looked.shown()));
    }
    told("root", "doctor", "has nothing against what Debian's sssd brings");
    check("unset", &alice(&host, UNSET))?;
    check("tidy", &host.root(TIDY))
}

/// dora logs in by ssh, with a password.
fn dora(host: &Host, password: &str, script: &str) -> Ran {
    host.root(&format!(
        "sshpass -p {password} ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=20 \
         -o PreferredAuthentications=password -o NumberOfPasswordPrompts=1 dora@127.0.0.1 '{script}'"
    ))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn people_of_the_directory_log_in() -> Result<(), String> {
    let host = begin()?;
    chapter("nobody knows dora");
    check("dora", &host.root("! getent passwd dora"))?;
    for protection in ["ldaps", "start-tls"] {
        chapter(&format!("alice names the directory, by {protection}"));
        let since = trail::end(&host);
        check("set", &alice(&host, &format!("{SET} protection={protection}")))?;
        is_on_record(&host, since, "setting set directory-server", Function::DirectoryServer)?;
        let shown = alice(&host, "virtwarden setting show directory-server");
        must_contain("show", &shown, "ldap.example.org")?;
        if shown.out.contains("DIFFERS") {
            return Err(format!("drift: {}", shown.out));
        }
        must_contain(
            "dora",
            &dora(&host, "dora-password", "id -un; virtwarden whoami"),
            "by password (sshd)",
        )?;
        told("dora", "the right password", "logs in, as a User without anything");
        let refused = dora(&host, "wrong-password", "id -un");
        must_contain("dora", &refused, "Permission denied")?;
        let known =
            dora(&host, "dora-password", "virtwarden setting set directory-server address=none 2>&1; true");
        must_contain("dora", &known, "dora holds no role")?;
    }
    chapter("alice names another, in which dora is not");
    check("set", &alice(&host, &SET.replacen("base=", "base=ou=elsewhere,", 1)))?;
    check("dora", &host.root("! getent passwd dora && ! id dora"))?;
    check(
        "and without an answer",
        &host.root("systemctl stop slapd; systemctl restart sssd; ! getent passwd dora"),
    )?;
    told("dora", "getent passwd dora", "nobody knows her any more");
    check("unset", &alice(&host, UNSET))?;
    check("dora", &host.root("! getent passwd dora; ! ls /var/lib/sss/db | grep virtwarden"))?;
    check("tidy", &host.root(TIDY))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_directory_that_does_not_prove_itself_is_refused_before_anything_is_written() -> Result<(), String> {
    let host = begin()?;
    let before = host.root(STATE).out;
    chapter("what does not prove itself, or makes no sense, changes nothing");
    for (value, said) in [
        (
            "address=ldap.example.org base=dc=example,dc=org ca=/srv/directory/impostor.pem",
            "does not answer as it must",
        ),
        (
            "address=other.example.org base=dc=example,dc=org ca=/srv/directory/ca.pem",
            "does not answer as it must",
        ),
        (
            "address=other.example.org base=dc=example,dc=org protection=start-tls ca=/srv/directory/ca.pem",
            "does not answer",
        ),
        ("address=ldap.example.org base=dc=example,dc=com ca=/srv/directory/ca.pem", "No such object"),
        (
            "address=ldap.example.org port=6360 base=dc=example,dc=org ca=/srv/directory/ca.pem",
            "does not answer",
        ),
        (
            "address=ldap.example.org base=dc=example,dc=org ca=/srv/directory/server.pem",
            "cannot sign others",
        ),
        ("address=ldap.example.org ca=/srv/directory/ca.pem", "base=NAME"),
        ("address=ldap.example.org base=dc=example,dc=org", "ca=FILE"),
        ("address=ldap.example.org base=dc=example,dc=org protection=none ca=/srv/directory/ca.pem", "ldaps"),
    ] {
        let ran = alice(&host, &format!("virtwarden setting set directory-server {value}"));
        must_contain(value, &ran, said)?;
        if ran.succeeded() || host.root(STATE).out != before {
            return Err(format!("`{value}` was taken: {}", ran.shown()));
        }
        told("alice", value, "refused");
    }
    check("dry run", &alice(&host, &format!("{SET} --dry-run")))?;
    if host.root(STATE).out != before {
        return Err("a dry run changed something".to_owned());
    }
    check("tidy", &host.root(TIDY))
}

/// TLS by socat, and slapd behind it.
const DIRECTORY: Server<'_> =
    Server { port: 6636, identity: "/srv/directory/server", inward: "TCP:127.0.0.1:389" };

/// Whether sssd, which remembers nothing and asks anew, finds dora at a server that offers this.
fn is_found(host: &Host, offer: Offer, expected: &str) -> Result<(), String> {
    DIRECTORY.offer(host, offer)?;
    check(
        "sssd",
        &host.root("date +%s.%N > /srv/directory/since; systemctl stop sssd; rm -f /var/lib/sss/db/*; systemctl start sssd"),
    )?;
    let found = if host.root("getent passwd dora").succeeded() { "found" } else { "not found" };
    if found != expected {
        return Err(format!("{}: dora is {found}", offer.0));
    }
    if expected == "not found" {
        host.wait("the server says why", &DIRECTORY.has_refused("/srv/directory/since"))?;
    }
    told("sssd", offer.0, found);
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn sssd_keeps_to_the_suite_and_so_does_the_question() -> Result<(), String> {
    let host = begin()?;
    let (cryptography, set) = ("virtwarden setting set tls-cryptography suite", format!("{SET} port=6636"));
    check("begin anew", &alice(&host, "virtwarden setting unset tls-cryptography"))?;
    chapter("the libraries' own choice");
    DIRECTORY.offer(&host, INSIDE)?;
    check("set", &alice(&host, &set))?;
    for offer in OUTSIDE {
        is_found(&host, offer, "found")?;
    }
    chapter("the profile's suite");
    check("suite", &alice(&host, &format!("{cryptography}=profile")))?;
    for offer in OUTSIDE {
        is_found(&host, offer, "not found")?;
    }
    for offer in [SHORT, INSIDE] {
        is_found(&host, offer, "found")?;
    }
    check("suite", &alice(&host, &format!("{cryptography}=profile-256")))?;
    is_found(&host, SHORT, "not found")?;
    is_found(&host, INSIDE, "found")?;
    chapter("a server that keeps to none of it cannot be set");
    check("unset", &alice(&host, UNSET))?;
    let before = host.root(STATE).out;
    for offer in [OUTSIDE[0], OUTSIDE[1], SHORT] {
        DIRECTORY.offer(&host, offer)?;
        let ran = alice(&host, &set);
        must_contain(offer.0, &ran, "does not answer as it must")?;
        if ran.succeeded() || host.root(STATE).out != before {
            return Err(format!("{}: it was set: {}", offer.0, ran.shown()));
        }
        told("alice", offer.0, "refused");
    }
    DIRECTORY.end(&host)?;
    check("unset", &alice(&host, "virtwarden setting unset tls-cryptography"))?;
    check("tidy", &host.root(TIDY))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn nobody_else_redirects_it() -> Result<(), String> {
    let host = begin()?;
    let before = host.root(STATE).out;
    check("set", &alice(&host, SET))?;
    chapter("a hand is seen");
    check(
        "by hand",
        &host.root(
            "sed -i s/ldap.example/evil.example/ /etc/sssd/conf.d/50-virtwarden.conf; systemctl stop sssd",
        ),
    )?;
    let shown = alice(&host, "virtwarden setting show directory-server");
    must_contain("drift", &shown, "was changed by hand")?;
    must_contain("drift", &shown, "sssd does not run")?;
    check("set again", &alice(&host, SET))?;
    chapter("bob is refused, through every door");
    let state = || host.root(STATE).out;
    let attempts = [
        ("virtwarden setting set directory-server address=evil.example.org", "(Table 3, 17)"),
        ("virtwarden setting unset directory-server", "(Table 3, 17)"),
        ("echo > /etc/sssd/conf.d/99-bob.conf", "ermission denied"),
        ("cat /etc/sssd/conf.d/50-virtwarden.conf", "ermission denied"),
        ("echo '192.0.2.9 ldap.example.org' >> /etc/hosts", "ermission denied"),
        ("LDAPURI=ldap://192.0.2.9 KRB5_CONFIG=/tmp/x getent passwd dora", "dora:*:20001"),
        ("systemctl stop sssd", "uthenticat"),
    ];
    bob_is_refused(&host, state, &attempts, (Function::DirectoryServer, 2))?;
    check("unset", &alice(&host, UNSET))?;
    let after = host.root(STATE).out;
    if after != before {
        return Err(format!("before:\n{before}\nafter:\n{after}"));
    }
    told("alice", "unset", "as it was, byte for byte");
    check("tidy", &host.root(TIDY))
}
