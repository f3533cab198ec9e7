// SPDX-License-Identifier: Apache-2.0
//! Looking whether the gate is really the only way: at the running host, not at what was written.

use std::os::unix::fs::MetadataExt;

use crate::takeover::connections::{self, PUBLIC_SOCKETS};
use crate::takeover::finding::{Finding, Severity};
use crate::takeover::host::Host;
use crate::takeover::journal::{Journal, Phase};
use crate::takeover::plan::{POLKIT_RULE, Step};
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;
use crate::takeover::{
    accounts, administrators, definitions, images, libvirt, logins, machine, own_daemons, place, setuid, wall,
};

/// Everything that must run for the gate to be in service.
pub(crate) const IN_SERVICE: &[&str] = &[
    "virtwarden-policyd.socket",
    "virtwarden-policyd-ro.socket",
    "virtwarden-control.socket",
    "virtwarden-login.socket",
    "virtwarden-settingsd.socket",
    "virtwarden-elevate.socket",
    "virtwarden-policyd.service",
    "virtwarden-witness.service",
    "libvirtd.socket",
    "libvirtd-ro.socket",
];

/// Sockets that are root's alone.
const ROOT_SOCKETS: &[&str] = &[
    "/run/libvirt/libvirt-admin-sock",
    "/run/libvirt/virtlogd-sock",
    "/run/libvirt/virtlogd-admin-sock",
    "/run/libvirt/virtlockd-sock",
    "/run/libvirt/virtlockd-admin-sock",
];

const UPSTREAM: &str = "/run/virtwarden/upstream";
const UPSTREAM_SOCKETS: &[&str] =
    &["/run/virtwarden/upstream/libvirt-sock", "/run/virtwarden/upstream/libvirt-sock-ro"];

/// Whether all units that belong to the gate run.
pub(crate) fn is_in_service(host: &Host<'_>) -> Result<bool, Trouble> {
    Ok(down(host)?.is_empty())
}

