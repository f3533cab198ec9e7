# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The stock host, before Virtwarden: libvirt alone, and libvirt with its own access control and a rule that allows all.

# Set by run:
: "${sizes:?}" "${rounds:?}" "${reads:?}" "${seconds:?}" "${starts:?}"

measure_stock() {
    local size defined=0
    define_start_vm
    for size in "${sizes[@]}"; do
        define_vms "$defined" "$size"
        defined=$size
        rounds "$rounds" "list:$size" "$(lists_of "$size")" direct-before person
        if [[ $size = "${sizes[0]}" ]]; then measure_stock_calls; fi
        polkit_on
        rounds 1 "list:$size" "$(((rounds + 3) / 6))" polkit
        if [[ $size = "${sizes[0]}" ]]; then measure_polkit_calls; fi
        polkit_off
    done
}

measure_stock_calls() {
    rounds "$rounds" read "$reads" direct-before person
    rounds "$rounds" connect 40 direct-before person
    rounds "$(((starts + 1) / 2))" start 1 direct-before
    measure_throughput direct-before
}

measure_polkit_calls() {
    rounds "$rounds" read 100 polkit
    rounds "$rounds" connect 5 polkit
    rounds "$(((starts + 3) / 4))" start 1 polkit
    measure_throughput polkit
}

measure_throughput() { # WAY...
    local connections
    for connections in 1 8 64; do
        rounds "$(((rounds + 2) / 3))" "throughput:$connections" "$seconds" "$@"
    done
}

polkit_on() {
    on_host bash -s << 'END'
cp -a /etc/libvirt/libvirtd.conf /root/libvirtd.conf
echo 'access_drivers = [ "polkit" ]' >> /etc/libvirt/libvirtd.conf
cat > /etc/polkit-1/rules.d/10-bench.rules << RULE
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("org.libvirt.") == 0) return polkit.Result.YES;
});
RULE
systemctl restart polkit libvirtd
END
}

polkit_off() {
    on_host bash -s << 'END'
cp -a /root/libvirtd.conf /etc/libvirt/libvirtd.conf
rm /etc/polkit-1/rules.d/10-bench.rules
systemctl restart polkit libvirtd
END
}
