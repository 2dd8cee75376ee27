// Element types of tensors. Quantised block formats live with their kernels, not here.

/** What a tensor's element is, in memory. */
export type DType = "f32" | "i32" | "bf16" | "f16";

/** Bytes of one element. */
export const dtypeBytes: Readonly<Record<DType, number>> = { f32: 4, i32: 4, bf16: 2, f16: 2 };
