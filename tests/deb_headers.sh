#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with the kernel's exported headers of Debian's newest backports kernel (linux-libc-dev: all
# targets), fetched with apt-get into ~/.cache/accel. Nothing is installed, the machine's apt is left alone.
# Exit status 77: it cannot be had here, the reason on standard error.
set -eu

suite=trixie-backports
mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/linux-libc-dev

skip() {
	echo "no mainline ethosu_accel.h: $*" >&2
	exit 77
}

newest() {
	for dir in "$cache"/7.[3-9]* "$cache"/[89].* "$cache"/[1-9][0-9].*; do
		[ ! -e "$dir/usr/include/drm/ethosu_accel.h" ] || found=$dir
	done
	[ -n "${found-}" ] && echo "$found"
}

newest && exit 0
command -v apt-get >/dev/null || skip "this is no Debian"
[ -e $keys ] || skip "$keys is not there (debian-archive-keyring)"
mkdir -p "$cache"
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial"
echo "deb [signed-by=$keys] $mirror $suite main" > "$work/sources.list"
cat > "$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "/dev/null";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
APT::Sandbox::User "";
CONF
cd "$work"
APT_CONFIG=$work/apt.conf
export APT_CONFIG
apt-get update -qq >&2 || skip "$mirror $suite cannot be reached"
apt-get download -qq linux-libc-dev >&2 || skip "linux-libc-dev cannot be fetched from $mirror"
set -- linux-libc-dev_*.deb
dpkg-deb -x "$1" x
version=$(dpkg-deb -f "$1" Version)
[ -e x/usr/include/drm/ethosu_accel.h ] || skip "linux-libc-dev $version has none"
mv x "$cache/$version" 2>/dev/null || :	# another run was faster
newest
