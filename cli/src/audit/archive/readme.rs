// SPDX-License-Identifier: Apache-2.0
//! The page in each archive.

/// What whoever opens the archive reads.
pub(super) const TEXT: &str = "\
This is an audit trail of Virtwarden, whole, as it was stored on its host.

audit/NNNNNNNN.jsonl  the segments: one JSON object per line, each chained to the one before by its hash
trail.pub             the public keys (Ed25519) whose signatures the checkpoint lines carry, oldest first
trail.head            the newest checkpoint that the host kept apart from the trail: the trail must contain it

To check it, on any machine that has the `virtwarden` command; no daemon and no rights are needed:

    virtwarden audit verify FILE                        by the key in this archive
    virtwarden audit verify FILE --key TRUSTED.pub      by a copy of the key that was kept elsewhere

The first way shows that nothing was changed since somebody sealed it. Only the second shows that it was the host
that sealed it: keep a copy of /var/lib/virtwarden/trail.pub apart from the host, when it is set up.

Segments that an Administrator deleted before are told by records of their own (`trail remove`), which name the last
sequence number and hash that went. A beginning that is missing without such a record was taken by somebody else, and
the check says so (exit code 11).

Each line ends in `,\"hash\":\"...\"}`: SHA-256 over the 32 bytes of the hash of the line before (zeros before the first)
and the line up to `,\"hash\"`.
";
