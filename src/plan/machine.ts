// What a plan runs on: a named accelerator, or another machine as someone has measured it.
import { type Accelerator, type Arithmetic, peakOf } from "./accelerators.ts";
import { computationUtilisation } from "./computation.ts";

/** The source of a number that was asked for, and of one that stands for a person's own. */
export const [given, example] = ["given", "an example"] as const;

/** A machine that a plan runs on. */
export interface Machine {
  readonly name: string;
  readonly count: number;
  readonly arithmetic: Arithmetic;
  /** FLOP/s of one. */
  readonly peak: number;
  /** Model FLOPs utilisation, 0 to 1, and why that. */
  readonly utilisation: number;
  readonly utilisationSource: string;
  /** That of a whole run in this arithmetic, whose waiting and communication it holds. */
  readonly isPublishedUtilisation: boolean;
  /** What is left of a published one when its run's own layout costs nothing; absent where that is not known. */
  readonly computation?: number;
  /** Watts and US dollars per hour of one, where known. */
  readonly watts?: number;
  readonly price?: number;
  /** {@link given}, or {@link example}: a row's, which nobody pays. */
  readonly priceSource?: string;
  /** Ours, where a step was measured. */
  readonly isHere: boolean;
  /** Whose numbers a board's are. */
  readonly source?: string;
  /** The processor of this machine, and what its programs are compiled for. */
  readonly processor?: string;
  /** Absent for this machine. */
  readonly accelerator?: Accelerator;
}

/** What is asked for instead of the rows. */
export interface MachineAsked {
  /** Absent for this machine. */
  readonly board?: Accelerator;
  readonly gpus: number;
  readonly utilisation?: number;
  readonly price?: number;
  readonly watts?: number;
  readonly arithmetic?: Arithmetic;
}

/** A machine of so many accelerators of one kind, at its data sheet's peak and a published run's utilisation. */
export function namedMachine(row: Accelerator, asked: MachineAsked): Machine {
  const chosen = peakOf(row, asked.arithmetic);
  return {
    ...{ name: row.name, count: asked.gpus, ...chosen, accelerator: row, isHere: false, source: row.source },
    ...utilisationFor(row, chosen.arithmetic, asked.utilisation),
    watts: asked.watts ?? row.power,
    price: asked.price ?? row.price,
    priceSource: asked.price === undefined ? example : given,
  };
}

type Utilised = Pick<Machine, "utilisation" | "utilisationSource" | "isPublishedUtilisation" | "computation">;

/** Published runs are of 16 bits: in others their share of the peak is a guess. */
function utilisationFor(row: Accelerator, arithmetic: Arithmetic, said: number | undefined): Utilised {
  if (said !== undefined) return { utilisation: said, utilisationSource: given, isPublishedUtilisation: false };
  const { share, source, isGuess } = row.utilisation;
  if (isGuess) return { utilisation: share, utilisationSource: source, isPublishedUtilisation: false };
  if (arithmetic === "float32" || arithmetic === "tf32")
    return {
      utilisation: share,
      utilisationSource: `a guess: measured in ${peakOf(row).arithmetic}, ${source}`,
      isPublishedUtilisation: false,
    };
  const computation = computationUtilisation(row);
  return { utilisation: share, utilisationSource: source, isPublishedUtilisation: true, ...(computation !== undefined && { computation }) };
}
