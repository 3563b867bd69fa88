#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with the scripts/ of Debian's linux-source-7.3 that say what a kernel developer would, checkpatch.pl
# and kernel-doc, fetched once into ~/.cache/accel. Nothing is installed.
# Exit status 77: not possible here, the reason on standard error.
set -eu
suite=trixie-backports
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/kernel-scripts-$(cksum < "$0" | cut -d ' ' -f 1)

skip() {
	echo "no checkpatch: $*" >&2
	exit 77
}

# shellcheck source=tests/apt_fetch.sh
. "$(dirname "$0")/apt_fetch.sh"

[ ! -e "$cache/scripts/checkpatch.pl" ] || { echo "$cache"; exit 0; }
apt_fetch "$cache" $suite linux-source-7.3
dpkg-deb --fsys-tarfile linux-source-7.3_*.deb | tar -xO ./usr/src/linux-source-7.3.tar.xz |
	tar -xJ -C x --strip-components 1 --wildcards '*/scripts/checkpatch.pl' '*/scripts/spelling.txt' \
		'*/scripts/const_structs.checkpatch' '*/scripts/kernel-doc' '*/tools/docs/kernel-doc' '*/tools/lib/python'
mv x "$cache" 2>/dev/null || :	# another run was faster
echo "$cache"
