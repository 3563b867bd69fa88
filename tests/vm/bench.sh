#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: this project's module and mainline's, in turn, on the same NPU, so many rounds: the median of
# each figure and the best, which is what other work on the machine disturbs least.
# usage: bench.sh VMCLIENT OURS MAINLINE ROUNDS
set -eu
client=$1 ours=$2 mainline=$3 rounds=$4
node=/dev/accel/accel0
dir=/tmp/bench
mkdir $dir

# A number of each line: the middle one, or the first in an order.
median() {
	cut -d ' ' -f "$2" "$dir/$1" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}
best() {
	cut -d ' ' -f "$2" "$dir/$1" | sort "$3" | head -n 1
}

/tmp/busybox insmod "$VM_MODULES/ethosu_pci.ko"
i=0
while [ $i -lt "$rounds" ]; do
	i=$((i + 1))
	for driver in ours mainline; do
		eval "/tmp/busybox insmod \$$driver/ethosu.ko"
		# Caches of every kind, and the file that the client is in.
		"$client" $node latency 100 > /dev/null
		"$client" $node latency 400 >> "$dir/$driver-latency"
		for clients in 1 4 8 16; do
			"$client" $node rate $clients 500 >> "$dir/$driver-rate-$clients"
		done
		/tmp/busybox rmmod ethosu
	done
done

printf '%-32s %8s %8s %6s   %8s %8s %6s\n' '' ours mainline ratio 'best:ours' mainline ratio
# TITLE FILE FIELD ORDER, which is -n where less is better, else -rn.
row() {
	for driver in ours mainline; do
		eval "m_$driver=\$(median $driver-$2 $3) b_$driver=\$(best $driver-$2 $3 $4)"
	done
	# shellcheck disable=SC2154 # by eval
	awk -v t="$1" -v a="$m_ours" -v b="$m_mainline" -v c="$b_ours" -v d="$b_mainline" 'BEGIN {
		printf "%-32s %8.1f %8.1f %6.2f   %8.1f %8.1f %6.2f\n", t, a, b, a / b, c, d, c / d }'
}
row 'submit to fence, p50, us' latency 1 -n
row 'submit to fence, p99, us' latency 2 -n
for clients in 1 4 16; do
	row "jobs a second, $clients clients" rate-$clients 1 -rn
	row "CPU time a job, $clients clients, us" rate-$clients 2 -n
done
# How far the clients with fewest and most jobs are from the mean: the middle round.
for driver in ours mainline; do
	awk '{ print ($4 - $3) / ($4 + $3) * 100 }' "$dir/$driver-rate-8" > "$dir/$driver-share"
	printf '8 equal clients, off their share, %s: %.1f %%\n' $driver "$(median $driver-share 1)"
done
