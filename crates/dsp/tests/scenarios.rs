//! The sequences that the protocol's conformance kit plays against a connector, in both roles, told in one line each.
//!
//! `>` is our command, `<` a message of the peer that must be taken (2xx), `!` one that must be refused with 4xx other than 404
//! and leave the state as it is. `=` is the state at that point. Each peer message is also repeated: same answer, nothing moves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dsp::machine::{Effect, Event, Fault, Peer, Role, Step, refuse};
use dsp::message::terms::Terms;
use dsp::message::{Grounds, Message, Received};
use dsp::negotiation::{self, Negotiation};
use dsp::schema::CONTEXT;
use dsp::transfer::{self, Subject, Transfer};
use serde_json::{Value, json};

fn offer() -> Terms {
    serde_json::from_value(json!({"@id": "urn:o:1", "@type": "Offer", "target": "urn:d:1",
        "permission": [{"action": "use", "constraint": []}]}))
    .unwrap()
}

fn peer() -> Peer {
    Peer("SOME_PARTICIPANT".into())
}

fn body(kind: &str, n: usize, more: Value) -> Received {
    let mut body = json!({"@context": [CONTEXT], "@type": kind, "@id": format!("urn:m:{n}"), "providerPid": "urn:p", "consumerPid": "urn:c"});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    Received::from_value(body).unwrap()
}

fn negotiation_message(word: &str, n: usize) -> Received {
    let agreement = offer().to_agreement("urn:a:1", "p", "c", "2026-11-22T03:45:10.123456789Z").unwrap();
    match word {
        "offer" => body("ContractOfferMessage", n, json!({"offer": offer().to_value()})),
        "counter" => body("ContractRequestMessage", n, json!({"offer": offer().to_value()})),
        "accept" => body("ContractNegotiationEventMessage", n, json!({"eventType": "ACCEPTED"})),
        "agree" => body(
            "ContractAgreementMessage",
            n,
            json!({"agreement": agreement.to_value(), "callbackAddress": "https://x.example"}),
        ),
        "verify" => body("ContractAgreementVerificationMessage", n, json!({})),
        "finalize" => body("ContractNegotiationEventMessage", n, json!({"eventType": "FINALIZED"})),
        "terminate" => body(
            "ContractNegotiationTerminationMessage",
            n,
            json!({"code": "1", "reason": [{"message": "x"}]}),
        ),
        other => panic!("{other}"),
    }
}

fn negotiation_command(word: &str) -> negotiation::Command {
    use negotiation::Command as C;
    match word {
        "offer" => C::Offer(offer()),
        "counter" => C::Counter(offer()),
        "accept" => C::Accept,
        "agree" => C::Agree(offer().to_agreement("urn:a:1", "p", "c", "2026-11-22T00:00:00Z").unwrap()),
        "verify" => C::Verify,
        "finalize" => C::Finalize,
        "terminate" => C::Terminate(Grounds::default()),
        other => panic!("{other}"),
    }
}

fn transfer_message(word: &str, n: usize) -> Received {
    match word {
        "start" => body(
            "TransferStartMessage",
            n,
            json!({"dataAddress": {"@type": "DataAddress", "endpointType": "x"}}),
        ),
        "suspend" => body("TransferSuspensionMessage", n, json!({"code": "1"})),
        "complete" => body("TransferCompletionMessage", n, json!({})),
        "terminate" => body("TransferTerminationMessage", n, json!({"reason": ["x"]})),
        other => panic!("{other}"),
    }
}

fn transfer_command(word: &str) -> transfer::Command {
    use transfer::Command as C;
    match word {
        "start" => C::Start(None),
        "suspend" => C::Suspend(Grounds::default()),
        "complete" => C::Complete,
        "terminate" => C::Terminate(Grounds::default()),
        other => panic!("{other}"),
    }
}

