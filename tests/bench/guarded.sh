# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The host with Virtwarden: libvirtd on its private socket, a byte proxy before it, the gate before it; then policyd alone.

# Set by run:
: "${host:?}" "${sizes:?}" "${rounds:?}" "${reads:?}" "${seconds:?}" "${starts:?}" "${records:?}"

readonly HOOK=/etc/libvirt/hooks/qemu.d/90-virtwarden

# Installs, takes over, and lets one person hold the connections that are to be weighed.
guard() {
    tests/testhost install "$host" target/debian/*virtwarden_*.deb
    on_host virtwarden enable --admin alice --yes
    on_host tee /etc/virtwarden/policy.d/10-bench.toml > /dev/null << 'END'
[gate]
connections = 512
per-account = 256
END
    start_proxy
}

# With the account and so the rights at libvirtd that the gate has.
start_proxy() {
    on_host systemd-run --quiet --unit=bench-forward --uid=virtwarden --property=RuntimeDirectory=bench \
        /usr/local/bin/virtwarden-bench forward "$PROXY" "$UPSTREAM"
}

measure_guarded() {
    local index
    weigh
    for ((index = ${#sizes[@]} - 1; index >= 0; index--)); do
        rounds "$rounds" "list:${sizes[index]}" "$(lists_of "${sizes[index]}")" direct proxy alice bob
        if ((index > 0)); then undefine_vms "${sizes[index - 1]}" "${sizes[index]}"; fi
    done
    rounds "$rounds" read "$reads" direct proxy alice bob
    rounds "$rounds" connect 40 direct proxy alice bob
    measure_throughput direct proxy alice bob
    measure_starts
    measure_trail
    on_host virtwarden-bench decide /usr/share/virtwarden/policy.d/90-default.toml | keep
}

# policyd alone: fresh, with connections, with a full registry; that registry stays.
weigh() {
    weigh_fresh
    weigh_fresh
    weigh_fresh
    hold 200
    register "${sizes[-1]}"
    sleep 2
    weigh_as "registered:${sizes[-1]}"
}

weigh_fresh() {
    on_host systemctl restart virtwarden-policyd
    sleep 2
    weigh_as idle
}

weigh_as() { on_host virtwarden-bench memory policyd "$1" virtwarden-poli | keep; }

hold() { # CONNECTIONS
    local held=target/bench/held
    : > "$held"
    sleep 8 | over alice "hold:$1" > "$held" &
    until grep -q holding "$held"; do sleep 0.2; done
    sleep 1
    weigh_as "holding:$1"
    wait
}

# bob has the first twenty VMs and the one to be started; somebody else has the others.
register() { # VMS
    on_host systemctl stop virtwarden-policyd
    on_host bash -s -- "$1" << 'END'
bob="{\"name\":\"bob\",\"uid\":$(id -u bob)}" carol='{"name":"carol","uid":4242}'
row() { printf '{"uuid":"%s","name":"%s","assignment":{"users":[%s]}}' "$@"; }
{
    printf '{"format":1,"vms":['
    for ((number = 0; number < $1; number++)); do
        ((number < 20)) && owner=$bob || owner=$carol
        row "$(printf %08x-0000-4000-8000-000000000000 $number)" "bench-$number" "$owner"
        echo ,
    done
    row ffffffff-0000-4000-8000-000000000000 bench-start "$bob"
    echo ']}'
} > /var/lib/virtwarden/registry.json
chown virtwarden: /var/lib/virtwarden/registry.json
END
    on_host systemctl start virtwarden-policyd
}

# The hook runs for every start, whichever way it came. Direct is libvirt as it was: without.
measure_starts() {
    local round way ways=(direct hooked proxy alice bob)
    for ((round = 0; round < starts; round++)); do
        for way in "${ways[@]}"; do
            if [[ $way = direct ]]; then on_host mv "$HOOK" /root/hook; fi
            over "$way" start 1 | keep
            if [[ $way = direct ]]; then on_host mv /root/hook "$HOOK"; fi
        done
        ways=("${ways[@]:1}" "${ways[0]}")
    done
}

# Beside the real trail, on the same file system.
measure_trail() {
    local round place=/var/log/virtwarden-bench
    on_host mkdir -p "$place"
    for ((round = 0; round < (rounds + 2) / 3; round++)); do
        on_host trail_bench "$place/$round" "$records" |
            sed 's/^{"writers":\([0-9]*\),/{"way":"trail","measure":"records","size":\1,/' | keep
        on_host virtwarden-bench disk "$place" "$records" | keep
    done
    on_host rm -r "$place"
}
