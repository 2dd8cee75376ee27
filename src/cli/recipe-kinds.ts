// The two kinds of recipe, for data and for training: a command that is given the other one says which command reads it.
import { z } from "zod";
import { isObject, UsageError } from "../base/index.ts";
import { type DataRecipe, dataRecipe, readYaml } from "../corpus/index.ts";
import { parseWith } from "../schema/index.ts";
import type { CommandIo } from "./command.ts";
import { callAgain } from "./hints.ts";

/** The recipe of data at a path. @throws UsageError where it is one of training; CriaError where it cannot be read or is no recipe */
export async function readDataRecipe(path: string, where: string, io: Pick<CommandIo, "caller">): Promise<DataRecipe> {
  const found = await readYaml(path, z.unknown(), where);
  if (isObject(found) && found.sources === undefined && ["data", "model", "steps"].some((key) => key in found))
    throw new UsageError(where, `${path} is a recipe of training, not of data: ${callAgain(io.caller, "train", path)} follows it`);
  return parseWith(dataRecipe, found, where, path);
}

/** @throws UsageError where there is a recipe of data at a path */
export async function refuseDataRecipe(path: string, where: string, { caller }: Pick<CommandIo, "caller">): Promise<void> {
  const found = await readYaml(path, z.unknown(), where);
  if (!isObject(found) || !("sources" in found) || "model" in found) return;
  const prepare = callAgain(caller, "data", "prepare", path, "--tokenizer", "TOKENIZER", "--out", "data");
  throw new UsageError(
    where,
    `${path} is a recipe of data, not of training: ${prepare} follows it, and a recipe of training names what that makes`,
  );
}
