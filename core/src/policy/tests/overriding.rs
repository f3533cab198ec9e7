// SPDX-License-Identifier: Apache-2.0
//! Several files, one policy.

use super::*;
use crate::policy::networks::Networks;
use crate::policy::settings::{FullStore, RawDoors};

#[test]
fn the_shipped_policy_says_what_holds_where_nothing_is_said() {
    let (shipped, empty) = (shipped(), Policy::load(&[]).unwrap());
    assert_eq!(shipped.saved_directory(), empty.saved_directory());
    assert_eq!((shipped.gate().connections, shipped.gate().per_account), (512, 128));
    assert_eq!((empty.gate().connections, empty.gate().per_account), (512, 128));
    for policy in [&shipped, &empty] {
        assert_eq!((policy.audit().segment_size, policy.audit().store_size), (16 << 20, 1 << 30));
        assert_eq!(policy.audit().full_store, FullStore::Refuse);
    }
    assert_eq!(shipped.media(), [PathBuf::from("/var/lib/virtwarden/media")]);
    assert!(empty.media().is_empty());
    assert_eq!((shipped.vm().snapshots, empty.vm().snapshots), (16, 16));
    assert_eq!((shipped.vm().raw, empty.vm().raw), (RawDoors::Administrator, RawDoors::Nobody));
}

#[test]
fn the_first_definition_of_a_table_replaces_later_ones_as_a_whole() {
    let policy = site("[role.user]\ncolumn = \"user\"\ngroups = [\"libvirt\"]\nfunctions = [\"start\"]");
    let own = vm("bobvm", Some(assigned_to(&bob())));
    assert!(ask(&policy, &bob(), function("start"), &own).is_ok());
    assert!(ask(&policy, &bob(), function("stop"), &own).is_err());
    assert!(ask(&policy, &bob(), Right::Operate, &own).is_err());
    assert!(ask(&policy, &alice(), function("stop"), &own).is_ok());
    let gate = site("[gate]\nper-account = 8");
    assert_eq!((gate.gate().connections, gate.gate().per_account), (512, 8));
}

#[test]
fn a_role_can_be_withdrawn_by_defining_it_without_members() {
    let policy = site("[role.user]\ncolumn = \"user\"");
    assert!(policy.roles(&bob()).is_empty());
}

#[test]
fn a_mistake_in_one_file_or_in_an_overridden_table_loads_none() {
    let good = Source { name: "10-site.toml", text: "[vm]\nraw = \"nobody\"" };
    let overridden = Source { name: "50-old.toml", text: "[vm]\nraw = \"anybody\"" };
    let broken = Source { name: "99-late.toml", text: "[vm" };
    assert!(Policy::load(&[good, DEFAULT]).is_ok());
    assert!(Policy::load(&[good, overridden, DEFAULT]).is_err());
    assert!(Policy::load(&[good, DEFAULT, broken]).is_err());
}

#[test]
fn a_person_holds_roles_by_name_and_by_group() {
    let policy = site("[role.extra]\ncolumn = \"user\"\nusers = [\"alice\"]\ngroups = [\"team\"]");
    let names = |who| policy.roles(&who).iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(alice()), ["administrator", "extra"]);
    assert_eq!(names(bob()), ["extra", "user"]);
    assert_eq!(names(carol()), [""; 0]);
}

#[test]
fn all_settings_are_read() {
    let policy = site(
        "[media]\nlibrary = [\"/srv/iso\", \"/srv/floppy\"]\n[saved]\ndirectory = \"/srv/saved\"\n\
         [audit]\nsegment-size = \"1 MiB\"\nstore-size = \"2 TiB\"\nfull-store = \"overwrite-oldest\"\n\
         [gate]\nconnections = 10\n[vm]\nsnapshots = 0",
    );
    assert_eq!(policy.vm().snapshots, 0);
    assert_eq!(policy.media(), [PathBuf::from("/srv/iso"), PathBuf::from("/srv/floppy")]);
    assert_eq!(policy.saved_directory(), Path::new("/srv/saved"));
    assert_eq!((policy.audit().segment_size, policy.audit().store_size), (1 << 20, 2 << 40));
    assert_eq!(policy.audit().full_store, FullStore::OverwriteOldest);
    assert_eq!((policy.gate().connections, policy.gate().per_account), (10, 128));
}

#[test]
fn the_shipped_file_teaches_every_key_and_its_samples_load() {
    let keys =
        ["column", "users", "groups", "functions", "also", "vms", "networks", "pools", "devices", "quota"];
    for key in keys.iter().chain(&["library", "directory", "segment-size", "store-size", "full-store", "raw"])
    {
        let explained =
            |line: &str| line.starts_with(&format!("# {key}")) || line.contains(&format!(", {key}"));
        assert!(DEFAULT.text.lines().filter(|line| line.starts_with('#')).any(explained), "{key}");
    }
    let sample = DEFAULT.text.replace("# [information-domain.red]", "[information-domain.red]");
    let text = sample.replace("# networks = [\"red\"]", "networks = [\"red\"]");
    let policy = Policy::load(&[Source { name: "sample.toml", text: &text }]).unwrap();
    let claim = policy.claim("red", &Networks::default()).unwrap();
    assert_eq!(claim.information_domain, "red");
}

#[test]
fn what_an_earlier_file_hides_is_named_with_what_hides_it() {
    let site = "[role.user]\ncolumn = \"user\"\n[gate]\n[information-domain.red]\n";
    let later = "[information-domain.blue]\n\n[role.user]\ncolumn = \"user\"\n";
    let sources = [("10-site.toml", site), ("tight.toml", later)].map(|(name, text)| Source { name, text });
    let policy = Policy::load(&sources).unwrap();
    let [hidden] = policy.hidden() else { panic!("{:?}", policy.hidden()) };
    assert_eq!(
        hidden.to_string(),
        "tight.toml:3:7: [role.user] does not count, for 10-site.toml:1:7 has it and comes first: files are read by \
         their names"
    );
    assert_eq!(Policy::load(&sources[..1]).unwrap().hidden(), []);
}
