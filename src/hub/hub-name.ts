// Names of models on Hugging Face's hub: `hf:owner/name`, `hf:owner/name@revision`, `hf:owner/name:file`; and of data sets: `hf:datasets/owner/name:pattern`.
import { check } from "../base/index.ts";

/** A repository of the hub, and what of it is meant. */
export interface HubName {
  /** The name as it was given, for messages. */
  readonly text: string;
  /** `owner/name`. */
  readonly repository: string;
  /** Whether it is a data set, whose names are apart from those of models. */
  readonly isDataset: boolean;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A file or a folder of the repository, or a pattern of files of a data set; absent where the name leaves the choice to what is there. */
  readonly path: string | undefined;
}

const prefix = "hf:";
const written = /^hf:(datasets\/(?=[^/:@]+\/))?([^/:@]+\/[^/:@]+)(?:@([^:]+))?(?::(.+))?$/;
const mostLetters = 96;

/** Whether a path names a repository of the hub, well or badly. */
export function isHubName(path: string): boolean {
  return path.startsWith(prefix);
}

/** @throws CriaError when a part is missing or not as the hub has it. */
export function parseHubName(text: string): HubName {
  const [, kind, repository, revision = "main", path] = written.exec(text) ?? [];
  const isDataset = kind !== undefined;
  check(
    repository !== undefined && isRepository(repository),
    "hub",
    () =>
      `${text}: it must read hf:owner/name, hf:owner/name@revision or hf:owner/name:file, data sets hf:datasets/owner/name:pattern, as in hf:HuggingFaceTB/SmolLM2-135M-Instruct`,
  );
  check(isRelative(revision), "hub", () => `${text}: the revision is "${revision}" but must be a branch, a tag or a commit`);
  check(
    path === undefined || isRelative(isDataset ? path.replace(/[*?]/g, "x") : path),
    "hub",
    () => `${text}: "${path}" is no path inside a repository`,
  );
  return { text, repository, isDataset, revision, path: path?.replace(/\/$/, "") };
}

/** The path of a repository's page on the hub. */
export function pageOf({ repository, isDataset }: HubName): string {
  return isDataset ? `datasets/${repository}` : repository;
}

/** Whether a revision names one state for ever. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The hub's own rule: letters, digits, "-", "_" and "."; no "--", no "..", neither "-" nor "." at an end. */
function isRepository(repository: string): boolean {
  const isWord = (word: string) => /^[\w.-]+$/.test(word) && !/--|\.\.|^[-.]|[-.]$/.test(word);
  return repository.length <= mostLetters && repository.split("/").every(isWord);
}

/** Whether a path stays inside the folder that it is joined to, on every system. */
export function isRelative(path: string): boolean {
  const parts = path.replace(/\/$/, "").split("/");
  return !hasControl(path) && !/[\\:*?"<>|]/.test(path) && parts.every((part) => part !== "" && part !== "." && part !== "..");
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < " ");
}
