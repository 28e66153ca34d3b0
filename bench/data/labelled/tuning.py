"""Tables to tune the detectors on, so that `columns.py` stays unseen: Faker's people and numbers, and decoys.

    tuning.py SEED TABLES FOLDER

The same files as `columns.py` writes: `tables/N.named.csv`, `tables/N.bare.csv`, `labels.tsv`.
"""
import csv, os, random, sys
from faker import Faker

seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
dice = random.Random(seed)
Faker.seed(seed)
# The locale, and what its `ssn` is called in python-stdnum's words.
NUMBERS = {
    "et_EE": "ee.ik", "fi_FI": "fi.hetu", "fr_FR": "fr.nir",
    "hr_HR": "hr.oib", "it_IT": "it.codicefiscale", "nl_NL": "nl.bsn", "no_NO": "no.fodselsnummer",
    "pl_PL": "pl.pesel", "pt_BR": "br.cpf", "ro_RO": "ro.cnp", "sv_SE": "se.personnummer", "tr_TR": "tr.tckimlik",
    "zh_CN": "cn.ric", "zh_TW": "tw.nid", "en_US": "us.ssn", "en_CA": "ca.sin", "de_CH": "ch.ssn", "uk_UA": "ua.rntrc", "he_IL": "il.idnr",
}
LOCALES = sorted(set(NUMBERS) | {"bg_BG", "cs_CZ", "es_ES", "ko_KR", "lt_LT", "sl_SI", "de_DE", "el_GR", "ja_JP", "pt_PT", "hu_HU", "ru_RU", "ar_SA", "th_TH", "en_GB", "da_DK", "en_IN", "fa_IR"})


def luhn(stem):
    total = 0
    for place, c in enumerate(reversed(stem)):
        n = int(c) * (2 if place % 2 == 0 else 1)
        total += n - 9 if n > 9 else n
    return stem + str(-total % 10)


def digits(n):
    return "".join(dice.choice("0123456789") for _ in range(n))


def personal(fake, place):
    out = {
        "name": lambda: fake.name(), "given": lambda: fake.first_name(), "family": lambda: fake.last_name(), "email": lambda: fake.email(),
        "phone": lambda: fake.phone_number(), "address": lambda: fake.street_address() if hasattr(fake, "street_address") else fake.address(),
        "birth": lambda: fake.date_of_birth().isoformat(), "card": lambda: fake.credit_card_number(), "iban": lambda: fake.iban(), "ip": lambda: fake.ipv4(),
        "mac": lambda: fake.mac_address(), "postcode": lambda: fake.postcode(), "latitude": lambda: str(fake.latitude()), "longitude": lambda: str(fake.longitude()),
    }
    if place in NUMBERS:
        out[NUMBERS[place]] = lambda: fake.ssn()
    return out


def decoys(fake, rows):
    start, few = dice.randrange(10000, 80000), [fake.word() for _ in range(12)]
    words = [fake.word().capitalize() for _ in range(400)]
    return {
        "-order": lambda: f"ORD-{digits(7)}", "-order luhn": lambda: luhn("8" + digits(9)), "-batch": lambda: f"{digits(2)}{dice.choice('ABCDEF')}{digits(4)}",
        "-five digits": lambda: str(dice.randrange(start, start + 5000)), "-price": lambda: f"{dice.uniform(1, 900):.2f}", "-count": lambda: str(dice.randrange(0, 60)),
        "-company": lambda: fake.company(), "-city": lambda: fake.city(), "-country": lambda: fake.country(), "-color": lambda: fake.color_name(),
        "-month": lambda: fake.month_name(), "-word": lambda: dice.choice(words), "-state": lambda: dice.choice(few), "-sentence": lambda: fake.sentence(),
        "-seconds": lambda: str(1600000000 + dice.randrange(10**8)), "-watt": lambda: str(dice.randrange(10000, 99999)), "-uuid": lambda: fake.uuid4(),
        "-file": lambda: fake.file_name(), "-job": lambda: fake.job(), "-ean": lambda: fake.ean13(), "-isbn": lambda: fake.isbn13(), "-day": lambda: fake.date_this_year().isoformat(),
        "-hex": lambda: fake.sha1()[:12], "-version": lambda: f"{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(200)}", "-rate": lambda: f"{dice.random():.6f}",
    }


os.makedirs(os.path.join(folder, "tables"), exist_ok=True)
with open(os.path.join(folder, "labels.tsv"), "w", encoding="utf-8") as labels:
    for table in range(count):
        place = LOCALES[table % len(LOCALES)]
        fake, rows = Faker(place), dice.choice([60, 120, 300, 800])
        of = {**personal(fake, place), **decoys(fake, rows)}
        people, things = [k for k in of if k[0] != "-"], [k for k in of if k[0] == "-"]
        names = dice.sample(people, min(8, len(people))) + dice.sample(things, 6)
        number = NUMBERS.get(place)
        if number and number not in names:
            names[0] = number
        dice.shuffle(names)
        columns = []
        for name in list(names):
            try:
                columns.append([str(of[name]()).replace("\n", " ") for _ in range(rows)])
            except Exception:
                names.remove(name)
        for at, name in enumerate(names):
            labels.write(f"{table}\t{at}\t{name.lstrip('-')}\t{name}\t{place}\n")
        for variant in ("named", "bare"):
            with open(os.path.join(folder, "tables", f"{table}.{variant}.csv"), "w", newline="", encoding="utf-8") as out:
                write = csv.writer(out, lineterminator="\n")
                write.writerow([n.lstrip("-").replace(".", " ") if variant == "named" else f"c{i}" for i, n in enumerate(names)])
                write.writerows(zip(*columns))
