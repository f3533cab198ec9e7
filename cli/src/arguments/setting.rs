// SPDX-License-Identifier: Apache-2.0
//! `virtwarden setting`.

use clap::{Args, Subcommand};
use virtwarden_core::setting::SettingName;

use super::word::words;
use super::{ChangeArguments, ReasonArguments};

/// The settings by their names.
pub(super) const NAMES: [(&str, SettingName); 15] = [
    ("audit-server", SettingName::AuditServer),
    ("banner", SettingName::Banner),
    ("certificate-validity", SettingName::CertificateValidity),
    ("default-vm", SettingName::DefaultVm),
    ("directory-server", SettingName::DirectoryServer),
    ("host-media", SettingName::HostMedia),
    ("ipsec-cryptography", SettingName::IpsecCryptography),
    ("lockout", SettingName::Lockout),
    ("password-policy", SettingName::PasswordPolicy),
    ("remote-timeout", SettingName::RemoteTimeout),
    ("screen-lock", SettingName::ScreenLock),
    ("screen-lock-timeout", SettingName::ScreenLockTimeout),
    ("ssh-cryptography", SettingName::SshCryptography),
    ("time-servers", SettingName::TimeServers),
    ("tls-cryptography", SettingName::TlsCryptography),
];

const KEYS: &str = "\
Settings and their keys; what is not named stays as it is:
  audit-server            where the audit trail is sent by syslog over TLS
      address=NAME          the server; `none` sends nothing
      port=NUMBER           6514 where nobody says otherwise
      peer=NAME             the name in its certificate, if that is not the address
      ca=FILE               who signs its certificate, in PEM
  certificate-validity    what becomes of a peer of IPsec whose certificate nobody
                          can tell valid or revoked
      action=refuse|accept
  default-vm              what a new VM is like where nobody says otherwise
      template=NAME|policy  policy: the one that `template` in [vm] of it names
      memory=SIZE           such as 4G
      vcpus=1..1024         virtual CPUs
  directory-server        the directory that sssd asks for people
      address=NAME          by the name in its certificate; `none` asks nobody
      base=NAME             where people are in it, such as dc=example,dc=org
      ca=FILE               who signs its certificate, in PEM
      port=NUMBER           if it is not the usual one
      protection=ldaps|start-tls
  host-media              what the host does with USB storage, discs and cards that
                          the policy does not grant to it
      level=open|no-automount|no-driver
                            no-automount: nobody mounts them; no-driver: no driver for
                            USB storage, taken back unless confirmed within 60 s
  ipsec-cryptography      what connections of strongSwan propose and take
      suite=profile|profile-256|distribution
                            what the base profile admits, the same with 256 bits alone,
                            or strongSwan's own choice
  password-policy         what a new password must be, whoever sets it
      minimum-length=8..128 characters at least
      classes=1..4          of upper case, lower case, digits and others at least
  remote-timeout          when idle remote sessions end
      idle=TIME|never       1 minute to 1 day without input. What a terminal answers
                            when a program asks it counts as input: a VM whose console
                            is open can keep its session from being idle.
  screen-lock             whether GNOME locks an idle screen
      lock=enabled|disabled|personal
                            personal: as each person has it
  screen-lock-timeout     when it does
      idle=TIME|personal    1 minute to 1 day without input, then the screen goes dark,
                            and a shell on a text console ends
      delay=TIME            until the dark screen is locked, 0s to 1 hour
  ssh-cryptography        the algorithms of ssh and sshd
      suite=profile|distribution
                            those that the base profile admits, or OpenSSH's own
  time-servers            where the host's time comes from
      servers=NAME,NAME|distribution
                            these and no others, or what the distribution chose
      proof=nts|nothing     whether each must prove itself (RFC 8915; chrony only)
  tls-cryptography        what TLS to the audit server and to the directory takes
      suite=profile|profile-256|distribution
                            TLS 1.2 with AES-GCM, the same with 256 bits alone, or the
                            libraries' own choice
The banner and the lockout have commands of their own: `virtwarden banner set`,
`virtwarden lockout set`.

Examples:
  virtwarden setting set password-policy minimum-length=15
  virtwarden setting set remote-timeout idle=15m --reason 'site rule 7'";

/// What to do with settings.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum SettingVerb {
    /// List the settings, who set them, and whether the host is as they say.
    List,
    /// Show one setting: its value, who set it, when and why, and what on the host differs from it.
    Show {
        /// Which.
        #[arg(value_parser = words(NAMES))]
        name: SettingName,
    },
    /// Say which settings the host differs from, and how; the exit code is 1 if there is one.
    Drift {
        /// Which; all of them where none is named.
        #[arg(value_parser = words(NAMES))]
        name: Option<SettingName>,
    },
    /// Show who set one to what, when and why, and who was refused.
    History {
        /// Which.
        #[arg(value_parser = words(NAMES))]
        name: SettingName,
    },
    /// Set one.
    #[command(after_help = KEYS)]
    Set(SettingSetArguments),
    /// Keep a value that would be taken back by itself.
    ///
    /// A value that could leave somebody without his keyboard holds for 60 s. Whoever can still type this keeps it.
    Confirm {
        /// Which.
        #[arg(value_parser = words(NAMES))]
        name: SettingName,
    },
    /// Go back to a setting's default.
    Unset {
        /// Which.
        #[arg(value_parser = words(NAMES))]
        name: SettingName,
        /// Why.
        #[command(flatten)]
        reason: ReasonArguments,
        /// Make the change or show it.
        #[command(flatten)]
        change: ChangeArguments,
    },
}

/// A setting and what to change in it.
#[derive(Clone, Debug, Args)]
pub(crate) struct SettingSetArguments {
    /// Which.
    #[arg(value_parser = words(NAMES))]
    pub(crate) name: SettingName,
    /// What to change in it; see below.
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = parse_pair)]
    pub(crate) pairs: Vec<Pair>,
    /// Why.
    #[command(flatten)]
    pub(crate) reason: ReasonArguments,
    /// Make the change or show it.
    #[command(flatten)]
    pub(crate) change: ChangeArguments,
}

/// `minimum-length=15`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Left of the first `=`.
    pub(crate) key: String,
    /// Right of it.
    pub(crate) value: String,
}

fn parse_pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok(Pair { key: key.to_owned(), value: value.to_owned() })
        }
        Some(_) | None => Err("expected KEY=VALUE, such as `minimum-length=15`".to_owned()),
    }
}
