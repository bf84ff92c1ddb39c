//! Serializer of CycloneDX as XML (<https://cyclonedx.org/docs/1.7/xml/>).

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::cyclonedx::{Bom, Entry};

/// The document as XML, indented, with a line break at its end.
pub(super) fn xml(bom: &Bom<'_>) -> String {
    let mut out = Out {
        writer: Writer::new_with_indent(Vec::new(), b' ', 2),
    };
    out.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let namespace = format!("http://cyclonedx.org/schema/bom/{}", bom.spec_version);
    let version = bom.version.to_string();
    let attributes = [
        ("xmlns", namespace.as_str()),
        ("serialNumber", &bom.serial_number),
        ("version", &version),
    ];
    out.element("bom", &attributes, |out| body(out, bom));

    // Cannot fail: only texts were written.
    let mut text = String::from_utf8(out.writer.into_inner()).unwrap_or_default();
    text.push('\n');

    text
}

fn body(out: &mut Out, bom: &Bom<'_>) {
    let metadata = &bom.metadata;
    out.element("metadata", &[], |out| {
        out.text("timestamp", &[], &metadata.timestamp);
        out.element("lifecycles", &[], |out| {
            for lifecycle in &metadata.lifecycles {
                out.element("lifecycle", &[], |out| {
                    out.text("phase", &[], lifecycle.phase)
                });
            }
        });
        out.element("tools", &[], |out| {
            components(out, &metadata.tools.components)
        });
        component(out, &metadata.component);
    });
    components(out, &bom.components);
    out.element("dependencies", &[], |out| {
        for dependency in &bom.dependencies {
            out.element("dependency", &[("ref", dependency.from)], |out| {
                for to in &dependency.depends_on {
                    out.empty("dependency", &[("ref", to)]);
                }
            });
        }
    });

    if !bom.compositions.is_empty() {
        out.element("compositions", &[], |out| {
            for composition in &bom.compositions {
                out.element("composition", &[], |out| {
                    out.text("aggregate", &[], composition.aggregate);
                    out.element("assemblies", &[], |out| {
                        for assembly in composition.assemblies {
                            out.empty("assembly", &[("ref", assembly)]);
                        }
                    });
                });
            }
        });
    }
}

fn components(out: &mut Out, entries: &[Entry<'_>]) {
    out.element("components", &[], |out| {
        for entry in entries {
            component(out, entry);
        }
    });
}

/// Writes a component. The schema prescribes the order of the elements.
fn component(out: &mut Out, entry: &Entry<'_>) {
    let mut attributes = vec![("type", entry.kind)];
    if !entry.id.is_empty() {
        attributes.push(("bom-ref", entry.id));
    }

    out.element("component", &attributes, |out| {
        out.text("name", &[], entry.name);
        if !entry.version.is_empty() {
            out.text("version", &[], entry.version);
        }
        if let Some(scope) = entry.scope {
            out.text("scope", &[], scope);
        }
        if !entry.hashes.is_empty() {
            out.element("hashes", &[], |out| {
                for hash in &entry.hashes {
                    out.text("hash", &[("alg", hash.alg)], hash.content);
                }
            });
        }

        if let Some(purl) = entry.purl {
            out.text("purl", &[], purl);
        }
        if !entry.external_references.is_empty() {
            out.element("externalReferences", &[], |out| {
                for reference in &entry.external_references {
                    out.element("reference", &[("type", reference.kind)], |out| {
                        out.text("url", &[], reference.url);
                    });
                }
            });
        }

        if !entry.properties.is_empty() {
            out.element("properties", &[], |out| {
                for property in &entry.properties {
                    out.text("property", &[("name", property.name)], &property.value);
                }
            });
        }

        evidence(out, entry);
    });
}

fn evidence(out: &mut Out, entry: &Entry<'_>) {
    let Some(evidence) = &entry.evidence else {
        return;
    };

    out.element("evidence", &[], |out| {
        out.element("occurrences", &[], |out| {
            for occurrence in &evidence.occurrences {
                out.element("occurrence", &[], |out| {
                    out.text("location", &[], occurrence.location);
                    if let Some(line) = occurrence.line {
                        out.text("line", &[], &line.to_string());
                    }
                });
            }
        });
    });
}

struct Out {
    writer: Writer<Vec<u8>>,
}

impl Out {
    fn event(&mut self, event: Event<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.writer.write_event(event);
    }

    fn start<'n>(name: &'n str, attributes: &[(&str, &str)]) -> BytesStart<'n> {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            start.push_attribute((*key, &*allowed(value)));
        }
        start
    }

    fn element(&mut self, name: &str, attributes: &[(&str, &str)], body: impl FnOnce(&mut Self)) {
        self.event(Event::Start(Self::start(name, attributes)));
        body(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(Self::start(name, attributes)));
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        if text.is_empty() {
            return self.empty(name, attributes);
        }
        self.event(Event::Start(Self::start(name, attributes)));
        self.event(Event::Text(BytesText::new(&allowed(text))));
        self.event(Event::End(BytesEnd::new(name)));
    }
}

/// The text without characters that XML 1.0 excludes (section 2.2): they become U+FFFD, and tabs and
/// line breaks become spaces.
fn allowed(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' | '\n' | '\r' => ' ',
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            _ => letter,
        })
        .collect()
}
