//! The ports of this room: how messages are carried, bytes are signed and time is told. Others implement them.

use identity::key::Signature;
use identity::x509::Certificate;
use model::Instant;
use std::fmt;

/// One HTTP message to a peer or an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// The absolute address.
    pub url: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// LIMIT: bytes of the answer's body that are read.
    pub answer_bytes_max: usize,
}

/// LIMIT: bytes of an answer to a control message.
pub const ANSWER_BYTES_MAX: usize = 1 << 20;

impl Request {
    /// Asks for an address.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            answer_bytes_max: ANSWER_BYTES_MAX,
        }
    }

    /// Sends a body of a media type.
    pub fn post(url: impl Into<String>, media_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), media_type.to_owned())];
        Self { method: "POST", url: url.into(), headers, body, answer_bytes_max: ANSWER_BYTES_MAX }
    }

    /// Adds a header.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Reads at most so many bytes of the answer.
    pub fn up_to(mut self, answer_bytes_max: usize) -> Self {
        self.answer_bytes_max = answer_bytes_max;
        self
    }
}

/// The answer to a message.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Whether the status says success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why a message got no answer. In each case it may have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarrierError {
    /// Nobody listens there.
    Unreachable {
        /// Where.
        at: String,
        /// What the system said.
        detail: String,
    },
    /// No whole answer within the time that is given.
    Slow {
        /// Where.
        at: String,
        /// The time.
        ms: u64,
    },
    /// The peer did not show a certificate that leads to our anchors.
    Untrusted {
        /// Where.
        at: String,
        /// What failed.
        detail: String,
    },
    /// The answer is larger than is read.
    TooLarge {
        /// Where.
        at: String,
        /// The limit.
        bytes_max: usize,
    },
    /// What came back is no HTTP, or ended in the middle.
    Nonsense {
        /// Where.
        at: String,
        /// What was wrong.
        detail: String,
    },
    /// The address is none that we call.
    Address(String),
}

impl CarrierError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "peer/unreachable",
            Self::Slow { .. } => "peer/slow",
            Self::Untrusted { .. } => "peer/untrusted",
            Self::TooLarge { .. } => "peer/too-large",
            Self::Nonsense { .. } => "peer/nonsense",
            Self::Address(_) => "peer/address",
        }
    }
}

impl fmt::Display for CarrierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { at, detail } => write!(f, "nobody answers at `{at}`: {detail}"),
            Self::Slow { at, ms } => write!(f, "`{at}` gave no whole answer within {ms} ms"),
            Self::Untrusted { at, detail } => write!(f, "`{at}` is not who it must be: {detail}"),
            Self::TooLarge { at, bytes_max } => write!(f, "`{at}` answers with more than {bytes_max} bytes"),
            Self::Nonsense { at, detail } => write!(f, "`{at}` answers with what is no HTTP: {detail}"),
            Self::Address(url) => write!(f, "`{url}` is no https address"),
        }
    }
}

impl std::error::Error for CarrierError {}

/// Carries one message and brings its answer; blocks until then.
pub trait Carrier: Send + Sync {
    /// Sends, within the carrier's own limits of size and time.
    fn send(&self, request: Request) -> Result<Reply, CarrierError>;

    /// The same; `began` is called when a good answer has begun, while its body is still on its way. A carrier that does
    /// not see the beginning of an answer calls it when the answer is here.
    fn send_and_tell(&self, request: Request, began: Began) -> Result<Reply, CarrierError> {
        let reply = self.send(request)?;
        if reply.status == 200 {
            began();
        }
        Ok(reply)
    }
}

/// Hears that an answer has begun.
pub type Began = Box<dyn FnOnce() + Send>;

/// The key is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignError(pub String);

impl fmt::Display for SignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot sign: {}", self.0)
    }
}

impl std::error::Error for SignError {}

/// Holds the participant's keys: that of its seal and that of its log.
pub trait Signer: Send + Sync {
    /// The certificate of the seal.
    fn certificate(&self) -> &Certificate;
    /// Signs with the key of the seal.
    fn seal(&self, bytes: &[u8]) -> Result<Signature, SignError>;
    /// Signs checkpoints of the log.
    fn log(&self) -> &tlog::note::Signer;
}

/// Tells the wall clock; seals, stamps and events carry it. The law has a clock of its own.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Random bytes of the machine.
pub fn random<const N: usize>() -> Result<[u8; N], SignError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| SignError(format!("no random bytes: {e}")))?;
    Ok(bytes)
}

/// A fresh name of a process: a version 4 UUID as a URN.
pub fn fresh_name() -> Result<String, SignError> {
    let mut b: [u8; 16] = random()?;
    if let Some(six) = b.get_mut(6) {
        *six = *six & 0x0f | 0x40;
    }
    if let Some(eight) = b.get_mut(8) {
        *eight = *eight & 0x3f | 0x80;
    }
    let hex: Vec<String> = b.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).map(<[String]>::concat).unwrap_or_default();
    Ok(format!("urn:uuid:{}-{}-{}-{}-{}", part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 16)))
}
