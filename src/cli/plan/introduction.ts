// What `cria plan` says of itself, before it shows one example.
import { printer } from "./text.ts";

/** The budget of Hoffmann et al.'s 10B model, which LLaMA's paper starts from. */
export const example = ["--flops", "1.23e22", "--serve-tokens", "2T"] as const;

const rows = [
  ["a budget", "--flops 1e22 · --gpu-hours 82,432 --gpu a100-80gb · --money 1M · --hours 3 (here, measured)"],
  ["a model", "--preset 65B · --parameters 3B · runs/demo or any other model's path"],
  ["data, a loss", "--tokens 1T · --loss 2.1"],
  [
    "what it is for",
    "--serve-tokens 1T: smaller models trained for longer are cheaper over their life, and a budget then buys the cheapest life that it pays for",
  ],
  ["a cluster", "--gpus 2048 --gpu a100-80gb: what fits, how fast, how long, how much carbon"],
  ["your own runs", "--fit runs: the scaling law of your text and tokenizer, and the next size"],
  ["a picture", "--plot · --svg plan.svg"],
] as const;

/** @param width of the terminal, in characters */
export function introduction(width: number): string {
  const print = printer(width);
  const asked = "cria plan answers: with this budget, a larger model or more data? Give what you know, it finds the rest:";
  const shown = `For example, cria plan ${example.join(" ")}, the budget of a 10B model on 200B tokens:`;
  return `${print.table(asked, rows)}\n${print.title(shown)}\n`;
}
