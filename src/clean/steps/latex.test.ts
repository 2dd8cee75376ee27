// LaTeX: comments as TeX has them, macros with arguments, and what the published pipelines get wrong; hostile sources end.
import { expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { CleanDocument, isDropped, openStages } from "../index.ts";

async function cleaner(parameters: unknown = {}): Promise<(text: string) => string> {
  const [stage] = await openStages([{ latex: parameters }]);
  return (text) => {
    const outcome = stage?.chain.apply(new CleanDocument(text)).outcome;
    return outcome === undefined ? "" : isDropped(outcome) ? outcome.reason : outcome.text;
  };
}

const paper = String.raw`\documentclass{article} % a class
\newcommand{\R}{\mathbb{R}}
\newcommand{\norm}[1]{\left\|#1\right\|}
\newcommand*{\pair}[2][x]{(#1, #2)}
\def\half#1{\frac{#1}{2}}
\DeclareMathOperator{\tr}{tr}
\begin{document}
\title{T}\begin{abstract}gone\end{abstract}
\section{Introduction}
A norm $\norm{v \in \R^n}$ is 5\% % five
of $\pair{y}$ and $\pair[a]{\norm{b}}$, $\half z$, $\tr A$.

\begin{thebibliography}{9}\bibitem{a} A\end{thebibliography}
\bibliography{refs}
\end{document}
behind`;

test("from the first section on, macros expanded in place, no comments and no bibliography", async () => {
  expect((await cleaner())(paper)).toBe(
    String.raw`\section{Introduction}
A norm $\left\|v \in \mathbb{R}^n\right\|$ is 5\% of $(x, y)$ and $(a, \left\|b\right\|)$, $\frac{z}{2}$, $\operatorname{tr} A$.`,
  );
});

test.each([
  ["a % b\nc", "a c"],
  ["a% b\n  c", "ac"],
  [String.raw`5\% a \\% b`, String.raw`5\% a \\`],
  ["a % b\n\nc", "a \nc"],
  [String.raw`\verb|%| \url{a%20b} c`, String.raw`\verb|%| \url{a%20b} c`],
  ["\\begin{verbatim}\n% kept\n\\end{verbatim} % gone", "\\begin{verbatim}\n% kept\n\\end{verbatim}"],
  ["a\\begin{comment}b\\end{comment}c", "ac"],
  [String.raw`\iffalse a \ifx b \fi c \else d \fi e`, "d  e"],
  [String.raw`\iftrue a \else b \fi c`, "a  c"],
  [String.raw`\if false a\if 0 b\fi c\fi d`, "d"],
  [String.raw`\newif\ifdraft \ifdraft a \iffalse b \fi c \fi`, String.raw`\newif\ifdraft \ifdraft a  c \fi`],
  [String.raw`\iffalse $a \iff b$ \ifthenelse{c}{d}{e} \fi f`, "f"],
  [String.raw`\iffalse a \ifunknown b \fi c`, "c"],
  [String.raw`a \iffalse b`, String.raw`a \iffalse b`],
  [String.raw`\def\a{\alpha}\a x\a{}y`, String.raw`\alpha x\alpha{}y`],
  [String.raw`\newcommand{\b}[1]{\mathbf#1}\b x \b{\c}`, String.raw`\mathbf x \mathbf\c`],
  [String.raw`\newcommand{\a}{\b}\newcommand{\b}{c}\a`, "c"],
  [String.raw`\newcommand{\a}{1}\a\renewcommand{\a}{2}\a`, "12"],
  [String.raw`\newcommand\a [2] {#2#1} \a{x}{y} \a`, String.raw`yx \a`],
  [String.raw`\newenvironment{note}[1]{\textbf{#1}: }{\par}\begin{note}{A}text\end{note}`, String.raw`\textbf{A}: text\par`],
  [String.raw`\newenvironment*{x}[2][k]{(#1#2) }{}\begin{x}{l}a\end{x} \begin{x}[m]{n}b\end{x}`, "(kl) a (mn) b"],
  [String.raw`\renewenvironment{y}{\begin{y}}{z}\begin{y}a\end{y}`, String.raw`\begin{y}a\end{y}`],
  [String.raw`\newcommand{\a}{\@ifnextchar[{\b}{\c}}\a[x]`, String.raw`\a[x]`],
  [String.raw`\newcommand{\a}{x\b}\newcommand{\b}{y\a}\newcommand{\d}{\b z}\a \d`, String.raw`\a y\a z`],
  [String.raw`\def\a#1.{#1} \a b.`, String.raw`\def\a#1.{#1} \a b.`],
])("%j → %j", async (text, wanted) => {
  expect((await cleaner({ withoutSection: "keep", fromFirstSection: false }))(text).trim()).toBe(wanted);
});

test("a section in a definition is not the first one, and one that a macro makes is", async () => {
  const head = String.raw`\newcommand{\part}[1]{\section{#1}}\begin{document} gone `;
  expect((await cleaner())(`${head}\\part{A} text`)).toBe("\\section{A} text");
});

test("parameters: what has no section, what stands before it, bibliography, macros", async () => {
  expect((await cleaner())("\\newcommand{\\a}{b}")).toBe("noSection");
  const all = await cleaner({ fromFirstSection: false, bibliography: "keep", expandMacros: false });
  expect(all(paper)).toContain("\\newcommand{\\R}");
  expect(all(paper)).toContain("\\bibliography{refs}");
});

test("definitions that hold themselves or grow without end, and braces without end, take bounded room", async () => {
  const clean = await cleaner({ withoutSection: "keep" });
  expect(clean("\\def\\a{\\a\\a}\\a").length).toBeLessThan(200_000);
  const names = "abcdefghijklmnopqrst";
  const bomb = [...names].map((name, i) => `\\def\\x${name}{${`\\x${names[i + 1] ?? "z"}`.repeat(10)}}`).join("\n");
  expect(clean(`${bomb}\\xa`).length).toBeLessThan(1_000_000);
  for (const part of [
    "\\def\\a{",
    "\\newcommand{\\a}[1]{#1}\\a",
    "{",
    "\\iffalse ",
    "\\begin{comment}",
    "\\verb|",
    "%",
    "\\url{",
    "\\begin{thebibliography}",
    "\\a[",
  ])
    expect(clean(part.repeat(20_000)).length).toBeLessThan(1_000_000);
});

test("300 mutated sources become texts", async () => {
  const clean = await cleaner();
  const rng = new Rng(4);
  for (let round = 0; round < 300; round++) {
    const characters = [...paper];
    for (let i = 0; i < 8; i++) characters[rng.below(characters.length)] = "\\{}[]%#$\n"[rng.below(9)] ?? "";
    expect(clean(characters.join(""))).toBeTypeOf("string");
  }
});
