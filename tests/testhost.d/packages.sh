# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a test host is made of. A change here rebuilds the base.

# The outer machine: command it must have, Debian package that brings it.
# shellcheck disable=SC2034 # outer.sh uses it
OUTER_COMMANDS=(
    mmdebstrap:mmdebstrap
    systemd-nspawn:systemd-container
    nsenter:util-linux
    flock:util-linux
    mke2fs:e2fsprogs
    ssh:openssh-client
    tar:tar
)

# A stock Debian virtualization host ...
HOST_PACKAGES=(
    systemd systemd-sysv dbus libpam-systemd openssh-server openssh-client polkitd sudo
    libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils
    libvirt-daemon-config-network libvirt-daemon-config-nwfilter
    # libvirt only recommends these; without them no network starts.
    dnsmasq-base nftables iptables
    apparmor
    # What the virtwarden package depends on: test hosts have no network to fetch it.
    openssl ca-certificates libpam-runtime adduser
    # ... and what tests need to look at it and to play with it.
    acl xorriso socat netcat-openbsd iproute2 procps psmisc python3 strace
    # Every way to log in, or to run without having logged in, and what looks at it.
    pamtester sshpass expect tmux pkexec at cron dbus-user-session libpam-pwquality valgrind
    # Components that settings reach: chrony, and what desktops keep their settings in.
    chrony dconf-cli dconf-gsettings-backend libglib2.0-bin gsettings-desktop-schemas
)

# For virt-manager: playing it, reading its windows (AT-SPI) and taking pictures of them.
DESKTOP_PACKAGES=(
    virt-manager virt-viewer gir1.2-spiceclientgtk-3.0 python3-gi
    librsvg2-common xvfb xauth xdotool x11-utils imagemagick dbus-x11 openbox
    adwaita-icon-theme fonts-dejavu-core at-spi2-core gir1.2-atspi-2.0 gsettings-desktop-schemas
)

# What a whole machine has that a container cannot use.
MACHINE_PACKAGES=(
    linux-image-amd64 initramfs-tools udev kmod e2fsprogs auditd apparmor-utils
    # Doors that some hosts have, and what runs a package's own tests.
    libvirt-dbus autopkgtest dpkg-dev
    # What a desktop has for removable media: who mounts them, and who gives them to SPICE clients.
    udisks2 spice-client-glib-usb-acl-helper
)

# A desktop's greeter on such a machine, and what reads its screen.
GREETER_PACKAGES=(gdm3 dconf-cli libgl1-mesa-dri fonts-dejavu-core adwaita-icon-theme tesseract-ocr)

# Debian's code name of a release number.
debian_codename() {
    case $1 in
        12) echo bookworm ;;
        13) echo trixie ;;
        *) die "Debian $1 is not supported: use 12 or 13" ;;
    esac
}

# What is a part of QEMU itself in Debian 12: SPICE screens, their clipboard, USB redirection.
SPICE_PACKAGES=(qemu-system-modules-spice)

# The packages of one flavour on one release, one a line.
flavour_packages() {
    printf '%s\n' "${HOST_PACKAGES[@]}"
    case $1 in
        plain) [[ $2 == 12 ]] || printf '%s\n' "${SPICE_PACKAGES[@]}" ;;
        desktop) printf '%s\n' "${DESKTOP_PACKAGES[@]}" ;;
        machine) printf '%s\n' "${MACHINE_PACKAGES[@]}" ;;
        greeter) printf '%s\n' "${MACHINE_PACKAGES[@]}" "${GREETER_PACKAGES[@]}" ;;
        *) die "there is no flavour '$1': use plain, desktop, machine or greeter" ;;
    esac
}

# Whether hosts of a flavour are whole machines.
is_of_machines() {
    case $1 in
        machine | greeter) ;;
        *) return 1 ;;
    esac
}
