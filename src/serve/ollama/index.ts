// Ollama's protocol: chats and texts as lines of JSON, models with tags.
import type { Protocol } from "../protocol.ts";
import { embedding } from "./embed.ts";
import { errorBody } from "./errors.ts";
import { models } from "./models.ts";
import { writing } from "./write.ts";

/** The protocol as the server has it. */
export const ollama: Protocol = { name: "Ollama", routes: [...writing, ...embedding, ...models], errorBody };
