// Punctuation of many scripts and what CCNet writes in its place (facebookresearch/cc_net, text_normalizer.py, UNICODE_PUNCT).

/** Marks that are not ASCII's, and ASCII's that stand for them. */
export const plainMarks: ReadonlyMap<string, string> = new Map([
  ...pairs("，、", ","),
  ...pairs("。", "."),
  ...pairs("．", ". "),
  ...pairs("„”“«»」「《》", '"'),
  ...pairs("´’", "'"),
  ...pairs("∶：", ":"),
  ...pairs("？", "?"),
  ...pairs("！", "!"),
  ...pairs("（", "("),
  ...pairs("）", ")"),
  ...pairs("；", ";"),
  ...pairs("–━►", "-"),
  ...pairs("—", " - "),
  ...pairs("～", "~"),
  ...pairs("…", "..."),
  ...pairs("〈", "<"),
  ...pairs("〉", ">"),
  ...pairs("【", "["),
  ...pairs("】", "]"),
  ...pairs("％", "%"),
]);

function pairs(marks: string, plain: string): [string, string][] {
  return Array.from(marks, (mark) => [mark, plain]);
}