fn negotiation(role: Role) -> Negotiation {
    match role {
        Role::Provider => {
            let first = json!({"@context": [CONTEXT], "@type": "ContractRequestMessage", "@id": "urn:m:0", "consumerPid": "urn:c",
                "offer": offer().to_value(), "callbackAddress": "http://127.0.0.1:8083/"});
            let (process, effects) =
                Negotiation::opened(&peer(), "urn:p", &Received::from_value(first).unwrap()).unwrap();
            assert!(effects.iter().any(|e| matches!(e, Effect::Answer(a) if a.status == 201)));
            process
        }
        Role::Consumer => {
            let (process, _) =
                Negotiation::request(peer(), "urn:c", "https://p.example", "https://c.example", offer());
            let ack = body("ContractNegotiation", 0, json!({"state": "REQUESTED"})).message;
            let Step::Next(process, _) = process.step(Event::Answered { status: 201, body: Some(ack) })
            else {
                panic!()
            };
            process
        }
    }
}

fn transfer(role: Role) -> Transfer {
    match role {
        Role::Provider => {
            let first = json!({"@context": [CONTEXT], "@type": "TransferRequestMessage", "@id": "urn:m:0", "consumerPid": "urn:c",
                "agreementId": "urn:a:1", "format": "HttpData-PULL", "callbackAddress": "http://127.0.0.1:8083"});
            Transfer::opened(&peer(), "urn:p", &Received::from_value(first).unwrap()).unwrap().0
        }
        Role::Consumer => {
            let subject =
                Subject { agreement_id: "urn:a:1".into(), format: "HttpData-PULL".into(), push_to: None };
            let (process, _) =
                Transfer::request(peer(), "urn:c", "https://p.example", "https://c.example", subject);
            let ack = body("TransferProcess", 0, json!({"state": "REQUESTED"})).message;
            let Step::Next(process, _) = process.step(Event::Answered { status: 201, body: Some(ack) })
            else {
                panic!()
            };
            process
        }
    }
}

/// Plays one line. The macro spares a trait: both processes have the same verbs.
macro_rules! play {
    ($process:expr, $line:expr, $message:ident, $command:ident, $error:literal) => {{
        let line: &str = $line;
        let mut process = $process;
        for (n, token) in line.split_whitespace().enumerate() {
            let (mark, word) = token.split_at(1);
            let before = process.clone();
            match mark {
                ">" => {
                    let Step::Next(moved, effects) = process.step(Event::Command($command(word))) else { panic!("{line}: {token}") };
                    assert!(effects.iter().any(|e| matches!(e, Effect::Send { .. })), "{line}: {token}");
                    let Step::Next(settled, _) = moved.step(Event::Answered { status: 200, body: None }) else { panic!() };
                    process = settled;
                }
                "<" | "!" => {
                    let message = $message(word, n + 1);
                    let event = Event::Received { from: peer(), message };
                    let (status, answer) = match process.step(event.clone()) {
                        Step::Next(moved, effects) => {
                            process = moved;
                            let answers: Vec<_> = effects.iter().filter_map(|e| match e { Effect::Answer(a) => Some(a.clone()), _ => None }).collect();
                            assert_eq!(answers.len(), 1, "{line}: {token}");
                            (answers[0].status, answers[0].body.clone())
                        }
                        Step::Illegal(fault) => {
                            let answer = process.process().error(&fault);
                            (answer.status, answer.body)
                        }
                        Step::Repeat(_) => panic!("{line}: {token} is no repeat"),
                    };
                    if mark == "<" {
                        assert_eq!(status, 200, "{line}: {token}");
                        assert!(matches!(process.step(event), Step::Repeat(a) if a.status == 200 && a.body == answer), "{line}: {token} again");
                    } else {
                        assert_eq!(status, 400, "{line}: {token}");
                        assert_eq!(answer.kind(), $error);
                        assert_eq!(process.state(), before.state(), "{line}: {token}");
                    }
                }
                "=" => assert_eq!(serde_json::to_value(process.state()).unwrap(), json!(word), "{line}"),
                _ => panic!("{token}"),
            }
            let stranger = Event::Received { from: Peer("OTHER".into()), message: $message("terminate", 99) };
            assert!(matches!(process.step(stranger), Step::Illegal(f) if f.status() == 404));
        }
    }};
}

