// An op as graph, planner and backends handle it: lists of tensors, no names. Records are written with names, in define-op.ts.
import type { Role, Tensor, TensorType } from "./tensor.ts";

/** Compile-time constants of a node. */
export type Attributes = Readonly<Record<string, number | boolean | string>>;

/** Elements of a tensor in the reference: float64 for floats, Int32Array for integers. */
export type Values = Float64Array | Int32Array;

/** An op as nodes have it, with lists in the order of its signature. */
export interface Op<A extends Attributes> extends OpProperties<A> {
  /** Types of the outputs. @throws CriaError naming all shapes when the inputs do not fit. */
  shape(inputs: readonly TensorType[], attributes: A): TensorType[];
  /** The slow meaning and judge: fills `outputs` (zeroed) and, where the op updates in place, `inputs`. */
  reference(inputs: readonly Values[], outputs: readonly Values[], attributes: A, types: readonly TensorType[]): void;
  /**
   * Appends the gradient and returns d(loss)/d(input), one per input; undefined where none flows (integers, or nothing to differentiate).
   * `doutputs[i]` is undefined when output i does not reach the loss. Absent: the op cannot be differentiated.
   */
  gradient?(context: GradientContext<A>): (Tensor | undefined)[];
  /** The attributes with which an op whose first output may be the loss itself makes its own gradients too, and which outputs they are. */
  readonly ownGradient?: {
    /** @param wanted whether the gradient of each input is wanted */
    asked(attributes: A, wanted: readonly boolean[]): A;
    made(outputs: readonly Tensor[], attributes: A): (Tensor | undefined)[];
  };
  /** Inputs that the op writes in place; they must be states. */
  readonly updates?: readonly number[];
  /** Pairs [output, input] that may share memory when that input dies here: elementwise, same index read before it is written. */
  readonly mayAlias?: readonly (readonly [number, number])[];
  /** Multiply-adds count as two; only matrix work counts. */
  flops?(inputs: readonly TensorType[], attributes: A): number;
  /** The sizes by letter, as the op's signature has them. */
  sizes(types: readonly TensorType[], attributes: A): Readonly<Record<string, number>>;
  /** The outputs that a node with these attributes makes, in order, by the signature's names. */
  outputNames(attributes: A): readonly string[];
  /** Tensors, or what stands for them, by the signature's names. */
  byName<T>(inputs: readonly T[], outputs: readonly T[], attributes: A): { readonly inputs: ByName<T>; readonly outputs: ByName<T> };
}

/** A list where the signature takes any number; missing names are not there. */
export type ByName<T> = Readonly<Record<string, T | readonly T[] | undefined>>;

/** What an op says of itself in words that need no tensors. */
export interface OpProperties<A extends Attributes> {
  readonly name: string;
  /** Cheap enough to run again in the backward pass instead of keeping its output (norms, activations; never matrix products); its inputs should be needed there anyway. */
  readonly recomputable: boolean;
  /** The output is the sum of the inputs, element by element. */
  readonly sums?: boolean;
  /** The output is a number about whole inputs, such as a norm. */
  readonly measures?: boolean;
  /** Small cases with odd sizes on which every backend and the gradient are checked because the op exists. */
  readonly examples: readonly Example<A>[];
}

/** The node whose gradient is made. */
export interface GradientContext<A extends Attributes> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly doutputs: readonly (Tensor | undefined)[];
  readonly attributes: A;
}

/** A case on which an op is checked. */
export interface Example<A extends Attributes> {
  readonly inputs: readonly ExampleInput[];
  readonly attributes: A;
  /** Largest difference from the reference that its own rounding explains, where that is more than a backend's. */
  readonly tolerance?: number;
  /** How many rows of the outputs are compared, where those behind are rows that are not computed. */
  readonly liveRows?: number;
  /** False where the op has no gradient with these inputs and attributes, or where rounding leaves no slope. */
  readonly differentiable?: false;
}

/**
 * How to fill an input of an example: standard normals times `scale` plus `offset`, or integers in [0, below), or exactly `values`; layouts other
 * than f32 and i32 by random bytes.
 */
export interface ExampleInput extends TensorType {
  /** "weight" makes it one, as layouts other than f32 and i32 do by themselves. */
  readonly role?: Role;
  readonly scale?: number;
  readonly offset?: number;
  readonly below?: number;
  readonly values?: readonly number[];
  /** False for floats that the op has no gradient for. */
  readonly differentiable?: false;
}
