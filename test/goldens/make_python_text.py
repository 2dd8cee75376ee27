"""What Python's methods of strings say of every character.

    python3 make_python_text.py > python-text.golden.json     twice gives the same bytes

Made with Python 3.11 (Unicode 14). Ranges of code points are in hexadecimal; surrogates are left out.
"""

import hashlib
import json
import sys
import unicodedata

BLOCK = 4096
# Whether a capital sigma beside them is final is otherwise from Unicode 16 on.
CHANGED = (0x295, 0x1171E)
POINTS = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000 and point not in CHANGED]
# A letter, a case-ignorable mark and a Greek capital, whose small letter follows from what stands around it.
WAYS = ["{}", "a\u03a3{}", "a\u03a3{}b", "{}\u03a3", "a{}\u03a3 "]


def ranges(holds):
    found = []
    for point in POINTS:
        if not holds(chr(point)):
            continue
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return " ".join(f"{first:x}-{last:x}" if first < last else f"{first:x}" for first, last in found)


def lower():
    blocks = {}
    for point in POINTS:
        character = chr(point)
        if unicodedata.category(character) not in ("Cn", "Co"):
            blocks.setdefault(point // BLOCK, []).extend(way.format(character).lower() for way in WAYS)
    return [[block, hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]] for block, lines in blocks.items()]


json.dump(
    {
        "blockSize": BLOCK,
        "ways": WAYS,
        "assigned": ranges(lambda c: unicodedata.category(c) not in ("Cn", "Co")),
        "split": ranges(lambda c: len(f"a{c}b".split()) == 2),
        "strip": ranges(lambda c: f"{c}a{c}".strip() == "a"),
        "splitlines": ranges(lambda c: len(f"a{c}b".splitlines()) == 2),
        "isalpha": ranges(str.isalpha),
        "isalnum": ranges(str.isalnum),
        "lower": lower(),
    },
    sys.stdout,
    separators=(",", ":"),
)
