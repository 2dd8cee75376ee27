"""Writes main-content.golden.json: what PyPI's Resiliparse takes for the main content of the pages in the folder pages, beside which ours is held.

The pages were written for this by hand, each in another layout; [+text+] is of the main content, [-text-] is not.
Needs: pip install resiliparse==2.0.1. Run: python3 test/goldens/make_main_content.py
"""

import json
import pathlib
import re

from resiliparse.extract.html2text import extract_plain_text

here = pathlib.Path(__file__).parent
found = {}
for path in sorted((here / "pages").glob("*.html")):
    page = re.sub(r"\[[+-]|[+-]\]", "", path.read_text(encoding="utf-8"))
    found[path.name] = extract_plain_text(page, main_content=True, alt_texts=False, links=False)
(here / "main-content.golden.json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
