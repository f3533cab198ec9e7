// SPDX-License-Identifier: Apache-2.0
//! What a request is about.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::subject::{Account, Group};

/// A libvirt UUID: the identity of a VM, network, pool, filter or secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Reads the 32 hexadecimal digits, with or without hyphens, as libvirt does.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = text.bytes().filter(|b| *b != b'-');
        let mut nibble =
            || digits.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            *byte = nibble()? << 4 | nibble()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Uuid {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is not a UUID"))
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> String {
        uuid.to_string()
    }
}

/// Whether a VM is kept from whatever could carry its data away. Administrators decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sensitivity {
    /// What binds every VM, and no more.
    #[default]
    Ordinary,
    /// No removable media, no sharing, no copy of its disks, memory or screen, by nobody.
    Sensitive,
}

impl Sensitivity {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Sensitive => "sensitive",
        }
    }

    /// Whether nothing more than usual binds the VM.
    pub fn is_ordinary(&self) -> bool {
        *self == Self::Ordinary
    }
}

/// Whose VM it is and which information domain it belongs to. Kept by policyd's registry, never
/// read from a VM's own definition, which anyone who may configure the VM can write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The accounts that may operate the VM.
    #[serde(default)]
    pub users: BTreeSet<Account>,
    /// The groups whose members may operate it.
    #[serde(default)]
    pub groups: BTreeSet<Group>,
    /// The information domain; none means that it is in none, so that no domain's networks are open to it.
    #[serde(default)]
    pub information_domain: Option<String>,
    /// Whether it is sensitive.
    #[serde(default, skip_serializing_if = "Sensitivity::is_ordinary")]
    pub sensitivity: Sensitivity,
}

/// A VM as a decision sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vm {
    /// Its identity.
    pub uuid: Uuid,
    /// Its present name, for people; decisions do not look at it.
    pub name: String,
    /// None: unknown to the registry, or assigned to nobody.
    pub assignment: Option<Arc<Assignment>>,
}

impl Vm {
    /// Whether it is sensitive.
    pub fn sensitivity(&self) -> Sensitivity {
        self.assignment.as_ref().map(|assignment| assignment.sensitivity).unwrap_or_default()
    }
}

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// The host or libvirt as a whole.
    Host,
    /// A VM.
    Vm(Vm),
    /// A virtual network, by name.
    Network(String),
    /// A network filter or a binding of one, by name.
    NetworkFilter(String),
    /// A storage pool, by name.
    Pool(String),
    /// A volume in a pool.
    Volume {
        /// The pool's name.
        pool: String,
        /// The volume's name.
        name: String,
    },
    /// A host network interface, by name.
    Interface(String),
    /// A physical device of the host, by libvirt's name.
    Device(String),
    /// A removable medium, by what it is known again by. Whether it may go where it is wanted, its rule says.
    Medium(String),
    /// A secret.
    Secret(Uuid),
    /// A typed setting of Virtwarden or of a component, by name.
    Setting(String),
    /// What the asker has stricter for himself than a setting has it for everybody, by the setting's name.
    OwnSetting(String),
    /// The policy.
    Policy,
    /// The audit trail.
    Trail,
}

impl fmt::Display for Object {
    /// For people: "VM `bobvm`", "network `red`".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Host => f.write_str("this host"),
            Object::Vm(vm) => write!(f, "VM `{}`", vm.name),
            Object::Network(name) => write!(f, "network `{name}`"),
            Object::NetworkFilter(name) => write!(f, "network filter `{name}`"),
            Object::Pool(name) => write!(f, "pool `{name}`"),
            Object::Volume { pool, name } => write!(f, "volume `{name}` in pool `{pool}`"),
            Object::Interface(name) => write!(f, "interface `{name}`"),
            Object::Device(name) => write!(f, "device `{name}`"),
            Object::Medium(id) => write!(f, "medium `{id}`"),
            Object::Secret(uuid) => write!(f, "secret `{uuid}`"),
            Object::Setting(name) => write!(f, "setting `{name}`"),
            Object::OwnSetting(name) => write!(f, "one's own `{name}`"),
            Object::Policy => f.write_str("the policy"),
            Object::Trail => f.write_str("the audit trail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_reads_back_as_written() {
        let text = "6f1c9ad4-0b1e-4a39-9e0b-7d6a0c5a1f22";
        assert_eq!(Uuid::parse(text).map(|u| u.to_string()).as_deref(), Some(text));
        assert!(Uuid::parse(&text[1..]).is_none());
        assert!(Uuid::parse(&format!("{text}0")).is_none());
        assert!(Uuid::parse("zf1c9ad4-0b1e-4a39-9e0b-7d6a0c5a1f22").is_none());
    }
}
