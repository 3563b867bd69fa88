/* SPDX-License-Identifier: MIT */
/*
 * The text form's words, for the printer and the parser.
 *
 * Lines, # begins a comment. Tensors are numbered in order, %3 is the fourth.
 *
 *	graph "name"
 *	tensor "name" int8 1x8x8x3 [hwc 8x8x3] [quant AXIS scale:zero ...] [variable] [data HEX]
 *	inputs %0 ...
 *	outputs %9 ...
 *	origin "name"
 *	op CONV_2D %0 %1 - -> %9 [option value ...] [cpu "why"] [from N]
 *	npu CONV [mode N] [ifm VIEW] [ifm2 VIEW] [ofm VIEW] [weights %1] [lut_data %2]
 *		[field value ...] [channels N] [bias [...]] [scale [factor>>shift ...]]
 *		[weight_zero_points [...]]
 *	VIEW: [%3 base N step SY,SX size HxWxC zp N type int8], or [value N ...] for a number
 *
 * Options that are 0 and fields that are as ir_npu_init() makes them may be left out.
 */
#ifndef ACCEL_RUNTIME_IR_TEXT_H
#define ACCEL_RUNTIME_IR_TEXT_H

#define IR_NPU_KIND_NAMES \
	"CONV", "DEPTHWISE", "MATMUL", "POOL", "ELEMENTWISE", "RESIZE", "COPY", "GATHER"

#endif
