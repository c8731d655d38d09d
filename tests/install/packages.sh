#!/bin/sh
# SPDX-License-Identifier: MIT
# The life of the packages in a Debian made for it: install, use, upgrade, remove, install again, purge. As root:
#
#     packages.sh FOLDER      where the two .debs are; the Debian is kept there too, for the next time
set -eu

work=$(CDPATH='' cd -- "$1" && pwd)
base=$work/debian-12.tar
root=$work/root
state=$root/var/lib/anchorage
conf=$root/etc/anchorage/anchorage.conf

say() {
    printf '%s\n' "packages: $*" >&2
}

die() {
    say "$*"
    exit 1
}

check() {
    what=$1
    shift
    "$@" || die "not so: $what"
}

absent() {
    [ ! -e "$1" ]
}

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/ "$@"
}

daemon=
sandbox=

# The shell that waits for a program in the background has it as its only child.
kill_child() {
    # shellcheck disable=SC2046
    kill $(cat "/proc/$1/task/$1/children")
}

end() {
    for pid in $daemon $sandbox; do
        kill_child "$pid" 2>/dev/null || true
    done
    umount "$root/proc" 2>/dev/null || true
    rm -rf "$root"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

make_debian() {
    rm -rf "$root"
    mkdir -p "$root"
    if [ ! -f "$base" ]; then
        say "making a Debian 12"
        debootstrap --variant=minbase --include=ca-certificates,curl bookworm "$root" >"$work/debootstrap.log" 2>&1 ||
            die "debootstrap failed; see $work/debootstrap.log"
        tar -C "$root" -cf "$base.new" .
        mv "$base.new" "$base"
    else
        tar -C "$root" -xf "$base"
    fi
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    mount -t proc proc "$root/proc"
    cp "$work"/anchorage_*.deb "$root/srv/anchorage.deb"
    cp "$work"/anchorage-sandbox_*.deb "$root/srv/sandbox.deb"
    inside apt-get update -qq
}

# The same package once more, with a higher version and another comment in its configuration file.
make_upgrade() {
    rm -rf "$work/next"
    dpkg-deb -R "$work"/anchorage_*.deb "$work/next"
    sed -i 's/^Version: .*/&+next/' "$work/next/DEBIAN/control"
    printf '; a line of the next version\n' >>"$work/next/etc/anchorage/anchorage.conf"
    dpkg-deb --root-owner-group -b "$work/next" "$root/srv/next.deb" >/dev/null
    rm -rf "$work/next"
}

owner_of() {
    inside stat -c '%U:%G %a' "$1"
}

configure() {
    printf 'sandbox-key\n' >"$root/etc/anchorage/v3.key"
    chmod 0600 "$root/etc/anchorage/v3.key"
    # What systemd would do: LoadCredential=.
    mkdir -p "$root/run/credentials"
    cp "$root/etc/anchorage/v3.key" "$root/run/credentials/v3.key"
    inside chown -R anchorage "/run/credentials"
    sed -i -e "s|^;listen = .*|listen = 127.0.0.1:0|" -e "s|^;admin = .*|admin =|" \
        -e "s|^;url = .*|url = http://127.0.0.1:$sandbox_port/v3|" -e '$a [team seo]' "$conf"
}

start() {
    : >"$work/serve.log"
    inside setpriv --reuid anchorage --regid anchorage --init-groups \
        env CREDENTIALS_DIRECTORY=/run/credentials anchorage serve 2>>"$work/serve.log" &
    daemon=$!
    tries=0
    until grep -q '^anchorage: ready' "$work/serve.log"; do
        tries=$((tries + 1))
        if ! kill -0 "$daemon" 2>/dev/null || [ $tries -gt 100 ]; then
            cat "$work/serve.log" >&2
            die "the daemon does not start"
        fi
        sleep 0.1
    done
    address=$(sed -n 's/^anchorage: listening on //p' "$work/serve.log")
}

stop() {
    kill_child "$daemon"
    wait "$daemon" || die "the daemon did not end with 0"
    daemon=
}

use() {
    start
    answer=$(curl -sS --noproxy '*' "http://$address/?from=anchors&target=example.com&mode=domain&limit=2&output=json&token=$token")
    case $answer in
    '{"anchors":[{"anchor":'*) ;;
    *) die "no answer: $answer" ;;
    esac
    stop
}

make_debian
make_upgrade

say "install"
inside apt-get install -y -qq --no-install-recommends /srv/anchorage.deb /srv/sandbox.deb >"$work/apt.log" 2>&1 ||
    die "apt-get failed; see $work/apt.log"
check "the user is there" inside getent passwd anchorage
check "the service is enabled" test -L "$root/etc/systemd/system/multi-user.target.wants/anchorage.service"
check "the socket is not" absent "$root/etc/systemd/system/sockets.target.wants/anchorage.socket"
check "the state belongs to the user" test "$(owner_of /var/lib/anchorage)" = "anchorage:anchorage 750"
check "the programs run" inside anchorage version
check "an untouched configuration is refused, with its line" sh -c "! chroot '$root' anchorage check 2>'$work/check.log'"
check "it names the line" grep -q 'anchorage.conf:[0-9]*: units_per_month' "$work/check.log"

say "use"
inside anchorage-sandbox --listen 127.0.0.1:0 --port-file /srv/port >/dev/null 2>&1 &
sandbox=$!
until [ -s "$root/srv/port" ]; do sleep 0.1; done
sandbox_port=$(cat "$root/srv/port")
configure
token=0123456789abcdef0123456789abcdef01234567
printf '%s\n' "$token" | inside anchorage key add --team seo --token - >/dev/null
check "what root wrote belongs to the user" test -z "$(inside find /var/lib/anchorage ! -user anchorage)"
use

say "upgrade"
inside apt-get install -y -qq -o Dpkg::Options::=--force-confold /srv/next.deb >>"$work/apt.log" 2>&1 || die "the upgrade failed"
check "the changed configuration is kept" grep -q '^\[team seo\]' "$conf"
check "the new one lies beside it" test -f "$conf.dpkg-dist"
use

say "remove"
inside apt-get remove -y -qq anchorage >>"$work/apt.log" 2>&1 || die "removing failed"
check "the program is gone" absent "$root/usr/bin/anchorage"
check "the unit is gone" absent "$root/lib/systemd/system/anchorage.service"
check "the books stay" test -n "$(ls "$state")"
check "the configuration stays" test -f "$conf"
check "the key stays" test -f "$root/etc/anchorage/v3.key"

say "install again"
inside apt-get install -y -qq /srv/next.deb >>"$work/apt.log" 2>&1 || die "installing again failed"
use
check "the books go on" test "$(inside anchorage usage --format csv | grep -c '^seo,3,')" = 1

say "purge"
inside apt-get purge -y -qq anchorage anchorage-sandbox >>"$work/apt.log" 2>&1 || die "purging failed"
for gone in "$state" "$root/etc/anchorage" "$root/etc/systemd/system/multi-user.target.wants/anchorage.service" \
    "$root/usr/share/doc/anchorage" "$root/usr/bin/anchorage-sandbox"; do
    check "$gone is gone" absent "$gone"
done
say "installed, used, upgraded, removed, installed again and purged"
