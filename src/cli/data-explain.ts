// cria data explain: which words and n-grams of a text speak for a classifier's label, and which against.
import { cutText, UsageError } from "../base/index.ts";
import { readCalibration } from "../clean/index.ts";
import { calibrated, type Explanation, FastTextExplainer, readFastText } from "../fasttext/index.ts";
import { filesFrom } from "../pipeline/index.ts";
import type { Command } from "./command.ts";
import { required, stringFlag, wholeFlag } from "./flag-values.ts";
import { openAndTell, textFlags, textOptions } from "./text-flags.ts";

const where = "data explain";

/** The command `cria data explain`. */
export const explainCommand: Command = {
  name: "explain",
  summary: "tell which words and n-grams of texts speak for a label of a classifier, and which against",
  usage: "MODEL --label LABEL TEXT...",
  flags: [
    { name: "label", type: "string", required: true, help: "the label that is explained" },
    {
      name: "against",
      type: "string",
      value: "LABEL",
      help: "the label that it is held against (the most probable of the others unless given)",
    },
    { name: "calibration", type: "string", value: "FILE", help: "tell the calibrated probability, too" },
    { name: "most", type: "number", help: "n-grams that are told for each side (10 unless given)" },
    ...textFlags,
  ],
  async run([model, ...paths], flags, io) {
    const label = required(stringFlag(flags, "label"), where, "label");
    if (model === undefined || paths.length === 0) throw new UsageError(where, "name a model and texts: MODEL --label LABEL TEXT...");
    const most = wholeFlag(flags, where, "most") ?? 10;
    const files = filesFrom(".");
    const explainer = new FastTextExplainer(readFastText(model, await files.read(model)));
    const named = stringFlag(flags, "calibration");
    const calibration = named === undefined ? undefined : readCalibration(named, await files.read(named), label);
    await using texts = await openAndTell(paths, textOptions(flags, where), io, where);
    for await (const text of texts.documents({ signal: io.signal })) {
      const explanation = explainer.explain(text, label, stringFlag(flags, "against"));
      const { probability, ngrams } = explanation;
      const kept = [
        ...ngrams.filter(({ logOdds }) => logOdds > 0).slice(0, most),
        ...ngrams.filter(({ logOdds }) => logOdds < 0).slice(0, most),
      ];
      const said = { ...explanation, ...(calibration && { calibrated: calibrated(probability, calibration) }), ngrams: kept };
      io.stdout(io.json ? `${JSON.stringify(said)}\n` : told(text, said));
    }
    return 0;
  },
};

function told(
  text: string,
  { label, against, probability, calibrated, logOdds, ngrams }: Explanation & { readonly calibrated?: number },
): string {
  const [beginning = ""] = cutText(text.replace(/\s+/g, " ").trim(), 60);
  const more = calibrated === undefined ? "" : `, calibrated ${calibrated.toFixed(4)}`;
  const rows = ngrams.map(
    ({ ngram, times, logOdds }) => `  ${logOdds > 0 ? "+" : ""}${logOdds.toFixed(4)}  ${ngram}${times > 1 ? ` (${times} times)` : ""}\n`,
  );
  return `${beginning}\n  "${label}": ${probability.toFixed(4)}${more}; log-odds against "${against}": ${logOdds.toFixed(4)}\n${rows.join("")}`;
}
