#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian packages: built, looked at, installed and removed.
#
#	packages.sh build DIR		build into DIR from what git has, check what is in them; no root needed
#	packages.sh install SUITE DIR	as root: build, install and purge them in a fresh Debian of that suite made in
#					DIR, with kernels coming, going and failing
# Exit status 77: cannot be done here, the reason on standard error.
# shellcheck disable=SC2086,SC2016 # lists of words; text for an inner shell
set -eu

mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
security=${ACCEL_DEBIAN_SECURITY:-http://deb.debian.org/debian-security}
top=$(cd "$(dirname "$0")/.." && pwd)
version=$(dpkg-parsechangelog -l"$top/debian/changelog" -S Version 2>/dev/null || echo 0.1.0)

say() {
	echo "packages: $*"
}

die() {
	echo "packages: $*" >&2
	exit 1
}

skip() {
	echo "packages: $*" >&2
	exit 77
}

# The tree as git has it, committed or not, without build folders.
copy_source() {
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$top" && git ls-files -z --cached --others --exclude-standard | tar -cf - --null -T - 2>/dev/null) |
		tar -xf - -C "$1"
}

# holds PACKAGE PATH...: files, links and folders that must be in it
holds() {
	package=$1
	shift
	dpkg-deb -c "$package" | awk '{ print $6 }' > "$package.list"
	for path; do
		grep -qx "\./$path" "$package.list" || die "${package##*/} lacks $path"
	done
}

check_contents() {
	arch=$(dpkg --print-architecture)
	triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
	holds "$1/accel-dkms_${version}_all.deb" "usr/src/accel-$version/dkms.conf" \
		"usr/src/accel-$version/driver/Kbuild" "usr/src/accel-$version/uapi/ethosu_accel.h" \
		usr/lib/accel/build-modules etc/kernel/postinst.d/accel-dkms etc/kernel/header_postinst.d/accel-dkms
	holds "$1/libaccel0_${version}_$arch.deb" "usr/lib/$triplet/libaccel.so.0"
	holds "$1/libaccel-dev_${version}_$arch.deb" usr/include/accel/accel.h usr/include/accel/ethosu_accel.h \
		"usr/lib/$triplet/libaccel.so" "usr/lib/$triplet/pkgconfig/libaccel.pc" \
		usr/share/man/man3/accel_fence_wait.3.gz usr/share/man/man7/accel.7.gz \
		usr/share/doc/libaccel-dev/examples/devices.c
	holds "$1/accel-tools_${version}_$arch.deb" usr/bin/accel usr/bin/accel-sim \
		usr/lib/udev/rules.d/60-accel.rules usr/lib/modprobe.d/accel.conf usr/lib/sysusers.d/accel.conf \
		usr/share/bash-completion/completions/accel usr/share/man/man1/accel.1.gz
	# Every source that Kbuild or another source names is there.
	mkdir -p "$1/dkms"
	dpkg-deb -x "$1/accel-dkms_${version}_all.deb" "$1/dkms"
	for source in "$top"/driver/*.[ch] "$top"/uapi/*.h; do
		cmp -s "$source" "$1/dkms/usr/src/accel-$version/${source#"$top/"}" ||
			die "accel-dkms lacks ${source#"$top/"}"
	done
	! grep -r '@VERSION@' "$1/dkms" || die "@VERSION@ was left in accel-dkms"
}

check_lintian() {
	command -v lintian >/dev/null || { say "SKIP lintian: it is not installed"; return; }
	lintian --fail-on error --suppress-tags bad-distribution-in-changes-file "$1"/*.changes > "$1/lintian.log" 2>&1 ||
		{ cat "$1/lintian.log"; die "lintian complains"; }
	# Warnings differ from one lintian to the next: seen, not fatal.
	grep '^W:' "$1/lintian.log" || :
}

# What the maintainer's scripts call, with a dkms that fails in every way: they succeed, and say what is wrong.
check_failing_dkms() {
	fake=$1/fake
	mkdir -p "$fake"
	for fails in add install status remove; do
		cat > "$fake/dkms" <<-SCRIPT
			#!/bin/sh
			[ "\$1" != $fails ]
		SCRIPT
		chmod +x "$fake/dkms"
		PATH=$fake:$PATH sh "$1/dkms/usr/lib/accel/build-modules" > "$fake/out" 2>&1 ||
			{ cat "$fake/out"; die "build-modules fails where 'dkms $fails' does"; }
		PATH=$fake:$PATH sh "$1/dkms/usr/lib/accel/build-modules" no-such-kernel > "$fake/out" 2>&1 ||
			die "build-modules fails for a kernel that is not there"
	done
	rm -rf "$fake"
}

build() {
	for tool in dpkg-buildpackage dh git; do
		command -v $tool >/dev/null || skip "$tool is not installed"
	done
	git -C "$top" rev-parse --git-dir > /dev/null 2>&1 || skip "git does not take $top for a repository of this user"
	rm -rf "$1"
	copy_source "$1/accel"
	(cd "$1/accel" && DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -b -us -uc -d) > "$1/build.log" 2>&1 ||
		{ tail -30 "$1/build.log"; die "dpkg-buildpackage failed"; }
	sed -n 's/^dh_missing: warning: \(.*\) exists in .*/packages: no package has \1/p' "$1/build.log"
	check_contents "$1"
	check_lintian "$1"
	check_failing_dkms "$1"
	say "built and looked at: $(cd "$1" && echo *_"$version"_*.deb)"
}

# ---- a Debian of its own ----

# INITRD: no kernel will boot there, and initial file systems take long to make.
in_root() {
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
		INITRD=No DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-parallel=2}" "$@"
}

