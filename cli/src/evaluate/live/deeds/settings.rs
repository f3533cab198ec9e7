// SPDX-License-Identifier: Apache-2.0
//! Rows 2, 10, 11, 13 to 16, 19, 20 and 27: settings of the host's own components. A real value is set where nobody set one
//! before and nobody is disturbed, and is taken back; elsewhere it is rendered and checked, and not put into force.

use virtwarden_core::setting::SettingName;

use crate::evaluate::live::deed::{CONTROL, Deed, FILE, Seen, performs, sets, tries};

pub(super) const DEEDS: &[Deed] = &[
    // 2: FIA_PMG_EXT.1
    sets(
        &[2],
        SettingName::PasswordPolicy,
        "sets the shortest password",
        "virtwarden setting set password-policy minimum-length=16{dry} && virtwarden setting show password-policy{back}",
    ),
    tries(
        &[2],
        CONTROL,
        "sets the shortest password",
        "virtwarden setting set password-policy minimum-length=8",
        Seen::Row(2),
    ),
    tries(
        &[2],
        CONTROL,
        "takes the password policy back",
        "virtwarden setting unset password-policy",
        Seen::Row(2),
    ),
    tries(
        &[2],
        FILE,
        "writes libpwquality's file",
        "echo 'minlen = 1' >> /etc/security/pwquality.conf",
        Seen::Shut,
    ),
    tries(&[2], FILE, "writes the password stack", "echo >> /etc/pam.d/common-password", Seen::Shut),
    // 11: FCS
    performs(
        &[11],
        CONTROL,
        "has the ssh algorithms of the profile checked (a dry run: putting them into force could end others' logins)",
        "virtwarden setting set ssh-cryptography suite=profile --dry-run && virtwarden setting show ssh-cryptography",
    ),
    tries(
        &[11],
        CONTROL,
        "sets the ssh algorithms",
        "virtwarden setting set ssh-cryptography suite=distribution",
        Seen::Row(11),
    ),
    performs(
        &[11],
        CONTROL,
        "has the suite of TLS to the audit server and the directory checked (a dry run: either might not keep to it)",
        "virtwarden setting set tls-cryptography suite=profile --dry-run && virtwarden setting show tls-cryptography",
    ),
    tries(
        &[11],
        CONTROL,
        "sets the suite of TLS",
        "virtwarden setting set tls-cryptography suite=distribution",
        Seen::Row(11),
    ),
    performs(
        &[11],
        CONTROL,
        "has the proposals of IPsec checked (a dry run: peers might not know them)",
        "virtwarden setting set ipsec-cryptography suite=profile --dry-run && virtwarden setting show ipsec-cryptography",
    ),
    tries(
        &[11],
        CONTROL,
        "sets the proposals of IPsec",
        "virtwarden setting set ipsec-cryptography suite=distribution",
        Seen::Row(11),
    ),
    tries(
        &[11],
        FILE,
        "writes what systemd gives to sssd",
        "mkdir -p /etc/systemd/system/sssd.service.d && echo > /etc/systemd/system/sssd.service.d/mine.conf",
        Seen::Shut,
    ),
    tries(
        &[11],
        FILE,
        "writes sshd's configuration",
        "echo 'Ciphers 3des-cbc' > /etc/ssh/sshd_config.d/00-mine.conf",
        Seen::Shut,
    ),
    tries(&[11], FILE, "reads the host's key", "cat /etc/ssh/ssh_host_*_key", Seen::Shut),
    // 13, 14
    performs(
        &[13],
        CONTROL,
        "has the screen lock checked (a dry run: somebody may sit before a screen)",
        "virtwarden setting set screen-lock lock=enabled --dry-run && virtwarden setting show screen-lock",
    ),
    tries(
        &[13],
        CONTROL,
        "turns the screen lock off",
        "virtwarden setting set screen-lock lock=disabled",
        Seen::Row(13),
    ),
    tries(
        &[13],
        FILE,
        "writes dconf's defaults",
        "mkdir -p /etc/dconf/db/local.d && echo > /etc/dconf/db/local.d/00-mine",
        Seen::Shut,
    ),
    performs(
        &[14],
        CONTROL,
        "has the screen lock's time checked (a dry run, likewise)",
        "virtwarden setting set screen-lock-timeout idle=15m --dry-run && virtwarden setting show screen-lock-timeout",
    ),
    tries(
        &[14],
        CONTROL,
        "sets the screen lock's time",
        "virtwarden setting set screen-lock-timeout idle=24h",
        Seen::Row(14),
    ),
    tries(
        &[14],
        FILE,
        "writes what shells begin with",
        "echo 'TMOUT=0' > /etc/profile.d/zz-mine.sh",
        Seen::Shut,
    ),
    // 15
    sets(
        &[15],
        SettingName::RemoteTimeout,
        "sets when idle remote sessions end",
        "virtwarden setting set remote-timeout idle=23h{dry} && virtwarden setting show remote-timeout{back}",
    ),
    tries(
        &[15],
        CONTROL,
        "sets when idle remote sessions end",
        "virtwarden setting set remote-timeout idle=24h",
        Seen::Row(15),
    ),
    tries(&[15], CONTROL, "takes that limit away", "virtwarden setting unset remote-timeout", Seen::Row(15)),
    tries(
        &[15],
        FILE,
        "writes sshd's configuration",
        "echo 'ClientAliveInterval 0' > /etc/ssh/sshd_config.d/00-mine.conf",
        Seen::Shut,
    ),
    // 16: FIA_AFL_EXT.1
    sets(
        &[16],
        SettingName::Lockout,
        "sets how many failures lock an account",
        "virtwarden lockout set --attempts 4 --period 15m --unlock 10m{dry} && virtwarden setting show lockout{back}",
    ),
    performs(
        &[16],
        CONTROL,
        "unlocks an account",
        "virtwarden lockout unlock {user} && virtwarden lockout list",
    ),
    tries(
        &[16],
        CONTROL,
        "sets how many failures lock",
        "virtwarden lockout set --attempts 100 --period 1h --unlock 1s",
        Seen::Row(16),
    ),
    tries(&[16], CONTROL, "unlocks an Administrator", "virtwarden lockout unlock {admin}", Seen::Row(16)),
    tries(&[16], CONTROL, "lists who is locked", "virtwarden lockout list", Seen::Row(16)),
    tries(&[16], FILE, "writes the locks", "echo > /var/lib/virtwarden/lockout/locked", Seen::Shut),
    tries(&[16], FILE, "writes the login stack", "echo >> /etc/pam.d/common-auth", Seen::Shut),
    // 19
    performs(
        &[19],
        CONTROL,
        "has time servers checked (a dry run: the host keeps its own)",
        "virtwarden setting set time-servers servers=192.0.2.1 --dry-run && virtwarden setting show time-servers",
    ),
    tries(
        &[19],
        CONTROL,
        "sets the time servers",
        "virtwarden setting set time-servers servers=192.0.2.1",
        Seen::Row(19),
    ),
    tries(&[19], FILE, "sets the clock", "date -s 2000-01-01", Seen::Shut),
    tries(
        &[19],
        FILE,
        "turns the time service off",
        "timedatectl --no-ask-password set-ntp false",
        Seen::Shut,
    ),
    tries(
        &[19],
        FILE,
        "adds a source to chrony",
        "echo 'server 192.0.2.1' > /etc/chrony/sources.d/mine.sources",
        Seen::Shut,
    ),
    // 20: FTA_TAB.1
    sets(
        &[20],
        SettingName::Banner,
        "sets the banner",
        "virtwarden banner set 'TEST TEST Warning Message TEST TEST'{dry} && virtwarden banner show{back}",
    ),
    tries(&[20], CONTROL, "sets the banner", "virtwarden banner set mine", Seen::Row(20)),
    tries(&[20], CONTROL, "takes the banner away", "virtwarden banner unset", Seen::Row(20)),
    tries(&[20], FILE, "writes what terminals show", "echo mine > /etc/issue", Seen::Shut),
    tries(
        &[20],
        FILE,
        "writes sshd's configuration",
        "echo 'Banner none' > /etc/ssh/sshd_config.d/00-mine.conf",
        Seen::Shut,
    ),
    // 27: FIA_X509_EXT.2
    performs(
        &[27],
        CONTROL,
        "has it checked that unknown certificates are accepted (a dry run: a peer could get in meanwhile)",
        "virtwarden setting set certificate-validity action=accept --dry-run && virtwarden setting show certificate-validity",
    ),
    tries(
        &[27],
        CONTROL,
        "lets unknown certificates be accepted",
        "virtwarden setting set certificate-validity action=accept",
        Seen::Row(27),
    ),
    tries(
        &[27],
        CONTROL,
        "takes that setting back",
        "virtwarden setting unset certificate-validity",
        Seen::Row(27),
    ),
    tries(
        &[27],
        FILE,
        "writes connections of strongSwan",
        "mkdir -p /etc/swanctl/conf.d && echo > /etc/swanctl/conf.d/mine.conf",
        Seen::Shut,
    ),
    // 10: FPT_RDM_EXT.1
    performs(&[10], CONTROL, "looks at what the policy says of media", "virtwarden device classes"),
    performs(
        &[10],
        CONTROL,
        "has what the host does with media checked (a dry run: a device may be in use)",
        "virtwarden setting set host-media level=no-automount --dry-run && virtwarden setting show host-media",
    ),
    tries(
        &[10],
        CONTROL,
        "opens the host to media",
        "virtwarden setting set host-media level=open",
        Seen::Row(10),
    ),
    tries(&[10], CONTROL, "has the policy read again", "virtwarden policy reload", Seen::Denied),
    tries(&[10], FILE, "writes a policy", "echo > /etc/virtwarden/policy.d/00-mine.toml", Seen::Shut),
    tries(&[10], FILE, "writes a rule for udev", "echo > /etc/udev/rules.d/99-mine.rules", Seen::Shut),
    tries(&[10], FILE, "puts a disc into the library", "echo > {library}/mine.iso", Seen::Shut),
];
