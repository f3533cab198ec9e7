// SPDX-License-Identifier: Apache-2.0
//! Settings: every value by its own row, decided and recorded before anything on the host changes.

use virtwarden_core::control::{FailureKind, Mode, Order, Reply, Report, Request, SettingRow, SettingSource};
use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::setting::{
    AuditServer, Banner, BannerText, CertificateValidity, Certificates, DefaultVm, DirectoryServer,
    HostLevel, HostMedia, IdleLimit, IpsecCryptography, IpsecSuite, Locking, Lockout, PasswordPolicy,
    PasswordStrength, RemoteTimeout, ScreenIdle, ScreenLock, ScreenLockTimeout, SearchBase, ServerName,
    Setting, SettingName, TemplateName, TlsCryptography, TlsSuite, ValidityAction,
};

use super::scene::{Scene, alice, bob};
use crate::settings::Silence;

pub(super) fn warning() -> Setting {
    let text = Some(BannerText::new("TEST TEST Warning Message TEST TEST").unwrap());
    Setting::Banner(Banner { text, ..Banner::default() })
}

pub(super) fn set(setting: Setting, mode: Mode) -> Request {
    Request::SettingSet { setting, reason: "site rule 4".into(), mode }
}

pub(super) fn unset(name: SettingName, mode: Mode) -> Request {
    Request::SettingUnset { name, reason: String::new(), mode }
}

fn one_of_each() -> [Setting; 13] {
    let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
    let address = ServerName::new("log.example.org").ok();
    let base = SearchBase::new("dc=example,dc=org").ok();
    let idle = ScreenIdle::After { seconds: 600, delay: 20 };
    [
        warning(),
        Setting::AuditServer(AuditServer {
            address: address.clone(),
            ca: ca.clone(),
            ..AuditServer::default()
        }),
        Setting::DirectoryServer(DirectoryServer { address, ca, base, ..DirectoryServer::default() }),
        Setting::DefaultVm(DefaultVm { vcpus: 4, ..DefaultVm::default() }),
        Setting::HostMedia(HostMedia { level: HostLevel::Open, ..HostMedia::default() }),
        Setting::Lockout(Lockout::default()),
        Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength { minimum_length: 20, classes: 3 })),
        Setting::RemoteTimeout(RemoteTimeout { idle: IdleLimit::After(600) }),
        Setting::ScreenLock(ScreenLock { locking: Locking::Enabled }),
        Setting::ScreenLockTimeout(ScreenLockTimeout::everybody(idle)),
        Setting::IpsecCryptography(IpsecCryptography { suite: IpsecSuite::Profile }),
        Setting::CertificateValidity(CertificateValidity { action: ValidityAction::Accept }),
        Setting::TlsCryptography(TlsCryptography { suite: TlsSuite::Profile256 }),
    ]
}