#[test]
fn provider_negotiates() {
    for line in [
        "=REQUESTED >offer =OFFERED <terminate =TERMINATED",
        ">offer <counter =REQUESTED >terminate =TERMINATED",
        ">offer <accept =ACCEPTED >agree =AGREED <verify =VERIFIED >finalize =FINALIZED",
        ">agree <verify >finalize =FINALIZED",
        ">terminate =TERMINATED",
        "<terminate =TERMINATED",
        ">agree <terminate =TERMINATED",
        ">offer <terminate =TERMINATED",
        ">offer >terminate =TERMINATED",
        ">offer <accept >terminate =TERMINATED",
        ">agree <verify >terminate =TERMINATED",
        ">agree <verify >finalize =FINALIZED !terminate !verify !accept !counter",
        ">offer !verify =OFFERED",
        ">offer <accept !verify =ACCEPTED",
        ">offer <counter !counter =REQUESTED >offer <counter =REQUESTED",
        // What a peer may never say to a provider.
        "!offer !agree !finalize !accept !verify =REQUESTED",
        ">offer !finalize !agree !offer =OFFERED",
        // Accepted leniently: the text lets a party terminate at any state.
        ">offer <accept <terminate =TERMINATED !terminate",
    ] {
        play!(
            negotiation(Role::Provider),
            line,
            negotiation_message,
            negotiation_command,
            "ContractNegotiationError"
        );
    }
}

#[test]
fn consumer_negotiates() {
    for line in [
        "<offer >accept <agree >verify <finalize =FINALIZED",
        "<offer >counter <terminate =TERMINATED",
        "<offer >terminate =TERMINATED",
        "<agree >verify <finalize =FINALIZED",
        "<terminate =TERMINATED",
        ">terminate =TERMINATED",
        "<agree >terminate =TERMINATED",
        "<offer =OFFERED <terminate =TERMINATED",
        "<offer >accept <terminate =TERMINATED",
        "<agree >verify <terminate =TERMINATED",
        "!finalize =REQUESTED",
        "<offer !agree =OFFERED",
        "<offer !finalize =OFFERED",
        "<offer >accept !finalize =ACCEPTED",
        "<offer >accept !offer =ACCEPTED",
        "<offer >accept <agree !finalize =AGREED",
        "<offer !offer =OFFERED >counter <offer =OFFERED",
        "!accept !verify !counter =REQUESTED",
        "<agree >verify <finalize !terminate !finalize !offer =FINALIZED",
    ] {
        play!(
            negotiation(Role::Consumer),
            line,
            negotiation_message,
            negotiation_command,
            "ContractNegotiationError"
        );
    }
}

#[test]
fn provider_transfers() {
    for line in [
        ">start >terminate =TERMINATED",
        ">start >complete =COMPLETED",
        ">start >suspend =SUSPENDED >terminate =TERMINATED",
        ">start >suspend >start =STARTED >complete =COMPLETED",
        ">terminate =TERMINATED",
        ">start <terminate =TERMINATED",
        ">start <complete =COMPLETED",
        ">start <suspend <terminate =TERMINATED",
        ">start <suspend <start =STARTED <complete =COMPLETED",
        "<terminate =TERMINATED",
        "!complete =REQUESTED",
        "!suspend =REQUESTED",
        "!start =REQUESTED",
        ">start <suspend !complete =SUSPENDED",
        ">start <terminate !start !suspend !complete =TERMINATED",
        ">start !start =STARTED <suspend !suspend =SUSPENDED >start <suspend =SUSPENDED",
    ] {
        play!(transfer(Role::Provider), line, transfer_message, transfer_command, "TransferError");
    }
}

