#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever happens to the packages, people can log in: after every single step alice and bob really do, by ssh with a
# password, by ssh with a key, and by su. And what was there before comes back byte for byte.
# usage: tests/stories/install.sh [DEBIAN]       default: 13; needs target/debian/*virtwarden_*.deb
#        KEEP=1: leave the host up      KILLS=n: kill `enable` and `disable` at every n-th file (default 12)
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/stories/words.sh
source tests/stories/words.sh
begin install "${1:-13}"
kills=${KILLS:-12}

# Runs in the host. One word per way; prints what did not work.
cat > "$scratch/log-in" << 'SCRIPT'
#!/bin/bash
# usage: log-in [WAY...]     default: all
options='-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=60'
by_password() {
    # shellcheck disable=SC2086 # options
    [ "$(timeout 90 sshpass -p "$1-password" ssh $options -o PubkeyAuthentication=no "$1@127.0.0.1" id -un)" = "$1" ]
}
by_key() {
    # shellcheck disable=SC2086 # options
    [ "$(timeout 90 ssh $options -o BatchMode=yes "$1@127.0.0.1" id -un)" = "$1" ]
}
by_su() {
    local from=alice
    [ "$1" = bob ] || from=bob
    # shellcheck disable=SC2016 # expect's
    PERSON=$1 timeout 90 runuser -u "$from" -- expect -c 'set timeout 60
        spawn su - $env(PERSON) -c "id -un > /tmp/su.$env(PERSON)"
        expect "assword:" { send "$env(PERSON)-password\r" }
        expect eof' > /dev/null
    [ "$(cat "/tmp/su.$1" 2> /dev/null)" = "$1" ] && rm "/tmp/su.$1"
}
status=0
for way in "${@:-by_password by_key by_su}"; do
    for each in $way; do
        for person in alice bob; do
            "$each" "$person" || { echo "$person cannot log in: $each"; status=1; }
        done
    done
done
exit $status
SCRIPT

can_log_in() { works "alice and bob log in by password, key and su: $1" root "/usr/local/bin/log-in"; }
enable() { root "virtwarden enable --yes --admin alice"; }
disable() { root "virtwarden disable --yes"; }

# Not all that words.sh looks at: owners, modes and contents of everything that decides about logins.
picture() {
    # shellcheck disable=SC2016 # for the host's shell
    root 'cd /; find etc/pam.d var/lib/pam etc/ssh etc/security etc/issue* -printf "%y %m %U %G %p %l\n" | sort
        find etc/pam.d var/lib/pam etc/ssh etc/security etc/issue* -type f -exec sha256sum {} + | sort -k2' > "$scratch/$1"
}
same() {
    picture now
    works "$1" diff "$scratch/$2" "$scratch/now"
}
install_debs() { root "DEBIAN_FRONTEND=noninteractive dpkg $1"; }

"$testhost" up "$host" --debian "$debian"
"$testhost" put "$host" "$scratch/log-in" /usr/local/bin/log-in
root "chmod 755 /usr/local/bin/log-in; mkdir /root/debs"
for deb in target/debian/*virtwarden_*.deb; do "$testhost" put "$host" "$deb" /root/debs/; done

story "A stock Debian"
can_log_in "before"
picture stock

story "The packages arrive"
works "unpacked" install_debs "--unpack /root/debs/*.deb"
can_log_in "unpacked"
works "configured" install_debs "--configure -a"
can_log_in "configured, not enabled"
fails "no login stack names the module" root "grep -r '^[^#]*pam_virtwarden' /etc/pam.d/common-*"
picture installed

story "Login stacks that somebody edited by hand are left alone, and named"
root "sed -i 's/^auth.*pam_unix.so.*/&\nauth optional pam_debug.so/; s/success=1/success=2/' /etc/pam.d/common-auth"
picture edited
can_log_in "edited by hand"
fails "enable refuses" enable
says "names the file and the line" "/etc/pam.d/common-auth: \`auth requisite pam_virtwarden.so begin\`"
says "and how pam-auth-update would take over" "pam-auth-update --force"
same "nothing has changed" edited
root "cp -a /etc/pam.d /root/pam.d
    cd /etc/pam.d
    sed -i '0,/^auth/s//auth requisite pam_virtwarden.so begin\n&/; s/success=2/success=3/
        s/^auth.*pam_deny.so/auth [default=die] pam_virtwarden.so failed\n&/' common-auth
    echo 'auth required pam_virtwarden.so passed' >> common-auth
    echo 'account required pam_virtwarden.so' >> common-account
    echo 'session optional pam_virtwarden.so' | tee -a common-session >> common-session-noninteractive
    printf 'password %s pam_virtwarden.so %s\n' required wanted optional done >> common-password"
