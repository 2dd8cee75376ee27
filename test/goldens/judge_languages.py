"""The language of each line by PyPI's langdetect 1.0.9, a model of its own: `python3 judge_languages.py FILE > labels.txt`, empty where it knows none."""

import sys

from langdetect import DetectorFactory, detect
from langdetect.lang_detect_exception import LangDetectException

DetectorFactory.seed = 0
for line in open(sys.argv[1], encoding="utf-8"):
    try:
        print(detect(line.strip()))
    except LangDetectException:
        print()
