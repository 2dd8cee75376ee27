"""What Hugging Face's tokenizers (Oniguruma) finds of patterns in random strings of all scripts: patterns of published tokenizers, a list of
features, and random ones. Writes split-patterns.golden.json: python3 make_split_patterns.py, with tokenizers 0.23.3; twice gives the same bytes.
"""
import json
import random
import sys

from tokenizers import Regex, normalizers, pre_tokenizers

rng = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 13)

letters = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
capitals = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
tail = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
published = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "gpt2, tiktoken": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    "cl100k, llama 3": short + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|" + tail,
    "cl100k, tiktoken": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "o200k, llama 4": f"{letters}{short}?|{capitals}{short}?" + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "tekken": f"{letters}|{capitals}" + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "qwen2": short + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|" + tail,
    "qwen3.5": short + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "deepseek v3": "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    "deepseek v3, cjk": "[一-龥\u3040-ゟ゠-ヿ]+",
    "deepseek v2, punctuation": r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    "deepseek v2, space": r"\s+$",
    "deepseek v2, cjk": "[一-龥ࠀ-一가-퟿]+",
    "deepseek coder, letters": r"\s?\p{L}+",
    "deepseek coder, punctuation": r"\s?\p{P}+",
    "falcon": r"[0-9][0-9][0-9]",
    "bloom": r" ?[^(\s|[.,!?…。，、।۔،])]+",
    "starcoder, smollm": r"\p{N}",
    "command-r, gemma": r"\s+",
    "gpt-4o, digits first": r"\p{N}{1,3}(?=(?:\p{N}{3})*(?:\P{N}|$))",
    "superbpe": r"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))|\P{N}+",
    "chatglm": r"(?=(\d{3})+(?!\d))",
    "viking": r" ?[^(\s|.,!?…。，、।۔،)]+",
    "exaone": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{N}|\s+|\p{Han}+|\p{Hangul}+|[^\s\p{N}]+",
    "kimi k2": r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
features = r"""(?<=a)b
(?<!a)c
(?<=ab|c)a
(?<!\w)a
(?<=^|b)a
(?<=\b)a
(?<=a{1,3}b)c
(?>a+)b
a++b
(?>a*b|a)c
(?>a|ab)c
(?>(?:a|ab)*)c
a?+b
\ba
\Ba
a\b
^a
a$
\Aa
a\z
a\Z
\R
\R\n
(?>\R)\n
(?i:a[b-c])
(?i:k)
(?i:s)
(?i:[r-t])+
(?i:'s|'t|'re|'ve|'m|'ll|'d)
(?i:[^s])
(?i)ab|c
a(?i)b|c
(?i:\p{Lu})
(?i:å|σ)
(?m:a.)
.
\N
\O
(?x: a b \  )
[[:alpha:]]+
[[:^alpha:]]+
[[:upper:]]
[[:lower:]]+
[[:punct:]]
[[:word:]]+
\w+
\W+
\d
\D+
\h+
\H
\s+
\S+
[a&&b]
[\p{L}&&[^a]]+
[^a&&b]
[a-c-e]+
[]a]
[\]\-a]
[a-]
[--a]
[\w-]+
[^\W\d]+
\p{^L}+
\P{^L}
\p{Greek}+
\p{Cyrillic}+
\p{Han}+
\p{Hiragana}
\p{Arabic}+
\p{Latin}+
\p{Thai}+
\p{Alphabetic}+
\p{Lowercase_Letter}+
\p{Zs}
a{2}
a{2,}
a{,2}
a{1,2}?
a{2}?
a{1,2}+
a{
a{,}
a{1,2
a*?b
a??
(?:a|)+
(?:|a)*
(?:(?:|a)b?)*
(?:a*)*b
(?:a|b*)*c
(?=a)
(?!a)b
(?=.*a)\w
(?!.*a)\w
a(?=b(?!c))
\x61
\u0061
\x{61}
\141
\t
()
a|
(?<n>a)b
(?:a*b|a)
a*?
(?:a+?b??)*c""".split("\n")