apt() {
	in_root apt-get -qq -y -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root --no-install-recommends "$@" >> "$log" 2>&1 ||
		{ tail -30 "$log"; die "apt-get $* failed in $suite"; }
}

make_root() {
	tar=${XDG_CACHE_HOME:-$HOME/.cache}/accel/root-$suite-$(date +%Y%m).tar
	remove_root
	mkdir -p "$root" "${tar%/*}"
	if [ ! -e "$tar" ]; then
		say "$suite: debootstrap"
		debootstrap --variant=minbase --include=ca-certificates,kmod,xz-utils "$suite" "$root" "$mirror" >> "$log" 2>&1 ||
			skip "debootstrap of $suite failed, see $log"
		tar -cf "$tar.new" -C "$root" .
		mv "$tar.new" "$tar"
	else
		tar -xf "$tar" -C "$root"
	fi
	# Its /dev is its own, as debootstrap made it.
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	cat > "$root/etc/apt/sources.list" <<-LIST
		deb $mirror $suite main
		deb $mirror $suite-backports main
		deb $security $suite-security main
	LIST
	printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || :
	[ ! -e /etc/apt/apt.conf.d/proxy ] || cp /etc/apt/apt.conf.d/proxy "$root/etc/apt/apt.conf.d/"
	apt update
}

unmount() {
	for dir in sys proc; do
		! mountpoint -q "$root/$dir" || umount "$root/$dir" || umount -l "$root/$dir"
	done
}

# Nothing that is mounted there goes along.
remove_root() {
	unmount
	! grep -q " $root/" /proc/mounts || die "$root has something mounted in it: umount it first"
	rm -rf --one-file-system "$root"
}

# What there is but for what apt and dpkg keep for themselves.
snapshot() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./run \
		-o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log -o -path ./src \
		-o -name modules.\* -o -name ld.so.cache \) -prune -o -print) | sort
}

# What is in list $2 and not in list $1, is no file of a package that is installed, and has to do with us.
leftovers() {
	cat "$root"/var/lib/dpkg/info/*.list | sed -E 's#^/(lib|bin|sbin)(/|$)#/usr/\1\2#; s#^#.#' | sort -u > "$2.owned"
	comm -13 "$1" "$2" | grep -iE 'accel|ethosu' | comm -23 - "$2.owned"
}

# The modules for kernel $1 are installed, and of that kernel.
has_modules() {
	for module in ethosu ethosu_pci; do
		file=$(find "$root/lib/modules/$1/updates" -name "$module.ko*" 2>/dev/null)
		[ -n "$file" ] || { in_root dkms status; cat "$root"/var/lib/dkms/accel/*/build/make.log 2>/dev/null | tail -20; die "$suite: no $module for $1"; }
		vermagic=$(in_root modinfo -F vermagic "${file#"$root"}")
		[ "${vermagic%% *}" = "$1" ] || die "$suite: $module for $1 says $vermagic"
	done
	say "$suite: modules for $1"
}

kernels() {
	for dir in "$root"/lib/modules/*/build; do
		dir=${dir%/build}
		if [ -h "$dir/build" ] || [ -e "$dir/build/include" ]; then
			echo "${dir##*/}"
		fi
	done | sort -V
}

