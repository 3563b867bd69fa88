# SPDX-License-Identifier: MIT
# What tests of the accel command from outside share. Sourced with $accel, the command, set.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
tests=0
failures=0

fail() {
	failures=$((failures + 1))
	echo "FAIL $name: $*"
	sed 's/^/  stderr: /' "$dir/err"
}

# run STATUS ARGUMENT...: the command ends with that status.
run() {
	want=$1
	shift
	name="accel $*"
	tests=$((tests + 1))
	"$accel" "$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ $got = "$want" ] || fail "exit status $got, not $want"
}

# refuse "PATTERN PATTERN..." ARGUMENT...: fails, with one line on stderr that holds all of them, none on stdout.
refuse() {
	patterns=$1
	shift
	run 1 "$@"
	[ "$(wc -l <"$dir/err")" = 1 ] || fail "not one line of error"
	[ ! -s "$dir/out" ] || fail "printed something"
	for pattern in $patterns; do
		grep -qF -e "$pattern" "$dir/err" || fail "no \"$pattern\""
	done
}
