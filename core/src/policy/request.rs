// SPDX-License-Identifier: Apache-2.0
//! What is asked of the policy.

use serde::{Deserialize, Serialize};

use crate::object::Object;
use crate::subject::Subject;
use crate::table3::{Cell, Column, Function};

/// What somebody must hold to do a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// A management function of Table 3.
    Function(Function),
    /// Know that the object exists, and its state and configuration without secrets.
    View,
    /// Use a VM as its operator: screen, keys, serial console. Not management.
    Operate,
    /// Power inside the guest through its agent: passwords, file systems, time.
    Guest,
    /// Manage the host or libvirt in a way no row of Table 3 names, or read secrets.
    Administer,
    /// Read the audit trail: records, checks and exports. Apart from managing it, which is row 6.
    Review,
    /// A raw door that no rule can look behind: QEMU monitor and command line, any agent command,
    /// emulator binaries chosen by the client.
    Raw,
}

impl Right {
    /// The rights that no row of Table 3 stands for.
    pub const BEYOND_TABLE3: [Right; 6] =
        [Right::View, Right::Operate, Right::Guest, Right::Administer, Right::Review, Right::Raw];

    /// Every right there is.
    pub fn all() -> impl Iterator<Item = Right> {
        Function::ALL.into_iter().map(Right::Function).chain(Self::BEYOND_TABLE3)
    }

    /// The word in policy, commands and records: a function's slug, or `view`, `operate`, ...
    pub const fn word(self) -> &'static str {
        match self {
            Right::Function(function) => function.slug(),
            Right::View => "view",
            Right::Operate => "operate",
            Right::Guest => "guest",
            Right::Administer => "administer",
            Right::Review => "review",
            Right::Raw => "raw",
        }
    }

    /// Whether a role of a column may hold it: what Table 3 marks N is out of reach, and what
    /// would open everything else is the Administrator's.
    pub const fn open_to(self, column: Column) -> bool {
        match self {
            Right::Function(function) => !matches!(function.cell(column), Cell::Never),
            Right::View | Right::Operate | Right::Guest => true,
            Right::Administer | Right::Review | Right::Raw => matches!(column, Column::Administrator),
        }
    }
}

/// One thing that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The right.
    pub right: Right,
    /// On what.
    pub object: Object,
}

/// Who asks for what. A call is one request with one or more needs; it is allowed if all are.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// What; an empty list is refused, because a request that needs nothing is a mistake.
    pub needs: &'a [Need],
}
