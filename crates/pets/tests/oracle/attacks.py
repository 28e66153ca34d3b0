"""Anonymeter 1.1.0 on a release of UCI Adult that is Adult itself: the first 10,000 records, the next 10,000 as control.

    python3 attacks.py adult.csv > attacks.json

`adult.csv` as `bench/data/run` makes it. 1,000 attempts an attack, seed 7; intervals at 95 %.
"""
import json, sys
import numpy as np, pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

QUASI = ["age", "education", "marital-status", "occupation", "relationship", "race", "sex", "native-country"]
SECRET = "income"
np.random.seed(7)
adult = pd.read_csv(sys.argv[1])[QUASI + [SECRET]]
people, control = adult.iloc[:10000].reset_index(drop=True), adult.iloc[10000:20000].reset_index(drop=True)
released = people.copy()
out = {}


def rate(r):
    return {"value": r.value, "low": r.ci[0] if hasattr(r, "ci") else r.value - r.error, "high": r.ci[1] if hasattr(r, "ci") else r.value + r.error}


def record(name, evaluator):
    results = evaluator.results(confidence_level=0.95)
    out[name] = {"attack": rate(results.attack_rate), "control": rate(results.control_rate)}


e = SinglingOutEvaluator(ori=people[QUASI], syn=released[QUASI], control=control[QUASI], n_attacks=1000, n_cols=3)
e.evaluate(mode="multivariate")
record("singling-out", e)
e = LinkabilityEvaluator(ori=people[QUASI], syn=released[QUASI], control=control[QUASI], n_attacks=1000, aux_cols=(QUASI[0::2], QUASI[1::2]), n_neighbors=1)
e.evaluate(n_jobs=1)
record("linkability", e)
e = InferenceEvaluator(ori=people, syn=released, control=control, aux_cols=QUASI, secret=SECRET, n_attacks=1000)
e.evaluate(n_jobs=1)
record("inference", e)
json.dump(out, sys.stdout, indent=1)
print()
