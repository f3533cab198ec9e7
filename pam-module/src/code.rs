// SPDX-License-Identifier: Apache-2.0
//! libpam's return codes.

use std::ffi::c_int;

macro_rules! codes {
    ($($name:ident = $number:literal $meaning:literal),* $(,)?) => {
        /// What a function of libpam or of a module returns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// The number in C.
            pub const fn to_raw(self) -> c_int {
                match self { $(Code::$name => $number,)* }
            }

            /// From the number in C. One that libpam does not have is an error of the system.
            pub const fn from_raw(number: c_int) -> Self {
                match number { $($number => Code::$name,)* _ => Code::SystemErr }
            }

            /// What it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    Success = 0 "success",
    OpenErr = 1 "a module cannot be loaded",
    SymbolErr = 2 "a module lacks a function",
    ServiceErr = 3 "error in a module",
    SystemErr = 4 "system error",
    BufErr = 5 "out of memory",
    PermDenied = 6 "permission denied",
    AuthErr = 7 "authentication failed",
    CredInsufficient = 8 "authentication data cannot be read",
    AuthinfoUnavail = 9 "authentication service is away",
    UserUnknown = 10 "account is not known",
    Maxtries = 11 "too many tries",
    NewAuthtokReqd = 12 "a new password is due",
    AcctExpired = 13 "account has expired",
    SessionErr = 14 "session cannot be opened or closed",
    CredUnavail = 15 "credentials are away",
    CredExpired = 16 "credentials have expired",
    CredErr = 17 "credentials cannot be set",
    NoModuleData = 18 "no data of a module",
    ConvErr = 19 "conversation failed",
    AuthtokErr = 20 "password cannot be changed",
    AuthtokRecoveryErr = 21 "password cannot be recovered",
    AuthtokLockBusy = 22 "password is being changed",
    AuthtokDisableAging = 23 "password ageing is off",
    TryAgain = 24 "the password service is not ready",
    Ignore = 25 "ignore this module",
    Abort = 26 "abort",
    AuthtokExpired = 27 "password has expired",
    ModuleUnknown = 28 "module is not known",
    BadItem = 29 "bad item",
    ConvAgain = 30 "conversation will go on later",
    Incomplete = 31 "call again",
}

impl Code {
    /// `Ok` for success, itself otherwise.
    ///
    /// # Errors
    /// Everything but success.
    pub const fn ok(self) -> Result<(), Self> {
        if self.to_raw() == Code::Success.to_raw() { Ok(()) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_maps_both_ways() {
        for number in 0..32 {
            assert_eq!(Code::from_raw(number).to_raw(), number);
        }
        for number in [-1, 32, c_int::MAX, c_int::MIN] {
            assert_eq!(Code::from_raw(number), Code::SystemErr);
        }
    }

    #[test]
    fn only_success_is_ok() {
        let ok: Vec<c_int> = (-1..40).filter(|number| Code::from_raw(*number).ok().is_ok()).collect();
        assert_eq!(ok, [0]);
    }
}
