// SPDX-License-Identifier: Apache-2.0
//! What alice and bob do in the stories: command by command, and how each refusal looks.

use crate::attempt::Shown;
use crate::host::Host;
use crate::scene::{self, alice, check};

/// Rows 21 to 26 on his own VM, by every command of virsh that performs them.
pub const OPERATES: &[(&str, &str)] = &[
    ("sees one VM", "test \"$(virsh list --all --name | grep -c .)\" = 1"),
    ("starts it (22)", "virsh start bobvm"),
    ("suspends it (25)", "virsh suspend bobvm"),
    ("resumes it (26)", "virsh resume bobvm"),
    (
        "inserts a permitted medium (21)",
        "virsh change-media bobvm hdc --insert /var/lib/virtwarden/media/tools.iso",
    ),
    (
        "changes it for another (21)",
        "virsh change-media bobvm hdc --update /var/lib/virtwarden/media/notes.iso",
    ),
    ("ejects it (21)", "virsh change-media bobvm hdc --eject"),
    ("takes a snapshot (24)", "virsh snapshot-create-as bobvm first --description 'before the change'"),
    ("takes one more (24)", "virsh snapshot-create bobvm"),
    ("lists snapshots (24)", "virsh snapshot-list bobvm --tree && virsh snapshot-info bobvm first"),
    ("reverts (24)", "virsh snapshot-revert bobvm first"),
    ("deletes a snapshot (24)", "virsh snapshot-delete bobvm first"),
    ("resets it (22, 23)", "virsh reset bobvm"),
    ("saves and starts again (25, 26)", "virsh managedsave bobvm && virsh start bobvm"),
    (
        "throws a saved state away (25)",
        "virsh managedsave bobvm && virsh managedsave-remove bobvm && virsh start bobvm",
    ),
    (
        "saves to a file and restores (25, 26)",
        "f=/var/lib/virtwarden/saved/$(virsh domuuid bobvm | head -1)/evening; virsh save bobvm $f && virsh restore $f",
    ),
    ("asks it to shut down (23)", "virsh shutdown bobvm --mode acpi"),
    (
        "starts it paused, then resumes (22, 26)",
        "virsh destroy bobvm && virsh start bobvm --paused && virsh resume bobvm",
    ),
    ("presses keys", "virsh send-key bobvm KEY_LEFTCTRL KEY_C"),
    ("looks at its screen", "virsh screenshot bobvm /tmp/screen-$$.ppm && rm /tmp/screen-$$.ppm"),
    ("reads its statistics", "virsh domstats bobvm | grep -q state.state && virsh dominfo bobvm"),
    ("powers it off (23)", "virsh destroy bobvm"),
];

