//! The policies of Catena-X, release 2025-9: what its published samples say, what its schema refuses, and what comes out.
//!
//! The samples are those of catenax-eV/cx-odrl-profile (schema/samples, state of 2025-09-17, and the valid and invalid ones of
//! commit 0a499ee), written again here: which words stand where and with which values. Where a sample breaks the schema
//! beside it, the test says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dsp::policy::catena;
use dsp::policy::evaluate::{Context, Verdict, Why, evaluate};
use dsp::policy::operands::Operands;
use dsp::policy::{Place, Policy};
use dsp::schema;
use model::Instant;
use serde_json::{Value, json};

fn atom(left: &str, operator: &str, right: Value) -> Value {
    json!({"leftOperand": left, "operator": operator, "rightOperand": right})
}

fn usage(permission: Vec<Value>, prohibition: Vec<Value>, obligation: Vec<Value>) -> Value {
    let rule = |all: Vec<Value>| json!([{"action": "use", "constraint": [{"and": all}]}]);
    let mut made = json!({"@id": "urn:p:1", "@type": "Set"});
    for (key, all) in [("permission", permission), ("prohibition", prohibition), ("obligation", obligation)] {
        if !all.is_empty() {
            made[key] = rule(all);
        }
    }
    made
}

fn access(constraint: Vec<Value>) -> Value {
    json!({"@id": "urn:p:1", "@type": "Set", "permission": [{"action": "access", "constraint": [{"and": constraint}]}]})
}

fn read(value: &Value) -> Policy {
    Policy::read(value).unwrap_or_else(|f| panic!("{f:?}"))
}

fn codes(value: &Value) -> Vec<&'static str> {
    match Policy::read(value) {
        Ok(policy) => policy.check(&Operands::standard()).iter().map(|f| f.code()).collect(),
        Err(faults) => faults.iter().map(|f| f.code()).collect(),
    }
}

fn moment(text: &str) -> Instant {
    text.parse().unwrap()
}

/// `usage-policy-individual-constraints-sample`.
fn individual() -> Value {
    usage(
        vec![
            atom("FrameworkAgreement", "eq", json!("DataExchangeGovernance:1.0")),
            atom(
                "UsagePurpose",
                "isAnyOf",
                json!([
                    "cx.core.digitalTwinRegistry:1",
                    "cx.pcf.base:1",
                    "PublishDataOnCatenaXWebPage",
                    "AnyIndividualPurpose"
                ]),
            ),
            atom(
                "ContractReference",
                "isAllOf",
                json!([
                    "ContractID250620197",
                    "AGB9832",
                    "ContractConstraint_Warranty",
                    "ContractConstraint_DataQuality"
                ]),
            ),
            atom("DataUsageEndDefinition", "eq", json!("cx.dataUsageEnd.unlimited:1")),
        ],
        vec![atom(
            "UsageRestriction",
            "isAllOf",
            json!(["cx.thirdParty.forbidden:1", "cx.manipulation.forbidden:1"]),
        )],
        vec![atom("DataProvisioningEndDate", "eq", json!("2023-10-04T12:30:00Z"))],
    )
}

