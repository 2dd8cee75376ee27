// Routes of no protocol: health and facts of the server, and its tokenizer and chat templates.

import { errorBody } from "../openai/errors.ts";
import type { Protocol } from "../protocol.ts";
import { health } from "./health.ts";
import { openapi } from "./openapi.ts";
import { tokens } from "./tokens.ts";

/** The server's own routes. */
export const own: Protocol = { name: "cria", routes: [...health, openapi, ...tokens], errorBody };
