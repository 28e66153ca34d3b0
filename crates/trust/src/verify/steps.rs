//! What each step looks at.

use std::io::Read;

use identity::x509::path::{Revocation, SubIndication, Validation, When};
use identity::x509::{Certificate, Crl};
use model::event::Event;
use model::manifest::Manifest;
use model::{Digest, Instant, canonical};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tlog::cosignature::Timestamp;
use tlog::entry::{Commitment, Salt, Tag};
use tlog::policy::Period;
use tlog::proof::Proof;

use super::{Anchors, Found, Level, Outcome, Report, StepId};
use crate::EVENT_TAG;
use crate::bundle::{self, Bundle, file};
use crate::receipt::{DeliveryEvent, Receipt, names};
use crate::seal::{Seal, Trust};
use crate::timestamp::Token;

// LIMIT: clocks of parties may differ by a minute; what claims to be later than its stamp by more is refused.
const SKEW_MS: i64 = 60_000;
// LIMIT: a chunk is at most 64 MiB.
const CHUNK_BYTES_MAX: u64 = 64 << 20;

/// Takes the steps after the container was read, until one fails.
pub(super) fn take(
    bundle: &Bundle,
    anchors: &Anchors,
    crls: &[Crl],
    data: Option<&mut dyn Read>,
    now: Instant,
    report: &mut Report,
) {
    if let Err(error) = bundle.check_digests() {
        return report.put(StepId::Digests, Found::failed(error.code(), error.to_string()));
    }
    report.put(StepId::Digests, Found::passed("each file has the SHA-256 in its manifest"));
    let carried = Carried::of(bundle, crls);
    let look = Look { bundle, anchors, carried: &carried, now, stamped_at: stated_time(bundle) };
    for id in [StepId::Seal, StepId::Stamp, StepId::Delivery, StepId::Log, StepId::Receipt] {
        let found = match id {
            StepId::Seal => look.seal(report),
            StepId::Stamp => look.stamp(report),
            StepId::Delivery => look.delivery(),
            StepId::Log => look.log(report),
            _ => look.receipt(),
        };
        report.put(id, found);
        if report.has_failed() {
            return;
        }
    }
    report.put(StepId::Data, look.data(data));
}

/// Certificates and lists that the bundle carries: believed only as far as an anchor signed them.
struct Carried {
    certificates: Vec<Certificate>,
    crls: Vec<Crl>,
}

impl Carried {
    fn of(bundle: &Bundle, crls: &[Crl]) -> Carried {
        let text =
            |name| bundle.file(name).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
        // What cannot be read is as good as absent, and the step that needs it says so.
        let mut all = Crl::from_pem(text(file::REVOCATION)).unwrap_or_default();
        all.extend_from_slice(crls);
        Carried { certificates: Certificate::from_pem(text(file::CHAIN)).unwrap_or_default(), crls: all }
    }
}

/// The time that the container's stamp states, before the stamp itself is judged.
fn stated_time(bundle: &Bundle) -> Option<Instant> {
    Token::read(bundle.file(bundle::TIMESTAMP)?).ok().map(|token| token.time())
}

struct Look<'a> {
    bundle: &'a Bundle,
    anchors: &'a Anchors,
    carried: &'a Carried,
    now: Instant,
    stamped_at: Option<Instant>,
}

