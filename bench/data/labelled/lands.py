"""Tables of one country each, of two whose national numbers have the same arithmetic: does the rest of a table tell them apart?

    lands.py SEED TABLES FOLDER

The same files as `columns.py` writes: `tables/N.named.csv`, `tables/N.bare.csv`, `labels.tsv`. People of Estonia and of Lithuania by
Faker 40.54.0, numbers by python-stdnum 2.2. Beside the number stand none to five columns that may tell, and things that do not; in one table of four
the people are of another country altogether. Its author had read the detectors.
"""
import csv, datetime, os, random, sys
from faker import Faker
from stdnum import iban
from stdnum.ee import ik
from stdnum.lt import asmens

seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dice = random.Random(seed)
Faker.seed(seed)
LANDS = {"et_EE": ("EE", "ee.ik", ik, 16), "lt_LT": ("LT", "lt.asmens", asmens, 16)}
OTHERS = ["de_DE", "en_US", "ja_JP", "pt_BR", "fi_FI", "pl_PL", "lv_LV"]


def digits(n):
    return "".join(dice.choice("0123456789") for _ in range(n))


def number(module):
    while True:
        born = datetime.date(1940, 1, 1) + datetime.timedelta(days=dice.randrange(365 * 68))
        stem = ("3" if born.year < 2000 else "5") if dice.random() < 0.5 else ("4" if born.year < 2000 else "6")
        text = stem + born.strftime("%y%m%d") + digits(4)
        if module.is_valid(text):
            return text


def account(code, length):
    body = digits(length)
    return code + iban.calc_check_digits(code + "00" + body) + body


os.makedirs(os.path.join(folder, "tables"), exist_ok=True)
with open(os.path.join(folder, "labels.tsv"), "w", encoding="utf-8") as labels:
    for table in range(count):
        place = dice.choice(sorted(LANDS))
        code, label, module, length = LANDS[place]
        away = dice.random() < 0.25
        fake = Faker(dice.choice(OTHERS) if away else place)
        tells = {
            "name": fake.name, "family": fake.last_name, "given": fake.first_name, "phone": fake.phone_number, "address": lambda: fake.street_address() if hasattr(fake, "street_address") else fake.address(),
            "postcode": fake.postcode, "email": fake.company_email if hasattr(fake, "company_email") else fake.email, "-city": fake.city,
            "iban": (lambda: fake.iban()) if away else (lambda: account(code, length)),
        }
        things = {"-price": lambda: f"{dice.uniform(1, 900):.2f}", "-order": lambda: f"PO-{digits(6)}", "-status": lambda: dice.choice(["open", "closed", "waiting"]), "-count": lambda: str(dice.randrange(60))}
        names = dice.sample(sorted(tells), dice.randrange(6)) + dice.sample(sorted(things), 2) + [label]
        dice.shuffle(names)
        rows = dice.choice([60, 120, 400])
        makers = {**tells, **things, label: lambda: number(module)}
        columns = [["" if dice.random() < 0.04 else str(makers[name]()).replace("\n", " ") for _ in range(rows)] for name in names]
        for at, name in enumerate(names):
            labels.write(f"{table:03}\t{at}\t{name.lstrip('-')}\t{name}\t{'away' if away else place}\n")
        for variant in ("named", "bare"):
            with open(os.path.join(folder, "tables", f"{table:03}.{variant}.csv"), "w", newline="", encoding="utf-8") as out:
                write = csv.writer(out, lineterminator="\n")
                head = {label: "code"}
                write.writerow([head.get(n, n.lstrip("-")) if variant == "named" else f"c{i}" for i, n in enumerate(names)])
                write.writerows(zip(*columns))
