// SPDX-License-Identifier: Apache-2.0
//! What a new VM gets where whoever defines it says nothing: row 4 of Table 3.
//!
//! Few elements, and each makes the VM safer: what it can do beyond them is for its definition to say. They are
//! written into the definition, so that everybody sees them there; VMs that exist are never touched.

use super::definition::Definition;
use super::element::{Element, Node};

/// A definition with what was missing, and what that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// What goes to libvirt.
    pub root: Element,
    /// For the record, in words; empty where nothing was missing.
    pub added: Vec<&'static str>,
}

/// Completes the definition of a new VM. What the template says of the elements below is taken where the
/// definition is silent. The screen's clipboard and file transfer are off whatever the template says.
pub fn complete(definition: &Definition, template: Option<&Element>) -> Completed {
    let mut completed = Completed { root: definition.root().clone(), added: Vec::new() };
    completed.shut_screens();
    if let Some(template) = template {
        completed.isolate(template);
        completed.sections(template);
        completed.devices(template);
    }
    completed
}

impl Completed {
    fn shut_screens(&mut self) {
        for screen in
            devices(&mut self.root).filter(|d| d.is("graphics") && d.attribute("type") == Some("spice"))
        {
            if screen.child("clipboard").is_none() {
                put(screen, Element::new("clipboard").with("copypaste", "no"));
                self.added.push("clipboard off");
            }
            if screen.child("filetransfer").is_none() {
                put(screen, Element::new("filetransfer").with("enable", "no"));
                self.added.push("file transfer off");
            }
        }
    }

    /// Interfaces kept from each other, and filtered, as the template's are.
    fn isolate(&mut self, template: &Element) {
        let network = |d: &&Element| d.is("interface") && d.attribute("type") == Some("network");
        let Some(model) = listed(template).find(network) else { return };
        for (name, word) in [("port", "port isolated"), ("filterref", "filter on its interface")] {
            let Some(part) = model.child(name) else { continue };
            for interface in devices(&mut self.root).filter(|d| network(&&**d)) {
                if interface.child(name).is_none() {
                    put(interface, part.clone());
                    self.added.push(word);
                }
            }
        }
    }

    fn sections(&mut self, template: &Element) {
        self.section(template, "memoryBacking", "memory never merged", |part| {
            part.child("nosharepages").is_some()
        });
        if is_pc(&self.root) {
            self.section(template, "pm", "guest cannot suspend itself", |_| true);
            self.vmport(template);
        }
    }

    /// A section that the definition does not have at all.
    fn section(
        &mut self,
        template: &Element,
        name: &str,
        word: &'static str,
        wanted: impl Fn(&Element) -> bool,
    ) {
        if let (Some(part), None) = (template.child(name).filter(|part| wanted(part)), self.root.child(name))
        {
            put(&mut self.root, part.clone());
            self.added.push(word);
        }
    }

    fn vmport(&mut self, template: &Element) {
        let Some(port) = template.at(&["features", "vmport"]).cloned() else { return };
        if self.root.at(&["features", "vmport"]).is_some() {
            return;
        }
        if self.root.child("features").is_none() {
            put(&mut self.root, Element::new("features"));
        }
        for features in children(&mut self.root).filter(|part| part.is("features")).take(1) {
            put(features, port.clone());
        }
        self.added.push("vmport off");
    }

    /// Devices that libvirt would add by itself, left out as the template leaves them out.
    fn devices(&mut self, template: &Element) {
        let none = |d: &&Element, name: &str| d.is(name) && d.attribute("model") == Some("none");
        let usb = |d: &Element| {
            (d.is("controller") && d.attribute("type") == Some("usb"))
                || d.is("redirdev")
                || d.is("hub")
                || (d.is("hostdev") && d.attribute("type") == Some("usb"))
                || d.attribute("bus") == Some("usb")
                || d.child("target").is_some_and(|target| target.attribute("bus") == Some("usb"))
        };
        let balloon = listed(template).find(|d| none(d, "memballoon")).cloned();
        if let Some(balloon) = balloon.filter(|_| !listed(&self.root).any(|d| d.is("memballoon"))) {
            self.device(balloon, "no memory balloon");
        }
        let controller = listed(template).find(|d| none(d, "controller") && usb(d)).cloned();
        if let Some(controller) = controller.filter(|_| !listed(&self.root).any(usb)) {
            self.device(controller, "no USB");
        }
    }

