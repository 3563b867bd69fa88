#!/bin/sh
# SPDX-License-Identifier: MIT
# accel estimate and accel profile from outside, and systems that users add.
# usage: test_cost_cli.sh ACCEL, from the top of the tree.
set -u
accel=$1
model=tests/demo/ds-cnn.u65-256.tflite
unset ACCEL_SYSTEMS
. tests/cli.sh
XDG_CONFIG_HOME=$dir/config
export XDG_CONFIG_HOME

# check EXPRESSION FILE: the file is JSON, j, and the Python expression on it is true.
check() {
	python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' \
		"$2" "$1" 2>>"$dir/err" || fail "JSON is not so: $1"
}

for command in estimate profile; do
	run 0 $command --help
	grep -q Examples "$dir/out" || fail "help without examples"
	run 2 $command
	run 2 $command $model $model
	refuse "no/such No such file" $command no/such
	refuse "tests/test_cost_cli.sh" $command tests/test_cost_cli.sh
	refuse "no NPU u65-99 ethos-u65-256" $command $model -t u65-99
	refuse "compiled for ethos-u65-256 ethos-u85-256" $command $model -t u85-256
	refuse "no system Nowhere Ethos_U65_Mid_End" $command $model -S Nowhere
	refuse "no memory mode Nothing Shared_Sram" $command $model -m Nothing
	refuse "flash Ethos_U65_Embedded" $command $model -S Ethos_U65_Embedded -m Dedicated_Sram
done

run 0 estimate $model
grep -q "Ethos_U65_Client_Server *Sram_Only" "$dir/out" || fail "no line for Sram_Only"
run 0 estimate $model --json
check 'len(j["estimates"]) == 4 * 3 - 1' "$dir/out"
check 'all(e["npu"] == "ethos-u65-256" and 0 < e["utilisation"] < 1 for e in j["estimates"])' "$dir/out"
check 'all(abs(e["per_second"] * e["latency_ms"] / 1000 - 1) < 1e-6 for e in j["estimates"])' "$dir/out"
# All in SRAM nothing is moved to or from elsewhere; flash only ever holds the constants.
check 'all(e["external_traffic_bytes"] == 0 and e["ram_bytes"] == 0
	for e in j["estimates"] if e["memory_mode"] == "Sram_Only")' "$dir/out"
check 'len({e["flash_bytes"] for e in j["estimates"]}) == 1' "$dir/out"
check 'len({e["macs"] for e in j["estimates"]}) == 1' "$dir/out"
# Twice the clock, half the time, if it is the NPU that counts.
check 'abs({e["system"]: e["latency_ms"] for e in j["estimates"] if e["memory_mode"] == "Sram_Only"}
	["Ethos_U65_Mid_End"] / {e["system"]: e["latency_ms"] for e in j["estimates"]
	if e["memory_mode"] == "Sram_Only"}["Ethos_U65_High_End"] - 2) < 0.01' "$dir/out"
run 0 estimate $model --json -S ethos-u65-high-end -m sram-only
check 'len(j["estimates"]) == 1 and j["estimates"][0]["system"] == "Ethos_U65_High_End"' "$dir/out"

# The model itself, compiled for each NPU and memory mode.
run 0 estimate tests/demo/ds-cnn.tflite --json
check 'len({e["npu"] for e in j["estimates"]}) == 11' "$dir/out"
check '{e["memory_mode"] for e in j["estimates"] if e["npu"] == "ethos-u85-512"} == {"Sram_Only", "Shared_Sram",
	"Dedicated_Sram", "Dedicated_Sram_256KB", "Dedicated_Sram_384KB", "Dedicated_Sram_512KB"}' "$dir/out"
# Flash can not be written: no Dedicated_Sram on the usual U55.
check '{e["memory_mode"] for e in j["estimates"] if e["npu"] == "ethos-u55-64"} == {"Sram_Only", "Shared_Sram"}' "$dir/out"
check '({e["npu"]: e["cycles"] for e in j["estimates"]}["ethos-u55-32"] >
	{e["npu"]: e["cycles"] for e in j["estimates"]}["ethos-u85-512"])' "$dir/out"
run 0 profile tests/demo/ds-cnn.tflite -t u85-256 --json
check 'j["npu"] == "ethos-u85-256" and len(j["operations"]) > 3' "$dir/out"

run 0 profile $model --json --trace "$dir/trace.json" --html "$dir/page.html"
check 'abs(sum(o["time_share"] for o in j["operations"]) - 1) < 1e-9' "$dir/out"
check 'max(o["start_us"] + o["us"] for o in j["operations"]) / 1000 - j["latency_ms"] < 1e-9' "$dir/out"
check 'sum(o["external_bytes"] for o in j["operations"]) == j["external_traffic_bytes"]' "$dir/out"
check 'sum(o["sram_bytes"] for o in j["operations"]) == j["sram_traffic_bytes"]' "$dir/out"
cp "$dir/out" "$dir/profile.json"
check '(len([e for e in j["traceEvents"] if e["ph"] == "X"]) ==
	len([o for o in json.load(open("'"$dir"'/profile.json"))["operations"] if not o["chained"]]))' "$dir/trace.json"
