// SPDX-License-Identifier: Apache-2.0
//! Table 3 of the PP-Module for Client Virtualization Systems v1.1, as data.
//!
//! The table says for each management function whether a role must have it, may have it or must
//! never have it. It bounds what any policy can grant: see [`Function::cell`].

use serde::{Deserialize, Serialize};

/// The two roles that Table 3 has a column for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// Manages the virtualization system through the management subsystem.
    Administrator,
    /// Operates VMs.
    User,
}

impl Column {
    /// The word in policy files and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Column::Administrator => "administrator",
            Column::User => "user",
        }
    }
}

/// What a column says about a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Cell {
    /// X: the role must have the function.
    Mandatory,
    /// O: the role may have it.
    Optional,
    /// N: the role must not have it.
    Never,
    /// S: the role must have it once the selection that the row names is made.
    Selected,
}

macro_rules! functions {
    ($($number:literal $name:ident $slug:literal $admin:ident $user:ident $sfr:literal $title:literal;)*) => {
        /// One of the 27 management functions. The number is the row in Table 3.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[repr(u8)]
        pub enum Function {
            $(#[doc = concat!("Row ", $number, ": ", $title, ".")] $name = $number,)*
        }

        impl Function {
            /// All 27, in the order of the table.
            pub const ALL: [Function; 27] = [$(Function::$name,)*];

            /// The name used in policy, commands and records.
            pub const fn slug(self) -> &'static str {
                match self { $(Function::$name => $slug,)* }
            }

            /// What the function is, to follow "may not": "configure virtual networks".
            pub const fn title(self) -> &'static str {
                match self { $(Function::$name => $title,)* }
            }

            /// The security functional requirement behind the row; empty where the table names none.
            pub const fn requirement(self) -> &'static str {
                match self { $(Function::$name => $sfr,)* }
            }

            /// What the table says of the function for one of its columns.
            pub const fn cell(self, column: Column) -> Cell {
                match (self, column) {
                    $((Function::$name, Column::Administrator) => Cell::$admin,
                      (Function::$name, Column::User) => Cell::$user,)*
                }
            }
        }
    };
}

functions! {
    1  UpdateSystem "update-system" Mandatory Never "FPT_TUD_EXT.1" "update the virtualization system";
    2  PasswordPolicy "configure-password-policy" Selected Never "FIA_PMG_EXT.1" "configure the Administrator password policy";
    3  ConfigureVms "configure-vms" Mandatory Optional "" "create, configure or delete VMs";
    4  DefaultVms "configure-default-vms" Mandatory Optional "" "set default initial VM configurations";
    5  ConfigureNetworks "configure-networks" Mandatory Optional "FDP_VNC_EXT.1" "configure virtual networks";
    6  ManageAudit "manage-audit" Mandatory Never "FAU_STG_EXT.1" "configure and manage the audit system and audit data";
    7  ConfigureDevices "configure-devices" Mandatory Optional "FDP_PPR_EXT.1" "configure VM access to physical devices";
    8  ConfigureSharing "configure-sharing" Mandatory Optional "FDP_VMS_EXT.1" "configure inter-VM data sharing";
    9  Hypercalls "configure-hypercalls" Optional Optional "" "enable or disable VM access to hypercalls";
    10 MediaPolicy "configure-media-policy" Mandatory Optional "FPT_RDM_EXT.1" "configure the removable media policy";
    11 Cryptography "configure-cryptography" Optional Optional "FCS_COP.1" "configure cryptographic functionality";
    12 AuthorizationFactors "change-authorization-factors" Mandatory Never "FIA_PMG_EXT.1" "change default authorization factors";
    13 ScreenLock "configure-screen-lock" Optional Optional "" "enable or disable the screen lock";
    14 ScreenLockTimeout "configure-screen-lock-timeout" Optional Optional "" "configure the screen lock timeout";
    15 RemoteTimeout "configure-remote-timeout" Mandatory Never "" "configure the remote connection timeout";
    16 LockoutPolicy "configure-lockout" Mandatory Never "FIA_AFL_EXT.1" "configure the authentication lockout policy";
    17 DirectoryServer "configure-directory-server" Selected Optional "FIA_UAU.5" "configure the directory server";
    18 AuditServer "configure-audit-server" Mandatory Never "FAU_STG_EXT.1" "configure the audit server";
    19 TimeServer "configure-time-server" Mandatory Optional "FPT_STM.1" "configure the network time server";
    20 Banner "configure-banner" Mandatory Never "FTA_TAB.1" "configure the banner";
    21 ConnectRemovable "connect-removable" Optional Optional "FPT_RDM_EXT.1" "connect or disconnect removable devices";
    22 Start "start" Optional Optional "" "start the VM";
    23 Stop "stop" Optional Optional "" "stop the VM";
    24 Checkpoint "checkpoint" Optional Optional "" "checkpoint the VM";
    25 Suspend "suspend" Optional Optional "" "suspend the VM";
    26 Resume "resume" Optional Optional "" "resume the VM";
    27 CertificateAction "configure-certificate-action" Selected Never "FIA_X509_EXT.2" "configure the action for certificates of unknown validity";
}

impl Function {
    /// The row in Table 3, 1 to 27.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether the function is to set a component's setting: passwords and lockout, screen locks,
    /// time-outs, cryptography, servers, banner, certificates.
    pub const fn is_setting(self) -> bool {
        matches!(self.number(), 2 | 11..=20 | 27)
    }

    /// Whether the function is done to one VM by whoever operates it, and means nothing without saying which.
    pub const fn operates_a_vm(self) -> bool {
        matches!(
            self,
            Function::ConnectRemovable
                | Function::Start
                | Function::Stop
                | Function::Checkpoint
                | Function::Suspend
                | Function::Resume
        )
    }

    /// The function of a row.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.number() == number)
    }

    /// The function with a slug.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|f| f.slug() == slug)
    }
}

impl TryFrom<String> for Function {
    type Error = String;

    fn try_from(slug: String) -> Result<Self, String> {
        Self::from_slug(&slug)
            .ok_or_else(|| format!("unknown function `{slug}`; `virtwarden table` lists them"))
    }
}

impl From<Function> for String {
    fn from(function: Function) -> String {
        function.slug().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_numbered_as_in_the_table() {
        for (index, function) in Function::ALL.iter().enumerate() {
            assert_eq!(usize::from(function.number()), index + 1);
            assert_eq!(Function::from_slug(function.slug()), Some(*function));
        }
    }

    #[test]
    fn the_table_keeps_nine_functions_from_users_and_gives_fourteen_to_administrators() {
        let rows = |column, cell| {
            let with_cell = Function::ALL.iter().filter(|f| f.cell(column) == cell);
            with_cell.map(|f| f.number()).collect::<Vec<_>>()
        };
        assert_eq!(rows(Column::User, Cell::Never), [1, 2, 6, 12, 15, 16, 18, 20, 27]);
        assert_eq!(
            rows(Column::Administrator, Cell::Mandatory),
            [1, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 18, 19, 20]
        );
        assert_eq!(rows(Column::Administrator, Cell::Selected), [2, 17, 27]);
        assert_eq!(rows(Column::Administrator, Cell::Never), [0; 0]);
        assert_eq!(rows(Column::User, Cell::Mandatory), [0; 0]);
        assert_eq!(rows(Column::User, Cell::Selected), [0; 0]);
    }

    #[test]
    fn settings_are_the_rows_that_a_component_of_the_host_carries() {
        let settings: Vec<_> = Function::ALL.iter().filter(|f| f.is_setting()).map(|f| f.number()).collect();
        assert_eq!(settings, [2, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 27]);
    }
}
