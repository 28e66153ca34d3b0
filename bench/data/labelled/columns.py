"""Writes labelled tables: FOLDER/tables/NNN.{named,bare}.csv and FOLDER/labels.tsv (table, place, header, label).

Written from the words of the task alone, before its author had read the detectors. Names, addresses and jobs come from
mimesis, numbers from the check digits of python-stdnum: neither is a source of ours. A label is what a column holds; what
starts with `-` is no person's, and a decoy says what it looks like.
"""
import csv, datetime, importlib, os, random, string, sys, uuid
from mimesis import Generic
from mimesis.locales import Locale
from stdnum import iban, luhn

seed, tables, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
rng = random.Random(seed)

# What each scheme looks like before its check digits are right: d a digit, D the date yymmdd, Y yyyymmdd, E ddmmyy, A a letter.
SCHEMES = {
    "us.ssn": "ddd-dd-dddd", "jp.in_": "dddddddddddd", "in_.aadhaar": "dddddddddddd", "in_.pan": "AAAPAddddA", "cn.ric": "RRRRRRYdddd",
    "kr.rrn": "D-1dddddd", "br.cpf": "ddd.ddd.ddd-dd", "th.pin": "1dddddddddddd", "id.nik": "320101Edddd", "my.nric": "D01dddd",
    "de.idnr": "ddddddddddd", "fr.nir": "1MM75ddddddCC", "it.codicefiscale": "F", "es.dni": "ddddddddA", "es.nie": "XdddddddA",
    "gb.nhs": "ddd ddd dddd", "nl.bsn": "ddddddddd", "be.nn": "Dddddd", "pl.pesel": "Dddddd", "se.personnummer": "D-dddd", "fi.hetu": "E-dddA",
    "no.fodselsnummer": "Eddddd", "dk.cpr": "E-dddd", "ch.ssn": "756.dddd.dddd.dd", "tr.tckimlik": "ddddddddddd", "za.idnr": "Dddddddd",
    "il.idnr": "ddddddddd", "cl.rut": "dddddddd-d", "gr.amka": "Eddddd", "ro.cnp": "1D01dddd", "cz.rc": "D/dddd", "bg.egn": "Ddddd",
    "hr.oib": "ddddddddddd", "ee.ik": "3Ddddd", "lt.asmens": "3Ddddd", "ca.sin": "ddd-ddd-ddd", "au.tfn": "ddd ddd ddd", "ie.pps": "dddddddA",
    "mx.curp": "Q", "tw.ubn": "-dddddddd", "jp.cn": "-ddddddddddddd", "br.cnpj": "-dd.ddd.ddd/dddd-dd",
}
HEADERS = {
    "us.ssn": ["SSN", "Social Security No", "ssn"], "jp.in_": ["マイナンバー", "個人番号", "my_number"], "in_.aadhaar": ["Aadhaar No", "aadhaar", "UID number"],
    "in_.pan": ["PAN", "pan_no"], "cn.ric": ["身份证号", "id_card", "公民身份号码"], "kr.rrn": ["주민등록번호", "주민번호", "rrn"], "br.cpf": ["CPF", "cpf_cliente", "CPF do titular"],
    "th.pin": ["เลขประจำตัวประชาชน", "citizen_id"], "id.nik": ["NIK", "No. KTP"], "my.nric": ["MyKad", "No. KP", "nric"], "de.idnr": ["Steuer-ID", "IdNr", "Steueridentifikationsnummer"],
    "fr.nir": ["NIR", "N° sécurité sociale", "num_secu"], "it.codicefiscale": ["Codice fiscale", "CF"], "es.dni": ["DNI", "NIF"], "es.nie": ["NIE"],
    "gb.nhs": ["NHS number", "nhs_no"], "nl.bsn": ["BSN", "burgerservicenummer"], "be.nn": ["Rijksregisternummer", "NISS"], "pl.pesel": ["PESEL"],
    "se.personnummer": ["Personnummer", "pnr"], "fi.hetu": ["Henkilötunnus", "hetu"], "no.fodselsnummer": ["Fødselsnummer", "fnr"], "dk.cpr": ["CPR-nummer", "cpr"],
    "ch.ssn": ["AHV-Nr", "AHVN13"], "tr.tckimlik": ["TC Kimlik No", "tckn"], "za.idnr": ["SA ID", "id_number"], "il.idnr": ["Teudat Zehut", "מספר זהות"],
    "cl.rut": ["RUT", "RUN"], "gr.amka": ["AMKA", "ΑΜΚΑ"], "ro.cnp": ["CNP"], "cz.rc": ["Rodné číslo", "rc"], "bg.egn": ["ЕГН", "EGN"], "hr.oib": ["OIB"],
    "ee.ik": ["Isikukood"], "lt.asmens": ["Asmens kodas"], "ca.sin": ["SIN", "social_insurance"], "au.tfn": ["TFN", "Tax file number"], "ie.pps": ["PPSN", "PPS No"],
    "mx.curp": ["CURP"], "tw.ubn": ["統一編號"], "jp.cn": ["法人番号"], "br.cnpj": ["CNPJ"],
    "name": {"en": ["Name", "customer_name", "Full name", "Contact"], "ja": ["氏名", "お名前", "担当者名"], "de": ["Name", "Ansprechpartner"], "fr": ["Nom complet", "Nom et prénom"],
             "es": ["Nombre completo", "Titular"], "it": ["Nominativo", "Nome e cognome"], "pt-br": ["Nome completo", "Cliente"], "ko": ["성명", "이름"], "zh": ["姓名", "联系人"]},
    "given": {"en": ["First name", "given_name"], "ja": ["名"], "de": ["Vorname"], "fr": ["Prénom"], "es": ["Nombre"], "it": ["Nome"], "pt-br": ["Primeiro nome"], "ko": ["이름"], "zh": ["名"]},
    "family": {"en": ["Last name", "surname"], "ja": ["姓", "苗字"], "de": ["Nachname"], "fr": ["Nom de famille"], "es": ["Apellidos"], "it": ["Cognome"], "pt-br": ["Sobrenome"], "ko": ["성"], "zh": ["姓"]},
    "address": {"en": ["Address", "street"], "ja": ["住所", "送付先"], "de": ["Anschrift", "Straße"], "fr": ["Adresse"], "es": ["Dirección"], "it": ["Indirizzo"], "pt-br": ["Endereço"], "ko": ["주소"], "zh": ["地址"]},
    "phone": {"en": ["Phone", "mobile"], "ja": ["電話番号", "TEL"], "de": ["Telefon"], "fr": ["Téléphone"], "es": ["Teléfono"], "it": ["Telefono"], "pt-br": ["Telefone"], "ko": ["전화번호"], "zh": ["电话"]},
    "birth": {"en": ["Date of birth", "DOB"], "ja": ["生年月日"], "de": ["Geburtsdatum"], "fr": ["Date de naissance"], "es": ["Fecha de nacimiento"], "it": ["Data di nascita"], "pt-br": ["Data de nascimento"], "ko": ["생년월일"], "zh": ["出生日期"]},
    "postcode": {"en": ["Postcode", "ZIP"], "ja": ["郵便番号"], "de": ["PLZ"], "fr": ["Code postal"], "es": ["Código postal"], "it": ["CAP"], "pt-br": ["CEP"], "ko": ["우편번호"], "zh": ["邮编"]},
    "email": ["email", "E-Mail", "メールアドレス", "contact_mail"], "iban": ["IBAN", "Konto", "account"], "card": ["card_number", "カード番号", "PAN (card)", "Kreditkarte"],
    "imei": ["IMEI", "device"], "vin": ["VIN", "Fahrgestellnummer", "車台番号"], "mac": ["MAC", "mac_address"], "ip": ["ip", "client_ip", "remote_addr"],
    "latitude": ["lat", "latitude", "緯度"], "longitude": ["lon", "lng", "経度"],
    "-order": ["order_no", "注文番号", "Bestellnr", "reference"], "-price": ["price", "amount", "金額", "Preis"], "-stock": ["qty", "stock", "在庫数"], "-product": ["product", "商品名", "Artikel"],
    "-colour": ["colour", "色", "Farbe"], "-month": ["month", "Monat"], "-flower": ["variety", "plant"], "-company": ["company", "会社名", "Firma", "supplier"], "-city": ["city", "市区町村", "Ort"],
    "-country": ["country", "国", "Land"], "-stamp": ["created_at", "updated", "登録日時"], "-version": ["version", "firmware"], "-sensor": ["temp_c", "温度", "pressure"], "-uuid": ["batch", "lot_uuid"],
    "-status": ["status", "state", "状態"], "-weight": ["weight_kg", "重量"], "-sku": ["sku", "part_no", "品番"], "-luhn": ["order_id", "伝票番号", "invoice"], "-isbn": ["isbn"], "-note": ["remark", "備考"],
    "-currency": ["currency", "通貨"], "-url": ["link", "url"], "-day": ["delivery_date", "納期", "Liefertermin"], "-percent": ["rate", "率"], "-serial": ["id", "no", "連番"],
}
LOCALES = {"en": Locale.EN, "ja": Locale.JA, "de": Locale.DE, "fr": Locale.FR, "es": Locale.ES, "it": Locale.IT, "pt-br": Locale.PT_BR, "ko": Locale.KO, "zh": Locale.ZH}
GENERIC = {name: Generic(locale, seed=seed) for name, locale in LOCALES.items()}


