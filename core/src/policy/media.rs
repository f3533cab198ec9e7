// SPDX-License-Identifier: Apache-2.0
//! `[media]`, `[media.KIND]` and `[device-class.NAME]` of a policy file: row 10.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::media::{Access, Choice, Class, Granted, Kind, Pattern, Rule};
use crate::policy::fault::{Fault, PolicyError};
use crate::policy::item::Item;
use crate::policy::sections::{Read, Section};
use crate::policy::settings::Media;
use crate::policy::table::{Table, collect};

const CHOICES: [(&str, Choice); 4] = [
    (Choice::Grant.word(), Choice::Grant),
    (Choice::EjectFirst.word(), Choice::EjectFirst),
    (Choice::AskUser.word(), Choice::AskUser),
    (Choice::Deny.word(), Choice::Deny),
];
const ACCESS: [(&str, Access); 2] =
    [(Access::ReadWrite.word(), Access::ReadWrite), (Access::ReadOnly.word(), Access::ReadOnly)];
const KINDS: [(&str, Kind); 5] = [
    (Kind::UsbStorage.word(), Kind::UsbStorage),
    (Kind::Usb.word(), Kind::Usb),
    (Kind::Optical.word(), Kind::Optical),
    (Kind::SdCard.word(), Kind::SdCard),
    (Kind::Image.word(), Kind::Image),
];
/// The one word that a class may have in place of a rule: it binds Administrators, too.
const ALWAYS_DENY: &str = "always-deny";
const GRANTED: &str = "\"all-vms\" or a list of information domains, such as [\"red\", \"host\"]";
const DIRECTORIES: &str = "a list of directories";
const MATCH: &str = "a list of tables, such as [{ vendor = \"0951\", product = \"1666\" }]";
const USB_NUMBER: &str = "four hexadecimal digits, such as \"0951\"";

/// `[media]`.
pub(in crate::policy) fn media(table: &Table<'_>) -> Read<Media> {
    let mut section = Section::new(table, &["library", "usb-storage", "usb", "optical", "sd-card", "image"]);
    let library = section.value("library", directories, Media::default().library);
    let mut kinds = BTreeMap::new();
    for (word, kind) in KINDS {
        match table.table(word).map(|table| rule(&table.map_err(|error| vec![error])?)) {
            None => {}
            Some(Ok(rule)) => drop(kinds.insert(kind, rule)),
            Some(Err(mistakes)) => section.errors.extend(mistakes),
        }
    }
    section.finish(Media { library, kinds, place: table.place() })
}

/// `[media.KIND]`.
fn rule(table: &Table<'_>) -> Read<Rule> {
    let mut section = Section::new(table, &["rule", "access", "granted"]);
    let rule = read_rule(&mut section, table);
    section.finish(rule)
}

fn read_rule(section: &mut Section<'_, '_>, table: &Table<'_>) -> Rule {
    let default = Rule::deny();
    if table.key("rule").is_none() {
        let expected = "\"grant\", \"eject-first\", \"ask-user\" or \"deny\"";
        section.errors.push(table.error(Fault::MissingKey { key: "rule", expected }));
    }
    let choice = section.value("rule", |item| item.word(&CHOICES), default.choice);
    let access = section.value("access", |item| item.word(&ACCESS), default.access);
    let granted = section.value("granted", granted, default.granted);
    Rule { choice, access, granted, place: table.place() }
}

/// The host keeps its drivers from kinds of media, and cannot tell one device of a kind from another.
const NOT_THE_HOST: &str =
    "information domains, or \"all-vms\"; to the host, media are granted by their kind, in [media]";

/// `[device-class.NAME]`.
pub(in crate::policy) fn class(name: &str, table: &Table<'_>) -> Read<Class> {
    let mut section = Section::new(table, &["match", "rule", "access", "granted"]);
    if table.key("match").is_none() {
        section.errors.push(table.error(Fault::MissingKey { key: "match", expected: MATCH }));
    }
    let mut patterns = Vec::new();
    for member in table
        .key("match")
        .and_then(|item| collect(&mut section.errors, item.list(MATCH)))
        .into_iter()
        .flatten()
    {
        match pattern(&member) {
            Ok(pattern) => patterns.push(pattern),
            Err(mistakes) => section.errors.extend(mistakes),
        }
    }
    let always = table.key("rule").is_some_and(|item| item.is(ALWAYS_DENY));
    let rule = (!always).then(|| read_rule(&mut section, table));
    let to_host = |rule: &Rule| matches!(&rule.granted, Granted::Listed(names) if names.contains("host"));
    if let Some(item) = table.key("granted").filter(|_| rule.as_ref().is_some_and(to_host)) {
        section.errors.push(item.unexpected(NOT_THE_HOST));
    }
    section.finish(Class { name: name.to_owned(), patterns, rule, place: table.place() })
}

fn pattern(item: &Item<'_>) -> Read<Pattern> {
    let table = item.table().map_err(|error| vec![error])?;
    let mut section = Section::new(&table, &["kind", "vendor", "product", "serial", "port", "path"]);
    let text = |item: &Item<'_>| item.string("a text").map(|text| Some(text.to_owned()));
    let number = |item: &Item<'_>| usb_number(item).map(Some);
    let pattern = Pattern {
        kind: section.value("kind", |item| item.word(&KINDS).map(Some), None),
        vendor: section.value("vendor", number, None),
        product: section.value("product", number, None),
        serial: section.value("serial", text, None),
        port: section.value("port", text, None),
        path: section.value("path", text, None),
    };
    if pattern == Pattern::default() && section.errors.is_empty() {
        section.errors.push(item.unexpected("at least one of kind, vendor, product, serial, port and path"));
    }
    section.finish(pattern)
}

fn usb_number(item: &Item<'_>) -> Result<u16, PolicyError> {
    let text = item.string(USB_NUMBER)?;
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = digits.then(|| u16::from_str_radix(text, 16).ok()).flatten();
    number.ok_or_else(|| item.unexpected(USB_NUMBER))
}

fn granted(item: &Item<'_>) -> Result<Granted, PolicyError> {
    if item.is("all-vms") {
        return Ok(Granted::AllVms);
    }
    item.names(GRANTED).map(BTreeSet::into_iter).map(Iterator::collect).map(Granted::Listed)
}

fn directories(item: &Item<'_>) -> Result<Vec<PathBuf>, PolicyError> {
    let mut directories = Vec::new();
    for member in item.list(DIRECTORIES)? {
        let directory = member.path()?;
        if directories.contains(&directory) {
            return Err(member.error(Fault::Duplicate(directory.display().to_string())));
        }
        directories.push(directory);
    }
    Ok(directories)
}
