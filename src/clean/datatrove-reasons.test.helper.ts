// Reasons of ours by the name that datatrove's filters have for them, for tests that compare verdicts.
const reasons: Readonly<Record<string, string>> = {
  gopher_short_doc: "fewWords",
  gopher_long_doc: "manyWords",
  gopher_below_avg_threshold: "shortWords",
  gopher_above_avg_threshold: "longWords",
  gopher_too_many_hashes: "hashes",
  gopher_too_many_ellipsis: "ellipses",
  gopher_too_many_bullets: "bullets",
  gopher_too_many_end_ellipsis: "ellipsisLines",
  gopher_below_alpha_threshold: "fewLetters",
  gopher_enough_stop_words: "fewStopWords",
  dup_para_frac: "paragraphs",
  dup_para_char_frac: "paragraphCharacters",
  dup_line_frac: "lines",
  dup_line_char_frac: "lineCharacters",
  line_punct_ratio: "unendedLines",
  short_line_ratio: "shortLines",
  char_dup_ratio: "repeatedLines",
  list_ratio: "list",
  lorem_ipsum: "loremIpsum",
  curly_bracket: "brace",
  too_few_sentences: "fewSentences",
};

/** Our reason for what datatrove calls `reason`. */
export function reasonOf(reason: string): string {
  return (
    reasons[reason] ??
    reason
      .replace(/^< \d+ paragraphs$/, "fewParagraphs")
      .replace(/^top_\d+_gram$/, "topGram")
      .replace(/^duplicated_\d+_n_grams$/, "repeatedGrams")
  );
}