/// `usage-policy-comprehensive-sample`, with the restrictions as given.
fn comprehensive(restrictions: Value) -> Value {
    usage(
        vec![
            atom("FrameworkAgreement", "eq", json!("DataExchangeGovernance:1.0")),
            atom(
                "ContractReference",
                "isAllOf",
                json!([
                    "ContractID250620197",
                    "AGB9832",
                    "ContractConstraint_Warranty",
                    "ContractConstraint_DataQuality"
                ]),
            ),
            atom("Precedence", "eq", json!("cx.precedence.contractReference:1")),
            atom("VersionChanges", "eq", json!("cx.versionChanges.minor:1")),
            atom("DataFrequency", "eq", json!("cx.dataFrequency.unlimited:1")),
            atom("ExclusiveUsage", "eq", json!("cx.exclusiveUsage.dataConsumer:1")),
            atom(
                "UsagePurpose",
                "isAnyOf",
                json!([
                    "cx.core.digitalTwinRegistry:1",
                    "cx.pcf.base:1",
                    "cx.circular.dpp:1",
                    "PublishDataOnCompanyWebPage",
                    "ModifyAndAmendData"
                ]),
            ),
            atom("AffiliatesRegion", "isAnyOf", json!(["cx.region.europe:1", "cx.region.northAmerica:1"])),
            atom("AffiliatesBpnl", "isAnyOf", json!(["BPNL489012567123", "BPNL567123489012"])),
            atom("ManagedLegalEntityBpnl", "isAnyOf", json!(["BPNL125671234890"])),
            atom("DataUsageEndDefinition", "eq", json!("cx.dataUsageEnd.unlimited:1")),
            atom("Warranty", "eq", json!("cx.warranty.contractReference:1")),
            atom("WarrantyDurationMonths", "eq", json!("6")),
            atom("Liability", "eq", json!("cx.grossNegligence:1")),
            atom("ConfidentialInformationMeasures", "eq", json!("cx.confidentiality.measures:1")),
            atom(
                "ConfidentialInformationSharing",
                "isAnyOf",
                json!(["cx.sharing.affiliates:1", "cx.sharing.managedLegalEntity:1"]),
            ),
            atom("JurisdictionLocationReference", "eq", json!("cx.location.contractReference:1")),
        ],
        vec![
            atom("UsageRestriction", "isAllOf", restrictions),
            atom("AffiliatesRegion", "isAnyOf", json!(["cx.region.southAmerica:1", "cx.region.asia:1"])),
        ],
        vec![atom("DataProvisioningEndDate", "eq", json!("2027-12-15T12:00:00Z"))],
    )
}

#[test]
fn the_published_samples_are_taken_and_those_that_break_their_own_schema_are_named() {
    let good = [
        access(vec![
            atom("Membership", "eq", json!("active")),
            atom("BusinessPartnerNumber", "isAnyOf", json!(["BPNL012345678910"])),
        ]),
        access(vec![atom("Membership", "eq", json!("active"))]),
        usage(
            vec![atom(
                "UsagePurpose",
                "isAnyOf",
                json!(["cx.dcm.base:1", "cx.bpdm.pool:1", "cx.puris.base:1"]),
            )],
            vec![],
            vec![],
        ),
        individual(),
        comprehensive(json!(["cx.extraordinaryAnalytics.forbidden:1", "cx.dataProviderRemoval.forbidden:1"])),
    ];
    for sample in &good {
        assert_eq!(codes(sample), Vec::<&str>::new(), "{sample}");
    }
    // The sample has names of its schema's definitions instead of values: they are on no list.
    let as_published = comprehensive(json!([
        "ExtraordinaryAnalyticsForbiddenRightOperand",
        "DataProviderRemovalForbiddenRightOperand"
    ]));
    assert_eq!(codes(&as_published), ["catena/value", "catena/value"]);
    // `usage-policy-sample` and `contract-termination-constraint-sample` leave the version out.
    for (left, right) in
        [("DataUsageEndDefinition", "cx.dataUsageEnd.unlimited"), ("ContractTermination", "cx.data.keeping")]
    {
        assert_eq!(codes(&usage(vec![atom(left, "eq", json!(right))], vec![], vec![])), ["catena/value"]);
    }
}

