// The page of the tests: what they call is on `globalThis`.
import { fetchSource, openBackend } from "cria/web";
import { train, write } from "./program.mjs";

globalThis.trainHere = async (options, text, steps) => {
  const backend = await openBackend(options);
  try {
    return { name: backend.name, ...(await train(backend, text, steps)) };
  } finally {
    await backend.dispose();
  }
};

/** @param addresses of a model's files, by name */
globalThis.writeHere = async (addresses, prompt, options) => {
  const backend = await openBackend();
  try {
    const sources = Object.entries(addresses).map(async ([name, address]) => [name, await fetchSource(address)]);
    const files = Object.fromEntries(await Promise.all(sources));
    return { name: backend.name, text: await write(backend, files, prompt, options) };
  } finally {
    await backend.dispose();
  }
};
