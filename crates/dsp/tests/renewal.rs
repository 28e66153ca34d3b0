//! A provider says again that a transfer is started, with the address: some consumers wait for it after they resumed.

#![allow(clippy::unwrap_used, clippy::panic)]

use dsp::machine::{Effect, Event, Fault, Peer, Step};
use dsp::message::{Grounds, Received, transfer::DataAddress};
use dsp::transfer::{Command, State, Subject, Transfer};

fn next(step: Step<Transfer>) -> (Transfer, Vec<Effect>) {
    match step {
        Step::Next(next, effects) => (next, effects),
        other => panic!("{other:?}"),
    }
}

fn sent(effects: &[Effect]) -> Received {
    let message = effects.iter().find_map(|e| match e {
        Effect::Send { message, .. } => Some(message.clone()),
        _ => None,
    });
    Received::read(&message.unwrap().to_bytes()).unwrap()
}

fn settled(transfer: &Transfer, answer: &[Effect]) -> Transfer {
    let body = answer.iter().find_map(|e| match e {
        Effect::Answer(answer) => Some(answer.clone()),
        _ => None,
    });
    let answer = body.unwrap();
    next(transfer.step(Event::Answered { status: answer.status, body: Some(answer.body) })).0
}

#[test]
fn a_start_in_started_is_taken_from_the_provider_alone() {
    let (provider, consumer) = (Peer("p".into()), Peer("c".into()));
    let subject = Subject { agreement_id: "urn:a".into(), format: "HttpData-PULL".into(), push_to: None };
    let (asking, effects) =
        Transfer::request(provider.clone(), "urn:c:1", "https://p.example", "https://c.example", subject);
    let (asked, answer) = Transfer::opened(&consumer, "urn:p:1", &sent(&effects)).unwrap();
    let mut c = settled(&asking, &answer);
    let address = DataAddress::new("HTTP", "https://p.example/data").with_bearer("one");
    let (p, effects) = next(asked.step(Event::Command(Command::Start(Some(address.clone())))));
    let (started, answer) = next(c.step(Event::Received { from: provider.clone(), message: sent(&effects) }));
    c = started;
    let p = settled(&p, &answer);
    // The consumer suspends and resumes; the provider says where the data is again, with another token.
    let (c, effects) = next(c.step(Event::Command(Command::Suspend(Grounds::default()))));
    let (p, answer) = next(p.step(Event::Received { from: consumer.clone(), message: sent(&effects) }));
    let c = settled(&c, &answer);
    assert!(matches!(p.step(Event::Command(Command::Renew(address))), Step::Illegal(Fault::IllegalMove { .. })));
    let (c, effects) = next(c.step(Event::Command(Command::Start(None))));
    let (p, answer) = next(p.step(Event::Received { from: consumer.clone(), message: sent(&effects) }));
    let c = settled(&c, &answer);
    let fresh = DataAddress::new("HTTP", "https://p.example/data").with_bearer("two");
    let (p, effects) = next(p.step(Event::Command(Command::Renew(fresh))));
    let renewal = sent(&effects);
    let (renewed, answer) = next(c.step(Event::Received { from: provider.clone(), message: renewal.clone() }));
    assert_eq!(renewed.state(), State::Started);
    assert_eq!(renewed.address().unwrap().property("authorization"), Some("two"));
    assert!(answer.iter().any(|e| matches!(e, Effect::StartFlow { .. })));
    // A copy that lingers changes nothing, and the consumer cannot say the same.
    assert!(matches!(renewed.step(Event::Received { from: provider, message: renewal }), Step::Repeat(_)));
    assert!(matches!(renewed.step(Event::Command(Command::Start(None))), Step::Illegal(_)));
    assert_eq!(settled(&p, &answer).state(), State::Started);
    // A consumer that refuses the renewal stays where it is, and so do we.
    let (refused, effects) = next(p.step(Event::Answered { status: 400, body: None }));
    let at = effects.iter().find_map(|e| if let Effect::Ask { at, .. } = e { Some(*at) } else { None });
    let (after, _) = next(refused.step(Event::Told { state: Some(State::Started), at: at.unwrap() }));
    assert!(after.state() == State::Started && after.process().is_settled());
}
