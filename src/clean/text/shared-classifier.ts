// A classifier of fastText's, whose matrices the threads of a run share.
import { FastTextClassifier, narrowModel, readFastText } from "../../fasttext/index.ts";
import type { StepFiles } from "../step.ts";

/** Opens a classifier. @throws CriaError where the file cannot be read, or is no classifier */
export async function openClassifier(path: string, files: StepFiles): Promise<FastTextClassifier> {
  const model =
    files.made === undefined
      ? readFastText(path, await files.read(path))
      : await files.made(path, "classifier", (bytes) => narrowModel(readFastText(path, bytes, { takesBytes: true })));
  return new FastTextClassifier(model);
}
