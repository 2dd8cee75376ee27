// How an op is written: one record with a signature, in which everything is reached by name.
import { check, fail } from "../base/index.ts";
import type { Attributes, Op, OpProperties } from "./op.ts";
import {
  bare,
  listed,
  type Matched,
  match,
  type Named,
  type NamedValues,
  type NameOf,
  named,
  namesOf,
  type Patterns,
  placeOf,
  type Sizes,
  typeOf,
} from "./signature.ts";
import type { Tensor, TensorType } from "./tensor.ts";

/** I and O are the patterns of inputs and outputs, E the sizes that the op adds to those it reads off the inputs. */
export interface OpRecord<A extends Attributes, I extends Patterns, O extends Patterns, E> extends OpProperties<A> {
  /** What it takes; where that depends on attributes, with the same names and letters. */
  readonly inputs: I | ((attributes: A) => I);
  /** What it makes. A name that ends in `?` is made unless `omits` lists it. */
  readonly outputs: O;
  omits?(attributes: A): readonly NameOf<O>[];
  /** Sizes that follow from those of the inputs and from attributes, after checks of its own; they must agree with what the inputs say. */
  sizes?(sizes: Sizes<I>, attributes: A, types: Named<I, TensorType>): E;
  /** The slow meaning and judge: fills `outputs` (zeroed) and, where the op updates in place, `inputs`. */
  reference(inputs: NamedValues<I>, outputs: NamedValues<O>, sizes: Sizes<I> & E, attributes: A): void;
  /**
   * Appends the gradient and returns d(loss)/d(input) by the inputs' names; what is left out gets none (integers, or nothing to differentiate).
   * @param gradients d(loss)/d(output) by the outputs' names; where there are several, those that do not reach the loss are undefined.
   */
  gradient?(tensors: Named<I, Tensor> & Named<O, Tensor>, gradients: OutputGradients<O>, attributes: A): InputGradients<I>;
  /** How an op whose first output may be the loss itself makes its own gradients. */
  readonly ownGradient?: {
    /** The node's attributes, changed so that it makes those of the wanted inputs as further outputs. */
    asked(attributes: A, wanted: Named<I, boolean>): A;
    /** Which of the outputs they are, by the inputs' names. */
    made(outputs: Named<O, Tensor>): InputGradients<I>;
  };
  /** Inputs that the op writes in place; they must be states. */
  readonly updates?: readonly NameOf<I>[];
  /** Output → inputs with which it may share memory when these die here: elementwise, same index read before it is written. */
  readonly mayAlias?: { readonly [N in NameOf<O>]?: readonly NameOf<I>[] };
  flops?(sizes: Sizes<I> & E, attributes: A): number;
}

type InputGradients<I extends Patterns> = { readonly [N in NameOf<I>]?: Tensor | undefined };
type OutputGradients<O extends Patterns> =
  IsOne<NameOf<O>> extends true ? { readonly [N in NameOf<O>]: Tensor } : { readonly [N in NameOf<O>]?: Tensor | undefined };
type IsOne<U, All = U> = U extends unknown ? ([All] extends [U] ? true : false) : never;

/** An op with its types: what is applied to tensors by name, and what a lowering is typed by. */
export interface TypedOp<A extends Attributes, I extends Patterns, O extends Patterns, E> extends Op<A> {
  /** Appends a node to the graph of the inputs. @throws CriaError when the shape rule does not hold. */
  apply(inputs: Named<I, Tensor>, attributes: A): Named<O, Tensor>;
  sizes(types: readonly TensorType[], attributes: A): Sizes<I> & E;
}

type NoSizes = Readonly<Record<never, never>>;

/** Called as `defineOp<Attributes>()({ … })`, so that patterns are inferred where attributes are said. */
export function defineOp<A extends Attributes>() {
  return <const I extends Patterns, const O extends Patterns, E = NoSizes>(record: OpRecord<A, I, O, E>): TypedOp<A, I, O, E> => {
    const { name, recomputable, sums = false, measures = false, examples, gradient, ownGradient, updates, mayAlias, flops } = record;
    const by = new ByNames(record);
    return {
      ...{ name, recomputable, sums, measures, examples },
      sizes: (types, attributes) => by.sizes(types, attributes),
      outputNames: (attributes) => by.outputNames(attributes),
      shape: (types, attributes) => by.outputTypes(types, attributes),
      reference(inputs, outputs, attributes, types) {
        const [given, made] = [by.inputs(inputs, attributes), by.outputs(outputs, attributes)];
        record.reference(given as NamedValues<I>, made as NamedValues<O>, by.sizes(types, attributes), attributes);
      },
      byName: (inputs, outputs, attributes) => ({ inputs: by.inputs(inputs, attributes), outputs: by.outputs(outputs, attributes) }),
      apply(inputs, attributes) {
        const list = listed<Tensor>(by.inputNames(attributes), inputs);
        const { graph } = list[0] ?? fail(name, "has no inputs: give it at least one");
        return by.outputs(graph.apply(this, list, attributes), attributes);
      },
      ...(gradient && {
        gradient({ inputs, outputs, doutputs, attributes }) {
          const tensors = { ...by.inputs(inputs, attributes), ...by.outputs(outputs, attributes) };
          const gradients = by.outputs(doutputs, attributes) as OutputGradients<O>;
          return by.inOrder(gradient(tensors, gradients, attributes), attributes);
        },
      }),
      ...(ownGradient && {
        ownGradient: {
          asked: (attributes, wanted) => ownGradient.asked(attributes, by.inputs(wanted, attributes)),
          made: (outputs, attributes) => by.inOrder(ownGradient.made(by.outputs(outputs, attributes)), attributes),
        },
      }),
      ...(updates && { updates: updates.map((input) => placeOf(by.fixedNames, input)) }),
      ...(mayAlias && { mayAlias: pairs(mayAlias, namesOf(record.outputs), by.fixedNames) }),
      ...(flops && { flops: (types, attributes) => flops(by.sizes(types, attributes), attributes) }),
    };
  };
}