#[test]
fn consumer_transfers() {
    for line in [
        "<start <terminate =TERMINATED",
        "<start <complete =COMPLETED",
        "<start <suspend <terminate =TERMINATED",
        "<start <suspend <start <complete =COMPLETED",
        "<terminate =TERMINATED",
        "<start >terminate =TERMINATED",
        "<start >complete =COMPLETED",
        "<start >suspend >terminate =TERMINATED",
        "<start >suspend >start >complete =COMPLETED",
        ">terminate =TERMINATED",
        "!complete !suspend =REQUESTED",
        "<start <suspend !complete =SUSPENDED",
        "<start <terminate !start !suspend !complete =TERMINATED",
    ] {
        play!(transfer(Role::Consumer), line, transfer_message, transfer_command, "TransferError");
    }
}

#[test]
fn the_peer_may_speak_before_our_request_is_answered() {
    let (asking, _) =
        Negotiation::request(peer(), "urn:c", "https://p.example", "https://c.example", offer());
    let event = Event::Received { from: peer(), message: negotiation_message("offer", 1) };
    let Step::Next(offered, effects) = asking.step(event) else { panic!() };
    assert_eq!(offered.state(), negotiation::State::Offered);
    assert_eq!(offered.process().provider_pid(), "urn:p");
    assert!(effects.contains(&Effect::Settle));
    assert!(offered.process().is_settled());
}

#[test]
fn our_own_illegal_wishes_are_refused() {
    let asked = negotiation(Role::Provider);
    for word in ["accept", "verify", "finalize", "counter"] {
        assert!(matches!(asked.step(Event::Command(negotiation_command(word))), Step::Illegal(_)), "{word}");
    }
    let Step::Next(pending, _) = asked.step(Event::Command(negotiation_command("offer"))) else { panic!() };
    assert!(
        matches!(pending.step(Event::Command(negotiation_command("agree"))), Step::Illegal(f) if f.status() == 503)
    );
}

