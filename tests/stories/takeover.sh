#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stories of taking libvirt over and giving it back, each on the same real host, one after the other.
# usage: tests/stories/takeover.sh [DEBIAN]       default: 13; needs target/debian/*virtwarden_*.deb
#        KEEP=1: leave the host up      KILLS=n: kill `enable` and `disable` at every n-th step (default 6)
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin takeover "${1:-13}"
kills=${KILLS:-6}

vm_runs() { root "virsh -q -c qemu:///system domstate traveller" | grep -qx running; }
vm_runs_upstream() { root "virsh -q -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock' domstate traveller" | grep -qx running; }
process() { root "cat /run/libvirt/qemu/traveller.pid"; }
same_process() { if [[ $(process) == "$started" ]]; then holds "in the same process"; else broken "the VM was started again"; fi; }
enable() { root "virtwarden enable --yes --admin alice"; }
disable() { root "virtwarden disable --yes"; }

"$testhost" up "$host" --debian "$debian"
# shellcheck disable=SC2016 # for the host's shell
root '
    . /etc/virtwarden-testhost.conf
    printf "<domain type=\"%s\"><name>traveller</name><memory unit=\"MiB\">64</memory><os><type arch=\"x86_64\" machine=\"q35\">hvm</type></os></domain>" "$VM_TYPE" > /root/vm.xml
    virsh -q -c qemu:///system define /root/vm.xml
    virsh -q -c qemu:///system start traveller
    echo "dictcheck = 0" >> /etc/security/pwquality.conf  # the host has no dictionary
' > "$scratch/said" 2>&1 || shown "a VM runs before"
started=$(process)
picture stock

