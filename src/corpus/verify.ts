// Every byte of a prepared folder, held against what was written.
import { join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import type { TokenStore } from "../batches/index.ts";
import { type HashOptions, hashFile } from "../files/index.ts";
import { filesOf, type Manifest } from "./manifest.ts";
import { PreparedData } from "./prepared.ts";

const where = "data";
const windowTokens = 1 << 20;

/** What was looked at when a prepared folder was verified, and found right. */
export interface Verification {
  readonly files: number;
  readonly bytes: number;
  /** Whether the manifest has checksums; those of older folders have none, and then only sizes, tokens and documents were looked at. */
  readonly hasChecksums: boolean;
}

/** SHA-256 of every file of a folder, by its name. */
export async function checksumsOf(folder: string, manifest: Manifest, options: HashOptions = {}): Promise<Record<string, string>> {
  const rows: [string, string][] = [];
  for (const name of filesOf(manifest)) rows.push([name, await hashFile(join(folder, name), where, options)]);
  return Object.fromEntries(rows);
}

/**
 * Reads every file of a prepared folder: its checksum, where the manifest has one, that every token is in the vocabulary, and that documents start
 * where tokens are.
 * @throws CriaError naming every file that is not what was written; the signal's reason when it aborts
 */
export async function verifyPrepared(
  folder: string,
  { progress, signal }: { readonly progress?: OnProgress; readonly signal?: AbortSignal } = {},
): Promise<Verification> {
  await using data = await PreparedData.open(folder);
  const { manifest } = data;
  const names = filesOf(manifest);
  let bytes = 0;
  const onBytes = (more: number) => {
    bytes += more;
    progress?.({ task: "verifying", done: bytes, unit: "bytes" });
  };
  const found = await checksumsOf(folder, manifest, { signal, onBytes });
  const { checksums } = manifest;
  const isOther = (name: string) => checksums !== undefined && checksums[name] !== found[name];
  const others = names.filter(isOther);
  check(
    others.length === 0,
    where,
    () =>
      `${folder}: ${others.length} of ${names.length} files are not what was written: ${others.map((name) => `${name} has SHA-256 ${found[name]} but had ${checksums![name] ?? "none"}`).join("; ")}: prepare it again`,
  );
  for (const { tokens } of data.sources) await verifyStore(tokens, signal);
  if (data.heldOut) await verifyStore(data.heldOut, signal);
  return { files: names.length, bytes, hasChecksums: checksums !== undefined };
}

async function verifyStore(store: TokenStore, signal: AbortSignal | undefined): Promise<void> {
  for (let first = 0; first < store.length; first += windowTokens) {
    signal?.throwIfAborted();
    await store.read(first, Math.min(windowTokens, store.length - first));
  }
  for await (const _ of store.documentStarts()) signal?.throwIfAborted();
}
