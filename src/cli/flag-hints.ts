// What options of the library are called on the command line, behind a message that names them as the way out.
import { CriaError, UsageError } from "../base/index.ts";
import type { FlagRow } from "./command.ts";

/** Options whose flag has another name. */
const flagOf: Readonly<Record<string, string>> = {
  ...{ contextLength: "context", cacheType: "cache", maxShardBytes: "shard-bytes" },
  ...{ contextEnd: "context-end", maxTokens: "max-tokens" },
};

/** An error with the command's flags behind its message, such as "(--resume, --out)"; the error itself where its way out is none of them. */
export function withFlags(error: unknown, flags: readonly FlagRow[]): unknown {
  if (!(error instanceof CriaError)) return error;
  const found = error.ways.map((way) => flagOf[way] ?? way).filter((name) => flags.some((flag) => flag.name === name));
  if (found.length === 0) return error;
  const message = `${error.message.slice(`[${error.where}] `.length)} (${found.map((name) => `--${name}`).join(", ")})`;
  return new (error instanceof UsageError ? UsageError : CriaError)(error.where, message, { cause: error });
}
