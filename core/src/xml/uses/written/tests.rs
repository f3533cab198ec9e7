// SPDX-License-Identifier: Apache-2.0
//! Which files are written, by every way that a call can name them.

use super::*;
use crate::xml::strict::parse;

const CHAIN: &str = "<disk type='file' device='disk'><source file='/top' index='4'/>
    <backingStore type='file' index='3'><source file='/mid'/>
    <backingStore type='file' index='1'><source file='/low'/>
    <backingStore type='file' index='7'><source file='/gold'/><backingStore/></backingStore></backingStore></backingStore>
    <target dev='vda'/></disk>
    <disk type='file'><source file='/other'/><backingStore type='file'><source file='/base'/></backingStore><target dev='vdb'/></disk>";

fn vm(devices: &str) -> Definition {
    Definition::parse(format!("<domain><name>a</name><devices>{devices}</devices></domain>")).unwrap()
}

fn paths(uses: Vec<Use>) -> Vec<String> {
    assert!(uses.iter().all(|usage| usage.access == Access::Writes && usage.channel == Channel::Disk));
    uses.into_iter().filter_map(|usage| Some(usage.medium?.to_string())).collect()
}

const WHOLE: Commit<'static> =
    Commit { disk: "vda", base: None, top: None, depth: Depth::Deepest, above: Above::Stays };

#[test]
fn a_commit_writes_the_base_that_it_names_and_no_other() {
    let shallow = Commit { depth: Depth::Shallow, ..WHOLE };
    let below_all = ["/mid", "/low", "/gold"];
    let rows: [(Commit<'_>, &[&str]); 13] = [
        (WHOLE, &["/gold"]),
        (Commit { disk: "/top", ..WHOLE }, &["/gold"]),
        (shallow, &["/mid"]),
        (Commit { top: Some("/mid"), ..shallow }, &["/low"]),
        (Commit { top: Some("vda[3]"), ..shallow }, &["/low"]),
        (Commit { base: Some("/low"), ..WHOLE }, &["/low"]),
        (Commit { base: Some("vda[1]"), ..WHOLE }, &["/low"]),
        (Commit { base: Some("/low"), above: Above::Goes, ..WHOLE }, &["/top", "/mid", "/low"]),
        // What cannot be told could be any of them.
        (Commit { base: Some("low"), ..WHOLE }, &below_all),
        (Commit { base: Some("vda[9]"), ..WHOLE }, &below_all),
        (Commit { base: Some("/top"), ..WHOLE }, &below_all),
        (Commit { top: Some("/gone"), ..WHOLE }, &below_all),
        (Commit { top: Some("/gold"), ..shallow }, &below_all),
    ];
    for (commit, expected) in rows {
        assert_eq!(paths(by_commit(&vm(CHAIN), &commit)), expected, "{commit:?}");
    }
    assert_eq!(paths(by_commit(&vm(CHAIN), &Commit { disk: "vdz", ..WHOLE })), ["/gold", "/base"]);
}

#[test]
fn what_is_made_is_written() {
    let copy = "<disk type='file'><source file='/copy'/><driver type='qcow2'/></disk>";
    assert_eq!(paths(by_making(&parse(copy).unwrap())), ["/copy"]);
    let snapshot = "<domainsnapshot><memory snapshot='external' file='/mem'/><disks>
        <disk name='vda' snapshot='external'><source file='/over'/></disk><disk name='vdb' snapshot='no'/></disks></domainsnapshot>";
    assert_eq!(paths(by_snapshot(&parse(snapshot).unwrap())), ["/over", "/mem"]);
    let backup = "<domainbackup mode='push'><disks><disk name='vda'><target file='/out'/></disk>
        <disk name='vdb'><scratch dev='/dev/vg/s'/></disk></disks></domainbackup>";
    assert_eq!(paths(by_backup(&parse(backup).unwrap())), ["/out", "/dev/vg/s"]);
    let mirrored = "<disk><source file='/top'/><mirror job='active-commit'><source file='/gold'/></mirror><target dev='vda'/></disk>";
    assert_eq!(paths(by_pivot(&vm(mirrored), "vda")), ["/gold"]);
    assert!(by_pivot(&vm(mirrored), "vdb").is_empty());
}

#[test]
fn a_snapshot_that_goes_writes_what_the_disks_were_before_it() {
    let of = |entry: &str| {
        let vm = "<domain><name>a</name><devices><disk><source file='/gold'/><backingStore type='file'><source file='/root'/></backingStore><target dev='vda'/></disk>
            <disk><source file='/data'/><target dev='vdb'/></disk></devices></domain>";
        paths(by_forgetting(
            &parse(format!("<domainsnapshot><disks>{entry}</disks>{vm}</domainsnapshot>")).unwrap(),
        ))
    };
    let outside = "<disk name='vda' snapshot='external'><source file='/over'/></disk>";
    assert_eq!(of(outside), ["/gold", "/over"]);
    assert!(of("<disk name='vda' snapshot='internal'/>").is_empty());
}
