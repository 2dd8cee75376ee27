// What every object of OpenAI's protocol begins with.
import { randomBytes } from "node:crypto";

/** Id, time in seconds since 1970, and model. */
export interface Frame {
  readonly id: string;
  readonly created: number;
  readonly model: string;
}

/** @param kind the id's beginning: chatcmpl, cmpl */
export function frameOf(kind: string, { model }: { readonly model: string }): Frame {
  return { id: `${kind}-${randomBytes(16).toString("hex")}`, created: Math.floor(Date.now() / 1000), model };
}
