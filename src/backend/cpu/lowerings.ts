// What each op becomes on the CPU: one row an op, kernels of the library with the node's sizes as constants.
import { type Precision, sizeOf } from "../../base/index.ts";
import type { ActivationAttributes, AttentionAttributes, MatmulForm, Node, RopeAttributes, Tensor } from "../../graph/index.ts";
import * as library from "../../kernel/index.ts";
import type { Lowering } from "./lower.ts";

type Row = (to: Lowering, node: Node) => void;

export const lowerings: Readonly<Record<string, Row>> = {
  embedding: (to, { inputs: [table, tokens], outputs: [y] }) => {
    const [vocabulary, channels] = sizes(table!);
    to.call(library.embeddingRows, { rows: count(tokens!), channels, vocabulary }, addresses(to, table!, tokens!, y!));
  },
  embeddingGradient: (to, { inputs: [tokens, dy], outputs: [dTable] }) => {
    const [vocabulary, channels] = sizes(dTable!);
    to.call(library.embeddingGradient, { rows: count(tokens!), channels, vocabulary }, addresses(to, tokens!, dy!, dTable!));
  },
  matmul: (to, { inputs: [a, b], outputs: [c], attributes }) => {
    const form = attributes.form as MatmulForm;
    const [m, n] = sizes(c!);
    const precision = attributes.precision as Precision;
    product(to, { form, m, n, k: count(a!) / m, precision }, to.address(a!), to.address(b!), to.address(c!));
  },
  rmsNorm: (to, { inputs: [x, gain], outputs: [y], attributes }) =>
    to.call(library.rmsNorm, { ...rowsOf(x!), epsilon: attributes.epsilon as number }, addresses(to, x!, gain!, y!)),
  rmsNormGradient: (to, { inputs: [x, gain, dy], outputs: [dx, dGain], attributes }) => {
    const { rows, channels } = rowsOf(x!);
    const units = library.normGradientUnits(rows);
    const partial = to.scratch(units * channels * 4);
    const constants = { rows, channels, epsilon: attributes.epsilon as number };
    to.call(library.rmsNormGradient, constants, [...addresses(to, x!, gain!, dy!, dx!), partial]);
    to.call(library.sumRows, { rows: units, channels }, [partial, to.address(dGain!)]);
  },
  layerNorm: (to, { inputs: [x, gain, bias], outputs: [y], attributes }) =>
    to.call(library.layerNorm, { ...rowsOf(x!), epsilon: attributes.epsilon as number }, addresses(to, x!, gain!, bias!, y!)),
  layerNormGradient: (to, { inputs: [x, gain, dy], outputs: [dx, dGain, dBias], attributes }) => {
    const { rows, channels } = rowsOf(x!);
    const units = library.normGradientUnits(rows);
    const partials = [to.scratch(units * channels * 4), to.scratch(units * channels * 4)] as const;
    const constants = { rows, channels, epsilon: attributes.epsilon as number };
    to.call(library.layerNormGradient, constants, [...addresses(to, x!, gain!, dy!, dx!), ...partials]);
    to.together(() => {
      to.call(library.sumRows, { rows: units, channels }, [partials[0], to.address(dGain!)]);
      to.call(library.sumRows, { rows: units, channels }, [partials[1], to.address(dBias!)]);
    });
  },
  rope: (to, { inputs: [x, positions], outputs: [y], attributes }) => {
    const { headDim, theta, factor, pairing, inverse } = attributes as RopeAttributes;
    const { rows, channels } = rowsOf(x!);
    const frequencies = to.table(`rope ${headDim} ${pairing} ${theta} ${factor}`, () =>
      library.ropeFrequencies({ headDim, pairing }, theta, factor),
    );
    const constants = { rows, heads: channels / headDim, headDim, pairing, inverse };
    to.call(library.rope, constants, [...addresses(to, x!, positions!), frequencies, to.address(y!)]);
  },
  attention: (to, { inputs: [q, k, v, start], outputs: [o, lse], attributes }) => {
    const { batch, heads, kvHeads } = attributes as AttentionAttributes;
    const [queryRows, width] = [sizes(q!)[0] / batch, sizes(q!)[1]];
    const shared = { batch, heads, kvHeads, headDim: width / heads };
    if (start) {
      const constants = { ...shared, queryRows, cacheRows: sizes(k!)[0] / batch };
      to.call(library.cachedAttention, constants, addresses(to, q!, k!, v!, start, o!, lse!));
    } else to.call(library.attention, { ...shared, rows: queryRows }, addresses(to, q!, k!, v!, o!, lse!));
  },
  attentionGradient: (to, { inputs, outputs, attributes }) => {
    const { batch, heads, kvHeads } = attributes as AttentionAttributes;
    const [rows, width] = sizes(inputs[0]!);
    const constants = { batch, heads, kvHeads, rows: rows / batch, headDim: width / heads };
    to.call(library.attentionGradient, constants, addresses(to, ...inputs, ...outputs));
  },
  cacheWrite: (to, { inputs: [cache, x, start] }) => {
    const { rows, channels } = rowsOf(x!);
    to.call(library.cacheWrite, { rows, cacheRows: sizes(cache!)[0], channels }, addresses(to, cache!, x!, start!));
  },
  glu: (to, { inputs: [gate, up], outputs: [y], attributes }) =>
    to.call(library.glu, { count: count(gate!), ...(attributes as ActivationAttributes) }, addresses(to, gate!, up!, y!)),
  gluGradient: (to, { inputs, outputs, attributes }) =>
    to.call(
      library.gluGradient,
      { count: count(inputs[0]!), ...(attributes as ActivationAttributes) },
      addresses(to, ...inputs, ...outputs),
    ),
  activation: (to, { inputs: [x], outputs: [y], attributes }) =>
    to.call(library.activation, { count: count(x!), ...(attributes as ActivationAttributes) }, addresses(to, x!, y!)),
  activationGradient: (to, { inputs: [x, dy], outputs: [dx], attributes }) =>
    to.call(library.activationGradient, { count: count(x!), ...(attributes as ActivationAttributes) }, addresses(to, x!, dy!, dx!)),
  add: (to, { inputs: [a, b], outputs: [y] }) => to.call(library.add, { count: count(a!) }, addresses(to, a!, b!, y!)),
  assign: (to, { inputs: [state, x] }) => to.call(library.assign, { count: count(x!) }, addresses(to, x!, state!)),
  accumulate: (to, { inputs: [state, x] }) => to.call(library.accumulate, { count: count(x!) }, addresses(to, x!, state!)),
  linearCrossEntropy: crossEntropy,
  gradientNorm: (to, { inputs, outputs: [norm] }) => {
    const units = inputs.map((gradient) => library.sumOfSquaresUnits(count(gradient)));
    const total = units.reduce((sum, n) => sum + n, 0);
    const partials = to.scratch(total * 4);
    to.together(() => {
      let at = partials;
      inputs.forEach((gradient, i) => {
        to.call(library.sumOfSquares, { count: count(gradient) }, [to.address(gradient), at]);
        at += units[i]! * 4;
      });
    });
    to.call(library.normFromPartials, { count: total }, [partials, to.address(norm!)]);
  },
  adamw: (to, { inputs, attributes }) => {
    const { beta1, beta2, epsilon, decay } = attributes as { beta1: number; beta2: number; epsilon: number; decay: number };
    to.call(library.adamw, { count: count(inputs[0]!), beta1, beta2, epsilon, decay }, addresses(to, ...inputs));
  },
};

