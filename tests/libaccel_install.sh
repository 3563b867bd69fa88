#!/bin/sh
# SPDX-License-Identifier: MIT
# The library as a user of it finds it: installed under $1 (prefix /usr), through pkg-config, with its
# man pages. Header, symbol map, shared library and man pages must name the same functions.
set -eu

root=$1
tmp=$root.tmp
rm -rf "$tmp"
mkdir -p "$tmp"
lib=$root/usr/lib
man=$root/usr/share/man
header=$root/usr/include/accel/accel.h
export PKG_CONFIG_PATH="$lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
export PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1

sed -n '/^ACCEL_API/,/;/p' "$header" | grep -o 'accel_[a-z_]*(' | tr -d '(' | sort -u > "$tmp/header"
nm -D --defined-only "$lib/libaccel.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
	sort > "$tmp/library"
for page in "$man"/man3/*.3; do
	[ -L "$page" ] || sed -n 's/^\.Nm \(accel_[a-z_]*\).*/\1/p' "$page"
done | sort -u > "$tmp/pages"
[ "$(wc -l < "$tmp/header")" -gt 25 ]
diff "$tmp/header" "$tmp/library"
diff "$tmp/header" "$tmp/pages"
while read -r name; do
	[ -e "$man/man3/$name.3" ] || { echo "no man page $name.3"; exit 1; }
done < "$tmp/header"
echo "header, library and man pages: the same $(wc -l < "$tmp/header") functions"

objdump -p "$lib/libaccel.so" | grep -q 'SONAME *libaccel.so.0$'
nm -D --defined-only "$lib/libaccel.so" | grep -q 'accel_version@@ACCEL_0.1$'

# The example of accel(7) builds without a warning, as do users in C and C++.
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$man/man7/accel.7" |
		sed -n '/^\.Bd/,/^\.Ed/p' | sed -e '/^\.[BE]d/d' -e 's/\\e/\\/g'
	cat <<'END'
int main(void)
{
	struct accel_buffer *arena = NULL;
	uint32_t stop = 0xffff0000;
	int ret = run(&stop, sizeof(stop), "weights", 7, &arena, 4096);

	accel_buffer_unref(arena);
	return ret ? 1 : 0;
}
END
} > "$tmp/example.c"
printf '%s\n' '#include <accel/accel.h>' \
	'int main() { return accel_version()[0] == 0; }' > "$tmp/user.cpp"
flags=$(pkg-config --cflags --libs libaccel)
# shellcheck disable=SC2086
"${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror "$tmp/example.c" -o "$tmp/example" $flags
# shellcheck disable=SC2086
"${CXX:-c++}" -std=c++98 -pedantic -Wall -Wextra -Werror -Wno-long-long -Wno-variadic-macros \
	"$tmp/user.cpp" -o "$tmp/user" $flags
LD_LIBRARY_PATH=$lib "$tmp/user"
ACCEL_DEVICE=sim:ethos-u65-256,engine=reference LD_LIBRARY_PATH=$lib "$tmp/example"
echo "example of accel(7): built through pkg-config and run"

mandoc -Tlint -W warning "$man"/man[1-8]/*
echo "man pages: nothing to complain of"
