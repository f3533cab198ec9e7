// SPDX-License-Identifier: Apache-2.0
//! One attempt that must be refused, looked at from three sides: the error shown, the state
//! unchanged, the record present.

use serde_json::Value;

use crate::host::{Host, Ran};
use crate::scene::BEHIND;
use crate::trail::eventually;

/// How a refusal looks to the person.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// "access denied", naming the row of Table 3 that is missing.
    Row(u8),
    /// "access denied", for a right that no row names.
    Denied,
    /// The object is hidden: it looks as if it did not exist.
    Missing,
}

/// Everything that an attempt could change, as one text.
pub fn state(host: &Host) -> String {
    let script = format!(
        r#"B='{BEHIND}'
        for vm in $(virsh -c "$B" list --all --name | sort); do
            echo "vm $vm $(virsh -c "$B" domstate "$vm")"
            virsh -c "$B" dumpxml "$vm" --inactive --security-info | sha256sum
            virsh -c "$B" dominfo "$vm" | grep -E 'Autostart|Managed|Max memory|CPU\(s\)'
            virsh -c "$B" dumpxml "$vm" | grep -E '<source|<interface|<hostdev' || true
            virsh -c "$B" snapshot-list "$vm" --name; virsh -c "$B" checkpoint-list "$vm" --name
        done
        virsh -c "$B" net-list --all; virsh -c "$B" pool-list --all
        virsh -c "$B" nwfilter-list | sort; virsh -c "$B" secret-list
        for net in $(virsh -c "$B" net-list --all --name); do virsh -c "$B" net-dumpxml $net | grep -v connections; done
        virsh -c "$B" vol-list store; ls -l /srv/vms /srv/store /tmp/stolen* 2>/dev/null
        sha256sum /srv/store/*"#
    );
    host.root(&script).out
}

/// The sequence number of the newest record.
pub fn newest_record(host: &Host) -> u64 {
    records(host, "--limit 1").last().and_then(|r| r["seq"].as_u64()).unwrap_or(0)
}

/// Records as `virtwarden audit list --raw --json` prints them, oldest first.
///
/// # Panics
/// The trail cannot be read.
pub fn records(host: &Host, filters: &str) -> Vec<Value> {
    let ran = host.login("root", &format!("virtwarden audit list --raw --json {filters}"));
    assert!(ran.succeeded(), "the trail cannot be read: exit code {}: {}", ran.code, ran.err);
    serde_json::from_str(&ran.out).unwrap_or_default()
}

/// Makes bob try something and insists on a refusal from all three sides.
///
/// # Errors
/// What was not as it must be.
pub fn refused(host: &Host, script: &str, shown: Shown) -> Result<Ran, String> {
    let before = state(host);
    let since = newest_record(host);
    let ran = crate::scene::bob(host, script);
    let after = state(host);
    error_is(&ran, shown)?;
    if before != after {
        return Err(format!("`{script}` changed the state:\n{before}\n--- became ---\n{after}"));
    }
    eventually(|| recorded(host, since, shown))
        .map_err(|why| format!("`{script}`: {why}; it showed: {}", ran.shown()))?;
    Ok(ran)
}

/// Makes bob try many things in one login through another door; `door` prepares his shell, and may
/// rewrite each command. All must fail and change nothing.
///
/// # Errors
/// What was not as it must be.
pub fn refused_through(
    host: &Host,
    door: &str,
    scripts: &[String],
    recording: Recording,
) -> Result<(), String> {
    let before = state(host);
    let since = newest_record(host);
    let mut bundle = format!("{door}\n");
    for script in scripts {
        bundle.push_str(&format!(
            "if ( {script} ) </dev/null >/dev/null 2>&1; then echo 'WORKED: {}'; fi\n",
            quoted(script)
        ));
    }
    let ran = crate::scene::bob(host, &bundle);
    if !ran.out.is_empty() {
        return Err(ran.out);
    }
    if before != state(host) {
        return Err(format!("something changed the state, which was:\n{before}"));
    }
    match recording {
        Recording::Each => eventually(|| each_is_recorded(host, since, scripts.len())),
        Recording::Elsewhere => Ok(()),
    }
}

fn each_is_recorded(host: &Host, since: u64, scripts: usize) -> Result<(), String> {
    let denials: u64 = denials_since(host, since, scripts).iter().map(weight).sum();
    let attempts = u64::try_from(scripts).unwrap_or(u64::MAX);
    if denials < attempts {
        return Err(format!("{denials} denials are on record for {attempts} attempts"));
    }
    Ok(())
}

/// Whether the trail must have a denial for each attempt, or something else refuses before us.
#[derive(Clone, Copy, Debug)]
pub enum Recording {
    /// Each is our denial.
    Each,
    /// virsh, the kernel or libvirt's read-only connection may refuse first.
    Elsewhere,
}

/// How many refusals a record stands for: alike ones in quick succession are counted together.
fn weight(record: &Value) -> u64 {
    record.pointer("/record/count").and_then(Value::as_u64).unwrap_or(1)
}

fn quoted(script: &str) -> String {
    script.replace('\'', "'\\''")
}

fn denials_since(host: &Host, since: u64, at_most: usize) -> Vec<Value> {
    let mut denials = records(host, &format!("--person bob --outcome denied --limit {}", 2 * at_most + 50));
    denials.retain(|record| record["seq"].as_u64().unwrap_or(0) > since);
    denials
}

fn error_is(ran: &Ran, shown: Shown) -> Result<(), String> {
    let text = ran.shown();
    let fits = match shown {
        Shown::Row(row) => text.contains("access denied") && text.contains(&format!("(Table 3, {row})")),
        Shown::Denied => text.contains("access denied"),
        Shown::Missing => text.contains("not found") || text.contains("failed to get"),
    };
    if ran.succeeded() || !fits {
        return Err(format!("expected {shown:?}, exit code {} and: {text}", ran.code));
    }
    Ok(())
}

fn recorded(host: &Host, since: u64, shown: Shown) -> Result<(), String> {
    let news = denials_since(host, since, 1);
    let fits = |record: &Value| match shown {
        Shown::Row(row) => rows(record).contains(&row),
        Shown::Denied | Shown::Missing => true,
    };
    if news.iter().any(fits) { Ok(()) } else { Err(format!("no fitting denial among {news:?}")) }
}

/// The rows of Table 3 that a record names.
fn rows(record: &Value) -> Vec<u8> {
    let slugs = record.pointer("/record/functions").and_then(Value::as_array).cloned().unwrap_or_default();
    slugs.iter().filter_map(|slug| slug.as_str()).filter_map(row_of).collect()
}

fn row_of(slug: &str) -> Option<u8> {
    virtwarden_core::table3::Function::from_slug(slug).map(virtwarden_core::table3::Function::number)
}