works "with the lines in them, enable goes on" enable
can_log_in "enabled on stacks edited by hand"
works "doctor finds no problem" root "virtwarden doctor"
says "but says that they are kept by hand" "edited by hand"
fails "disable does not pull the monitor away from under them" disable
says "and names the lines" "/etc/pam.d/common-auth: auth \[default=die\] pam_virtwarden.so failed"
can_log_in "disable refused"
root "rm -r /etc/pam.d; mv /root/pam.d /etc/pam.d"
works "without the lines, disable goes on" disable
same "the stacks are as they were edited" edited
can_log_in "given back"
root "sed -i '/pam_debug/d; s/success=2/success=1/' /etc/pam.d/common-auth"
same "and, unedited, as they were installed" installed

story "Enabled"
works "enable" enable
can_log_in "enabled"
works "doctor is content" root "virtwarden doctor"
works "all stacks ask the module" root "cd /etc/pam.d; for i in auth account password session session-noninteractive; do grep pam_virtwarden common-\$i || exit 1; done"
root "systemctl kill --signal=KILL virtwarden-policyd.service"
can_log_in "the monitor was killed"
root "systemctl stop virtwarden-login.socket virtwarden-policyd.service"
works "the monitor is away: by key and by su, at the host itself, logins go on" root "log-in by_key by_su"
fails "by password over the network they do not" root "log-in by_password"
works "enable repairs it" enable
can_log_in "repaired"

story "An upgrade"
works "the next version is unpacked over the one in service" install_debs "--unpack /root/debs/*.deb"
can_log_in "unpacked"
works "configured" install_debs "--configure -a"
can_log_in "upgraded"
works "doctor is content" root "virtwarden doctor"

story "An upgrade from a version that knew nothing of logins"
older() { # What such a version would have left in service.
    root "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove virtwarden virtwarden-failed virtwarden-passed
        cd /etc/systemd/system/sockets.target.wants
        systemctl stop virtwarden-login.socket virtwarden-settingsd.socket virtwarden-elevate.socket
        rm virtwarden-login.socket virtwarden-settingsd.socket virtwarden-elevate.socket" > "$scratch/said" 2>&1
}
works "the host is without" older
can_log_in "without"
works "the next version is unpacked" install_debs "--unpack /root/debs/*.deb"
can_log_in "unpacked"
works "configured" install_debs "--configure -a"
can_log_in "upgraded"
works "doctor is content" root "virtwarden doctor"
says "logins lead past the monitor now" "every login leads past the monitor"
works "alice is Administrator in what she logs in to" root "ssh -o BatchMode=yes -o StrictHostKeyChecking=no alice@127.0.0.1 virtwarden whoami"
says "by her key" "administrator"
older
root "sed -i 's/^auth.*pam_unix.so.*/&\nauth optional pam_debug.so/; s/success=1/success=2/' /etc/pam.d/common-auth"
works "where the stacks were edited by hand, the packages are installed all the same" install_debs "--install /root/debs/*.deb"
says "and name the lines" "/etc/pam.d/common-auth: \`auth requisite pam_virtwarden.so begin\`"
says "and what to run then" "\"virtwarden enable\" tries again"
can_log_in "upgraded, with stacks edited by hand"
root "sed -i '/pam_debug/d; s/success=2/success=1/' /etc/pam.d/common-auth"
works "unedited, enable goes on" enable
can_log_in "enabled"

story "A package that brings a profile of its own, meanwhile"
root "printf 'Name: Site\nDefault: yes\nPriority: 64\nAuth-Type: Primary\nAuth:\n\t[success=end default=ignore] pam_localuser.so\nSession-Type: Additional\nSession:\n\toptional pam_debug.so\n' > /usr/share/pam-configs/site
    sed -i 's/pam_localuser.so/pam_deny.so/' /usr/share/pam-configs/site
    DEBIAN_FRONTEND=noninteractive pam-auth-update --package"
