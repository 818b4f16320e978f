//! Forms: how the query protocol and EC2's kind of it carry an input, `Tags.member.1.Key=a`.

use std::collections::BTreeMap;

use stepwell_json::{Json, ObjectBuilder};

use crate::model::{Kind, Member, Service, TimeFormat, Use};
use crate::scalars::{from_text, to_text};
use crate::unfit::{Unfit, deeper};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Query,
    Ec2,
}

type Pairs = Vec<(String, String)>;

struct Form<'a> {
    service: &'a Service,
    dialect: Dialect,
}

/// The pairs of an input, behind those that say which action is meant.
pub(crate) fn encode(
    service: &Service,
    dialect: Dialect,
    part: &Use,
    value: &Json,
    pairs: &mut Pairs,
) -> Result<(), Unfit> {
    Form { service, dialect }.encode(part, value, "", pairs, 0)
}

/// The input of these pairs. Names the model has not are left out.
pub(crate) fn decode(
    service: &Service,
    dialect: Dialect,
    part: &Use,
    pairs: &[(String, String)],
) -> Result<Json, Unfit> {
    let mut root = Node::default();
    for (name, value) in pairs {
        root.insert(name, value)?;
    }
    let decoded = Form { service, dialect }.decode(part, &root, 0)?;
    Ok(decoded.unwrap_or_else(Json::empty_object))
}

