// What templates may call without being given it: Jinja's globals and those that transformers adds.
import { Bound } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import { format } from "./dates.ts";
import type { Text } from "./text.ts";
import { type Arguments, Callable, Dict, integer, List, Namespace, str, TemplateError, typeName, type Value } from "./values.ts";

/** What `raise_exception` throws: the template's own sentence about what it was given. */
export class RaisedByTemplate extends TemplateError {}

const mostElements = 1_000_000;

/** @param now what `strftime_now` tells */
export function globals(now: Date, budget: Budget): Map<string, Value> {
  const all: Readonly<Record<string, (args: Arguments) => Value>> = {
    range: (args) => range(args, budget),
    namespace: (args) => new Namespace(new Map(pairsOf("namespace()", args).map(([key, value]) => [key.text, value]))),
    dict: (args) => new Dict(pairsOf("dict()", args)),
    raise_exception: (args) => {
      throw new RaisedByTemplate(str(new Bound("raise_exception()", args, ["message"]).needed("message")).text);
    },
    strftime_now: (args) => new Bound("strftime_now()", args, ["format"]).neededText("format").map((part) => format(now, part)),
  };
  return new Map(Object.entries(all).map(([name, call]) => [name, new Callable(`${name}()`, call)]));
}

function range(args: Arguments, budget: Budget): List {
  const bound = new Bound("range()", args, ["start", "stop", "step"]);
  const [one, two] = [bound.integer("start"), bound.integer("stop")];
  if (one === undefined) throw new TemplateError("range expected at least 1 argument, got 0");
  const [start, stop, step] = [two === undefined ? 0 : one, two ?? one, bound.integer("step") ?? 1];
  if (step === 0) throw new TemplateError("range() arg 3 must not be zero");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > mostElements) throw new TemplateError(`Range too big: ${count} elements, but at most ${mostElements} are allowed`);
  budget.step(count);
  return new List(Array.from({ length: count }, (_, i) => integer(start + i * step)));
}

function pairsOf(name: string, { positional, named }: Arguments): (readonly [Text, Value])[] {
  const [source, ...more] = positional;
  if (more.length > 0) throw new TemplateError(`${name} expected at most 1 argument, got ${positional.length}`);
  if (source !== undefined && !(source instanceof Dict)) throw new TemplateError(`${name} takes a dict, not ${typeName(source)}`);
  return [...(source?.entries.values() ?? []), ...named.entries.values()];
}
