// Which files of a repository a model is made of: those that `openModel` reads, and no others.
import { byteSize, didYouMean, fail } from "../base/index.ts";
import type { HubName } from "./hub-name.ts";
import type { ListedFile } from "./repository.ts";

const where = "hub";

/** The files of a model or a tokenizer. The small ones are fetched first, so that where the large ones are the others are, too. */
export interface Chosen<File extends ListedFile> {
  readonly small: readonly File[];
  readonly large: readonly File[];
  /** The file or folder of the repository that is opened; "" for all of it. */
  readonly opened: string;
  /** The index that names further files, which are among those of the repository. */
  readonly index: File | undefined;
}

/** What is read beside weights or a tokenizer. */
const beside = [
  ...[/^tokenizer\.(json|model)$/, /^tokenizer_config\.json$/, /^special_tokens_map\.json$/, /^added_tokens\.json$/, /^vocab\.json$/],
  ...[/^merges\.txt$/, /^chat_template\.jinja$/, /^additional_chat_templates\/[^/]+\.jinja$/, /^(generation_)?config\.json$/],
];
/** Weights beside a config.json: one file, or an index of several; what is looked for first on top, as `openModel` does. */
const weightFiles = [
  { single: "model.safetensors", index: "model.safetensors.index.json" },
  { single: "pytorch_model.bin", index: "pytorch_model.bin.index.json" },
] as const;

/** @throws CriaError where there is no model, or several are: with their names */
export function chooseModel<File extends ListedFile>(all: readonly File[], name: HubName): Chosen<File> {
  const { path } = name;
  if (path === undefined) return chooseInFolder(all, "", name);
  const exact = all.find((file) => file.path === path);
  if (exact !== undefined) return chooseFile(all, exact, name);
  if (all.some((file) => file.path.startsWith(`${path}/`))) return chooseInFolder(all, path, name);
  const typed = ofType(all, path);
  if (typed !== undefined) return alone(typed);
  const models = all.map((file) => file.path).filter((file) => /\.(gguf|bin|safetensors|pth)$/.test(file));
  const others = models.length === 0 ? "" : `: it has ${listed(models)}`;
  return fail(where, `${name.text}: ${name.repository} has no file ${path}${others}${didYouMean(path, models)}`);
}

/** What says a model's sizes: its config.json, else all of it. @throws CriaError as {@link chooseModel} */
export function chooseConfig<File extends ListedFile>(all: readonly File[], name: HubName): Chosen<File> {
  const opened = name.path ?? "";
  const small = inFolder(all, opened).filter((file) => inside(file.path, opened) === "config.json");
  return small.length > 0 ? { small, large: [], opened, index: undefined } : chooseModel(all, name);
}

/** @throws CriaError where there is no tokenizer, or several are */
export function chooseTokenizer<File extends ListedFile>(all: readonly File[], name: HubName): Chosen<File> {
  const { path } = name;
  const exact = all.find((file) => file.path === path);
  const folder = exact === undefined ? (path ?? "") : parentOf(exact.path);
  const small = inFolder(all, folder).filter((file) => isBeside(inside(file.path, folder)));
  if (exact !== undefined)
    return exact.path.endsWith(".gguf")
      ? alone([exact])
      : { small: unique([...small, exact]), large: [], opened: exact.path, index: undefined };
  if (small.some((file) => /(^|\/)tokenizer\.(json|model)$/.test(file.path))) return { small, large: [], opened: folder, index: undefined };
  const ggufs = ggufsIn(inFolder(all, folder));
  const gguf = ggufs.length === 1 ? ggufs[0] : path && ofType(all, path);
  if (gguf) return alone(gguf.slice(0, 1));
  const found =
    ggufs.length === 0
      ? "no tokenizer.json, no tokenizer.model and no .gguf"
      : `several .gguf files, ${listed(ggufs.map((set) => set[0]!.path))}`;
  return fail(where, `${name.text}: it has ${found}: name a file, as in hf:${name.repository}:tokenizer.json`);
}

/** The files that an index names, of those that the repository has. @throws CriaError where one is missing */
export function chooseShards<File extends ListedFile>(all: readonly File[], index: File, shards: readonly string[], name: HubName): File[] {
  const folder = parentOf(index.path);
  return shards.map((shard) => {
    const path = folder === "" ? shard : `${folder}/${shard}`;
    return all.find((file) => file.path === path) ?? fail(where, `${name.text}: ${index.path} names ${shard}, which is not there`);
  });
}

/** The files of a folder of the repository, by their paths from there. */
interface Folder<File extends ListedFile> {
  readonly path: string;
  readonly files: readonly File[];
  named(file: string): File | undefined;
  like(pattern: RegExp): readonly File[];
}

function chooseInFolder<File extends ListedFile>(all: readonly File[], path: string, name: HubName): Chosen<File> {
  const files = inFolder(all, path);
  const folder: Folder<File> = {
    ...{ path, files },
    named: (file) => files.find((one) => inside(one.path, path) === file),
    like: (pattern) => files.filter((one) => pattern.test(inside(one.path, path))),
  };
  for (const form of [ofHuggingFace, ofGguf, ofMeta, ofLlama2c]) {
    const chosen = form(folder, name);
    if (chosen !== undefined) return chosen;
  }
  return explainNone(folder, name);
}