/// The units that should run and do not.
fn down(host: &Host<'_>) -> Result<Vec<&'static str>, Trouble> {
    let mut down = Vec::new();
    for unit in IN_SERVICE {
        if is_down(host, unit)? {
            down.push(*unit);
        }
    }
    Ok(down)
}

/// Whether a unit that should run does not.
pub(crate) fn is_down(host: &Host<'_>, unit: &str) -> Result<bool, Trouble> {
    Ok(!libvirt::is_active(host, unit)?)
}

/// What must be true right after taking over.
///
/// # Errors
/// The first thing that is not.
pub(crate) fn verify(host: &Host<'_>) -> Result<(), Trouble> {
    let looks = [units(host)?, listeners(host)?, upstream(host)?, answer(host)];
    match looks.into_iter().flatten().find(|finding| finding.severity == Severity::Problem) {
        Some(finding) => Err(Trouble::Refused(format!("{}; {}", finding.what, finding.remedy))),
        None => Ok(()),
    }
}

/// Everything that can be looked at.
pub(crate) fn everything(host: &Host<'_>, steps: &[Step]) -> Result<Vec<Finding>, Trouble> {
    let Some(journal) = Journal::load(host)? else {
        let what = "this host is not taken over: libvirt's own rules apply";
        return Ok(vec![Finding::problem(what, "`virtwarden enable --admin USER`")]);
    };
    let looks = [
        phase(&journal),
        steps.iter().filter_map(drift).collect(),
        units(host)?,
        listeners(host)?,
        upstream(host)?,
        remote(host)?,
        answer(host),
        polkit_order(host),
        root_sockets(host),
        logins::look(host)?,
        people(host)?,
        machine::look(host),
        definitions::look(host),
        images::look(host),
        setuid::look(host),
        wall::look(host),
        own_daemons::running(host).into_iter().map(|what| own_daemon(&what)).collect(),
    ];
    Ok(looks.into_iter().flatten().collect())
}

fn phase(journal: &Journal) -> Vec<Finding> {
    vec![match journal.phase {
        Phase::Enabled => Finding::good("libvirt is taken over"),
        Phase::Enabling => Finding::problem(
            "taking over was interrupted",
            "`virtwarden enable` finishes it, `virtwarden disable` takes it back",
        ),
        Phase::Disabling => {
            Finding::problem("giving back was interrupted", "`virtwarden disable` finishes it")
        }
    }]
}

fn drift(step: &Step) -> Option<Finding> {
    let what = match step.standing {
        Standing::InPlace => return None,
        Standing::Missing => format!("missing: {}", step.change),
        Standing::Different => format!("changed by somebody: {}", step.change),
    };
    Some(Finding::problem(what, "`virtwarden enable` repairs it"))
}

fn units(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let down = down(host)?;
    if down.is_empty() {
        return Ok(vec![Finding::good("monitor and libvirtd's own sockets are up")]);
    }
    let remedy = |unit: &str| format!("`journalctl -u {unit}` says why");
    Ok(down.iter().map(|unit| Finding::problem(format!("{unit} is not running"), remedy(unit))).collect())
}

pub(crate) fn listeners(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let holders = connections::listeners(host)?;
    let foreign: Vec<&str> =
        holders.iter().map(String::as_str).filter(|holder| holder.starts_with("libvirtd ")).collect();
    Ok(vec![if foreign.is_empty() {
        Finding::good(format!("{} are the monitor's", PUBLIC_SOCKETS.join(", ")))
    } else {
        let what = format!("{} listens on libvirt's public socket, past the monitor", foreign.join(", "));
        Finding::problem(what, "end it, then `virtwarden enable`")
    }])
}

/// Who listens where libvirt's daemons would, for people of other hosts.
fn remote(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let found = connections::remote(host)?.into_iter().map(|who| {
        Finding::problem(
            format!("{who} listens on the network, past the monitor"),
            "`systemctl mask --now libvirtd-tcp.socket libvirtd-tls.socket`, or end what else listens on libvirt's ports",
        )
    });
    Ok(found.collect())
}

pub(crate) fn upstream(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let (owner, group) = (host.owner()?, accounts::group_id(host, "virtwarden")?);
    let is_closed = |path: &str, mode: u32| {
        let place = host.path(path);
        let found = place.metadata();
        found.is_ok_and(|found| (found.uid(), found.gid(), found.mode() & 0o7777) == (owner, group, mode))
            && !place::has_access_list(&place)
    };
    if !is_closed(UPSTREAM, 0o750) {
        return Ok(vec![Finding::problem(
            format!("{UPSTREAM} is not root:virtwarden 0750"),
            "`systemd-tmpfiles --create virtwarden.conf`, then `virtwarden enable`",
        )]);
    }
    let sockets = UPSTREAM_SOCKETS.iter().filter(|path| host.has(path) && !is_closed(path, 0o660));
    let open: Vec<_> = sockets
        .map(|path| {
            Finding::problem(
                format!("{path} is not root:virtwarden 0660"),
                "`systemctl restart libvirtd.socket libvirtd-ro.socket`",
            )
        })
        .collect();
    let good = Finding::good(format!("{UPSTREAM} is closed to everybody else"));
    Ok(if open.is_empty() { vec![good] } else { open })
}

/// Asks through the public socket, as root.
fn answer(host: &Host<'_>) -> Vec<Finding> {
    if !host.has("/usr/bin/virsh") {
        return Vec::new();
    }
    vec![match host.run("timeout", &["30", "virsh", "-q", "-c", "qemu:///system", "list"]) {
        Ok(_) => Finding::good("libvirt answers through the monitor"),
        Err(trouble) => {
            let what = format!("libvirt does not answer through the monitor: {trouble}");
            Finding::problem(what, "`journalctl -u virtwarden-policyd -u libvirtd` says why")
        }
    }]
}

/// The first rule that answers counts, in the order of file names over both directories.
pub(crate) fn polkit_order(host: &Host<'_>) -> Vec<Finding> {
    let ours = POLKIT_RULE.rsplit('/').next().unwrap_or_default();
    let directories = ["/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d"];
    let names = directories.iter().flat_map(|directory| host.list(directory));
    let earlier: Vec<String> =
        names.filter(|name| name.ends_with(".rules") && name.as_str() < ours).collect();
    vec![if earlier.is_empty() {
        Finding::good("polkit asks the monitor's rule first")
    } else {
        Finding::problem(
            format!("polkit asks {} before {ours}", earlier.join(", ")),
            "rename what comes first",
        )
    }]
}

pub(crate) fn root_sockets(host: &Host<'_>) -> Vec<Finding> {
    let open = ROOT_SOCKETS.iter().filter(|path| {
        host.path(path).metadata().is_ok_and(|socket| socket.uid() != 0 || socket.mode() & 0o077 != 0)
    });
    open.map(|path| {
        Finding::problem(
            format!("{path} is open to others than root"),
            "look for a drop-in of its unit: `systemctl cat`",
        )
    })
    .collect()
}

fn people(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let strong = accounts::too_strong(host)?;
    let mut found: Vec<Finding> = strong.into_iter().map(|what| Finding::warning(what, "")).collect();
    match administrators::present(host) {
        Ok(present) if present.is_empty() => found.push(Finding::problem(
            "nobody but root is an Administrator",
            "`virtwarden enable --admin USER`",
        )),
        Ok(_) => {}
        Err(trouble) => found.push(Finding::problem(
            format!("who is an Administrator cannot be told: {}", first_line(&trouble)),
            "mend what stands there, then ask again",
        )),
    }
    Ok(found)
}

/// Of what takes several, as mistakes in a policy do.
pub(crate) fn first_line(trouble: &Trouble) -> String {
    trouble.to_string().lines().next().unwrap_or_default().to_owned()
}

fn own_daemon(what: &str) -> Finding {
    Finding::warning(
        format!("{what} runs outside the system's libvirt"),
        "it ends at logout and cannot be started again",
    )
}
