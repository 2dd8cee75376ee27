// Licence expressions (SPDX 3.0, annex D): names joined by AND and OR, in parentheses, with exceptions behind WITH.

/** Whether a choice in the expression is of allowed licences alone. An exception to an allowed licence only allows more. @param allowed names in small letters */
export function isAllowed(expression: string, allowed: ReadonlySet<string>): boolean {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const isNext = (word: string) => words[at]?.toUpperCase() === word;
  const oneOf = (): boolean => {
    let found = allOf();
    for (; isNext("OR"); ) {
      at++;
      const other = allOf();
      found ||= other;
    }
    return found;
  };
  const allOf = (): boolean => {
    let found = single();
    for (; isNext("AND"); ) {
      at++;
      const other = single();
      found &&= other;
    }
    return found;
  };
  const single = (): boolean => {
    const word = words[at++] ?? "";
    if (word === "(") {
      const inside = oneOf();
      if (words[at++] !== ")") at = Number.POSITIVE_INFINITY;
      return inside;
    }
    if (isNext("WITH")) at += 2;
    return allowed.has(word.toLowerCase());
  };
  return words.filter((word) => word === "(").length <= deepest && oneOf() && at === words.length;
}

/** Parentheses within parentheses; nobody writes so many. */
const deepest = 100;
