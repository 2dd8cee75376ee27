"""Asks tokenizers' regular expressions (Oniguruma) which characters every class has and which differ only in case, and writes both
as src/regex/unicode-tables.ts, so that ids do not depend on the Unicode version of the JavaScript engine.

    python3 make_unicode_tables.py > ../../src/regex/unicode-tables.ts

Also writes unicode-classes.golden.json: of every class that src/regex knows how many ranges it has, how many characters, and a hash (FNV-1a) of the
ranges without surrogates.

Made with tokenizers 0.23.3, whose classes are Unicode 16.0. Takes a minute or two.
"""
import json

from tokenizers import Regex, pre_tokenizers

points = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def members(pattern, among=None, chunk=20000):
    found = set()
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    among = points if among is None else among
    for at in range(0, len(among), chunk):
        for part, _ in split.pre_tokenize_str("".join(map(chr, among[at : at + chunk]))):
            found.update(map(ord, part))
    return found


categories = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co Cn".split()
of = {}
for name in categories:
    for c in members(r"\p{%s}" % name):
        of[c] = name
alphabetic, upper, lower = members(r"\p{Alphabetic}"), members("[[:upper:]]"), members("[[:lower:]]")
word, space, digit = members(r"\w"), members(r"\s"), members(r"\d")
assert digit == {c for c in of if of[c] == "Nd"}
assert members(r"\p{L}") == {c for c in of if of[c][0] == "L"} and members(r"\p{N}") == {c for c in of if of[c][0] == "N"}
assert members(r"\p{P}") == {c for c in of if of[c][0] == "P"} and members(r"\p{M}") == {c for c in of if of[c][0] == "M"}
assert members(r"[[:punct:]]") == {c for c in of if of[c][0] in "PS"}
assert space == {c for c in of if of[c][0] == "Z" or c in (9, 10, 11, 12, 13, 0x85)}
by_rule = {c for c in of if c in alphabetic or of[c][0] == "M" or of[c] in ("Nd", "Pc")}

more = word - by_rule
kinds, runs = [], []
for c in range(0x110000):
    name = of.get(c, "Cs")
    flags = "".join(letter for letter, has in zip("aulw", (alphabetic, upper, lower, more)) if c in has)
    kind = f"{name} {flags}".strip()
    if kind not in kinds:
        kinds.append(kind)
    if runs and runs[-1][0] == kind:
        runs[-1][1] += 1
    else:
        runs.append([kind, 1])
assert not by_rule - word, [hex(c) for c in by_rule - word]


def base36(n):
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[n] if n < 36 else base36(n // 36) + digits[n % 36]


cased = upper | lower | {c for c in of if of[c] in ("Lu", "Ll", "Lt")} | {0x345}
candidates = sorted(cased)
apart = "|".join(map(chr, candidates))  # A match of several characters must not arise.
groups, several, seen = [], [], set()
for c in candidates:
    if c in seen:
        continue
    split = pre_tokenizers.Split(Regex("(?i:%s)" % chr(c)), "removed", invert=True)
    found = {ord(part) for part, _ in split.pre_tokenize_str(apart) if len(part) == 1}
    if len(found) > 1:
        groups.append("".join(map(chr, sorted(found))))
        seen |= found
# Whether a character is equal to several: what its full case folding has, which Python knows as far as Unicode 14, and the later ones have none.
for c in candidates:
    folded = chr(c).casefold()
    if len(folded) > 1:
        hit = pre_tokenizers.Split(Regex("(?i:%s)" % chr(c)), "removed", invert=True).pre_tokenize_str(folded)
        assert [p for p, _ in hit] == [folded], (hex(c), folded, hit)
        several.append((chr(c), folded))


def text(s):
    return '"' + "".join(ch if 32 <= ord(ch) < 127 and ch not in '"\\' else "".join("\\u%04x" % u for u in units(ch)) for ch in s) + '"'


def units(ch):
    raw = ch.encode("utf-16-be")
    return [raw[i] * 256 + raw[i + 1] for i in range(0, len(raw), 2)]


print("// Made by test/goldens/make_unicode_tables.py: what Oniguruma's classes have, in Unicode 16.0, as tokenizers 0.23.3 has it built in.")
print()
print("/** A general category, and a for Alphabetic, u for Uppercase, l for Lowercase, w for what only \\w has besides. */")
print("export const characterKinds = [" + ", ".join(f'"{k}"' for k in kinds) + "] as const;")
print()
print("/** Runs of code points from U+0000 on that are of one kind: its index and the run's length, in base 36. */")
print('export const characterRuns =\n  "' + " ".join(base36(kinds.index(k)) + "," + base36(n) for k, n in runs) + '";')
print()
print("/** Characters that differ only in case; most groups are pairs. */")
print('export const caseGroups =\n  ' + text(" ".join(groups)) + ";")
print()
print("/** Characters whose case folding has several characters, each before its folding. */")
print('export const severalFolded =\n  ' + text(" ".join(a + b for a, b in several)) + ";")


def summary(found):
    ranges = []
    for c in sorted(found):
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    value = 0x811C9DC5
    for byte in ",".join(f"{a}-{b}" for a, b in ranges).encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return [len(ranges), len(found), value]


scripts = "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan"
posix = "alnum alpha ascii blank cntrl digit lower punct space upper xdigit word".split()
names = [r"\p{%s}" % name for name in [*categories, "L", "M", "N", "P", "S", "Z", "C", "LC", "Any", "Assigned", "Alphabetic", "White_Space", *posix, *scripts.split()]]
names += ["[[:%s:]]" % name for name in posix]
names += [r"\w", r"[\w]", r"\W", r"\s", r"\d", r"\h", r"\N", r"\O", "."]
with open("unicode-classes.golden.json", "w") as file:
    file.write("{\n" + ",\n".join(f"{json.dumps(name)}:{json.dumps(summary(members(name)))}" for name in names) + "\n}\n")
