// OpenAI's protocol: chats, completions, embeddings, models.
import type { Protocol } from "../protocol.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { embeddings } from "./embeddings.ts";
import { errorBody } from "./errors.ts";
import { models } from "./models.ts";

/** The protocol as the server has it. */
export const openai: Protocol = { name: "OpenAI", routes: [chat, completions, embeddings, ...models], errorBody };