/** Lists of tensors, or of what stands for them, by the names of an op's signature, and the sizes that these have. */
class ByNames<A extends Attributes, I extends Patterns, O extends Patterns, E> {
  /** The names of inputs whose patterns do not depend on attributes. */
  readonly fixedNames: readonly string[];
  readonly #record: OpRecord<A, I, O, E>;
  readonly #allOutputs: readonly string[];
  /** What was matched for a node, by its list of inputs: sizes are read off when a node is made, and asked for again when it is lowered. */
  readonly #matchedOf = new WeakMap<readonly TensorType[], { readonly attributes: A; readonly matched: Matched }>();

  constructor(record: OpRecord<A, I, O, E>) {
    this.#record = record;
    this.#allOutputs = namesOf(record.outputs);
    this.fixedNames = typeof record.inputs === "function" ? [] : Object.keys(record.inputs);
  }

  inputNames(attributes: A): readonly string[] {
    return namesOf(this.#patterns(attributes));
  }

  outputNames(attributes: A): readonly string[] {
    const omitted: readonly string[] = this.#record.omits?.(attributes) ?? [];
    return omitted.length === 0 ? this.#allOutputs : this.#allOutputs.filter((output) => !omitted.includes(bare(output)));
  }

  // What is by name here has the names of I and O: the lists were held against the patterns when the node was made.
  inputs<T>(list: readonly T[], attributes: A): Named<I, T> {
    return named(this.inputNames(attributes), list) as Named<I, T>;
  }

  outputs<T>(list: readonly T[], attributes: A): Named<O, T> {
    return named(this.outputNames(attributes), list) as Named<O, T>;
  }

  /** Gradients by the inputs' names as a list of all inputs. */
  inOrder(gradients: InputGradients<I>, attributes: A): (Tensor | undefined)[] {
    const byName: Readonly<Record<string, Tensor | undefined>> = gradients;
    return this.inputNames(attributes).map((input) => byName[bare(input)]);
  }

  sizes(types: readonly TensorType[], attributes: A): Sizes<I> & E {
    return this.#match(types, attributes).sizes as Sizes<I> & E;
  }

  outputTypes(types: readonly TensorType[], attributes: A): TensorType[] {
    const { name, outputs } = this.#record;
    const patterns: Patterns = outputs;
    const matched = this.#match(types, attributes);
    return this.outputNames(attributes).map((output) => typeOf(name, patterns[output] ?? "any", matched));
  }

  #patterns(attributes: A): I {
    const { inputs } = this.#record;
    return typeof inputs === "function" ? inputs(attributes) : inputs;
  }

  #match(types: readonly TensorType[], attributes: A): Matched {
    const known = this.#matchedOf.get(types);
    if (known?.attributes === attributes) return known.matched;
    const matched = this.#matchAnew(types, attributes);
    this.#matchedOf.set(types, { attributes, matched });
    return matched;
  }

  #matchAnew(types: readonly TensorType[], attributes: A): Matched {
    const { name } = this.#record;
    const matched = match(name, types, this.#patterns(attributes));
    const derived = this.#record.sizes?.(matched.sizes as Sizes<I>, attributes, this.inputs(types, attributes)) ?? {};
    for (const [letter, size] of Object.entries<number>(derived)) {
      matched.sizes[letter] ??= size;
      const known = matched.sizes[letter];
      check(known === size, name, () => `${letter} is ${known} by one input and ${size} by the others: they must agree`);
    }
    return matched;
  }
}

function pairs(mayAlias: Readonly<Record<string, readonly string[] | undefined>>, outputs: readonly string[], inputs: readonly string[]) {
  return Object.entries(mayAlias).flatMap(([output, from = []]) =>
    from.map((input) => [placeOf(outputs, output), placeOf(inputs, input)] as const),
  );
}