/** Logits exist a chunk of rows at a time, in shared scratch; with the gradient, softmax − target takes their place (8 MiB or 128 rows). */
function crossEntropy(to: Lowering, { inputs: [x, w, targets], outputs: [loss, losses, dx, dw], attributes }: Node): void {
  const [vocabulary, channels] = sizes(w!);
  const rows = sizes(x!)[0];
  const gradient = attributes.gradient as boolean;
  const precision = attributes.precision as Precision;
  const chunk = Math.min(rows, Math.max(128, Math.floor((1 << 21) / vocabulary / 128) * 128));
  const inverseCount = to.scratch(4);
  const logits = to.scratch(chunk * vocabulary * 4);
  const forward = { form: "nt" as const, n: vocabulary, k: channels, precision };
  const back = { form: "nn" as const, n: channels, k: vocabulary, precision };
  const packedForward = to.scratch(library.packedBytes(to.target, forward));
  const packedBack = gradient ? to.scratch(library.packedBytes(to.target, back)) : 0;
  const packedRows = gradient ? to.scratch(library.packedBytes(to.target, { n: channels, k: chunk, precision })) : 0;
  to.together(() => {
    to.call(library.countTargets, { rows }, [to.address(targets!), inverseCount]);
    to.call(library.packMatrix, forward, [to.address(w!), packedForward]);
    if (gradient) to.call(library.packMatrix, back, [to.address(w!), packedBack]);
  });
  for (let first = 0; first < rows; first += chunk) {
    const m = Math.min(chunk, rows - first);
    const [xHere, targetsHere, lossesHere] = [
      to.address(x!) + first * channels * 4,
      to.address(targets!) + first * 4,
      to.address(losses!) + first * 4,
    ];
    to.call(library.matmul, { ...forward, m, accumulate: false }, [xHere, packedForward, logits]);
    to.call(library.softmaxCrossEntropy, { rows: m, vocabulary, gradient }, [logits, targetsHere, inverseCount, lossesHere]);
    if (!gradient) continue;
    const weight = { form: "tn" as const, n: channels, k: m, precision };
    to.together(() => {
      to.call(library.matmul, { ...back, m, accumulate: false }, [logits, packedBack, to.address(dx!) + first * channels * 4]);
      to.call(library.packMatrix, weight, [xHere, packedRows]);
    });
    to.call(library.matmul, { ...weight, m: vocabulary, accumulate: first > 0 }, [logits, packedRows, to.address(dw!)]);
  }
  to.call(library.meanLoss, { rows }, [to.address(losses!), inverseCount, to.address(loss!)]);
}

/** c = a · b: few float32 rows read b as it lies, many are worth packing it. */
function product(to: Lowering, sizes: library.MatmulSizes, a: number, b: number, c: number): void {
  const { m, ...right } = sizes;
  if (right.form === "nt" && right.precision === "float32" && m <= library.fewRows)
    return to.call(library.rowsTimesMatrix, { m, n: right.n, k: right.k }, [a, b, c]);
  const packed = to.scratch(library.packedBytes(to.target, right));
  to.call(library.packMatrix, right, [b, packed]);
  to.call(library.matmul, { ...sizes, accumulate: false }, [a, packed, c]);
}

function addresses(to: Lowering, ...tensors: Tensor[]): number[] {
  return tensors.map((tensor) => to.address(tensor));
}

function sizes(tensor: Tensor): [number, number] {
  return [tensor.shape[0]!, tensor.shape[1] ?? 1];
}

function rowsOf(tensor: Tensor): { rows: number; channels: number } {
  const [rows, channels] = sizes(tensor);
  return { rows, channels };
}

function count(tensor: Tensor): number {
  return sizeOf(tensor.shape);
}
