// SPDX-License-Identifier: Apache-2.0
//! Nothing is shared by default, what is opened is, and only there; the same thing is the same under any name.

use super::*;
use crate::object::{Sensitivity, Uuid};
use crate::xml::facts::Facts;
use crate::xml::strict::parse;

const A: Uuid = Uuid([0xa; 16]);
const B: Uuid = Uuid([0xb; 16]);

fn facts(devices: &str) -> Facts {
    Facts::of(&parse(format!("<domain><devices>{devices}</devices></domain>")).unwrap())
}

fn vm(uuid: Uuid, information_domain: Option<&str>) -> Member<'_> {
    Member {
        uuid: Some(uuid),
        name: if uuid == A { "a" } else { "b" },
        information_domain,
        sensitivity: Sensitivity::Ordinary,
    }
}

fn opened(channel: Channel, one: Party, other: Party) -> Openings {
    [Opening::new(channel, one, other)].into_iter().collect()
}

/// `/link` and `/hard` are `/disk`, `/loop` is made of it, `/secret` cannot be looked at.
fn look(path: &str) -> Looked {
    let there = |inode, path: &str| Looked::There {
        identities: vec![Identity::File { device: 1, inode }],
        path: PathBuf::from(path),
    };
    match path {
        "/disk" | "/link" => there(1, "/disk"),
        "/hard" => there(1, "/hard"),
        "/dev/loop0" => Looked::There {
            identities: vec![Identity::Device(7), Identity::File { device: 1, inode: 1 }],
            path: PathBuf::from(path),
        },
        "/base" => there(2, "/base"),
        "/pool/vol" => there(3, "/pool/vol"),
        "/pool" => there(4, "/pool"),
        "/secret" => Looked::Unknown("permission denied".into()),
        _ => Looked::Absent,
    }
}
use std::path::PathBuf;

fn held(devices: &str) -> Vec<Held> {
    hold(&facts(devices).uses, Own::Judged, &look).unwrap()
}

fn file(path: &str) -> String {
    format!("<disk><source file='{path}'/></disk>")
}

fn shared(one: &str, other: &str) -> bool {
    let nothing = Openings::default();
    nothing.check_between(vm(A, None), vm(B, None), &in_common(&held(one), &held(other))).is_err()
}

#[test]
fn a_channel_is_open_only_for_whom_it_was_opened() {
    let spice = facts("<graphics type='spice'><filetransfer enable='no'/></graphics>");
    let check = |openings: &Openings, member| openings.check(member, &spice.uses).is_ok();
    assert!(!check(&Openings::default(), vm(A, None)));
    for openings in [
        opened(Channel::Clipboard, Party::Vm(A), Party::Host),
        opened(Channel::Clipboard, Party::Host, Party::Vm(A)),
        opened(Channel::Clipboard, Party::Vm(A), Party::Vm(B)),
        opened(Channel::Clipboard, Party::Vm(A), Party::InformationDomain("blue".into())),
    ] {
        assert!(check(&openings, vm(A, None)), "{openings:?}");
        assert!(!check(&openings, vm(Uuid([0xc; 16]), None)), "{openings:?}");
        assert!(!check(&openings, Member::new("a")), "a new VM of that name is another one: {openings:?}");
    }
    let red = opened(Channel::Clipboard, Party::InformationDomain("red".into()), Party::Host);
    assert!(
        check(&red, vm(B, Some("red"))) && !check(&red, vm(B, Some("blue"))) && !check(&red, vm(B, None))
    );
    let other_channel = opened(Channel::FileTransfer, Party::Vm(A), Party::Host);
    assert!(!check(&other_channel, vm(A, None)));
}

#[test]
fn a_refusal_says_what_would_allow_it() {
    let spice = facts("<graphics type='spice'/>");
    let error = Openings::default().check(vm(A, None), &spice.uses).unwrap_err();
    assert_eq!(
        error.to_string(),
        "VM `a` may not have the clipboard of its `spice` screen: no `clipboard` channel is open for it; \
         an Administrator opens it with `virtwarden sharing allow clipboard a host`"
    );
    let disks = in_common(&held(&file("/disk")), &held(&file("/hard")));
    let error = Openings::default().check_between(vm(A, None), vm(B, None), &disks).unwrap_err();
    assert_eq!(
        error.to_string(),
        "VM `a` may not share disk `?`: `/disk` with VM `b`: no `disk` channel is open between them; \
         an Administrator opens it with `virtwarden sharing allow disk a b`"
    );
}

