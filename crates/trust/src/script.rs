//! `verify.sh`: the steps of [`mod@crate::verify`] for a person who has `unzip`, `sha256sum` and `openssl`, and not us.
//!
//! It fails at the same step as we do for everything in the content of the files. It does not see non-canonical ZIP
//! bytes, and lists at its end what else it does not prove.

/// The script, POSIX sh. The copy in a bundle is a convenience: whoever doubts the bundle takes it from elsewhere.
pub const VERIFY_SH: &str = include_str!("script/verify.sh");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::file;

    #[test]
    fn the_script_speaks_of_the_same_things() {
        let names =
            [file::EVENT, file::EVENT_SALT, file::LOG_PROOF, file::RECEIPT, file::CHAIN, file::REVOCATION];
        for name in names.into_iter().chain([file::DELIVERY, file::DELIVERY_SEAL, file::DELIVERY_STAMP]) {
            assert!(VERIFY_SH.contains(name), "{name}");
        }
        assert!(VERIFY_SH.contains(&format!("printf '{}\\n'", crate::EVENT_TAG)));
        assert!(VERIFY_SH.contains(crate::receipt::TYP));
        for step in crate::verify::StepId::ALL {
            assert!(
                VERIFY_SH.contains(&format!("passed {} ", step.code()))
                    || VERIFY_SH.contains(&format!("check_{} {} ", step.code(), step.code())),
                "{}",
                step.code()
            );
        }
    }
}
