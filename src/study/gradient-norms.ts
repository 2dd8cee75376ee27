// Norms of the gradients of a model that has not been trained, parameter by parameter.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import type { Batch } from "../batches/index.ts";
import { gradients } from "../graph/index.ts";
import {
  type BatchSize,
  constantRows,
  initialise,
  type LlamaConfig,
  lossGraph,
  type ParameterRow,
  parameterRows,
  writeBatch,
  writePositions,
} from "../model/index.ts";

/** What one measurement is of. */
export interface Draw {
  /** The seed of the first weights. */
  readonly seed: number;
  readonly batch: Batch;
}

/** Euclidean norm of the mean loss' gradient by row name, with first weights by the rows, once a draw. */
export async function gradientNorms(
  backend: Backend,
  config: LlamaConfig,
  rows: readonly ParameterRow[],
  size: BatchSize,
  draws: readonly Draw[],
): Promise<ReadonlyMap<string, number>[]> {
  const built = lossGraph(config, size);
  const found = gradients(built.loss, [...built.trained.values()]);
  for (const gradient of found.values()) built.graph.keep(gradient);
  const states = new Map<string, DeviceBuffer>();
  const program = await BoundProgram.compile(backend, built.graph, states);
  const norms: Map<string, number>[] = [];
  try {
    await writePositions(program, config, size);
    for (const draw of draws) {
      await fill(program, states, config, rows, draw);
      await program.run();
      const bySeed = new Map<string, number>();
      for (const [row, parameter] of built.trained) bySeed.set(row.name, norm(await program.read(found.get(parameter)!)));
      norms.push(bySeed);
    }
  } finally {
    program.dispose();
    for (const buffer of states.values()) buffer.dispose();
  }
  return norms;
}

async function fill(
  program: BoundProgram,
  states: ReadonlyMap<string, DeviceBuffer>,
  config: LlamaConfig,
  rows: readonly ParameterRow[],
  { seed, batch }: Draw,
): Promise<void> {
  for (const [name, values] of initialise([...rows, ...constantRows(config)], seed)) await states.get(name)!.write(values);
  await writeBatch(program, batch);
}

/** First weights as Xiong et al. analyse them (section 3.2): Xavier's normal for matrices, embeddings of unit variance. */
export function xavier(rows: readonly ParameterRow[]): ParameterRow[] {
  return rows.map((row) => {
    if (typeof row.init !== "number") return row;
    const isTable = row.name === "embedding" || row.name === "positionTable";
    return { ...row, init: isTable ? 1 : Math.sqrt(2 / (row.shape[0]! + row.shape[1]!)) };
  });
}

/** The parameters of a config, with Xavier's first weights. */
export function xavierRows(config: LlamaConfig): ParameterRow[] {
  return xavier(parameterRows(config));
}

function norm(values: ArrayLike<number>): number {
  let square = 0;
  for (let i = 0; i < values.length; i++) square += values[i]! ** 2;
  return Math.sqrt(square);
}
