# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The base: a Debian made once, then shared by all hosts as the read-only layer below them.

# To be raised when build_base() changes what ends up in a base.
RECIPE_VERSION=1

# What runs inside a new base, in this order.
flavour_scripts() {
    echo "$PARTS/prepare-base"
    ! is_of_machines "$1" || echo "$PARTS/prepare-machine"
}

# Everything that decides what is in a base of a flavour and release; its hash is part of the base's name.
recipe_hash() {
    {
        echo "$RECIPE_VERSION"
        flavour_packages "$1" "$2"
        flavour_scripts "$1" | xargs cat
    } | sha256sum | cut -c1-12
}

base_dir() { printf '%s/base-%s%s.%s' "$TESTHOST_DIR" "$1" "$([[ $2 == plain ]] || echo "-$2")" "$(recipe_hash "$2" "$1")"; }

# The archive this machine uses itself: what apt calls the repository with Label $1.
configured_mirror() {
    # shellcheck disable=SC2016 # these are apt's variables
    apt-get indextargets --format '$(LABEL) $(REPO_URI)' 2> /dev/null |
        awk -v label="$1" '$1 == label && NF == 2 { print $2; exit }'
}

# The lines of sources.list for a release: from the machine's own configuration, or as the caller says.
base_sources() {
    local codename=$1 main security
    main=${VIRTWARDEN_DEBIAN_MIRROR:-$(configured_mirror Debian)}
    security=${VIRTWARDEN_DEBIAN_SECURITY_MIRROR:-$(configured_mirror Debian-Security)}
    [[ -n $main ]] || die "no Debian archive in this machine's apt sources: set VIRTWARDEN_DEBIAN_MIRROR to a URL"
    printf 'deb %s %s main\n' "$main" "$codename" "$main" "$codename-updates"
    if [[ -n $security ]]; then printf 'deb %s %s-security main\n' "$security" "$codename"; fi
}

# How this machine reaches its archive (proxies, certificates, expiry checks) must hold for the download too.
outer_apt_options() { apt-config dump | grep -E '^Acquire::(http|https|Check|Max-ValidTime|Retries|Force)' || true; }

build_base() {
    local release=$1 flavour=$2 target=$3 codename partial sources script hooks=()
    codename=$(debian_codename "$release")
    [[ -n $(configured_mirror Debian) || -n ${VIRTWARDEN_DEBIAN_MIRROR:-} ]] || apt-get -qq update
    sources=$(base_sources "$codename")
    say "building the base for Debian $release ($flavour); this happens once"
    partial=$target.partial
    rm -rf --one-file-system "$partial"
    mkdir -p "$TESTHOST_DIR"
    outer_apt_options > "$TESTHOST_DIR/apt-options"
    for script in $(flavour_scripts "$flavour"); do
        hooks+=(--customize-hook="copy-in $script /")
        # shellcheck disable=SC2016 # the hook is mmdebstrap's to expand
        hooks+=(--customize-hook='chroot "$1" /'"$(basename "$script")"' && rm "$1/'"$(basename "$script")"'"')
    done
    # unsafe-io: a base that was not finished is thrown away anyway.
    if ! mmdebstrap --mode=root --variant=important \
        --include="$(flavour_packages "$flavour" "$release" | paste -sd,)" \
        --aptopt="$TESTHOST_DIR/apt-options" --aptopt='Acquire::Retries "3"' --dpkgopt=force-unsafe-io \
        "${hooks[@]}" \
        "$codename" "$partial" - <<< "$sources" > "$target.log" 2>&1; then
        tail -n 30 "$target.log" >&2
        rm -rf --one-file-system "$partial"
        die "could not build the base; the whole log: $target.log"
    fi
    mv -T "$partial" "$target"
    remove_old_bases "$release" "$flavour" "$target"
}

# Bases of older recipes go once no host stands on them and nobody wanted them for a day:
# two work trees with different recipes would otherwise build in turns.
remove_old_bases() {
    local old
    for old in "$TESTHOST_DIR/base-$1$([[ $2 == plain ]] || echo "-$2")".????????????; do
        [[ -d $old && $old != "$3" ]] || continue
        if grep -qsxF "BASE=$old" "$TESTHOST_DIR"/hosts/*/conf; then continue; fi
        if [[ -n $(find "$old.used" -mmin -1440 2> /dev/null) ]]; then continue; fi
        rm -rf --one-file-system "$old" "$old.log" "$old.used"
    done
}

# Makes sure that the base is there.
ensure_base() {
    local target
    target=$(base_dir "$1" "$2")
    [[ -d $target ]] || with_lock "$(basename "$target")" build_base_once "$1" "$2" "$target"
    touch "$target.used"
}

build_base_once() { [[ -d $3 ]] || build_base "$@"; }

ensure_key() {
    [[ -f $SSH_KEY ]] || ssh-keygen -q -t ecdsa -b 384 -N '' -C testhost -f "$SSH_KEY"
}

base() {
    local release=13 flavour=plain
    while [[ $# -gt 0 ]]; do
        case $1 in
            --debian) release=${2:?--debian needs 12 or 13} && shift 2 ;;
            --flavour) flavour=${2:?--flavour needs a name} && shift 2 ;;
            *) usage_error "base has no option $1" ;;
        esac
    done
    need_root
    debian_codename "$release" > /dev/null
    flavour_packages "$flavour" "$release" > /dev/null
    ensure_outer_packages
    ensure_base "$release" "$flavour"
    base_dir "$release" "$flavour"
}
