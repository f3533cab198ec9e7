// SPDX-License-Identifier: Apache-2.0
//! The text of policy files to typed rules.
//!
//! Files come in the order of their names. Ours carry high numbers, so the administrator's come
//! first, and the first definition of a table holds: a `[role.user]` in `10-site.toml` takes the
//! place of the whole `[role.user]` in `90-default.toml`. Tables are never mixed from two files,
//! so what a role may do can be read in one place. What is overridden must be right all the same.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::media::Class;
use crate::policy::fault::{Fault, PolicyError};
use crate::policy::hidden::Seen;
use crate::policy::place::Text;
use crate::policy::rule::{InformationDomain, Role};
use crate::policy::settings::{Audit, Gate, Media, Saved, Session, VmRules};
use crate::policy::table::Table;
use crate::policy::{Source, media, roles, sections};

/// Policy files are written by people; this is far more than they write.
pub const LARGEST_FILE: usize = 256 << 10;

const TABLES: &[&str] =
    &["role", "information-domain", "vm", "media", "device-class", "saved", "audit", "gate", "session"];

/// Those of which there are several, each under a name of its own.
const NAMED: &[&str] = &["role", "information-domain", "device-class"];

/// What the files say together, before anything is looked up in it.
#[derive(Default)]
pub(in crate::policy) struct Rules {
    pub(in crate::policy) roles: BTreeMap<String, Role>,
    pub(in crate::policy) information_domains: BTreeMap<String, InformationDomain>,
    pub(in crate::policy) vm: Option<VmRules>,
    pub(in crate::policy) media: Option<Media>,
    pub(in crate::policy) device_classes: BTreeMap<String, Class>,
    pub(in crate::policy) saved: Option<Saved>,
    pub(in crate::policy) audit: Option<Audit>,
    pub(in crate::policy) gate: Option<Gate>,
    pub(in crate::policy) session: Option<Session>,
    pub(in crate::policy) seen: Seen,
    pub(in crate::policy) errors: Vec<PolicyError>,
}

/// Reads all files, and goes on after a mistake to report the others too.
pub(in crate::policy) fn parse(sources: &[Source<'_>]) -> Rules {
    let mut rules = Rules::default();
    for source in sources {
        rules.read_file(&Text::new(source.name, source.text));
    }
    rules
}

impl Rules {
    fn read_file(&mut self, text: &Text<'_>) {
        if text.as_str().len() > LARGEST_FILE {
            return self
                .errors
                .push(PolicyError { place: text.place(&(0..0)), fault: Fault::TooLarge(LARGEST_FILE) });
        }
        // What follows the first syntax error is mostly its consequence: that one is enough.
        match DeTable::parse(text.as_str()) {
            Ok(file) => self.read_tables(&Table::new(text, file.get_ref(), 0..0)),
            Err(mistake) => {
                let place = text.place(&mistake.span().unwrap_or_default());
                let message = mistake.message().replace('\n', ", ");
                self.errors.push(PolicyError { place, fault: Fault::Syntax(message) });
            }
        }
    }

    fn read_tables(&mut self, file: &Table<'_>) {
        self.errors.extend(file.unknown_keys(TABLES));
        named(file, "role", roles::read, &mut self.roles, &mut self.errors);
        let domains = &mut self.information_domains;
        named(file, "information-domain", sections::information_domain, domains, &mut self.errors);
        single(file, "vm", sections::vm, &mut self.vm, &mut self.errors);
        single(file, "media", media::media, &mut self.media, &mut self.errors);
        named(file, "device-class", media::class, &mut self.device_classes, &mut self.errors);
        single(file, "saved", sections::saved, &mut self.saved, &mut self.errors);
        single(file, "audit", sections::audit, &mut self.audit, &mut self.errors);
        single(file, "gate", sections::gate, &mut self.gate, &mut self.errors);
        single(file, "session", sections::session, &mut self.session, &mut self.errors);
        for key in TABLES {
            if NAMED.contains(key) { self.seen.named(file, key) } else { self.seen.single(file, key) }
        }
    }
}

type Errors = Vec<PolicyError>;

/// Reads `[key]`, unless an earlier file has.
fn single<T>(
    file: &Table<'_>,
    key: &str,
    read: fn(&Table<'_>) -> Result<T, Errors>,
    found: &mut Option<T>,
    errors: &mut Errors,
) {
    match file.table(key).map(|table| read(&table.map_err(|error| vec![error])?)) {
        None => {}
        Some(Ok(rule)) => {
            found.get_or_insert(rule);
        }
        Some(Err(mistakes)) => errors.extend(mistakes),
    }
}

/// Reads each `[key.NAME]` that no earlier file has.
fn named<T>(
    file: &Table<'_>,
    key: &str,
    read: fn(&str, &Table<'_>) -> Result<T, Errors>,
    found: &mut BTreeMap<String, T>,
    errors: &mut Errors,
) {
    let tables = match file.table(key) {
        None => return,
        Some(Err(mistake)) => return errors.push(mistake),
        Some(Ok(tables)) => tables,
    };
    for table in tables.tables() {
        let rule = table.map_err(|error| vec![error]).and_then(|(name, table)| {
            table.check_name(name)?;
            Ok((name.to_owned(), read(name, &table)?))
        });
        match rule {
            Ok((name, rule)) => {
                found.entry(name).or_insert(rule);
            }
            Err(mistakes) => errors.extend(mistakes),
        }
    }
}
