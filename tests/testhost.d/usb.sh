# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is plugged into a whole machine while it runs, and pulled out again.

# The emulator's monitor, from inside its own root.
monitor() {
    local pid
    pid=$(host_supervisor "$1") || die "host '$1' does not run"
    nsenter --target "$pid" --mount --root --wd -- /usr/bin/python3 - "$EMULATOR_SEES/qmp" "${@:2}" < "$PARTS/qmp"
}

need_machine() {
    check_name "$1"
    need_root
    is_machine "$1" || die "host '$1' is no whole machine: 'testhost up $1 --machine'"
}

check_stick() { [[ $1 =~ ^[a-z][a-z0-9-]{0,15}$ ]] || usage_error "'$1' is no name for what is plugged in"; }

# A small file system with one file. What was written to it before stays.
make_stick() {
    local image=$1 name=$2 content
    [[ ! -e $image ]] || return 0
    mkdir -p "$(dirname "$image")"
    content=$(mktemp -d)
    echo "this is $name" > "$content/readme"
    mke2fs -q -t ext2 -L "$name" -d "$content" "$image" 16M
    rm -r "$content"
}

# What is plugged in stays so over a reboot, which is another emulator.
plug_again() {
    local file words try
    for ((try = 0; try < 100; try++)); do
        # In a shell of its own: what does not run yet is no reason to give up.
        (monitor "$1" query-status '{}') > /dev/null 2>&1 && break
        sleep 0.1
    done
    for file in "$(host_dir "$1")"/plugged/*; do
        [[ -e $file ]] || continue
        mapfile -t words < "$file"
        plug "${words[@]}"
    done
}

plug() {
    local name='' stick='' serial='' kind=stick port='' device words=("$@")
    while [[ $# -gt 0 ]]; do
        case $1 in
            --serial) serial=${2:?--serial needs one} && shift 2 ;;
            --port) port=${2:?--port needs a number} && shift 2 ;;
            --kind) kind=${2:?--kind needs stick, disc or keyboard} && shift 2 ;;
            -*) usage_error "plug has no option $1" ;;
            *) if [[ -z $name ]]; then name=$1; else stick=$1; fi && shift ;;
        esac
    done
    [[ -n $name && -n $stick ]] || usage_error "plug needs NAME STICK"
    need_machine "$name"
    check_stick "$stick"
    device=$(printf '"id":"%s","bus":"xhci.0"' "$stick")
    [[ -z $port ]] || device+=$(printf ',"port":"%s"' "$port")
    [[ -z $serial ]] || device+=$(printf ',"serial":"%s"' "$serial")
    case $kind in
        stick) plug_stick "$name" "$stick" "\"driver\":\"usb-storage\",\"removable\":true,$device" ;;
        disc) plug_disc "$name" "$stick" "$device" ;;
        keyboard) monitor "$name" device_add "{\"driver\":\"usb-kbd\",$device}" ;;
        *) usage_error "'$kind' cannot be plugged in: use stick, disc or keyboard" ;;
    esac
    mkdir -p "$(host_dir "$name")/plugged"
    printf '%s\n' "${words[@]}" > "$(host_dir "$name")/plugged/$stick"
}

add_image() { printf '{"driver":"raw","node-name":"%s","file":{"driver":"file","filename":"%s"}}' "$1" "$EMULATOR_SEES/sticks/$1"; }

plug_stick() {
    make_stick "$(host_dir "$1")/sticks/$2" "$2"
    monitor "$1" blockdev-add "$(add_image "$2")" device_add "{\"drive\":\"$2\",$3}"
}

# A USB drive with a disc in it.
plug_disc() {
    make_stick "$(host_dir "$1")/sticks/$2" "$2"
    monitor "$1" blockdev-add "$(add_image "$2")" device_add "{\"driver\":\"usb-bot\",$3}" \
        device_add "{\"driver\":\"scsi-cd\",\"id\":\"$2-drive\",\"bus\":\"$2.0\",\"drive\":\"$2\"}" \
        qom-set "{\"path\":\"/machine/peripheral/$2\",\"property\":\"attached\",\"value\":true}"
}

unplug() {
    [[ $# -eq 2 ]] || usage_error "unplug needs NAME STICK"
    need_machine "$1"
    check_stick "$2"
    rm -f "$(host_dir "$1")/plugged/$2"
    monitor "$1" device_del "{\"id\":\"$2\"}" wait:DEVICE_DELETED
    [[ ! -e $(host_dir "$1")/sticks/$2 ]] || monitor "$1" blockdev-del "{\"node-name\":\"$2\"}"
}
