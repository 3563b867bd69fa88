/* SPDX-License-Identifier: MIT */
/* Inputs of UNIDIRECTIONAL_SEQUENCE_LSTM. */
#ifndef ACCEL_RUNTIME_CPU_LSTM_H
#define ACCEL_RUNTIME_CPU_LSTM_H

/* Weights of gates and their biases are in the order of enum gate. */
enum {
	IN_INPUT = 0, IN_WEIGHTS = 1, IN_RECURRENT = 5, IN_PEEPHOLE = 9, IN_BIAS = 12,
	IN_PROJECTION = 16, IN_OUTPUT_STATE = 18, IN_CELL_STATE = 19, IN_NORM = 20, IN_END = 24,
};

enum gate { GATE_INPUT, GATE_FORGET, GATE_CELL, GATE_OUTPUT, GATES };

#endif