/// The samples of single constraints: word, operator, value, and where it stands.
#[test]
fn every_word_takes_its_published_sample_and_no_other_spelling_of_it() {
    let permission = [
        ("AffiliatesBpnl", "isAnyOf", json!(["BPNL012345678910"])),
        ("AffiliatesRegion", "isAnyOf", json!(["cx.region.europe:1", "cx.region.northAmerica:1"])),
        ("ConfidentialInformationMeasures", "eq", json!("cx.confidentiality.measures:1")),
        (
            "ConfidentialInformationSharing",
            "isAnyOf",
            json!(["cx.sharing.affiliates:1", "cx.sharing.managedLegalEntity:1"]),
        ),
        ("ContractReference", "isAllOf", json!(["ContractID250620197"])),
        ("ContractTermination", "eq", json!("cx.data.keeping:1")),
        ("DataFrequency", "eq", json!("cx.dataFrequency.once:1")),
        ("DataUsageEndDate", "eq", json!("2023-10-04T12:30:00Z")),
        ("DataUsageEndDefinition", "eq", json!("cx.dataUsageEnd.unlimited:1")),
        ("DataUsageEndDurationDays", "eq", json!(2)),
        ("ExclusiveUsage", "eq", json!("cx.exclusiveUsage.dataConsumer:1")),
        ("FrameworkAgreement", "eq", json!("DataExchangeGovernance:1.0")),
        ("JurisdictionLocation", "eq", json!("Munich")),
        ("JurisdictionLocationReference", "eq", json!("cx.location.dataConsumer:1")),
        ("Liability", "eq", json!("cx.grossNegligence:1")),
        ("ManagedLegalEntityBpnl", "isAnyOf", json!(["BPNL012345678910", "BPNL543210987612"])),
        ("ManagedLegalEntityRegion", "isAnyOf", json!(["cx.region.southAmerica:1", "cx.region.oceania:1"])),
        ("Membership", "eq", json!("active")),
        ("Precedence", "eq", json!("cx.precedence.contractReference:1")),
        ("UsagePurpose", "isAnyOf", json!(["cx.dcm.base:1", "cx.bpdm.pool:1", "cx.puris.base:1"])),
        ("VersionChanges", "eq", json!("cx.versionChanges.minor:1")),
        ("Warranty", "eq", json!("cx.warranty.none:1")),
        ("WarrantyDefinition", "eq", json!("cx.warranty.contractEndDate:1")),
        ("WarrantyDurationMonths", "eq", json!(12)),
    ];
    let mut seen: Vec<String> = Vec::new();
    let mut one = |key: &str, action: &str, (left, operator, right): (&str, &str, Value)| {
        let with = |left: &str, operator: &str, right: &Value| {
            let mut p = json!({"@id": "urn:p:1", "permission": [{"action": "use"}]});
            p[key] = json!([{"action": action, "constraint": [atom(left, operator, right.clone())]}]);
            p
        };
        let plain = with(left, operator, &right);
        assert_eq!(codes(&plain), Vec::<&str>::new(), "{left}");
        // Every spelling is one policy, and what we send needs no context of Catena-X.
        let long = with(&format!("{}{left}", catena::NAMESPACE), operator, &right);
        let prefixed = with(&format!("{}{left}", catena::PREFIX), operator, &right);
        assert!(read(&plain).same_rules(&read(&long)) && read(&plain).same_rules(&read(&prefixed)), "{left}");
        let sent = read(&plain).to_terms(Place::Message).to_value();
        assert_eq!(sent[key][0]["constraint"][0]["leftOperand"], format!("{}{left}", catena::NAMESPACE));
        assert!(read(&sent).same_rules(&read(&plain)));
        assert!(
            schema::check_catalog_offer(&read(&plain).to_terms(Place::Catalog).to_value()).is_empty(),
            "{left}"
        );
        // Another operator, and the word of an earlier release.
        assert!(codes(&with(left, "neq", &json!("x"))).contains(&"catena/operator"), "{left}");
        let old = with(&format!("https://w3id.org/catenax/policy/{left}"), operator, &right);
        assert_eq!(codes(&old), ["odrl/unknown-operand"], "{left}");
        seen.push(format!("{}{left}", catena::PREFIX));
    };
    for sample in permission {
        one("permission", "use", sample);
    }
    for sample in [
        ("BusinessPartnerGroup", "isAnyOf", json!(["ecu-suppliers"])),
        ("BusinessPartnerNumber", "isAnyOf", json!(["BPNL012345678910", "BPNL123456789112"])),
    ] {
        one("permission", "access", sample);
    }
    one(
        "prohibition",
        "use",
        ("UsageRestriction", "isAllOf", json!(["cx.thirdParty.forbidden:1", "cx.manipulation.forbidden:1"])),
    );
    one("obligation", "use", ("DataProvisioningEndDate", "eq", json!("2023-10-04T12:30:00Z")));
    one("obligation", "use", ("DataProvisioningEndDurationDays", "eq", json!(2)));
    let mut all: Vec<String> = catena::names().collect();
    all.sort();
    seen.sort();
    assert_eq!(seen, all);
}