python3 -c 'import sys, html.parser
class P(html.parser.HTMLParser):
    seen = set()
    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        assert tag not in ("script", "link", "img", "iframe"), tag
        assert not any(v and ("http:" in v or "https:" in v) for k, v in attrs), attrs
p = P(); p.feed(open(sys.argv[1]).read())
assert {"svg", "rect", "circle", "table", "title"} <= p.seen, p.seen' "$dir/page.html" 2>>"$dir/err" ||
	fail "the page is not whole, or not by itself"
run 0 profile $model
grep -q "conv " "$dir/out" || fail "no convolution"
refuse "no/such/page" profile $model --html no/such/page
refuse "no/such/trace" profile $model --trace no/such/trace

# The cycles that the simulated NPU counts are those of the estimate and the beats of its stream.
for pair in u55-128:Shared_Sram:8 u65-512:Dedicated_Sram:16 u85-256:Dedicated_Sram:16; do
	npu=${pair%%:*}
	rest=${pair#*:}
	run 0 compile tests/demo/ds-cnn.tflite -t "$npu" -o "$dir/$npu.accel" --memory-mode "${rest%:*}"
	run 0 profile "$dir/$npu.accel" -m "${rest%:*}" --json
	cp "$dir/out" "$dir/profile.json"
	run 0 info "$dir/$npu.accel"
	words=$(sed -n 's/.* \([0-9]*\) command words.*/\1/p' "$dir/out")
	run 0 bench "$dir/$npu.accel" -d "sim:$npu" -n 1 --json
	check 'j["npu_cycles"] == json.load(open("'"$dir"'/profile.json"))["cycles"] + -(-4 * '"$words"' // '"${rest#*:}"')' "$dir/out"
done

# A name of a file that would be markup.
cp $model "$dir/<b>&.tflite"
run 0 profile "$dir/<b>&.tflite" --html "$dir/page.html"
grep -q "&lt;b&gt;&amp;.tflite" "$dir/page.html" || fail "the name is not escaped"

# Systems of one's own.
mkdir -p "$dir/systems" "$dir/config/accel/systems"
cat >"$dir/systems/board.json" <<END
{ "systems": [ { "name": "Board", "npu": "u65", "clock_mhz": 100,
    "sram": { "bytes_per_cycle": 16, "read_latency": 32, "write_latency": 32, "burst": 32, "reads": 16, "writes": 16 },
    "external": { "kind": "flash", "bytes_per_cycle": 1, "read_latency": 64, "write_latency": 0, "burst": 128,
      "reads": 2, "writes": 0 } } ],
  "modes": [ { "name": "Tiny", "constants": "external", "arena": "sram", "staging": "sram", "staging_size": 64 } ] }
END
refuse "no system Board" estimate $model -S Board
ACCEL_SYSTEMS=$dir/systems
export ACCEL_SYSTEMS
run 0 estimate $model -S Board -m Shared_Sram --json
check 'len(j["estimates"]) == 1' "$dir/out"
run 0 estimate $model -S Board -m Tiny
ACCEL_SYSTEMS=$dir/none
refuse "ACCEL_SYSTEMS $dir/none" estimate $model
unset ACCEL_SYSTEMS
cp "$dir/systems/board.json" "$dir/config/accel/systems"
run 0 estimate $model -S board -m tiny
# What is wrong in a file is said, and where.
while IFS='|' read -r pattern replacement expected; do
	sed "s/$pattern/$replacement/" "$dir/systems/board.json" >"$dir/config/accel/systems/board.json"
	refuse "board.json $expected" estimate $model
done <<END
"u65"|"u66"|Board "npu"
"clock_mhz": 100|"clock_mhz": -1|Board "clock_mhz"
"clock_mhz": 100|"clock_mhz": "fast"|Board "clock_mhz" number
"bytes_per_cycle": 16|"bytes_per_cycle": 0|Board "bytes_per_cycle"
"burst": 32|"burst": 32.5|Board "burst" whole
"kind": "flash"|"kind": "tape"|Board "kind"
"arena": "sram"|"arena": "moon"|Tiny "arena"
"name": "Board"|"name": ""|"name"
{ "systems": \[|{ "systems": 7, "x": \[|"systems" list
"modes"|modes|board.json:5
END

echo "test_cost_cli: $tests runs, $failures failures"
[ $failures = 0 ]
