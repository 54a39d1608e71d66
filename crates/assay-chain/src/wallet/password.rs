//! Passwords of encrypted keys, and the variables in which operators keep them.
//!
//! `BT_WALLET_PASSWORD` holds it plainly. `BT_PW_…`, written by the other wallets, names the key file and holds base64 of
//! the password XORed with the variable's own name: no protection, only not readable at a glance. The environment itself is
//! read by the command line; here it is a function from name to value.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::WalletError;

/// The variable with a password for every key.
pub const PASSWORD_VARIABLE: &str = "BT_WALLET_PASSWORD";
/// Start of a variable with the password of one key file.
const FILE_PREFIX: &str = "BT_PW_";

/// A password; prints as `***` and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// A password.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is no password at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// Name of the variable of one key file: `BT_PW_` and its path in capitals, `/` and `.` as `_`.
pub fn password_variable(path: &str) -> String {
    let path: String = path
        .chars()
        .map(|c| if matches!(c, '/' | '.') { '_' } else { c })
        .collect();
    format!("{FILE_PREFIX}{path}").to_uppercase()
}

/// The password for the key file `path` in the variables that `variable` looks up; `None` where none is set.
///
/// # Errors
/// [`WalletError::PasswordVariable`] if the file's own variable holds anything but an obfuscated password.
pub fn password_from(
    path: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Password>, WalletError> {
    if let Some(plain) = variable(PASSWORD_VARIABLE).filter(|plain| !plain.is_empty()) {
        return Ok(Some(Password::new(plain)));
    }
    let name = password_variable(path);
    let Some(obfuscated) = variable(&name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let refused = || WalletError::PasswordVariable(name.clone());
    let mut bytes = Zeroizing::new(STANDARD.decode(obfuscated.trim()).map_err(|_| refused())?);
    for (byte, mask) in bytes.iter_mut().zip(name.bytes().cycle()) {
        *byte ^= mask;
    }
    let text = str::from_utf8(&bytes).map_err(|_| refused())?;
    Ok(Some(Password::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_named_as_the_other_wallets_name_them() {
        assert_eq!(password_variable("/tmp/wk/t/coldkey"), "BT_PW__TMP_WK_T_COLDKEY");
        assert_eq!(password_variable("~/.b/a.b"), "BT_PW_~__B_A_B");
    }

    #[test]
    fn the_plain_variable_comes_first_then_the_files_own() {
        let check = |values: &[(&str, &str)], expected: Option<&str>| {
            let lookup = |name: &str| {
                let found = values.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let found = password_from("/tmp/wk/t/coldkey", lookup).unwrap();
            assert_eq!(found, expected.map(Password::new));
        };
        // Written by bittensor-wallet 4.1.1 for the password `secret pw`.
        let own = ("BT_PW__TMP_WK_T_COLDKEY", "MTE8IjIrfyQ6");
        check(&[], None);
        check(&[own], Some("secret pw"));
        check(&[own, (PASSWORD_VARIABLE, "plain")], Some("plain"));
        check(&[own, (PASSWORD_VARIABLE, "")], Some("secret pw"));
        check(&[("BT_PW_OTHER", "MTE8IjIrfyQ6")], None);
    }

    #[test]
    fn a_plain_password_in_the_files_own_variable_is_an_error_without_the_password() {
        let error =
            password_from("k", |name| (name == "BT_PW_K").then(|| "hunter-2!".to_owned())).unwrap_err();
        assert!(error.to_string().contains("BT_PW_K"), "{error}");
        assert!(!format!("{error:?}{error}").contains("hunter"), "{error:?}");
        assert_eq!(format!("{:?}", Password::new("hunter")), "Password(***)");
    }
}
