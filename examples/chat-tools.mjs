// A model calls a function of the program and answers with what it gave back: node examples/chat-tools.mjs MODEL QUESTION
import { Llama } from "cria";

const [path, question] = process.argv.slice(2);
if (question === undefined) throw new Error("usage: node examples/chat-tools.mjs MODEL QUESTION");
const llama = await Llama.load(path, { threads: 1 });
const weather = { Paris: "rain", Rome: "sun" };
const parameters = {
  type: "object",
  properties: { city: { enum: Object.keys(weather) } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function", function: { name: "get_weather", description: "Today's weather in a city", parameters } }];
const messages = [{ role: "user", content: question }];

/** The assistant's next message, as it is kept in the conversation. */
async function next(options) {
  const message = { role: "assistant", content: "", tool_calls: [] };
  for await (const { parts } of llama.chatParts(messages, { tools, seed: 1, ...options }))
    for (const part of parts)
      if (part.type === "content") message.content += part.text;
      else if (part.type === "call") message.tool_calls.push({ id: part.id, function: { name: part.name, arguments: "" } });
      else if (part.type === "arguments") message.tool_calls[part.index].function.arguments += part.text;
  messages.push(message);
  return message;
}

// "required" makes the model call a function; with "auto", the default, it may answer at once.
const { tool_calls } = await next({ toolChoice: "required", parallel: false });
for (const { id, function: call } of tool_calls) {
  const { city } = JSON.parse(call.arguments); // it parses, and city is one of the two
  console.log(`${call.name}: ${city}`);
  messages.push({ role: "tool", tool_call_id: id, content: weather[city] });
}
const { content } = await next({ toolChoice: "none", maxTokens: 20 });
console.log(content.replaceAll("\n", " "));

// The answer as JSON of a schema.
const schema = { type: "object", properties: { umbrella: { type: "boolean" } }, required: ["umbrella"], additionalProperties: false };
const { content: json } = await next({ toolChoice: "none", responseFormat: { type: "json_schema", schema } });
console.log(typeof JSON.parse(json).umbrella);
await llama.dispose();
