#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints the path of a sparse that can read the headers of Linux 7.3: 0.6.5, which of Debian's suites the testing one has
# first. Fetched once into ~/.cache/accel; it runs in the root of tests/vm/root.sh. Nothing is installed.
# Exit status 77: not possible here, the reason on standard error.
set -eu
suite=forky
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/sparse-$(cksum < "$0" | cut -d ' ' -f 1)

skip() {
	echo "no sparse for Linux 7.3: $*" >&2
	exit 77
}

# shellcheck source=tests/apt_fetch.sh
. "$(dirname "$0")/apt_fetch.sh"

[ ! -e "$cache/sparse" ] || { echo "$cache/sparse"; exit 0; }
apt_fetch "$cache" $suite sparse
dpkg-deb --fsys-tarfile sparse_*.deb | tar -xO ./usr/bin/sparse > x/sparse
chmod +x x/sparse
mv x "$cache" 2>/dev/null || :	# another run was faster
echo "$cache/sparse"
