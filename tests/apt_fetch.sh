# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For scripts that take a package of Debian apart: sourced, with skip() defined. Nothing is installed, the machine's apt is
# left alone.
mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg

# apt_fetch FOLDER SUITE PACKAGE: FOLDER, new, becomes the working one and has the package's newest file; it goes with the
# script.
apt_fetch() {
	command -v apt-get >/dev/null || skip "this is no Debian"
	[ -e $keys ] || skip "$keys is not there (debian-archive-keyring)"
	mkdir -p "${1%/*}"
	work=$(mktemp -d "$1.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial" "$work/x"
	echo "deb [signed-by=$keys] $mirror $2 main" > "$work/apt/sources.list"
	cat > "$work/apt/apt.conf" <<-CONF
	Dir::State "$work/apt/state";
	Dir::State::status "/dev/null";
	Dir::Cache "$work/apt/cache";
	Dir::Etc::sourcelist "$work/apt/sources.list";
	Dir::Etc::sourceparts "/dev/null";
	APT::Sandbox::User "";
	CONF
	export APT_CONFIG="$work/apt/apt.conf"
	cd "$work" || exit
	apt-get update -qq >&2 || skip "$mirror $2 cannot be reached"
	apt-get download -qq "$3" >&2 || skip "$3 cannot be fetched from $mirror"
}
