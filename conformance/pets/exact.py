#!/usr/bin/env python3
"""Computes the exact part of a report from the released table, the naive way, and compares it bit for bit.

    tegata protect certify release.csv --profile jp-anonymised --dictionary d.toml --plan plan.toml --before N --out report.json
    python3 exact.py report.json release.csv profile.toml d.toml plan.toml N [original.csv]

Python's standard library alone; written from the definitions in docs/measures.md, not from the program. `N` is the number of
records before, or `-` when it was not said; with the original, what the acts could not read in it is counted too. Exit code 0: the same bytes; 1: the first difference is printed.
"""
import csv
import datetime
import hashlib
import ipaddress
import json
import re
import sys
import tomllib
from collections import Counter
from fractions import Fraction

UNITS = ["month", "quarter", "year", "decade"]
TECHNIQUES = {
    "keep": "none", "drop": "suppression", "suppress": "suppression", "bin": "generalization", "date": "generalization",
    "prefix": "generalization", "map": "generalization", "ip": "generalization", "clamp": "top-bottom-coding",
    "pseudonym": "pseudonymization",
}


def number(text):
    """A plain decimal number; nine decimals count."""
    if text is None or not re.fullmatch(r"[+-]?\d{1,18}(\.\d*)?", text, re.ASCII):
        return None
    whole, _, decimals = text.lstrip("+-").partition(".")
    value = Fraction(int(whole + (decimals + "0" * 9)[:9]), 10**9)
    return -value if text.startswith("-") else value


ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "民國": 1911, "民国": 1911}
LETTERS = {"R": 2018, "H": 1988, "S": 1925, "T": 1911, "M": 1867}


def is_day(text):
    """Whether a text is one day, of the calendars that docs/measures.md names; what could be two is none."""
    text = re.split("[T ]", text)[0] if not re.match("[RHSTM][0-9]", text) else text
    era = next((e for e in ERAS if text.startswith(e)), None) or (text[:1] if re.match("[RHSTM][0-9]", text) else None)
    if era:
        parts = re.fullmatch(r"(\d{1,4})[年.\-/](\d{1,2})[月.\-/](\d{1,2})日?", text[len(era):].replace("元", "1"), re.ASCII)
        found = parts and [(ERAS | LETTERS)[era] + int(parts[1]), int(parts[2]), int(parts[3])]
    elif parts := re.fullmatch(r"(\d{4})(\d\d)(\d\d)|(\d{4})[\-/.年](\d{1,2})[\-/.月](\d{1,2})日?", text, re.ASCII):
        found = [int(p) for p in parts.groups() if p]
    elif parts := re.fullmatch(r"(\d{1,2})([\-/.])(\d{1,2})[\-/.](\d{4})", text, re.ASCII):
        first, second, year = int(parts[1]), int(parts[3]), int(parts[4])
        if "." in text or first > 12 or first == second:
            found = [year, second, first]
        else:
            found = [year, first, second] if second > 12 else None
    else:
        found = None
    if not found:
        return False
    try:
        return bool(datetime.date(found[0] - 543 if 2400 <= found[0] < 2700 and not era else found[0], *found[1:]))
    except ValueError:
        return False


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def unread(act, values, persons):
    """Of the values that were there, those that the act could not read; none where it has nothing to read."""
    reads = {
        "bin": lambda v: number(v) is not None, "clamp": lambda v: number(v) is not None, "date": is_day, "ip": is_address,
        "map": lambda v: "otherwise" in act or v in act["to"], "shift": is_day,
    }.get(act["act"])
    if reads is None or values is None:
        return None
    there = [(v, p) for v, p in zip(values, persons or values) if v is not None]
    return {"values": sum(not reads(v) or p is None for v, p in there), "of": len(there)}


def sha(*parts):
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest


def fed(text):
    return b"\0" if text is None else b"\1" + len(text.encode()).to_bytes(8, "big") + text.encode()


