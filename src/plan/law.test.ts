import { expect, test } from "vitest";
import {
  laws,
  lossOf,
  optimumForCompute,
  optimumForLoss,
  optimumForParameters,
  optimumForTokens,
  parametersForLoss,
  rootRuleForCompute,
  type ScalingLaw,
  solve,
  tokensForLoss,
  trainingFlops,
} from "./index.ts";

const { hoffmann, besiroglu } = laws;
/** What LLaMA's introduction says that Hoffmann et al. recommend, and their table 3 gives for 10B parameters: 1.23e22 operations. */
const tenB = { parameters: 10e9, tokens: 205.1e9 };
const compute = 1.23e22;

test("for the compute of 10B parameters: 10B on 200B tokens by the refit and by 20 per parameter; approach 3 as printed asks for fewer on more", () => {
  expect(trainingFlops(tenB)).toBeCloseTo(compute, -20);
  for (const { parameters, tokens } of [optimumForCompute(besiroglu, compute), rootRuleForCompute(compute)]) {
    expect(parameters / 1e9).toBeCloseTo(10.1, 1);
    expect(Math.abs(tokens / 203e9 - 1)).toBeLessThan(0.01);
  }
  // Besiroglu et al. 2024: the printed numbers contradict the paper's 20 tokens per parameter.
  const third = optimumForCompute(hoffmann, compute);
  expect([third.parameters / 1e9, third.tokens / 1e9].map(Math.round)).toEqual([6, 362]);
});

test("Chinchilla's own budget: 70B on 1.4T by 20 tokens per parameter", () => {
  const { parameters, tokens } = rootRuleForCompute(6 * 70e9 * 1.4e12);
  expect([parameters, tokens].map((value) => value.toPrecision(12))).toEqual([70e9, 1.4e12].map((value) => value.toPrecision(12)));
});

test.each(Object.values(laws))("$name: the optimum for operations, loss, parameters and tokens is one and the same", (law: ScalingLaw) => {
  const best = optimumForCompute(law, compute);
  const loss = lossOf(law, best);
  for (const other of [optimumForLoss(law, loss), optimumForParameters(law, best.parameters), optimumForTokens(law, best.tokens)]) {
    expect(other.parameters / best.parameters).toBeCloseTo(1, 9);
    expect(other.tokens / best.tokens).toBeCloseTo(1, 9);
  }
  for (const factor of [0.9, 1.1])
    expect(lossOf(law, { parameters: best.parameters * factor, tokens: best.tokens / factor })).toBeGreaterThan(loss);
  expect(tokensForLoss(law, best.parameters, loss)! / best.tokens).toBeCloseTo(1, 9);
  expect(parametersForLoss(law, best.tokens, loss)! / best.parameters).toBeCloseTo(1, 9);
});

test("any two decide the rest", () => {
  const whole = solve(besiroglu, { parameters: 7e9, tokens: 1e12 });
  const { parameters, tokens, flops, loss } = whole;
  for (const given of [
    { parameters, flops },
    { tokens, flops },
    { parameters, loss },
    { tokens, loss },
    { flops, loss },
  ]) {
    const found = solve(besiroglu, given);
    for (const key of ["parameters", "tokens", "flops", "loss"] as const) expect(found[key] / whole[key]).toBeCloseTo(1, 6);
  }
});

test("what cannot be is refused, and the message says what could", () => {
  const refused = (given: Parameters<typeof solve>[1]) => expect(() => solve(besiroglu, given));
  refused({}).toThrow(/nothing is given/);
  refused({ flops: 1e22, parameters: 1e9, tokens: 1e12 }).toThrow(/flops, parameters, tokens are given/);
  refused({ flops: Number.NaN }).toThrow(/flops is NaN/);
  refused({ tokens: -1 }).toThrow(/tokens is -1/);
  refused({ loss: 1.8 }).toThrow(/1\.8 is not above 1\.8172/);
  refused({ loss: 1.23456789 }).toThrow(/loss 1\.23457 is not above/);
  refused({ loss: 2, parameters: 1e9 }).toThrow(/1B parameters do not get below the loss 2\.\d+/);
  refused({ loss: 2, tokens: 1e9 }).toThrow(/1B tokens do not bring any model below the loss/);
  refused({ loss: 2, flops: 1e20 }).toThrow(/the loss 2 takes \d\.\d\de\d\d operations .* but 1\.00e20 are there/);
});
