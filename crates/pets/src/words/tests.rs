use super::*;

fn words() -> Words {
    Words::parse(include_str!("../../../../profiles/words.toml")).unwrap()
}

fn long() -> Words {
    crate::classify::tests::knowledge().words
}

#[test]
fn headers_announce_kinds_in_several_languages() {
    let words = words();
    let check = |header: &str, expect: &str| {
        let header_words = words.header(header);
        let best = words
            .kinds()
            .iter()
            .filter_map(|k| Some((words.announced(&header_words, &k.headers, &k.unless)?, k)))
            .max_by_key(|(a, _)| (a.whole, a.word.chars().count()))
            .map(|(_, k)| k.id.as_str());
        assert_eq!(best.unwrap_or(""), expect, "{header}");
    };
    check("BirthDate", "birth-date");
    check("患者生年月日", "birth-date");
    check("Geburtsdatum", "birth-date");
    check("Name", "person-name");
    check("product_name", "");
    check("病名", "health");
    check("会員番号", "record-number");
    check("height_cm", "health");
    check("household_income", "income");
    check("mail-address", "email");
    check("우편번호", "postcode");
    check("vibration_mm_s", "");
    check("machine", "");
}

#[test]
fn an_address_is_more_than_one_word() {
    let words = words();
    for address in ["12 Harbour Road", "Hauptstraße 5", "Rua Augusta, 1200", "東京都港区芝1-2-3"] {
        assert!(words.is_address(address), "{address}");
    }
    for other in ["PO-482913", "SO-2024-00017", "Road", "12"] {
        assert!(!words.is_address(other), "{other}");
    }
}

#[test]
fn long_lists_tell_names_of_many_languages_and_leave_things_alone() {
    let words = long();
    for name in ["Krisztián", "Szymon Kowalski", "佐藤 早人", "김재운", "王志远", "Anne-Marie Dupont"] {
        assert!(words.is_listed_name(name), "{name}");
    }
    for other in ["Gearbox X2", "完了しました", "処理中", "12 mm", "", "서울특별시"] {
        assert!(!words.is_listed_name(other), "{other}");
    }
}

#[test]
fn names_are_told_in_both_scripts_and_places_are_not() {
    let words = words();
    for name in
        ["佐藤 花子", "佐藤花子", "長谷川誠", "Lisa Lee", "Hoffmann, Klaus", "田中", "O'Brien, Mary"]
    {
        assert!(words.is_name(name), "{name}");
    }
    for other in ["東京都", "high school", "never married", "press-1", "A-1234", "糖尿病", "", "山"]
    {
        assert!(!words.is_name(other), "{other}");
    }
}

#[test]
fn names_that_no_list_has_are_made_of_what_names_are_made_of() {
    let words = long();
    for name in ["さくら", "サトウ", "エイジ"] {
        assert!(words.is_kana_name(name), "{name}");
    }
    for other in ["ア", "ポンプ", "佐藤", "Sato", ""] {
        assert!(!words.is_kana_name(other), "{other}");
    }
    assert!(words.is_town("Lyon") && !words.is_town("Gérard") && !words.is_town(""));
    let full = |v: &str| words.full_zh(v).map(|made| (made.of, made.usual));
    assert_eq!(full("上官婉儿"), Some((2, 1)), "a family name of two characters");
    assert_eq!(full("融俊涵"), Some((2, 2)));
    assert_eq!((full("的俊涵"), full("王"), full("王小明一二")), (None, None, None));
    assert!(words.is_full_ko("낭선휘") && words.is_full_ko("위 홍근") && !words.is_full_ko("김치") && !words.is_full_ko("자동차부품"));
    assert_eq!([capitals("D’Attilio"), capitals("Anna Maria"), capitals("of Anna"), capitals("X2"), capitals("")], [Some(1), Some(2), None, None, None]);
}
