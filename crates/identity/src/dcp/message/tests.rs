//! Messages of the Decentralized Claims Protocol: read, written, refused.

use super::*;

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn messages_are_read_back() {
    let container = Container { kind: "Member".into(), payload: "a.b.c".into(), format: "jwt".into() };
    for outcome in [
        Outcome::Issued(vec![container]),
        Outcome::Rejected(None),
        Outcome::Rejected(Some("not a member".into())),
    ] {
        let made = CredentialMessage { issuer_pid: "i".into(), holder_pid: "h".into(), outcome };
        assert_eq!(CredentialMessage::read(&bytes(&made.to_value())), Ok(made));
    }
    let more = CredentialTerms {
        kind: "Member".into(),
        schema: Some("https://issuer.example/s".into()),
        profile: Some(Profile::Vc20Bssl.alias().into()),
        reason: Some("reissue".into()),
    };
    let objects = vec![
        CredentialObject { id: "1".into(), more: None },
        CredentialObject { id: "2".into(), more: Some(more) },
    ];
    let offer = CredentialOffer { issuer: "did:web:i.example".into(), credentials: objects.clone() };
    assert_eq!(CredentialOffer::read(&bytes(&offer.to_value())), Ok(offer));
    let metadata = IssuerMetadata { issuer: "did:web:i.example".into(), supported: objects };
    assert_eq!(metadata.ids_of(&["Member".into()], Some(Profile::Vc20Bssl)), ["2"]);
    assert!(metadata.ids_of(&["Member".into()], Some(Profile::Vc11Sl2021)).is_empty());
    assert_eq!(IssuerMetadata::read(&bytes(&metadata.to_value())), Ok(metadata));
    let request = CredentialRequest { holder_pid: "h".into(), credentials: vec!["2".into()] };
    assert_eq!(CredentialRequest::read(&bytes(&request.to_value())), Ok(request));
    let answer = PresentationResponse { presentation: vec![json!("a.b.c")] };
    assert_eq!(PresentationResponse::read(&bytes(&answer.to_value())), Ok(answer));
}

#[test]
fn a_query_asks_one_question() {
    let ask = |value: Value| PresentationQuery::read(&bytes(&value)).map(|query| query.scopes.len());
    let kind = "PresentationQueryMessage";
    let scope = "org.eclipse.dspace.dcp.vc.type:Member:read";
    assert_eq!(ask(PresentationQuery::of(&[scope.into()])), Ok(1));
    assert_eq!(ask(json!({ "type": kind, "scope": [scope, "other:thing"] })), Ok(1));
    assert_eq!(ask(json!({ "type": kind, "scope": [] })), Err(MessageError::Malformed("scope")));
    assert_eq!(ask(json!({ "type": kind, "scope": [7] })), Err(MessageError::Malformed("scope")));
    assert_eq!(ask(json!({ "type": kind })), Err(MessageError::NotOneQuestion));
    let definition = json!({ "id": "x" });
    let both = json!({ "type": kind, "scope": [scope], "presentationDefinition": definition });
    assert_eq!(ask(both), Err(MessageError::NotOneQuestion));
    assert_eq!(
        ask(json!({ "type": kind, "presentationDefinition": definition })),
        Err(MessageError::Definition)
    );
    let empty = json!({ "type": kind, "presentationDefinition": {} });
    assert_eq!(ask(empty), Err(MessageError::Malformed("presentationDefinition")));
    assert_eq!(ask(json!({ "type": "Other", "scope": [scope] })), Err(MessageError::Malformed("type")));
}

#[test]
fn what_must_be_said_is_missed() {
    let whole = json!({
        "type": "CredentialMessage", "issuerPid": "i", "holderPid": "h", "status": "ISSUED",
        "credentials": [{ "credentialType": "Member", "payload": "a.b.c", "format": "jwt" }],
    });
    assert!(CredentialMessage::read(&bytes(&whole)).is_ok());
    for member in ["type", "issuerPid", "holderPid", "status", "credentials"] {
        let mut less = whole.clone();
        less.as_object_mut().unwrap().remove(member);
        assert_eq!(CredentialMessage::read(&bytes(&less)), Err(MessageError::Malformed(member)));
    }
    let mut odd = whole.clone();
    odd["status"] = json!("PERHAPS");
    assert_eq!(CredentialMessage::read(&bytes(&odd)), Err(MessageError::Malformed("status")));
    let offer = json!({ "type": "CredentialOfferMessage", "issuer": null, "credentials": [{ "id": "1" }] });
    assert_eq!(CredentialOffer::read(&bytes(&offer)), Err(MessageError::Malformed("issuer")));
}