def day(first=1935, last=2006):
    start = datetime.date(first, 1, 1)
    return start + datetime.timedelta(days=rng.randrange((datetime.date(last, 12, 31) - start).days))


def pattern(shape):
    if shape == "F":
        return "".join(rng.choices("BCDFGLMNPRSTV", k=6)) + f"{rng.randrange(40, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randrange(1, 29):02}H501" + rng.choice(string.ascii_uppercase)
    if shape == "Q":
        d = day(1940, 1999)
        return rng.choice("BCDGLMPRST") + rng.choice("AEIOU") + "".join(rng.choices("BCDGLMPRST", k=2)) + d.strftime("%y%m%d") + rng.choice("HM") + rng.choice(["DF", "JC", "NL", "OC", "VZ"]) + "".join(rng.choices("BCDGLMPRST", k=3)) + "0" + rng.choice(string.digits)
    d = day(1940, 1999)
    out = shape.replace("RRRRRR", rng.choice(["110101", "310104", "440305", "510107", "330106"])).replace("MM", f"{rng.randrange(40, 99)}{rng.randrange(1, 13):02}")
    out = out.replace("CC", "dd").replace("Y", d.strftime("%Y%m%d")).replace("D", d.strftime("%y%m%d")).replace("E", d.strftime("%d%m%y"))
    return "".join(rng.choice(string.digits) if c == "d" else rng.choice(string.ascii_uppercase) if c == "A" else c for c in out)


