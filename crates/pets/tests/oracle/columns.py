#!/usr/bin/env python3
"""Writes columns of generated people and of other things by a generator that is not ours; tests/columns.rs judges them.

    pip install faker==40.54.0
    python3 columns.py > columns.tsv

One line a column: what it holds, a header as people write it, then the values, separated by tabs.
"""
import random
import sys

from faker import Faker

ROWS = 60
# what it holds (kind, or - for nothing personal by itself), header, locale, provider
COLUMNS = [
    ("person-name", "氏名", "ja_JP", "name"), ("person-name", "full_name", "en_US", "name"), ("person-name", "Name", "en_GB", "name"),
    ("person-name", "Nachname", "de_DE", "last_name"), ("person-name", "nom", "fr_FR", "name"), ("person-name", "nombre", "es_ES", "name"),
    ("person-name", "last_name", "ja_JP", "last_name"), ("person-name", "first_name", "en_US", "first_name"), ("person-name", "cognome", "it_IT", "name"),
    ("email", "メール", "ja_JP", "email"), ("email", "mail", "de_DE", "safe_email"), ("email", "contact_email", "en_US", "company_email"),
    ("phone", "電話番号", "ja_JP", "phone_number"), ("phone", "phone", "en_US", "phone_number"), ("phone", "tel", "en_GB", "phone_number"),
    ("phone", "téléphone", "fr_FR", "phone_number"), ("phone", "Telefon", "de_DE", "phone_number"),
    ("address", "住所", "ja_JP", "address"), ("address", "street", "en_US", "street_address"), ("address", "Anschrift", "de_DE", "address"),
    ("postcode", "郵便番号", "ja_JP", "postcode"), ("postcode", "zip", "en_US", "postcode"), ("postcode", "postcode", "en_GB", "postcode"),
    ("region", "都道府県", "ja_JP", "prefecture"), ("region", "state", "en_US", "state"), ("region", "Ort", "de_DE", "city"),
    ("birth-date", "生年月日", "ja_JP", "birth"), ("birth-date", "dob", "en_US", "birth"),
    ("payment-card", "card_number", "en_US", "card16"), ("iban", "iban", "de_DE", "iban"), ("iban", "konto", "fr_FR", "iban"),
    ("us-ssn", "ssn", "en_US", "ssn"), ("es-dni", "dni", "es_ES", "nif"), ("br-cpf", "cpf", "pt_BR", "cpf"), ("pl-pesel", "pesel", "pl_PL", "pesel"),
    ("fi-hetu", "hetu", "fi_FI", "ssn"), ("se-personnummer", "personnummer", "sv_SE", "ssn10"), ("nl-bsn", "bsn", "nl_NL", "ssn"),
    ("no-fodselsnummer", "fødselsnummer", "no_NO", "ssn"), ("it-codice-fiscale", "codice_fiscale", "it_IT", "ssn"), ("kr-rrn", "주민등록번호", "ko_KR", "ssn"),
    ("fr-nir", "insee", "fr_FR", "ssn"), ("tr-tckn", "tc_kimlik", "tr_TR", "ssn"), ("hr-oib", "oib", "hr_HR", "ssn"),
    ("cn-resident-id", "身份证号", "zh_CN", "ssn"), ("ip-address", "client_ip", "en_US", "ipv4"), ("mac-address", "mac", "en_US", "mac_address"),
    ("vin", "vin", "en_US", "vin"), ("occupation", "job", "en_US", "job"), ("occupation", "職業", "ja_JP", "job"), ("account-name", "username", "en_US", "user_name"),
    ("free-text", "notes", "en_US", "note"), ("free-text", "備考", "ja_JP", "note_ja"),
    ("-", "company", "en_US", "company"), ("-", "color", "en_US", "color_name"), ("-", "comment", "en_US", "sentence"), ("-", "ean", "en_US", "ean13"),
    ("-", "currency", "en_US", "currency_code"), ("-", "created_at", "en_US", "iso"), ("-", "order_no", "en_US", "order"), ("-", "quantity", "en_US", "quantity"),
    ("-", "price", "en_US", "price"), ("-", "会社名", "ja_JP", "company"), ("-", "catch_phrase", "en_US", "catch_phrase"), ("-", "file_name", "en_US", "file_name"),
    ("-", "mime", "en_US", "mime_type"), ("-", "sku", "en_US", "sku"), ("-", "batch", "en_US", "order12"), ("-", "part_name", "en_US", "word"),
    ("-", "line_code", "en_US", "line"), ("-", "説明", "ja_JP", "sentence"),
]


def main():
    for n, (kind, header, locale, provider) in enumerate(COLUMNS):
        fake = Faker(locale)
        fake.seed_instance(1000 + n)
        rng = random.Random(n)
        make = {
            "birth": lambda: str(fake.date_of_birth(minimum_age=18, maximum_age=90)), "card16": lambda: fake.credit_card_number("visa16"),
            "ssn10": lambda: fake.ssn()[-11:], "iso": lambda: fake.date_time_between("-2y", "now").strftime("%Y-%m-%dT%H:%M:%S"),
            "note": lambda: f"{fake.sentence()} {fake.name()} called from {fake.phone_number()}.", "note_ja": lambda: f"{fake.name()}様より電話あり。{fake.phone_number()}",
            "order": lambda: str(10_000_000 + rng.randrange(10**7)), "order12": lambda: str(rng.randrange(10**11, 10**12)), "quantity": lambda: str(rng.randrange(500)),
            "price": lambda: f"{rng.randrange(10**5) / 100:.2f}", "sku": lambda: f"{rng.choice('ABCD')}{rng.randrange(10**4):04}", "line": lambda: f"L{rng.randrange(40):02}",
        }.get(provider) or getattr(fake, provider)
        values = [str(make()).replace("\n", " ").replace("\t", " ") for _ in range(ROWS)]
        print(kind, header, *values, sep="\t")
        print(provider, locale, values[0], file=sys.stderr)


main()
