// SPDX-License-Identifier: Apache-2.0
//! What exactly is signed: short texts that can also be checked by hand.

use crate::trail::digest::Digest;
use crate::trail::entry::{Checkpoint, Introduction};
use crate::trail::key::{KeyError, PublicKey, SigningKey};
use crate::trail::line::Stamp;

/// What a checkpoint states, before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The sequence number of the last sealed line.
    pub sealed: u64,
    /// The hash of that line.
    pub head: Digest,
    /// The digest of the policy in force.
    pub policy: Digest,
    /// The segment that the checkpoint stands in.
    pub segment: u64,
}

impl Statement {
    /// Signs the statement as made at a moment.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn seal(&self, stamp: &Stamp, key: &SigningKey) -> Result<Checkpoint, KeyError> {
        let Statement { sealed, head, policy, segment } = *self;
        let id = key.public().id();
        let message = format!("{}key {id}\n", self.text(stamp));
        let signature = key.sign(message.as_bytes())?;
        Ok(Checkpoint { sealed, head, policy, segment, key: id, signature })
    }

    fn text(&self, stamp: &Stamp) -> String {
        let Statement { sealed, head, policy, segment } = self;
        let Stamp { time, boot, up } = stamp;
        format!(
            "virtwarden trail checkpoint 1\nsealed {sealed}\nhead {head}\npolicy {policy}\nsegment {segment}\n\
             time {time}\nboot {boot}\nup {up}\n"
        )
    }
}

impl Checkpoint {
    /// Whether the key signed this checkpoint at the moment that its line names.
    pub fn is_signed_by(&self, key: &PublicKey, stamp: &Stamp) -> bool {
        let Checkpoint { sealed, head, policy, segment, key: id, ref signature } = *self;
        let statement = Statement { sealed, head, policy, segment };
        let message = format!("{}key {id}\n", statement.text(stamp));
        id == key.id() && key.verifies(message.as_bytes(), signature)
    }
}

impl Introduction {
    /// The retiring key vouches for the one that follows it.
    ///
    /// # Errors
    /// If the key cannot sign.
    pub fn new(retiring: &SigningKey, key: PublicKey) -> Result<Self, KeyError> {
        let id = retiring.public().id();
        let signature = retiring.sign(introduction(id, &key).as_bytes())?;
        Ok(Self { retiring: id, key, signature })
    }

    /// Whether the key vouched for the new one.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = introduction(self.retiring, &self.key);
        self.retiring == key.id() && key.verifies(message.as_bytes(), &self.signature)
    }
}

fn introduction(retiring: crate::trail::key::KeyId, key: &PublicKey) -> String {
    let key = String::from(*key);
    format!("virtwarden trail key 1\nretiring {retiring}\nkey {key}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Uuid;
    use crate::trail::time::Time;

    #[test]
    fn each_field_of_a_checkpoint_is_under_its_signature() {
        let key = SigningKey::generate().unwrap();
        let stamp = Stamp { time: Time::from_micros(1), boot: Uuid([1; 16]), up: 1 };
        let statement = Statement { sealed: 1, head: Digest::of(b"1"), policy: Digest::of(b"2"), segment: 1 };
        let good = statement.seal(&stamp, &key).unwrap();
        assert!(good.is_signed_by(&key.public(), &stamp));

        let other = Digest::of(b"other");
        let changed = [
            (Checkpoint { sealed: 2, ..good.clone() }, stamp),
            (Checkpoint { head: other, ..good.clone() }, stamp),
            (Checkpoint { policy: other, ..good.clone() }, stamp),
            (Checkpoint { segment: 2, ..good.clone() }, stamp),
            (good.clone(), Stamp { time: Time::from_micros(2), ..stamp }),
            (good.clone(), Stamp { boot: Uuid([2; 16]), ..stamp }),
            (good, Stamp { up: 2, ..stamp }),
        ];
        for (checkpoint, stamp) in changed {
            assert!(!checkpoint.is_signed_by(&key.public(), &stamp), "{checkpoint:?} {stamp:?}");
        }
    }

    #[test]
    fn only_the_retiring_key_can_introduce() {
        let (old, new) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let good = Introduction::new(&old, new.public()).unwrap();
        assert!(good.is_signed_by(&old.public()));
        assert!(!good.is_signed_by(&new.public()));
        let forged = Introduction { key: old.public(), ..good };
        assert!(!forged.is_signed_by(&old.public()));
    }
}
