// Articles in LaTeX as the paper has them from arXiv.
import { z } from "zod";
import { stepRow } from "../step.ts";

const parameters = z.strictObject({
  fromFirstSection: z.boolean().default(true).describe("whether everything before the first section goes; definitions there are used"),
  withoutSection: z
    .enum(["drop", "keep"])
    .default("drop")
    .describe("what becomes of a source that has no section, such as a file of definitions"),
  bibliography: z.enum(["drop", "keep"]).default("drop").describe("whether the bibliography goes"),
  expandMacros: z.boolean().default(true).describe("whether the author's macros are expanded in place, those with arguments too"),
});

const section = /\\(?:part|chapter|section|subsection)\*?\s*[[{]/g;
const bibliography =
  /\\begin\s*\{(thebibliography|references|REFERENCES)\}[\s\S]*?(?:\\end\s*\{\1\}|$)|\\(?:bibliography|bibliographystyle|addbibresource)\s*\{[^{}]*\}|\\printbibliography(?:\[[^\]]*\])?/g;

/** The paper's rules for LaTeX. */
export const latex = stepRow({
  name: "latex",
  summary: "LaTeX from its first section on, without comments and bibliography, macros expanded",
  source: "Touvron et al. 2023, arXiv 2302.13971, section 2.1, after Lewkowycz et al. 2022, arXiv 2206.14858",
  deeds: ["rewrites", "drops"],
  reasons: { noSection: "has no section", empty: "has no text besides its markup" },
  parameters,
  open: async (options) => {
    const [{ stripComments }, { Macros }] = await Promise.all([import("../text/latex/comments.ts"), import("../text/latex/macros.ts")]);
    return {
      apply: (document) => {
        const source = stripComments(document.text).replace(/\\end\s*\{document\}[\s\S]*$/, "");
        const expanded = options.expandMacros ? new Macros(source.length).expand(source) : source;
        const start = firstSection(expanded);
        if (start === undefined && options.withoutSection === "drop") return { reason: "noSection" };
        const body = options.fromFirstSection ? expanded.slice(start ?? 0) : expanded;
        const text = (options.bibliography === "drop" ? body.replace(bibliography, "") : body).replace(/\n{3,}/g, "\n\n").trim();
        return text === "" ? { reason: "empty" } : document.withText(text);
      },
    };
  },
});

/** Where the first section begins; a definition in the preamble may have one in its body. */
function firstSection(source: string): number | undefined {
  section.lastIndex = Math.max(0, source.search(/\\begin\s*\{document\}/));
  return section.exec(source)?.index;
}
