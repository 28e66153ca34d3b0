//! `tegata.toml`: every key has a default, unknown keys are errors, secrets are named by file path only.

use identity::dcp::scope::Scope;
use identity::did::DidWeb;
use model::CivilDate;
use model::transfer::Facts;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Whether invented things may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Real certificates, the wall clock, no crash points.
    #[default]
    Production,
    /// The demo's authority, a legal clock that can be moved, crash points.
    Demo,
}

/// The whole configuration of one node.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `production` or `demo`.
    pub mode: Mode,
    /// The participant's id, a DID.
    pub participant: String,
    /// Its name, for people.
    pub name: String,
    /// The id of the intermediary that acts for the participant, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Where the store, the keys and what is received lie.
    pub directory: PathBuf,
    /// Where peers reach us; port 0 takes a free one.
    pub listen: String,
    /// The base address that peers use, when it is not that of `listen`.
    pub address: Option<String>,
    /// Where pages and `/v1` are, on loopback; port 0 takes a free one.
    pub pages: String,
    /// The size of a chunk.
    pub chunk_bytes: usize,
    /// How many chunks may be asked for and not yet be on the disk; after a crash at most so many go again.
    pub window: usize,
    /// Certificates and keys.
    pub keys: Keys,
    /// Whom we ask for time-stamps, cosignatures and revocation.
    pub authority: Authority,
    /// Times and limits.
    pub limits: Limits,
    /// How much the participant may have and move.
    pub quotas: crate::quota::Quotas,
    /// What the operator takes upon itself in law.
    pub law: Law,
    /// The civil day whose law counts, in demo mode; the wall clock's when absent.
    pub legal_day: Option<CivilDate>,
    /// A peer is who its `Authorization` header says, in the clear and on loopback: for conformance kits, in demo mode.
    pub test_identity: bool,
    /// Which peers may be called.
    pub peers: Peers,
    /// Who peers are by the Decentralized Claims Protocol, and who we are to them.
    pub claims: Claims,
    /// Planes of others.
    pub signaling: Signaling,
    /// Certifications of the participant that were seen.
    pub mark: Vec<crate::mark::Mark>,
    /// What is known of peers.
    pub peer: Vec<PeerFacts>,
}

/// Planes of others, by Data Plane Signaling: data flows that we carry for them, and how we prove ourselves to them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signaling {
    /// How long an access token of ours lives, in seconds; it is renewed by its refresh token.
    pub token_s: u64,
    /// Takes only data addresses whose access can be renewed, under the profile of HTTP.
    pub renewable_only: bool,
    /// Datasets whose flows to us a person makes ready by `/v1`.
    pub by_hand: Vec<String>,
    /// Files with the tokens that planes of others gave us, by the ids of the planes.
    pub tokens: BTreeMap<String, PathBuf>,
}

impl Default for Signaling {
    fn default() -> Self {
        Self { token_s: 300, renewable_only: false, by_hand: Vec::new(), tokens: BTreeMap::new() }
    }
}

/// Which peers may be called beside those of the open internet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Peers {
    /// Hosts that may lie on inner addresses, as `host` or `host:port`.
    pub allow: Vec<String>,
}

/// By what a peer proves who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The certificate of its TLS connection; the Decentralized Claims Protocol is not spoken.
    #[default]
    Certificate,
    /// A self-issued token and the credentials that we require.
    Token,
    /// A token where one is shown, else a certificate.
    Either,
}

