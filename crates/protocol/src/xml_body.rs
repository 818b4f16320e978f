//! Trees as XML: bodies of the REST XML protocol, and answers of the query protocols.

use stepwell_json::{Json, ObjectBuilder};

use crate::model::{Kind, Location, Member, Service, TimeFormat, Use};
use crate::scalars::{from_text, to_text};
use crate::unfit::{Unfit, deeper};
use crate::xml::Element;

/// What the two sides and the protocols call things differently.
#[derive(Clone, Copy)]
pub(crate) struct Naming {
    /// Names of the query protocol win over those of the wire.
    pub(crate) query: bool,
    /// What an item is called that has no name of its own: `member`, or `item` with EC2.
    pub(crate) item: &'static str,
}

/// REST XML.
pub(crate) const REST: Naming = Naming { query: false, item: "member" };
/// The query protocol.
pub(crate) const QUERY: Naming = Naming { query: true, item: "member" };
/// EC2's.
pub(crate) const EC2: Naming = Naming { query: false, item: "item" };

/// A tree with the service that knows its shapes.
pub(crate) struct Xml<'a> {
    pub(crate) service: &'a Service,
    pub(crate) naming: Naming,
}

impl Xml<'_> {
    fn given<'a>(&self, part: &'a Use, default: &'a str) -> &'a str {
        let query = part.query_name.as_deref().filter(|_| self.naming.query);
        query.or(part.location_name.as_deref()).unwrap_or(default)
    }

    /// The name of a member's element. A flattened list is called as its items are, when these have a name.
    fn name<'a>(&self, member: &'a Member, service: &'a Service) -> &'a str {
        let own = self.given(&member.part, &member.name);
        match &service.shape(member.part.shape).kind {
            Kind::List(item) if member.part.flattened => item.location_name.as_deref().unwrap_or(own),
            _ => own,
        }
    }

    /// The element of a value that is not flattened.
    pub(crate) fn element(&self, name: &str, part: &Use, value: &Json) -> Result<Element, Unfit> {
        self.element_at(name, part, value, 0)
    }

    fn element_at(&self, name: &str, part: &Use, value: &Json, depth: u32) -> Result<Element, Unfit> {
        let depth = deeper(depth)?;
        let shape = self.service.shape(part.shape);
        let mut element = Element::new(name);
        if let Some(namespace) = &part.xml_namespace {
            let attribute = part.xml_prefix.as_ref().map_or("xmlns".to_owned(), |prefix| format!("xmlns:{prefix}"));
            element.attributes.push((attribute, namespace.to_string()));
        }
        match (&shape.kind, value) {
            (Kind::Structure(_), Json::Object(object)) => {
                for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                    let member = shape.member(name).ok_or_else(|| Unfit::new("no such member").below(name))?;
                    if member.part.location == Location::Body {
                        self.member(member, value, &mut element, depth).map_err(|unfit| unfit.below(name))?;
                    }
                }
            }
            (Kind::List(item), Json::Array(items)) => {
                let name = self.given(item, self.naming.item);
                for (place, value) in items.iter().enumerate() {
                    let child = self.element_at(name, item, value, depth).map_err(|unfit| unfit.at(place))?;
                    element.children.push(child);
                }
            }
            (Kind::Map(key_part, value_part), Json::Object(object)) => {
                for (key, value) in object {
                    let entry = self.entry("entry", (key_part, value_part), (key, value), depth)?;
                    element.children.push(entry);
                }
            }
            (_, value) => element.text = to_text(shape, part, value, TimeFormat::Iso8601)?,
        }
        Ok(element)
    }

    fn member(&self, member: &Member, value: &Json, above: &mut Element, depth: u32) -> Result<(), Unfit> {
        let (part, shape) = (&member.part, self.service.shape(member.part.shape));
        // On the way there items are called as their list is; on the way back as it is read.
        let name = match self.naming.query {
            true => self.name(member, self.service),
            false => self.given(part, &member.name),
        };
        match (&shape.kind, value) {
            (Kind::List(item), Json::Array(items)) if part.flattened => {
                for (place, value) in items.iter().enumerate() {
                    let child = self.element_at(name, item, value, depth).map_err(|unfit| unfit.at(place))?;
                    above.children.push(child);
                }
            }
            (Kind::Map(key_part, value_part), Json::Object(object)) if part.flattened => {
                for (key, value) in object {
                    above.children.push(self.entry(name, (key_part, value_part), (key, value), depth)?);
                }
            }
            (_, value) if part.xml_attribute => {
                let text = to_text(shape, part, value, TimeFormat::Iso8601)?;
                above.attributes.push((name.to_owned(), text));
            }
            (_, value) => above.children.push(self.element_at(name, part, value, depth)?),
        }
        Ok(())
    }

    fn entry(&self, name: &str, parts: (&Use, &Use), pair: (&str, &Json), depth: u32) -> Result<Element, Unfit> {
        let mut entry = Element::new(name);
        entry.children.push(Element::with_text(self.given(parts.0, "key"), pair.0));
        let value = self.element_at(self.given(parts.1, "value"), parts.1, pair.1, depth);
        entry.children.push(value.map_err(|unfit| unfit.below(pair.0))?);
        Ok(entry)
    }

    /// The value of an element that is not flattened. Unknown elements are left out.
    pub(crate) fn value(&self, part: &Use, element: &Element) -> Result<Json, Unfit> {
        self.value_at(part, element, 0)
    }

    fn value_at(&self, part: &Use, element: &Element, depth: u32) -> Result<Json, Unfit> {
        let depth = deeper(depth)?;
        let shape = self.service.shape(part.shape);
        match &shape.kind {
            Kind::Structure(members) => {
                let mut object = ObjectBuilder::new();
                for member in members.iter().filter(|member| member.part.location == Location::Body) {
                    let value = self.member_value(member, element, depth).map_err(|unfit| unfit.below(&member.name))?;
                    if let Some(value) = value {
                        object.insert(member.name.clone(), value);
                    }
                }
                Ok(Json::from(object.build()))
            }
            Kind::List(item) => {
                let name = self.given(item, self.naming.item);
                self.items(item, element.children.iter().filter(|child| child.name == name), depth)
            }
            Kind::Map(key_part, value_part) => self.entries(
                (key_part, value_part),
                element.children.iter().filter(|child| child.name == "entry"),
                depth,
            ),
            _ => from_text(shape, &element.text),
        }
    }

    fn member_value(&self, member: &Member, element: &Element, depth: u32) -> Result<Option<Json>, Unfit> {
        let (part, shape) = (&member.part, self.service.shape(member.part.shape));
        let name = self.name(member, self.service);
        let named = |name: &str| element.children.iter().any(|child| child.name == name);
        // Who asks calls the items of a flattened list as the list, who answers as the items.
        let name = if named(name) { name } else { self.given(part, &member.name) };
        if part.xml_attribute {
            return element.attribute(name).map(|text| from_text(shape, text)).transpose();
        }
        if !named(name) {
            return Ok(None);
        }
        let all = || element.children.iter().filter(|child| child.name == name);
        match &shape.kind {
            Kind::List(item) if part.flattened => self.items(item, all(), depth).map(Some),
            Kind::Map(key, value) if part.flattened => self.entries((key, value), all(), depth).map(Some),
            _ => all().next().map(|child| self.value_at(part, child, depth)).transpose(),
        }
    }

    fn items<'e>(&self, item: &Use, items: impl Iterator<Item = &'e Element>, depth: u32) -> Result<Json, Unfit> {
        let values = items
            .enumerate()
            .map(|(place, element)| self.value_at(item, element, depth).map_err(|unfit| unfit.at(place)))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Json::array(values))
    }

    fn entries<'e>(
        &self,
        parts: (&Use, &Use),
        entries: impl Iterator<Item = &'e Element>,
        depth: u32,
    ) -> Result<Json, Unfit> {
        let mut object = ObjectBuilder::new();
        for entry in entries {
            let key = entry.child_text(self.given(parts.0, "key")).ok_or_else(|| Unfit::new("expected a key"))?;
            if let Some(value) = entry.child(self.given(parts.1, "value")) {
                object.insert(key, self.value_at(parts.1, value, depth).map_err(|unfit| unfit.below(key))?);
            }
        }
        Ok(Json::from(object.build()))
    }
}
