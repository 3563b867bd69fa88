/* SPDX-License-Identifier: MIT */
/*
 * Portable OpenCL C, part 5: RESIZE. OFM element x lies at (x * step + offset) / n of the IFM. All
 * modes give the value times 2^16, bilinear also times n_y * n_x, for the output scale to take
 * away.
 */

GEN_CALL void gen_resize_row(const struct npu_mem *mem, __global const struct npu_op *op, uint y)
{
	uint width = op->ow, depth = op->oc, mode = op->mode;
	long ny = max(op->resize_n_y, 1u), nx = max(op->resize_n_x, 1u);
	long last_y = (long)op->a.height - 1, last_x = (long)op->a.width - 1;
	uint bilinear = mode == NPU_RESIZE_BILINEAR;
	struct gen_output out;
	struct gen_ofm ofm;
	struct gen_fm in;
	long acc[GEN_LINE], line[GEN_LINE];
	long py = (long)y * op->resize_step_y + op->resize_off_y, iy, ry;

	gen_fm_open(&in, mem, &op->a, 0, 0, depth);
	gen_ofm_open(&ofm, mem, op);
	gen_output_open(&out, mem, op, !op->per_channel);
	if (mode == NPU_RESIZE_NEAREST)
		py += ny / 2;
	ry = py % ny;
	if (ry < 0)
		ry += ny;
	iy = (py - ry) / ny;

	for (uint x = 0; x < width; x++) {
		long px = (long)x * op->resize_step_x + op->resize_off_x, ix, rx;

		if (mode == NPU_RESIZE_NEAREST)
			px += nx / 2;
		rx = px % nx;
		if (rx < 0)
			rx += nx;
		ix = (px - rx) / nx;
		for (uint c = 0; c < depth; c += GEN_LINE) {
			uint n = min(GEN_LINE, depth - c);

			gen_fill(acc, n, 0);
			for (uint k = 0; k < (bilinear ? 4 : 1); k++) {
				uint fy = (uint)clamp(iy + (k >> 1), 0L, last_y);
				uint fx = (uint)clamp(ix + (k & 1), 0L, last_x);
				long weight = 65536;

				if (bilinear)
					weight *= (k >> 1 ? ry : ny - ry) * (k & 1 ? rx : nx - rx);
				if (!weight)
					continue;
				gen_load(&in, fy, fx, 0, c, c + n, n, line);
				for (uint i = 0; i < n; i++)
					acc[i] += line[i] * weight;
			}
			gen_finish(&out, acc, n);
			gen_store(&ofm, y, x, 0, c, depth, n, acc);
		}
	}
}
