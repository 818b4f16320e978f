//! Objects: members in the order they came, found by name without hashing.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::{Json, LazySize};

/// An immutable object. Members keep their order; names are unique.
#[derive(Clone)]
pub struct Object(Arc<ObjectNode>);

struct ObjectNode {
    members: Vec<(Arc<str>, Json)>,
    /// Where each name stands; only kept when there are too many to look through one by one.
    places: Option<BTreeMap<Arc<str>, usize>>,
    depth: u32,
    bytes: LazySize,
}

/// Up to this many members a scan beats a search: names mostly differ in their length or first bytes.
const SCANNED_MAX: usize = 12;

/// An iterator over the members of an object, in order.
pub type Members<'a> =
    std::iter::Map<std::slice::Iter<'a, (Arc<str>, Json)>, fn(&(Arc<str>, Json)) -> (&Arc<str>, &Json)>;

impl Object {
    /// The member of this name.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match &self.0.places {
            None => self.0.members.iter().find(|(name, _)| &**name == key).map(|(_, value)| value),
            Some(places) => places.get(key).map(|&place| &self.0.members[place].1),
        }
    }

    /// Whether there is a member of this name.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.0.members.len()
    }

    /// Whether this is `{}`.
    pub fn is_empty(&self) -> bool {
        self.0.members.is_empty()
    }

    /// The members in order.
    pub fn iter(&self) -> Members<'_> {
        self.0.members.iter().map(|(key, value)| (key, value))
    }

    /// The member at this place in the order.
    pub fn at(&self, place: usize) -> Option<(&Arc<str>, &Json)> {
        self.0.members.get(place).map(|(key, value)| (key, value))
    }

    /// The names in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.0.members.iter().map(|(key, _)| key)
    }

    /// The values in order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &Json> {
        self.0.members.iter().map(|(_, value)| value)
    }

    /// Whether both are the very same shared object.
    pub fn is_same(&self, other: &Object) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Where the shared object stands in memory: its own as long as somebody holds it, the same for all who share it.
    pub fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// A builder that starts with these members (copied by pointer).
    pub fn to_builder(&self) -> ObjectBuilder {
        ObjectBuilder { members: self.0.members.clone(), places: self.0.places.clone() }
    }

    /// This object with one member added or replaced in place.
    pub fn with(&self, key: impl Into<Arc<str>>, value: Json) -> Object {
        let mut builder = self.to_builder();
        builder.insert(key.into(), value);
        builder.build()
    }

    pub(crate) fn depth(&self) -> u32 {
        self.0.depth
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes.get_or(|| {
            let punctuation = 2 + self.len().saturating_sub(1) + self.len();
            let members = self
                .iter()
                .map(|(key, value)| crate::write::quoted_bytes(key).saturating_add(value.serialized_bytes()));
            members.fold(punctuation, usize::saturating_add)
        })
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.is_same(other)
            || self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (&'a Arc<str>, &'a Json);
    type IntoIter = Members<'a>;

    fn into_iter(self) -> Members<'a> {
        self.iter()
    }
}

impl<K: Into<Arc<str>>> FromIterator<(K, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(members: I) -> Self {
        let mut builder = ObjectBuilder::new();
        for (key, value) in members {
            builder.insert(key.into(), value);
        }
        builder.build()
    }
}

/// Collects the members of an object.
#[derive(Clone, Default)]
pub struct ObjectBuilder {
    members: Vec<(Arc<str>, Json)>,
    places: Option<BTreeMap<Arc<str>, usize>>,
}

impl ObjectBuilder {
    /// No members yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No members yet, with room for so many.
    pub fn with_capacity(members: usize) -> Self {
        ObjectBuilder { members: Vec::with_capacity(members), places: None }
    }

    /// Adds a member, or replaces the value of the one that has this name, in its place.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: Json) {
        let key = key.into();
        match self.place(&key) {
            Some(place) => self.members[place].1 = value,
            None => {
                if let Some(places) = &mut self.places {
                    places.insert(key.clone(), self.members.len());
                }
                self.members.push((key, value));
                self.index_when_large();
            }
        }
    }

    /// Takes a member out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let place = self.place(key)?;
        let (_, value) = self.members.remove(place);
        self.places = None;
        self.index_when_large();
        Some(value)
    }

    /// The member of this name.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.place(key).map(|place| &self.members[place].1)
    }

    /// Number of members so far.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members yet.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The finished object.
    pub fn build(self) -> Object {
        let depth = 1 + self.members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0);
        Object(Arc::new(ObjectNode { members: self.members, places: self.places, depth, bytes: LazySize::default() }))
    }

    fn place(&self, key: &str) -> Option<usize> {
        match &self.places {
            None => self.members.iter().position(|(name, _)| &**name == key),
            Some(places) => places.get(key).copied(),
        }
    }

    fn index_when_large(&mut self) {
        if self.places.is_none() && self.members.len() > SCANNED_MAX {
            self.places = Some(self.members.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_last_of_equal_keys_wins() {
        let text = r#"{"z":1,"a":2,"z":3}"#;
        assert_eq!(Json::parse(text).expect("JSON").to_string(), r#"{"z":3,"a":2}"#);
    }

    #[test]
    fn large_objects_find_replace_and_remove() {
        let mut builder = ObjectBuilder::new();
        for i in 0..100 {
            builder.insert(format!("k{i}"), Json::from(i));
        }
        builder.insert("k7", Json::Null);
        assert_eq!(builder.remove("k3"), Some(Json::from(3)));
        let object = builder.build();
        assert_eq!(object.len(), 99);
        assert_eq!(object.get("k7"), Some(&Json::Null));
        assert_eq!(object.get("k3"), None);
        assert_eq!(object.get("k99"), Some(&Json::from(99)));
        assert_eq!(object.keys().next().map(|key| &**key), Some("k0"));
    }

    #[test]
    fn those_who_share_an_object_see_one_address() {
        let object: Object = [("a", Json::from(1))].into_iter().collect();
        let equal: Object = [("a", Json::from(1))].into_iter().collect();
        assert_eq!(object.address(), object.clone().address());
        assert_ne!(object.address(), equal.address());
    }

    #[test]
    fn with_leaves_the_original_alone() {
        let object: Object = [("a", Json::from(1))].into_iter().collect();
        let other = object.with("a", Json::from(2)).with("b", Json::Null);
        assert_eq!(Json::from(object).to_string(), r#"{"a":1}"#);
        assert_eq!(Json::from(other).to_string(), r#"{"a":2,"b":null}"#);
    }
}