/// Who peers are by the Decentralized Claims Protocol, and who we are to them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// By what a peer proves who it is: `certificate`, `token` or `either`.
    pub peers: Proof,
    /// Types of credentials that a peer must present, or scopes in full; with none its token is enough.
    pub require: Vec<String>,
    /// Types of our credentials that a peer may read, or scopes in full.
    pub show: Vec<String>,
    /// How long a peer's credentials are believed before they and their status are asked for again; 0: at each message.
    pub recheck_ms: i64,
    /// How long the DID document of a peer is believed; 0: fetched at each use.
    pub document_ms: i64,
    /// Believes papers as early drafts had them: for conformance kits, in demo mode.
    pub drafts: bool,
    /// Whose word counts: the DID of an issuer, and the types of credentials that it may issue.
    pub trust: BTreeMap<String, Vec<String>>,
    /// What a credential says in the words of policies: its type, then an operand and its value, in which `{claim}` stands
    /// for a claim of the subject.
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// Where documents of DIDs lie that the open internet does not have: a DID, and the base address instead of its host.
    pub resolve: BTreeMap<String, String>,
}

impl Claims {
    /// Whether the protocol is spoken.
    pub fn on(&self) -> bool {
        self.peers != Proof::Certificate
    }

    /// Does the word of an issuer count for credentials of a type?
    pub fn trusts(&self, issuer: &str, kind: &str) -> bool {
        self.trust.get(issuer).is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    }

    fn check(&self) -> Result<(), String> {
        let scope = |text: &&String| Scope::of(text).is_none();
        if let Some(wrong) = self.require.iter().chain(&self.show).find(scope) {
            return Err(format!("[claims]: `{wrong}` is no type of credentials and no scope"));
        }
        let operands = dsp::policy::operands::Operands::standard();
        let mut named = self.words.values().flat_map(|words| words.keys());
        if let Some(odd) = named.find(|operand| operands.domain(&dsp::policy::spelled(operand)).is_none()) {
            return Err(format!("[claims.words]: nobody here decides `{odd}`; operands are spelled as in `cx-policy:Membership`"));
        }
        let wrong = self.trust.keys().chain(self.resolve.keys()).find(|did| DidWeb::parse(did).is_err());
        match wrong {
            Some(did) => Err(format!("[claims]: `{did}` is no `did:web` identifier")),
            None => Ok(()),
        }
    }
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            peers: Proof::default(),
            require: Vec::new(),
            show: Vec::new(),
            recheck_ms: 60_000,
            document_ms: 60_000,
            drafts: false,
            trust: BTreeMap::new(),
            words: BTreeMap::new(),
            resolve: BTreeMap::new(),
        }
    }
}

/// Files with certificates and keys; relative paths are in the directory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// Certificates that paths end at, PEM.
    pub anchors: PathBuf,
    /// The TLS certificate.
    pub tls_certificate: PathBuf,
    /// Its key.
    pub tls_key: PathBuf,
    /// The certificate of the seal.
    pub seal_certificate: PathBuf,
    /// Its key.
    pub seal_key: PathBuf,
    /// The seed of the log's key.
    pub log_seed: PathBuf,
    /// The name of the log; made from the participant's id when empty.
    pub log_origin: String,
}

/// Services that others give.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authority {
    /// Where the revocation list lies.
    pub revocation_list: Option<String>,
    /// Where time-stamps are had (RFC 3161).
    pub time_stamp: Option<String>,
    /// The base address of the log's witness.
    pub witness: Option<String>,
    /// The witness's key as a verifier key string.
    pub witness_key: Option<String>,
}

/// What the operator takes upon itself in law.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Law {
    /// Ids of rules or layers that may open a flow though they were read once only; none by default.
    pub accept_drafted: Vec<String>,
    /// Ids of measures that we are ready to take when the law asks for them: as provider they are offered instead of a
    /// refusal, as consumer such an offer is accepted. What is not named here is decided by a person.
    pub measures: Vec<String>,
}

/// Times in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long a lease holds without renewal.
    pub lease_ms: i64,
    /// How often leases are renewed and the law's day is looked at.
    pub watch_ms: u64,
    /// How often the revocation list is fetched.
    pub status_ms: i64,
    /// How long flows go on when the list cannot be fetched.
    pub status_grace_ms: i64,
    /// How long a peer may take to answer.
    pub answer_ms: u64,
    /// How long a message that got no answer waits before it is repeated.
    pub repeat_ms: i64,
    /// How long entries gather before the log's next checkpoint is signed and cosigned.
    pub checkpoint_ms: u64,
}

