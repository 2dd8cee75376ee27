// The numbers that types of tensors have in a GGUF (ggml-org/ggml, ggml.h: enum ggml_type), one row each.
import type { TensorDType } from "./storage.ts";

/** Types that are read, by their numbers there. */
export const ggufTensorTypes = {
  F32: 0,
  F16: 1,
  q4_0: 2,
  q4_1: 3,
  q5_0: 6,
  q5_1: 7,
  q8_0: 8,
  q2_K: 10,
  q3_K: 11,
  q4_K: 12,
  q5_K: 13,
  q6_K: 14,
  iq4_nl: 20,
  iq4_xs: 23,
  I8: 24,
  I16: 25,
  I32: 26,
  I64: 27,
  F64: 28,
  BF16: 30,
} as const satisfies Partial<Record<TensorDType, number>>;

/** The name of a type of GGUF's tensors that is read. */
export type GgufTensorType = keyof typeof ggufTensorTypes;

const read = new Map(Object.entries(ggufTensorTypes).map(([name, number]) => [number as number, name as GgufTensorType]));

/** The type of that number; undefined where there is none, or it is not read. */
export function ggufTensorType(number: number): GgufTensorType | undefined {
  return read.get(number);
}

/** The name that ggml has for a type, for messages: as files and their publishers write it. */
export function ggmlName(number: number): string {
  return read.get(number)?.toUpperCase() ?? others[number] ?? `${number}, which ggml does not have`;
}

/** Those that are not read, which ggml has or once had. */
const others: Readonly<Record<number, string>> = {
  ...{ 4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S" },
  ...{ 29: "IQ1_M", 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0" },
  ...{ 36: "IQ4_NL_4_4", 37: "IQ4_NL_4_8", 38: "IQ4_NL_8_8", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0" },
};
