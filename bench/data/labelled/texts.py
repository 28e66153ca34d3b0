"""Brings texts that others labelled into one form, a JSON line each: {"set", "text", "spans": [[start, end, class]]}.

usage: texts.py FOLDER OUT. FOLDER holds synth_dataset_v2.json (microsoft/presidio-research, MIT) and ner.json
(stockmarkteam/ner-wikipedia-dataset, CC BY-SA 3.0), where they are there. Nobody here wrote or chose a line of them.
"""
import json, os, sys

folder, out = sys.argv[1], sys.argv[2]
ENGLISH = {"PERSON": "person-name", "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "CREDIT_CARD": "payment-card", "IBAN_CODE": "iban",
           "STREET_ADDRESS": "address", "US_SSN": "us-ssn", "IP_ADDRESS": "ip-address"}
with open(out, "w", encoding="utf-8") as lines:
    path = os.path.join(folder, "synth_dataset_v2.json")
    if os.path.exists(path):
        for item in json.load(open(path, encoding="utf-8")):
            spans = [[s["start_position"], s["end_position"], ENGLISH[s["entity_type"]]] for s in item["spans"] if s["entity_type"] in ENGLISH]
            lines.write(json.dumps({"set": "en", "text": item["full_text"], "spans": spans}, ensure_ascii=False) + "\n")
    path = os.path.join(folder, "ner.json")
    if os.path.exists(path):
        for item in json.load(open(path, encoding="utf-8")):
            spans = [[*e["span"], "person-name"] for e in item["entities"] if e["type"] == "人名"]
            lines.write(json.dumps({"set": "ja", "text": item["text"], "spans": spans}, ensure_ascii=False) + "\n")