def number(scheme):
    module = importlib.import_module("stdnum." + scheme)
    shape = SCHEMES[scheme].lstrip("-")
    for _ in range(200_000):
        text = pattern(shape)
        try:
            if module.is_valid(text):
                return text
        except Exception:
            continue
    raise SystemExit("no number of " + scheme)


POOL = {}


def pooled(scheme):
    """Numbers of one scheme are drawn once, 300 of them: drawing is slow where few pass."""
    if scheme not in POOL:
        POOL[scheme] = [number(scheme) for _ in range(300)]
    return rng.choice(POOL[scheme])


def card(_):
    head = rng.choice(["4", "51", "55", "37", "353"])
    body = head + "".join(rng.choices(string.digits, k=(14 if head == "37" else 15) - len(head)))
    full = body + luhn.calc_check_digit(body)
    return full if rng.random() < .5 or len(full) != 16 else " ".join(full[i:i + 4] for i in range(0, 16, 4))


def vin(_):
    values = {**{str(i): i for i in range(10)}, **dict(zip("ABCDEFGH", range(1, 9))), **dict(zip("JKLMN", range(1, 6))), "P": 7, "R": 9, **dict(zip("STUVWXYZ", range(2, 10)))}
    text = [rng.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)]
    text[0] = rng.choice("1245")
    text[12:] = rng.choices(string.digits, k=5)
    rest = sum(values[c] * w for c, w in zip(text, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])) % 11
    text[8] = "X" if rest == 10 else str(rest)
    return "".join(text)


