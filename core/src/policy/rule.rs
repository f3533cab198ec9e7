// SPDX-License-Identifier: Apache-2.0
//! The statements a policy is made of: roles and information domains.

use std::collections::{BTreeMap, BTreeSet};

use crate::media::library;
use crate::object::Object;
use crate::policy::place::Place;
use crate::policy::quota::Quota;
use crate::policy::request::Right;
use crate::policy::scope::{Names, VmScope};
use crate::subject::Subject;
use crate::table3::{Column, Function};

/// A set of rights that is asked in one instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct Rights(u64);

impl Rights {
    const fn bit(right: Right) -> u64 {
        match right {
            Right::View => 1,
            Right::Function(function) => 1 << function.number(),
            Right::Operate => 1 << 32,
            Right::Guest => 1 << 33,
            Right::Administer => 1 << 34,
            Right::Raw => 1 << 35,
            Right::Review => 1 << 36,
        }
    }

    const fn contains(self, right: Right) -> bool {
        self.0 & Self::bit(right) != 0
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |bits, right| bits | Self::bit(right)))
    }
}

/// A role: who holds it, what it may do, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// The column of Table 3 that bounds it.
    pub column: Column,
    /// Account names that hold it.
    pub users: BTreeSet<String>,
    /// Names of groups whose members hold it.
    pub groups: BTreeSet<String>,
    /// Account names that hold it without anybody having authenticated.
    pub services: BTreeSet<String>,
    /// Which VMs it reaches.
    pub vms: VmScope,
    /// Which networks; all of them includes network filters and host interfaces.
    pub networks: Names,
    /// Which storage pools, with their volumes.
    pub pools: Names,
    /// Which physical devices of the host, by libvirt's name.
    pub devices: Names,
    /// Bounds what its holder may configure.
    pub quota: Option<Quota>,
    /// Where it is defined.
    pub place: Place,
    grants: BTreeMap<Right, Place>,
    rights: Rights,
}

impl Role {
    /// A role that holds nothing but sight of what it reaches: the User column's scopes are the
    /// VMs assigned to the person and nothing else, the Administrator column's are everything.
    pub(in crate::policy) fn new(name: String, column: Column, place: Place) -> Self {
        let (vms, names) = match column {
            Column::Administrator => (VmScope::All, Names::All),
            Column::User => (VmScope::Assigned, Names::Listed(BTreeSet::new())),
        };
        let role = Self {
            name,
            column,
            users: BTreeSet::new(),
            groups: BTreeSet::new(),
            services: BTreeSet::new(),
            vms,
            networks: names.clone(),
            pools: names.clone(),
            devices: names,
            quota: None,
            place,
            grants: BTreeMap::new(),
            rights: Rights::default(),
        };
        let sight = BTreeMap::from([(Right::View, role.place.clone())]);
        role.granting(sight)
    }

    /// The same role, holding these rights as well.
    pub(in crate::policy) fn granting(mut self, grants: BTreeMap<Right, Place>) -> Self {
        self.grants.extend(grants);
        self.rights = self.grants.keys().copied().collect();
        self
    }

    /// Whether somebody could be given it: not what programs alone hold.
    pub fn is_for_people(&self) -> bool {
        self.services.is_empty() || !self.users.is_empty() || !self.groups.is_empty()
    }

    /// Whether it holds a right on anything at all.
    pub fn holds(&self, right: Right) -> bool {
        self.rights.contains(right)
    }

    /// Whether it lets its holder ask for this. To lock his own screen sooner than everybody's, each role does.
    pub(in crate::policy) fn offers(&self, right: Right, object: &Object) -> bool {
        let is_own = matches!(object, Object::OwnSetting(_));
        self.holds(right) || is_own && right == Right::Function(Function::ScreenLockTimeout)
    }

    /// The rights it holds and where each is granted.
    pub fn grants(&self) -> impl Iterator<Item = (Right, &Place)> {
        self.grants.iter().map(|(right, place)| (*right, place))
    }

    /// Where it is granted a right.
    pub fn granted(&self, right: Right) -> Option<&Place> {
        self.grants.get(&right)
    }

    /// Who may connect media sees the library, with programs that know media by storage pools alone.
    fn finds_media(&self, right: Right, pool: &str) -> bool {
        let connect = Right::Function(Function::ConnectRemovable);
        library::is_pool(pool) && self.holds(connect) && (right == Right::View || right == connect)
    }

    /// Whether a right it holds extends to an object when this subject asks.
    pub fn reaches(&self, right: Right, object: &Object, subject: &Subject) -> bool {
        match object {
            Object::Host => true,
            Object::Vm(vm) => self.vms.reaches(vm, subject),
            Object::Network(name) => self.networks.reach(name),
            Object::NetworkFilter(_) | Object::Interface(_) => self.networks == Names::All,
            Object::Pool(pool) | Object::Volume { pool, .. } => {
                self.pools.reach(pool) || self.finds_media(right, pool)
            }
            Object::Device(name) => self.devices.reach(name),
            // Media are nobody's: what may be done with one is judged by `media::Rules`, beside the right on the VM.
            Object::Medium(_) => true,
            Object::Secret(_) | Object::Policy | Object::Trail => self.column == Column::Administrator,
            // Whose it is, the request does not say: it is the asker's.
            Object::OwnSetting(_) => true,
            // A setting is its function's: who holds the screen lock's may set the screen lock.
            Object::Setting(_) => {
                self.column == Column::Administrator
                    || matches!(right, Right::Function(function) if function.is_setting())
            }
        }
    }
}

/// VMs that belong together by sensitivity, and the networks they share with nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InformationDomain {
    /// Its name.
    pub name: String,
    /// Its networks, each with the place that lists it. No other VM may use them, and its VMs may
    /// use no other.
    pub networks: BTreeMap<String, Place>,
    /// Where it is defined.
    pub place: Place,
}