#[test]
fn what_the_schema_refuses_is_refused_when_the_offer_is_written() {
    // The invalid samples of the profile's repository.
    assert_eq!(
        codes(&access(vec![atom("UsagePurpose", "isAnyOf", json!(["cx.dcm.base:1", "cx.bpdm.pool:1"]))])),
        ["catena/place"]
    );
    let duty = json!({"@id": "urn:p:1", "permission": [{"action": "access"}],
        "obligation": [{"action": "access", "constraint": [{"and": [atom("Membership", "eq", json!("active"))]}]}]});
    assert_eq!(codes(&duty), ["catena/place", "catena/place"]);
    let both = [
        atom("WarrantyDurationMonths", "eq", json!(12)),
        atom("WarrantyDefinition", "eq", json!("cx.warranty.contractEndDate:1")),
    ];
    assert_eq!(codes(&usage(both.to_vec(), vec![], vec![])), ["catena/excludes"]);
    let unknown = json!({"@id": "urn:p:1", "permission": [{"action": "un-known", "constraint": [atom("BusinessPartnerNumber", "isAnyOf", json!(["BPNL012345678910"]))]}]});
    assert_eq!(codes(&unknown), ["odrl/unknown-action", "catena/place"]);
    assert_eq!(
        codes(&usage(
            vec![atom("BusinessPartnerNumber", "isAnyOf", json!(["BPNL012345678910", "BPNL123456789112"]))],
            vec![],
            vec![]
        )),
        ["catena/place"]
    );
    // What else its schema says.
    let ends = [
        atom("DataUsageEndDate", "eq", json!("2027-01-01T00:00:00Z")),
        atom("DataUsageEndDurationDays", "eq", json!("30")),
    ];
    assert_eq!(codes(&usage(ends.to_vec(), vec![], vec![])), ["catena/excludes"]);
    let or = json!({"@id": "urn:p:1", "permission": [{"action": "use", "constraint": [{"or": [
        atom("Membership", "eq", json!("active")), atom("FrameworkAgreement", "eq", json!("DataExchangeGovernance:1.0"))]}]}]});
    assert_eq!(codes(&or), ["catena/joined"]);
    for (left, operator, right) in [
        ("Membership", "eq", json!("inactive")),
        ("FrameworkAgreement", "eq", json!("DataExchangeGovernance:2.0")),
        ("UsagePurpose", "isAnyOf", json!(["cx.pcf.base"])),
        ("AffiliatesBpnl", "isAnyOf", json!(["BPNS012345678910"])),
        ("AffiliatesBpnl", "isAnyOf", json!(["BPNL01234567891a"])),
    ] {
        assert_eq!(
            codes(&usage(vec![atom(left, operator, right)], vec![], vec![])),
            ["catena/value"],
            "{left}"
        );
    }
    for (left, right) in [
        ("DataUsageEndDate", json!("2027-01-01")),
        ("DataUsageEndDate", json!("2027-01-01T00:00:00")),
        ("DataUsageEndDurationDays", json!("0")),
        ("DataUsageEndDurationDays", json!("-3")),
    ] {
        assert!(
            codes(&usage(vec![atom(left, "eq", right)], vec![], vec![])).contains(&"catena/value"),
            "{left}"
        );
    }
    assert_eq!(
        codes(&usage(vec![atom("Horoscope", "eq", json!("leo"))], vec![], vec![])),
        ["odrl/unknown-operand"]
    );
}

