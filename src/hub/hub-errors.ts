// What the hub's answers mean, and what to do.
import { CriaError } from "../base/index.ts";
import type { HubName } from "./hub-name.ts";
import type { HubSettings } from "./hub-settings.ts";

const where = "hub";

/** Nobody answers, or only with errors of the server: what is in the cache may do instead. */
export class HubUnreachable extends CriaError {}

/** The hub says that there is no such repository, revision or file. */
export class HubNotFound extends CriaError {
  /** The hub's word for what is missing, `RepoNotFound`, `RevisionNotFound` or `EntryNotFound`; "" where it says none. */
  readonly what: string;
  readonly #rule: string;
  readonly #wayOut: string;

  /** @param wayOut follows the rule, and a hint where there is one */
  constructor(what: string, rule: string, wayOut: string, hint = "") {
    super(where, `${rule}${hint}${wayOut}`);
    this.what = what;
    this.#rule = rule;
    this.#wayOut = wayOut;
  }

  /** The same error with the nearest names. */
  hinted(hint: string): HubNotFound {
    return new HubNotFound(this.what, this.#rule, this.#wayOut, hint);
  }
}

/** An answer without its body. */
export interface Refusal {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
}

/** The error of an answer that is neither good nor worth another try. */
export function explainRefusal(refusal: Refusal, name: HubName, settings: HubSettings): CriaError {
  const { status, headers } = refusal;
  const what = headers.get("x-error-code") ?? "";
  const said = headers.get("x-error-message") ?? "";
  const told = `${name.text}: the hub answers ${status}${said === "" ? "" : ` (${said})`}`;
  if (status === 404 || (what === "RepoNotFound" && settings.token === undefined)) return explainMissing(what, told, name, settings);
  if (status === 401 || status === 403) return new CriaError(where, `${told}: ${explainAccess(what, status, name, settings)}`);
  return new CriaError(where, `${told}: ${settings.endpoint} does not serve it`);
}

/** The hub answers 401 for what is not there, too, as long as nobody says who asks. */
function explainAccess(what: string, status: number, { repository }: HubName, settings: HubSettings): string {
  const { endpoint, token } = settings;
  const page = `${endpoint}/${repository}`;
  const wait = "wait until its makers let you in; the token needs leave to read gated repositories";
  if (what === "GatedRepo")
    return `the model is gated: open ${page}, sign in and accept its terms, then ${token === undefined ? giveToken(settings) : wait}`;
  if (token === undefined) return `it is private or gated: look at ${page}, and ${giveToken(settings)}`;
  if (status === 401) return `the token is not valid: ${giveToken(settings)}`;
  return `the token that was sent may not read it: look at ${page} with the account of the token, which needs leave to read it`;
}

function explainMissing(what: string, told: string, { repository, revision, path }: HubName, settings: HubSettings): HubNotFound {
  if (what === "RevisionNotFound") return new HubNotFound(what, `${told}: ${repository} has no branch, tag or commit "${revision}"`, "");
  if (what === "EntryNotFound") return new HubNotFound(what, `${told}: ${repository} has no file ${path ?? ""}`.trimEnd(), "");
  const isUnknown = settings.token === undefined;
  const secret = isUnknown ? `it is private: then ${giveToken(settings)}` : "it is private and HF_TOKEN is not of one who may read it";
  return new HubNotFound(what, `${told}: there is no repository ${repository}`, `; or ${secret}`);
}

function giveToken({ endpoint }: HubSettings): string {
  return `make a token at ${endpoint}/settings/tokens and set HF_TOKEN to it, or run hf auth login`;
}
