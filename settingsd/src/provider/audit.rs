// SPDX-License-Identifier: Apache-2.0
//! Where the audit trail is sent: an rsyslogd of its own, whose one input policyd alone reaches. Row 18, FAU_STG_EXT.1.
//!
//! Not the host's rsyslogd: everybody can write into /dev/log, so nothing that comes from there is evidence, and a
//! site's own rules must not touch what passes here.

use virtwarden_core::setting::{AuditServer, SettingName};

use super::{Derived, Provider, Rendered, certificates, sshd};
use crate::host::Host;
use crate::program::Input;

const RSYSLOGD: &str = "/usr/sbin/rsyslogd";
/// rsyslog's modules, below a directory that is called after the machine.
const LIBRARIES: &str = "/usr/lib";
/// TLS by OpenSSL.
const DRIVER: &str = "rsyslog/lmnsd_ossl.so";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const UNIT: &str = "virtwarden-audit-server.service";

const CONFIGURATION: &str = "/etc/virtwarden/audit-server/rsyslog.conf";
const CA: &str = "/etc/virtwarden/audit-server/ca.pem";
/// Starts it with the host.
const WANTED: &str = "/etc/systemd/system/multi-user.target.d/50-virtwarden-audit-server.conf";

/// The audit server's files.
pub(crate) struct AuditServerFiles;

impl Provider for AuditServerFiles {
    type Value = AuditServer;
    const NAME: SettingName = SettingName::AuditServer;
    const FILES: &'static [&'static str] = &[CONFIGURATION, CA, WANTED];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, value: &AuditServer) -> Result<(), String> {
        let Some(known) = value.known().map_err(|error| error.to_string())? else { return Ok(()) };
        let drivers =
            host.names(LIBRARIES).into_iter().map(|machine| format!("{LIBRARIES}/{machine}/{DRIVER}"));
        if !host.has(RSYSLOGD) || !drivers.into_iter().any(|driver| host.has(&driver)) {
            return Err(
                "records are sent by rsyslog with TLS; install rsyslog and rsyslog-openssl".to_owned()
            );
        }
        certificates::examine(host, known.ca)
    }

    fn render(_host: &Host, value: &AuditServer) -> Result<Vec<Rendered>, String> {
        let Some(known) = value.known().map_err(|error| error.to_string())? else { return Ok(Vec::new()) };
        let action = [
            ("type", "omfwd".to_owned()),
            ("target", known.address.to_string()),
            ("port", known.port.to_string()),
            ("protocol", "tcp".to_owned()),
            ("TCP_Framing", "octet-counted".to_owned()),
            ("template", "record".to_owned()),
            ("StreamDriver", "ossl".to_owned()),
            ("StreamDriverMode", "1".to_owned()),
            ("StreamDriverAuthMode", "x509/name".to_owned()),
            ("StreamDriverPermittedPeers", known.peer.to_string()),
            ("StreamDriver.PermitExpiredCerts", "off".to_owned()),
            ("StreamDriver.CAFile", CA.to_owned()),
            // On disk before it is sent, for as long as the server is away; when there is no room, policyd waits.
            ("queue.type", "Disk".to_owned()),
            ("queue.filename", "waiting".to_owned()),
            ("queue.maxDiskSpace", "1g".to_owned()),
            ("queue.syncQueueFiles", "on".to_owned()),
            ("queue.checkpointInterval", "1".to_owned()),
            ("queue.timeoutEnqueue", "3600000".to_owned()),
            ("action.resumeRetryCount", "-1".to_owned()),
            ("action.resumeInterval", "5".to_owned()),
            ("action.resumeIntervalMax", "60".to_owned()),
        ];
        let action: String = action.iter().map(|(name, value)| format!("    {name}=\"{value}\"\n")).collect();
        let text = format!(
            "{}global(workDirectory=\"/var/lib/virtwarden/audit-server\" maxMessageSize=\"128k\")\n\
             module(load=\"imuxsock\" SysSock.Use=\"off\")\n\
             input(type=\"imuxsock\" Socket=\"/run/virtwarden/audit-server/records\" UseSpecialParser=\"off\" \
             ParseHostname=\"on\" UseSysTimeStamp=\"off\" RateLimit.Interval=\"0\" ruleset=\"records\")\n\
             template(name=\"record\" type=\"string\" string=\"<%PRI%>1 %TIMESTAMP:::date-rfc3339% %$myhostname% \
             virtwarden - %MSGID% - %msg%\")\n\
             ruleset(name=\"records\" queue.type=\"Direct\") {{\n  action(\n{action}  )\n}}\n",
            sshd::HEAD
        );
        let wanted = format!("{}[Unit]\nWants={UNIT}\n", sshd::HEAD);
        Ok(vec![
            Rendered { path: CA, text: known.ca.as_str().to_owned() },
            Rendered { path: CONFIGURATION, text },
            Rendered { path: WANTED, text: wanted },
        ])
    }

    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String> {
        let ours = rendered.iter().find(|file| file.path == CONFIGURATION);
        ours.map_or(Ok(()), |file| {
            host.with_candidate(&file.text, |path| host.must(&[RSYSLOGD, "-N1", "-f", path]).map(drop))
                .map_err(|why| format!("rsyslog does not take its configuration: {why}"))
        })
    }

    fn take_effect(host: &Host) -> Result<(), String> {
        host.must(&[SYSTEMCTL, "daemon-reload"])?;
        if !host.has(CONFIGURATION) {
            return host.must(&[SYSTEMCTL, "stop", UNIT]).map(drop);
        }
        let _unknown = host.run(&[SYSTEMCTL, "reset-failed", UNIT], Input::Nothing);
        host.must(&[SYSTEMCTL, "restart", UNIT]).map(drop)
    }

    fn read_back(host: &Host, value: &AuditServer) -> Vec<String> {
        if value.address.is_none() {
            return Vec::new();
        }
        match host.run(&[SYSTEMCTL, "is-active", "--quiet", UNIT], Input::Nothing) {
            Ok(ran) if ran.succeeded() => Vec::new(),
            Ok(_) => {
                vec![format!("nothing is sent: `{UNIT}` does not run; `systemctl status {UNIT}` says why")]
            }
            Err(why) => vec![why],
        }
    }

    fn remarks(_host: &Host, _value: &AuditServer) -> Vec<String> {
        Vec::new()
    }
}
