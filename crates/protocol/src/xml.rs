//! XML as services use it: elements with attributes and either text or children.

use quick_xml::escape::{escape, partial_escape, unescape};
use quick_xml::events::{BytesStart, Event};

use crate::unfit::{Unfit, deeper};

/// An element.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Element {
    /// Its name; read without a prefix.
    pub(crate) name: String,
    /// Attributes by their names, prefixes kept.
    pub(crate) attributes: Vec<(String, String)>,
    /// Its text, entities resolved.
    pub(crate) text: String,
    /// Elements in it.
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn new(name: &str) -> Element {
        Element { name: name.to_owned(), ..Element::default() }
    }

    pub(crate) fn with_text(name: &str, text: impl Into<String>) -> Element {
        Element { name: name.to_owned(), text: text.into(), ..Element::default() }
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Element, Unfit> {
        let text = std::str::from_utf8(bytes).map_err(|_| Unfit::new("expected UTF-8"))?;
        let mut reader = quick_xml::Reader::from_str(text);
        // The last one is open; the first one holds the root.
        let mut open = vec![Element::default()];
        loop {
            let event = reader.read_event().map_err(|error| Unfit::new(format!("expected XML: {error}")))?;
            let top = open.last_mut().ok_or_else(unbalanced)?;
            match event {
                Event::Start(start) => {
                    let element = started(&start)?;
                    deeper(u32::try_from(open.len()).unwrap_or(u32::MAX))?;
                    open.push(element);
                }
                Event::Empty(start) => top.children.push(started(&start)?),
                Event::End(_) => {
                    let element = open.pop().ok_or_else(unbalanced)?;
                    open.last_mut().ok_or_else(unbalanced)?.children.push(element);
                }
                Event::Text(text) => top.text.push_str(&text.xml10_content()),
                Event::CData(text) => top.text.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => top.text.push_str(&resolved(&format!("&{};", &*name))?),
                Event::DocType(_) => return Err(Unfit::new("expected XML without a document type")),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        let Some(mut document) = open.pop().filter(|_| open.is_empty()) else { return Err(unbalanced()) };
        match document.children.pop() {
            Some(root) if document.children.is_empty() && document.text.trim().is_empty() => Ok(root),
            _ => Err(Unfit::new("expected one root element")),
        }
    }

    pub(crate) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(&self.name);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            out.push_str(&escape(value.as_str()));
            out.push('"');
        }
        if self.text.is_empty() && self.children.is_empty() {
            out.push_str(" />");
            return;
        }
        out.push('>');
        // A carriage return that is not escaped is read as a line feed.
        out.push_str(&partial_escape(self.text.as_str()).replace('\r', "&#13;"));
        for child in &self.children {
            child.write(out);
        }
        out.push_str("</");
        out.push_str(&self.name);
        out.push('>');
    }
}

fn unbalanced() -> Unfit {
    Unfit::new("expected XML: elements do not end where they should")
}

fn resolved(text: &str) -> Result<String, Unfit> {
    unescape(text).map(|text| text.into_owned()).map_err(|error| Unfit::new(format!("expected XML: {error}")))
}

fn started(start: &BytesStart<'_>) -> Result<Element, Unfit> {
    let mut element = Element::new(start.local_name().as_ref());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| Unfit::new(format!("expected XML: {error}")))?;
        element.attributes.push((AsRef::<str>::as_ref(&attribute.key).to_owned(), resolved(&attribute.value)?));
    }
    Ok(element)
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn what_is_written_is_read() {
        let mut root = Element::new("Root");
        root.attributes.push(("xmlns".to_owned(), "urn:a&b\"".to_owned()));
        root.children.push(Element::with_text("Key", "a<b>&\r\n\t é"));
        root.children.push(Element::new("Empty"));
        let mut text = String::new();
        root.write(&mut text);
        assert_eq!(Element::parse(text.as_bytes()), Ok(root));
    }

    #[test]
    fn only_one_whole_element_is_read() {
        let with = |xml: &str| Element::parse(xml.as_bytes()).map(|root| root.text);
        assert_eq!(
            with("<?xml version=\"1.0\"?>\n<a><!-- c -->x&amp;&#65;<![CDATA[<y>]]></a>\n"),
            Ok("x&A<y>".to_owned())
        );
        for garbage in
            ["", "text", "<a>", "<a></b>", "<a/><b/>", "</a>", "<a>&unknown;</a>", "<!DOCTYPE a><a/>", "<a b=c/>"]
        {
            assert!(with(garbage).is_err(), "{garbage}");
        }
        let deep = "<a>".repeat(100_000);
        assert!(with(&deep).is_err());
    }
}
