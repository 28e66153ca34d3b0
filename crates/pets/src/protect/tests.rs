use super::*;
use crate::classify::Scan;
use crate::classify::tests::{health, knowledge, table};
use crate::examine::Figure;
use crate::examine::Outcome;
use crate::pseudonym::Domain;
use crate::report::Beside;

fn profile(name: &str) -> Profile {
    let text = match name {
        "jp" => include_str!("../../../../profiles/jp-anonymised.toml"),
        "hipaa" => include_str!("../../../../profiles/hipaa-safe-harbor.toml"),
        "ema" => include_str!("../../../../profiles/ema-0070.toml"),
        "jp-pseudonymised" => include_str!("../../../../profiles/jp-pseudonymised.toml"),
        "sg" => include_str!("../../../../profiles/sg-pdpc.toml"),
        "joint" => include_str!("../../../../profiles/jp-eu-medical-research.toml"),
        _ => include_str!("../../../../profiles/eu-wp216-k11.toml"),
    };
    Profile::parse(text).unwrap()
}

fn dictionary(batches: &[RecordBatch], knowledge: &Knowledge) -> Dictionary {
    let person = Dictionary::parse(include_str!("../../../../examples/data/health.dictionary.toml")).unwrap();
    Scan::of(batches, knowledge).dictionary().corrected_by(&person)
}

#[test]
fn the_health_study_meets_each_profile_of_the_house() {
    let (knowledge, batches) = (knowledge(), table(health(), 1000));
    let dictionary = dictionary(&batches, &knowledge);
    let domain = Domain { recipient: "hospital".into(), purpose: "study".into(), period: "2026".into() };
    let key = DomainKey::derive(&[9; 32], &domain).unwrap();
    for name in ["jp", "hipaa", "ema", "eu", "jp-pseudonymised", "sg", "joint"] {
        let profile = profile(name);
        let request = Request {
            batches: &batches,
            dictionary: &dictionary,
            profile: &profile,
            knowledge: &knowledge,
            key: Some(&key),
        };
        let out = protect(request).unwrap();
        let exact = &out.report.exact;
        assert!(out.is_met(), "{name}: {:#?}", exact.clauses);
        assert!(exact.k >= Some(profile.k()));
        assert!(!exact.left_to_judgement.is_empty());
        for gone in ["name", "phone", "email", "my_number"] {
            assert_eq!(out.plan.columns[gone], Act::Drop, "{name} {gone}");
        }
        assert_eq!(
            out.plan.columns["respondent"] == Act::Pseudonym { namespace: None },
            ["ema", "sg", "jp-pseudonymised"].contains(&name)
        );
        // What is claimed is true of the bytes: counted again, from the released batches alone.
        let mut again = Classes::of(&exact.quasi_identifiers, &[]);
        out.batches.iter().for_each(|b| drop(again.push(b).unwrap()));
        assert_eq!(again.measure().sizes.k(), exact.k);
    }
}

#[test]
fn order_of_rows_and_batches_do_not_change_the_exact_part() {
    let (knowledge, profile) = (knowledge(), profile("jp"));
    let text = health().lines().take(1501).collect::<Vec<_>>().join("\n");
    let (header, body) = text.split_once('\n').unwrap();
    let mut lines: Vec<&str> = body.lines().collect();
    let exact = |text: &str, batch: usize| {
        let batches = table(text, batch);
        let dictionary = dictionary(&batches, &knowledge);
        let out = protect(Request {
            batches: &batches,
            dictionary: &dictionary,
            profile: &profile,
            knowledge: &knowledge,
            key: None,
        })
        .unwrap();
        out.report.exact_digest().unwrap()
    };
    let forward = exact(&text, 200);
    lines.reverse();
    assert_eq!(forward, exact(&format!("{header}\n{}", lines.join("\n")), 333));
}

