"""Percentiles 0 to 100 of random perplexities, of samples of six sizes, as numpy.percentile has them.

    python3 make_percentiles.py > percentiles.golden.json

Made with numpy 2.4.6.
"""

import json
import sys

import numpy


def main():
    rng = numpy.random.default_rng(30)
    samples = []
    for size in (1, 2, 3, 10, 101, 137):
        values = [round(float(value), 1) for value in numpy.exp(rng.normal(6, 1, size))]
        percentiles = numpy.percentile(values, range(101))
        samples.append({"values": values, "percentiles": [round(float(value), 6) for value in percentiles]})
    json.dump({"numpy": numpy.__version__, "samples": samples}, sys.stdout)
    print()


main()
