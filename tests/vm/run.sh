#!/bin/sh
# SPDX-License-Identifier: MIT
# Boots a stock Debian kernel, or the one of debug_kernel.sh, with simulated NPUs, loads modules, runs a command in the guest, powers off.
# usage: run.sh [-k 6.12|7.3|debug] [-c MODULES] [-n "ACCEL-SIM OPTIONS"]... [-t SECONDS] LOGS COMMAND [ARGUMENT...]
#   -k  which kernel (7.3)
#   -c  folder with ethosu.ko and ethosu_pci.ko; they are loaded with what they need
#   -n  a simulated NPU, "-c ethos-u65-256 -f hang:3"; may be given several times
#   -m  one more core of the last -n: another function of its slot
#   -t  when to give up (300)
#   -L  do not load -c's modules: the command does that, from $VM_MODULES
# The guest sees this machine's files, read-only, and a /tmp of its own; COMMAND runs in the current folder.
# LOGS becomes a folder with console (the kernel's messages), output, and sim-N.log.
# Exit status: the command's; 77: not possible here; 99: the machine did not end well, or the kernel complained.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
O=$(cd "${O:-build}" && pwd)
series=7.3 modules='' limit=300 load=yes
npus=0 sims=0
while getopts k:c:n:m:t:L option; do
	case $option in
	k) series=$OPTARG ;;
	c) modules=$(cd "$OPTARG" && pwd) ;;
	n)
		npus=$((npus + 1)) sims=$((sims + 1)) function=0
		eval "sim_$sims=\$OPTARG at_$sims=$npus.0"
		;;
	m)
		sims=$((sims + 1)) function=$((function + 1))
		eval "sim_$sims=\$OPTARG at_$sims=$npus.$function"
		;;
	t) limit=$OPTARG ;;
	L) load=no ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
mkdir -p "$1"
logs=$(cd "$1" && pwd)
shift
cache=$("$here/root.sh")
root=$cache/root
stock=$cache/modules/$series
[ "$series" != debug ] || stock=$("$here/debug_kernel.sh" -n)
rm -rf "$logs"
mkdir -p "$logs"

# A module and what it needs, in the order of loading, each once.
order() {
	case " $ordered " in
	*" $1 "*) return ;;
	esac
	file=$modules/$1.ko
	[ -n "$modules" ] && [ -e "$file" ] || file=$stock/$1.ko
	# Built in.
	[ -e "$file" ] || return 0
	for needed in $(tr '\0' '\n' < "$file" | sed -n 's/^depends=//p' | head -n 1 | tr , ' '); do
		order "$needed"
	done
	file=$modules/$1.ko
	[ -n "$modules" ] && [ -e "$file" ] || file=$stock/$1.ko
	ordered="$ordered $1"
	cp "$file" "$logs/initramfs/modules"
}

mkdir -p "$logs/initramfs/bin" "$logs/initramfs/modules" "$logs/initramfs/host" "$logs/initramfs/dev" \
	"$logs/initramfs/proc" "$logs/initramfs/sys"
