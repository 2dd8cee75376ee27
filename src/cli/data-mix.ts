// cria data mix: what a budget of tokens means for each source of prepared data, as in table 1 of the paper: tokens, epochs, and what is repeated too often.
import { parseQuantity, UsageError } from "../base/index.ts";
import { type Manifest, PreparedData } from "../corpus/index.ts";
import type { Command } from "./command.ts";
import { onlyArgument, table } from "./data-text.ts";
import { required, stringFlag } from "./flag-values.ts";

const where = "data mix";
/** Repeating data up to about so often is as good as new data (Muennighoff et al. 2023, arXiv 2305.16264, section 6). */
const mostEpochs = 4;

/** What a budget takes of one source. */
interface SourceMix {
  readonly name: string;
  /** The share of the training tokens, of 1. */
  readonly share: number;
  /** Tokens that the source has. */
  readonly has: number;
  /** Tokens of the budget that are the source's. */
  readonly takes: number;
  /** How often each of its tokens is seen, on average. */
  readonly epochs: number;
}

/** Tells what a budget of tokens takes of each source. */
export const mixCommand: Command = {
  name: "mix",
  summary: "how often a budget of tokens goes through each source of prepared data",
  usage: "DIR --tokens N",
  flags: [{ name: "tokens", type: "string", value: "N", required: true, help: "tokens that training will see, such as 300M or 1.4T" }],
  async run(args, flags, io) {
    const folder = onlyArgument(args, where, "DIR");
    const text = required(stringFlag(flags, "tokens"), where, "tokens");
    const tokens = parseQuantity(text);
    if (!(tokens >= 1)) throw new UsageError(where, `--tokens is "${text}" but must be a number of tokens, such as 300M`);
    await using data = await PreparedData.open(folder);
    const sources = mixOf(data.manifest, tokens);
    const repeated = sources.filter(({ epochs }) => epochs > mostEpochs);
    if (io.json) io.stdout(`${JSON.stringify({ data: folder, tokens, sources })}\n`);
    else io.stdout(`${folder}: ${Math.round(tokens).toLocaleString("en-US")} tokens\n${mixTable(sources)}`);
    if (repeated.length > 0) io.stderr(repeatedNote(repeated, sources.length));
    return 0;
  },
};

function mixOf({ sources }: Manifest, tokens: number): readonly SourceMix[] {
  const weights = sources.reduce((sum, { weight }) => sum + weight, 0);
  return sources.map(({ name, weight, tokens: has }) => {
    const takes = (tokens * weight) / weights;
    return { name, share: weight / weights, has, takes, epochs: takes / has };
  });
}

/** One sentence for all sources that are repeated too often, those that are the most often first. */
function repeatedNote(repeated: readonly SourceMix[], all: number): string {
  const named = [...repeated].sort((a, b) => b.epochs - a.epochs).map(({ name, epochs }) => `"${name}" ${epochs.toFixed(1)} times`);
  const [are, them] = repeated.length === 1 ? ["is", "its weight, or give it"] : ["are", "their weights, or give them"];
  return `note: ${repeated.length} of ${all} sources ${are} gone through more often than about ${mostEpochs} times, beyond which repeated data teaches less and less (Muennighoff et al. 2023): ${named.join(", ")}: lower ${them} more text\n`;
}

function mixTable(sources: readonly SourceMix[]): string {
  const whole = (value: number) => Math.round(value).toLocaleString("en-US");
  const rows = sources.map(({ name, share, has, takes, epochs }) => [
    name,
    `${(100 * share).toFixed(1)} %`,
    whole(has),
    whole(takes),
    epochs.toFixed(2),
  ]);
  return table([["source", "share", "tokens", "of the budget", "epochs"], ...rows]);
}