impl Look<'_> {
    fn trust(&self) -> Trust<'_> {
        Trust {
            anchors: &self.anchors.certificates,
            intermediates: &self.carried.certificates,
            crls: &self.carried.crls,
            revocation: Revocation::Required,
        }
    }

    /// What is signed is known to exist by the stamp; if that is broken, its own step fails.
    fn when(&self) -> When {
        When::ExistedBy(self.stamped_at.unwrap_or(self.now))
    }

    /// With anchors at hand a path that leads to none of them is a failure; without any it cannot be told.
    fn judged(&self, answer: &Validation, detail: String) -> Found {
        let code = answer.sub_indication().map_or("", SubIndication::code);
        let says = || match (answer, answer.sub_indication()) {
            (Validation::Missing(_), Some(sub)) => format!("{}: {answer}", sub.says()),
            (_, Some(sub)) => sub.says().to_owned(),
            (_, None) => answer.to_string(),
        };
        match answer {
            Validation::TotalPassed(_) => Found::passed(detail),
            Validation::TotalFailed(_) => Found::failed(code, says()),
            // A list may still come; an issuer that neither the bundle nor the anchors hold will not.
            Validation::Missing(_) if answer.sub_indication() == Some(SubIndication::TryLater) => {
                Found::indeterminate(code, says())
            }
            Validation::Indeterminate(_) if self.anchors.certificates.is_empty() => {
                Found::indeterminate(code, "no anchor was given from outside")
            }
            Validation::Indeterminate(_) | Validation::Missing(_) => Found::failed(code, says()),
        }
    }

    fn seal(&self, report: &mut Report) -> Found {
        let (signature, manifest) = match both(self.bundle, bundle::SIGNATURE, bundle::MANIFEST) {
            Ok(both) => both,
            Err(found) => return found,
        };
        let seal = match Seal::read(signature) {
            Ok(seal) => seal,
            Err(error) => return Found::failed(error.code(), error.to_string()),
        };
        let answer = seal.verify(&Digest::of(manifest), &self.trust(), self.when());
        let claimed = seal.claimed_time().unwrap_or(self.now);
        if answer.passed() && self.is_later(claimed) {
            let order = SubIndication::TimestampOrderFailure.code();
            return Found::failed(order, format!("sealed at {claimed}, after its own time-stamp"));
        }
        if answer.passed() {
            report.levels.push(Level::Sealed);
        }
        self.judged(&answer, signer_words(&seal))
    }

    fn stamp(&self, report: &mut Report) -> Found {
        let (token, manifest) = match both(self.bundle, bundle::TIMESTAMP, bundle::TIMESTAMP_MANIFEST) {
            Ok(both) => both,
            Err(found) => return found,
        };
        let token = match Token::read(token) {
            Ok(token) => token,
            Err(error) => return Found::failed(error.code(), error.to_string()),
        };
        let answer = token.verify(&Digest::of(manifest), None, &self.trust());
        if answer.passed() && token.time().0 > self.now.0 + SKEW_MS {
            let order = SubIndication::TimestampOrderFailure.code();
            return Found::failed(order, format!("stamped at {}, which is yet to come", token.time()));
        }
        if answer.passed() {
            report.levels.push(Level::Stamped);
            report.stamped_at = Some(token.time());
        }
        let by = token.authority().map(|one| one.subject().to_string()).unwrap_or_default();
        self.judged(&answer, format!("at {} by {by}", token.time()))
    }

    fn delivery(&self) -> Found {
        let Some(bytes) = self.bundle.file(file::DELIVERY) else {
            return Found::absent("the bundle tells of no delivery");
        };
        let manifest: Manifest = match canonical_record(bytes) {
            Some(manifest) => manifest,
            None => return Found::failed("delivery-form", "the manifest is not in its one form"),
        };
        let words = format!(
            "{} chunks, {} bytes, transfer `{}`",
            manifest.chunks.len(),
            manifest.bytes(),
            manifest.transfer
        );
        let Some(seal) = self.bundle.file(file::DELIVERY_SEAL) else { return Found::passed(words) };
        let (mut when, mut stamped) = (self.when(), None);
        if let Some(stamp) = self.bundle.file(file::DELIVERY_STAMP) {
            let token = match Token::read(stamp) {
                Ok(token) => token,
                Err(error) => return Found::failed(error.code(), error.to_string()),
            };
            let answer = token.verify(&Digest::of(seal), None, &self.trust());
            when = When::ExistedBy(token.time());
            stamped = Some(self.judged(&answer, String::new()));
        }
        let sealed = match Seal::read(seal) {
            Err(error) => Found::failed(error.code(), error.to_string()),
            Ok(seal) => {
                let answer = seal.verify(&Digest::of(bytes), &self.trust(), when);
                self.judged(&answer, format!("{words}, {}", signer_words(&seal)))
            }
        };
        // The worse of the two answers is the answer.
        match stamped {
            Some(stamped) if matches!(stamped.outcome, Outcome::Failed(_)) => stamped,
            Some(stamped) if stamped.outcome != Outcome::Passed && sealed.outcome == Outcome::Passed => {
                stamped
            }
            _ => sealed,
        }
    }

    /// Does the seal over the manifest, or else that of the container, carry this party's name?
    fn is_sealed_by(&self, party: &str) -> bool {
        let seal = self.bundle.file(file::DELIVERY_SEAL).or_else(|| self.bundle.file(bundle::SIGNATURE));
        let seal = seal.and_then(|bytes| Seal::read(bytes).ok());
        seal.as_ref().and_then(Seal::signer).is_some_and(|signer| names(signer, party))
    }

    fn log(&self, report: &mut Report) -> Found {
        let names = [file::EVENT, file::EVENT_SALT, file::LOG_PROOF];
        let [Some(event), Some(salt), Some(proof)] = names.map(|name| self.bundle.file(name)) else {
            return Found::absent("the bundle has no proof of its event's place in a log");
        };
        let Some(stated) = canonical_record::<Event>(event) else {
            return Found::failed("log-event-form", "the event is not in its one form");
        };
        let bound = stated.binds.get("manifest");
        let delivered = self.bundle.file(file::DELIVERY).map(Digest::of);
        if delivered.is_some() && bound != delivered.as_ref() {
            return Found::failed("log-other-event", "the event tells of another manifest");
        }
        if self.is_later(stated.at) {
            let order = SubIndication::TimestampOrderFailure.code();
            return Found::failed(order, "the event is later than the time-stamp");
        }
        let (Some(salt), Some(tag)) = (read_salt(salt), Tag::new(EVENT_TAG)) else {
            return Found::failed("log-salt-form", "the salt is not 64 hex digits and a line feed");
        };
        let proof = match Proof::parse(proof) {
            Ok(proof) => proof,
            Err(error) => return Found::failed(error.code(), error.to_string()),
        };
        let Some(policy) = &self.anchors.log else {
            return Found::indeterminate("log-no-policy", "no log policy was given from outside");
        };
        let Some(now) = u64::try_from(self.now.seconds()).ok().and_then(Timestamp::new) else {
            return Found::indeterminate("log-no-time", "the instant of verification is before 1970");
        };
        let leaf = Commitment::new(&tag, &salt, event).leaf_hash();
        match proof.verify(&leaf, policy, Period::up_to(now)) {
            Err(refuted) => Found::failed(refuted.code(), refuted.to_string()),
            Ok(accepted) => {
                report.levels.push(Level::Recorded);
                if !accepted.cosigned().is_empty() {
                    report.levels.push(Level::Witnessed);
                }
                let size = accepted.checkpoint().size();
                let cosigned = accepted.cosigned().len();
                Found::passed(format!(
                    "entry {} of {size} in `{}`, {cosigned} cosigned",
                    proof.index(),
                    accepted.checkpoint().origin()
                ))
            }
        }
    }

    fn receipt(&self) -> Found {
        let Some(token) = self.bundle.file(file::RECEIPT) else {
            return Found::absent("the bundle has no receipt");
        };
        let token = String::from_utf8_lossy(token);
        let (receipt, jws) = match Receipt::read(token.trim_end_matches('\n')) {
            Ok(both) => both,
            Err(error) => return Found::failed(error.code(), error.to_string()),
        };
        let manifest = self.bundle.file(file::DELIVERY);
        let about = manifest.and_then(canonical_record::<Manifest>).is_some_and(|stated| {
            receipt.transfer == stated.transfer
                && receipt.agreement == stated.agreement
                && receipt.sequence == stated.sequence
        });
        if !about || manifest.map(Digest::of) != Some(receipt.manifest) {
            return Found::failed("receipt-other", "the receipt is for another manifest");
        }
        if receipt.event != DeliveryEvent::ContentHandover || receipt.issuer != receipt.recipient {
            return Found::failed("receipt-no-handover", "the recipient does not attest that it received");
        }
        if !self.is_sealed_by(&receipt.sender) {
            return Found::failed("receipt-other-sender", "the sender it names did not seal the manifest");
        }
        if self.is_later(receipt.at) {
            let order = SubIndication::TimestampOrderFailure.code();
            return Found::failed(order, "the receipt is later than the time-stamp");
        }
        let answer = receipt.verify(&jws, &self.trust(), self.when());
        self.judged(&answer, format!("received by `{}` at {}", receipt.recipient, receipt.at))
    }

    fn data(&self, data: Option<&mut dyn Read>) -> Found {
        let Some(manifest) = self.bundle.file(file::DELIVERY).and_then(canonical_record::<Manifest>) else {
            return Found::absent("the bundle tells of no delivery");
        };
        let Some(data) = data else { return Found::absent("no data were given to compare") };
        let mut buffer = Vec::new();
        for (at, chunk) in manifest.chunks.iter().enumerate() {
            if chunk.bytes > CHUNK_BYTES_MAX {
                return Found::failed("data-chunk-too-large", format!("chunk {at} is larger than is read"));
            }
            buffer.clear();
            let read = data.take(chunk.bytes).read_to_end(&mut buffer);
            if read.is_err() || Digest::of(&buffer) != chunk.id {
                return Found::failed("data-chunk-differs", format!("chunk {at} is not what was delivered"));
            }
        }
        buffer.clear();
        match data.take(1).read_to_end(&mut buffer) {
            Ok(0) => Found::passed(format!("{} chunks, each with its SHA-256", manifest.chunks.len())),
            _ => Found::failed("data-more", "more data than was delivered"),
        }
    }

    fn is_later(&self, at: Instant) -> bool {
        self.stamped_at.is_some_and(|stamped| at.0 > stamped.0 + SKEW_MS)
    }
}

fn both<'a>(bundle: &'a Bundle, a: &'static str, b: &'static str) -> Result<(&'a [u8], &'a [u8]), Found> {
    match (bundle.required(a), bundle.required(b)) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(error), _) | (_, Err(error)) => Err(Found::failed(error.code(), error.to_string())),
    }
}

fn signer_words(seal: &Seal) -> String {
    seal.signer().map(|signer| format!("sealed by {}", signer.subject())).unwrap_or_default()
}

/// Reads a record whose canonical bytes are these; any other spelling is no record.
fn canonical_record<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let record: T = serde_json::from_slice(bytes).ok()?;
    (canonical::to_bytes(&record).ok()? == bytes).then_some(record)
}

fn read_salt(bytes: &[u8]) -> Option<Salt> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let digest: Digest = text.parse().ok()?;
    Some(Salt::new(digest.0))
}
