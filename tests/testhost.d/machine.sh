# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The whole machine that a host can be instead of a container: its disk, its emulator, its end.
# With a kernel of its own it shows what a container cannot: kernel audit, AppArmor, udev and seats, device hot plug.

MACHINE_MEMORY_MIB=2560
MACHINE_DISK=8G

is_machine() { is_of_machines "$(host_setting "$1" FLAVOUR)"; }

# The emulator is Debian 13's, from the plain base: QEMU 7.2 crashes Debian 13's kernel where it has no KVM.
emulator_root() { base_dir 13 plain; }

# Where a host's directory is for the emulator, which sees nothing else of this machine.
EMULATOR_SEES=/mnt

# The root as a container would have it, on a disk.
make_disk() {
    local dir
    dir=$(host_dir "$1")
    install -m 600 "$dir"/root/boot/vmlinuz-* "$dir/kernel"
    install -m 600 "$dir"/root/boot/initrd.img-* "$dir/initrd"
    mke2fs -q -t ext4 -L root -d "$dir/root" "$dir/disk" "$MACHINE_DISK" > /dev/null
    while mountpoint -q "$dir/root"; do umount "$dir/root"; done
    rm -rf --one-file-system "$dir"/{root,upper,work}
}

start_machine() {
    local dir
    dir=$(host_dir "$1")
    has_memory_for_machine || die "a machine needs $MACHINE_MEMORY_MIB MiB of memory, $(free_mib) MiB are free"
    run_machine "$dir" "$(emulator_root)" < /dev/null >> "$dir/emulator.log" 2>&1 9>&- &
    echo $! > "$dir/supervisor"
}

# Becomes the emulator, in a network of its own: the host's ports are 127.0.0.1's there, and it reaches nobody.
# Its disk is an NVMe one, whose driver asks again where an emulated processor missed the disk's answer.
# The read-only base it runs from is shared; what is mounted there is seen by this emulator alone.
# shellcheck disable=SC2016 # a script for sh
run_machine() {
    local dir=$1 root=$2 see=$EMULATOR_SEES
    exec setsid unshare --mount --net --propagation private sh -c '
        set -e
        dir=$1 root=$2 see=$3
        shift 3
        mount --bind /dev "$root/dev"
        mount --bind "$dir" "$root$see"
        chroot "$root" ip link set lo up
        exec chroot "$root" "$@"
    ' run_machine "$dir" "$root" "$see" \
        /usr/bin/qemu-system-x86_64 -name "guest=$dir" -no-user-config -nodefaults -display none -vga std \
        -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m "$MACHINE_MEMORY_MIB" \
        -kernel "$see/kernel" -initrd "$see/initrd" \
        -append 'root=LABEL=root rw console=ttyS0 quiet audit=1 nvme_core.io_timeout=5' \
        -drive "file=$see/disk,format=raw,if=none,id=disk,cache=unsafe,discard=unmap" -device nvme,drive=disk,serial=disk \
        -netdev user,id=net,hostfwd=tcp:127.0.0.1:22-:22,hostfwd=tcp:127.0.0.1:2222-:2222 \
        -device virtio-net-pci,netdev=net,mac=52:54:00:00:00:01 \
        -device virtio-rng-pci -device qemu-xhci,id=xhci,p2=12,p3=12 \
        -chardev "socket,id=console,path=$see/console,server=on,wait=off,logfile=$see/boot.log,logappend=on" \
        -serial chardev:console -qmp "unix:$see/qmp,server=on,wait=off"
}

kill_machine() {
    local pid try
    for ((try = 0; try < 200; try++)); do
        pid=$(host_supervisor "$1") || return 0
        kill -KILL "$pid" 2> /dev/null || true
        sleep 0.05
    done
    die "the emulator of host '$1' does not end: process $pid"
}
