#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds Linux's own ethosu module, unchanged, from Debian's linux-source, and our PCI glue beside it.
# usage: mainline.sh OUT, from the top of the tree. Exit status 77: not possible here.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$("$here/root.sh")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$stage/mainline"
cp "$cache"/mainline/drivers/accel/ethosu/*.[ch] "$cache/mainline/drivers/gpu/drm/drm_gem_dma_helper.c" \
	driver/ethosu_pci.c "$stage/mainline"
# Debian's amd64 kernels lack the GEM helper, so it goes into the module.
cat > "$stage/mainline/Kbuild" <<KBUILD
obj-m += ethosu.o ethosu_pci.o
ethosu-y := ethosu_drv.o ethosu_gem.o ethosu_job.o ethosu_perfmon.o drm_gem_dma_helper.o
KBUILD
"$here/kbuild.sh" 7.3 "$1" "$stage/mainline"
