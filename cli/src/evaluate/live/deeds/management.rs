// SPDX-License-Identifier: Apache-2.0
//! Rows 1, 4, 6, 12, 17 and 18: updates, defaults of new VMs, the trail, who is who, who else knows it, and where the trail
//! goes.

use virtwarden_core::setting::SettingName;

use crate::evaluate::live::deed::{CONTROL, Deed, FILE, LIBVIRT, Seen, does, performs, sets, tries};

pub(super) const DEEDS: &[Deed] = &[
    // 1: FPT_TUD_EXT.1
    tries(&[1], FILE, "installs a package", "apt-get -y install --reinstall base-files", Seen::Shut),
    tries(&[1], FILE, "installs a file as a package", "dpkg --unpack {files}/new.xml", Seen::Shut),
    tries(&[1], FILE, "adds a source of packages", "echo > /etc/apt/sources.list.d/mine.list", Seen::Shut),
    tries(
        &[1],
        FILE,
        "replaces the monitor",
        "cp /bin/true /usr/lib/virtwarden/virtwarden-policyd",
        Seen::Shut,
    ),
    // 4
    does(
        &[4],
        CONTROL,
        "asks what reading the policy again would change, and which template completes new VMs",
        "virtwarden policy reload --dry-run && virtwarden policy show | grep '^template'",
        "policy reload",
    ),
    tries(&[4], CONTROL, "has the policy read again", "virtwarden policy reload", Seen::Denied),
    tries(
        &[4],
        FILE,
        "writes a template",
        "mkdir -p /etc/virtwarden/templates && echo > /etc/virtwarden/templates/desktop.xml",
        Seen::Shut,
    ),
    tries(
        &[4],
        FILE,
        "writes the shipped template",
        "echo > /usr/share/virtwarden/templates/desktop.xml",
        Seen::Shut,
    ),
    tries(&[4], FILE, "writes libvirt's defaults", "echo >> /etc/libvirt/qemu.conf", Seen::Shut),
    // 6: FAU. Who reads the trail and who manages it can be two people, so a record of reading names no row.
    does(&[6], CONTROL, "reads the trail", "virtwarden audit list -n 3", "audit list"),
    does(&[6], CONTROL, "has the trail verified", "virtwarden audit verify", "audit verify"),
    does(&[6], CONTROL, "exports a part of it", "virtwarden audit export --from 1 --to 2", "audit export"),
    performs(
        &[6],
        CONTROL,
        "asks what deleting old segments would delete (a dry run: the trail is kept)",
        "virtwarden audit delete --before 3650d --dry-run",
    ),
    tries(&[6], CONTROL, "reads the trail", "virtwarden audit list", Seen::Denied),
    tries(&[6], CONTROL, "exports the trail", "virtwarden audit export", Seen::Denied),
    tries(&[6], CONTROL, "has the trail verified", "virtwarden audit verify", Seen::Denied),
    tries(
        &[6],
        CONTROL,
        "deletes old segments",
        "virtwarden audit delete --before 3650d --yes",
        Seen::Row(6),
    ),
    tries(&[6], FILE, "lists the trail's files", "ls /var/log/virtwarden/audit", Seen::Shut),
    tries(&[6], FILE, "deletes the trail", "rm -r /var/log/virtwarden/audit", Seen::Shut),
    tries(&[6], FILE, "reads the trail's key", "cat /var/lib/virtwarden/trail.key", Seen::Shut),
    tries(&[6], FILE, "stops the monitor", "systemctl --no-ask-password stop virtwarden-policyd", Seen::Shut),
    tries(&[6], FILE, "kills the monitor", "pkill -KILL -x virtwarden-polic", Seen::Quiet),
    // 12: FIA_UIA_EXT.1
    performs(
        &[12],
        CONTROL,
        "asks what taking the User's role away would change, and sees who holds which (a dry run: he is needed)",
        "virtwarden role remove {userrole} {user} --dry-run && virtwarden role list",
    ),
    tries(
        &[12],
        CONTROL,
        "makes himself an Administrator",
        "virtwarden role add {adminrole} {user} --dry-run",
        Seen::Row(12),
    ),
    tries(
        &[12],
        CONTROL,
        "takes the Administrator's role away",
        "virtwarden role remove {adminrole} {admin} --dry-run",
        Seen::Row(12),
    ),
    tries(
        &[12],
        FILE,
        "joins the Administrators' group",
        "gpasswd --add {user} virtwarden-admin < /dev/null",
        Seen::Shut,
    ),
    tries(
        &[12],
        FILE,
        "sets the Administrator's password",
        "printf 'a-new-password-1\\na-new-password-1\\n' | passwd {admin}",
        Seen::Shut,
    ),
    tries(
        &[12],
        FILE,
        "puts a key into the Administrator's home",
        "mkdir -p ~{admin}/.ssh && echo > ~{admin}/.ssh/authorized_keys",
        Seen::Shut,
    ),
    tries(&[12], FILE, "reads the password hashes", "cat /etc/shadow", Seen::Shut),
    tries(
        &[12],
        LIBVIRT,
        "sets a password inside a guest",
        "{v} set-user-password {own} root secret",
        Seen::Denied,
    ),
    // 17: FIA_UAU.5
    sets(
        &[17],
        SettingName::DirectoryServer,
        "names a directory server (one that listens on the loopback for the time of this run)",
        "virtwarden setting set directory-server address=127.0.0.1 port={ldapport} base={ldapbase} ca={files}/authority.pem{dry} && virtwarden setting show directory-server{back}",
    ),
    tries(
        &[17],
        CONTROL,
        "sets the directory server",
        "virtwarden setting set directory-server address=none",
        Seen::Row(17),
    ),
    tries(
        &[17],
        CONTROL,
        "takes the directory server away",
        "virtwarden setting unset directory-server",
        Seen::Row(17),
    ),
    tries(
        &[17],
        FILE,
        "writes a directory for sssd",
        "mkdir -p /etc/sssd/conf.d && echo > /etc/sssd/conf.d/00-mine.conf",
        Seen::Shut,
    ),
    tries(&[17], FILE, "writes where accounts are looked up", "echo >> /etc/nsswitch.conf", Seen::Shut),
    // 18: FAU_STG_EXT.1
    sets(
        &[18],
        SettingName::AuditServer,
        "names an audit server (one that listens on the loopback for the time of this run)",
        "virtwarden setting set audit-server address=127.0.0.1 port={logport} peer=vweval.invalid ca={files}/authority.pem{dry} && virtwarden setting show audit-server{back}",
    ),
    tries(
        &[18],
        CONTROL,
        "sends the trail nowhere",
        "virtwarden setting set audit-server address=none",
        Seen::Row(18),
    ),
    tries(
        &[18],
        CONTROL,
        "takes the audit server away",
        "virtwarden setting unset audit-server",
        Seen::Row(18),
    ),
    tries(
        &[18],
        FILE,
        "sends the host's log elsewhere",
        "echo '*.* @192.0.2.1' >> /etc/rsyslog.conf",
        Seen::Shut,
    ),
    tries(
        &[18],
        FILE,
        "writes the journal's configuration",
        "mkdir -p /etc/systemd/journald.conf.d && echo > /etc/systemd/journald.conf.d/mine.conf",
        Seen::Shut,
    ),
    tries(
        &[18],
        FILE,
        "writes the policy, where the trail is set up",
        "echo > /etc/virtwarden/policy.d/00-mine.toml",
        Seen::Shut,
    ),
];