/// What a User may not do: command, and how the refusal looks.
///
/// alice does each of them, too: see [`ADMINISTERS`].
pub const REFUSED: &[(&str, Shown)] = &[
    ("virsh start finance", Shown::Missing),
    ("virsh dumpxml finance", Shown::Missing),
    ("virsh destroy finance", Shown::Missing),
    ("virsh screenshot finance /tmp/stolen.ppm", Shown::Missing),
    ("virsh send-key finance KEY_A", Shown::Missing),
    ("virsh qemu-monitor-command finance --hmp info version", Shown::Missing),
    ("virsh dump finance /tmp/stolen.core", Shown::Missing),
    ("virsh define /tmp/bob-new.xml", Shown::Row(3)),
    ("virsh create /tmp/bob-new.xml", Shown::Row(3)),
    (
        "(sleep 2; echo n) | EDITOR='sed -i s/65536/70000/' script -qec 'virsh edit bobvm' /dev/null",
        Shown::Row(3),
    ),
    ("virsh undefine bobvm", Shown::Row(3)),
    ("virsh domrename bobvm mine", Shown::Row(3)),
    ("virsh desc bobvm --config --title mine", Shown::Row(3)),
    ("virsh metadata bobvm --uri urn:mine --set '<a/>' --key a --config", Shown::Row(3)),
    ("virsh autostart bobvm", Shown::Row(3)),
    ("virsh setmem bobvm 32M --config", Shown::Row(3)),
    ("virsh setmaxmem bobvm 128M --config", Shown::Row(3)),
    ("virsh setvcpus bobvm 1 --config", Shown::Row(3)),
    ("virsh set-lifecycle-action bobvm poweroff restart --config", Shown::Row(3)),
    ("virsh attach-disk bobvm /srv/vms/extra.img vdb --config", Shown::Row(3)),
    ("virsh detach-disk bobvm vda --config", Shown::Row(3)),
    ("virsh blockresize bobvm vda 32M", Shown::Row(3)),
    ("virsh attach-interface bobvm network red --config", Shown::Row(5)),
    ("virsh attach-interface bobvm network blue --config", Shown::Row(5)),
    ("virsh attach-device bobvm /tmp/direct.xml --config", Shown::Row(5)),
    ("virsh attach-device bobvm /tmp/usb.xml --config", Shown::Row(7)),
    ("virsh attach-device bobvm /tmp/pci.xml --config", Shown::Row(7)),
    ("virsh attach-disk bobvm /dev/loop0 vdb --sourcetype block --config", Shown::Row(3)),
    ("virsh attach-device bobvm /tmp/share.xml --config", Shown::Row(8)),
    ("virsh attach-device bobvm /tmp/vsock.xml --config", Shown::Row(8)),
    ("virsh change-media bobvm hdc --insert /etc/passwd --config", Shown::Denied),
    ("virsh change-media bobvm hdc --insert /dev/loop0 --block --config", Shown::Denied),
    ("virsh change-media bobvm hdc --insert /var/lib/virtwarden/media/link.iso --config", Shown::Denied),
    (
        "virsh change-media bobvm hdc --insert /var/lib/virtwarden/media/../../../../tmp/elsewhere.iso --config",
        Shown::Denied,
    ),
    ("virsh change-media bobvm hdc --insert /tmp/elsewhere.iso --config", Shown::Denied),
    ("virsh update-device bobvm /tmp/layered.xml --config", Shown::Denied),
    ("virsh update-device bobvm /tmp/webdisc.xml --config", Shown::Denied),
    ("virsh net-start red", Shown::Missing),
    ("virsh net-define /srv/vms/red.xml", Shown::Row(5)),
    ("virsh net-create /tmp/bob-net.xml", Shown::Row(5)),
    ("virsh nwfilter-define /tmp/filter.xml", Shown::Row(5)),
    ("virsh vol-download --pool store secret.img /tmp/stolen.img", Shown::Missing),
    ("virsh vol-upload --pool store secret.img /etc/hostname", Shown::Missing),
    ("virsh vol-clone --pool store secret.img copy.img", Shown::Missing),
    ("virsh vol-delete --pool store secret.img", Shown::Missing),
    ("virsh pool-define-as mine dir --target /srv/vms", Shown::Denied),
    ("virsh pool-destroy store", Shown::Missing),
    ("virsh nodedev-detach computer", Shown::Missing),
    ("virsh secret-define /tmp/secret.xml", Shown::Row(11)),
    ("virsh qemu-monitor-command bobvm --hmp info version", Shown::Denied),
    ("virsh qemu-agent-command bobvm '{\"execute\":\"guest-info\"}'", Shown::Denied),
    ("virsh set-user-password bobvm root secret", Shown::Denied),
    ("virsh domfstrim bobvm", Shown::Denied),
    ("virsh snapshot-create bobvm /tmp/redefine.xml --redefine", Shown::Row(3)),
    ("virsh snapshot-create-as bobvm out --disk-only --diskspec vda,file=/tmp/stolen.qcow2", Shown::Denied),
    ("virsh save bobvm /tmp/stolen.save", Shown::Denied),
    ("virsh restore /srv/vms/finance.save", Shown::Denied),
    ("virsh save-image-dumpxml /srv/vms/finance.save", Shown::Denied),
    ("virsh dump bobvm /tmp/stolen.core", Shown::Denied),
    ("virsh blockcopy bobvm vda /tmp/stolen.qcow2 --transient-job", Shown::Denied),
    ("virsh backup-begin bobvm /tmp/backup.xml", Shown::Denied),
    ("virsh migrate bobvm --p2p qemu+tcp://127.0.0.1/system", Shown::Denied),
    ("virsh nodesuspend mem 60", Shown::Denied),
];

