// OpenAI's protocol of responses.
import { errorBody } from "../openai/errors.ts";
import type { Protocol } from "../protocol.ts";
import { create } from "./create.ts";

/** The protocol as the server has it. */
export const responses: Protocol = { name: "OpenAI Responses", routes: [create], errorBody };
