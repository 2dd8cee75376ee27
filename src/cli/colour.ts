// Colours on a terminal, and none where the output goes elsewhere.
import type { CommandIo } from "./command.ts";

/** Functions that colour a text for a terminal. */
export interface Colours {
  strong(text: string): string;
  faint(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  magenta(text: string): string;
}

/** ECMA-48's codes for a way of writing and for its end. */
const codes = { strong: [1, 22], faint: [2, 22], green: [32, 39], yellow: [33, 39], magenta: [35, 39] } as const;

/** Colours where the output has them, else functions that leave a text as it is. */
export function coloursOf({ colours }: Pick<CommandIo, "colours">): Colours {
  const paint = (name: keyof typeof codes) => {
    const [on, off] = codes[name];
    return (text: string) => (colours && text !== "" ? `\u001b[${on}m${text}\u001b[${off}m` : text);
  };
  return { strong: paint("strong"), faint: paint("faint"), green: paint("green"), yellow: paint("yellow"), magenta: paint("magenta") };
}
