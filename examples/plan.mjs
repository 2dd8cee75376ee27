// What a budget comes to, on paper: node examples/plan.mjs
import { accelerator, buildReport, fitLaw, laws, llamaBatchTokens, lossOf, namedMachine, solve } from "cria/plan";

const law = laws.besiroglu;
const { parameters, tokens, loss } = solve(law, { flops: 1e22 });
console.log(`1e22 operations: ${(parameters / 1e9).toFixed(1)}B parameters, ${(tokens / 1e9).toFixed(0)}B tokens, loss ${loss.toFixed(2)}`);

// The same as cria plan has it, with the machine, memory and time.
const machine = { board: accelerator("h100-sxm"), gpus: 64 };
const budget = { kind: "hours", value: 24 };
const question = { given: {}, budget, machine, isPapersTokens: false, isCluster: true, batchTokens: llamaBatchTokens, law };
const { plan, run, layouts } = buildReport(question, namedMachine(machine.board, machine));
console.log(`${run.hours.toFixed(0)} hours on ${machine.gpus} of them: ${(plan.parameters / 1e9).toFixed(1)}B parameters`);
console.log(`the fastest layout: tensor ${layouts[0].tensor}, pipeline ${layouts[0].pipeline}, data ${layouts[0].data}`);

// A law of one's own, through finished runs.
const sizes = [1e6, 4e6, 16e6].flatMap((n) => [20e6, 80e6, 320e6].map((d) => ({ parameters: n, tokens: d })));
const fit = fitLaw(sizes.map((run) => ({ ...run, loss: lossOf(law, run) })));
console.log(`fitted to its own points, alpha is ${fit.law.alpha.toFixed(2)}, where it was ${law.alpha.toFixed(2)}`);