def account(_):
    land, length, head = rng.choice([("DE", 18, ""), ("FR", 0, ""), ("NL", 10, "ABNA"), ("ES", 20, ""), ("PL", 24, ""), ("CH", 17, "")])
    if length == 0:
        land, length = "AT", 16
    body = head + "".join(rng.choices(string.digits, k=length))
    text = land + iban.calc_check_digits(land + "00" + body) + body
    return text if rng.random() < .6 else " ".join(text[i:i + 4] for i in range(0, len(text), 4))


def birth(place):
    form = rng.choice({"en": ["%m/%d/%Y", "%Y-%m-%d"], "ja": ["%Y/%m/%d", "%Y年%-m月%-d日", "wareki"], "de": ["%d.%m.%Y"], "fr": ["%d/%m/%Y"], "es": ["%d/%m/%Y"], "it": ["%d/%m/%Y"], "pt-br": ["%d/%m/%Y"], "ko": ["%Y-%m-%d"], "zh": ["%Y-%m-%d", "%Y年%-m月%-d日"]}[place])
    def one(_):
        d = day(1941, 2004)
        if form == "wareki":
            return f"昭和{d.year - 1925}年{d.month}月{d.day}日" if d < datetime.date(1989, 1, 8) else f"平成{d.year - 1988}年{d.month}月{d.day}日"
        return d.strftime(form)
    return one


def luhned(length):
    def one(_):
        body = str(rng.randrange(1, 10)) + "".join(rng.choices(string.digits, k=length - 2))
        return body + luhn.calc_check_digit(body)
    return one


def isbn(_):
    body = "978" + "".join(rng.choices(string.digits, k=9))
    return body + str(-sum(int(c) * (1, 3)[i % 2] for i, c in enumerate(body)) % 10)


def imei(_):
    body = "35" + "".join(rng.choices(string.digits, k=12))
    return body + luhn.calc_check_digit(body)


def pick(words):
    return lambda _: rng.choice(words)


