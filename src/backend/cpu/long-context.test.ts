// A context of 8,192 keys on every target; `long-context.long.test.ts` has longer ones, in every layout and with a window.
import { backendsHere, testLongContext } from "./long-context.test.helper.ts";

testLongContext({ type: "f16", keys: 8192, heads: 3, kvHeads: 1, window: 0 }, await backendsHere());