#[test]
fn a_report_holds_no_value_of_the_data() {
    let (knowledge, batches, profile) = (knowledge(), table(health(), 1000), profile("jp"));
    let dictionary = dictionary(&batches, &knowledge);
    let out = protect(Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    })
    .unwrap();
    let text = String::from_utf8(out.report.bytes().unwrap()).unwrap();
    for line in health().lines().skip(1) {
        for value in line.split(',').take(8).filter(|v| {
            v.len() > 5
                && ![
                    "Saitama",
                    "Hokkaido",
                    "Kanagawa",
                    "Shizuoka",
                    "Hiroshima",
                    "Fukuoka",
                    "Okinawa",
                    "Kumamoto",
                    "Kagoshima",
                    "Ibaraki",
                    "Niigata",
                    "Nagano",
                    "Miyagi",
                    "Shimane",
                    "Tottori",
                ]
                .contains(v)
        }) {
            assert!(!text.contains(value), "{value}");
        }
    }
    for word in ["never married", "college graduate", "borderline", "Mexican American", "Tokyo", "Kagoshima"]
    {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn a_profile_that_cannot_be_met_says_which_clause_and_how_far() {
    let knowledge = knowledge();
    let batches = table("age,sex\n31,female\n32,male\n33,male", 10);
    let dictionary = Scan::of(&batches, &knowledge).dictionary();
    let profile = profile("jp");
    let out = protect(Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    })
    .unwrap();
    assert!(!out.is_met());
    let clause = |id: &str| out.report.clauses().find(|c| c.clause == id).unwrap();
    // Three records can never be ten alike: all are left out, and that is what fails.
    assert_eq!(
        (clause("useful").outcome, clause("useful").measured),
        (Outcome::NotMet, Some(Figure::Share("1".parse().unwrap())))
    );
    assert_eq!(out.report.exact.records_released, 0);
}

#[test]
fn what_a_person_chose_is_done_and_judged() {
    let knowledge = knowledge();
    let batches = table(health(), 1000);
    let mut dictionary = dictionary(&batches, &knowledge);
    if let Some(name) = dictionary.columns.get_mut("name") {
        name.act = Some(Act::Keep);
    }
    let profile = profile("jp");
    let out = protect(Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    })
    .unwrap();
    let clause = |id: &str| out.report.clauses().find(|c| c.clause == id).unwrap();
    assert_eq!(
        (clause("34-1").outcome, clause("34-1").columns.as_slice()),
        (Outcome::NotMet, &["name".to_string()][..])
    );
    assert_eq!(
        (clause("34-residual").outcome, clause("34-residual").columns.as_slice()),
        (Outcome::NotMet, &["name".to_string()][..])
    );
}

#[test]
fn an_unknown_column_is_dropped_and_empty_data_is_refused() {
    let knowledge = knowledge();
    let batches = table(&format!("age,extra\n{}", "31,x\n".repeat(40)), 10);
    let dictionary = Dictionary::parse("[columns.age]\nrole='quasi-identifier'\nkind='age'").unwrap();
    let profile = profile("jp");
    let request = Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    };
    let out = protect(request).unwrap();
    assert_eq!(out.plan.columns["extra"], Act::Drop);
    assert!(matches!(protect(Request { batches: &[], ..request }), Err(NotProtected::Empty)));
}

#[test]
fn a_column_that_matters_more_keeps_more() {
    let knowledge = knowledge();
    let batches = table(health(), 1000);
    let profile = profile("ema");
    let lost = |weight: u32| {
        let mut dictionary = dictionary(&batches, &knowledge);
        dictionary.columns.get_mut("race").unwrap().weight = weight;
        let out = protect(Request {
            batches: &batches,
            dictionary: &dictionary,
            profile: &profile,
            knowledge: &knowledge,
            key: None,
        });
        out.unwrap().report.exact.columns["race"].loss.clone().unwrap().loss
    };
    assert_eq!(lost(1), crate::ratio::Ratio::ONE);
    assert!(lost(20) < "1/2".parse().unwrap());
}