pub(super) fn shown(scene: &Scene, name: SettingName) -> SettingRow {
    let Reply::Settings(mut rows) = scene.ask(&alice(), &Request::SettingShow { name }).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

/// Rows 2, 15, 16, 18 and 20 are N for Users, and 10, 13 and 14 are not given to them: no request about any of them gets past the decision.
#[test]
fn a_user_sets_no_row_and_sees_none() {
    for setting in one_of_each() {
        let name = setting.name();
        let requests = [
            set(setting.clone(), Mode::Apply),
            set(setting.clone(), Mode::DryRun),
            unset(name, Mode::Apply),
            Request::SettingShow { name },
        ];
        for request in requests {
            let scene = Scene::new();
            let failure = scene.ask(&bob(), &request).unwrap_err();
            let row = format!("(Table 3, {})", name.function().number());
            assert!(failure.message.contains(&row), "{request:?}: {}", failure.message);
            assert_eq!(scene.control.settings.value(name), name.default_value());
            assert!(scene.orders().is_empty());
            let [denial] = scene.told().try_into().unwrap();
            assert_eq!((denial.kind, denial.functions), (Kind::Denial, vec![name.function()]));
        }
    }
}

#[test]
fn a_value_is_recorded_put_on_the_host_kept_and_recorded() {
    for setting in one_of_each() {
        let scene = Scene::new();
        let name = setting.name();
        let change = scene.change(&alice(), &set(setting.clone(), Mode::Apply)).unwrap();
        assert!(change.differences.iter().any(|line| line.starts_with("/etc/")), "{change:?}");
        assert_eq!(scene.orders(), [Order::Apply { setting: setting.clone(), mode: Mode::Apply }]);
        assert_eq!(scene.control.settings.value(name), setting);
        let [attempt, outcome] = scene.told().try_into().unwrap();
        assert_eq!((attempt.kind, attempt.operation.as_str()), (Kind::Attempt, name.set_operation()));
        assert_eq!(attempt.detail, format!("to {setting}; reason: site rule 4"));
        assert_eq!((outcome.kind, outcome.outcome), (Kind::Outcome, Outcome::Success));
        assert_eq!(outcome.detail, format!("{name}: {} -> {setting}", name.default_value()));
        let source =
            SettingSource::Set { by: "alice".into(), at: 1_700_000_000, reason: "site rule 4".into() };
        assert_eq!(shown(&scene, name).source, source);
    }
}

/// Between a server that is taken back and the next lies what nobody is to be sent; between two there is nothing.
#[test]
fn sending_begins_with_the_first_audit_server_and_goes_on_with_the_next() {
    let scene = Scene::new();
    let server = |address| {
        let ca = Certificates::new("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").ok();
        Setting::AuditServer(AuditServer {
            address: ServerName::new(address).ok(),
            ca,
            ..AuditServer::default()
        })
    };
    scene.change(&alice(), &set(server("log.example.org"), Mode::DryRun)).unwrap();
    assert_eq!(scene.sending_began(), 0);
    scene.change(&alice(), &set(server("log.example.org"), Mode::Apply)).unwrap();
    scene.change(&alice(), &set(server("other.example.org"), Mode::Apply)).unwrap();
    assert_eq!(scene.sending_began(), 1);
    scene.change(&alice(), &unset(SettingName::AuditServer, Mode::Apply)).unwrap();
    scene.change(&alice(), &set(server("log.example.org"), Mode::Apply)).unwrap();
    assert_eq!(scene.sending_began(), 2);
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_it_would() {
    let scene = Scene::new();
    let change = scene.change(&alice(), &set(warning(), Mode::DryRun)).unwrap();
    assert_eq!(
        change.differences,
        [
            "banner: none -> \"TEST TEST Warning Message TEST TEST\" (35 bytes)",
            "/etc/issue.d/90-virtwarden.issue: new",
        ]
    );
    assert_eq!(scene.orders(), [Order::Apply { setting: warning(), mode: Mode::DryRun }]);
    assert_eq!(scene.control.settings.banner(), Banner::default());
    assert!(scene.told()[1].detail.starts_with("dry run: "));
}

#[test]
fn taking_a_value_back_withdraws_its_files_but_the_lockout_stays_in_force() {
    let scene = Scene::new();
    for setting in one_of_each() {
        let name = setting.name();
        scene.change(&alice(), &set(setting, Mode::Apply)).unwrap();
        scene.change(&alice(), &unset(name, Mode::Apply)).unwrap();
        let expected = match name {
            SettingName::Banner
            | SettingName::DefaultVm
            | SettingName::PasswordPolicy
            | SettingName::AuditServer
            | SettingName::DirectoryServer
            | SettingName::RemoteTimeout
            | SettingName::ScreenLock
            | SettingName::ScreenLockTimeout
            | SettingName::SshCryptography
            | SettingName::IpsecCryptography
            | SettingName::TimeServers
            | SettingName::TlsCryptography => Order::Withdraw { name, mode: Mode::Apply },
            SettingName::HostMedia | SettingName::Lockout | SettingName::CertificateValidity => {
                Order::Apply { setting: name.default_value(), mode: Mode::Apply }
            }
        };
        assert_eq!(scene.orders().pop().unwrap(), expected);
        assert_eq!(scene.control.settings.source(name), SettingSource::Default);
        assert_eq!(scene.told().pop().unwrap().operation, name.unset_operation());
    }
}

#[test]
fn what_the_host_does_not_take_is_not_kept() {
    for (answer, kind, outcome) in [
        (Ok(Report::Failed("sshd says no".into())), FailureKind::Error, Outcome::Failure),
        (Err(Silence::Away("nobody".into())), FailureKind::Unavailable, Outcome::Failure),
        (Err(Silence::Lost("hung up".into())), FailureKind::Unavailable, Outcome::Unknown),
    ] {
        let scene = Scene::new();
        scene.settingsd_says(answer);
        let failure = scene.ask(&alice(), &set(warning(), Mode::Apply)).unwrap_err();
        assert_eq!(failure.kind, kind);
        assert_eq!(scene.control.settings.banner(), Banner::default());
        let last = scene.told().pop().unwrap();
        assert_eq!((last.outcome, &last.detail), (outcome, &failure.message));
    }
}

#[test]
fn what_cannot_be_kept_does_not_stay_on_the_host() {
    let scene = Scene::new();
    scene.fill_disk();
    let failure = scene.ask(&alice(), &set(warning(), Mode::Apply)).unwrap_err();
    assert!(failure.message.contains("the host is as it was"), "{}", failure.message);
    let withdrawn = Order::Withdraw { name: SettingName::Banner, mode: Mode::Apply };
    assert_eq!(scene.orders().pop().unwrap(), withdrawn);
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
}

#[test]
fn what_cannot_be_recorded_does_not_reach_the_host() {
    let scene = Scene::new();
    scene.shut_trail();
    for request in [set(warning(), Mode::Apply), unset(SettingName::Banner, Mode::Apply)] {
        assert_eq!(scene.ask(&alice(), &request).unwrap_err().kind, FailureKind::Unavailable);
    }
    assert!(scene.orders().is_empty());
}

#[test]
fn an_illegal_value_goes_no_further() {
    let scene = Scene::new();
    let short =
        Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength { minimum_length: 4, classes: 1 }));
    let failure = scene.ask(&alice(), &set(short, Mode::Apply)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Usage);
    assert!(failure.message.contains("from 8 to 128, not 4"), "{}", failure.message);
    assert!(scene.orders().is_empty());
    assert_eq!(scene.told().pop().unwrap().outcome, Outcome::Failure);
}

