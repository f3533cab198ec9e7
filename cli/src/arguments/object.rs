// SPDX-License-Identifier: Apache-2.0
//! Objects and rights as people type them: `vm/bobvm`, `start`, `5`.

use virtwarden_core::control::ObjectName;
use virtwarden_core::object::Uuid;
use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Function;

/// Reads a right: the slug or number of a function, or one of the other rights.
pub(super) fn parse_right(text: &str) -> Result<Right, String> {
    let by_word = Right::all().find(|right| right.word() == text);
    by_word.map_or_else(|| parse_function(text).map(Right::Function), Ok)
}

/// Reads a function by slug or number.
pub(super) fn parse_function(text: &str) -> Result<Function, String> {
    let by_number = || text.parse().ok().and_then(Function::from_number);
    Function::from_slug(text)
        .or_else(by_number)
        .ok_or_else(|| "unknown function; `virtwarden table` lists them".to_owned())
}

/// Reads an object: its kind, a slash, its name.
pub(super) fn parse_object(text: &str) -> Result<ObjectName, String> {
    let (kind, name) = text.split_once('/').unwrap_or((text, ""));
    let named = || if name.is_empty() { Err(format!("name one: {kind}/NAME")) } else { Ok(name.to_owned()) };
    let alone = |object| if name.is_empty() { Ok(object) } else { Err(format!("there is only one {kind}")) };
    match kind {
        "host" => alone(ObjectName::Host),
        "policy" => alone(ObjectName::Policy),
        "trail" => alone(ObjectName::Trail),
        "vm" => named().map(ObjectName::Vm),
        "network" => named().map(ObjectName::Network),
        "network-filter" => named().map(ObjectName::NetworkFilter),
        "pool" => named().map(ObjectName::Pool),
        "volume" => parse_volume(name),
        "interface" => named().map(ObjectName::Interface),
        "device" => named().map(ObjectName::Device),
        "secret" => {
            Uuid::parse(name).map(ObjectName::Secret).ok_or_else(|| "name one: secret/UUID".to_owned())
        }
        "setting" => named().map(ObjectName::Setting),
        _ => Err("unknown kind of object; try host, vm/NAME or network/NAME".to_owned()),
    }
}

fn parse_volume(name: &str) -> Result<ObjectName, String> {
    match name.split_once('/') {
        Some((pool, name)) if !pool.is_empty() && !name.is_empty() => {
            Ok(ObjectName::Volume { pool: pool.to_owned(), name: name.to_owned() })
        }
        Some(_) | None => Err("name one: volume/POOL/NAME".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_functions_by_slug_or_number_or_words() {
        assert_eq!(parse_right("start"), Ok(Right::Function(Function::Start)));
        assert_eq!(parse_right("22"), Ok(Right::Function(Function::Start)));
        assert_eq!(parse_right("view"), Ok(Right::View));
        assert!(parse_right("0").is_err());
        assert!(parse_right("28").is_err());
        assert!(parse_right("Start").is_err());
    }

    #[test]
    fn objects_are_a_kind_and_a_name() {
        assert_eq!(parse_object("vm/bobvm"), Ok(ObjectName::Vm("bobvm".into())));
        assert_eq!(parse_object("host"), Ok(ObjectName::Host));
        let volume = ObjectName::Volume { pool: "default".into(), name: "a/b.img".into() };
        assert_eq!(parse_object("volume/default/a/b.img"), Ok(volume));
        for wrong in ["vm", "vm/", "bobvm", "host/x", "volume/default", "volume//x", "secret/x", ""] {
            assert!(parse_object(wrong).is_err(), "{wrong}");
        }
    }
}
