"""The beginning of the Universal Declaration of Human Rights in encodings of its languages, as Python's codecs write them.

    python3 make_charsets.py FOLDER/udhr2.zip

writes charsets.golden.json. The texts are in the public domain (NLTK's package udhr2).
"""

import base64
import json
import os
import sys
import zipfile

LANGUAGES = {
    "rus": ["windows-1251", "koi8-r", "iso-8859-5", "utf-16"],
    "ukr": ["windows-1251"],
    "jpn": ["shift_jis", "euc-jp"],
    "cmn_hans": ["gb18030"],
    "cmn_hant": ["big5"],
    "kor": ["euc-kr"],
    "ell_monotonic": ["iso-8859-7"],
    "heb": ["windows-1255"],
    "arb": ["windows-1256"],
    "deu": ["windows-1252"],
    "fra": ["windows-1252"],
    "spa": ["windows-1252", "utf-16-be"],
    "swe": ["windows-1252"],
    "ces": ["iso-8859-2"],
    "pol": ["iso-8859-2"],
    "tur": ["windows-1254"],
}

cases = []
archive = zipfile.ZipFile(sys.argv[1])
names = archive.namelist()
for language, encodings in LANGUAGES.items():
    found = [name for name in names if os.path.basename(name) in (f"{language}.txt",)]
    if not found:
        print("no", language, [os.path.basename(n) for n in names if language[:3] in os.path.basename(n)])
        continue
    whole = archive.read(found[0]).decode("utf-8-sig").replace("\r\n", "\n")
    for encoding in encodings:
        text = "".join(c for c in whole[:2500] if c.encode(encoding, "ignore"))[:1000]
        cases.append({"language": language, "encoding": encoding, "content": base64.b64encode(text.encode(encoding)).decode(), "text": text})
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "charsets.golden.json"), "w") as file:
    json.dump({"cases": cases}, file, ensure_ascii=False, indent=1)
    file.write("\n")
