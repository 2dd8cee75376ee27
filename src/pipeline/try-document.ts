// One document's way through the steps of a source, to look at a recipe. Steps over all documents say what they would need of the others, and let it through.
import {
  CleanDocument,
  type Facts,
  isDropped,
  isStatisticStep,
  KeyList,
  type OpenedCorpusStep,
  openStages,
  type StepEntries,
} from "../clean/index.ts";
import { filesFrom } from "./step-files.ts";

/** What one step did. */
export interface TriedStep {
  readonly step: string;
  readonly did: "kept" | "rewrote" | "dropped" | "cut" | "compares documents" | "measures documents";
  readonly reason?: string;
  /** The sentence of the reason. */
  readonly because?: string;
  /** What a step over all documents needs to decide about this one. */
  readonly needs?: string;
  readonly measured?: number | string;
  readonly limit?: number | string;
  /** What the step found out about the document. */
  readonly facts?: Facts;
  /** The text behind a step that changed it, or the first part of one that was cut. */
  readonly text?: string;
}

/** A document and what is known of it. */
export interface TriedDocument {
  readonly text: string;
  readonly facts?: Facts;
}

/**
 * The document's way, up to the step that drops it; of one that is cut, its first part's.
 * @param folder the folder that paths in steps start from @throws CriaError where steps are wrong
 */
export async function tryDocument(
  steps: StepEntries,
  { text, facts = {} }: TriedDocument,
  name: string,
  folder: string,
): Promise<readonly TriedStep[]> {
  const tried: TriedStep[] = [];
  let current = new CleanDocument(text, facts);
  for (const { cut, chain, behind } of await openStages(steps, { name, files: filesFrom(folder) })) {
    if (cut !== undefined) {
      const parts = [...cut.step.parts(current)];
      const { text } = parts[0] ?? current;
      tried.push({ step: cut.row.name, ...(parts.length > 1 ? { did: "cut", measured: parts.length, text } : { did: "kept" }) });
      current = parts[0] ?? current;
    }
    const { outcomes } = chain.apply(current);
    for (const [i, outcome] of outcomes.entries()) {
      const { row } = chain.steps[i]!;
      if (isDropped(outcome)) return [...tried, { step: row.name, did: "dropped", because: row.reasons[outcome.reason] ?? "", ...outcome }];
      const did = outcome.text === current.text ? { did: "kept" as const } : { did: "rewrote" as const, text: outcome.text };
      tried.push({ step: row.name, ...did, ...newFacts(current.facts, outcome.facts) });
      current = outcome;
    }
    if (behind !== undefined) tried.push(triedOverAll(behind, current));
  }
  return tried;
}

/** What stands in the facts behind a step that did not stand there before it. */
function newFacts(before: Facts, behind: Facts): Pick<TriedStep, "facts"> {
  const found = Object.entries(behind).filter(([name, value]) => before[name] !== value);
  return found.length === 0 ? {} : { facts: Object.fromEntries(found) };
}

function triedOverAll({ row: { name }, step }: OpenedCorpusStep, document: CleanDocument): TriedStep {
  if (!isStatisticStep(step)) {
    const keys = new KeyList();
    step.addKeys(document, keys);
    return {
      step: name,
      did: "compares documents",
      needs: `decided by prepare, which holds ${keys.count} ${keys.count === 1 ? "hash" : "hashes"} of this one against those of the source`,
    };
  }
  const group = step.groupOf(document);
  if (group === undefined) return { step: name, did: "kept" };
  const whose = group === "" ? "the documents of the source" : `the source's documents of "${group}"`;
  return {
    step: name,
    did: "measures documents",
    measured: step.measure(document),
    needs: `decides by what a sample of ${whose} comes to`,
  };
}
