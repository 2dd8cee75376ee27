// White space between the tokens of a JSON text: which is allowed is a choice, because a model that may write as much as it likes may never end.
import { type Expression, either, empty, optional, repeat, sequence, set, text } from "../expression.ts";

/**
 * "none": no white space. "space": at most one space behind each comma and colon. "indented": also a line end with up to 40 spaces or tabs, or a space,
 * behind commas and opening brackets and in front of closing ones.
 */
export type Whitespace = "none" | "space" | "indented";

/** All ways, the usual one first. */
export const whitespaces: readonly Whitespace[] = ["space", "none", "indented"];

/** What may stand in four places of a JSON text. */
export interface Layout {
  readonly afterOpen: Expression;
  readonly beforeClose: Expression;
  readonly comma: Expression;
  readonly colon: Expression;
}

const space = optional(text(" "));
const line = optional(
  either([
    text(" "),
    sequence(
      text("\n"),
      repeat(
        set([
          [9, 9],
          [32, 32],
        ]),
        0,
        40,
      ),
    ),
  ]),
);

const layouts: Readonly<Record<Whitespace, Layout>> = {
  none: { afterOpen: empty, beforeClose: empty, comma: text(","), colon: text(":") },
  space: { afterOpen: empty, beforeClose: empty, comma: sequence(text(","), space), colon: sequence(text(":"), space) },
  indented: { afterOpen: line, beforeClose: line, comma: sequence(text(","), line), colon: sequence(text(":"), space) },
};

/** The places of a JSON text with their white space. */
export function layoutOf(whitespace: Whitespace): Layout {
  return layouts[whitespace];
}
