// Worker threads whose file is not where the module that starts them looks for it, as happens in a bundle.
import { CriaError } from "../base/index.ts";

/** How cria stays out of a bundle. */
export const leaveOut =
  "leave cria out of the bundle (external in esbuild, externals in webpack, ssr.external in vite, serverExternalPackages in Next)";

/** Whether it is the worker's own file that is not there, and nothing that the file imports. */
export function isWorkerMissing(error: unknown): boolean {
  return error instanceof Error && /^Cannot find module '[^']*worker\.js'/.test(error.message) && !error.message.includes("imported from");
}

/** The error of a worker thread, with the way out where its file is missing. */
export function explainWorker(where: string, error: unknown): unknown {
  if (!isWorkerMissing(error)) return error;
  const message = `the file of a worker thread is not beside the module that starts it, as happens in a bundle: ${leaveOut}`;
  return new CriaError(where, message, { cause: error });
}
