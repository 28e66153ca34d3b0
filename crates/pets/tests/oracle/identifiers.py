#!/usr/bin/env python3
"""Records what python-stdnum says of random and mutated numbers; tests/oracle.rs compares.

    pip install python-stdnum==2.2
    python3 identifiers.py > identifiers.tsv
    python3 identifiers.py --many 100000 > many.tsv      (schemes may follow) random numbers, and valid ones with one or two places changed

One line each: scheme, number, 1 for valid or 0. A raised exception other than a verdict is no verdict and is left out
(`stdnum.cn.ric` raises KeyError for some regions). About half of the numbers are made valid by trying the last places.
"""
import importlib
import random
import re
import sys

MODULES = {
    "jp-my-number": "jp.in_", "jp-corporate-number": "jp.cn", "in-aadhaar": "in_.aadhaar", "in-pan": "in_.pan",
    "cn-resident-id": "cn.ric", "cn-uscc": "cn.uscc", "kr-rrn": "kr.rrn", "th-pin": "th.pin", "my-nric": "my.nric",
    "id-nik": "id.nik", "il-id": "il.idnr", "au-tfn": "au.tfn", "nz-ird": "nz.ird", "us-ssn": "us.ssn", "us-itin": "us.itin",
    "us-aba": "us.rtn", "ca-sin": "ca.sin", "mx-curp": "mx.curp", "br-cpf": "br.cpf", "br-cnpj": "br.cnpj",
    "ar-cuit": "ar.cuit", "cl-rut": "cl.rut", "co-nit": "co.nit", "ec-ci": "ec.ci", "do-cedula": "do.cedula",
    "gb-nhs": "gb.nhs", "gb-utr": "gb.utr", "ie-pps": "ie.pps", "de-idnr": "de.idnr", "fr-nir": "fr.nir",
    "fr-tin": "fr.nif", "es-dni": "es.dni", "es-nie": "es.nie", "it-codice-fiscale": "it.codicefiscale",
    "pt-nif": "pt.nif", "nl-bsn": "nl.bsn", "be-nn": "be.nn", "at-vnr": "at.vnr", "ch-ahv": "ch.ssn", "dk-cpr": "dk.cpr",
    "se-personnummer": "se.personnummer", "no-fodselsnummer": "no.fodselsnummer", "fi-hetu": "fi.hetu",
    "is-kennitala": "is_.kennitala", "ee-isikukood": "ee.ik", "lt-asmens-kodas": "lt.asmens", "pl-pesel": "pl.pesel",
    "cz-sk-rc": "cz.rc", "ro-cnp": "ro.cnp", "bg-egn": "bg.egn", "hr-oib": "hr.oib", "si-emso": "si.emso",
    "gr-amka": "gr.amka", "tr-tckn": "tr.tckimlik", "ua-rntrc": "ua.rntrc", "ru-inn": "ru.inn", "za-id": "za.idnr",
    "iban": "iban", "imei": "imei", "lei": "lei", "isin": "isin", "ean13": "ean",
}
NUMBERS = 130
DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def shapes(path):
    """The shapes of each scheme, read from the catalogue with nothing but regular expressions."""
    found, scheme = {}, None
    for line in open(path, encoding="utf-8"):
        if m := re.match(r'id = "(.*)"', line):
            scheme = m[1]
        elif m := re.match(r'shape = "(.*)"', line):
            found.setdefault(scheme, []).append(m[1])
    return found


def fill(rng, shape):
    out, i = "", 0
    while i < len(shape):
        c = shape[i]
        if c == "[":
            end = shape.index("]", i)
            inside, choices, j = shape[i + 1:end], "", 0
            while j < len(inside):
                if j + 2 < len(inside) and inside[j + 1] == "-":
                    choices += "".join(chr(x) for x in range(ord(inside[j]), ord(inside[j + 2]) + 1))
                    j += 3
                else:
                    choices += inside[j]
                    j += 1
            i = end + 1
        else:
            choices = {"9": DIGITS, "A": LETTERS, "X": DIGITS + LETTERS}.get(c, c)
            i += 1
        times = 1
        if i < len(shape) and shape[i] == "{":
            end = shape.index("}", i)
            bounds = [int(n) for n in shape[i + 1:end].split(",")]
            times = rng.randint(bounds[0], bounds[-1])
            i = end + 1
        out += "".join(rng.choice(choices) for _ in range(times))
    return out