/// Files that bob holds in his hands for the attempts.
pub const PROPS: &[(&str, &str)] = &[
    (
        "usb",
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1d6b'/><product id='0x0002'/></source></hostdev>",
    ),
    (
        "pci",
        "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='0' slot='1' function='0'/></source></hostdev>",
    ),
    ("direct", "<interface type='direct'><source dev='lo' mode='bridge'/></interface>"),
    ("share", "<filesystem type='mount'><source dir='/etc'/><target dir='etc'/></filesystem>"),
    ("vsock", "<vsock model='virtio'><cid auto='yes'/></vsock>"),
    (
        "layered",
        "<disk type='file' device='cdrom'><driver name='qemu' type='qcow2'/><source file='/var/lib/virtwarden/media/layered.iso'/><target dev='hdc' bus='ide'/><readonly/></disk>",
    ),
    (
        "webdisc",
        "<disk type='network' device='cdrom'><driver name='qemu' type='raw'/><source protocol='http' name='/x.iso'><host name='127.0.0.1' port='80'/></source><target dev='hdc' bus='ide'/><readonly/></disk>",
    ),
    (
        "bob-net",
        "<network><name>mine</name><forward mode='nat'/><ip address='10.9.9.1' netmask='255.255.255.0'/></network>",
    ),
    ("filter", "<filter name='open' chain='root'><rule action='accept' direction='inout'/></filter>"),
    ("secret", "<secret ephemeral='yes' private='no'><description>mine</description></secret>"),
    (
        "backup",
        "<domainbackup><disks><disk name='vda' type='file'><target file='/tmp/stolen.backup'/></disk></disks></domainbackup>",
    ),
];

