// Where compiled kernels are kept: in the system's own place for caches, unless CRIA_CACHE says otherwise.
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";

/** Whether a value of CRIA_CACHE turns the cache off. Capitals do not count; a folder of that name is written ./off. */
export function isCacheOff(cache = process.env.CRIA_CACHE): boolean {
  return cache?.toLowerCase() === "off";
}

/** Where compiled kernels are kept; undefined where the cache is off or the user has no folder of their own. */
export function codeFolderPath(cache = process.env.CRIA_CACHE, system: System = process): string | undefined {
  if (isCacheOff(cache)) return undefined;
  const folder = cache ? resolve(cache) : userCache(system);
  return folder && join(folder, "code");
}

/** What a process knows of the system that it runs on; no type of Node, as a program without these checks the declarations. */
interface System {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function userCache({ platform, env }: System): string | undefined {
  if (platform === "win32") return env.LOCALAPPDATA && join(env.LOCALAPPDATA, "cria");
  const home = homeFolder();
  if (platform === "darwin") return home && join(home, "Library", "Caches", "cria");
  // A path that is not absolute counts as none (XDG Base Directory Specification).
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, "cria");
  return home && join(home, ".cache", "cria");
}

function homeFolder(): string | undefined {
  try {
    const home = homedir();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined; // a user without an entry in the system's list
  }
}