def dated(rng, scheme, number):
    """Puts a real day where these schemes have one, so that not all draws die at the date."""
    y, m, d = rng.randrange(100), rng.randint(1, 12), rng.randint(1, 28)
    at = {
        "cn-resident-id": (6, f"{rng.randint(1930, 2019)}{m:02}{d:02}"), "kr-rrn": (0, f"{y:02}{m:02}{d:02}"),
        "my-nric": (0, f"{y:02}{m:02}{d:02}"), "id-nik": (6, f"{d:02}{m:02}{y:02}"), "mx-curp": (4, f"{y:02}{m:02}{d:02}"),
        "be-nn": (0, f"{y:02}{m:02}{d:02}"), "at-vnr": (4, f"{d:02}{m:02}{y:02}"), "dk-cpr": (0, f"{d:02}{m:02}{y:02}"),
        "se-personnummer": (0, f"{y:02}{m:02}{d:02}"), "no-fodselsnummer": (0, f"{d:02}{m:02}{y:02}"),
        "fi-hetu": (0, f"{d:02}{m:02}{y:02}"), "is-kennitala": (0, f"{d:02}{m:02}{y:02}"), "ee-isikukood": (1, f"{y:02}{m:02}{d:02}"),
        "lt-asmens-kodas": (1, f"{y:02}{m:02}{d:02}"), "pl-pesel": (0, f"{y:02}{m:02}{d:02}"), "cz-sk-rc": (0, f"{y:02}{m:02}{d:02}"),
        "ro-cnp": (1, f"{y:02}{m:02}{d:02}"), "bg-egn": (0, f"{y:02}{m:02}{d:02}"), "si-emso": (0, f"{d:02}{m:02}{900 + y:03}"),
        "gr-amka": (0, f"{d:02}{m:02}{y:02}"), "za-id": (0, f"{y:02}{m:02}{d:02}"),
        "it-codice-fiscale": (6, f"{y:02}{'ABCDEHLMPRST'[m - 1]}{d:02}"),
    }.get(scheme)
    return number if at is None else number[:at[0]] + at[1] + number[at[0] + len(at[1]):]


def iban(rng):
    """A German, Dutch or British account, its check digits by ISO/IEC 7064 MOD 97-10."""
    country, body = rng.choice([("DE", "9{18}"), ("NL", "[A]BNA9{10}"), ("GB", "NWBK9{14}")])
    body = fill(rng, body.replace("NWBK", "[N][W][B][K]").replace("BNA", "[B][N][A]"))
    digits = "".join(str(int(c, 36)) for c in body + country + "00")
    return f"{country}{98 - int(digits) % 97:02}{body}"


def mutated(rng, number):
    """One or two places changed within their alphabet, or two neighbors exchanged."""
    places = [i for i, c in enumerate(number) if c.isalnum()]
    if rng.random() < 0.2 and len(places) > 1:
        i = rng.randrange(len(places) - 1)
        a, b = places[i], places[i + 1]
        return number[:a] + number[b] + number[a + 1:b] + number[a] + number[b + 1:]
    for _ in range(rng.choice((1, 2))):
        i = rng.choice(places)
        number = number[:i] + rng.choice(DIGITS if number[i].isdigit() else LETTERS) + number[i + 1:]
    return number


def many(count, only):
    """Half random of the scheme's shapes, half valid numbers changed a little; those that stay valid are changed on."""
    catalogue = shapes("../../../../profiles/identifiers.toml")
    for scheme, name in MODULES.items():
        if only and scheme not in only:
            continue
        rng = random.Random("many " + scheme)
        module = importlib.import_module("stdnum." + name)
        pool, said, errors = [], {}, 0
        for n in range(count):
            if n % 2 and pool:
                number = mutated(rng, rng.choice(pool))
            elif scheme == "iban" and n % 4 < 2:
                number = iban(rng)
            else:
                number = fill(rng, rng.choice(catalogue[scheme]))
                if n % 8:
                    number = dated(rng, scheme, number)
            try:
                said[number] = bool(module.is_valid(number))
            except Exception:
                errors += 1
                continue
            if said[number] and (len(pool) < 4096 or rng.random() < 0.1):
                if len(pool) < 4096:
                    pool.append(number)
                else:
                    pool[rng.randrange(4096)] = number
        for number, verdict in said.items():
            print(scheme, number, int(verdict), sep="\t")
        print(f"{scheme}: {len(said)} numbers, {sum(said.values())} valid, {errors} without a verdict", file=sys.stderr)


def main():
    catalogue = shapes("../../../../profiles/identifiers.toml")
    for scheme, name in MODULES.items():
        rng = random.Random(scheme)
        module = importlib.import_module("stdnum." + name)

        def verdict(number):
            try:
                return bool(module.is_valid(number))
            except Exception as error:
                print(f"{scheme}: {type(error).__name__}, no verdict", file=sys.stderr)
                return None

        lines = {}
        for n in range(NUMBERS):
            number = fill(rng, rng.choice(catalogue[scheme]))
            if n % 8:
                number = dated(rng, scheme, number)
            if n % 2:
                # Towards a valid one: other fillings of the last or first places, a few thousand at most.
                if scheme == "iban":
                    number = iban(rng)
                for _ in range(3000):
                    if verdict(number):
                        break
                    again = dated(rng, scheme, fill(rng, rng.choice(catalogue[scheme])))
                    number = again if rng.random() < 0.3 else number[:-2] + again[-2:]
            said = verdict(number)
            if said is not None:
                lines[number] = said
        for number, said in lines.items():
            print(scheme, number, int(said), sep="\t")


if len(sys.argv) >= 3 and sys.argv[1] == "--many":
    many(int(sys.argv[2]), sys.argv[3:])
else:
    main()