impl Form<'_> {
    /// A member's name, without what stands before it.
    fn name(&self, member: &Member) -> String {
        match (&member.part.query_name, &member.part.location_name, self.dialect) {
            (Some(name), _, _) => name.to_string(),
            (None, Some(name), Dialect::Query) => name.to_string(),
            (None, Some(name), Dialect::Ec2) => {
                let mut name = name.to_string();
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                name
            }
            (None, None, _) => member.name.to_string(),
        }
    }

    /// A name that may have been given to an item, key or value.
    fn given<'a>(&self, part: &'a Use, default: &'a str) -> &'a str {
        part.query_name.as_deref().or(part.location_name.as_deref()).unwrap_or(default)
    }

    /// What stands before the numbers of a list's items.
    fn list_prefix(&self, list: &Use, item: &Use, prefix: &str) -> String {
        match (self.dialect, list.flattened) {
            (Dialect::Ec2, _) => prefix.to_owned(),
            (Dialect::Query, false) => join(prefix, self.given(item, "member")),
            (Dialect::Query, true) => match (&item.location_name, prefix.rsplit_once('.')) {
                (None, _) => prefix.to_owned(),
                (Some(name), None) => name.to_string(),
                (Some(name), Some((above, _))) => join(above, name),
            },
        }
    }

    fn encode(&self, part: &Use, value: &Json, prefix: &str, pairs: &mut Pairs, depth: u32) -> Result<(), Unfit> {
        let depth = deeper(depth)?;
        let shape = self.service.shape(part.shape);
        match (&shape.kind, value) {
            (Kind::Structure(_), Json::Object(object)) => {
                for (name, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                    let member = shape.member(name).ok_or_else(|| Unfit::new("no such member").below(name))?;
                    let prefix = join(prefix, &self.name(member));
                    self.encode(&member.part, value, &prefix, pairs, depth).map_err(|unfit| unfit.below(name))?;
                }
            }
            (Kind::List(_), Json::Array(items)) if items.is_empty() => {
                if self.dialect == Dialect::Query {
                    pairs.push((prefix.to_owned(), String::new()));
                }
            }
            (Kind::List(item), Json::Array(items)) => {
                let prefix = self.list_prefix(part, item, prefix);
                for (place, value) in items.iter().enumerate() {
                    let prefix = format!("{prefix}.{}", place + 1);
                    self.encode(item, value, &prefix, pairs, depth).map_err(|unfit| unfit.at(place))?;
                }
            }
            (Kind::Map(key_part, value_part), Json::Object(object)) => {
                let prefix = if part.flattened { prefix.to_owned() } else { format!("{prefix}.entry") };
                for (place, (key, value)) in object.iter().enumerate() {
                    let entry = format!("{prefix}.{}", place + 1);
                    pairs.push((join(&entry, self.given(key_part, "key")), key.to_string()));
                    let prefix = join(&entry, self.given(value_part, "value"));
                    self.encode(value_part, value, &prefix, pairs, depth).map_err(|unfit| unfit.below(key))?;
                }
            }
            (_, value) => pairs.push((prefix.to_owned(), to_text(shape, part, value, TimeFormat::Iso8601)?)),
        }
        Ok(())
    }

    /// None when nothing of it is there.
    fn decode(&self, part: &Use, node: &Node<'_>, depth: u32) -> Result<Option<Json>, Unfit> {
        let depth = deeper(depth)?;
        let shape = self.service.shape(part.shape);
        match &shape.kind {
            Kind::Structure(members) => {
                let mut object = ObjectBuilder::new();
                for member in members {
                    let below = |unfit: Unfit| unfit.below(&member.name);
                    if let Some(node) = self.node_of(member, node)
                        && let Some(value) = self.decode(&member.part, node, depth).map_err(below)?
                    {
                        object.insert(member.name.clone(), value);
                    }
                }
                Ok((!object.is_empty()).then(|| Json::from(object.build())))
            }
            Kind::List(item) => {
                let unnamed = self.dialect == Dialect::Ec2 || part.flattened;
                let items = if unnamed { Some(node) } else { node.children.get(self.given(item, "member")) };
                let mut values = Vec::new();
                for (place, node) in items.map(Node::numbered).unwrap_or_default().into_iter().enumerate() {
                    let value = self.decode(item, node, depth).map_err(|unfit| unfit.at(place))?;
                    values.push(value.unwrap_or_else(Json::empty_object));
                }
                let there = !values.is_empty() || node.value == Some("");
                Ok(there.then(|| Json::array(values)))
            }
            Kind::Map(key_part, value_part) => {
                let entries = if part.flattened { Some(node) } else { node.children.get("entry") };
                let mut object = ObjectBuilder::new();
                for entry in entries.map(Node::numbered).unwrap_or_default() {
                    let key = entry.children.get(self.given(key_part, "key")).and_then(|node| node.value);
                    let key = key.ok_or_else(|| Unfit::new("expected a key"))?;
                    if let Some(node) = entry.children.get(self.given(value_part, "value")) {
                        let value = self.decode(value_part, node, depth).map_err(|unfit| unfit.below(key))?;
                        object.insert(key, value.unwrap_or_else(Json::empty_object));
                    }
                }
                Ok((!object.is_empty()).then(|| Json::from(object.build())))
            }
            _ => node.value.map(|text| from_text(shape, text)).transpose(),
        }
    }

    fn node_of<'a, 'b>(&self, member: &Member, node: &'a Node<'b>) -> Option<&'a Node<'b>> {
        let renamed = match &self.service.shape(member.part.shape).kind {
            Kind::List(item) if member.part.flattened && self.dialect == Dialect::Query => {
                item.location_name.as_deref()
            }
            _ => None,
        };
        let name = self.name(member);
        renamed.and_then(|name| node.children.get(name)).or_else(|| node.children.get(name.as_str()))
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// The dots of a form's names, as a tree.
#[derive(Default)]
struct Node<'a> {
    value: Option<&'a str>,
    children: BTreeMap<&'a str, Node<'a>>,
}

impl<'a> Node<'a> {
    fn insert(&mut self, name: &'a str, value: &'a str) -> Result<(), Unfit> {
        let mut node = self;
        let mut depth = 0;
        for part in name.split('.') {
            depth = deeper(depth)?;
            node = node.children.entry(part).or_default();
        }
        node.value = Some(value);
        Ok(())
    }

    /// The children with numbers for names, in the order of the numbers.
    fn numbered(&self) -> Vec<&Node<'a>> {
        let number = |name: &&str| name.parse::<u32>().ok();
        let mut children: Vec<_> =
            self.children.iter().filter_map(|(name, node)| Some((number(name)?, node))).collect();
        children.sort_by_key(|(number, _)| *number);
        children.into_iter().map(|(_, node)| node).collect()
    }
}
