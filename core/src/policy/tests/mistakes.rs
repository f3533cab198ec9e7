// SPDX-License-Identifier: Apache-2.0
//! Each mistake an administrator can make, where it is found and what is said.

use super::*;

fn mistakes(text: &str) -> Vec<String> {
    let loaded = Policy::load(&[Source { name: "10-site.toml", text }]);
    loaded.err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// Line and column of the only mistake, and a part of what is said.
fn check(text: &str, place: &str, said: &str) {
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    assert!(found[0].starts_with(&format!("10-site.toml:{place}: ")), "{text}\n{}", found[0]);
    assert!(found[0].contains(said), "{text}\n{}", found[0]);
}

#[test]
fn what_is_not_toml_is_found_where_it_breaks() {
    check("[vm]\nraw = nobody\n", "2:7", "not valid TOML");
    check("[vm\n", "1:4", "not valid TOML");
    check("[vm]\n[vm]\n", "2:2", "not valid TOML");
    check("[vm]\nraw = \"nobody\"\nraw = \"nobody\"\n", "3:1", "not valid TOML");
}

#[test]
fn unknown_keys_and_tables_are_found_with_what_was_probably_meant() {
    check("[rolle.x]\n", "1:2", "unknown key `rolle`, expected `role`, `information-domain`");
    check("[rolle.x]\n", "1:2", "did you mean `role`?");
    check("frobnicate = 1\n", "1:1", "unknown key `frobnicate`");
    check("[role.x]\ncolumn = \"user\"\nuser = [\"bob\"]\n", "3:1", "did you mean `users`?");
    check(
        "[vm]\nrow = \"nobody\"\n",
        "2:1",
        "expected `raw`, `snapshots` or `template`; did you mean `raw`?",
    );
    check("[media]\nusbs = 1\n", "2:1", "did you mean `usb`?");
    check("[saved]\npath = \"/x\"\n", "2:1", "unknown key `path`, expected `directory`");
    check("[audit]\nsize = 1\n", "2:1", "unknown key `size`");
    check("[gate]\nconections = 1\n", "2:1", "did you mean `connections`?");
    check("[information-domain.red]\nnetwork = []\n", "2:1", "did you mean `networks`?");
    check(
        "[role.x]\ncolumn = \"user\"\nquota = { vms = 1, memory = \"1 GiB\", vcpus = 1, disks = 2 }\n",
        "3:49",
        "unknown key `disks`",
    );
}

#[test]
fn media_rules_are_read_strictly() {
    check("[media]\nusb = 1\n", "2:7", "expected a table");
    check("[media]\nusb = { access = \"read-only\" }\n", "2:1", "missing key `rule`");
    check(
        "[media]\nusb = { rule = \"always-deny\" }\n",
        "2:16",
        "expected `grant`, `eject-first`, `ask-user` or `deny`",
    );
    check("[media]\nusb = { rule = \"deny\", acces = 1 }\n", "2:24", "did you mean `access`?");
    check(
        "[media]\nusb = { rule = \"grant\", granted = \"all\" }\n",
        "2:35",
        "expected \"all-vms\" or a list",
    );
    check("[device-class.x]\nrule = \"deny\"\n", "1:15", "missing key `match`");
    check(
        "[device-class.x]\nrule = \"deny\"\nmatch = [{ vendor = \"951\" }]\n",
        "3:21",
        "four hexadecimal digits",
    );
    check("[device-class.x]\nrule = \"deny\"\nmatch = [{}]\n", "3:10", "at least one of kind");
}

#[test]
fn a_role_needs_a_column_that_its_name_does_not_contradict() {
    check(
        "[role.x]\nusers = [\"bob\"]\n",
        "1:7",
        "missing key `column`, expected column = \"administrator\"",
    );
    check(
        "[role.x]\ncolumn = \"users\"\n",
        "2:10",
        "expected `administrator` or `user`; did you mean `user`?",
    );
    check("[role.x]\ncolumn = 1\n", "2:10", "found `1`, expected `administrator` or `user`");
    check("[role.administrator]\ncolumn = \"user\"\n", "2:10", "must have column = \"administrator\"");
    check("[role.user]\ncolumn = \"administrator\"\n", "2:10", "must have column = \"user\"");
}

#[test]
fn functions_are_known_stand_once_and_stay_in_their_column() {
    let role = "[role.x]\ncolumn = \"user\"\n";
    check(&format!("{role}functions = [\"strat\"]\n"), "3:14", "did you mean `start`?");
    check(
        &format!("{role}functions = [\"stop\",\n  22]\n"),
        "4:3",
        "found `22`, expected a function of Table 3",
    );
    check(&format!("{role}functions = \"stop\"\n"), "3:13", "found `stop`, expected \"all\" or a list");
    check(&format!("{role}functions = [\"stop\", \"stop\"]\n"), "3:22", "`stop` stands here twice");
    check(
        &format!("{role}functions = [\"stop\", \"configure-banner\"]\n"),
        "3:22",
        "`configure-banner` is marked N for the user column (Table 3, 20)",
    );
    check(&format!("{role}also = [\"raw\"]\n"), "3:9", "`raw` cannot be held by a role of the user column");
    check(&format!("{role}also = [\"review\"]\n"), "3:9", "`review` cannot be held");
    check(&format!("{role}also = [\"administer\"]\n"), "3:9", "`administer` cannot be held");
    check(&format!("{role}also = [\"operate\", \"operate\"]\n"), "3:20", "`operate` stands here twice");
    check(
        &format!("{role}also = [\"view\"]\n"),
        "3:9",
        "expected `operate`, `guest`, `administer`, `review` or `raw`",
    );
    check(&format!("{role}functions = [\"configure-vms\"]\n"), "1:7", "needs a quota");
    let all = mistakes(&format!("{role}functions = \"all\"\n"));
    assert!(
        all.iter().filter(|m| m.starts_with("10-site.toml:3:13: ") && m.contains("marked N")).count() == 9
    );
}

#[test]
fn members_and_scopes_are_lists_of_names() {
    let role = "[role.x]\ncolumn = \"user\"\n";
    check(&format!("{role}users = \"bob\"\n"), "3:9", "found `bob`, expected a list of names");
    check(&format!("{role}users = [\"bob\", 1001]\n"), "3:17", "found `1001`");
    check(&format!("{role}users = [\"bob\", \"bob\"]\n"), "3:17", "`bob` stands here twice");
    check(&format!("{role}groups = [\"\"]\n"), "3:11", "found ``");
    check(&format!("{role}groups = [\"a\\nb\"]\n"), "3:11", "found `a\\nb`");
    check(
        &format!("{role}vms = \"mine\"\n"),
        "3:7",
        "found `mine`, expected \"assigned\", \"all\" or a list",
    );
    check(&format!("{role}vms = true\n"), "3:7", "found `true`");
    check(&format!("{role}vms = [\"red\"]\n"), "3:8", "no file defines information domain `red`");
    check(
        &format!("{role}networks = \"some\"\n"),
        "3:12",
        "found `some`, expected \"all\" or a list of names",
    );
    check(&format!("{role}pools = [\"a\", \"a\"]\n"), "3:15", "`a` stands here twice");
    check(&format!("{role}devices = 1.5\n"), "3:11", "found `1.5`");
}

#[test]
fn quotas_are_whole_and_have_units() {
    let role = "[role.x]\ncolumn = \"user\"\nquota = ";
    check(&format!("{role}3\n"), "3:9", "found `3`, expected a table");
    check(&format!("{role}{{ vms = 3, vcpus = 1 }}\n"), "3:9", "missing key `memory`");
    check(&format!("{role}{{ vms = -1, memory = \"1 GiB\", vcpus = 1 }}\n"), "3:17", "from 0 to 100000");
    check(&format!("{role}{{ vms = 1, memory = \"1 GB\", vcpus = 1 }}\n"), "3:29", "a size with its unit");
    check(&format!("{role}{{ vms = 1, memory = \"-1 GiB\", vcpus = 1 }}\n"), "3:29", "a size with its unit");
    check(&format!("{role}{{ vms = 1, memory = \"99999999999 TiB\", vcpus = 1 }}\n"), "3:29", "a size");
    check(&format!("{role}{{ vms = 1, memory = \"0 GiB\", vcpus = 1 }}\n"), "3:29", "a size with its unit");
    check(&format!("{role}{{ vms = 1, memory = 1024, vcpus = 1 }}\n"), "3:29", "a size with its unit");
}

#[test]
fn names_are_plain() {
    check("[role.\"a b\"]\ncolumn = \"user\"\n", "1:7", "found `a b`, expected a name");
    check("[role.Bob]\ncolumn = \"user\"\n", "1:7", "found `Bob`");
    check("[role.9a]\ncolumn = \"user\"\n", "1:7", "found `9a`");
    check("[information-domain.\"\"]\n", "1:21", "found ``");
    check(&format!("[role.{}]\ncolumn = \"user\"\n", "a".repeat(33)), "1:7", "up to 32");
    check("role = 1\n", "1:8", "found `1`, expected a table");
    check("[role]\nx = 1\n", "2:5", "found `1`, expected a table");
    check("vm = []\n", "1:6", "found a list, expected a table");
}

#[test]
fn settings_have_bounds() {
    check("[vm]\nraw = \"everybody\"\n", "2:7", "expected `administrator` or `nobody`");
    check("[gate]\nconnections = 0\n", "2:15", "a whole number from 1 to 10000");
    check("[vm]\nsnapshots = 10001\n", "2:13", "a whole number from 0 to 10000");
    check("[gate]\nper-account = 10001\n", "2:15", "a whole number from 1 to 10000");
    check("[audit]\nsegment-size = \"4 KiB\"\n", "2:16", "a size from 1 MiB to 1024 MiB");
    check("[audit]\nstore-size = \"1 MiB\"\n", "2:14", "a size from 16 MiB");
    check("[audit]\nsegment-size = \"1 GiB\"\n", "2:16", "a store of at least two segments");
    check("[audit]\nfull-store = \"forget\"\n", "2:14", "expected `refuse` or `overwrite-oldest`");
}

#[test]
fn times_have_units_and_bounds() {
    check("[session]\nactivation = \"always\"\n", "2:14", "expected `login` or `raise`");
    for time in ["15", "15 minutes", "-1 min", "0 s", "59 s", "25 h", "99999999999999999999 h", ""] {
        check(&format!("[session]\nraised = \"{time}\"\n"), "2:10", "a time with its unit from \"60 s\"");
    }
    check("[session]\nraised = 15\n", "2:10", "found `15`");
    for (time, seconds) in [("60 s", 60), ("15 min", 900), ("24 h", 86_400)] {
        let text = format!("[session]\nraised = \"{time}\"\n");
        let policy = Policy::load(&[Source { name: "a.toml", text: &text }]).unwrap();
        assert_eq!(policy.session().raised, seconds);
        assert_eq!(
            policy.session().activation,
            settings::Activation::Raise,
            "left out, the tighter one holds"
        );
    }
}

#[test]
fn what_services_hold_is_listed_and_opens_nothing_else() {
    let role = |column: &str| format!("[role.x]\ncolumn = \"{column}\"\nservices = [\"backup\"]\n");
    check(&role("user"), "3:12", "for roles of the administrator column");
    let role = role("administrator");
    check(&format!("{role}functions = \"all\"\n"), "4:13", "must list its functions");
    check(&format!("{role}also = [\"guest\", \"raw\"]\n"), "4:18", "`services` hold cannot hold `raw`");
    check(&format!("{role}also = [\"administer\"]\n"), "4:9", "`services` hold cannot hold `administer`");
    check(
        "[role.x]\ncolumn = \"administrator\"\nservices = \"backup\"\n",
        "3:12",
        "expected a list of names",
    );
}

#[test]
fn paths_name_what_they_seem_to_name() {
    for path in ["media", "/a/../b", "/a/./b", "/a//b", "/a/", "/", "//a", ""] {
        check(&format!("[saved]\ndirectory = \"{path}\"\n"), "2:13", "an absolute path without");
        check(&format!("[media]\nlibrary = [\"{path}\"]\n"), "2:12", "an absolute path without");
    }
    check("[media]\nlibrary = [\"/a\", \"/a\"]\n", "2:18", "`/a` stands here twice");
    check("[media]\nlibrary = \"/a\"\n", "2:11", "expected a list of directories");
}

#[test]
fn a_network_belongs_to_one_information_domain() {
    check(
        "[information-domain.red]\nnetworks = [\"x\"]\n[information-domain.blue]\nnetworks = [\"y\", \"x\"]\n",
        "2:13",
        "network `x` already belongs to information domain `blue`",
    );
}

#[test]
fn there_are_at_most_sixty_four_roles() {
    let roles = |count: usize| -> String {
        (0..count).map(|n| format!("[role.r{n:03}]\ncolumn = \"user\"\nusers = [\"u{n}\"]\n")).collect()
    };
    check(&roles(65), "193:7", "more than 64 roles");
    let text = roles(64);
    let policy = Policy::load(&[Source { name: "a.toml", text: &text }]).unwrap();
    for (name, role) in [("u0", "r000"), ("u63", "r063")] {
        let held = subject(name, 1, &[]);
        assert_eq!(policy.roles(&held).iter().map(|role| &role.name).collect::<Vec<_>>(), [role]);
    }
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once() {
    let sources = [
        Source { name: "10-a.toml", text: "[vm]\nraw = 1\n[gate]\nconnections = \"x\"\n" },
        Source { name: "20-b.toml", text: "[role.x]\ncolum = \"user\"\nusers = 3\n" },
    ];
    let errors = Policy::load(&sources).unwrap_err();
    let mut places: Vec<_> = errors.iter().map(|error| error.place.to_string()).collect();
    places.sort_unstable();
    assert_eq!(
        places,
        ["10-a.toml:2:7", "10-a.toml:4:15", "20-b.toml:1:7", "20-b.toml:2:1", "20-b.toml:3:9"]
    );
}

#[test]
fn hostile_text_neither_overflows_nor_stalls() {
    let deep = format!("x = {}", "[".repeat(250_000));
    assert_eq!(mistakes(&deep).len(), 1);
    check(&"#".repeat((256 << 10) + 1), "1:1", "larger than 262144 bytes");
}

#[test]
fn a_mistake_is_shown_with_its_line_and_a_caret() {
    let sources =
        [Source { name: "10-site.toml", text: "[role.x]\ncolumn = \"user\"\n\tfunctions = [\"strat\"]\n" }];
    let errors = Policy::load(&sources).unwrap_err();
    assert_eq!(
        errors[0].render(&sources),
        "error: found `strat`, expected a function of Table 3; `virtwarden table` lists them; did you mean `start`?\n \
         --> 10-site.toml:3:15\n  \
         |\n\
         3 |  functions = [\"strat\"]\n  \
         |               ^^^^^^^\n"
    );
}
