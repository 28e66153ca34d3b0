//! What a connector, a data plane, a holder or an issuer of claims sends.

use super::{Read, Target, seed, text};
use dsp::signaling::message::{ControlRegistration, FlowMessage, Notice, PlaneRegistration, Status};
use identity::dcp::credential::Signed;
use identity::dcp::message::{
    CredentialMessage, CredentialOffer, CredentialRequest, IssuerMetadata, PresentationQuery, PresentationResponse,
};
use identity::dcp::token;
use identity::did::{DidDocument, Rigor};
use identity::{jwt::Jws, status::StatusEntry};

/// The target of this name, one of those of [`super::NAMES`] that are messages of a data space.
pub fn of(name: &str) -> Option<Target> {
    let target = |seeds: Vec<Vec<u8>>, read: Read, accepts: fn(&[u8]) -> bool| Some(Target { seeds, read, accepts });
    match name {
        "dsp" => target(
            vec![seed("contract-request.json"), seed("transfer-start.json"), seed("catalog.json")],
            Box::new(|bytes| {
                let _ = dsp::message::Received::read(bytes);
                let _ = dsp::message::catalog::Catalog::read(bytes);
                let _ = dsp::message::catalog::Dataset::read(bytes);
                let _ = dsp::message::version::VersionResponse::read(bytes);
                Ok(())
            }),
            |bytes| dsp::message::Received::read(bytes).is_ok() || dsp::message::catalog::Catalog::read(bytes).is_ok(),
        ),
        "odrl" => target(vec![seed("offer.json")], Box::new(policy), |bytes| {
            dsp::json::read(bytes).is_ok_and(|v| dsp::policy::Policy::read(&v).is_ok())
        }),
        "signaling" => target(
            SIGNALING.map(|s| s.as_bytes().to_vec()).into(),
            Box::new(|bytes| {
                let _ = (FlowMessage::read(bytes), Notice::read(bytes), Status::read(bytes));
                let _ = (PlaneRegistration::read(bytes), ControlRegistration::read(bytes));
                Ok(())
            }),
            |bytes| FlowMessage::read(bytes).is_ok() || PlaneRegistration::read(bytes).is_ok() || Status::read(bytes).is_ok(),
        ),
        "claims" => target(CLAIMS.map(|s| s.as_bytes().to_vec()).into(), Box::new(claims), |bytes| {
            serde_json::from_slice::<serde_json::Value>(bytes).is_ok()
        }),
        _ => None,
    }
}

/// What was understood is written so that it is understood the same.
fn policy(bytes: &[u8]) -> Result<(), String> {
    let Ok(value) = dsp::json::read(bytes) else { return Ok(()) };
    let Ok(policy) = dsp::policy::Policy::read(&value) else { return Ok(()) };
    match dsp::policy::Policy::of_terms(&policy.to_terms(dsp::policy::Place::Message)) {
        Ok(again) if again.same_rules(&policy) => Ok(()),
        _ => Err("a policy reads otherwise when it is written".into()),
    }
}