#[test]
fn lists_and_bytes_stay_behind() {
    let knowledge = knowledge();
    let ages: arrow_array::ArrayRef = std::sync::Arc::new(arrow_array::Int64Array::from(vec![40; 30]));
    let bytes: arrow_array::ArrayRef =
        std::sync::Arc::new(arrow_array::BinaryArray::from(vec![b"x".as_ref(); 30]));
    let batches = [RecordBatch::try_from_iter([("age", ages), ("photo", bytes)]).unwrap()];
    let dictionary = Scan::of(&batches, &knowledge).dictionary();
    assert!(!Scan::of(&batches, &knowledge).column("photo").unwrap().readable);
    let profile = profile("jp");
    let out = protect(Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    });
    let out = out.unwrap();
    assert_eq!(out.plan.columns["photo"], Act::Drop);
    assert!(out.is_met());
}

#[test]
fn certifying_a_release_from_its_bytes_alone_gives_the_same_answers() {
    let (knowledge, batches, profile) = (knowledge(), table(health(), 1000), profile("jp"));
    let dictionary = dictionary(&batches, &knowledge);
    let request = Request {
        batches: &batches,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    };
    let out = protect(request).unwrap();
    let certify = |released: &[RecordBatch]| {
        let beside = Beside { plan: Some(&out.plan), records_before: Some(5265), ..Beside::default() };
        crate::report::certify(&profile, &dictionary, released, &knowledge, &beside).map(|(_, report)| report)
    };
    let again = certify(&out.batches).unwrap();
    assert_eq!(
        (&again.exact.clauses, again.exact.content),
        (&out.report.exact.clauses, out.report.exact.content)
    );
    // Without the plan, what shows in the values answers the same clauses; how many were left out nobody said.
    let alone = Beside { records_before: Some(5265), ..Beside::default() };
    let (seen, report) =
        crate::report::certify(&profile, &dictionary, &out.batches, &knowledge, &alone).unwrap();
    let outcomes = |r: &Report| r.clauses().map(|c| (c.clause.clone(), c.outcome)).collect::<Vec<_>>();
    assert_eq!(outcomes(&report), outcomes(&out.report), "{seen:#?}");
    let unsaid = Beside::default();
    let (_, report) =
        crate::report::certify(&profile, &dictionary, &out.batches, &knowledge, &unsaid).unwrap();
    assert_eq!((report.exact.records_before, report.exact.outcome), (None, Outcome::Met));
    // The original instead of the release: refused, because it holds columns that the plan drops.
    assert!(matches!(certify(&batches), Err(crate::report::NotCertified::StrayColumn(_))));
    let with_age = |age: &str| {
        let odd = out.batches[0].slice(0, 1);
        let put =
            |(field, column): (&std::sync::Arc<arrow_schema::Field>, &arrow_array::ArrayRef)| match field
                .name()
                .as_str()
            {
                "age" => {
                    std::sync::Arc::new(arrow_array::StringArray::from(vec![age])) as arrow_array::ArrayRef
                }
                _ => column.clone(),
            };
        let columns = odd.schema().fields().iter().zip(odd.columns()).map(put).collect();
        let mut more = out.batches.clone();
        more.push(RecordBatch::try_new(odd.schema(), columns).unwrap());
        more
    };
    // A raw value where the plan says bins, and a bin of another width.
    for age in ["66", "[60,70)"] {
        assert!(
            matches!(certify(&with_age(age)), Err(crate::report::NotCertified::NotAsPlanned(name)) if name == "age")
        );
    }
    // One person too many in a bin that the plan allows: the classes no longer hold.
    let worse = certify(&with_age("[0,20)")).unwrap();
    let clause = worse.exact.clauses.iter().find(|c| c.clause == "34-4-quasi").unwrap();
    assert_eq!(
        (clause.outcome, clause.measured, clause.records_short),
        (Outcome::NotMet, Some(Figure::Count(1)), Some(1))
    );
}

