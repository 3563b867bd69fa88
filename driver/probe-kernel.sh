#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Prints what the kernel headers in $1 (built in $2) have. Distributions backport: versions say nothing.
set -eu
include=$1/include
symbols=$2/Module.symvers

# have NAME FILE REGULAR-EXPRESSION
have() {
	if grep -Eq "$3" "$include/$2" 2>/dev/null; then
		echo "#define ETHOSU_HAVE_$1 1"
	fi
}

exports() {
	if grep -Eq "[[:space:]]$2[[:space:]]" "$symbols" 2>/dev/null; then
		echo "#define ETHOSU_HAVE_$1 1"
	fi
}

echo '/* Made by probe-kernel.sh */'
have DRIVER_DATE drm/drm_drv.h '^[[:space:]]*(const )?char \*date;'
have IMPORT_NS_STRING linux/module.h 'define MODULE_IMPORT_NS\(ns\)[[:space:]]+MODULE_INFO\(import_ns, ns\)'
exports CONTIG_PAGES alloc_contig_pages_noprof
exports CONTIG_RANGE alloc_contig_range_noprof