function ofHuggingFace<File extends ListedFile>({ path, files, named }: Folder<File>): Chosen<File> | undefined {
  if (named("config.json") === undefined) return undefined;
  const small = files.filter((file) => isBeside(inside(file.path, path)));
  for (const row of weightFiles) {
    const [single, index] = [named(row.single), named(row.index)];
    if (single !== undefined) return { small, large: [single], opened: path, index: undefined };
    if (index !== undefined) return { small: [...small, index], large: [], opened: path, index };
  }
  return undefined;
}

function ofGguf<File extends ListedFile>({ files }: Folder<File>, name: HubName): Chosen<File> | undefined {
  const sets = ggufsIn(files);
  if (sets.length > 1) return failOfMany(sets, name);
  return sets[0] && alone(sets[0]);
}

function ofMeta<File extends ListedFile>({ path, named, like }: Folder<File>): Chosen<File> | undefined {
  const [params, weights] = [named("params.json"), like(/^consolidated(\.\d+)?\.pth$/)];
  if (params === undefined || weights.length === 0) return undefined;
  return { small: [params, ...like(/^tokenizer\.(json|model)$/)], large: weights, opened: path, index: undefined };
}

function ofLlama2c<File extends ListedFile>({ files, named, like }: Folder<File>, name: HubName): Chosen<File> | undefined {
  const bins = like(/^[^/]+\.bin$/).filter(({ path }) => !isTokenizerBin(path));
  if (named("config.json") !== undefined || bins.length === 0) return undefined;
  return bins.length === 1
    ? withTokenizerBins(files, bins[0]!)
    : failOfMany(
        bins.map((bin) => [bin]),
        name,
      );
}

function failOfMany(sets: readonly (readonly ListedFile[])[], { text, repository }: HubName): never {
  const sizeOf = (set: readonly ListedFile[]) => set.reduce((sum, { size }) => sum + size, 0);
  const rows = sets.toSorted((a, b) => sizeOf(a) - sizeOf(b)).map((set) => `  hf:${repository}:${set[0]!.path}  ${byteSize(sizeOf(set))}`);
  return fail(where, `${text}: it has ${sets.length} models: name one of\n${rows.join("\n")}`);
}

function explainNone({ files, like }: Folder<ListedFile>, { text, repository }: HubName): never {
  if (like(/^adapter_model\./).length > 0) return fail(where, `${text}: it is an adapter, not a model: name the model that it is for`);
  const other = files.find(({ path }) => /\/(params|config)\.json$/.test(path));
  const hint = other === undefined ? "" : `; its folder ${parentOf(other.path)} may be one: hf:${repository}:${parentOf(other.path)}`;
  const names = weightFiles.flatMap(({ single, index }) => [single, index]).join(", ");
  return fail(where, `${text}: it holds no model that cria opens: no config.json with ${names}, no .gguf, no consolidated.00.pth${hint}`);
}

function chooseFile<File extends ListedFile>(all: readonly File[], file: File, name: HubName): Chosen<File> {
  if (file.path.endsWith(".gguf")) return alone(ggufsIn(all).find((set) => set.includes(file)) ?? [file]);
  if (file.path.endsWith(".bin")) return withTokenizerBins(all, file);
  const folder = parentOf(file.path);
  const whole = `hf:${name.repository}${folder === "" ? "" : `:${folder}`}`;
  return fail(where, `${name.text}: ${file.path} alone is no model: name its folder, ${whole}, or a .gguf or llama2.c's .bin`);
}

function isBeside(file: string): boolean {
  return beside.some((pattern) => pattern.test(file));
}

function alone<File extends ListedFile>(large: readonly File[]): Chosen<File> {
  return { small: [], large, opened: large[0]?.path ?? "", index: undefined };
}

function withTokenizerBins<File extends ListedFile>(all: readonly File[], file: File): Chosen<File> {
  const folder = parentOf(file.path);
  const beside = inFolder(all, folder).filter(({ path }) => isTokenizerBin(path) && parentOf(path) === folder);
  return { small: beside.filter((other) => other !== file), large: [file], opened: file.path, index: undefined };
}

function isTokenizerBin(path: string): boolean {
  return /(^|\/)tok(enizer|\d+)\.bin$/.test(path);
}

/** GGUF models: each one file, or all its splits in order. Those of pictures and of importances are no models of text. */
function ggufsIn<File extends ListedFile>(files: readonly File[]): File[][] {
  const sets = new Map<string, File[]>();
  for (const file of files) {
    if (!file.path.endsWith(".gguf") || /(^|\/)(mmproj|imatrix)|[-.](mmproj|imatrix)\b/i.test(file.path)) continue;
    const set = file.path.replace(/-\d{5}-of-(\d{5})\.gguf$/, "-of-$1.gguf");
    sets.set(set, [...(sets.get(set) ?? []), file]);
  }
  return [...sets.values()].map((set) => set.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}

/** The one GGUF model of a type. */
function ofType<File extends ListedFile>(all: readonly File[], type: string): readonly File[] | undefined {
  const typed = ggufsIn(all).filter(([first]) => first !== undefined && hasWord(first.path, type));
  return typed.length === 1 ? typed[0] : undefined;
}

/** Whether a type such as Q4_K_M stands in a file's name as a word. */
function hasWord(path: string, word: string): boolean {
  const [text, sought] = [path.toLowerCase(), word.toLowerCase()];
  return text.split(/[-./]/).includes(sought);
}

function listed(names: readonly string[]): string {
  return names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}

function inFolder<File extends ListedFile>(files: readonly File[], folder: string): readonly File[] {
  return folder === "" ? files : files.filter(({ path }) => path.startsWith(`${folder}/`));
}

function inside(path: string, folder: string): string {
  return folder === "" ? path : path.slice(folder.length + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function unique<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
