#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with the kernel's exported headers of Debian's newest backports kernel (linux-libc-dev: all
# targets), fetched with apt-get into ~/.cache/accel. Nothing is installed, the machine's apt is left alone.
# Exit status 77: it cannot be had here, the reason on standard error.
set -eu

suite=trixie-backports
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/linux-libc-dev

skip() {
	echo "no mainline ethosu_accel.h: $*" >&2
	exit 77
}

# shellcheck source=tests/apt_fetch.sh
. "$(dirname "$0")/apt_fetch.sh"

newest() {
	for dir in "$cache"/7.[3-9]* "$cache"/[89].* "$cache"/[1-9][0-9].*; do
		[ ! -e "$dir/usr/include/drm/ethosu_accel.h" ] || found=$dir
	done
	[ -n "${found-}" ] && echo "$found"
}

newest && exit 0
apt_fetch "$cache/fetch" $suite linux-libc-dev
set -- linux-libc-dev_*.deb
dpkg-deb -x "$1" x
version=$(dpkg-deb -f "$1" Version)
[ -e x/usr/include/drm/ethosu_accel.h ] || skip "linux-libc-dev $version has none"
mv x "$cache/$version" 2>/dev/null || :	# another run was faster
newest
