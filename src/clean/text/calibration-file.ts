// The calibrations of a classifier's labels, as `cria data classifier` writes them beside its model.
import { z } from "zod";
import { didYouMean, fail, parseJson } from "../../base/index.ts";
import type { Calibration } from "../../fasttext/index.ts";
import { parseWith } from "../../schema/index.ts";

const form = z.object({ labels: z.record(z.string(), z.object({ slope: z.number(), intercept: z.number() })) });

/** The calibration of a label. @throws CriaError where the file is of another kind, or has none of the label */
export function readCalibration(path: string, bytes: Uint8Array, label: string): Calibration {
  const { labels } = parseWith(form, parseJson("data", path, new TextDecoder().decode(bytes)), "data", path);
  const names = Object.keys(labels);
  return (
    labels[label] ??
    fail("data", `${path}: it has no calibration of "${label}"${didYouMean(label, names) || `, but of ${names.join(", ")}`}`)
  );
}
