# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What a whole machine shows on its screen, and what is typed at it.

# A picture as PNG.
screen() {
    [[ $# -eq 2 ]] || usage_error "screen needs NAME FILE"
    need_machine "$1"
    monitor "$1" screendump "$(printf '{"filename":"%s/screen.png","format":"png"}' "$EMULATOR_SEES")"
    install -m 644 "$(host_dir "$1")/screen.png" "$2"
}

# The words on it, on one line. Read here, with what the greeter's base has for that: the machine would take minutes.
screen_words() {
    [[ $# -eq 1 ]] || usage_error "screen-words needs NAME"
    screen "$1" "$(host_dir "$1")/words.png"
    chroot "$(base_dir "$(host_setting "$1" DEBIAN)" greeter)" tesseract --psm 11 stdin stdout \
        < "$(host_dir "$1")/words.png" 2> /dev/null | tr -s '[:space:]' ' '
}

# Keys by QEMU's names, one after the other: `press NAME ret a`.
press() {
    local name=$1 key keys=()
    [[ $# -ge 2 ]] || usage_error "press needs NAME KEY..."
    need_machine "$name"
    for key in "${@:2}"; do
        [[ $key =~ ^[a-z0-9_]+$ ]] || usage_error "'$key' is no key"
        keys+=(send-key "$(printf '{"keys":[{"type":"qcode","data":"%s"}]}' "$key")")
    done
    monitor "$name" "${keys[@]}"
}
