// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::policy::{Policy, Source};
use crate::xml::strict::parse;

fn filter(rules: &str, domain: Option<&str>) -> String {
    let text = format!(
        "[role.user]\ncolumn = \"user\"\n[information-domain.red]\n[information-domain.blue]\n{rules}"
    );
    let policy = Policy::load(&[Source { name: "10-site.toml", text: &text }]).unwrap();
    let party =
        domain.map_or(Party::Vm(crate::object::Uuid([1; 16])), |name| Party::InformationDomain(name.into()));
    let filter = Filter::of(policy.media_rules(), &party).element().to_string().replace('"', "'");
    filter.replace("<redirfilter>", "").replace("</redirfilter>", "")
}

const TIGHT: &str = "<usbdev class='0x09' allow='no'/><usbdev class='0x03' allow='no'/><usbdev class='0x08' allow='no'/><usbdev allow='no'/>";

#[test]
fn nothing_is_redirected_that_is_not_granted_outright() {
    for rules in [
        "",
        "[media]\nusb-storage = { rule = \"grant\", access = \"read-write\" }",
        "[media]\nusb-storage = { rule = \"grant\", granted = \"all-vms\" }",
        "[media]\nusb-storage = { rule = \"eject-first\", access = \"read-write\" }\nusb = { rule = \"ask-user\", access = \"read-write\" }",
        "[media]\nusb = { rule = \"grant\", access = \"read-write\", granted = [\"blue\"] }",
        "[device-class.a]\nmatch = [{ vendor = \"0951\", serial = \"1\" }]\nrule = \"grant\"\naccess = \"read-write\"\ngranted = \"all-vms\"",
        "[device-class.a]\nmatch = [{ path = \"/dev/sr0\" }]\nrule = \"always-deny\"",
    ] {
        assert_eq!(filter(rules, Some("red")), TIGHT, "{rules}");
    }
}

#[test]
fn what_is_granted_gets_in_hubs_and_keyboards_never() {
    let kinds = "[media]\nusb-storage = { rule = \"grant\", access = \"read-write\", granted = [\"red\"] }\n\
        usb = { rule = \"grant\", access = \"read-write\", granted = \"all-vms\" }";
    let open = TIGHT
        .replace("0x08' allow='no'", "0x08' allow='yes'")
        .replace("<usbdev allow='no'", "<usbdev allow='yes'");
    assert_eq!(filter(kinds, Some("red")), open);
    assert_eq!(filter(kinds, Some("blue")), open.replace("0x08' allow='yes'", "0x08' allow='no'"));
    assert_eq!(filter(kinds, None), open.replace("0x08' allow='yes'", "0x08' allow='no'"));
}

#[test]
fn classes_come_first_and_what_is_always_denied_before_them() {
    let rules = "[media]\nusb-storage = { rule = \"grant\", access = \"read-write\", granted = \"all-vms\" }
[device-class.a-sticks]
match = [{ vendor = \"0951\", product = \"1666\" }]
rule = \"grant\"
access = \"read-write\"
granted = [\"red\"]
[device-class.z-lost]
match = [{ vendor = \"0951\", product = \"1666\", serial = \"LOST\" }]
rule = \"always-deny\"";
    let start = "<usbdev vendor='0x0951' product='0x1666' allow='no'/><usbdev vendor='0x0951' product='0x1666' allow='yes'/>";
    assert!(filter(rules, Some("red")).starts_with(start), "a lost stick cannot be told from the others");
}

#[test]
fn where_a_filter_has_no_words_for_what_is_denied_nothing_gets_in() {
    let rules = "[media]\nusb = { rule = \"grant\", access = \"read-write\", granted = \"all-vms\" }
[device-class.front]
match = [{ port = \"1-2\" }]
rule = \"always-deny\"";
    assert_eq!(filter(rules, Some("red")), "<usbdev allow='no'/>");
}

#[test]
fn a_definition_gets_the_filter_in_place_of_its_own() {
    let deny = Filter(vec![rest(Verdict::Deny)]);
    let domain = |devices: &str| parse(format!("<domain><devices>{devices}</devices></domain>")).unwrap();
    let redirdev = "<redirdev bus='usb' type='spicevmc'/>";
    let loose = "<redirfilter><usbdev allow='yes'/></redirfilter>";
    for devices in
        [redirdev.to_owned(), format!("{redirdev}{loose}"), format!("{loose}{loose}{redirdev}{redirdev}")]
    {
        let put = deny.put_into(&domain(&devices));
        assert_eq!(Redirection::of(&put), Redirection::Possible(Some(deny.clone())), "{devices}");
    }
    assert_eq!(deny.put_into(&domain(loose)), domain(loose));
    assert_eq!(Redirection::of(&domain(loose)), Redirection::None);
    assert_eq!(Redirection::of(&domain(redirdev)), Redirection::Possible(None));
}

#[test]
fn a_filter_that_says_more_than_we_would_is_another() {
    let redirdev = "<redirdev bus='usb' type='spicevmc'/>";
    let ours = Filter(vec![rest(Verdict::Deny)]);
    for (text, same) in [
        ("<usbdev allow='no'/>", true),
        ("<usbdev class='-1' vendor='-1' product='-1' version='-1' allow='no'/>", true),
        ("<usbdev version='1.1' allow='no'/>", false),
        ("<usbdev/>", false),
        ("<usbdev allow='yes'/><usbdev allow='no'/>", false),
        ("<usbdev vendor='x' allow='no'/>", false),
        ("<other allow='no'/>", false),
    ] {
        let domain =
            parse(format!("<domain><devices>{redirdev}<redirfilter>{text}</redirfilter></devices></domain>"));
        let said = Redirection::of(&domain.unwrap());
        assert_eq!(said == Redirection::Possible(Some(ours.clone())), same, "{text}");
    }
}

#[test]
fn a_vm_without_the_filter_does_not_start() {
    use crate::policy::networks::Networks;
    use crate::xml::facts::Facts;

    let text = "[role.user]\ncolumn = \"user\"\n[media]\nusb = { rule = \"grant\", access = \"read-write\", granted = \"all-vms\" }";
    let policy = Policy::load(&[Source { name: "10-site.toml", text }]).unwrap();
    let domain = parse("<domain><devices><redirdev bus='usb' type='spicevmc'/></devices></domain>").unwrap();
    let check = |domain: &Element| policy.check(&Facts::of(domain), None, &Networks::default());
    assert!(check(&domain).unwrap_err().to_string().contains("redirection"));
    assert!(check(&policy.redirection(None).put_into(&domain)).is_ok());
}
