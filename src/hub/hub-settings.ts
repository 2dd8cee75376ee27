// What the environment says of Hugging Face's hub, as Python's huggingface_hub reads it, so that both take one cache and one token.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { check } from "../base/index.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the hub is, who asks, and where files are kept. */
export interface HubSettings {
  /** `https://huggingface.co`, or another hub, without a slash at its end (HF_ENDPOINT). */
  readonly endpoint: string;
  /** Sent to the endpoint and nowhere else (HF_TOKEN, else the file that `hf auth login` writes). */
  readonly token: string | undefined;
  /** The folder of all repositories (HF_HUB_CACHE, else HF_HOME's hub). */
  readonly cache: string;
  /** Nothing is asked of the network (HF_HUB_OFFLINE). */
  readonly isOffline: boolean;
  /** Snapshots hold files instead of links (HF_HUB_DISABLE_SYMLINKS). */
  readonly noLinks: boolean;
  /** Proxies for plain and for encrypted addresses, and the hosts that go without. */
  readonly proxies: { readonly http: string; readonly https: string; readonly none: string };
}

const usualEndpoint = "https://huggingface.co";

/** @throws CriaError when HF_ENDPOINT is no address or a proxy is of an unknown kind. */
export async function hubSettings(env: Environment): Promise<HubSettings> {
  const home = expand(env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "huggingface"));
  const cache = expand(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, "hub"));
  return {
    ...{ endpoint: readEndpoint(env.HF_ENDPOINT || usualEndpoint), token: await readToken(env, home), cache },
    isOffline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
    noLinks: isTrue(env.HF_HUB_DISABLE_SYMLINKS),
    proxies: readProxies(env),
  };
}

function readEndpoint(text: string): string {
  const problem = () => `HF_ENDPOINT is "${text}" but must be an address, such as ${usualEndpoint}`;
  check(URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), "hub", problem);
  return text.replace(/\/+$/, "");
}

async function readToken(env: Environment, home: string): Promise<string | undefined> {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const said = env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN;
  const file = expand(env.HF_TOKEN_PATH || join(home, "token"));
  const token = said ?? (await readFile(file, "utf8").catch(() => ""));
  return token.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

/** The names in small letters count first, as curl has it; ALL_PROXY stands in for those that are not set. */
function readProxies(env: Environment): HubSettings["proxies"] {
  const either = (name: string) => env[name.toLowerCase()] || env[name] || "";
  const all = either("ALL_PROXY");
  const [http, https] = [either("HTTP_PROXY") || all, either("HTTPS_PROXY") || all];
  for (const [name, proxy] of [
    ["HTTP_PROXY", http],
    ["HTTPS_PROXY", https],
  ])
    check(
      proxy === "" || (URL.canParse(proxy!) && /^(https?|socks5?):$/.test(new URL(proxy!).protocol)),
      "hub",
      () => `${name} is no address of a proxy that cria knows: name one as http://host:port, https:// or socks5://`,
    );
  return { http, https, none: either("NO_PROXY") };
}

/** What huggingface_hub takes for true. */
function isTrue(value: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(value ?? "");
}

function expand(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}
