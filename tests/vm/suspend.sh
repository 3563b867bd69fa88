#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: the system is suspended and resumed under load, then the modules are removed. Called by faults.sh; runs
# on busybox with all it needs in /tmp.
# usage: suspend.sh N
set -u
export PATH=/tmp/bin
n=$1
mkdir() { /tmp/busybox mkdir "$@"; }
mkdir /tmp/bin
/tmp/busybox --install -s /tmp/bin
status=0
client=/tmp/vmclient
node=/dev/accel/$(ls /sys/class/accel | tail -n 1)

if [ -e /sys/power/pm_test ]; then
	echo 0 > /sys/module/suspend/parameters/pm_test_delay
	echo devices > /sys/power/pm_test
	mkfifo /tmp/begun
	$client "$node" faults 3 100000000 5000 0 0 > /tmp/begun 2> /tmp/load &
	pid=$!
	exec 5< /tmp/begun
	read -r _ <&5
	i=0
	while [ $i -lt $((n / 10 + 1)) ]; do
		i=$((i + 1))
		echo freeze > /sys/power/state || { echo "FAIL suspend"; status=1; }
	done
	# At work still, and killed by this.
	kill -9 $pid
	wait $pid
	s=$?
	exec 5<&-
	[ $s = 137 ] || { echo "FAIL suspend: the clients ended with $s"; cat /tmp/load; status=1; }
	if $client "$node" faults 2 20 5000 0 0 > /tmp/out 2>&1; then
		echo "ok   suspended $i times under load: $(tail -n 1 /tmp/out)"
	else
		echo "FAIL suspended $i times under load"
		cat /tmp/out
		status=1
	fi
else
	echo "SKIP suspend: this kernel has no pm_test"
fi

for module in ethosu_pci ethosu; do
	rmmod $module || { echo "FAIL $module can not be removed"; status=1; }
done
exit $status