#[test]
fn recoding_by_classes_meets_the_same_profile_at_less_loss() {
    let (knowledge, batches) = (knowledge(), table(health(), 1000));
    let dictionary = dictionary(&batches, &knowledge);
    let text = include_str!("../../../../profiles/eu-wp216-k11.toml");
    let profile = Profile::parse(text).unwrap();
    let request =
        Request { batches: &batches, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None };
    let loss = |method: Method| {
        let out = super::protect_by(request, method).unwrap();
        assert!(out.is_met(), "{method:?}");
        assert!(out.report.exact.k.unwrap() >= 11);
        let lost: f64 = out.report.exact.columns.values().filter_map(|c| c.loss.as_ref()).map(|l| l.loss.to_f64()).sum();
        (lost, out)
    };
    let (lattice, _) = loss(Method::Lattice);
    let (local, by_class) = loss(Method::Local);
    assert!(local < lattice, "{local} {lattice}");
    assert!(by_class.plan.needs_whole_table() && !by_class.optimal);
    // Such a plan is for a release, never for a stream.
    let refused = crate::transform::Border::prepare(&by_class.plan, &batches[0].schema(), None);
    assert_eq!(refused.unwrap_err().code(), "pets/whole-table");
    assert_eq!(Plan::parse(&by_class.plan.render().unwrap()).unwrap(), by_class.plan);
    let (_, halved) = loss(Method::Mondrian);
    assert_eq!(halved.plan.columns["age"], Act::Range);
    assert_eq!(halved.report.exact.records_released, 5265);
    // The classes are those of the released values, counted anew.
    let quasi: Vec<String> = halved
        .plan
        .released()
        .filter(|n| dictionary.columns[*n].role == crate::dictionary::Role::QuasiIdentifier)
        .map(Into::into)
        .collect();
    let mut classes = crate::measure::Classes::of(&quasi, &[]);
    halved.batches.iter().for_each(|b| drop(classes.push(b).unwrap()));
    assert!(classes.measure().sizes.k().unwrap() >= 11);
}

#[test]
fn closeness_is_searched_for_and_not_only_judged() {
    let (knowledge, batches) = (knowledge(), table(health(), 1000));
    let dictionary = dictionary(&batches, &knowledge);
    let with = "\n[[clause]]\nid='t'\ncites='chosen'\ntext={en='',ja=''}\nneed={is='closeness',most='1/4'}";
    let text = include_str!("../../../../profiles/eu-wp216-k11.toml");
    let far = |text: &str| {
        let profile = Profile::parse(text).unwrap();
        let request = Request {
            batches: &batches,
            dictionary: &dictionary,
            profile: &profile,
            knowledge: &knowledge,
            key: None,
        };
        let out = protect(request).unwrap();
        let t = out.report.exact.diversity.values().map(|d| d.t_ordered.unwrap_or(d.t_equal)).max().unwrap();
        (out.is_met(), t)
    };
    let limit: crate::ratio::Ratio = "1/4".parse().unwrap();
    assert!(far(text).1 > limit);
    let (met, t) = far(&format!("{text}{with}"));
    assert!(met && t <= limit, "{t}");
}