#[test]
fn a_disk_is_the_same_under_every_name() {
    for name in ["/disk", "/link", "/hard", "/dev/loop0"] {
        assert!(shared(&file("/disk"), &file(name)), "{name}");
        assert!(shared(&file(name), &file("/disk")), "{name}");
    }
    assert!(shared(&file("/not/made/yet"), &file("/not/made/yet")));
    assert!(!shared(&file("/disk"), &file("/base")));
    let volume = "<disk type='volume'><source pool='p' volume='vol'/></disk>";
    assert!(
        shared(volume, volume) && shared(volume, &file("/pool/vol")) && shared(&file("/pool/vol"), volume)
    );
    assert!(!shared(volume, &file("/disk")));
    let nbd = "<disk type='network'><source protocol='nbd' name='x'/></disk>";
    assert!(shared(nbd, nbd));
}

#[test]
fn what_both_only_read_is_not_shared_and_what_one_writes_is() {
    let overlay = |top: &str| {
        format!("<disk><source file='{top}'/><backingStore><source file='/base'/></backingStore></disk>")
    };
    assert!(!shared(&overlay("/one"), &overlay("/two")), "a base may be common");
    assert!(shared(&overlay("/one"), &file("/base")), "but nobody may write to it");
    assert!(shared(&file("/base"), &overlay("/one")));
    let disc = "<disk device='cdrom'><source file='/disk'/></disk>";
    assert!(!shared(disc, disc) && shared(disc, &file("/disk")));
}

#[test]
fn a_folder_is_everything_in_it() {
    let folder = "<filesystem><source dir='/pool'/></filesystem>";
    let error = |one: &str, other: &str| {
        let common = in_common(&held(one), &held(other));
        Openings::default().check_between(vm(A, None), vm(B, None), &common).unwrap_err()
    };
    assert_eq!(error(folder, &file("/pool/vol")).channel, Channel::SharedFolder);
    assert_eq!(error(&file("/pool/vol"), folder).channel, Channel::SharedFolder);
    assert_eq!(error(folder, folder).channel, Channel::SharedFolder);
    assert!(!shared(folder, &file("/poolside")));
}

#[test]
fn what_is_opened_between_two_vms_is_open_between_those_alone() {
    let disks = in_common(&held(&file("/disk")), &held(&file("/hard")));
    let check = |openings: &Openings, one, other| openings.check_between(one, other, &disks).is_ok();
    let pair = opened(Channel::Disk, Party::Vm(B), Party::Vm(A));
    assert!(check(&pair, vm(A, None), vm(B, None)) && check(&pair, vm(B, None), vm(A, None)));
    assert!(!check(&pair, vm(A, None), vm(Uuid([0xc; 16]), None)));
    assert!(!check(&opened(Channel::Disk, Party::Vm(A), Party::Host), vm(A, None), vm(B, None)));
    assert!(!check(&opened(Channel::Shmem, Party::Vm(A), Party::Vm(B)), vm(A, None), vm(B, None)));
    let domains = opened(
        Channel::Disk,
        Party::InformationDomain("red".into()),
        Party::InformationDomain("blue".into()),
    );
    assert!(check(&domains, vm(A, Some("red")), vm(B, Some("blue"))));
    assert!(check(&domains, vm(A, Some("blue")), vm(B, Some("red"))));
    assert!(!check(&domains, vm(A, Some("red")), vm(B, Some("red"))));
}

#[test]
fn what_cannot_be_looked_at_is_nobodys() {
    let why = hold(&facts(&file("/secret")).uses, Own::Judged, &look).unwrap_err();
    assert!(why.contains("/secret") && why.contains("permission denied"), "{why}");
    let theirs = hold(&facts(&file("/secret")).uses, Own::Present, &look).unwrap();
    assert_eq!(in_common(&theirs, &theirs).len(), 1, "another VM's goes by its name");
}

#[test]
fn words_and_spellings_are_one() {
    for channel in Channel::ALL {
        assert_eq!(Channel::parse(channel.word()), Some(channel));
    }
    assert_eq!(
        Opening::new(Channel::Disk, Party::Vm(A), Party::Host),
        Opening::new(Channel::Disk, Party::Host, Party::Vm(A))
    );
}

#[test]
fn a_sensitive_vm_shares_nothing_whatever_is_open() {
    let all = Channel::ALL.map(|channel| Opening::new(channel, Party::Vm(A), Party::Host));
    let openings: Openings =
        all.into_iter().chain([Opening::new(Channel::Disk, Party::Vm(A), Party::Vm(B))]).collect();
    let uses = facts("<vsock model='virtio'/>").uses;
    let open = vm(A, None);
    let kept = Member { sensitivity: Sensitivity::Sensitive, ..open };
    assert!(openings.check(open, &uses).is_ok());
    let refused = openings.check(kept, &uses).unwrap_err().to_string();
    assert!(refused.contains("`a` is sensitive") && !refused.contains("sharing allow"), "{refused}");
}
