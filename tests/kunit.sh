#!/bin/sh
# SPDX-License-Identifier: MIT
# KUnit suites of the driver, driver/kunit_*.c, in User-Mode Linux built with KASAN, UBSAN and lockdep.
#
# usage: kunit.sh OUT_DIR
#
# The kernel is Debian's linux-source; KUNIT_SOURCE names another .tar.xz of it. What is built is kept in
# ~/.cache/accel. Status 77: no source to be had, or User-Mode Linux is not for this machine.
set -eu

out=$1
package=linux-source-6.12
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel
log=$out/kunit.log

# What User-Mode Linux needs beside tinyconfig; PCI is for emulated registers and DMA. Alignment is not looked at: 6.12 itself is careless with it.
config='CONFIG_64BIT=y
CONFIG_MODULES=y
CONFIG_PRINTK=y
CONFIG_PROC_FS=y
CONFIG_SYSFS=y
# CONFIG_SLUB_TINY is not set
# CONFIG_STATIC_LINK is not set
CONFIG_KUNIT=y
CONFIG_DEBUG_KERNEL=y
CONFIG_KASAN=y
CONFIG_UBSAN=y
# CONFIG_UBSAN_ALIGNMENT is not set
CONFIG_PROVE_LOCKING=y
CONFIG_DEBUG_ATOMIC_SLEEP=y
CONFIG_VIRTIO_UML=y
CONFIG_PCI=y
CONFIG_UML_PCI_OVER_VIRTIO=y
CONFIG_UML_PCI_OVER_VIRTIO_DEVICE_ID=1234
CONFIG_HIGH_RES_TIMERS=y
CONFIG_SHMEM=y
CONFIG_TMPFS=y
CONFIG_SYNC_FILE=y
CONFIG_DRM=y
CONFIG_DRM_ACCEL=y
CONFIG_PM=y
CONFIG_SUSPEND=y'

skip()
{
	echo "SKIP: kunit: $*"
	exit 77
}

# Prints the archive, fetched if it is not there.
source_archive()
{
	if [ -n "${KUNIT_SOURCE:-}" ]; then
		echo "$KUNIT_SOURCE"
		return
	fi
	if [ ! -e "$cache/kunit/$package.tar.xz" ]; then
		rm -rf "$cache/kunit/fetch"
		mkdir -p "$cache/kunit/fetch"
		(cd "$cache/kunit/fetch" && apt-get -q download "$package" > fetch.log 2>&1) || return 0
		dpkg-deb --fsys-tarfile "$cache/kunit/fetch/$package"_*.deb |
			tar x -C "$cache/kunit/fetch" "./usr/src/$package.tar.xz"
		mv "$cache/kunit/fetch/usr/src/$package.tar.xz" "$cache/kunit/"
		rm -rf "$cache/kunit/fetch"
	fi
	echo "$cache/kunit/$package.tar.xz"
}

um()
{
	make -s -C "$dir/src" ARCH=um SUBARCH=x86_64 O="$dir/out" "$@" >> "$log" 2>&1 ||
		{ tail -20 "$log"; exit 1; }
}

unpack()
{
	rm -rf "$dir/src" "$dir/out"
	mkdir -p "$dir/src"
	tar xf "$archive" -C "$dir/src" --strip-components=1 --exclude='*/Documentation/*' \
		--exclude='*/drivers/gpu/drm/amd/include/*' --exclude='*/arch/arm*/boot/dts/*'
	mkdir -p "$dir/src/Documentation"
	printf 'config ETHOSU_KUNIT\n\tdef_bool y\n\tselect GENERIC_ALLOCATOR\n' > "$dir/src/Documentation/Kconfig"
	echo 'obj-y += ethosu/' >> "$dir/src/lib/Makefile"
	mkdir -p "$dir/src/lib/ethosu"
	touch "$dir/src/lib/ethosu/Makefile"
	um tinyconfig
	echo "$config" >> "$dir/out/.config"
	um olddefconfig
	lacking=$(echo "$config" | grep -v '^#' | grep -vxFf "$dir/out/.config" || true)
	[ -z "$lacking" ] || { echo "FAIL: kunit: this kernel has not" $lacking; exit 1; }
}

# Replace a file if it is another, so that make sees what changed.
put()
{
	mkdir -p "$(dirname "$2")"
	cmp -s "$1" "$2" || cp "$1" "$2"
}

copy_sources()
{
	to=$dir/src/lib/ethosu
	for file in driver/*.[ch] uapi/*.h tests/validate_rules.h tests/validate_cmds.h; do
		put "$file" "$to/$file"
	done
	sh driver/probe-kernel.sh "$dir/src" "$dir/out" > "$out/ethosu_features.h"
	put "$out/ethosu_features.h" "$to/driver/ethosu_features.h"
	{
		echo "ccflags-y := -I\$(src) -I\$(src)/uapi -I\$(src)/driver"
		for file in driver/kunit_*.c driver/fake_*.c driver/ethosu_*.c; do
			[ "$file" = driver/ethosu_pci.c ] || echo "obj-y += ${file%.c}.o"
		done
	} > "$out/kunit.Makefile"
	put "$out/kunit.Makefile" "$to/Makefile"
}

[ "$(uname -m)" = x86_64 ] || skip "User-Mode Linux is for x86-64"
mkdir -p "$out"
: > "$log"
archive=$(source_archive)
[ -n "$archive" ] || skip "$package can not be fetched"
dir=$cache/kunit/$(echo "$(basename "$archive") $config $(gcc -dumpfullversion)" | cksum | cut -d' ' -f1)
mkdir -p "$dir"
# Several work trees may share the cache.
exec 9> "$dir/lock"
flock 9
started=$(date +%s)
[ -e "$dir/unpacked" ] || { unpack; touch "$dir/unpacked"; }
copy_sources
um -j"$(nproc)" vmlinux
timeout 300 "$dir/out/vmlinux" mem=256M uml_dir="$dir" kunit_shutdown=halt > "$out/kunit.ktap" 2>&1 || true
grep -E '^ *(not )?ok ' "$out/kunit.ktap" || true
if grep -qE '^ *not ok|BUG:|WARNING:|KASAN|UBSAN' "$out/kunit.ktap"; then
	grep -E -A20 'not ok|BUG:|WARNING:|KASAN:|UBSAN:' "$out/kunit.ktap"
	echo "FAIL: kunit: see $out/kunit.ktap"
	exit 1
fi
suites=$(ls driver/kunit_*.c | wc -l)
passed=$(grep -cE '^ok [0-9]+ ethosu_' "$out/kunit.ktap" || true)
echo "kunit: $passed of $suites suites passed, $(basename "$archive"), $(($(date +%s) - started)) s"
[ "$passed" = "$suites" ]