#[test]
fn a_term_holds_by_agreement_a_standing_by_what_is_known_and_a_use_ends() {
    let known = Operands::standard();
    let now = moment("2026-11-22T00:00:00.000Z");
    let policy = read(&individual());
    let verdict = |policy: &Policy, context: &Context| evaluate(policy, "use", &known, context).verdict;
    let signed = Context::at(now).with("FrameworkAgreement", ["DataExchangeGovernance:1.0"]).plain_use();
    // Names of operands in what is known are spelled as they like.
    let signed =
        signed.with(&format!("{}FrameworkAgreement", catena::NAMESPACE), ["DataExchangeGovernance:1.0"]);
    // Nobody agreed yet: terms decide nothing.
    assert_eq!(verdict(&policy, &signed), Verdict::CannotTell);
    assert_eq!(verdict(&policy, &signed.clone().agreed(now)), Verdict::Permits);
    // Whether the peer signed the framework is not known; it signed another.
    let nobody = Context::at(now).plain_use().agreed(now);
    assert_eq!(verdict(&policy, &nobody), Verdict::CannotTell);
    let other = nobody.clone().with("cx-policy:FrameworkAgreement", ["DataExchangeGovernance:0.9"]);
    assert_eq!(verdict(&policy, &other), Verdict::Refuses);
    // The manner of use is not known; it is one that the policy forbids; it is one of two that are forbidden together.
    let use_by =
        |all: &[&str]| signed.clone().agreed(now).with("cx-policy:UsageRestriction", all.iter().copied());
    let unsaid =
        Context::at(now).agreed(now).with("cx-policy:FrameworkAgreement", ["DataExchangeGovernance:1.0"]);
    assert_eq!(verdict(&policy, &unsaid), Verdict::CannotTell);
    assert_eq!(
        verdict(&policy, &use_by(&["cx.thirdParty.forbidden:1", "cx.manipulation.forbidden:1"])),
        Verdict::Refuses
    );
    assert_eq!(verdict(&policy, &use_by(&[])), Verdict::Permits);
    let line = evaluate(&policy, "use", &known, &signed.agreed(now));
    assert!(
        line.trace
            .iter()
            .any(|l| l.why == Why::Agreed
                && l.atom.as_ref().is_some_and(|a| a.left == "cx-policy:UsagePurpose"))
    );

    let days = read(&usage(vec![atom("DataUsageEndDurationDays", "eq", json!(30))], vec![], vec![]));
    let at = |text: &str| Context::at(moment(text)).agreed(now).plain_use();
    assert_eq!(verdict(&days, &at("2026-12-22T00:00:00.000Z")), Verdict::Permits);
    assert_eq!(verdict(&days, &at("2026-12-22T00:00:00.001Z")), Verdict::Refuses);
    assert_eq!(catena::use_ends(&days, now), Some(moment("2026-12-22T00:00:00.000Z")));
    let date = read(&usage(
        vec![atom("DataUsageEndDate", "eq", json!("2026-12-01T09:00:00+09:00"))],
        vec![],
        vec![],
    ));
    assert_eq!(verdict(&date, &at("2026-12-01T00:00:00.000Z")), Verdict::Permits);
    assert_eq!(verdict(&date, &at("2026-12-01T00:00:00.001Z")), Verdict::Refuses);
    assert!(catena::deletes_at_end(&date));
    let keep = [
        atom("DataUsageEndDate", "eq", json!("2026-12-01T00:00:00Z")),
        atom("ContractTermination", "eq", json!("cx.data.keeping:1")),
    ];
    assert!(!catena::deletes_at_end(&read(&usage(keep.to_vec(), vec![], vec![]))));
}

#[test]
fn who_sees_an_offer_is_another_question_than_who_may_use_it() {
    let known = Operands::standard();
    let now = Context::at(moment("2026-11-22T00:00:00.000Z"));
    let policy = read(&access(vec![
        atom("Membership", "eq", json!("active")),
        atom("BusinessPartnerNumber", "isNoneOf", json!(["BPNL012345678910"])),
    ]));
    let member = now.clone().with("cx-policy:Membership", ["active"]);
    let verdict = |action: &str, context: &Context| evaluate(&policy, action, &known, context).verdict;
    assert_eq!(verdict(catena::ACCESS, &member), Verdict::CannotTell);
    assert_eq!(
        verdict(
            catena::ACCESS,
            &member.clone().with("cx-policy:BusinessPartnerNumber", ["BPNL000000000001"])
        ),
        Verdict::Permits
    );
    assert_eq!(
        verdict(
            catena::ACCESS,
            &member.clone().with("cx-policy:BusinessPartnerNumber", ["BPNL012345678910"])
        ),
        Verdict::Refuses
    );
    assert_eq!(verdict("use", &member), Verdict::Refuses);
}
