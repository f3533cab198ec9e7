// SPDX-License-Identifier: Apache-2.0
//! Which VMs libvirtd has, followed from one of its lifecycle events to the next.

use std::collections::HashMap;

use virtwarden_core::object::Uuid;

/// `VIR_DOMAIN_EVENT_*`.
const DEFINED: i32 = 0;
const UNDEFINED: i32 = 1;
const STARTED: i32 = 2;
const STOPPED: i32 = 5;
/// Details of them.
const DEFINED_RENAMED: i32 = 2;
const UNDEFINED_RENAMED: i32 = 1;
const STARTED_RESTORED: i32 = 2;
const STOPPED_SAVED: i32 = 4;

/// How a VM is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Being {
    /// Defined and not running.
    AtRest,
    /// Defined and running.
    Running,
    /// Running without a definition: once it stops, it is gone.
    Transient,
}

/// A lifecycle event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) uuid: Uuid,
    pub(super) name: String,
    /// libvirt's numbers of what happened and why.
    pub(super) what: (i32, i32),
}

/// What an event tells that was not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// There is a VM that was not there.
    Came(Coming),
    /// It is not there any more.
    Gone,
    /// It is not there any more, and its state may be in a file.
    Saved,
    /// It has another name.
    Renamed,
}

/// How a VM that was not there came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coming {
    /// Made.
    New,
    /// Out of a saved state.
    Restored,
}

/// All VMs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known(HashMap<Uuid, Being>);

impl Known {
    /// Whether a VM is there.
    pub(super) fn has(&self, uuid: Uuid) -> bool {
        self.0.contains_key(&uuid)
    }

    /// Takes note of an event.
    pub(super) fn hear(&mut self, event: &Event) -> Option<News> {
        match event.what {
            (DEFINED, DEFINED_RENAMED) => Some(News::Renamed),
            (DEFINED, _) => self.define(event.uuid),
            (UNDEFINED, UNDEFINED_RENAMED) => None,
            (UNDEFINED, _) => self.undefine(event.uuid),
            (STARTED, STARTED_RESTORED) => self.start(event.uuid, Coming::Restored),
            (STARTED, _) => self.start(event.uuid, Coming::New),
            (STOPPED, STOPPED_SAVED) => self.stop(event.uuid, News::Saved),
            (STOPPED, _) => self.stop(event.uuid, News::Gone),
            // Suspended, resumed, shutting down, crashed: it is there all the while.
            _ => None,
        }
    }

    fn define(&mut self, uuid: Uuid) -> Option<News> {
        let before = self.0.get(&uuid).copied();
        let after = match before {
            None | Some(Being::AtRest) => Being::AtRest,
            Some(Being::Running | Being::Transient) => Being::Running,
        };
        self.0.insert(uuid, after);
        before.is_none().then_some(News::Came(Coming::New))
    }

    fn undefine(&mut self, uuid: Uuid) -> Option<News> {
        match self.0.get(&uuid) {
            Some(Being::Running | Being::Transient) => {
                self.0.insert(uuid, Being::Transient);
                None
            }
            Some(Being::AtRest) | None => {
                self.0.remove(&uuid);
                Some(News::Gone)
            }
        }
    }

    fn start(&mut self, uuid: Uuid, coming: Coming) -> Option<News> {
        let before = self.0.get(&uuid).copied();
        let after = match before {
            None | Some(Being::Transient) => Being::Transient,
            Some(Being::AtRest | Being::Running) => Being::Running,
        };
        self.0.insert(uuid, after);
        before.is_none().then_some(News::Came(coming))
    }

    fn stop(&mut self, uuid: Uuid, without_definition: News) -> Option<News> {
        match self.0.get(&uuid) {
            Some(Being::AtRest | Being::Running) => {
                self.0.insert(uuid, Being::AtRest);
                None
            }
            Some(Being::Transient) | None => {
                self.0.remove(&uuid);
                Some(without_definition)
            }
        }
    }
}

impl FromIterator<(Uuid, Being)> for Known {
    fn from_iter<I: IntoIterator<Item = (Uuid, Being)>>(vms: I) -> Self {
        Self(vms.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VM: Uuid = Uuid([1; 16]);
    const NEW: Option<News> = Some(News::Came(Coming::New));

    type Row<'a> = (Being, &'a [(i32, i32)], &'a [Option<News>]);

    fn told(known: &mut Known, events: &[(i32, i32)]) -> Vec<Option<News>> {
        let event = |what: &(i32, i32)| Event { uuid: VM, name: "bobvm".to_owned(), what: *what };
        events.iter().map(|what| known.hear(&event(what))).collect()
    }

    fn with(being: Being) -> Known {
        [(VM, being)].into_iter().collect()
    }

    #[test]
    fn a_vm_is_gone_when_neither_its_definition_nor_its_process_is_left() {
        let rows: [Row<'_>; 6] = [
            (Being::AtRest, &[(UNDEFINED, 0)], &[Some(News::Gone)]),
            (Being::Running, &[(UNDEFINED, 0), (STOPPED, 0)], &[None, Some(News::Gone)]),
            (Being::Running, &[(STOPPED, 0), (UNDEFINED, 0)], &[None, Some(News::Gone)]),
            (Being::Transient, &[(STOPPED, STOPPED_SAVED)], &[Some(News::Saved)]),
            (Being::Transient, &[(STOPPED, 3)], &[Some(News::Gone)]),
            (Being::Running, &[(STOPPED, STOPPED_SAVED)], &[None]),
        ];
        for (being, events, expected) in rows {
            assert_eq!(told(&mut with(being), events), expected, "{being:?} {events:?}");
        }
    }

    #[test]
    fn a_vm_that_is_defined_again_is_another_one_unless_it_never_went() {
        assert_eq!(told(&mut with(Being::AtRest), &[(UNDEFINED, 0), (DEFINED, 0)]), [Some(News::Gone), NEW]);
        assert_eq!(told(&mut with(Being::Running), &[(UNDEFINED, 0), (DEFINED, 0)]), [None, None]);
        assert_eq!(told(&mut with(Being::AtRest), &[(DEFINED, 1), (STARTED, 0)]), [None, None]);
        let restored = Some(News::Came(Coming::Restored));
        assert_eq!(told(&mut Known::default(), &[(STARTED, STARTED_RESTORED)]), [restored]);
        assert_eq!(
            told(&mut Known::default(), &[(STARTED, 0), (DEFINED, 0), (STOPPED, 0)]),
            [NEW, None, None]
        );
    }

    #[test]
    fn a_new_name_is_the_same_vm() {
        let mut known = with(Being::AtRest);
        let renamed = [(UNDEFINED, UNDEFINED_RENAMED), (DEFINED, DEFINED_RENAMED)];
        assert_eq!(told(&mut known, &renamed), [None, Some(News::Renamed)]);
        assert!(known.has(VM));
    }

    #[test]
    fn what_does_not_end_a_vm_tells_nothing() {
        for what in [(3, 0), (4, 0), (6, 0), (7, 0), (8, 0), (99, 0), (-1, 0)] {
            assert_eq!(told(&mut with(Being::Running), &[what]), [None], "{what:?}");
        }
    }
}
