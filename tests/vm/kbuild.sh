#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds kernel modules with Debian's headers and compiler, inside the folder that root.sh made; for the kernel of
# debug_kernel.sh with this machine's compiler, as that was.
# usage: kbuild.sh 6.12|7.3|debug OUT MODULES [OTHER...]
#        kbuild.sh -n		only find out whether it is possible
# MODULES and OTHERs are folders; side by side under their own names MODULES/Kbuild finds the others. Its *.ko go to OUT.
# $KBUILD_ARGS go to make.
# Exit status 77: not possible here, the reason on standard error.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$("$here/root.sh")
root=$cache/root

# The compiler wants /dev/null, objtool /proc. Nothing else of this machine is mounted there, and this in a namespace
# that ends with the build.
inside() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --map-root-user --mount sh -c \
		'mount --bind /dev/null "$0/dev/null" && mount --rbind /proc "$0/proc" && exec chroot "$0" "$@"' \
		"$root" "$@"
}

if ! inside /usr/bin/true; then
	echo "no kernel modules: this user can make no namespace to build them in (in a container or a chroot?)" >&2
	exit 77
fi
[ "$1" != -n ] || exit 0
series=$1 out=$2 modules=$(basename "$3")
shift 2
if [ "$series" = debug ]; then
	debug=$("$here/debug_kernel.sh")
	stage=$(mktemp -d)
	trap 'rm -rf "$stage"' EXIT
	trap 'exit 1' HUP INT TERM
	for dir; do cp -r "$dir" "$stage"; done
	make -s -C "$debug/build" M="$stage/$modules" -j"$(nproc)" ${KBUILD_ARGS-} modules
	mkdir -p "$out"
	cp "$stage/$modules"/*.ko "$out"
	exit
fi
version=$(readlink "$cache/modules/$series")
stage=$(mktemp -d "$root/build.XXXXXX")
trap 'rm -rf --one-file-system "$stage"' EXIT
trap 'exit 1' HUP INT TERM
for dir; do cp -r "$dir" "$stage"; done

inside /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/ /usr/bin/make -s -C "/usr/src/linux-headers-$version" \
	M="/${stage##*/}/$modules" CC=gcc-14 -j"$(nproc)" ${KBUILD_ARGS-} modules
mkdir -p "$out"
cp "$stage/$modules"/*.ko "$out"
