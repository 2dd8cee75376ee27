// The two corpora as recipes: the same inputs with the same proportions, once as plain text, byte for byte, and once cleaned in the manner of recipes/llama.yaml.

/** Proportions in percent. They follow what there is of each source after its cleaning, so that no run sees one of them more than about four times. */
export const weights = { web: 3, wikipedia: 22, stackexchange: 16, latex: 6, books: 35, code: 12, pages: 6 };

/** The names of all sources. */
export const sourceNames = Object.keys(weights);

/** How a source is read and cleaned. @param model the path of a fastText model of languages, such as lid.176.ftz */
const cleaned = (model) => {
  const english = { language: { model, languages: ["en"], minScore: 0.5, lineEnds: "deleted" } };
  return {
    web: {
      format: "warc",
      steps: [
        { length: { minCharacters: 300 } },
        { dedupLines: { keep: "first" } },
        english,
        "gopherQuality",
        "gopherRepetition",
        "dedupNear",
      ],
    },
    wikipedia: { format: "wikipedia", steps: ["wikitext"] },
    stackexchange: { format: "stackexchange", steps: ["dedupDocuments"] },
    latex: { format: "latex", steps: ["latex"] },
    books: { format: "text", steps: ["gutenberg", { dedupSimhash: { characters: 6, distance: 5 } }] },
    code: {
      format: "code",
      steps: [
        { codeLicence: { keep: ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"] } },
        "codeOrigin",
        "codeQuality",
        "dedupDocuments",
      ],
    },
    pages: {
      format: "text",
      steps: [
        { length: { minCharacters: 300 } },
        { dedupLines: { keep: "first" } },
        english,
        "gopherRepetition",
        "gopherQuality",
        "dedupNear",
      ],
    },
  };
};

/** @param side "train" or "held"; paths start from the folder of the inputs */
export function cleanRecipeOf(side, model) {
  return recipeOf(side, cleaned(model));
}

/** What is no UTF-8 is converted, as an empty list of steps does; nothing else is done. */
export function rawRecipeOf(side) {
  return recipeOf(side, Object.fromEntries(sourceNames.map((name) => [name, { format: "text", steps: [] }])));
}

function recipeOf(side, how) {
  return { sources: sourceNames.map((name) => ({ name, paths: `${side}/${name}`, weight: weights[name], ...how[name] })), heldOut: 0 };
}