def column(label, place):
    """(header, a function of the record's number)"""
    g = GENERIC[place]
    heads = HEADERS[label]
    head = rng.choice(heads[place] if isinstance(heads, dict) else heads)
    glue = {"ja": " ", "ko": "", "zh": ""}.get(place, " ")
    turned = place in ("ja", "ko", "zh")
    def name(_):
        a, b = g.person.first_name(), g.person.last_name()
        return (b + glue + a) if turned else f"{a} {b}"
    makers = {
        "name": name, "given": lambda _: g.person.first_name(), "family": lambda _: g.person.last_name(), "address": lambda _: g.address.address(),
        "phone": lambda _: g.person.phone_number(), "birth": birth(place), "postcode": lambda _: g.address.postal_code(), "email": lambda _: g.person.email(),
        "iban": account, "card": card, "imei": imei, "vin": vin, "mac": lambda _: g.internet.mac_address(), "ip": lambda _: g.internet.ip_v4(),
        "latitude": lambda _: str(g.address.latitude()), "longitude": lambda _: str(g.address.longitude()),
        "-order": lambda i: f"{rng.choice(['PO', 'SO', 'B'])}-{2020 + i % 6}-{rng.randrange(10**5):05}", "-price": lambda _: f"{rng.lognormvariate(6, 1.4):.2f}", "-stock": lambda _: str(rng.randrange(0, 900)),
        "-product": pick(["Pump seal", "Gearbox X2", "Hose 12 mm", "Bearing 6204", "ポンプ", "歯車", "軸受", "Dichtung", "Ventil", "Filter"]), "-colour": pick(["Amber", "Violet", "Rose", "Scarlet", "Olive", "Hazel", "Ivory", "Ruby", "Jade", "Sienna"]),
        "-month": pick(["April", "May", "June", "August", "January", "March"]), "-flower": pick(["Rose", "Lily", "Daisy", "Iris", "Heather", "Jasmine", "Violet", "Ivy", "Holly", "Poppy"]),
        "-company": lambda _: g.finance.company(), "-city": lambda _: g.address.city(), "-country": lambda _: g.address.country(), "-stamp": lambda _: f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}Z",
        "-version": lambda _: f"{rng.randrange(1, 9)}.{rng.randrange(20)}.{rng.randrange(30)}.{rng.randrange(900) + 300}", "-sensor": lambda _: f"{rng.gauss(21, 6):.3f}", "-uuid": lambda _: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "-status": pick(["open", "closed", "waiting", "済", "処理中"]), "-weight": lambda _: f"{rng.uniform(0.2, 90):.1f}", "-sku": lambda _: f"{rng.choice('ABCDK')}{rng.randrange(10**4):04}-{rng.choice(['EU', 'JP', 'US'])}",
        "-luhn": luhned(rng.choice([10, 12, 14])), "-isbn": isbn, "-note": pick(["Will be delivered in May", "Rose garden, second gate", "handle with care", "要冷蔵", "Grant approved", "Mark the parcel", "至急"]),
        "-currency": pick(["EUR", "JPY", "USD", "CHF"]), "-url": lambda i: f"https://shop.example/items/{i}", "-day": lambda _: day(2025, 2026).isoformat(), "-percent": lambda _: f"{rng.random():.4f}", "-serial": lambda i: str(i + 1),
    }
    return head, makers.get(label) or (lambda _: pooled(label))


os.makedirs(os.path.join(folder, "tables"), exist_ok=True)
labels = csv.writer(open(os.path.join(folder, "labels.tsv"), "w", encoding="utf-8"), delimiter="\t", lineterminator="\n")
people = ["name", "given", "family", "address", "phone", "birth", "postcode", "email", "iban", "card", "imei", "vin", "mac", "ip", "latitude", "longitude"]
things = [k for k in HEADERS if k.startswith("-")]
for table in range(tables):
    place = rng.choice(list(LOCALES))
    chosen = rng.sample(people, 5) + rng.sample(sorted(SCHEMES), 3) + rng.sample(things, 6)
    rng.shuffle(chosen)
    rows = rng.choice([60, 120, 400])
    columns = [(label, *column(label, place)) for label in chosen]
    body = [["" if rng.random() < .04 else make(i) for _, _, make in columns] for i in range(rows)]
    for name, head in (("named", [h for _, h, _ in columns]), ("bare", [f"c{i + 1}" for i in range(len(columns))])):
        if name == "named":
            seen = {}
            head = [h if not seen.setdefault(h, []).append(1) and len(seen[h]) == 1 else f"{h}_{len(seen[h])}" for h in head]
            for i, (label, _, _) in enumerate(columns):
                labels.writerow([f"{table:03}", i, head[i], label if not SCHEMES.get(label, "").startswith("-") else "-" + label, place])
        out = csv.writer(open(os.path.join(folder, "tables", f"{table:03}.{name}.csv"), "w", encoding="utf-8", newline=""))
        out.writerow(head)
        out.writerows(body)