# A kernel for which nothing builds.
broken_kernel() {
	dir=$root/lib/modules/9.9.9-broken/build
	mkdir -p "$dir/include"
	echo CONFIG_DRM_ACCEL=y > "$dir/.config"
	# shellcheck disable=SC2016
	printf '%%:\n\t@echo broken on purpose; exit 1\n' > "$dir/Makefile"
}

sound() {
	audit=$(in_root dpkg --audit)
	[ -z "$audit" ] || die "$suite: dpkg --audit: $audit"
}

try_programs() {
	in_root accel --version > /dev/null
	in_root accel devices | grep -q sim:ethos-u85-256 || die "$suite: accel devices lists no simulated NPU"
	in_root accel-sim --help > /dev/null
	in_root sh -c 'cd /tmp && cc /usr/share/doc/libaccel-dev/examples/devices.c $(pkg-config --cflags --libs libaccel) -o devices' ||
		die "$suite: the example does not build"
	in_root sh -c 'cd /tmp && ACCEL_DEVICE=sim:ethos-u65-256,engine=reference ./devices' | grep -q 'ethos-u65-256, 256 MACs' ||
		die "$suite: the example does not run"
	if in_root sh -c 'udevadm verify --help' > /dev/null 2>&1; then
		in_root udevadm verify --resolve-names=never /usr/lib/udev/rules.d/60-accel.rules > /dev/null ||
			die "$suite: udevadm does not like the rules"
		say "$suite: udevadm verify"
	fi
	in_root modprobe -c | grep -q 'softdep ethosu_pci post: ethosu' || die "$suite: modprobe does not read accel.conf"
}

install() {
	suite=$1
	root=$2/root-$suite
	log=$2/install-$suite.log
	[ "$(id -u)" = 0 ] || skip "to try the packages in a fresh $suite, run this as root"
	command -v debootstrap >/dev/null || skip "debootstrap is not installed"
	mkdir -p "$2"
	: > "$log"
	trap unmount EXIT
	make_root

	say "$suite: build"
	copy_source "$root/src/accel"
	apt install dpkg-dev
	apt build-dep /src/accel
	in_root sh -c 'cd /src/accel && dpkg-buildpackage -b -us -uc' >> "$log" 2>&1 ||
		{ tail -30 "$log"; die "$suite: the packages do not build"; }

	# Build tools, the first kernel's headers, and what the packages need: then the state to come back to.
	apt install gcc libc6-dev pkg-config dkms udev systemd "$3"
	apt install ocl-icd-libopencl1 libxxhash0 libjansson4 zlib1g 'libzip[45]'
	snapshot > "$2/before"
	say "$suite: install"
	debs=$(cd "$root" && echo ./src/*.deb | tr ' ' '\n' | grep -v dbgsym | sed 's|^\.||')
	names=$(echo "$debs" | sed 's|.*/||; s|_.*||')
	apt install $debs
	sound
	has_modules "$(kernels | tail -1)"
	try_programs

	say "$suite: another kernel, then one that nothing builds for"
	apt install "$4"
	for kernel in $(kernels); do
		has_modules "$kernel"
	done
	broken_kernel
	for hook in postinst.d header_postinst.d; do
		in_root run-parts --exit-on-error --regex='dkms$' --arg=9.9.9-broken /etc/kernel/$hook >> "$log" 2>&1 ||
			die "$suite: the hooks stop a kernel's installation"
	done
	apt install --reinstall /src/accel-dkms_"$version"_all.deb
	sound
	grep -q 'do not build for kernel 9.9.9-broken' "$log" || die "$suite: no word of the modules that did not build"
	rm -rf "$root/lib/modules/9.9.9-broken"

	say "$suite: purge"
	apt purge $names
	sound
	snapshot > "$2/after"
	left=$(leftovers "$2/before" "$2/after")
	[ -z "$left" ] || die "$suite: purge leaves: $left"
	[ -z "$(find "$root/lib/modules" -name 'ethosu*.ko*')" ] || die "$suite: purge leaves modules"
	remove_root
	say "$suite: well"
}

case ${1-} in
build)
	build "$2"
	;;
install)
	case $2 in
	bookworm) install bookworm "$3" linux-headers-6.12-amd64/bookworm-security linux-headers-amd64/bookworm-backports ;;
	trixie) install trixie "$3" linux-headers-amd64 linux-headers-amd64/trixie-backports ;;
	*) die "no suite $2" ;;
	esac
	;;
*)
	die "usage: packages.sh build DIR | install bookworm|trixie DIR"
	;;
esac
