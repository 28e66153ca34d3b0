#!/usr/bin/env python3
"""Records what pycanon says of the health study; tests/oracle.rs compares.

    pip install pycanon==1.3.6 pandas==2.3.3
    python3 measures.py > measures.json

A missing value is read as a word of its own, as here.
"""
import json

import pandas
from pycanon import anonymity

TABLES = [
    ("two columns, words", ["sex", "race"], "education"),
    ("two columns, numbers", ["sex", "race"], "age"),
    ("one column, few numbers", ["education"], "household_size"),
    ("three columns, words", ["sex", "race", "education"], "diabetes"),
    ("three columns, numbers", ["sex", "race", "education"], "age"),
    ("six columns, words", ["age", "sex", "race", "education", "marital_status", "household_size"], "diabetes"),
]


def main():
    data = pandas.read_csv("../../../../examples/data/health.csv", dtype=str, keep_default_na=False)
    out = {}
    for name, quasi, sensitive in TABLES:
        table = data[quasi + [sensitive]].copy()
        if sensitive in ("age", "household_size"):
            table[sensitive] = pandas.to_numeric(table[sensitive])
        alpha, k = anonymity.alpha_k_anonymity(table, quasi, [sensitive])
        c, l = anonymity.recursive_c_l_diversity(table, quasi, [sensitive])
        out[name] = {
            "quasi": quasi, "sensitive": sensitive, "k": int(anonymity.k_anonymity(table, quasi)), "alpha": float(alpha), "alpha_k": int(k),
            "l": int(anonymity.l_diversity(table, quasi, [sensitive])), "entropy_l": float(anonymity.entropy_l_diversity(table, quasi, [sensitive])),
            "t": float(anonymity.t_closeness(table, quasi, [sensitive])), "beta": float(anonymity.basic_beta_likeness(table, quasi, [sensitive])),
            "recursive_c": None if c is None else str(c), "recursive_l": str(l),
        }
    print(json.dumps(out, indent=1))


main()
