use super::*;
use crate::classify::tests::knowledge;

#[test]
fn spots_in_letters_of_both_languages() {
    let knowledge = knowledge();
    let check = |text: &str, expect: &[(&str, &str)]| {
        let spots = find(text, &knowledge);
        let found: Vec<(&str, &str)> = spots.iter().map(|s| (&*s.kind, &text[s.range.clone()])).collect();
        assert_eq!(found, expect, "{text}");
    };
    check("Please write to lisa.lee@example.com.", &[("email", "lisa.lee@example.com")]);
    check(
        "Call Mr. Brown at +44 20 7946 0958 today",
        &[("person-name", "Brown"), ("phone", "+44 20 7946 0958")],
    );
    check(
        "Seen with James Wilson yesterday; blood pressure 138/78, weight 53.5 kg.",
        &[("person-name", "James Wilson")],
    );
    check(
        "佐藤花子様の電話番号は090-0123-4567です。",
        &[("person-name", "佐藤花子"), ("phone", "090-0123-4567")],
    );
    check(
        "担当の鈴木さんに連絡。マイナンバー：123456789018",
        &[("person-name", "鈴木"), ("jp-my-number", "123456789018")],
    );
    check(
        "住所は東京都千代田区霞が関1-2-3、〒100-0013",
        &[("address", "東京都千代田区霞が関1-2-3"), ("address", "〒100-0013")],
    );
    check(
        "Card 4111 1111 1111 1111, IBAN GB82 WEST 1234 5698 7654 32.",
        &[("payment-card", "4111 1111 1111 1111"), ("iban", "GB82 WEST 1234 5698 7654 32")],
    );
    check(
        "Blocked: 2001:db8:0:0:8:800:200c:417a, fe80::1: and (00:1B:44:11:3a:b7).",
        &[
            ("ip-address", "2001:db8:0:0:8:800:200c:417a"),
            ("ip-address", "fe80::1"),
            ("mac-address", "00:1B:44:11:3a:b7"),
        ],
    );
}

#[test]
fn a_long_text_is_read_to_its_end() {
    let text = format!("{}Call Mr. Brown at +44 20 7946 0958", "Nothing is here.\n".repeat(140_000));
    let spots = find(&text, &knowledge());
    assert_eq!(
        spots.iter().map(|s| &text[s.range.clone()]).collect::<Vec<_>>(),
        ["Brown", "+44 20 7946 0958"]
    );
}

#[test]
fn what_was_found_is_covered_and_the_rest_stays() {
    let text = "Call Mr. Brown at +44 20 7946 0958, 佐藤花子様にも。";
    let spots = find(text, &knowledge());
    assert_eq!(covered(text, &spots), "Call Mr. [person-name] at [phone], [person-name]様にも。");
    assert_eq!(covered("nobody", &[]), "nobody");
}

#[test]
fn words_and_order_numbers_are_no_persons() {
    let knowledge = knowledge();
    for text in [
        "The order 123456789018 was shipped on 2026-04-01 at 10:30.",
        "Mark the frame, will you? Grace period ends.",
        "本田の工場の林を東へ進む。",
        "Temperature rose to 48.5 and 1,250 units were made in 2025.",
        "山口県の人口は減った。",
        "Version 10.2.33 build 20260401.",
        "From 10:30:45 to 11:02:07, ratio 3:2:1, std::fs3::read, 12:34:56:07:08:09 frames.",
        "Order no. 4131034282458809939 was shipped.",
        "The April report of the New York Office is on Page 4.",
        "ニューヨーク・ヤンキースに移籍した。",
        "In May 2024 the Rose Garden Hotel opened.",
    ] {
        assert_eq!(find(text, &knowledge), [], "{text}");
    }
}