def canonical(value):
    """RFC 8785 for what occurs here: no floats, keys by UTF-16."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda k: k.encode("utf-16-be"))
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + canonical(value[k]) for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def ratio(fraction):
    return str(fraction.numerator) if fraction.denominator == 1 else f"{fraction.numerator}/{fraction.denominator}"


def share(part, whole):
    return Fraction(part, whole) if whole else Fraction(0)


def limit(text):
    return Fraction(str(text))


def described(act):
    def end(name):
        return f", {name} {act[name]}" if name in act else ""
    match act["act"]:
        case "bin":
            return f"bin of {act['width']}{end('below')}{end('above')}"
        case "clamp":
            return f"clamp{end('below')}{end('above')}"
        case "date":
            return f"date to {act['to']}"
        case "prefix":
            return f"first {act['keep']} characters"
        case "map":
            return f"map of {len(act['to'])} values"
        case "pseudonym":
            return "keyed pseudonym"
        case other:
            return other


def permits(need, entry, act):
    kind, gone = entry.get("kind"), TECHNIQUES[act["act"]] == "suppression"
    concerned = kind is not None and kind in need.get("kinds", [])
    match need["is"]:
        case "removed" if entry["role"] in need["roles"]:
            return TECHNIQUES[act["act"]] in need["by"]
        case "dates" if concerned:
            return gone or act["act"] == "date" and UNITS.index(act["to"]) >= UNITS.index(need["to"])
        case "top-coded" if concerned:
            coded = act["act"] in ("bin", "clamp") and "above" in act
            return gone or coded and number(str(act["above"])) <= number(str(need["from"]))
        case "prefix" if concerned:
            return gone or act["act"] == "prefix" and act["keep"] <= need["keep"]
    return True


def place(text):
    if text.startswith(">="):
        side, rest = 1, text[2:]
    elif text.startswith("<"):
        side, rest = -1, text[1:]
    else:
        side, rest = 0, text[1:].partition(",")[0] if text.startswith("[") and "," in text else text
    value = number(rest)
    return None if value is None else (side, value)


def rarest(values):
    counts = Counter(v for v in values if v is not None)
    placed = [(place(v), n) for v, n in counts.items()]
    if all(p is not None for p, _ in placed):
        ends = [min(placed)[1], max(placed)[1]] if placed else []
        return {"least": min(ends, default=None), "ordered": True}
    return {"least": min(counts.values()), "ordered": False}


def diversity(classes, values):
    """The measures of one sensitive column, class by class against the whole; a missing value is a value."""
    whole, n_all = Counter(values), len(values)
    numbers = {v: (Fraction(-10**30) if v is None else number(v)) for v in whole}
    ordered = all(n is not None for n in numbers.values())
    line = sorted(whole, key=lambda v: (numbers[v], v or "")) if ordered else []
    out = {"l": None, "alpha": Fraction(0), "t": Fraction(0), "te": Fraction(0), "beta": Fraction(0), "c": Fraction(0)}
    for rows in classes:
        here, n = Counter(values[r] for r in rows), len(rows)
        most = max(here.values())
        out["l"] = len(here) if out["l"] is None else min(out["l"], len(here))
        out["alpha"] = max(out["alpha"], Fraction(most, n))
        gains = [(Fraction(c, n) - Fraction(whole[v], n_all), Fraction(whole[v], n_all)) for v, c in here.items()]
        out["t"] = max(out["t"], sum((g for g, _ in gains if g > 0), Fraction(0)))
        out["beta"] = max([out["beta"]] + [g / p for g, p in gains if g > 0])
        out["c"] = None if out["c"] is None or most == n else max(out["c"], Fraction(most, n - most))
        if ordered and len(line) > 1:
            mine = theirs = distance = 0
            for value in line:
                mine, theirs = mine + here.get(value, 0), theirs + whole[value]
                distance += abs(mine * n_all - theirs * n)
            out["te"] = max(out["te"], Fraction(distance, n * n_all * (len(line) - 1)))
    return out, ordered


def main(report, release, profile, dictionary, plan, before, original=None):
    said = json.load(open(report, encoding="utf-8"))["exact"]
    profile_text = open(profile, "rb").read()
    profile, dictionary, plan = (tomllib.load(open(p, "rb")) for p in (profile, dictionary, plan))
    table = list(csv.reader(open(release, encoding="utf-8", newline="")))
    header, rows = table[0], [[c.strip() or None for c in row] for row in table[1:] if row]
    column = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    before = None if before == "-" else int(before)
    raw = {}
    if original:
        first, *others = csv.reader(open(original, encoding="utf-8", newline=""))
        raw = {name: [row[i].strip() or None for row in others if row] for i, name in enumerate(first)}

    out = sorted(n for n, act in plan["columns"].items() if act["act"] != "drop")
    role = {n: dictionary["columns"][n]["role"] for n in out}
    quasi, sensitive = ([n for n in out if role[n] == r] for r in ("quasi-identifier", "sensitive"))

    def grouped(names):
        found = {}
        for i in range(len(rows)):
            found.setdefault(tuple(column[n][i] for n in names), []).append(i)
        return list(found.values())

    classes = grouped(quasi)
    sizes = Counter(map(len, classes))
    k, n = min(sizes, default=None), len(rows)
    risk_max, risk_average = share(1, k) if k else Fraction(0), share(len(classes), n)
    spread = {name: diversity(classes, column[name]) for name in sensitive}
    shared = {name: rarest(column[name]) for name in out if role[name] != "quasi-identifier"}

    def top_coded_by_data(need, name):
        entry = dictionary["columns"].get(name, {})
        numbers = [number(v) for v in column.get(name, []) if v is not None and not v.startswith("<")]
        return need["is"] == "top-coded" and entry.get("kind") in need["kinds"] and all(
            x is not None and x < number(str(need["from"])) for x in numbers)

    def answer(clause):
        need = clause["need"]
        a = {"clause": clause["id"], "cites": clause["cites"], "outcome": "met", "measured": None, "limit": None, "columns": [],
             "records_short": None, "chosen": clause.get("chosen", False)}

        def judge(met, measured, most):
            def figure(x):
                return {"count": x} if isinstance(x, int) else {"share": ratio(x)}
            a["outcome"] = "met" if met else "not-met"
            a["measured"], a["limit"] = figure(measured), figure(most)

        worst = {"alpha": "alpha", "beta": "beta"}
        match need["is"]:
            case "removed" | "dates" | "top-coded" | "prefix":
                a["columns"] = sorted(
                    name for name, act in plan["columns"].items()
                    if (name not in dictionary["columns"] or not permits(need, dictionary["columns"][name], act))
                    and not top_coded_by_data(need, name))
                judge(not a["columns"], len(a["columns"]), 0)
            case "min-class":
                judge(k is None or k >= need["k"], k or 0, need["k"])
                a["records_short"] = sum(s * c for s, c in sizes.items() if s < need["k"])
            case "risk-max":
                judge(risk_max <= limit(need["most"]), risk_max, limit(need["most"]))
                a["records_short"] = sum(s * c for s, c in sizes.items() if Fraction(1, s) > limit(need["most"]))
            case "risk-average":
                judge(risk_average <= limit(need["most"]), risk_average, limit(need["most"]))
            case "left-out" if before is not None:
                left = share(max(before - n, 0), before)
                judge(left <= limit(need["most"]), left, limit(need["most"]))
            case "distinct-l":
                least = min((d["l"] or 0 for d, _ in spread.values()), default=None)
                judge(least is None or least >= need["least"], least or 0, need["least"])
                a["columns"] = [name for name, (d, _) in spread.items() if (d["l"] or 0) < need["least"]]
            case "closeness":
                t = {name: d["te"] if ordered else d["t"] for name, (d, ordered) in spread.items()}
                judge(max(t.values(), default=Fraction(0)) <= limit(need["most"]), max(t.values(), default=Fraction(0)), limit(need["most"]))
                a["columns"] = [name for name, x in t.items() if x > limit(need["most"])]
            case "alpha" | "beta" as which:
                values = {name: d[worst[which]] for name, (d, _) in spread.items()}
                judge(max(values.values(), default=Fraction(0)) <= limit(need["most"]), max(values.values(), default=Fraction(0)), limit(need["most"]))
                a["columns"] = [name for name, x in values.items() if x > limit(need["most"])]
            case "recursive":
                wrong = [name for name, (d, _) in spread.items() if d["c"] is None or d["c"] >= limit(need["c"])]
                judge(not wrong, len(wrong), 0)
                a["columns"] = wrong
            case "shared-values":
                counts = {name: s["least"] for name, s in shared.items() if role[name] in need["roles"] and s["least"] is not None}
                least = min(counts.values(), default=None)
                judge(least is None or least >= need["least"], least or 0, need["least"])
                a["columns"] = [name for name, x in counts.items() if x < need["least"]]
            case "left-out":
                a["outcome"], a["limit"] = "judgement", {"share": ratio(limit(need["most"]))}
            case "k-map":
                a["outcome"], a["limit"] = "judgement", {"count": need["k"]}
            case _:
                a["outcome"] = "judgement"
        return a

    clauses = [answer(c) for c in profile["clause"] if c["need"]["is"] not in ("no-residual", "attack")]
    judged = [c for c in clauses if c["outcome"] != "judgement"]
    digests = sorted(sha(*map(fed, row)).digest() for row in rows)
    exact = {
        "form": "tegata-pets-report/3",
        "profile": {"id": profile["id"], "version": profile["version"], "digest": sha(profile_text).hexdigest()},
        "authorities": profile["authority"],
        "plan": sha(canonical(plan).encode()).hexdigest(),
        "dictionary": sha(canonical(dictionary).encode()).hexdigest(),
        "records_before": before,
        "records_released": n,
        "content": sha(*map(fed, header), *digests).hexdigest(),
        "columns": {
            name: {"role": dictionary["columns"].get(name, {}).get("role", "attribute"),
                   "kind": dictionary["columns"].get(name, {}).get("kind"), "act": described(act),
                   "unread": unread(act, raw.get(name), raw.get(act.get("person"))), "loss": None}
            for name, act in plan["columns"].items()},
        "quasi_identifiers": quasi,
        "classes": len(classes),
        "k": k,
        "smallest_classes": [[s, sizes[s]] for s in sorted(sizes)[:20]],
        "risk_max": ratio(risk_max),
        "risk_average": ratio(risk_average),
        "unique_over_all_columns": sum(len(c) == 1 for c in grouped(out)),
        "diversity": {
            name: {"distinct_l": d["l"] or 0, "alpha": ratio(d["alpha"]), "t_equal": ratio(d["t"]),
                   "t_ordered": ratio(d["te"]) if ordered else None, "beta": ratio(d["beta"]),
                   "recursive_c": None if d["c"] is None else ratio(d["c"])}
            for name, (d, ordered) in spread.items()},
        "population": None,
        "shared": shared,
        "clauses": clauses,
        "outcome": "not-met" if any(c["outcome"] == "not-met" for c in judged) else "met",
        "left_to_judgement": [c["clause"] for c in clauses if c["outcome"] == "judgement"],
    }
    mine, theirs = canonical(exact), canonical(said)
    if mine == theirs:
        print(f"the same {len(mine.encode())} bytes, sha256 {sha(mine.encode()).hexdigest()}")
        return 0
    for key in sorted(exact.keys() | said.keys()):
        if exact.get(key) != said.get(key):
            print(f"{key}: here {canonical(exact.get(key))[:600]}\n{' ' * len(key)}  there {canonical(said.get(key))[:600]}")
    return 1


if __name__ == "__main__":
    if len(sys.argv) not in (7, 8):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
