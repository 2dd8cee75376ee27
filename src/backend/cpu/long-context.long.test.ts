// Contexts of 8,192 and 16,384 keys in every layout, for query heads that fill a register tile, that exceed it and that share no key head; and a window.
import { stateDTypes } from "../../base/index.ts";
import { backendsHere, testLongContext } from "./long-context.test.helper.ts";

const backends = await backendsHere();
for (const type of stateDTypes) {
  testLongContext({ type, keys: 16_384, heads: 16, kvHeads: 2, window: 0 }, backends);
  testLongContext({ type, keys: 16_321, heads: 13, kvHeads: 1, window: 0 }, backends);
  testLongContext({ type, keys: 8192, heads: 2, kvHeads: 2, window: 4099 }, backends);
}
