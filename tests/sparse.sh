#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the path of a sparse that can read the headers of Linux 7.3: 0.6.5, which of Debian's suites the testing one has
# first. Fetched once into ~/.cache/accel; it runs in the root of tests/vm/root.sh. Nothing is installed.
# Exit status 77: not possible here, the reason on standard error.
set -eu
suite=forky
mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/sparse-$(cksum < "$0" | cut -d ' ' -f 1)

skip() {
	echo "no sparse for Linux 7.3: $*" >&2
	exit 77
}

[ ! -e "$cache/sparse" ] || { echo "$cache/sparse"; exit 0; }
command -v apt-get >/dev/null || skip "this is no Debian"
[ -e $keys ] || skip "$keys is not there (debian-archive-keyring)"
mkdir -p "${cache%/*}"
work=$(mktemp -d "$cache.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/x"
echo "deb [signed-by=$keys] $mirror $suite main" > "$work/apt/sources.list"
cat > "$work/apt/apt.conf" <<CONF
Dir::State "$work/apt/state";
Dir::State::status "/dev/null";
Dir::Cache "$work/apt/cache";
Dir::Etc::sourcelist "$work/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Sandbox::User "";
CONF
APT_CONFIG=$work/apt/apt.conf
export APT_CONFIG
cd "$work"
apt-get update -qq >&2 || skip "$mirror $suite cannot be reached"
apt-get download -qq sparse >&2 || skip "sparse cannot be fetched from $mirror"
dpkg-deb --fsys-tarfile sparse_*.deb | tar -xO ./usr/bin/sparse > x/sparse
chmod +x x/sparse
mv x "$cache" 2>/dev/null || :	# another run was faster
echo "$cache/sparse"