story "Installing the package changes nothing for libvirt"
works "the package installs" "$testhost" install "$host" target/debian/*virtwarden_*.deb
works "bob still manages libvirt as on any Debian" as bob "virsh -q -c qemu:///system list"
works "a User's own session works" as bob "virsh -q -c qemu:///session list"
works "... and is ended" root "pkill -u bob libvirtd || true"
fails "nothing of Virtwarden runs" root "systemctl is-active virtwarden-policyd.service virtwarden-policyd.socket virtwarden-control.socket | grep -qx active"
picture installed

story "Nobody is taken over by accident"
fails "not without an Administrator" root "virtwarden enable --yes"
says "the message says what to do" "virtwarden enable --admin"
fails "root does not count" root "virtwarden enable --yes --admin root"
fails "an account that does not exist is refused" root "virtwarden enable --yes --admin nobody-of-that-name"
fails "nobody is asked who is not there" root "virtwarden enable --admin alice < /dev/null"
fails "bob cannot do it" as bob "virtwarden enable --yes --admin bob"
works "a dry run shows the plan" root "virtwarden enable --dry-run --admin alice"
says "the plan names the moved socket" "ListenStream=/run/virtwarden/upstream/libvirt-sock"
says "the plan names the VM that keeps running" "running VMs keep running: traveller"
picture now
same "nothing has changed" installed now

story "A monitor that cannot start gives everything back by itself"
root 'mkdir -p /run/systemd/system/virtwarden-policyd.service.d
    printf "[Service]\nExecStart=\nExecStart=/bin/false\n" > /run/systemd/system/virtwarden-policyd.service.d/broken.conf
    systemctl daemon-reload'
fails "enable says so" enable
says "the message says that nothing changed" "nothing was changed"
root 'rm -r /run/systemd/system/virtwarden-policyd.service.d; systemctl daemon-reload'
picture now
same "the host is as it was" installed now
works "the VM runs on" vm_runs

story "libvirt is taken over while a VM runs"
# shellcheck disable=SC2016 # for the host's shell
root 'setsid sh -c "virsh -c qemu:///system event --all --loop > /dev/null 2>&1 &"
    for try in $(seq 100); do ss -xp | grep -q "\"virsh\"" && break; sleep 0.3; done'
works "enable" enable
says "who is connected is told before" "virsh (process"
works "doctor finds nothing wrong" root "virtwarden doctor"
works "the VM runs on" vm_runs
same_process
works "alice manages" as alice "virsh -q -c qemu:///system domstate traveller"
works "a second enable has nothing to do" enable
says "and says so" "in place already"

story "The other doors are closed to bob"
fails "libvirtd's own socket" as bob "virsh -q -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock' list"
fails "its directory" as bob "ls /run/virtwarden/upstream"
fails "a session of his own" as bob "virsh -q -c qemu:///session list"
fails "libvirtd by hand" as bob "/usr/sbin/libvirtd --version"
fails "the emulator" as bob "qemu-system-x86_64 --version"
fails "/dev/kvm" as bob "exec 3<> /dev/kvm"
fails "the admin socket" as bob "virt-admin -c libvirtd:///system server-list"
fails "the log daemon's socket" as bob "test -w /run/libvirt/virtlogd-sock"
fails "libvirt over TCP" as bob "virsh -q -c qemu+tcp://127.0.0.1/system list"
fails "polkit says no to him, group libvirt or not" as bob "pkcheck --action-id org.libvirt.unix.manage --process \$\$"
works "root's own virsh passes the gate" root "virsh -q -c qemu:///system list"

story "A VM starts only if the monitor agrees, wherever the wish came from"
root "virsh -q -c qemu:///system destroy traveller"
works "it agrees" root "virsh -q -c qemu:///system start traveller"
root "virsh -q -c qemu:///system destroy traveller; systemctl stop virtwarden-control.socket virtwarden-policyd.service"
fails "without the monitor nothing starts, past the gate either" root "virsh -q -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock' start traveller"
says "libvirt shows why" "the monitor does not answer"
works "repaired by enable" enable
works "the VM starts again" root "virsh -q -c qemu:///system start traveller"
started=$(process)
root "systemctl kill --signal=STOP virtwarden-policyd.service; systemctl restart libvirtd.service"
works "a restart of libvirtd while the monitor hangs kills no VM" vm_runs_upstream
same_process
root "systemctl kill --signal=CONT virtwarden-policyd.service"

story "The monitor is killed"
root "systemctl kill --signal=KILL virtwarden-policyd.service"
works "the VM runs on" same_process
works "systemd starts it again and alice works" as alice "timeout 60 virsh -q -c qemu:///system list"
root "for i in \$(seq 30); do systemctl kill --signal=KILL virtwarden-policyd.service; sleep 0.4; done 2> /dev/null; true"
works "thirty times in a row" as alice "timeout 60 virsh -q -c qemu:///system list"
works "its sandbox is as tight as promised" root "systemd-analyze security --no-pager --threshold=20 virtwarden-policyd.service"

story "What drifts is found and repaired"
root "rm /etc/polkit-1/rules.d/00-virtwarden.rules; dpkg-statoverride --remove /usr/sbin/libvirtd; chmod 755 /usr/sbin/libvirtd"
fails "doctor finds it" root "virtwarden doctor"
says "the rule" "missing: /etc/polkit-1/rules.d/00-virtwarden.rules"
says "the override" "/usr/sbin/libvirtd"
works "enable repairs it" enable
works "doctor is content" root "virtwarden doctor"
works "a person in a strong group is named" root "gpasswd -a bob kvm && virtwarden doctor; gpasswd -d bob kvm"
says "with what he could do" "bob is in group kvm"
works "the gate's own units can be reinstalled" "$testhost" install "$host" target/debian/*virtwarden_*.deb
works "doctor is content" root "virtwarden doctor"

story "Settings of the host, to be given back as well"
in_a_login() { root "ssh -o BatchMode=yes -o StrictHostKeyChecking=no $1@127.0.0.1 '$2'"; }
works "alice sets a banner" in_a_login alice "echo Authorised use only > notice; virtwarden banner set --file notice"
works "and ends idle sessions" in_a_login alice "virtwarden setting set remote-timeout idle=15m"
works "and says what a password must be" in_a_login alice "virtwarden setting set password-policy classes=3"
works "bob logs in" in_a_login bob "id -un"
says "and has read it" "Authorised use only"
works "doctor is content" root "virtwarden doctor"

story "libvirt is given back while a VM runs"
works "a dry run shows what comes back" root "virtwarden disable --dry-run"
works "disable" disable
picture now
same "the host is as it was, byte for byte" installed now
works "the VM runs on" vm_runs
same_process
works "bob manages libvirt as on any Debian" as bob "virsh -q -c qemu:///system list"
works "he logs in" in_a_login bob "id -un"
fails "and no banner is shown" grep "Authorised use only" "$scratch/said"
works "a second disable has nothing to do" disable

story "What keeps guests from the host's services comes and goes with the monitor"
walled() { root 'nft list table inet virtwarden | grep vwn-'; }
works "taken over again" enable
root "echo \"<network><name>shore</name><bridge name='vwn-shore'/><ip address='10.77.0.1' netmask='255.255.255.0'/></network>\" > /tmp/shore.xml"
works "a network of Virtwarden's kind starts" as alice "virsh -q -c qemu:///system net-create /tmp/shore.xml"
works "its guests are kept from the host" walled
works "disable" disable
fails "the rules are gone" root "nft list tables | grep virtwarden"
works "the network is up" root "virsh -q -c qemu:///system net-list --name | grep -qx shore"
works "enable, while it is up" enable
works "its guests are kept from the host again" walled
works "the network goes" as alice "virsh -q -c qemu:///system net-destroy shore"
works "given back" disable
picture now
same "the host is as it was" installed now

story "Killed at any step, disable restores the host"
killed() { # STEP COMMAND: kills the command when it puts its STEP-th file in place; fails when it came through
    ! root "strace -qq -o /dev/null -e trace=/^rename -e inject=/^rename:signal=KILL:when=$1 virtwarden $2 > /dev/null 2>&1"
}
for ((step = 1; ; step += kills)); do
    killed "$step" "enable --yes --admin alice" || break
    disable > "$scratch/said" 2>&1 || shown "disable after step $step"
    picture now
    diff "$scratch/installed" "$scratch/now" || broken "a trace of step $step"
done
holds "enable, at every ${kills}th of $step steps"
for ((step = 1; ; step += kills)); do
    enable > "$scratch/said" 2>&1 || shown "enable before step $step"
    killed "$step" "disable --yes" || break
    disable > "$scratch/said" 2>&1 || shown "disable after step $step"
    picture now
    diff "$scratch/installed" "$scratch/now" || broken "a trace of step $step"
done
holds "disable, at every ${kills}th of $step steps"
works "the VM has run through all of it" vm_runs
same_process

story "Removing the package gives libvirt back, and purging it leaves nothing"
works "taken over once more" enable
works "removed" root "DEBIAN_FRONTEND=noninteractive apt-get -qq remove virtwarden libpam-virtwarden"
works "bob manages libvirt as on any Debian" as bob "virsh -q -c qemu:///system list"
works "purged" root "DEBIAN_FRONTEND=noninteractive apt-get -qq purge virtwarden libpam-virtwarden"
picture now
same "the host is as before the installation, byte for byte" stock now
fails "no account is left" root "getent passwd virtwarden || getent group virtwarden || getent group virtwarden-admin"
fails "no file is left" root "find / -xdev -name '*virtwarden*' ! -path '*/testhost*' ! -name 'virtwarden-testhost*' ! -path '/var/log/*' ! -path '/var/cache/*' | grep ."
works "the VM has run through all of it" vm_runs

story "all true on Debian $debian"