/// A message, and the same bytes as the claims of a token, of a credential, and as the document of an identity.
fn claims(bytes: &[u8]) -> Result<(), String> {
    let _ = (PresentationQuery::read(bytes), PresentationResponse::read(bytes), CredentialMessage::read(bytes));
    let _ = (CredentialOffer::read(bytes), CredentialRequest::read(bytes), IssuerMetadata::read(bytes));
    let _ = DidDocument::from_json("did:web:a.example", bytes);
    let _ = serde_json::from_slice::<serde_json::Value>(bytes).map(|value| StatusEntry::from_json(&value));
    let _ = Jws::parse(&text(bytes));
    for typ in ["JWT", "vc+jwt"] {
        let token = compact(&format!(r#"{{"alg":"EdDSA","typ":"{typ}","kid":"did:web:a.example#k"}}"#), bytes);
        let _ = (Signed::read(&token, Rigor::Full), Signed::read(&token, Rigor::Drafts));
        let _ = token::read(&token, "did:web:b.example");
    }
    Ok(())
}

/// RFC 7515 section 7.1: the three parts, with a signature of zeros, at which no reader looks before it has read the rest.
fn compact(header: &str, payload: &[u8]) -> String {
    use base64::Engine as _;
    let part = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", part(header.as_bytes()), part(payload), part(&[0; 64]))
}

const SIGNALING: [&str; 3] = [
    r#"{"messageId":"m","participantId":"p","counterPartyId":"c","dataspaceContext":"s","processId":"t","agreementId":"a","datasetId":"d","profile":"HttpData-PULL","claims":{"a":["b"]},"dataAddress":{"@type":"DataAddress","endpointType":"https://w3id.org/idsa/v4.1/HTTP","endpoint":"https://a.example/x","endpointProperties":[{"name":"authorization","value":"t"}]}}"#,
    r#"{"dataplaneId":"d","endpoint":"https://a.example/v1","profiles":["HttpData-PULL","HttpData-PUSH"],"labels":["eu"]}"#,
    r#"{"messageId":"m","dataplaneId":"d","processId":"t","state":"STARTED"}"#,
];

const CLAIMS: [&str; 10] = [
    r#"{"@context":["https://w3id.org/dspace-dcp/v1.0/dcp.jsonld"],"type":"PresentationQueryMessage","scope":["org.eclipse.dspace.dcp.vc.type:MembershipCredential:read"]}"#,
    r#"{"type":"PresentationResponseMessage","presentation":["a.b.c",{"vp":"d"}]}"#,
    r#"{"type":"CredentialMessage","issuerPid":"i","holderPid":"h","status":"ISSUED","credentials":[{"credentialType":"M","payload":"a.b.c","format":"vc20-bssl/jwt"}]}"#,
    r#"{"type":"CredentialOfferMessage","issuer":"did:web:a.example","credentials":[{"id":"1","type":"CredentialObject","credentialType":"M","offerReason":"reissue","profile":"vc20-bssl/jwt"}]}"#,
    r#"{"type":"CredentialRequestMessage","holderPid":"h","credentials":[{"id":"1"}]}"#,
    r#"{"type":"IssuerMetadata","issuer":"did:web:a.example","credentialsSupported":[{"id":"1","type":"CredentialObject","credentialType":"M"}]}"#,
    r#"{"id":"did:web:a.example","verificationMethod":[{"id":"did:web:a.example#k","type":"JsonWebKey2020","controller":"did:web:a.example","publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}],"service":[{"id":"s","type":"CredentialService","serviceEndpoint":"https://a.example/c"}]}"#,
    r#"{"iss":"did:web:a.example","sub":"did:web:a.example","aud":"did:web:b.example","exp":1800000000,"iat":1790000000,"jti":"1","token":"t"}"#,
    r#"{"iss":"did:web:i.example","sub":"did:web:a.example","jti":"c1","nbf":1790000000,"exp":1900000000,"vc":{"@context":["https://www.w3.org/2018/credentials/v1"],"type":["VerifiableCredential","M"],"id":"c1","issuer":"did:web:i.example","issuanceDate":"2026-01-01T00:00:00Z","expirationDate":"2027-01-01T00:00:00Z","credentialSubject":{"id":"did:web:a.example","level":2},"credentialStatus":{"id":"l#7","type":"StatusList2021Entry","statusPurpose":"revocation","statusListIndex":"7","statusListCredential":"https://i.example/l"}}}"#,
    r#"{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential","M"],"id":"c1","issuer":{"id":"did:web:i.example"},"validFrom":"2026-01-01T00:00:00Z","validUntil":"2027-01-01T00:00:00Z","credentialSubject":[{"id":"did:web:a.example"}],"credentialStatus":[{"id":"l#7","type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"7","statusListCredential":"https://i.example/l"}],"credentialSchema":{"id":"https://i.example/s","type":"JsonSchema"}}"#,
];
