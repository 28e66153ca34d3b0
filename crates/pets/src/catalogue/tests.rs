use super::*;

fn catalogue() -> Catalogue {
    Catalogue::parse(include_str!("../../../../profiles/identifiers.toml")).unwrap()
}

/// A small fixed generator, so that the draws are the same everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }
    fn fill(&mut self, places: &[Vec<u8>]) -> String {
        places.iter().map(|choices| choices[self.below(choices.len())] as char).collect()
    }
}

#[test]
fn the_stated_chance_is_what_random_fillings_show() {
    const DRAWS: u32 = 20_000;
    let mut wrong = Vec::new();
    for scheme in catalogue().schemes() {
        let forms = scheme.forms();
        let mut draw = Draw(7);
        let passed = (0..DRAWS)
            .filter(|_| {
                let form = draw.below(forms.len());
                scheme.judge(&draw.fill(&forms[form])) == Verdict::Passes
            })
            .count();
        let (seen, stated) = (passed as f64 / f64::from(DRAWS), scheme.chance.to_f64());
        // Five standard deviations of the draw, or a quarter of the rate: the likelihood needs its magnitude.
        let slack = 5.0 * (stated * (1.0 - stated) / f64::from(DRAWS)).sqrt() + stated * 0.25;
        if (seen - stated).abs() > slack {
            wrong.push(format!("{}: stated {stated}, seen {seen}", scheme.id));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

// Examples that the issuing authorities or the standards print.
#[test]
fn printed_examples_pass_and_a_changed_digit_fails() {
    let catalogue = catalogue();
    let printed = [
        ("iban", "GB82 WEST 1234 5698 7654 32", "GB82 WEST 1234 5698 7654 33"),
        ("payment-card", "4111-1111-1111-1111", "4111-1111-1111-1112"),
        ("vin", "1M8GDM9AXKP042788", "1M8GDM9A1KP042788"),
        ("jp-my-number", "１２３４５６７８９０１８", "123456789019"),
        ("sg-nric", "S1234567D", "S1234567E"),
        ("hk-id", "A123456(3)", "A123456(4)"),
        ("tw-national-id", "A123456789", "A123456788"),
        ("fr-nir", "2 55 08 14 168 025 38", "2 55 08 14 168 025 39"),
        ("fr-nir", "2 55 08 2A 168 025 97", "2 55 08 2B 168 025 97"),
        ("es-dni", "12345678Z", "12345678A"),
        ("fi-hetu", "131052-308T", "131052-308U"),
        ("orcid", "0000-0002-1825-0097", "0000-0002-1825-0098"),
        ("isin", "US0378331005", "US0378331006"),
        ("us-npi", "1234567893", "1234567894"),
        ("gb-nino", "AB123456C", "GB123456C"),
        ("it-codice-fiscale", "RSSMRA85T10A562S", "RSSMRA85T10A562T"),
        ("mac-address", "00:1b:44:11:3a:b7", "00:1b:44:11:3a"),
    ];
    for (id, valid, invalid) in printed {
        let scheme = catalogue.scheme(id).unwrap();
        assert_eq!(scheme.judge(valid), Verdict::Passes, "{id} {valid}");
        assert_ne!(scheme.judge(invalid), Verdict::Passes, "{id} {invalid}");
    }
}

#[test]
fn a_mistake_in_the_catalogue_is_pointed_at() {
    let text = "[[scheme]]\nid='x'\ntitle={en='',ja=''}\njurisdiction='*'\nrole='attribute'\nchance='1'\n[[scheme.form]]\nshape='9{4,2}'\ncheck=[]";
    let wrong = Catalogue::parse(text).unwrap_err();
    assert!(wrong.to_string().contains("9{4,2}") && wrong.span.is_some());
    assert!(Catalogue::parse("[[scheme]]\nid=3").unwrap_err().span.is_some());
}

#[test]
fn forty_countries_at_least() {
    let countries: std::collections::BTreeSet<String> =
        catalogue().schemes().iter().map(|s| s.jurisdiction.clone()).collect();
    assert!(countries.len() > 40, "{}", countries.len());
}
