#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story of a whole machine: what only a kernel of its own and real boots can show. It has doors that some hosts
# have (libvirt over TCP and TLS, libvirt-dbus, somebody at the seat), is taken over, upgraded, booted and given back.
# usage: tests/stories/machine.sh [DEBIAN [PART...]]     default: 13 and all of them; needs target/debian/*virtwarden_*.deb
#        HOST=NAME: on that machine, which stays up, with what earlier parts left there (see `parts` below)
#        PATIENCE=N: wait N times as long, where the emulator has to share its processors
# shellcheck disable=SC2317 # parts are called by their names
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin machine "${1:-13}"
[[ $# -eq 0 ]] || shift
parts=(doors earlier roles audit upgrade boot plug back own_test purge)
[[ $# -eq 0 ]] || parts=("$@")
export VIRTWARDEN_TESTHOST_TIMEOUT=$((600 * ${PATIENCE:-1}))

# --- What is looked at again and again ---------------------------------------------------------------------------
# shellcheck disable=SC2016 # scripts for the host's shell
{
    listens='ss -Hltn "sport = :16509 or sport = :16514" | grep -c LISTEN'
    ask_bus='busctl --system call org.libvirt /org/libvirt/QEMU org.libvirt.Connect ListDomains u 0'
    kvm_of_bob='getfacl -cp /dev/kvm | grep -q ^user:bob:rw'
    # Of ours, or about us: the kernel tells auditd, who keeps it.
    denials='grep -a "apparmor=\"DENIED\"" /var/log/audit/audit.log | grep -a virtwarden'
    confined='grep -q "^libvirt-virtwarden-policyd (enforce)" /proc/$(pidof virtwarden-policyd)/attr/current'
}
virsh_of() { as "$1" "virsh -q -c qemu:///system $2"; }
bobvm_is() { [[ $(virsh_of bob "domstate bobvm" 2>&1) == "$1" ]]; }
process() { root "cat /run/libvirt/qemu/bobvm.pid"; }
same_process() { [[ $(process) == $(< "$scratch/started") ]]; }
has_kvm() { root "test -c /dev/kvm"; }
trail_verifies() { as alice "virtwarden audit verify"; }
boots_in_trail() { as alice "virtwarden audit export | grep -o '\"boot\":\"[^\"]*\"' | sort -u | wc -l"; }
enable() { root "virtwarden enable --yes --admin alice"; }

# The same package with a version below, as an earlier release would have.
older_package() {
    local package
    for package in virtwarden libpam-virtwarden; do
        dpkg-deb --raw-extract target/debian/"$package"_*.deb "$scratch/$package"
        sed -i 's/^Version: .*/Version: 0.0.1/; s/(= [^)]*)/(= 0.0.1)/' "$scratch/$package/DEBIAN/control"
        dpkg-deb --root-owner-group --build "$scratch/$package" "$scratch/${package}_0.0.1_amd64.deb"
    done
}

# --- A host with more doors than most ----------------------------------------------------------------------------
open_doors() {
    # shellcheck disable=SC2016 # for the host's shell
    root 'set -e
        install -d -m 755 /etc/pki/CA /etc/pki/libvirt /etc/pki/libvirt/private && cd /etc/pki
        openssl req -quiet -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out CA/cacert.pem
        openssl req -quiet -newkey rsa:2048 -nodes -subj "/CN=$(hostname)" \
            -keyout libvirt/private/serverkey.pem -out server.csr
        openssl x509 -req -days 2 -in server.csr -CA CA/cacert.pem -CAkey ca.key -out libvirt/servercert.pem
        systemctl stop libvirtd.service
        systemctl enable --now libvirtd-tcp.socket libvirtd-tls.socket
        virsh -q -c qemu:///system list
        printf "ON_BOOT=start\nON_SHUTDOWN=suspend\n" >> /etc/default/libvirt-guests
        mkdir -p /etc/systemd/system/getty@tty1.service.d
        printf "[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin bob --noclear %%I linux\n" \
            > /etc/systemd/system/getty@tty1.service.d/seat.conf
        systemctl daemon-reload
        systemctl restart getty@tty1.service
        for try in $(seq 60); do getfacl -cp /dev/kvm | grep -q ^user:bob:rw && break; sleep 1; done
        virsh -q -c qemu:///system net-list > /dev/null'
}

play_doors() {
    story "A machine with a kernel of its own"
    works "libvirt over TCP and TLS, and bob at the seat" open_doors
    works "both ports are open" root "test \"\$($listens)\" -ge 2"
    works "libvirt-dbus answers bob" as bob "$ask_bus"
    if has_kvm; then
        works "the seat gives bob /dev/kvm" root "$kvm_of_bob"
    else
        holds "SKIPPED: the seat's access to /dev/kvm: the emulated processor has no virtualization"
    fi
    works "the kernel's audit is on, and auditd listens" root "auditctl -s | grep -qx 'enabled 1' && systemctl is-active auditd"
}

play_earlier() {
    story "An earlier version is installed and takes libvirt over"
    works "an earlier version" older_package
    works "installs" "$testhost" install "$host" "$scratch"/*virtwarden_0.0.1_amd64.deb
    picture installed
    works "enable" enable
    works "doctor finds nothing wrong" root "virtwarden doctor"
    fails "nobody listens on the network" root "$listens"
    fails "... nor does it come back by hand" root "systemctl start libvirtd-tcp.socket || systemctl start libvirtd-tls.socket"
    fails "libvirt-dbus answers bob no more" as bob "$ask_bus"
    says "the bus says so" "[Dd]enied\|[Rr]ejected"
    fails "... nor root" root "$ask_bus"
    if has_kvm; then fails "the seat gives bob nothing" root "$kvm_of_bob"; fi
}

play_roles() {
    story "Two roles, with the monitor confined"
    works "the monitor runs confined" root "$confined"
    # shellcheck disable=SC2016 # for the host's shell
    root 'install -d -m 755 /srv/vms
        echo "[information-domain.red]" > /etc/virtwarden/policy.d/20-story.toml
        qemu-img create -q -f qcow2 /srv/vms/bobvm.qcow2 16M
        d=$(mktemp -d); echo tools > "$d/readme"; xorriso -as mkisofs -quiet -o /var/lib/virtwarden/media/tools.iso "$d" 2> /dev/null
        chmod 644 /var/lib/virtwarden/media/tools.iso
        cat > /srv/vms/bobvm.xml << XML
<domain type="qemu"><name>bobvm</name><memory unit="MiB">64</memory>
<os><type arch="x86_64" machine="pc">hvm</type></os><devices>
<disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="/srv/vms/bobvm.qcow2"/><target dev="vda" bus="virtio"/></disk>
<disk type="file" device="cdrom"><target dev="hdc" bus="ide"/><readonly/></disk>
<serial type="pty"/><console type="pty"/></devices></domain>
XML'
    works "the policy is taken" as alice "virtwarden policy reload"
    works "alice defines a VM" virsh_of alice "define /srv/vms/bobvm.xml"
    works "... and assigns it" as alice "virtwarden vm assign bobvm bob && virtwarden vm domain bobvm red"
    fails "bob may not define one" virsh_of bob "define /srv/vms/bobvm.xml"
    says "he is told" "access denied"
    works "bob starts it" virsh_of bob "start bobvm"
    works "... inserts a medium" virsh_of bob "change-media bobvm hdc /var/lib/virtwarden/media/tools.iso --insert"
    works "... ejects it" virsh_of bob "change-media bobvm hdc --eject"
    works "... makes a snapshot" virsh_of bob "snapshot-create-as bobvm one"
    works "... goes back to it" virsh_of bob "snapshot-revert bobvm one"
    works "... pauses and resumes it" as bob "virsh -q -c qemu:///system suspend bobvm && virsh -q -c qemu:///system resume bobvm"
    works "its emulator is confined, too" root "grep -q '^libvirt-.* (enforce)' /proc/\$(cat /run/libvirt/qemu/bobvm.pid)/attr/current"
    process > "$scratch/started"
}

play_audit() {
    story "The kernel's audit system knows the people"
    messages() { root "ausearch --input-logs -m TRUSTED_APP -i 2> /dev/null | grep virt=virtwarden" > "$scratch/said"; }
    works "it has our messages" messages
    messages
    says "bob's denial, with his login" 'op=DOMAIN_DEFINE.* acct=bob .*aacct=bob .*res=failed'
    says "bob's act, with the VM" 'op=DOMAIN_CREATE.* acct=bob .*vm=bobvm .*res=success'
    says "alice's act" 'op=DOMAIN_DEFINE.* acct=alice .*res=success'
    works "ausearch finds what failed" root "ausearch --input-logs -m TRUSTED_APP -sv no | grep -q 'acct=\"bob\"'"
    works "aureport counts it" root "aureport --input-logs --event --summary -i | grep TRUSTED_APP"
}

play_upgrade() {
    story "The package is upgraded while bob's VM runs"
    works "the next version installs" "$testhost" install "$host" target/debian/*virtwarden_*.deb
    works "the VM runs on, in the same process" same_process
    works "bob's assignment is kept" bobvm_is running
    works "the site's policy is kept" as alice "virtwarden vm list | grep bobvm | grep red"
    fails "bob may still not define one" virsh_of bob "define /srv/vms/bobvm.xml"
    works "the monitor runs confined" root "$confined"
    works "doctor finds nothing wrong" root "virtwarden doctor"
    works "the trail verifies" trail_verifies
    fails "AppArmor has denied us nothing" root "$denials"
}

play_boot() {
    story "The machine is booted while bob's VM runs"
    local boots
    boots=$(boots_in_trail)
    works "it shuts down and boots" "$testhost" reboot "$host"
    works "the monitor is up, confined" root "systemctl is-active virtwarden-policyd.service && $confined"
    # libvirtd looks at every emulator first, which takes it half a minute here.
    # shellcheck disable=SC2016 # for the host's shell
    works "libvirt answers" root 'for try in $(seq 20); do virsh -q -c qemu:///system list && exit 0; sleep 3; done; exit 1'
    works "doctor finds nothing wrong" root "virtwarden doctor"
    works "nothing failed" root "systemctl is-system-running --wait"
    works "libvirt-guests saved the VM and brought it back" bobvm_is running
    works "... through the gate, as root" as alice "virtwarden audit export | grep DOMAIN_MANAGED_SAVE | grep bobvm | grep -q '\"root\"'"
    works "its state is the saved one" root "journalctl -b -1 -u libvirt-guests | grep -i suspending"
    works "the trail verifies over the boot" trail_verifies
    works "... and tells the boots apart" test "$(boots_in_trail)" -gt "$boots"
    fails "nobody listens on the network" root "$listens"
    fails "libvirt-dbus does not answer bob" as bob "$ask_bus"
    works "bob is at the seat" root "loginctl list-sessions --no-legend | grep bob | grep seat0"
    if has_kvm; then fails "the seat gives bob nothing" root "$kvm_of_bob"; fi
    fails "AppArmor has denied us nothing" root "$denials"
}

play_plug() {
    story "The plug is pulled"
    works "it boots" "$testhost" reboot "$host" --hard
    works "the trail verifies" trail_verifies
    works "doctor finds nothing wrong" root "virtwarden doctor"
    works "bob starts his VM" virsh_of bob "start bobvm"
}

play_back() {
    story "libvirt is given back"
    works "the VM goes" as alice "virsh -q -c qemu:///system destroy bobvm && virsh -q -c qemu:///system undefine bobvm --snapshots-metadata --managed-save"
    root "rm -r /srv/vms /etc/virtwarden/policy.d/20-story.toml"
    works "disable" root "virtwarden disable --yes"
    picture now
    same "the host is as it was, byte for byte" installed now
    works "both ports are open" root "test \"\$($listens)\" -ge 2"
    works "libvirt-dbus answers bob" as bob "$ask_bus"
    if has_kvm; then works "the seat gives bob /dev/kvm" root "$kvm_of_bob"; fi
    works "it boots" "$testhost" reboot "$host"
    # Its kernel may still be looking at devices, and the login at the seat goes on meanwhile.
    works "... to the end" root "udevadm settle --timeout=300 && systemctl is-system-running --wait"
    picture now
    same "the host is as it was, byte for byte, after a boot" installed now
    works "both ports are open" root "test \"\$($listens)\" -ge 2"
    works "bob manages libvirt as on any Debian" virsh_of bob "list"
}

play_own_test() {
    story "The package's own test passes"
    local tree=$scratch/source
    mkdir -p "$tree" && cp -r packaging/debian "$tree/debian" && cp target/debian/virtwarden_*.deb "$scratch/virtwarden.deb"
    cp target/debian/libpam-virtwarden_*.deb "$scratch/libpam-virtwarden.deb"
    "$testhost" put "$host" "$tree" /srv/source
    "$testhost" put "$host" "$scratch/virtwarden.deb" /srv/virtwarden.deb
    "$testhost" put "$host" "$scratch/libpam-virtwarden.deb" /srv/libpam-virtwarden.deb
    # This machine is thrown away, which the null testbed cannot know.
    works "autopkgtest" root "cd /srv && autopkgtest --ignore-restrictions=isolation-machine,breaks-testbed \
        /srv/libpam-virtwarden.deb /srv/virtwarden.deb /srv/source/ -- null"
    says "none was skipped" "roles  *PASS"
    root "rm -rf /srv/source /srv/*.deb"
}

play_purge() {
    story "Purging the package leaves nothing"
    works "purged" root "DEBIAN_FRONTEND=noninteractive apt-get -qq purge virtwarden libpam-virtwarden"
    fails "no profile is left in the kernel" root "grep virtwarden /sys/kernel/security/apparmor/profiles"
    works "bob manages libvirt as on any Debian" virsh_of bob "list"
}

tell() {
    play_each machine "${parts[@]}"
    story "all true on a machine with Debian $debian"
}

# On one line, so that a change of this file cannot reach a telling of it.
tell; exit
