"""The language of each line by PyPI's langdetect 1.0.9, a model of its own, and its probability: `python3 judge_languages.py FILE > labels.txt`, empty where
it knows none."""

import sys

from langdetect import DetectorFactory, detect_langs
from langdetect.lang_detect_exception import LangDetectException

DetectorFactory.seed = 0
for line in open(sys.argv[1], encoding="utf-8"):
    try:
        first = detect_langs(line.strip())[0]
        print(first.lang, first.prob)
    except LangDetectException:
        print()
