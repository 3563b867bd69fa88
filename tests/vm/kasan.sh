#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest, under the kernel of debug_kernel.sh: runs a command, removes the modules, and has kmemleak look for what
# was left behind. What KASAN, lockdep and the others say run.sh reads in the kernel's log.
# usage: kasan.sh COMMAND [ARGUMENT...]
set -u
# The command may suspend the machine, and the file system does not survive that.
if [ "$0" != /tmp/kasan.sh ]; then
	cp "$0" /tmp/kasan.sh
	exec /tmp/busybox sh /tmp/kasan.sh "$@"
fi
box=/tmp/busybox
debug=/sys/kernel/debug
$box mount -t debugfs debug $debug
echo scan=off > $debug/kmemleak
# Allocations that fail to order: those that may wait for memory as well, of any size, without a word in the log.
for what in failslab fail_page_alloc; do
	echo N > $debug/$what/ignore-gfp-wait
	echo 0 > $debug/$what/verbose
done
echo 0 > $debug/fail_page_alloc/min-order
echo N > $debug/fail_page_alloc/ignore-gfp-highmem
echo 0 > $debug/fail_usercopy/verbose

"$@"
status=$?
for module in ethosu_pci ethosu; do
	[ ! -e /sys/module/$module ] || $box rmmod $module || { echo "FAIL $module can not be removed"; status=1; }
done
# kmemleak passes over what is younger than some seconds, and reports what it finds for the second time.
echo scan > $debug/kmemleak
$box sleep 6
echo scan > $debug/kmemleak
$box cat $debug/kmemleak > /tmp/leaks
if [ -s /tmp/leaks ]; then
	$box cat /tmp/leaks
	echo "FAIL memory was left behind"
	status=1
else
	echo "ok   kmemleak found nothing"
fi
exit $status