scripts = ["abcABC", "sdmtSTVELR'ſ", "  \u00a0\t\u3000\u2009", "\r\n\n\u0085\u2028\x0b", "0123456789٠١٢१२Ⅷ½²", "!?.,;:-_/()[]{}<>@#$%^&*+=~`|\"\\", "éüñßſKÅ", "\u0301\u0308\u20dd\u0903\u200d\u200c\ufe0f", "日本語中文龥", "あいうアイウー", "가나다한", "αβγΣς", "абвЖ", "אבג", "ابجد", "กขค", "😀👍🏽🦙👨‍👩‍👧", "𝒜𝒷𐐀𐐨𠀀", "ǅʰªº", "\u0000\u0007\u200b\ufeff\ue000\uffff\U0010ffff", "က္ख्त", "\u1c89\ua7cb\u0378\U0001e5d0"]


def sample(length, some=None):
    out = []
    while len(out) < length:
        script = rng.choice(some or scripts)
        out += rng.choices(script, k=rng.randint(1, 4))
    return "".join(out[:length])


def small(length):
    return "".join(rng.choices("aaabbbcd \nA1", k=length))


def atom(depth):
    kind = rng.random()
    if kind < 0.5 or depth == 0:
        return rng.choice(["a", "b", "c", "a", "b", ".", "[ab]", "[^a]", r"\w", r"\s", r"\d", r"\n"])
    if kind < 0.75:
        return "(?:" + pattern(depth - 1) + ")"
    if kind < 0.85:
        return "(?>" + pattern(depth - 1) + ")"
    if kind < 0.95:
        return rng.choice(["(?=", "(?!", "(?=", "(?!", "(?<=", "(?<!"]) + pattern(depth - 1) + ")"
    return rng.choice([r"\b", r"\B", "^", "$", r"\A", r"\z", r"\Z"])


def pattern(depth):
    def one():
        text = atom(depth)
        fixed = text.startswith(("(?=", "(?!", "(?<", "^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z"))
        if fixed or rng.random() < 0.5:
            return text
        return text + rng.choice(["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{,2}", "{2,}", "{1,3}?"])

    return "|".join("".join(one() for _ in range(rng.randint(0 if depth < 2 else 1, 3))) for _ in range(rng.choice([1, 1, 2, 3])))


def found(source, texts, behaviour="isolated", invert=False):
    split = pre_tokenizers.Split(Regex(source), behaviour, invert)
    return [[part for part, _ in split.pre_tokenize_str(text)] for text in texts]


def row(source, texts):
    try:
        pieces = found(source, texts)
        gaps = found(source, texts, "removed")
    except Exception as error:
        return {"pattern": source, "error": str(error).split(": ", 1)[-1]}
    return {"pattern": source, "texts": texts, "pieces": [[len(p) for p in one] for one in pieces], "gaps": [[len(p) for p in one] for one in gaps]}


rows = []
for source in published.values():
    rows.append(row(source, [sample(40) for _ in range(3)] + [sample(30, scripts[:6])]))
for source in features:
    rows.append(row(source, [small(16), sample(16, scripts[1:2] + scripts[6:7]), sample(24)]))
for _ in range(200):
    rows.append(row(pattern(1), [small(12)]))

behaviours = []
for source in ["b", "b+", "b*", r"\s|(?=A)", r"\p{L}+", "(?=b)"]:
    for behaviour in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
        for invert in [False, True]:
            texts = [small(14), sample(14)]
            behaviours.append({"pattern": source, "behaviour": behaviour, "invert": invert, "texts": texts, "pieces": found(source, texts, behaviour, invert)})

replacements = []
for source in ["b", "b*", "", "(?<=a)b", r"\s+(?=\S)", r"\p{Han}+", r"(?i:s)", "x"]:
    replace = normalizers.Replace(Regex(source), "<$0>")
    texts = [small(14), sample(14), ""]
    replacements.append({"pattern": source, "to": "<$0>", "texts": texts, "replaced": [replace.normalize_str(text) for text in texts]})

with open("split-patterns.golden.json", "w") as file:
    json.dump({"rows": rows, "behaviours": behaviours, "replacements": replacements}, file, ensure_ascii=True, separators=(",", ":"))
    file.write("\n")
