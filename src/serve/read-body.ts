// The body of a request: bounded bytes, then UTF-8, then JSON, then the route's schema.
import type { IncomingMessage } from "node:http";
import type { z } from "zod";
import { RequestError, refuse } from "./request-error.ts";
import { checkBodyHeaders } from "./security.ts";

/** @throws RequestError where the body is no JSON, larger than `most` bytes, or not what the schema says: the message names the parameter */
export async function readBody<Body>(incoming: IncomingMessage, schema: z.ZodType<Body>, most: number): Promise<Body> {
  checkBodyHeaders(incoming.headers);
  const bytes = await readBytes(incoming, most);
  return parsed(jsonOf(bytes), schema);
}

async function readBytes(incoming: IncomingMessage, most: number): Promise<Buffer> {
  const tooLarge = () => new RequestError("tooLarge", `the body has more than ${most} bytes, which is what this server reads: send less`);
  if (Number(incoming.headers["content-length"] ?? 0) > most) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
      size += (chunk as Buffer).length;
      if (size > most) throw tooLarge();
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof RequestError) throw error;
    throw new RequestError("invalid", "the body broke off", { cause: error });
  }
  return Buffer.concat(chunks);
}

function jsonOf(bytes: Buffer): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse("the body is not UTF-8");
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(`the body is not JSON: ${error instanceof Error ? withoutText(error.message) : ""}`);
  }
}

/** Where JSON is wrong, without the text around it: the log has no prompts. */
function withoutText(message: string): string {
  return /at position \d+(?: \(line \d+ column \d+\))?/.exec(message)?.[0] ?? "it ends too early or holds what JSON has not";
}

function parsed<Body>(value: unknown, schema: z.ZodType<Body>): Body {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const issue = deepest(error.issues);
  const param = pathText(issue?.path ?? []);
  return refuse(param === "" ? `the body ${issue?.message}` : `${param} ${sentenceOf(issue)}`, param === "" ? undefined : param);
}

/** The issue of that form of a union which got furthest, so that the message is about what was meant. */
function deepest(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue | undefined {
  const [issue] = issues;
  if (issue?.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors.map((list) => deepest(list)).filter((one) => one !== undefined);
  const best = inner.sort((a, b) => b.path.length - a.path.length)[0];
  if (best === undefined || best.path.length === 0) return issue;
  return { ...best, path: [...issue.path, ...best.path] };
}

function sentenceOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) return "is wrong";
  if (issue.code === "custom") return issue.message;
  if (issue.code === "invalid_key") return sentenceOf(issue.issues[0]);
  const message = issue.message.replace(/^Invalid input: /, "").replace(/^Too (?:small|big|long|short): /, "");
  return `is wrong: ${message}`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`)).join("");
}