can_log_in "with it"
works "doctor is content" root "virtwarden doctor"
works "disable" disable
can_log_in "given back with it"
works "its lines stay" root "grep -q pam_debug /etc/pam.d/common-session && grep -q site /var/lib/pam/seen"
fails "ours do not" root "grep -rl virtwarden /etc/pam.d/common-* /var/lib/pam"
root "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove site; rm /usr/share/pam-configs/site
    sed -i /site/d /var/lib/pam/seen"
works "pam-auth-update has noted our profiles, as all that it finds" root "grep -qx virtwarden /var/lib/pam/seen"
works "the module's package goes while it is switched off" install_debs "--force-depends --remove libpam-virtwarden"
same "and with it the note, so that the host is as it was installed" installed
works "it comes back" install_debs "--install /root/debs/libpam-*.deb"
same "and the host is as it was installed" installed

story "Killed at any step"
killed() { # STEP COMMAND: kills the command when it puts its STEP-th file in place; fails when it came through
    ! root "strace -qq -o /dev/null -e trace=/^rename -e inject=/^rename:signal=KILL:when=$1 virtwarden $2 > /dev/null 2>&1"
}
for ((step = 1; ; step += kills)); do
    killed "$step" "enable --yes --admin alice" || break
    root "log-in" > "$scratch/said" 2>&1 || shown "logins after enable was killed at step $step"
    disable > "$scratch/said" 2>&1 || shown "disable after step $step"
    picture now
    diff "$scratch/installed" "$scratch/now" > "$scratch/said" || shown "a trace of step $step"
done
holds "enable, at every ${kills}th of $step files: logins work, and disable restores the host"
for ((step = 1; ; step += kills)); do
    enable > "$scratch/said" 2>&1 || shown "enable before step $step"
    killed "$step" "disable --yes" || break
    root "log-in by_key by_su" > "$scratch/said" 2>&1 || shown "logins after disable was killed at step $step"
    disable > "$scratch/said" 2>&1 || shown "disable after step $step"
    root "log-in" > "$scratch/said" 2>&1 || shown "logins after disable was finished at step $step"
    picture now
    diff "$scratch/installed" "$scratch/now" > "$scratch/said" || shown "a trace of step $step"
done
holds "disable, at every ${kills}th of $step files"

story "Rescue: root gets a host back that lets nobody in"
works "enabled" enable
root "mv /usr/lib/*/security/pam_virtwarden.so /root/"
fails "without the module nobody logs in by password" root "log-in by_password"
fails "doctor says why" root "virtwarden doctor"
says "with what to do" "apt install --reinstall libpam-virtwarden"
works "root, from the shell of the rescue target, gives up Virtwarden" disable
can_log_in "rescued"
works "enabled" root "mv /root/pam_virtwarden.so /usr/lib/x86_64-linux-gnu/security/ && virtwarden enable --yes --admin alice"
root "mv /usr/bin/virtwarden /root/; mv /usr/lib/x86_64-linux-gnu/security/pam_virtwarden.so /root/"
works "without virtwarden itself, by pam-auth-update" root "DEBIAN_FRONTEND=noninteractive pam-auth-update --package --remove virtwarden virtwarden-failed virtwarden-passed"
can_log_in "rescued"
root "mv /root/virtwarden /usr/bin/; mv /root/pam_virtwarden.so /usr/lib/x86_64-linux-gnu/security/"
works "enable puts it right" enable
can_log_in "enabled again"

story "The packages go"
works "the module's package, alone and by force" install_debs "--force-depends --remove libpam-virtwarden"
can_log_in "without the module"
works "it comes back" install_debs "--install /root/debs/*.deb"
works "enabled" enable
can_log_in "enabled again"
works "removed while enabled" root "DEBIAN_FRONTEND=noninteractive apt-get -qq remove virtwarden libpam-virtwarden"
can_log_in "removed"
works "purged" root "DEBIAN_FRONTEND=noninteractive apt-get -qq purge virtwarden libpam-virtwarden"
can_log_in "purged"
same "all that decides about logins is as on the stock Debian, byte for byte" stock

story "all true on Debian $debian"
