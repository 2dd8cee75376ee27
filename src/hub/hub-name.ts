// Names of models on Hugging Face's hub: `hf:owner/name`, `hf:owner/name@revision`, `hf:owner/name:file`.
import { check } from "../base/index.ts";

/** A repository of the hub, and what of it is meant. */
export interface HubName {
  /** The name as it was given, for messages. */
  readonly text: string;
  /** `owner/name`. */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A file or a folder of the repository; absent where the name leaves the choice to what is there. */
  readonly path: string | undefined;
}

const prefix = "hf:";
const written = /^hf:([^/:@]+\/[^/:@]+)(?:@([^:]+))?(?::(.+))?$/;
const mostLetters = 96;

/** Whether a path names a repository of the hub, well or badly. */
export function isHubName(path: string): boolean {
  return path.startsWith(prefix);
}

/** @throws CriaError when a part is missing or not as the hub has it. */
export function parseHubName(text: string): HubName {
  const [, repository, revision = "main", path] = written.exec(text) ?? [];
  check(
    repository !== undefined && isRepository(repository),
    "hub",
    () => `${text}: it must read hf:owner/name, hf:owner/name@revision or hf:owner/name:file, as in hf:HuggingFaceTB/SmolLM2-135M-Instruct`,
  );
  check(isRelative(revision), "hub", () => `${text}: the revision is "${revision}" but must be a branch, a tag or a commit`);
  check(path === undefined || isRelative(path), "hub", () => `${text}: "${path}" is no path inside a repository`);
  return { text, repository, revision, path: path?.replace(/\/$/, "") };
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
