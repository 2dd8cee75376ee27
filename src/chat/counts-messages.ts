// Whether a template may write a message otherwise because of its number in the chat.
import type { Statement } from "./nodes.ts";

/** Filters whose numbers say how text is laid out. */
const layout: readonly unknown[] = ["tojson", "indent"];
/** Fields of messages and of calls, whose lengths say nothing of where they stand. */
const fields: readonly unknown[] = ["content", "reasoning_content", "tool_calls", "id", "tool_call_id", "name", "arguments"];

/**
 * Whether a template has a number above 1 that a message's place may be compared with, as in `loop.index == 7` or `messages[5:]`, or asks for every
 * third one, as `loop.cycle` does. Parity (`% 2`), the layout of JSON and the length of a message's own field do not count. A template that counts in
 * other ways, in a namespace up to the length of a text for instance, is not found out.
 */
export function countsMessages(body: readonly Statement[]): boolean {
  return counts(body);
}

type Node = Readonly<Record<string, unknown>>;

function counts(value: unknown): boolean {
  if (value instanceof Map) return [...value].some(counts);
  if (Array.isArray(value)) return value.some(counts);
  if (!isNode(value)) return false;
  if (value.type === "IntegerLiteral") return Number(value.value) > 1;
  if (value.type === "FloatLiteral" || (value.type === "Identifier" && value.value === "cycle")) return true;
  if (value.type === "FilterExpression" && layout.includes(nameOf(value.filter))) return counts(value.operand);
  return value.type === "BinaryExpression" ? countsIn(value) : Object.values(value).some(counts);
}

function countsIn({ operator, left, right }: Node): boolean {
  const isParity = isNode(operator) && operator.value === "%" && isNode(right) && right.value === 2;
  if (isParity || isLengthOfField(left)) return counts(left);
  return isLengthOfField(right) ? false : counts(left) || counts(right);
}

/** `message.content|length` */
function isLengthOfField(value: unknown): boolean {
  if (!isNode(value) || value.type !== "FilterExpression" || !isNode(value.operand)) return false;
  const isLength = nameOf(value.filter) === "length" || nameOf(value.filter) === "count";
  return isLength && value.operand.type === "MemberExpression" && fields.includes(nameOf(value.operand.property));
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

/** The name of a filter, called or not, or of a property, written with a dot or in brackets. */
function nameOf(value: unknown): unknown {
  if (!isNode(value)) return undefined;
  return value.type === "CallExpression" ? nameOf(value.callee) : value.value;
}