#[test]
fn a_timeout_repeats_the_same_bytes_and_a_refusal_asks() {
    let asked = negotiation(Role::Provider);
    let bytes = |effects: &[Effect]| {
        effects.iter().find_map(|e| match e {
            Effect::Send { url, message } => Some((url.clone(), message.to_bytes())),
            _ => None,
        })
    };
    let Step::Next(pending, first) = asked.step(Event::Command(negotiation_command("offer"))) else {
        panic!()
    };
    assert_eq!(bytes(&first).unwrap().0, "http://127.0.0.1:8083/negotiations/urn:c/offers");
    let Step::Next(pending, again) = pending.step(Event::Timeout) else { panic!() };
    assert_eq!(bytes(&first), bytes(&again));
    let Step::Next(quiet, effects) = pending.step(Event::Answered { status: 503, body: None }) else {
        panic!()
    };
    assert_eq!((&quiet, effects.len()), (&pending, 0));
    // 409 is what one peer says where the binding says 400.
    let Step::Next(asking, effects) = pending.step(Event::Answered { status: 409, body: None }) else {
        panic!()
    };
    let [Effect::Ask { url, at }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(url, "http://127.0.0.1:8083/negotiations/urn:c");
    let told = |state| asking.step(Event::Told { state, at: *at });
    let Step::Next(same, _) = told(Some(negotiation::State::Offered)) else { panic!() };
    assert!(same.process().is_settled() && same.state() == negotiation::State::Offered);
    let Step::Next(back, _) = told(Some(negotiation::State::Requested)) else { panic!() };
    assert!(back.process().is_settled() && back.state() == negotiation::State::Requested);
    let Step::Next(ended, _) = told(Some(negotiation::State::Terminated)) else { panic!() };
    assert!(ended.process().is_settled() && ended.state() == negotiation::State::Terminated);
    let Step::Next(gone, _) = told(None) else { panic!() };
    assert!(gone.process().is_settled() && gone.state() == negotiation::State::Terminated);
    // States that cannot be joined end the process, and the peer is told so.
    let Step::Next(split, effects) = told(Some(negotiation::State::Verified)) else { panic!() };
    assert_eq!(split.state(), negotiation::State::Terminated);
    assert!(effects.iter().any(|e| matches!(
        e,
        Effect::Send { message: Message::ContractNegotiationTerminationMessage(_), .. }
    )));
}

#[test]
fn whose_move_it_is() {
    let asked = negotiation(Role::Provider);
    assert!(asked.process().is_move_of(Role::Provider) && !asked.process().is_move_of(Role::Consumer));
    use negotiation::State::{Agreed, Offered, Terminated};
    assert_eq!(asked.process().open_moves(), [Offered, Agreed, Terminated]);
    let Step::Next(pending, _) = asked.step(Event::Command(negotiation_command("offer"))) else { panic!() };
    assert!(pending.process().is_move_of(Role::Consumer));
    assert_eq!(pending.process().open_moves(), [Terminated]);
}

#[test]
fn a_refusal_without_a_process_names_the_pids_of_the_message() {
    let message = negotiation_message("verify", 1).message;
    let answer = refuse::<negotiation::State>(Some(&message), 404, Fault::NotFound.grounds());
    assert_eq!((answer.status, answer.body.pids()), (404, (Some("urn:p"), Some("urn:c"))));
    assert!(Received::read(&answer.body.to_bytes()).is_ok());
    let answer = refuse::<transfer::State>(None, 400, Grounds::default());
    assert!(Received::read(&answer.body.to_bytes()).is_ok());
}

#[test]
fn flows_start_and_stop_with_the_state() {
    let flows = |effects: &[Effect]| {
        effects
            .iter()
            .filter_map(|e| match e {
                Effect::StartFlow { address } => Some(address.as_ref().map_or("start", |_| "start at")),
                Effect::StopFlow => Some("stop"),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let mut process = transfer(Role::Consumer);
    for (n, (word, flow)) in
        [("start", "start at"), ("suspend", "stop"), ("start", "start at"), ("terminate", "stop")]
            .iter()
            .enumerate()
    {
        let Step::Next(next, effects) =
            process.step(Event::Received { from: peer(), message: transfer_message(word, n) })
        else {
            panic!()
        };
        assert_eq!(flows(&effects), [*flow]);
        process = next;
    }
    // A peer that sends no `@id`: the second suspension looks like the first and is not taken for it.
    let mut process = transfer(Role::Consumer);
    for word in ["start", "suspend", "start", "suspend"] {
        let mut message = transfer_message(word, 1);
        message.named = false;
        let Step::Next(next, _) = process.step(Event::Received { from: peer(), message: message.clone() })
        else {
            panic!("{word}")
        };
        assert!(matches!(next.step(Event::Received { from: peer(), message }), Step::Repeat(_)));
        process = next;
    }
    assert_eq!(process.state(), transfer::State::Suspended);
}

#[test]
fn a_start_that_the_peer_answered_and_lost_is_made_anew_and_ends_nothing() {
    let started = transfer(Role::Provider);
    let Step::Next(moved, _) = started.step(Event::Command(transfer_command("start"))) else { panic!() };
    let Step::Next(settled, _) = moved.step(Event::Answered { status: 200, body: None }) else { panic!() };
    // The peer wrote its older state over our start: what we do next is refused, and it says that it only asked.
    let Step::Next(moved, _) = settled.step(Event::Command(transfer_command("suspend"))) else { panic!() };
    let Step::Next(asking, effects) = moved.step(Event::Answered { status: 409, body: None }) else { panic!() };
    let [Effect::Ask { at, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    let told = Event::Told { state: Some(transfer::State::Requested), at: *at };
    let Step::Next(back, effects) = asking.step(told) else { panic!() };
    assert!(back.process().is_settled() && back.state() == transfer::State::Requested);
    assert!(!effects.iter().any(|e| matches!(e, Effect::Send { .. })), "{effects:?}");
    let Step::Next(again, effects) = back.step(Event::Command(transfer_command("start"))) else { panic!() };
    assert_eq!(again.state(), transfer::State::Started);
    assert!(effects.iter().any(|e| matches!(e, Effect::Send { message: Message::TransferStartMessage(_), .. })));
}
