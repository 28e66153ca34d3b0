//! Each route of `/v1` is tried with each principal: none, wrong, every role, and the token of another participant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use node::desk::Desk;
use rulebook::book::Rulebook;
use serde_json::Value;
use server::people::{self, Mode, State, principal::{Doorkeeper, Principal, Role}};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

const ROLES: [(&str, Role); 7] = [
    ("operator", Role::Operator),
    ("admin", Role::Admin),
    ("act", Role::Act),
    ("read", Role::Read),
    ("auditor", Role::Auditor),
    ("regulator", Role::Regulator),
    ("plane", Role::Plane),
];

struct Keeper(Arc<Desk>);

impl Doorkeeper for Keeper {
    fn admit(&self, secret: &str) -> Option<Principal> {
        let holder = self.0.admit(secret)?;
        let role = ROLES.iter().find(|(word, _)| *word == holder.role)?.1;
        Some(Principal { participant: self.0.participant().into(), token: holder.token, role })
    }

    fn still(&self, token: &str) -> bool {
        self.0.still(token)
    }
}

fn send(at: SocketAddr, method: &str, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    let bearer = token.map(|t| format!("authorization: Bearer {t}\r\n")).unwrap_or_default();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{bearer}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).unwrap();
    let text = String::from_utf8_lossy(&raw).into_owned();
    let status = text.split(' ').nth(1).unwrap().parse().unwrap();
    (status, text.split_once("\r\n\r\n").map(|(_, b)| b.to_string()).unwrap_or_default())
}

/// Whether a role may use a route, as DESIGN section 9 has it: reading for all, acting and operating for some.
fn may(method: &str, path: &str, role: &str) -> bool {
    let asks = ["/v1/checks", "/v1/matrix", "/v1/register", "/v1/bench/tables", "/v1/bench/answers"];
    match (method, path) {
        (_, p) if p.starts_with("/v1/signaling") => ["admin", "act", "plane"].contains(&role),
        _ if role == "plane" => false,
        (_, p) if p.starts_with("/v1/tokens") => role == "admin",
        // Whoever runs the process looks after those who live in it; taking in and letting go is the administrator's.
        ("get", p) if p.starts_with("/v1/participants") => ["operator", "admin"].contains(&role),
        (_, p) if p.starts_with("/v1/participants") => role == "admin",
        ("get", _) => true,
        ("post", p) if asks.contains(&p) => true,
        ("post" | "delete", "/v1/did/keys" | "/v1/did/keys/{id}") => role == "admin",
        ("post", "/v1/legal-day") => ["operator", "admin"].contains(&role),
        _ => ["admin", "act"].contains(&role),
    }
}

#[test]
fn each_route_is_tried_with_each_principal() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Arc::new(Desk::open(&dir.path().join("ours"), "did:web:ours.example").unwrap());
    let other = Desk::open(&dir.path().join("theirs"), "did:web:theirs.example").unwrap();
    let tokens: Vec<(&str, String)> = ROLES.iter().map(|(word, _)| (*word, desk.token_of_role(word, word).unwrap())).collect();
    let theirs = other.token_of_role("admin", "admin").unwrap();
    let gone = desk.token_of_role("gone", "admin").unwrap();
    desk.revoke("gone").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (book, _) = Rulebook::parse(Vec::new());
    let state = State::new(book, Mode::Production, Keeper(desk.clone()));
    let door = runtime.block_on(people::bind(([127, 0, 0, 1], 0).into(), state)).unwrap();
    let at = door.address();
    runtime.spawn(door.serve(std::future::pending()));

    let (_, document) = send(at, "GET", "/openapi.json", None, "");
    let document: Value = serde_json::from_str(&document).unwrap();
    let (mut open, mut closed) = (0, 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let there: String = path.split('/').map(|part| if part.starts_with('{') { "no-such" } else { part }).collect::<Vec<_>>().join("/");
            let body = if method == "post" { "{}" } else { "" };
            let try_with = |token: Option<&str>| send(at, &method.to_uppercase(), &there, token, body).0;
            if operation.get("security").is_none() {
                open += 1;
                assert_ne!(try_with(None), 401, "{method} {path} is described as public");
                continue;
            }
            closed += 1;
            for (who, token) in [("none", None), ("wrong", Some("x".repeat(64))), ("revoked", Some(gone.clone())), ("another participant", Some(theirs.clone()))] {
                assert_eq!(try_with(token.as_deref()), 401, "{method} {path} by {who}");
            }
            for (role, token) in &tokens {
                let status = try_with(Some(token));
                match may(method, path, role) {
                    true => assert!(status != 401 && status != 403, "{method} {path} by {role}: {status}"),
                    false => assert_eq!(status, 403, "{method} {path} by {role}"),
                }
            }
        }
    }
    assert!(open >= 8 && closed >= 15, "{open} public, {closed} closed routes were tried");
    // What the description does not name is not there.
    let files = [include_str!("../src/people/acts.rs"), include_str!("../src/people/api.rs"), include_str!("../src/space.rs"), include_str!("../src/duties.rs"), include_str!("../src/claims.rs"), include_str!("../src/signaling.rs"), include_str!("../src/observed.rs")];
    let of_a_house = include_str!("../src/participants/door.rs").matches(".route(\"/v1/").count();
    let routes: usize = files.iter().map(|text| text.matches(".route(\"").count()).sum::<usize>() + of_a_house;
    let described = document["paths"].as_object().unwrap().len() + 1;
    assert_eq!(routes, described, "every route but the description itself is described");
}

#[test]
fn a_large_body_is_refused_in_our_words() {
    let dir = tempfile::tempdir().unwrap();
    let desk = Arc::new(Desk::open(dir.path(), "did:web:ours.example").unwrap());
    let token = desk.first_token().unwrap().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (book, _) = Rulebook::parse(Vec::new());
    let door = runtime.block_on(people::bind(([127, 0, 0, 1], 0).into(), State::new(book, Mode::Production, Keeper(desk)))).unwrap();
    let at = door.address();
    runtime.spawn(door.serve(std::future::pending()));
    let (status, body) = send(at, "POST", "/v1/checks", Some(&token), &" ".repeat(30 << 20));
    assert_eq!(status, 413, "{body}");
    assert!(body.contains("TGT-H007"), "{body}");
}
