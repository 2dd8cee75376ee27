// Strings: patterns, formats, lengths and values that are left out are one language, unless only the length counts.
import type { Expression } from "../expression.ts";
import { never } from "../expression.ts";
import { anyString, both, isEmpty, isEverything, type Language, lengthLanguage, lengthsOf, negated, wordsLanguage } from "../language.ts";
import { PatternProblem } from "../pattern.ts";
import type { Atom } from "./atoms.ts";
import { freeString, languageString } from "./json-text.ts";
import type { Atoms } from "./negate.ts";
import { atomsOf, otherValues, type Parts, range } from "./parts.ts";

/** The texts of valid strings. */
export function stringText(atoms: Atoms, parts: Parts): Expression {
  const [least, most] = range(atomsOf(atoms, "length"));
  if (least > most) return never;
  const language = named(atoms, parts);
  if (isEverything(language)) return parts.shared(`string ${least} ${most}`, () => freeString(least, most));
  return sharedString(withLength(language, atoms, parts), parts);
}

/** The texts of a language's strings. */
export function sharedString(language: Language, parts: Parts): Expression {
  return parts.shared(`language ${JSON.stringify(language.states)}`, () => languageString(language));
}

/** The strings that fulfil atoms. */
export function stringLanguage(atoms: Atoms, parts: Parts): Language {
  return withLength(named(atoms, parts), atoms, parts);
}

/** What patterns, formats and values leave. */
function named(atoms: Atoms, parts: Parts): Language {
  const languages = atomsOf(atoms, "language");
  const words = otherValues(atoms).filter((value) => typeof value === "string");
  const all = languages.map(({ named, isNegated }) => (isNegated ? negated(named.language) : named.language));
  if (words.length > 0) all.push(negated(wordsLanguage(words)));
  return refusing(languages[0] ?? atoms[0], parts, () => all.reduce(both, anyString));
}

function withLength(language: Language, atoms: Atoms, parts: Parts): Language {
  const lengths = atomsOf(atoms, "length");
  const [least, most] = range(lengths);
  if (isEmpty(language)) return language;
  const [shortest, longest] = lengthsOf(language);
  if (shortest >= least && longest <= most) return language;
  return refusing(lengths[0], parts, () => both(language, lengthLanguage(least, Math.max(most, least - 1))));
}

/** @param atom is named where the language is too large */
function refusing(atom: Atom | undefined, parts: Parts, make: () => Language): Language {
  try {
    return make();
  } catch (error) {
    if (error instanceof PatternProblem && atom !== undefined)
      return parts.fail(atom, `what is asked of the string is too much: ${error.message}`);
    throw error;
  }
}
