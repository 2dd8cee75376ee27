// Anthropic's protocol: messages.
import type { Protocol } from "../protocol.ts";
import { errorBody } from "./errors.ts";
import { countTokens, messages } from "./messages.ts";

/** The protocol as the server has it. */
export const anthropic: Protocol = { name: "Anthropic", routes: [messages, countTokens], errorBody };
