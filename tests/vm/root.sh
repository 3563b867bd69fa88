#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with what virtual machines need, fetched with apt-get from Debian 13 and its backports into
# ~/.cache/accel, 540 MB once: QEMU, Debian's stock kernels and their headers, a compiler for modules, mainline's
# ethosu driver. Nothing is installed, no root is needed, the machine's apt is left alone.
# Exit status 77: it cannot be had here, the reason on standard error.
set -eu

mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
here=$(cd "$(dirname "$0")" && pwd)
# Another recipe is another root.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/vm-$(cksum < "$here/root.sh" | cut -d ' ' -f 1)

skip() {
	echo "no virtual machines: $*" >&2
	exit 77
}

done_already() {
	[ -e "$cache/complete" ] && echo "$cache" && exit 0
	return 0
}

done_already
[ "$(uname -m)" = x86_64 ] || skip "this is no x86-64 machine"
command -v apt-get >/dev/null || skip "this is no Debian"
[ -e $keys ] || skip "$keys is not there (debian-archive-keyring)"
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
done_already

echo "virtual machines: fetching QEMU and kernels into $cache" >&2
cd "$cache"
rm -rf --one-file-system root apt
mkdir -p root apt/state/lists/partial apt/cache/archives/partial
: > apt/status
cat > apt/sources.list <<LIST
deb [signed-by=$keys] $mirror trixie main
deb [signed-by=$keys] $mirror trixie-backports main
LIST
cat > apt/apt.conf <<CONF
Dir::State "$cache/apt/state";
Dir::State::status "$cache/apt/status";
Dir::Cache "$cache/apt/cache";
Dir::Etc::sourcelist "$cache/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Debug::NoLocking "1";
CONF
APT_CONFIG=$cache/apt/apt.conf
export APT_CONFIG
apt-get update -qq >&2 || skip "$mirror cannot be reached"

# The newest stock kernel of a series.
kernel() {
	apt-cache pkgnames "linux-image-$1." | sed -n 's/^linux-image-\([0-9.]*+deb13-amd64\)$/\1/p' |
		sort -V | tail -n 1
}
old=$(kernel 6.12)
new=$(kernel 7.3)
[ -n "$old" ] && [ -n "$new" ] || skip "$mirror has no kernel 6.12 and 7.3"

set -- base-files bash dash sed grep diffutils findutils busybox-static cpio gcc-14 make mawk perl-base coreutils libelf1t64 \
	"linux-image-$old" "linux-headers-$old"
for package in qemu-system-x86 qemu-system-common qemu-system-data seabios linux-source-7.3 \
	"linux-image-$new" "linux-headers-$new"; do
	set -- "$@" "$package/trixie-backports"
done
apt-get install -qq -y --download-only "$@" >&2 || skip "packages cannot be fetched from $mirror"

# All but a kernel's modules; of those the ones that tests load, decompressed, as busybox's insmod wants them.
wanted='drm drm_kms_helper drm_exec drm_shmem_helper gpu-sched vgem 9p 9pnet 9pnet_virtio netfs'
unpack() {
	dpkg-deb --fsys-tarfile "$1" | tar -x -C root --exclude='./usr/share/doc' --exclude='./usr/share/man' \
		--exclude='./usr/share/locale' --exclude='./usr/lib/modules/*/kernel'
}
unpack_modules() {
	mkdir -p "modules/$2" part
	for module in $wanted; do echo "*/$module.ko.xz"; done > patterns
	dpkg-deb --fsys-tarfile "$1" | tar -x -C part --wildcards -T patterns 2>/dev/null || :
	find part -name '*.ko.xz' -exec xz -d {} + -exec true {} +
	find part -name '*.ko' -exec mv {} "modules/$2" \;
	rm -rf part patterns
}
# The links /bin -> usr/bin and so on, which the others rely on, come first.
unpack apt/cache/archives/base-files_*.deb
for deb in apt/cache/archives/*.deb; do
	case $deb in
	*/linux-source-*)
		mkdir -p mainline
		dpkg-deb --fsys-tarfile "$deb" | tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
			tar -xJ -C mainline --strip-components 1 --wildcards '*/drivers/accel/ethosu' \
				'*/drivers/gpu/drm/drm_gem_dma_helper.c' '*/include/uapi/drm/ethosu_accel.h'
		continue
		;;
	*/linux-image-"$old"_* | */linux-modules-"$old"_*) unpack_modules "$deb" "$old" ;;
	*/linux-image-"$new"_* | */linux-modules-"$new"_*) unpack_modules "$deb" "$new" ;;
	esac
	unpack "$deb"
done
for version in "$old" "$new"; do
	for image in "root/boot/vmlinuz-$version" "root/usr/lib/modules/$version/vmlinuz"; do
		[ ! -e "$image" ] || ln -f "$image" "modules/$version/vmlinuz"
	done
	[ -e "modules/$version/vmlinuz" ] && [ -e "modules/$version/drm.ko" ] && [ -e "modules/$version/9p.ko" ] ||
		skip "the packages of $version are not laid out as expected"
done
# What configuring the packages would have made.
ln -sf mawk root/usr/bin/awk
ln -sf gcc-14 root/usr/bin/gcc
: > root/dev/null
ln -sfn "$old" modules/6.12
ln -sfn "$new" modules/7.3
# Programs of that root run from outside with its own loader and libraries.
cat > run <<'RUN'
#!/bin/sh
# usage: run PROGRAM [ARGUMENT...]
root=$(dirname "$0")/root
program=$1
shift
export QEMU_MODULE_DIR="$root/usr/lib/x86_64-linux-gnu/qemu"
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
	"$root/usr/bin/$program" "$@"
RUN
chmod +x run
rm -rf apt
touch complete
done_already
