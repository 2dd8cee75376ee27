// The page of the tests: what they call is on `globalThis`.
import { openBackend } from "cria/web";
import { train } from "./program.mjs";

globalThis.trainHere = async (options, text, steps) => {
  const backend = await openBackend(options);
  try {
    return { name: backend.name, ...(await train(backend, text, steps)) };
  } finally {
    await backend.dispose();
  }
};
