// Keys of MinHash's bands: a hash of 64 bits over all values of a band, with the band's number, so that those of different bands have nothing in common.
import { finalised } from "../../base/index.ts";
import type { KeyList } from "./key-list.ts";

/** Adds a key per band. @param values those of one band after another, `rows` of each */
export function addBandKeys(values: Uint32Array, { bands, rows }: { readonly bands: number; readonly rows: number }, keys: KeyList): void {
  for (let band = 0; band < bands; band++) {
    let [low, high] = [band + 1, ~band];
    for (let row = band * rows; row < (band + 1) * rows; row++) {
      low = finalised(Math.imul(low, 0x85ebca6b) ^ values[row]!);
      high = finalised(Math.imul(high, 0x27d4eb2f) ^ values[row]!);
    }
    keys.add(low >>> 0, high >>> 0);
  }
}
