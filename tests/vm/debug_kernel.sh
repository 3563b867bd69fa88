#!/bin/sh
# SPDX-License-Identifier: MIT
# Prints a folder with a kernel that finds fault with drivers, built from Debian's linux-source-7.3 and kept in
# ~/.cache/accel: KASAN, UBSan, kmemleak, lockdep, checks of objects, lists, sleeping and DMA, allocations that fail to
# order. vmlinuz; build, for modules; modules that tests load. 10 minutes and 170 MB of Debian packages once.
# usage: debug_kernel.sh [-n]; -n: do not build it, 77 if it is not there
# Exit status 77: not possible here, the reason on standard error.
set -eu

mirror=${ACCEL_DEBIAN_MIRROR:-http://deb.debian.org/debian}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
# Another recipe or compiler is another kernel.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/accel/debug-kernel-$({ cat "$0"; gcc -dumpfullversion; } | cksum | cut -d ' ' -f 1)

# Beside tinyconfig: the machine that run.sh starts, what the driver needs and offers, and what watches it. APEI is for
# the allocator of on-chip memory, which nothing else selects, REMOTEPROC so for dumps.
config='CONFIG_64BIT=y
CONFIG_SMP=y
CONFIG_NR_CPUS=4
CONFIG_LOCALVERSION="-debug"
# CONFIG_LOCALVERSION_AUTO is not set
CONFIG_ACPI=y
CONFIG_ACPI_APEI=y
CONFIG_ACPI_APEI_GHES=y
# CONFIG_CPU_FREQ is not set
CONFIG_PCI=y
CONFIG_PCI_MSI=y
CONFIG_HIGH_RES_TIMERS=y
CONFIG_PREEMPT=y
CONFIG_MULTIUSER=y
CONFIG_POSIX_TIMERS=y
CONFIG_FUTEX=y
CONFIG_EPOLL=y
CONFIG_SHMEM=y
CONFIG_AIO=y
CONFIG_ADVISE_SYSCALLS=y
CONFIG_MEMBARRIER=y
CONFIG_FILE_LOCKING=y
CONFIG_BUG=y
CONFIG_PRINTK=y
CONFIG_KALLSYMS=y
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_BLK_DEV_INITRD=y
CONFIG_BINFMT_ELF=y
CONFIG_BINFMT_SCRIPT=y
CONFIG_IA32_EMULATION=y
CONFIG_TTY=y
# CONFIG_VT is not set
# CONFIG_INPUT is not set
# CONFIG_HID_SUPPORT is not set
CONFIG_UNIX98_PTYS=y
CONFIG_SERIAL_8250=y
CONFIG_SERIAL_8250_CONSOLE=y
CONFIG_DEVTMPFS=y
CONFIG_PROC_FS=y
CONFIG_SYSFS=y
CONFIG_TMPFS=y
CONFIG_NET=y
# CONFIG_INET is not set
# CONFIG_WIRELESS is not set
CONFIG_UNIX=y
CONFIG_VIRTIO_MENU=y
CONFIG_VIRTIO_PCI=y
CONFIG_NET_9P=y
CONFIG_NET_9P_VIRTIO=y
CONFIG_NETWORK_FILESYSTEMS=y
CONFIG_9P_FS=y
CONFIG_PM=y
CONFIG_SUSPEND=y
CONFIG_PM_DEBUG=y
CONFIG_PM_SLEEP_DEBUG=y
CONFIG_COMPACTION=y
CONFIG_MIGRATION=y
CONFIG_CMA=y
CONFIG_DRM=y
CONFIG_DRM_ACCEL=y
CONFIG_DRM_VGEM=y
CONFIG_SYNC_FILE=y
CONFIG_ALLOW_DEV_COREDUMP=y
CONFIG_REMOTEPROC=y
CONFIG_FTRACE=y
CONFIG_ENABLE_DEFAULT_TRACERS=y
CONFIG_DEBUG_FS=y
CONFIG_DEBUG_KERNEL=y
# CONFIG_SLUB_TINY is not set
CONFIG_KASAN=y
CONFIG_KASAN_INLINE=y
CONFIG_KASAN_VMALLOC=y
CONFIG_UBSAN=y
# CONFIG_UBSAN_ALIGNMENT is not set
CONFIG_DEBUG_KMEMLEAK=y
CONFIG_DEBUG_KMEMLEAK_MEM_POOL_SIZE=32000
CONFIG_PROVE_LOCKING=y
CONFIG_DEBUG_ATOMIC_SLEEP=y
CONFIG_DEBUG_OBJECTS=y
CONFIG_DEBUG_OBJECTS_FREE=y
CONFIG_DEBUG_OBJECTS_TIMERS=y
CONFIG_DEBUG_OBJECTS_WORK=y
CONFIG_DEBUG_OBJECTS_RCU_HEAD=y
CONFIG_DEBUG_LIST=y
CONFIG_DEBUG_SG=y
CONFIG_DMA_API_DEBUG=y
CONFIG_DETECT_HUNG_TASK=y
CONFIG_FAULT_INJECTION=y
CONFIG_FAULT_INJECTION_DEBUG_FS=y
CONFIG_FAILSLAB=y
CONFIG_FAIL_PAGE_ALLOC=y
CONFIG_FAULT_INJECTION_USERCOPY=y'

skip() {
	echo "no debug kernel: $*" >&2
	exit 77
}

done_already() {
	[ -e "$cache/complete" ] && echo "$cache" && exit 0
	return 0
}

done_already
[ "${1-}" != -n ] || skip "not built yet: tests/vm/debug_kernel.sh does"
[ "$(uname -m)" = x86_64 ] || skip "this is no x86-64 machine"
command -v apt-get >/dev/null || skip "this is no Debian"
[ -e $keys ] || skip "$keys is not there (debian-archive-keyring)"
for tool in gcc flex bison bc; do command -v $tool >/dev/null || skip "there is no $tool"; done
[ -e /usr/include/gelf.h ] || skip "there is no gelf.h (libelf-dev)"
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
done_already

echo "virtual machines: building a kernel into $cache" >&2
cd "$cache"
rm -rf apt source build log
mkdir -p apt/state/lists/partial apt/cache/archives/partial source build
echo "deb [signed-by=$keys] $mirror trixie-backports main" > apt/sources.list
cat > apt/apt.conf <<CONF
Dir::State "$cache/apt/state";
Dir::State::status "/dev/null";
Dir::Cache "$cache/apt/cache";
Dir::Etc::sourcelist "$cache/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Sandbox::User "";
CONF
APT_CONFIG=$cache/apt/apt.conf
export APT_CONFIG
apt-get update -qq >&2 || skip "$mirror cannot be reached"
(cd apt && apt-get download -qq linux-source-7.3 >&2) || skip "linux-source-7.3 cannot be fetched from $mirror"
dpkg-deb --fsys-tarfile apt/linux-source-7.3_*.deb | tar -xO ./usr/src/linux-source-7.3.tar.xz |
	tar -xJ -C source --strip-components 1 --exclude='*/drivers/gpu/drm/amd/include/*' --exclude='*/arch/arm*/boot/dts/*'
rm -rf apt

kernel() {
	nice make -s -C source O="$cache/build" "$@" >> log 2>&1 || { tail -n 30 log >&2; exit 1; }
}
kernel tinyconfig
echo "$config" >> build/.config
kernel olddefconfig
lacking=$(echo "$config" | grep -v '^#' | grep -vxFf build/.config || :)
[ -z "$lacking" ] || { echo "debug kernel: this source does not give" $lacking >&2; exit 1; }
kernel -j"$(nproc)" bzImage modules
cp build/arch/x86/boot/bzImage vmlinuz
# For modules this is more than enough.
find source -name '*.[cS]' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
find build -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' -delete
find build -name '*.cmd' ! -path '*/scripts/*' -delete
rm -f build/vmlinux build/arch/x86/boot/compressed/vmlinux*
touch complete
done_already
