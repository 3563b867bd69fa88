#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with the scripts/ of Debian's linux-source-7.3 that say what a kernel developer would, checkpatch.pl
# and kernel-doc, fetched once into ~/.cache/accel. Nothing is installed.
# Exit status 77: not possible here, the reason on standard error.
set -eu
suite=trixie-backports
mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/kernel-scripts-$(cksum < "$0" | cut -d ' ' -f 1)

skip() {
	echo "no checkpatch: $*" >&2
	exit 77
}

[ ! -e "$cache/scripts/checkpatch.pl" ] || { echo "$cache"; exit 0; }
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
apt-get download -qq linux-source-7.3 >&2 || skip "linux-source-7.3 cannot be fetched from $mirror"
dpkg-deb --fsys-tarfile linux-source-7.3_*.deb | tar -xO ./usr/src/linux-source-7.3.tar.xz |
	tar -xJ -C x --strip-components 1 --wildcards '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' '*/tools/docs/kernel-doc' '*/tools/lib/python'
mv x "$cache" 2>/dev/null || :	# another run was faster
echo "$cache"
