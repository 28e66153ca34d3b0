"""Precision and recall, class by class, with the interval of Wilson at 95 %: columns, then texts."""
import csv, json, math, os, sys
from collections import Counter

folder = sys.argv[1]
SAME = {  # what we call what the tables hold
    "name": "person-name", "given": "person-name", "family": "person-name", "birth": "birth-date", "card": "payment-card", "latitude": "coordinates", "longitude": "coordinates",
    "ip": "ip-address", "mac": "mac-address", "us.ssn": "us-ssn", "jp.in_": "jp-my-number", "in_.aadhaar": "in-aadhaar", "in_.pan": "in-pan", "cn.ric": "cn-resident-id",
}


def wilson(right, of):
    if not of:
        return "–"
    z, p = 1.959964, right / of
    middle, half = (p + z * z / 2 / of) / (1 + z * z / of), z * math.sqrt(p * (1 - p) / of + z * z / 4 / of / of) / (1 + z * z / of)
    return f"{p:.3f} [{max(0, middle - half):.3f}, {min(1, middle + half):.3f}]"


def table(title, classes, right, found, there):
    print(f"\n{title}\n\n| class | precision | recall | labeled |\n| --- | --- | --- | --- |")
    for kind in classes:
        print(f"| {kind} | {wilson(right[kind], found[kind])} | {wilson(right[kind], there[kind])} | {there[kind]} |")
    every = [sum(c[k] for k in classes) for c in (right, found, there)]
    print(f"| **all** | {wilson(every[0], every[1])} | {wilson(every[0], every[2])} | {every[2]} |")


def columns():
    labels = {(t, int(i)): (head, label, place) for t, i, head, label, place in csv.reader(open(os.path.join(folder, "labels.tsv"), encoding="utf-8"), delimiter="\t")}
    schemes = {l for _, l, _ in labels.values() if "." in l and not l.startswith("-")}
    for variant in ("named", "bare"):
        right, found, there, wrong = Counter(), Counter(), Counter(), Counter()
        guarded, beside_right, undecided = [0, 0], 0, Counter()
        for t, v, i, kind, role, beside in csv.reader(open(os.path.join(folder, "found.tsv"), encoding="utf-8"), delimiter="\t"):
            if v != variant:
                continue
            label = labels[(t, int(i))][1]
            personal = not label.startswith("-")
            if personal:
                guarded[1] += 1
                guarded[0] += role not in ("attribute", "non-personal")
            truth = None if not personal else "national number" if label in schemes else SAME.get(label, label)
            # Numbers of states are one class here: each has few columns. They count as right only under their own scheme.
            ours = kind or None
            if label in schemes:
                hit = ours is not None and alike(ours, label)
                ours_class = "national number" if hit or is_scheme(ours) else ours
            else:
                hit = ours == truth
                ours_class = "national number" if is_scheme(ours) else ours
            if truth:
                there[truth] += 1
                right[truth] += hit
            # Kinds that the program names as equally likely: strictly, only the first of them counts.
            if beside:
                undecided[kind + " | " + beside] += 1
                beside_right += not hit and any(alike(other, label) if label in schemes else other == truth for other in beside.split("|"))
            harmless = role in ("attribute", "non-personal")
            if ours_class and not (harmless and not personal):
                found[ours_class] += 1
            if not hit and (truth or (ours_class and not harmless)):
                wrong[(label, ours or "–", role)] += 1
        classes = sorted(there)
        table(f"Columns, headers {'kept' if variant == 'named' else 'removed'}", classes, right, found, there)
        every = [sum(c[k] for k in classes) for c in (right, found, there)]
        print(f"\nWhere kinds are named as equally likely, and one of them is right: precision {wilson(every[0] + beside_right, every[1])}, recall {wilson(every[0] + beside_right, every[2])}; {beside_right} columns")
        print("Answers that name more than one: " + (", ".join(f"{k} {n}" for k, n in undecided.most_common()) or "none"))
        print(f"\nTreated as personal whatever the class: {wilson(*guarded)} of {guarded[1]}")
        stray = Counter()
        for (label, ours, role), n in wrong.items():
            if label.startswith("-"):
                stray[f"{label[1:]} → {ours} ({role})"] += n
        print("Decoys taken for persons': " + (", ".join(f"{k} {n}" for k, n in stray.most_common(12)) or "none"))
        lost = Counter({f"{label} → {ours}": n for (label, ours, _), n in wrong.items() if not label.startswith("-")})
        print("Missed or called otherwise: " + ", ".join(f"{k} {n}" for k, n in lost.most_common(int(os.environ.get("WRONG", "14")))))


# Schemes of the catalogue begin with the country, as in `jp-my-number`; a label begins with it as in `jp.in_`.
def is_scheme(kind):
    return bool(kind) and len(kind) > 3 and kind[2] == "-" and kind[:2].isalpha() and kind not in ("ip-address",)


def alike(kind, label):
    names = {"es.dni": "es-", "es.nie": "es-", "gb.nhs": ("gb-nhs", "uk-nhs")}
    return kind.startswith(names.get(label, label.split(".")[0].rstrip("_") + "-"))


def texts():
    items = [json.loads(line) for line in open(os.path.join(folder, "texts.jsonl"), encoding="utf-8")]
    for program in ("ours", "presidio"):
        path = os.path.join(folder, f"found.{program}.jsonl")
        if not os.path.exists(path):
            continue
        answers = [json.loads(line) for line in open(path, encoding="utf-8")]
        for name in ("en",) if program == "presidio" else ("en", "ja"):
            right, found, there, caught = Counter(), Counter(), Counter(), Counter()
            for item, answer in zip(items, answers):
                if item["set"] != name:
                    continue
                for a, b, kind in item["spans"]:
                    there[kind] += 1
                    covered = sum(max(0, min(b, d) - max(a, c)) for c, d, k in answer if k == kind)
                    caught[kind] += covered * 2 >= b - a
                for c, d, kind in answer:
                    found[kind] += 1
                    held = sum(max(0, min(b, d) - max(a, c)) for a, b, k in item["spans"] if k == kind)
                    right[kind] += held * 2 >= d - c
            if not there:
                continue
            print(f"\nTexts ({name}), {program}\n\n| class | precision | recall | labeled |\n| --- | --- | --- | --- |")
            for kind in sorted(there):
                print(f"| {kind} | {wilson(right[kind], found[kind])} | {wilson(caught[kind], there[kind])} | {there[kind]} |")
            kinds = [k for k in there if k != "address"]
            print(f"| **all but addresses** | {wilson(sum(right[k] for k in kinds), sum(found[k] for k in kinds))} | {wilson(sum(caught[k] for k in kinds), sum(there[k] for k in kinds))} | {sum(there[k] for k in kinds)} |")
            print(f"| **all** | {wilson(sum(right[k] for k in there), sum(found[k] for k in there))} | {wilson(sum(caught.values()), sum(there.values()))} | {sum(there.values())} |")


columns()
if os.path.exists(os.path.join(folder, "texts.jsonl")):
    texts()