/// What is known in the words of policies: an operand, and all its values.
pub type Words = BTreeMap<String, BTreeSet<String>>;

/// What we know of a peer, for the law and for contracts.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerFacts {
    /// Its id.
    pub id: String,
    /// Its facts, as `recipient.…`.
    #[serde(default)]
    pub facts: Facts,
    /// What it is in the words of policies, as `"cx-policy:Membership" = ["active"]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: Words,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            participant: "did:web:localhost".into(),
            name: "unnamed participant".into(),
            through: None,
            directory: "tegata-data".into(),
            listen: "127.0.0.1:0".into(),
            address: None,
            pages: "127.0.0.1:4777".into(),
            chunk_bytes: dataplane::chunk::CHUNK_BYTES,
            window: 8,
            keys: Keys::default(),
            authority: Authority::default(),
            limits: Limits::default(),
            quotas: Default::default(),
            law: Law::default(),
            legal_day: None,
            test_identity: false,
            peers: Peers::default(),
            claims: Claims::default(),
            signaling: Signaling::default(),
            mark: Vec::new(),
            peer: Vec::new(),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            anchors: "anchors.pem".into(),
            tls_certificate: "tls.pem".into(),
            tls_key: "tls.key".into(),
            seal_certificate: "seal.pem".into(),
            seal_key: "seal.key".into(),
            log_seed: "log.seed".into(),
            log_origin: String::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease_ms: 1_000,
            watch_ms: 50,
            status_ms: 250,
            status_grace_ms: 5_000,
            answer_ms: 10_000,
            repeat_ms: 500,
            checkpoint_ms: 250,
        }
    }
}

/// Why a configuration is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// It is no TOML of ours: an unknown key, a wrong type.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, in one line.
        detail: String,
    },
    /// A key that only the demo may have.
    DemoOnly(&'static str),
    /// `accept_drafted` names what is no rule, list or layer.
    NoSuchRule(String),
    /// `measures` names what is no measure.
    NoSuchMeasure(String),
}