cp "$root/usr/bin/busybox" "$logs/initramfs/bin"
ordered=
order 9pnet_virtio
order 9p
base=$ordered
ordered=
for module in gpu-sched drm_shmem_helper drm_exec vgem ethosu ethosu_pci; do order "$module"; done
cat > "$logs/initramfs/init" <<INIT
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t proc proc /proc
\$b mount -t sysfs sys /sys
\$b mount -t devtmpfs dev /dev
exec < /dev/null > /dev/console 2>&1
end() {
	echo "status \$1" > /dev/ttyS1
	\$b poweroff -f
}
for m in$base; do \$b insmod /modules/\$m.ko || end 99; done
\$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro host /host || end 99
\$b mount -t tmpfs tmp /host/tmp
for d in dev proc sys; do \$b mount --bind /\$d /host/\$d; done
\$b mkdir /host/tmp/modules
\$b mv /modules/*.ko /host/tmp/modules
\$b cp /bin/busybox /host/tmp
for m in$ordered; do
	[ $load = no ] && case \$m in ethosu*) continue ;; esac
	\$b insmod /host/tmp/modules/\$m.ko || end 99
done
# A serial port that is open goes dumb in a suspended system: it is opened for each line.
{ . /command; echo \$? > /status; } 2>&1 | while IFS= read -r line; do
	echo "\$line" > /dev/ttyS1
done
read -r status < /status
end "\$status"
INIT
{
	printf 'VM_MODULES=/tmp/modules VM_BUSYBOX=/tmp/busybox VM_KERNEL=%s VM_NPUS=%s $b chroot /host /bin/sh -c ' \
		"$series" "$npus"
	printf "'cd \"\$0\" && exec \"\$@\"' '%s'" "$PWD"
	for word; do printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")"; done
	echo
} > "$logs/initramfs/command"
chmod +x "$logs/initramfs/init"
(cd "$logs/initramfs" && find . | "$cache/run" cpio -o -H newc --quiet) > "$logs/initramfs.cpio"
rm -rf "$logs/initramfs"

pids=
stop_sims() {
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
	pids=
}
trap stop_sims EXIT
trap 'exit 1' HUP INT TERM

set --
n=0
while [ $n -lt $sims ]; do
	n=$((n + 1))
	eval "options=\$sim_$n at=\$at_$n"
	mkfifo "$logs/ready"
	# Sockets have short names.
	socket=$(mktemp -u /tmp/accel-vm.XXXXXX)
	# shellcheck disable=SC2086 # a list
	"$O/accel-sim" $options --once --socket "$socket" > "$logs/ready" 2> "$logs/sim-$n.err" &
	pids="$pids $!"
	read -r line < "$logs/ready" || { cat "$logs/sim-$n.err" >&2; exit 99; }
	rm "$logs/ready"
	# Slots from 8 on; a slot's functions are there from the start.
	address=$(printf '%x.%x' $((7 + ${at%.*})) "${at#*.}")
	set -- "$@" -device "{\"driver\":\"vfio-user-pci\",\"id\":\"npu$n\",\"addr\":\"$address\",\"multifunction\":true,\"socket\":{\"type\":\"unix\",\"path\":\"$socket\"}}"
done

# What all machines have.
cat > "$logs/machine" <<MACHINE
-L $root/usr/share/qemu -L $root/usr/share/seabios -L $root/usr/lib/ipxe/qemu
-nodefaults -no-user-config -display none -vga none -no-reboot -M q35 -smp 2 -m 768M
-object memory-backend-memfd,id=ram,size=768M,share=on -machine memory-backend=ram
-kernel $stock/vmlinuz
MACHINE

# KVM where it is there and boots a kernel, which is tried once for each boot of this machine: without a root file
# system the kernel panics and says so.
accelerator() {
	tried=$cache/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$tried" ]; then
		echo tcg > "$tried.$$"
		# shellcheck disable=SC2046 # a list
		if [ -w /dev/kvm ] && timeout 60 "$cache/run" qemu-system-x86_64 $(cat "$logs/machine") -accel kvm \
			-serial stdio -append 'console=ttyS0 panic=-1' < /dev/null 2>&1 | grep -aq 'Kernel panic'; then
			echo kvm > "$tried.$$"
		fi
		mv "$tried.$$" "$tried"
	fi
	cat "$tried"
}

# On a busy machine a virtual processor may stand still for a while: no reason to find its timer broken, or it hung.
# shellcheck disable=SC2046 # a list
timeout "$limit" "$cache/run" qemu-system-x86_64 $(cat "$logs/machine") -accel "$(accelerator)" "$@" \
	-initrd "$logs/initramfs.cpio" -serial "file:$logs/console" -serial "file:$logs/output" \
	-fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap" \
	-device virtio-9p-pci,fsdev=host,mount_tag=host \
	-append "console=ttyS0 panic=-1 oops=panic no_timer_check watchdog_thresh=60" > "$logs/qemu" 2>&1 < /dev/null ||
	echo "run.sh: the machine ended with status $?" >> "$logs/qemu"
stop_sims
sed '/^status [0-9]*\r*$/d' "$logs/output"
status=$(sed -n 's/^status \([0-9]*\)\r*$/\1/p' "$logs/output" | tail -n 1)
if [ -z "$status" ]; then
	echo "run.sh: the machine did not come to an end" >&2
	cat "$logs/qemu" >&2
	tail -n 60 "$logs/console" >&2
	exit 99
fi
if grep -aE 'WARNING:|BUG:|KASAN|Oops|Call Trace|possible circular|possible recursive|lockdep|INFO: task .* blocked|unreferenced object|refcount_t|UBSAN' \
	"$logs/console" | grep -v 'RCU lockdep checking is enabled' > "$logs/complaints"; then
	echo "run.sh: the kernel complained:" >&2
	cat "$logs/complaints" >&2
	exit 99
fi
exit "$status"
