#!/bin/sh
# SPDX-License-Identifier: MIT
# Would validate_sound notice a hole in the validator? Makes one hole after the other and looks.
#
# usage: validate_mutants.sh BUILD_DIR LIBS FOLDER...
#
# The list at the end: part of the file's name after ethosu_validate, what sed does to one line of it.
set -eu

build=$1
libs=$2
shift 2
dir=$build/mutants
objs="$build/tests/validate_sound.o $build/tests/validate_gen.o $build/tests/validate_seeds.o
	$build/tests/validate_oracle.o $build/tests/validate_device.o $build/runtime/container.o
	$build/runtime/elem.o $build/runtime/error.o $build/runtime/file.o $build/runtime/tflite.o
	$build/runtime/tflite_names.o"
made=0
missed=0

while IFS='|' read -r file edit; do
	made=$((made + 1))
	rm -rf "$dir"
	mkdir -p "$dir"
	cp driver/ethosu_validate*.[ch] driver/ethosu_port.h "$dir"
	sed -i "$edit" "$dir/ethosu_validate$file.c"
	lines=$(diff "driver/ethosu_validate$file.c" "$dir/ethosu_validate$file.c" | grep -c '^>' || true)
	if [ "$lines" != 1 ]; then
		echo "FAIL: $edit: changes $lines lines of ethosu_validate$file.c"
		exit 1
	fi
	# shellcheck disable=SC2086
	${CC:-cc} -std=gnu11 -w -O1 -I. -o "$dir/sound" "$dir"/ethosu_*.c $objs "$build/libsim.a" \
		-pthread $libs
	if "$dir/sound" --count 300000 "$@" > "$dir/log" 2>&1 || ! grep -q '^FAIL: stream' "$dir/log"; then
		echo "FAIL: not noticed: $edit"
		missed=$((missed + 1))
	fi
done << 'END'
_fm|s/e->height - top0, left/0, left/
_fm|s/{ top1, e->width - left/{ 0, e->width - left/
_fm|s/e->height - top1, e->width - left/0, 0/
_fm|s/address(c, r->base0 + tile)/address(c, r->base0)/
_fm|s/stride(c, r->stride_y), e->height - 1/stride(c, r->stride_y), 0/
_fm|s/stride(c, r->stride_x), e->width - 1/stride(c, r->stride_x), e->width - 2/
_fm|s/BRICK \* element, e->width - 1/element, e->width - 1/
_fm|s/stride(c, r->stride_c), (e->depth - 1) .* BRICK/stride(c, r->stride_c), e->depth \/ BRICK - 1/
_fm|s/return depth \* element;/return depth;/
_fm|s/which == OPERAND_OFM, r->range/false, r->range/
_fm|s/which == OPERAND_OFM, r->range/true, r->range/
_fm|s/span->lo < 0 || span->hi > ADDRESS_END/span->hi > ADDRESS_END/
_fm|s/span->lo < 0 || span->hi > ADDRESS_END/span->lo < 0/
_fm|s/reach < 0 ? \&span->lo : \&span->hi/\&span->hi/
_fm|s/else if (size > \*filled)/else if (0)/
_op|s/1 + REG0(c, SET_KERNEL_STRIDE, STRIDE_X_LSB) +/1 +/
_op|s/2 \* REG0(c, SET_KERNEL_STRIDE, STRIDE_Y_MSB)/0/
_op|s/return upscaled ? (n + 1) \/ 2 : n;/return upscaled ? n \/ 2 : n;/
_op|s/REG0(c, SET_IFM_PAD_TOP, PAD) + REG0(c, SET_IFM_PAD_BOTTOM, PAD)/2 * REG0(c, SET_IFM_PAD_TOP, PAD)/
_op|s/\[ETHOSU_ACTIVATION_TRANSPOSE_WCH\] = { 1, 2, 0 }/[ETHOSU_ACTIVATION_TRANSPOSE_WCH] = { 2, 1, 0 }/
_op|s/order = axes\[REG0(c, SET_OFM_PRECISION, TRANSPOSE)\]/order = axes[0]/
_op|s/extent.width = 1;/extent.height = 1;/
_op|s/{ 1, ofm_extent(c).depth, ifm->depth }/{ 1, 1, ifm->depth }/
_op|s/rc || unary(c, mode)/1/
_op|s/REG0(c, SET_IFM2_BROADCAST, BROADCAST_CONSTANT) \* BROADCAST_SCALAR/8/
_op|s/first = REG0(c, SET_IFM_BROADCAST, BROADCAST_MODE)/first = 7/
_op|s/.height = REG0(c, SET_KERNEL_HEIGHT_M1, HEIGHT_M1) + 1,/.height = 1,/
_op|s/return ethosu_touch_fm(c, OPERAND_IFM2, &ofm);/return 0;/
_mem|s/fast_weights(c) ? 1 : c->hw->streams/1/
_mem|s/return parallel(c) ? 2 : 1;/return 1;/
_mem|s/rc || !parallel(c)/1/
_mem|s/\&weight_regs\[i\]/\&weight_regs[0]/
_mem|s/span.hi = span.lo + (((s64)length.*/span.hi = span.lo + length - 1;/
_mem|s/side->step\[0\], side->rows - 1/side->step[0], 0/
_mem|s/side->step\[1\], side->planes - 1/side->step[1], 0/
_mem|s/check_add_overflow(length, skip0, /check_add_overflow(0, skip0, /
_mem|s/check_mul_overflow(side->step\[0\], side->rows, \&plane)/check_mul_overflow(side->step[0], 1, \&plane)/
_mem|s/PAYLOAD1(c, SET_DMA0_IDX_MAX, IDX_MAX) + 1ll/1/
_mem|s/(src_indexed ? src : dst)->rows = any;/src->rows = any;/
_mem|s/rc = touch_indices(c, src);/rc = 0;/
_mem|s/span.lo < 0 || span.hi > c->hw->internal_size/span.lo < 0/
_mem|s/return touch_dma(c, ETHOSU_GET(SET_DMA0_DST_REGION_REGION, dst_region), .*/return touch_dma(c, 0, \&dst, length, true,/
_mem|s/\&dst, length, true,/\&dst, length, false,/
_mem|s/dst->step\[1\] = stride(c, ETHOSU_SET_DMA0_DST_STRIDE1)/dst->step[1] = 0/
_mem|s/if (at + size > TABLE_MEMORY)/if (0)/
_mem|s/rc = skip(c, src_mode, length, src);/rc = skip(c, dst_mode, length, src);/
_mem|s/.step = { INDEX_BYTES,/.step = { 1,/
|s/word \& (ETHOSU_RESERVED_MASK/word \& (0/
|s/value >= VALUES || !meanings\[field->enumeration\]\[value\]/0/
|s/return ethosu_refuse(c, -EOPNOTSUPP, "a branch", payload);/return 0;/
|s/return more ? .*/return 0;/
|s/return ethosu_refuse(c, -EINVAL, "no NPU_OP_STOP at the end", 0);/return 0;/
|s/words\[n++\] = cpu_to_le32(opcode);/n += 0;/
|s/words\[n++\] = 0;/words[n++] = opcode;/
|s/c->cmd1\[opcode\] = bits;/c->cmd1[opcode] = (u32)bits;/
END

echo "validate_mutants: $made holes, $missed not noticed"
[ "$missed" = 0 ]
