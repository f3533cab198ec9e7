// SPDX-License-Identifier: Apache-2.0
//! What is broken, how it is mended, which cells must fail and what the reason must name.

use std::collections::BTreeSet;

/// One thing that is broken on purpose, by root, from outside the product.
pub(crate) struct Mutation {
    /// What, for people.
    pub(crate) name: &'static str,
    /// How.
    pub(crate) how: How,
    /// What the reason must name.
    pub(crate) says: &'static str,
    /// The cells that must fail: columns with their rows, such as `user 3 22; administrator 5`; `refused` for every cell
    /// in which Users are refused.
    pub(crate) cells: &'static str,
}

/// How something is broken and mended.
pub(crate) enum How {
    /// A script that breaks it and one that mends it.
    Scripts(&'static str, &'static str),
    /// A file that is put aside.
    Without(&'static str),
    /// A file with another mode.
    Mode(&'static str, &'static str),
    /// bob in a group.
    InGroup(&'static str),
    /// A unit that is stopped.
    Stopped(&'static str),
    /// A file that was not there.
    With(&'static str, &'static str),
    /// Rules of the policy, loaded.
    Policy(&'static str),
}

impl Mutation {
    /// The script that breaks it.
    pub(crate) fn breaks(&self) -> String {
        match &self.how {
            How::Scripts(breaks, _) => (*breaks).to_owned(),
            How::Without(path) => format!("mv {path} {}", aside(path)),
            How::Mode(path, mode) => format!("stat -c %a {path} > {}; chmod {mode} {path}", aside(path)),
            How::InGroup(group) => format!("gpasswd -a bob {group}"),
            How::Stopped(unit) => format!("systemctl stop {unit}"),
            How::With(path, text) => format!("printf '%s\\n' '{text}' > {path}"),
            How::Policy(text) => format!("RULES='{text}'; {LOAD}"),
        }
    }

    /// The script that mends it.
    pub(crate) fn mends(&self) -> String {
        match &self.how {
            How::Scripts(_, mends) => (*mends).to_owned(),
            How::Without(path) => format!("test ! -e {0} || mv {0} {path}", aside(path)),
            How::Mode(path, _) => format!("chmod $(cat {0}) {path}; rm {0}", aside(path)),
            How::InGroup(group) => format!("gpasswd -d bob {group}"),
            How::Stopped(unit) => format!("systemctl start {unit}"),
            How::With(path, _) => format!("rm -f {path}"),
            How::Policy(_) => format!("RULES=; {LOAD}"),
        }
    }

    /// The cells that must fail.
    pub(crate) fn cells(&self, refused: &BTreeSet<String>) -> BTreeSet<String> {
        if self.cells == "refused" {
            return refused.clone();
        }
        let columns = self.cells.split("; ").filter_map(|column| column.split_once(' '));
        columns.flat_map(|(column, rows)| rows.split(' ').map(move |row| format!("{column} {row}"))).collect()
    }
}

/// Where a file waits until it is put back.
fn aside(path: &str) -> String {
    format!("/root/mutation{}", path.replace('/', "-"))
}

/// policyd reads the policy anew, as it does when it starts.
const LOAD: &str = "f=/etc/virtwarden/policy.d/05-mutation.toml; rm -f $f; test -z \"$RULES\" || printf '%s\\n' \"$RULES\" > $f;
    systemctl restart virtwarden-policyd.service";

const LIBVIRT: &str = "user 3 5 7 8 21 22 23 24 25 26";

const fn mutation(name: &'static str, how: How, says: &'static str, cells: &'static str) -> Mutation {
    Mutation { name, how, says, cells }
}

/// Mutations that are made together; the last may be about what the others would hide.
pub(crate) const WAVES: &[&[Mutation]] = &[
    &[
        mutation(
            "libvirtd's socket goes back to its public place at the next boot",
            How::Without("/etc/systemd/system/libvirtd.socket.d/virtwarden.conf"),
            "missing: /etc/systemd/system/libvirtd.socket.d/virtwarden.conf",
            LIBVIRT,
        ),
        mutation(
            "polkit lets bob manage libvirt",
            How::Scripts(
                "f=/etc/polkit-1/rules.d/00-virtwarden.rules; cp -p $f /root/mutation-polkit; echo 'polkit.addRule(function (a, s) { if (s.user == \"bob\") return polkit.Result.YES; });' >> $f",
                "mv /root/mutation-polkit /etc/polkit-1/rules.d/00-virtwarden.rules",
            ),
            "changed by somebody: /etc/polkit-1/rules.d/00-virtwarden.rules",
            LIBVIRT,
        ),
        mutation(
            "a rule of polkit is asked before ours",
            How::With("/etc/polkit-1/rules.d/00-a.rules", "// first"),
            "polkit asks",
            LIBVIRT,
        ),
        mutation(
            "libvirt-dbus is let onto the system bus",
            How::Without("/etc/dbus-1/system.d/virtwarden-libvirt-dbus.conf"),
            "missing: /etc/dbus-1/system.d/virtwarden-libvirt-dbus.conf",
            LIBVIRT,
        ),
        mutation(
            "libvirtd may listen on the network again",
            How::Without("/etc/systemd/system/libvirtd-tcp.socket"),
            "missing: /etc/systemd/system/libvirtd-tcp.socket",
            LIBVIRT,
        ),
        mutation(
            "something listens on libvirt's port on the network",
            How::Scripts(
                "systemd-run -q --collect --unit mutation-listener socat TCP-LISTEN:16509,fork /dev/null; for i in $(seq 50); do ss -ltnH | grep -q :16509 && exit 0; sleep .1; done; exit 1",
                "systemctl stop mutation-listener",
            ),
            "listens on the network",
            LIBVIRT,
        ),
        mutation(
            "an emulator is anybody's",
            How::Scripts(
                "dpkg-statoverride --remove /usr/bin/qemu-system-x86_64; chown root:root /usr/bin/qemu-system-x86_64; chmod 755 /usr/bin/qemu-system-x86_64",
                "dpkg-statoverride --update --add root kvm 0750 /usr/bin/qemu-system-x86_64",
            ),
            "missing: /usr/bin/qemu-system-x86_64 root:kvm 0750",
            "user 3 22",
        ),
        mutation(
            "libvirtd can be run by anybody as his own",
            How::Mode("/usr/sbin/libvirtd", "755"),
            "changed by somebody: /usr/sbin/libvirtd",
            "user 3 22",
        ),
        mutation(
            "/dev/kvm is open to all",
            How::Mode("/dev/kvm", "666"),
            "changed by somebody: /dev/kvm",
            "user 3 22",
        ),
        mutation(
            "an emulator runs under bob's account",
            How::Scripts(
                "install -m 755 /usr/bin/sleep /tmp/qemu-system-x86_64; systemd-run -q --collect --unit mutation-emulator -p User=bob /tmp/qemu-system-x86_64 600; for i in $(seq 50); do pgrep -u bob qemu-system && exit 0; sleep .1; done; exit 1",
                "systemctl stop mutation-emulator; rm /tmp/qemu-system-x86_64",
            ),
            "qemu-system-x86 (process",
            "user 3 22",
        ),
        mutation(
            "the SPICE client's USB helper is setuid",
            How::Scripts(
                "f=/usr/libexec/spice-client-glib-usb-acl-helper; dpkg-statoverride --remove $f; test -e $f || install -m 4755 /bin/true $f",
                "f=/usr/libexec/spice-client-glib-usb-acl-helper; cmp -s $f /bin/true && rm $f; dpkg-statoverride --add root root 0750 $f",
            ),
            "spice-client-glib-usb-acl-helper",
            "user 7 21",
        ),
        mutation(
            "QEMU's bridge helper is setuid",
            How::Mode("/usr/lib/qemu/qemu-bridge-helper", "4755"),
            "/usr/lib/qemu/qemu-bridge-helper runs as root for everybody",
            "user 5",
        ),
        mutation("bob is in group kvm", How::InGroup("kvm"), "bob is in group kvm", "user 3 22"),
        mutation(
            "bob is in group libvirt-qemu",
            How::InGroup("libvirt-qemu"),
            "bob is in group libvirt-qemu",
            "user 3 8 23",
        ),
        mutation(
            "bob is in group virtwarden",
            How::InGroup("virtwarden"),
            "bob is in group virtwarden ",
            LIBVIRT,
        ),
        mutation("bob is in group shadow", How::InGroup("shadow"), "bob is in group shadow", "user 12"),
        mutation(
            "the hook of VMs is gone",
            How::Without("/etc/libvirt/hooks/qemu.d/90-virtwarden"),
            "missing: /etc/libvirt/hooks/qemu.d/90-virtwarden",
            "user 8 10 22; administrator 8 10 22",
        ),
        mutation(
            "the hook of networks is gone",
            How::Without("/etc/libvirt/hooks/network.d/90-virtwarden"),
            "missing: /etc/libvirt/hooks/network.d/90-virtwarden",
            "user 5; administrator 5",
        ),
        mutation(
            "the directory of libvirtd's sockets is open",
            How::Mode("/run/virtwarden/upstream", "755"),
            "/run/virtwarden/upstream is not root:virtwarden 0750",
            LIBVIRT,
        ),
        mutation(
            "libvirt's admin socket is open",
            How::Mode("/run/libvirt/libvirt-admin-sock", "666"),
            "/run/libvirt/libvirt-admin-sock is open",
            "user 3 6",
        ),
        mutation(
            "virtlogd's socket is open",
            How::Mode("/run/libvirt/virtlogd-sock", "666"),
            "/run/libvirt/virtlogd-sock is open",
            "user 3 6",
        ),
        mutation(
            "nobody watches what sshd refuses",
            How::Stopped("virtwarden-witness.service"),
            "virtwarden-witness.service is not running",
            "administrator 6",
        ),
        mutation(
            "nobody can raise his session",
            How::Stopped("virtwarden-elevate.socket"),
            "virtwarden-elevate.socket is not running",
            "administrator 12",
        ),
        mutation(
            "password changes pass our module by",
            How::Scripts(
                "cp -p /etc/pam.d/common-password /root/mutation-pam; sed -i /pam_virtwarden/d /etc/pam.d/common-password",
                "mv /root/mutation-pam /etc/pam.d/common-password",
            ),
            "changed by somebody: /etc/pam.d/common-*",
            "user 12 16; administrator 12 16",
        ),
        mutation(
            "anybody may read the trail",
            How::Scripts(
                "chmod 644 $(ls /var/log/virtwarden/audit/*.jsonl | head -n 1)",
                "chmod 600 /var/log/virtwarden/audit/*.jsonl",
            ),
            ".jsonl` is open to others",
            "user 6",
        ),
        mutation(
            "the key that seals the trail is open",
            How::Mode("/var/lib/virtwarden/trail.key", "644"),
            "trail.key` is open to others",
            "user 6",
        ),
        mutation(
            "a record was changed",
            How::Scripts(
                "f=$(ls /var/log/virtwarden/audit/*.jsonl | head -n 1); dd if=$f of=/root/mutation-byte bs=1 skip=200 count=1 status=none; printf '~' | dd of=$f bs=1 seek=200 conv=notrunc status=none",
                "f=$(ls /var/log/virtwarden/audit/*.jsonl | head -n 1); dd if=/root/mutation-byte of=$f bs=1 seek=200 conv=notrunc status=none; rm /root/mutation-byte",
            ),
            "the trail is not whole",
            "user 6; administrator 6",
        ),
        mutation(
            "anybody puts media into the library",
            How::Mode("/var/lib/virtwarden/media", "1777"),
            "/var/lib/virtwarden/media` is open",
            "user 10 21; administrator 10 21",
        ),
        mutation(
            "anybody changes the templates",
            How::Mode("/usr/share/virtwarden/templates", "777"),
            "/usr/share/virtwarden/templates` is open",
            "user 4",
        ),
        mutation(
            "sshd allows more attempts than are counted",
            How::With("/etc/ssh/sshd_config.d/00-mutation-tries.conf", "MaxAuthTries 60"),
            "setting `lockout` does not hold",
            "administrator 16",
        ),
        mutation(
            "sshd shows no banner",
            How::With("/etc/ssh/sshd_config.d/00-mutation-banner.conf", "Banner none"),
            "setting `banner` does not hold",
            "administrator 20",
        ),
        mutation(
            "shorter passwords are taken",
            How::With("/etc/security/pwquality.conf.d/99-mutation.conf", "minlen = 6"),
            "setting `password-policy` does not hold",
            "administrator 2",
        ),
        mutation(
            "what sends the trail takes any TLS",
            How::Scripts(
                "d=/etc/systemd/system/virtwarden-audit-server.service.d; printf '[Service]\\nEnvironment=OPENSSL_CONF=/dev/null\\n' > $d/99-mutation.conf; systemctl daemon-reload",
                "rm -f /etc/systemd/system/virtwarden-audit-server.service.d/99-mutation.conf; systemctl daemon-reload",
            ),
            "does not get `OPENSSL_CONF",
            "administrator 11",
        ),
        mutation(
            "OpenSSL is told of more ciphers",
            How::Scripts(
                "sed -i.mutation s/^CipherString.*/CipherString=ALL/ /etc/virtwarden/tls-cryptography/openssl.cnf",
                "f=/etc/virtwarden/tls-cryptography/openssl.cnf; mv $f.mutation $f",
            ),
            "OpenSSL takes",
            "administrator 11",
        ),
        mutation(
            "a connection takes certificates that may be revoked",
            How::With("/etc/swanctl/conf.d/zz-mutation.conf", "connections {\n  lax {\n  }\n}"),
            "connection `lax` of strongSwan accepts a peer",
            "administrator 27",
        ),
        mutation(
            "chrony asks somebody else for the time",
            How::Scripts("chronyc add server 192.0.2.9", "chronyc delete 192.0.2.9"),
            "setting `time-servers` does not hold",
            "administrator 19",
        ),
    ],
    &[
        mutation(
            "libvirtd's own socket is open",
            How::Mode("/run/virtwarden/upstream/libvirt-sock", "666"),
            "/run/virtwarden/upstream/libvirt-sock is not",
            LIBVIRT,
        ),
        mutation(
            "the hook program cannot be started",
            How::Mode("/usr/sbin/virtwarden-hook", "644"),
            "virtwarden-hook cannot be started",
            "user 5 8 10 22; administrator 5 8 10 22",
        ),
        mutation(
            "sshd asks PAM nothing",
            How::With("/etc/ssh/sshd_config.d/00-mutation-pam.conf", "UsePAM no"),
            "sshd does not use PAM",
            "user 12 16; administrator 12 16",
        ),
    ],
    &[
        mutation(
            "the hook program agrees to everything",
            How::Scripts(
                "cp -p /usr/sbin/virtwarden-hook /root/mutation-hook; install -m 755 /bin/true /usr/sbin/virtwarden-hook",
                "install -m 755 /root/mutation-hook /usr/sbin/virtwarden-hook; rm /root/mutation-hook",
            ),
            "agrees to everything",
            "user 5 8 10 22; administrator 5 8 10 22",
        ),
        mutation(
            "a role gives Users sharing, and every VM",
            How::Policy(
                "[role.clerk]\ncolumn = \"user\"\nusers = [\"bob\"]\nvms = \"all\"\nfunctions = [\"configure-sharing\", \"stop\"]",
            ),
            "role `clerk`",
            "user 8 23",
        ),
        mutation(
            "nobody can set what settings say",
            How::Stopped("virtwarden-settingsd.socket virtwarden-settingsd.service"),
            "virtwarden-settingsd.socket is not running",
            "administrator 2 4 10 11 13 14 15 16 17 18 19 20 27",
        ),
    ],
    &[
        mutation(
            "the hook program is gone",
            How::Without("/usr/sbin/virtwarden-hook"),
            "virtwarden-hook is missing",
            "user 5 8 10 22; administrator 5 8 10 22",
        ),
        mutation(
            "Administrators lose the banner",
            How::Policy(
                "[role.administrator]\ncolumn = \"administrator\"\nusers = [\"root\"]\ngroups = [\"virtwarden-admin\"]\nfunctions = [\"update-system\", \"configure-password-policy\", \"configure-vms\", \"configure-default-vms\", \"configure-networks\", \"manage-audit\", \"configure-devices\", \"configure-sharing\", \"configure-hypercalls\", \"configure-media-policy\", \"configure-cryptography\", \"change-authorization-factors\", \"configure-screen-lock\", \"configure-screen-lock-timeout\", \"configure-remote-timeout\", \"configure-lockout\", \"configure-directory-server\", \"configure-audit-server\", \"configure-time-server\", \"connect-removable\", \"start\", \"stop\", \"checkpoint\", \"suspend\", \"resume\", \"configure-certificate-action\"]\nalso = [\"operate\", \"guest\", \"administer\", \"review\", \"raw\"]",
            ),
            "no role has it",
            "administrator 20",
        ),
    ],
    &[mutation("bob is in group disk", How::InGroup("disk"), "bob is in group disk", "refused")],
    &[mutation(
        "bob owns the directory of the policy",
        How::Scripts("chown bob /etc/virtwarden/policy.d", "chown root /etc/virtwarden/policy.d"),
        "/etc/virtwarden/policy.d` does not belong to root",
        "refused",
    )],
];
