// The flags of the commands that encode one text.
import type { FlagRow, Flags } from "./command.ts";
import { booleanFlag } from "./flag-values.ts";

/** Flags of commands that encode a text. */
export const encodeFlags: readonly FlagRow[] = [
  { name: "template", type: "boolean", help: "put around the text what the tokenizer puts around a prompt: often the begin-of-text id" },
  { name: "bos", type: "boolean", help: "put the begin-of-text id in front, whatever the template" },
  { name: "eos", type: "boolean", help: "put the end-of-text id behind, whatever the template" },
  { name: "special", type: "boolean", help: "special pieces spelled out in the text become their ids" },
];

/** Options of the tokenizer by these flags. */
export function encodeOptions(flags: Flags) {
  const isOn = (name: string) => booleanFlag(flags, name);
  return { template: isOn("template"), bos: isOn("bos"), eos: isOn("eos"), parseSpecial: isOn("special") };
}