#[test]
fn attacks_are_judged_where_the_original_is_there_and_left_open_where_not() {
    let (knowledge, batches) = (knowledge(), table(health(), 1000));
    let dictionary = dictionary(&batches, &knowledge);
    let clause = |attack: &str| {
        format!(
            "\n[[clause]]\nid='{attack}-attack'\ncites='chosen'\ntext={{en='',ja=''}}\nneed={{is='attack',attack='{attack}',most='0.1'}}"
        )
    };
    let text = include_str!("../../../../profiles/eu-wp216-k11.toml").to_string();
    let text = text + &clause("singling-out") + &clause("linkability");
    let profile = Profile::parse(&text).unwrap();
    let half = |n: usize| batches.iter().skip(n).step_by(2).cloned().collect::<Vec<_>>();
    let (original, control) = (half(0), half(1));
    let request = Request {
        batches: &original,
        dictionary: &dictionary,
        profile: &profile,
        knowledge: &knowledge,
        key: None,
    };
    let out = protect(request).unwrap();
    assert_eq!(out.report.observed.left_to_judgement, ["singling-out-attack", "linkability-attack"]);
    let beside = Beside {
        plan: Some(&out.plan),
        original: Some(&original),
        control: Some(&control),
        population: Some(&batches),
        ..Beside::default()
    };
    let certify = |beside: &Beside<'_>| {
        crate::report::certify(&profile, &dictionary, &out.batches, &knowledge, beside).unwrap().1
    };
    let report = certify(&beside);
    assert_eq!(report.observed.left_to_judgement, Vec::<String>::new());
    let answer = report.clauses().find(|c| c.clause == "singling-out-attack").unwrap();
    assert_eq!(answer.outcome, Outcome::Met, "{answer:?} {:?}", report.observed.attacks);
    // The half lies in the whole: nobody is rarer there.
    let risk = report.exact.population.unwrap();
    assert!(
        risk.k_map >= report.exact.k.unwrap() && risk.unmatched == 0 && risk.population == 5265,
        "{risk:?}"
    );
}

#[derive(Default)]
struct Parts(std::collections::BTreeMap<usize, Vec<u8>>);

impl crate::outside::Spill for Parts {
    type Failed = String;
    fn put(&mut self, part: usize, bytes: &[u8]) -> Result<(), String> {
        self.0.entry(part).or_default().extend_from_slice(bytes);
        Ok(())
    }
    fn take(&mut self, part: usize) -> Result<Vec<u8>, String> {
        Ok(self.0.remove(&part).unwrap_or_default())
    }
}

#[test]
fn a_table_larger_than_memory_gives_the_same_plan_records_and_report() {
    let (knowledge, batches) = (knowledge(), table(health(), 700));
    let dictionary = dictionary(&batches, &knowledge);
    let mut spilled = 0;
    for name in ["jp", "eu", "hipaa"] {
        let profile = profile(name);
        let request = Request { batches: &batches, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None };
        let held = protect(request).unwrap();
        let source: &[RecordBatch] = &batches;
        let of = Large { source: &source, dictionary: &dictionary, profile: &profile, knowledge: &knowledge, key: None, memory: 4 << 20 };
        let mut out = Vec::new();
        let mut keep = |batch: &RecordBatch| {
            out.push(batch.clone());
            Ok(())
        };
        let large = protect_large(&of, &mut || Box::new(Parts::default()), &mut keep).unwrap();
        assert_eq!(large.plan, held.plan);
        assert_eq!(out, held.batches);
        assert_eq!(large.report.bytes().unwrap(), held.report.bytes().unwrap());
        spilled += large.spilled;
        let little = Large { memory: 1000, ..of };
        let refused = protect_large(&little, &mut || Box::new(Parts::default()), &mut |_| Ok(())).unwrap_err();
        assert!(refused.to_string().contains("pets/too-many-classes"), "{refused}");
    }
    assert!(spilled > 0, "{spilled}");
}

#[test]
fn digests_of_rows_are_put_in_order_within_a_limit_too() {
    let batches = table(health(), 700);
    let (mut held, mut within) =
        (crate::report::RowsSorted::held(), crate::report::RowsSorted::within(0, Box::new(Parts::default())));
    for batch in &batches {
        held.push(batch).unwrap();
        within.push(batch).unwrap();
    }
    let (held, within) = (held.finish().unwrap(), within.finish().unwrap());
    assert_eq!((held.0, held.1), (within.0, within.1));
    assert_eq!(held.0, crate::report::content(&batches));
    assert!(held.2 == 0 && within.2 > 0);
}