    fn device(&mut self, device: Element, word: &'static str) {
        if let Some(list) = children(&mut self.root).find(|part| part.is("devices")) {
            put(list, device);
            self.added.push(word);
        }
    }
}

/// Machines that have what the templates switch off.
fn is_pc(root: &Element) -> bool {
    let kind = root.attribute("type").unwrap_or_default();
    let machine = root.at(&["os", "type"]);
    let arch = machine.and_then(|machine| machine.attribute("arch"));
    let model = machine.and_then(|machine| machine.attribute("machine")).unwrap_or("pc");
    matches!(kind, "kvm" | "qemu")
        && matches!(arch, None | Some("x86_64" | "i686"))
        && (model.starts_with("pc") || model.contains("q35"))
}

fn listed(root: &Element) -> impl Iterator<Item = &Element> {
    root.all("devices").flat_map(Element::elements)
}

fn devices(root: &mut Element) -> impl Iterator<Item = &mut Element> {
    children(root).filter(|part| part.is("devices")).flat_map(children)
}

fn children(element: &mut Element) -> impl Iterator<Item = &mut Element> {
    element.children.iter_mut().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) => None,
    })
}

fn put(element: &mut Element, child: Element) {
    element.children.push(Node::Element(child));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::strict::parse;

    const SENSITIVE: &str = include_str!("../../../xml-templates/sensitive.xml");

    fn completed(xml: &str, template: Option<&str>) -> Completed {
        let template = template.map(|text| parse(text).unwrap());
        complete(&Definition::parse(xml).unwrap(), template.as_ref())
    }

    fn vm(devices: &str) -> String {
        format!("<domain type='kvm'><name>a</name><devices>{devices}</devices></domain>")
    }

    #[test]
    fn a_screen_is_shut_where_nothing_is_said() {
        let xml = vm("<graphics type='spice'/><graphics type='vnc'/>");
        let done = completed(&xml, None);
        assert_eq!(done.added, ["clipboard off", "file transfer off"]);
        assert!(done.root.to_string().contains("<clipboard copypaste='no'/>"), "{}", done.root);
        let said =
            vm("<graphics type='spice'><clipboard copypaste='yes'/><filetransfer enable='yes'/></graphics>");
        assert!(completed(&said, None).added.is_empty(), "what is said is not changed: it is judged");
    }

    #[test]
    fn the_templates_safe_elements_are_taken_and_nothing_else_of_it() {
        let done =
            completed(&vm("<interface type='network'><source network='red'/></interface>"), Some(SENSITIVE));
        assert_eq!(
            done.added,
            [
                "port isolated",
                "filter on its interface",
                "memory never merged",
                "guest cannot suspend itself",
                "vmport off",
                "no memory balloon",
                "no USB"
            ]
        );
        assert!(listed(&done.root).all(|d| !d.is("disk") && !d.is("video") && !d.is("rng")), "{}", done.root);
        let again = complete(&Definition::new(done.root.clone()).unwrap(), Some(&parse(SENSITIVE).unwrap()));
        assert_eq!((again.root, again.added), (done.root, Vec::new()));
    }

    #[test]
    fn what_the_definition_says_stays() {
        let xml = "<domain type='kvm'><name>a</name><pm/><memoryBacking><hugepages/></memoryBacking>
            <features><vmport state='on'/></features>
            <devices><interface type='network'><source network='red'/><filterref filter='own'/>
            <port isolated='no'/></interface>
            <memballoon model='virtio'/><input type='tablet' bus='usb'/></devices></domain>";
        assert!(completed(xml, Some(SENSITIVE)).added.is_empty());
    }

    #[test]
    fn what_a_machine_does_not_have_is_not_switched_off() {
        let xml = "<domain type='qemu'><name>a</name><os><type arch='aarch64' machine='virt'>hvm</type></os><devices/></domain>";
        let added = completed(xml, Some(SENSITIVE)).added;
        assert!(
            !added.contains(&"vmport off") && !added.contains(&"guest cannot suspend itself"),
            "{added:?}"
        );
    }
}