/// The same things done by alice, each undone again so that the next one finds the scene as it was.
pub const ADMINISTERS: &[(&str, &str)] = &[
    ("starts and stops finance (22, 23)", "virsh start finance && virsh destroy finance"),
    (
        "peeks at finance's screen",
        "virsh start finance && virsh screenshot finance /tmp/alice.ppm && rm /tmp/alice.ppm && virsh destroy finance",
    ),
    ("defines and undefines a VM (3)", "virsh define /tmp/bob-new.xml && virsh undefine bobnew"),
    ("creates a transient VM (3, 22)", "virsh create /tmp/bob-new.xml && virsh destroy bobnew"),
    (
        "edits a VM (3)",
        "EDITOR='sed -i s/65536/70000/' virsh edit bobvm && EDITOR='sed -i s/70000/65536/' virsh edit bobvm",
    ),
    ("renames it and back (3)", "virsh domrename bobvm hers && virsh domrename hers bobvm"),
    ("sets and clears autostart (3)", "virsh autostart bobvm && virsh autostart --disable bobvm"),
    (
        "attaches and detaches a disk (3)",
        "virsh attach-disk bobvm /srv/vms/extra.img vdb --config && virsh detach-disk bobvm vdb --config",
    ),
    (
        "attaches and detaches an interface (5)",
        "virsh attach-interface bobvm network red --config && virsh detach-interface bobvm network --config",
    ),
    ("starts and stops a network (5)", "virsh net-start red && virsh net-destroy red"),
    ("defines and removes a network (5)", "virsh net-define /tmp/bob-net.xml && virsh net-undefine mine"),
    (
        "defines and removes a filter (5)",
        "virsh nwfilter-define /tmp/filter.xml && virsh nwfilter-undefine open",
    ),
    (
        "gives and takes a USB device (7)",
        "virsh attach-device bobvm /tmp/usb.xml --config && virsh detach-device bobvm /tmp/usb.xml --config",
    ),
    (
        "gives and takes a PCI device (7)",
        "virsh attach-device bobvm /tmp/pci.xml --config && virsh detach-device bobvm /tmp/pci.xml --config",
    ),
    (
        "shares and unshares a directory (8)",
        "virtwarden sharing allow shared-folder bobvm host && virsh attach-device bobvm /tmp/share.xml --config && virsh detach-device bobvm /tmp/share.xml --config && virtwarden sharing deny shared-folder bobvm host",
    ),
    (
        "inserts any file as a medium (21)",
        "virsh change-media bobvm hdc --insert /tmp/elsewhere.iso --config && virsh change-media bobvm hdc --eject --config",
    ),
    (
        "downloads a volume (3)",
        "virsh vol-download --pool store secret.img /tmp/alice.img && rm /tmp/alice.img",
    ),
    (
        "clones and deletes a volume (3)",
        "virsh vol-clone --pool store secret.img copy.img && virsh vol-delete --pool store copy.img",
    ),
    (
        "speaks to the QEMU monitor",
        "virsh start bobvm && virsh qemu-monitor-command bobvm --hmp info version && virsh destroy bobvm",
    ),
    (
        "redefines a snapshot (3)",
        "virtwarden sharing allow shared-folder bobvm host && virsh snapshot-create bobvm /tmp/redefine.xml --redefine && virsh snapshot-delete bobvm trojan --metadata && virtwarden sharing deny shared-folder bobvm host",
    ),
    (
        "restores with another definition (3)",
        "virsh start bobvm && virsh save bobvm /srv/vms/a.save && virsh save-image-dumpxml /srv/vms/a.save > /tmp/a.xml && virsh restore /srv/vms/a.save --xml /tmp/a.xml && virsh destroy bobvm",
    ),
    (
        "keeps a secret (11)",
        "u=$(virsh secret-define /tmp/secret.xml | grep -oE '[0-9a-f-]{36}') && virsh secret-undefine $u",
    ),
    (
        "dumps the memory of a VM",
        "virsh start bobvm && virsh dump bobvm /srv/vms/a.core --memory-only && virsh destroy bobvm",
    ),
];

/// What alice is let through to, though an empty guest without an agent cannot do it: libvirt's own
/// error shows that the gate permitted the call.
pub const REACHES: &[(&str, &str, &str)] = &[(
    "sets a guest's password (guest agent)",
    "virsh start bobvm >/dev/null; virsh set-user-password bobvm root secret; virsh destroy bobvm >/dev/null",
    "agent is not configured",
)];

/// Gives bob the files for his attempts, and alice a saved VM.
///
/// # Errors
/// The first step that failed.
pub fn hand_out_props(host: &Host) -> Result<(), String> {
    for (name, text) in PROPS {
        check(name, &host.write(&format!("/tmp/{name}.xml"), text))?;
    }
    let vm_type = scene::vm_type(host);
    check("definition", &host.write("/tmp/bob-new.xml", &scene::definition("bobnew", &vm_type)))?;
    // A redefined snapshot carries a whole definition, here with a share of /etc put into it.
    let redefine = "u=$(virsh domuuid bobvm | head -1); { echo '<domainsnapshot><name>trojan</name><state>shutoff</state><creationTime>1</creationTime>'; \
        virsh dumpxml bobvm --inactive | sed 's#</devices>#<filesystem type=\"mount\"><source dir=\"/etc\"/><target dir=\"etc\"/></filesystem></devices>#'; \
        echo '</domainsnapshot>'; } > /srv/vms/redefine.xml";
    check("redefine", &host.root(&format!("export LIBVIRT_DEFAULT_URI='{}'; {redefine}; cp /srv/vms/redefine.xml /tmp/redefine.xml; chmod 644 /tmp/redefine.xml", scene::BEHIND)))?;
    check(
        "saved",
        &alice(
            host,
            "virsh start finance && virsh save finance /srv/vms/finance.save && virsh start finance",
        ),
    )
}
