//! Messages to a program of somebody else's, signed so that it knows whose they are (Standard Webhooks 1.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::Instant;
use node::ports::{Carrier, Request};
use server::carrier::TlsCarrier;
use sha2::Sha256;

/// A secret that both ends hold.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_` and base64, as receivers give it out. At least 24 bytes, as the specification asks.
    pub fn read(text: &str) -> Option<Self> {
        let key = STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?;
        (24..=64).contains(&key.len()).then_some(Self(key))
    }

    /// The value of `webhook-signature` for a message.
    fn signature(&self, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// Sends one message; it is taken when the answer is 2xx. The error is one line, with what the exit code is.
pub fn post(carrier: &TlsCarrier, url: &str, secret: &Secret, id: &str, now: Instant, body: Vec<u8>) -> Result<(), String> {
    let seconds = now.seconds();
    let signature = secret.signature(id, seconds, &body).ok_or("error[TGT-C013]: the secret cannot be used")?;
    let request = Request::post(url, "application/json", body)
        .with("webhook-id", id)
        .with("webhook-timestamp", seconds.to_string())
        .with("webhook-signature", signature);
    let reply = carrier.send(request).map_err(|e| format!("error[{}]: {e}", e.code()))?;
    match reply.is_success() {
        true => Ok(()),
        false => Err(format!("error[peer/refused]: `{url}` answers with status {}", reply.status)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that the libraries of the specification share.
    #[test]
    fn a_message_is_signed_as_the_specification_says() {
        let secret = Secret::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let signature = secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
        for wrong in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_!!"] {
            assert!(Secret::read(wrong).is_none(), "{wrong}");
        }
    }
}
