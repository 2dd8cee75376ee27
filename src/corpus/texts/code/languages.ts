// Languages of source code by what names of files end in, and by the program that a script's first line names.

/** Endings without the point; names that stand alone are whole. Data, such as JSON, and pictures are none. */
const endings: Readonly<Record<string, string>> = {
  Ada: "adb ads",
  Assembly: "asm s",
  Batchfile: "bat cmd",
  C: "c h",
  "C#": "cs",
  "C++": "cpp cc cxx c++ hpp hh hxx h++ inl ipp",
  Clojure: "clj cljs cljc edn",
  CMake: "cmake cmakelists.txt",
  COBOL: "cob cbl",
  "Common Lisp": "lisp lsp cl",
  CSS: "css scss sass less",
  CUDA: "cu cuh",
  D: "d",
  Dart: "dart",
  Dockerfile: "dockerfile",
  Elixir: "ex exs",
  Elm: "elm",
  "Emacs Lisp": "el",
  Erlang: "erl hrl",
  "F#": "fs fsi fsx",
  Fortran: "f for f90 f95 f03 f08",
  GLSL: "glsl vert frag comp",
  Go: "go",
  GraphQL: "graphql gql",
  Groovy: "groovy gradle",
  Haskell: "hs lhs",
  HTML: "html htm xhtml",
  Java: "java",
  JavaScript: "js mjs cjs jsx",
  Julia: "jl",
  Kotlin: "kt kts",
  Lean: "lean",
  Lua: "lua",
  Makefile: "mk makefile gnumakefile",
  Markdown: "md markdown",
  Mathematica: "wl wls",
  MATLAB: "matlab",
  Nim: "nim",
  Nix: "nix",
  "Objective-C": "m mm",
  OCaml: "ml mli",
  Pascal: "pas pp dpr",
  Perl: "pl pm t",
  PHP: "php phtml",
  PowerShell: "ps1 psm1",
  Prolog: "pro prolog",
  "Protocol Buffer": "proto",
  Python: "py pyi pyx pxd",
  R: "r",
  Racket: "rkt",
  reStructuredText: "rst",
  Ruby: "rb rake gemspec rakefile gemfile",
  Rust: "rs",
  Scala: "scala sc",
  Scheme: "scm ss",
  Shell: "sh bash zsh ksh",
  Smalltalk: "st",
  Solidity: "sol",
  SQL: "sql",
  Stan: "stan",
  Svelte: "svelte",
  Swift: "swift",
  SystemVerilog: "sv svh",
  Tcl: "tcl",
  TeX: "tex sty cls",
  Thrift: "thrift",
  TypeScript: "ts mts cts tsx",
  Vala: "vala",
  Verilog: "v vh",
  VHDL: "vhd vhdl",
  "Vim Script": "vim",
  "Visual Basic": "vb bas",
  Vue: "vue",
  WebAssembly: "wat wast",
  Zig: "zig",
};

const byEnding = new Map(Object.entries(endings).flatMap(([language, all]) => all.split(" ").map((ending) => [ending, language] as const)));

/** Programs that scripts name behind `#!`, without versions. */
const programs = new Map(
  Object.entries({
    sh: "Shell",
    bash: "Shell",
    zsh: "Shell",
    ksh: "Shell",
    dash: "Shell",
    python: "Python",
    perl: "Perl",
    ruby: "Ruby",
    node: "JavaScript",
    deno: "TypeScript",
    php: "PHP",
    Rscript: "R",
    lua: "Lua",
    tclsh: "Tcl",
    make: "Makefile",
  }),
);

/** The language of a file; undefined where its name tells none and it is no script. */
export function languageOf(name: string, text: string): string | undefined {
  const last = name.slice(name.lastIndexOf("/") + 1).toLowerCase();
  const ending = last.slice(last.lastIndexOf(".") + 1);
  return byEnding.get(last) ?? (last.includes(".") ? byEnding.get(ending) : undefined) ?? languageOfScript(text);
}

function languageOfScript(text: string): string | undefined {
  const line = /^#!\s*(\S+)(?:\s+(?:-S\s+)?(\S+))?/.exec(text);
  const program = line?.[1]?.endsWith("/env") ? line[2] : line?.[1];
  return programs.get(program?.replace(/^.*\//, "").replace(/[\d.]+$/, "") ?? "");
}
