// SPDX-License-Identifier: Apache-2.0
//! The drive is chosen where there is one to choose, and never guessed.

use virtwarden_core::media::Id;

use super::*;

const IDE: &str = "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='hdc' bus='ide'/>\
                   <readonly/><alias name='ide0-1-0'/></disk>";
const FULL: &str = "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>\
                    <source file='/srv/media/old.iso' index='2'/><backingStore/><target dev='sda' bus='sata'/><readonly/></disk>";
const FLOPPY: &str = "<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>";
const DISK: &str = "<disk type='file' device='disk'><source file='/srv/vms/a.qcow2'/><target dev='vda' bus='virtio'/></disk>";

fn of(devices: &[&str]) -> Vec<Drive> {
    let text =
        format!("<domain type='kvm'><name>bobvm</name><devices>{}</devices></domain>", devices.concat());
    drives(&Definition::parse(text).unwrap())
}

fn image(path: &str) -> Medium {
    Medium {
        id: Id(format!("image:{path}")),
        kind: Kind::Image,
        name: path.to_owned(),
        source: Source::Image { path: path.to_owned() },
    }
}

fn receives(devices: &[&str], named: Option<&str>, path: &str) -> Result<String, String> {
    receiving(&of(devices), named, &image(path)).map(|drive| drive.target)
}

#[test]
fn a_disk_is_no_drive() {
    assert!(of(&[DISK]).is_empty());
    assert!(receives(&[DISK], None, "/srv/media/a.iso").unwrap_err().contains("no drive"));
    assert!(receives(&[DISK], Some("vda"), "/srv/media/a.iso").unwrap_err().contains("no drive `vda`"));
}

#[test]
fn the_only_drive_or_the_only_empty_one_is_chosen() {
    assert_eq!(receives(&[DISK, IDE], None, "/srv/media/a.iso"), Ok("hdc".to_owned()));
    assert_eq!(receives(&[FULL, IDE], None, "/srv/media/a.iso"), Ok("hdc".to_owned()));
    assert_eq!(receives(&[FLOPPY, IDE], None, "/srv/media/a.iso"), Ok("hdc".to_owned()));
    assert_eq!(receives(&[FLOPPY, IDE], None, "/srv/media/boot.IMG"), Ok("fda".to_owned()));
    assert_eq!(receives(&[IDE], None, "/srv/media/boot.img"), Ok("hdc".to_owned()));
}

/// As libvirt shows a drive from which a running VM's disc was taken.
#[test]
fn an_element_for_a_medium_that_left_is_no_medium() {
    let left = IDE.replace("<target", "<source index='3'/><target");
    assert_eq!(receives(&[&left], None, "/srv/media/a.iso"), Ok("hdc".to_owned()));
    let pool = IDE.replace("<target", "<source protocol='https'><host name='a'/></source><target");
    assert!(receives(&[&pool], None, "/srv/media/a.iso").unwrap_err().contains("something"));
}

#[test]
fn several_are_for_the_person_to_choose_from_and_a_full_one_is_not_taken() {
    let other = IDE.replace("hdc", "hdd");
    let refused = receives(&[IDE, &other], None, "/srv/media/a.iso").unwrap_err();
    assert!(refused.contains("`hdc` (empty), `hdd` (empty)") && refused.contains("--drive"), "{refused}");
    assert_eq!(receives(&[IDE, &other], Some("hdd"), "/srv/media/a.iso"), Ok("hdd".to_owned()));
    for named in [None, Some("sda")] {
        let refused = receives(&[FULL], named, "/srv/media/a.iso").unwrap_err();
        assert!(refused.contains("/srv/media/old.iso") && refused.contains("eject it first"), "{refused}");
    }
}

#[test]
fn what_is_ejected_is_chosen_likewise() {
    let ejects =
        |devices: &[&str], named: Option<&str>| giving(&of(devices), named).map(|drive| drive.target);
    assert_eq!(ejects(&[FULL, IDE], None), Ok("sda".to_owned()));
    assert!(ejects(&[IDE], None).unwrap_err().contains("nothing is in a drive"));
    assert!(ejects(&[FULL, IDE], Some("hdc")).unwrap_err().contains("empty"));
    assert!(ejects(&[FULL, IDE], Some("hdx")).unwrap_err().contains("no drive `hdx`"));
    let other = FULL.replace("sda", "sdb");
    assert!(ejects(&[FULL, &other], None).unwrap_err().contains("--drive"));
}

#[test]
fn what_goes_to_libvirt_is_the_drive_with_that_medium_and_nothing_else() {
    let [drive] = of(&[FULL]).try_into().unwrap();
    let medium = image("/srv/media/new & <odd>.iso");
    let text = drive.with(Some((&medium, Access::ReadOnly))).to_string();
    assert!(text.contains("new &amp; &lt;odd") && text.contains("raw") && text.contains("sda"), "{text}");
    assert!(!text.contains("old.iso") && !text.contains("backingStore"), "{text}");
    let text = drive.with(None).to_string();
    assert!(!text.contains("source") && text.contains("<readonly/>"), "{text}");
}

#[test]
fn a_floppy_that_could_be_written_to_is_not_for_read_only_media() {
    let [floppy] = of(&[FLOPPY]).try_into().unwrap();
    assert!(floppy.insist_on(Access::ReadOnly).unwrap_err().contains("fda"));
    assert!(floppy.insist_on(Access::ReadWrite).is_ok());
    let read_only = FLOPPY.replace("</disk>", "<readonly/></disk>");
    let [floppy] = of(&[&read_only]).try_into().unwrap();
    assert!(floppy.insist_on(Access::ReadOnly).is_ok());
    let [disc] = of(&[IDE]).try_into().unwrap();
    assert!(disc.insist_on(Access::ReadOnly).is_ok());
}