impl ConfigError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config/unreadable",
            Self::Malformed { .. } => "config/malformed",
            Self::DemoOnly(_) => "config/demo-only",
            Self::NoSuchRule(_) => "config/no-such-rule",
            Self::NoSuchMeasure(_) => "config/no-such-measure",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, detail } => write!(f, "cannot read `{}`: {detail}", path.display()),
            Self::Malformed { path, detail } => write!(f, "`{}`: {detail}", path.display()),
            Self::DemoOnly(key) => write!(f, "`{key}` needs `mode = \"demo\"`"),
            Self::NoSuchMeasure(name) => {
                write!(f, "`[law] measures`: `{name}` is no measure; `tegata rules ls` has the names")
            }
            Self::NoSuchRule(name) => write!(f, "`[law] accept_drafted`: `{name}` is no rule, list or layer; `tegata rules ls` has the names"),
        }
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a file; relative paths in it start at its folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable =
            |e: std::io::Error| ConfigError::Unreadable { path: path.to_owned(), detail: e.to_string() };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut config = Self::parse(&text).map_err(|e| match e {
            ConfigError::Malformed { detail, .. } => ConfigError::Malformed { path: path.to_owned(), detail },
            other => other,
        })?;
        if let (true, Some(folder)) = (config.directory.is_relative(), path.parent()) {
            config.directory = folder.join(&config.directory);
        }
        Ok(config)
    }

    /// Parses the text; an empty one is a configuration.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| text.get(..s.start).unwrap_or_default().matches('\n').count() + 1);
            let place = line.map(|l| format!("line {l}: ")).unwrap_or_default();
            ConfigError::Malformed {
                path: PathBuf::new(),
                detail: format!("{place}{}", e.message().replace('\n', ", ")),
            }
        })?;
        if config.mode == Mode::Production && config.legal_day.is_some() {
            return Err(ConfigError::DemoOnly("legal_day"));
        }
        if config.mode == Mode::Production && config.test_identity {
            return Err(ConfigError::DemoOnly("test_identity"));
        }
        if config.mode == Mode::Production && config.claims.drafts {
            return Err(ConfigError::DemoOnly("claims.drafts"));
        }
        let wrong = |detail: String| ConfigError::Malformed { path: PathBuf::new(), detail };
        config.claims.check().map_err(wrong)?;
        if config.claims.on() && DidWeb::parse(&config.participant).is_err() {
            return Err(wrong(format!("[claims] needs a participant that is a `did:web` identifier, not `{}`", config.participant)));
        }
        Ok(config)
    }

    /// Checks the names of rules against a rulebook: a misspelled one would accept nothing, silently.
    pub fn check_law(&self, book: &rulebook::book::Rulebook) -> Result<(), ConfigError> {
        let heads = book.heads();
        let known = |name: &String| book.layers.contains_key(name) || book.lists.contains_key(name) || heads.iter().any(|(_, h)| h.id == *name);
        if let Some(name) = self.law.accept_drafted.iter().find(|name| !known(name)) {
            return Err(ConfigError::NoSuchRule(name.clone()));
        }
        let known = |name: &String| book.measures.iter().any(|m| m.head.id == *name);
        match self.law.measures.iter().find(|name| !known(name)) {
            Some(name) => Err(ConfigError::NoSuchMeasure(name.clone())),
            None => Ok(()),
        }
    }

    /// The configuration as TOML.
    pub fn render(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// A file of the keys, in the directory unless absolute.
    pub fn file(&self, path: &Path) -> PathBuf {
        self.directory.join(path)
    }

    /// The name of the log.
    pub fn log_origin(&self) -> String {
        match self.keys.log_origin.as_str() {
            "" => format!("{}/log", self.participant.trim_start_matches("did:web:")).replace([' ', '+'], "-"),
            given => given.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_configuration_and_it_reads_back() {
        let config = Config::parse("").unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(Config::parse(&config.render()).unwrap(), config);
    }

    #[test]
    fn unknown_keys_are_errors_with_their_line() {
        let error = Config::parse("name = \"x\"\nlisten_on = 1\n").unwrap_err();
        assert!(error.to_string().contains("line 2") && error.to_string().contains("listen_on"), "{error}");
        assert!(Config::parse("[limits]\nlease = 3").is_err());
    }

    #[test]
    fn the_test_identity_is_for_the_demo() {
        assert_eq!(Config::parse("test_identity = true").unwrap_err().code(), "config/demo-only");
        assert!(Config::parse("mode = \"demo\"\ntest_identity = true").unwrap().test_identity);
    }

    #[test]
    fn claims_name_what_they_mean() {
        let refused = |text: &str| Config::parse(text).unwrap_err();
        assert_eq!(refused("[claims]\ndrafts = true").code(), "config/demo-only");
        assert!(refused("[claims]\nrequire = [\"a:b\"]").to_string().contains("`a:b`"));
        assert!(refused("[claims.trust]\n\"did:key:z6Mk\" = []").to_string().contains("did:key"));
        assert_eq!(refused("participant = \"me\"\n[claims]\npeers = \"token\"").code(), "config/malformed");
        let text = "[claims]\npeers = \"either\"\nrequire = [\"Member\"]\n[claims.trust]\n\"did:web:i.example\" = [\"Member\"]";
        let config = Config::parse(text).unwrap();
        assert!(config.claims.on() && config.claims.trusts("did:web:i.example", "Member"));
        assert!(!config.claims.trusts("did:web:i.example", "Other"));
        assert_eq!(Config::parse(&config.render()).unwrap(), config);
    }

    #[test]
    fn the_legal_clock_is_for_the_demo() {
        assert_eq!(Config::parse("legal_day = \"2020-07-15\"").unwrap_err().code(), "config/demo-only");
        assert!(Config::parse("mode = \"demo\"\nlegal_day = \"2020-07-15\"").is_ok());
    }
}
