// The items and events that the parts of an answer become.
import { expect, test } from "vitest";
import { type ItemEvent, Output } from "./output.ts";

/** The type of each event with what is new in it. */
const told = (events: readonly ItemEvent[]) =>
  events.map(({ type, delta, text, arguments: given }) =>
    [type.replace("response.", ""), delta ?? text ?? given].filter(Boolean).join(" "),
  );

test("reasoning, a message and a call are items, each ended before the next one begins", () => {
  const output = new Output();
  const events = [
    ...output.add([{ type: "reasoning", text: "h" }], "l1"),
    ...output.add([], "l2"),
    ...output.add([{ type: "reasoning", text: "m" }]),
    ...output.add([{ type: "content", text: "" }]),
    ...output.add([], "l3"),
    ...output.add([{ type: "content", text: "ab" }], "l4"),
    ...output.add([{ type: "call", index: 0, id: "call_1", name: "now" }], "l5"),
    ...output.add([{ type: "arguments", index: 0, text: "{" }]),
    ...output.add([{ type: "arguments", index: 0, text: "}" }]),
    ...output.end("completed"),
  ];
  expect(told(events)).toEqual([
    ...["output_item.added", "content_part.added", "reasoning_text.delta h", "reasoning_text.delta m"],
    ...["reasoning_text.done hm", "content_part.done", "output_item.done"],
    ...["output_item.added", "content_part.added", "output_text.delta ab", "output_text.done ab", "content_part.done", "output_item.done"],
    ...["output_item.added", "function_call_arguments.delta {", "function_call_arguments.delta }", "function_call_arguments.done {}"],
    "output_item.done",
  ]);
  expect(output.items).toMatchObject([
    { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: "hm" }], status: "completed" },
    { type: "message", content: [{ type: "output_text", text: "ab", logprobs: ["l3", "l4"] }], status: "completed" },
    { type: "function_call", call_id: "call_1", name: "now", arguments: "{}", status: "completed" },
  ]);
  expect(events[0]?.item).toMatchObject({ content: [], status: "in_progress" });
  const places = events.filter(({ item_id: id }) => id !== undefined).map(({ item_id: id, output_index: at }) => `${at} ${id}`);
  expect([...new Set(places)]).toEqual(output.items.map(({ id }, i) => `${i} ${id}`));
  expect(output.end("completed")).toEqual([]);
});

test("an answer that is cut leaves its last item incomplete; one without a word has none", () => {
  const output = new Output();
  output.add([{ type: "call", index: 0, id: "call_1", name: "now" }]);
  output.add([{ type: "arguments", index: 0, text: '{"a' }]);
  output.end("incomplete");
  expect(output.items).toMatchObject([{ type: "function_call", arguments: '{"a', status: "incomplete" }]);
  expect(new Output().end("completed")).toEqual([]);
});
