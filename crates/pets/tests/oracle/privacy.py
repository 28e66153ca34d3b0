"""OpenDP's privacy maps and samplers: `python3 privacy.py > privacy.tsv` with opendp 0.16.0.

gaussian SENSITIVITY SIGMA RHO    the map of the discrete Gaussian: what one person's move of so much costs
laplace SENSITIVITY SCALE EPSILON the map of the discrete Laplace
epsilon RHO EPSILON               its conversion of zCDP at a delta of 10^-6
draws-… SCALE Z TIMES             100,000 draws: how often each number came
The draws are random, so the record is made once; the maps come out the same every time.
"""
from collections import Counter
import opendp.prelude as dp

dp.enable_features("contrib")
space = dp.atom_domain(T="i64"), dp.absolute_distance(T="i64")
for sensitivity in (1, 2, 3, 5, 12, 100):
    for scale in (1.0, 2.0, 4.0, 6.0, 16.0, 64.0, 1024.0):
        print("gaussian", sensitivity, scale, repr(dp.m.make_gaussian(*space, scale).map(sensitivity)), sep="\t")
        print("laplace", sensitivity, scale, repr(dp.m.make_laplace(*space, scale).map(sensitivity)), sep="\t")
for scale in (1.0, 2.0, 4.0, 8.0, 32.0):
    measurement = dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale))
    print("epsilon", repr(0.5 / scale ** 2), repr(measurement.map(1).epsilon(1e-6)), sep="\t")
for name, make in (("gaussian", dp.m.make_gaussian), ("laplace", dp.m.make_laplace)):
    for scale in (1.0, 4.0):
        draw = make(*space, scale)
        for z, times in sorted(Counter(draw(0) for _ in range(100_000)).items()):
            print("draws-" + name, scale, z, times, sep="\t")
