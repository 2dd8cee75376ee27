"""Asks tokenizers' normalisers and its pre-tokenizers Punctuation and UnicodeScripts what they do with every character, and writes src/tokenizer/normaliser-tables.ts:
they know older versions of Unicode than its regular expressions and than JavaScript engines, each another one.

    python3 make_normaliser_tables.py > ../../src/tokenizer/normaliser-tables.ts    then Biome

Made with tokenizers 0.23.3, and unicodedata2 18.0.0 for what newer versions of Unicode say. Takes a minute.
"""
import unicodedata2
from tokenizers import normalizers, pre_tokenizers

POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
BERT = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)


def removed(normalizer):
    return [c for c in POINTS if normalizer.normalize_str(chr(c)) == ""]


def punctuation():
    split = pre_tokenizers.Punctuation("removed")
    return [c for c in POINTS if not split.pre_tokenize_str(chr(c))]


def unknown():
    """Characters of newer Unicode that decompose or reorder there, and the first parts of those that compose: tokenizers leaves them as they are."""
    forms = {name: getattr(normalizers, name)() for name in ("NFD", "NFKD")}
    found = set()
    for c in POINTS:
        char = chr(c)
        newer = {name: unicodedata2.normalize(name, char) for name in forms}
        if any(forms[name].normalize_str(char) != newer[name] for name in forms):
            found.update((c, ord(newer["NFD"][0])))
        # U+0334 has the lowest combining class, so that it goes in front of any mark that is known to have one.
        marked = "a" + char + "\u0334"
        if unicodedata2.combining(char) > 1 and forms["NFD"].normalize_str(marked) == marked:
            found.add(c)
    return sorted(found)


def scripts():
    """The script of every character, as a number; 0 for what belongs to any script."""
    split = pre_tokenizers.UnicodeScripts()
    differ = lambda a, b: len(split.pre_tokenize_str(a + b)) > 1
    representatives = []
    number = {}
    before, last = None, None
    for c in POINTS:
        char = chr(c)
        # Neighbours mostly have one script. A character that is parted neither from a letter A nor from a Greek one belongs to any script.
        if not differ(char, "A") and not differ(char, "\u03b1"):
            number[c] = 0
        elif before is not None and not differ(before, char):
            number[c] = last
        else:
            at = next((i for i, one in enumerate(representatives) if not differ(one, char)), None)
            if at is None:
                at = len(representatives)
                representatives.append(char)
            number[c] = at + 1
        if number[c] != 0:
            before, last = char, number[c]
    return number


def base36(n):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[n] if n < 36 else base36(n // 36) + digits[n % 36]


def ranges(points):
    """What lies between a range and the one before, and its length, in base 36."""
    found = []
    for c in points:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    ends = [0] + [last + 1 for _, last in found]
    return " ".join(f"{base36(first - end)},{base36(last - first + 1)}" for (first, last), end in zip(found, ends))


def runs(number):
    found = []
    for c in range(0x110000):
        value = number.get(c, 0)
        if found and found[-1][0] == value:
            found[-1][1] += 1
        else:
            found.append([value, 1])
    return " ".join(f"{base36(value)},{base36(length)}" for value, length in found)


TABLES = {
    "accents": ("Marks that StripAccents takes out.", lambda: ranges(removed(normalizers.StripAccents()))),
    "bertAccents": ("Marks that BertNormalizer takes out as accents.", lambda: ranges(removed(normalizers.BertNormalizer(**{**BERT, "strip_accents": True})))),
    "bertControls": ("What BertNormalizer takes out as no text.", lambda: ranges(removed(normalizers.BertNormalizer(**{**BERT, "clean_text": True})))),
    "punctuation": ("What Punctuation and BertPreTokenizer cut off.", lambda: ranges(punctuation())),
    "unnormalised": ("Characters that Unicode's forms of today change and those of tokenizers do not.", lambda: ranges(unknown())),
    "scripts": ("Runs of characters of one script from U+0000 on: the script's number, 0 for what belongs to any, and the run's length.", lambda: runs(scripts())),
}  # fmt: skip

print("// Made by test/goldens/make_normaliser_tables.py: what normalisers and pre-tokenizers of tokenizers 0.23.3 know of Unicode. Ranges are written as the distance from")
print("// the one before and the length, in base 36.")
for name, (about, table) in TABLES.items():
    print(f'\n/** {about} */\nexport const {name} =\n  "{table()}";')