#[test]
fn drift_is_shown_and_so_is_that_it_cannot_be_known() {
    let scene = Scene::new();
    scene.settingsd_says(Ok(Report::Drift(vec!["`/etc/virtwarden/banner` is missing".into()])));
    assert_eq!(shown(&scene, SettingName::Banner).drift, ["`/etc/virtwarden/banner` is missing"]);
    scene.settingsd_says(Err(Silence::Away("settingsd cannot be reached".into())));
    let Reply::Settings(rows) = scene.ask(&alice(), &Request::SettingList).unwrap() else {
        panic!("another answer")
    };
    assert_eq!(rows.len(), SettingName::ALL.len());
    assert!(rows.iter().all(|row| row.drift[0].contains("cannot be reached")), "{rows:?}");
}

#[test]
fn the_default_vm_counts_for_new_ones_and_names_a_template_that_is_there() {
    let scene = Scene::new();
    let of =
        |name: &str| DefaultVm { template: Some(TemplateName::new(name).unwrap()), memory: 64, vcpus: 1 };
    let missing = scene.change(&alice(), &set(Setting::DefaultVm(of("nowhere")), Mode::Apply)).unwrap_err();
    assert_eq!(missing.kind, FailureKind::NotFound);
    assert_eq!(shown(&scene, SettingName::DefaultVm).source, SettingSource::Default);
    scene.change(&alice(), &set(Setting::DefaultVm(of("server")), Mode::Apply)).unwrap();
    let new = super::create::create(super::create::wish("new", None), None, Mode::Apply);
    let change = scene.change(&alice(), &new).unwrap();
    assert_eq!(change.differences, ["+VM new from template server"]);
    let [job] = scene.bench.jobs().try_into().unwrap();
    assert_eq!(job.definition.text_of("memory").as_deref(), Some("64"));
    assert_eq!(job.definition.text_of("vcpu").as_deref(), Some("1"));
}
