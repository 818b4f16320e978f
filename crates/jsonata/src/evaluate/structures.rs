//! Grouping, ordering and transforming.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::{Json, ObjectBuilder};

use super::{Evaluator, Frame, ITEM_BYTES};
use crate::error::{Fault, Result};
use crate::program::{Group, Name, Node, SortTerm, Transform};
use crate::signature::type_letter;
use crate::value::{ArrayRef, Tuple, Value, compare_texts};

/// The items that share a key.
struct Bucket {
    key: Arc<str>,
    /// Which pair of the group made the key.
    pair: usize,
    items: Vec<Tuple>,
}

impl Evaluator<'_> {
    /// `{key: value, ...}`: every item of the input goes under its key; then each key's value is evaluated on its items.
    #[inline(never)]
    pub(super) fn group(&mut self, group: &Group, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let tuples = matches!(input, Value::Tuples(_));
        if !tuples && !input.is_array() {
            return self.object_of_one(group, input, frame);
        }
        let mut items: Vec<Tuple> = match (input, input.as_array()) {
            (Value::Tuples(tuples), _) => (**tuples).clone(),
            (_, Some(array)) => array.iter().map(|item| Tuple { item, bindings: Vec::new() }).collect(),
            (_, None) => Vec::new(),
        };
        self.allocate_items(items.len())?;
        if items.is_empty() && !tuples {
            items.push(Tuple { item: Value::Undefined, bindings: Vec::new() });
        }
        let mut buckets: Vec<Bucket> = Vec::new();
        let mut places: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for tuple in items {
            let own = if tuples { Frame::of_tuple(frame, &tuple) } else { frame.clone() };
            for (pair, (key, _)) in group.pairs.iter().enumerate() {
                let Some(key) = self.key(key, group.position, &tuple.item, &own)? else { continue };
                match places.get(&key) {
                    Some(place) if buckets[*place].pair != pair => return Err(same_key(&key, group.position)),
                    Some(place) => buckets[*place].items.push(tuple.clone()),
                    None => {
                        places.insert(key.clone(), buckets.len());
                        buckets.push(Bucket { key, pair, items: vec![tuple.clone()] });
                    }
                }
                self.allocate(ITEM_BYTES)?;
            }
        }
        let mut members = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            let reduced = self.reduce(bucket.items)?;
            let own = if tuples { Frame::of_tuple(frame, &reduced) } else { frame.clone() };
            let value = self.eval(&group.pairs[bucket.pair].1, &reduced.item, &own)?;
            if !value.is_undefined() {
                members.push((bucket.key, value));
            }
        }
        self.object(members)
    }

    /// An object constructor on one item: no two keys may be the same.
    #[inline(never)]
    fn object_of_one(&mut self, group: &Group, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let mut keys: Vec<(Arc<str>, usize)> = Vec::with_capacity(group.pairs.len());
        let mut seen: BTreeMap<Arc<str>, ()> = BTreeMap::new();
        for (pair, (key, _)) in group.pairs.iter().enumerate() {
            let Some(key) = self.key(key, group.position, input, frame)? else { continue };
            let known = if group.pairs.len() <= 8 {
                keys.iter().any(|(other, _)| *other == key)
            } else {
                seen.insert(key.clone(), ()).is_some()
            };
            if known {
                return Err(same_key(&key, group.position));
            }
            keys.push((key, pair));
        }
        let mut members = Vec::with_capacity(keys.len());
        for (key, pair) in keys {
            let value = self.eval(&group.pairs[pair].1, input, frame)?;
            if !value.is_undefined() {
                members.push((key, value));
            }
        }
        self.object(members)
    }

    /// A key's text; `None` if it is undefined, which leaves the pair out.
    fn key(&mut self, key: &Node, position: usize, item: &Value, frame: &Rc<Frame>) -> Result<Option<Arc<str>>> {
        let value = self.eval(key, item, frame)?;
        match value.as_text() {
            Some(key) => Ok(Some(key.clone())),
            None if value.is_undefined() => Ok(None),
            None => Err(Fault::new("T1003").at(position).value(value.to_shown_json())),
        }
    }

    /// The items of a key as one: an array of them, and arrays of what each variable was bound to.
    fn reduce(&mut self, tuples: Vec<Tuple>) -> Result<Tuple> {
        let mut tuples = tuples.into_iter();
        let Some(mut reduced) = tuples.next() else {
            return Ok(Tuple { item: Value::Undefined, bindings: Vec::new() });
        };
        if tuples.len() == 0 {
            return Ok(reduced);
        }
        let mut items = Collected::new(reduced.item);
        let mut bindings: Vec<(Name, Collected)> =
            reduced.bindings.drain(..).map(|(name, value)| (name, Collected::new(value))).collect();
        for tuple in tuples {
            items.append(self, tuple.item)?;
            for (name, value) in tuple.bindings {
                match bindings.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, collected)) => collected.append(self, value)?,
                    None => bindings.push((name, Collected::new(value))),
                }
            }
        }
        let bindings = bindings.into_iter().map(|(name, collected)| (name, collected.into_value())).collect();
        Ok(Tuple { item: self.checked(items.into_value())?, bindings })
    }

    /// `^(terms)` on an array.
    #[inline(never)]
    pub(super) fn sort_by(
        &mut self,
        terms: &[SortTerm],
        position: usize,
        input: Value,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let Some(array) = input.as_array() else { return Ok(input) };
        if array.len() <= 1 {
            return Ok(input);
        }
        self.allocate_items(array.len())?;
        let tuples = array.iter().map(|item| Tuple { item, bindings: Vec::new() }).collect();
        let sorted = self.sort_tuples(terms, position, tuples, frame)?;
        self.list(sorted.into_iter().map(|tuple| tuple.item).collect())
    }

    /// `^(terms)`: a stable sort; each term is evaluated at most once for each item.
    #[inline(never)]
    pub(super) fn sort_tuples(
        &mut self,
        terms: &[SortTerm],
        position: usize,
        tuples: Vec<Tuple>,
        frame: &Rc<Frame>,
    ) -> Result<Vec<Tuple>> {
        let mut keys: Vec<Option<Value>> = vec![None; tuples.len() * terms.len()];
        self.allocate_items(keys.len())?;
        let order = merge_sort(tuples.len(), &mut |left, right| {
            for (number, term) in terms.iter().enumerate() {
                let mut key = |evaluator: &mut Self, place: usize| -> Result<Value> {
                    let slot = place * terms.len() + number;
                    if let Some(key) = &keys[slot] {
                        return Ok(key.clone());
                    }
                    let own = if tuples[place].bindings.is_empty() {
                        frame.clone()
                    } else {
                        Frame::of_tuple(frame, &tuples[place])
                    };
                    let key = evaluator.eval(&term.term, &tuples[place].item, &own)?;
                    keys[slot] = Some(key.clone());
                    Ok(key)
                };
                let (left, right) = (key(self, left)?, key(self, right)?);
                self.step()?;
                let order = compare_keys(&left, &right).map_err(|fault| fault.at(position))?;
                // Items without a key come last in either direction.
                let fixed = left.is_undefined() || right.is_undefined();
                match if term.descending && !fixed { order.reverse() } else { order } {
                    Ordering::Equal => {}
                    order => return Ok(order == Ordering::Greater),
                }
            }
            Ok(false)
        })?;
        let mut tuples: Vec<Option<Tuple>> = tuples.into_iter().map(Some).collect();
        Ok(order.into_iter().filter_map(|place| tuples[place].take()).collect())
    }

    /// `| pattern | update, delete |` on a subject: a copy in which what the pattern finds is changed.
    #[inline(never)]
    pub(super) fn transform(&mut self, transform: &Transform, subject: Value, frame: &Rc<Frame>) -> Result<Value> {
        if subject.is_undefined() {
            return Ok(subject);
        }
        // Every object of the copy is one of its own, so that a match can be told from its equals.
        let subject = subject.to_json();
        let copy = self.copy(&subject)?;
        let matches = self.eval(&transform.pattern, &Value::Json(copy.clone()), frame)?;
        if matches.is_undefined() {
            return Ok(Value::Json(copy));
        }
        let mut changes = Changes::default();
        let single;
        let found = match matches.as_array() {
            Some(array) => array,
            None => {
                single = [matches.clone()];
                ArrayRef::Values(&single)
            }
        };
        for found in found.iter() {
            self.step()?;
            let object = found.as_object();
            let current = match object {
                Some(object) if !changes.is_empty() => {
                    Value::Json(self.changed(&Json::Object(object.clone()), &changes)?)
                }
                _ => found.clone(),
            };
            let update = self.eval(&transform.update, &current, frame)?;
            let update = match (&update, update.members()) {
                (Value::Undefined, _) => Vec::new(),
                (_, Some(members)) => members,
                _ => {
                    let position = transform.update.position;
                    return Err(Fault::new("T2011").at(position).value(update.to_shown_json()));
                }
            };
            // What is no object cannot be changed, but its update must fit all the same.
            let Some(object) = object else {
                if let Some(delete) = &transform.delete {
                    self.deletions(delete, &current, frame)?;
                }
                continue;
            };
            let members = changes.members(object);
            for (key, value) in update {
                self.allocate(2 * ITEM_BYTES)?;
                set(members, key, value.to_json());
            }
            if let Some(delete) = &transform.delete {
                let current = Value::Json(self.changed(&Json::Object(object.clone()), &changes)?);
                let delete = self.deletions(delete, &current, frame)?;
                changes.members(object).retain(|member| !delete.contains(&member.key));
            }
        }
        if changes.is_empty() {
            return Ok(Value::Json(copy));
        }
        let changed = Value::Json(self.changed(&copy, &changes)?);
        self.checked(changed).map_err(|fault| fault.at(transform.position))
    }

    fn deletions(&mut self, delete: &Node, current: &Value, frame: &Rc<Frame>) -> Result<Vec<Arc<str>>> {
        let value = self.eval(delete, current, frame)?;
        let fault = || Fault::new("T2012").at(delete.position).value(value.to_shown_json());
        match value.as_array() {
            None if value.is_undefined() => Ok(Vec::new()),
            None => value.as_text().map(|key| vec![key.clone()]).ok_or_else(fault),
            Some(array) => array.iter().map(|item| item.as_text().cloned().ok_or_else(fault)).collect(),
        }
    }

    /// A copy whose objects and arrays are all new.
    fn copy(&mut self, json: &Json) -> Result<Json> {
        self.step()?;
        Ok(match json {
            Json::Array(items) => {
                self.allocate_items(items.len())?;
                Json::array(items.iter().map(|item| self.copy(item)).collect::<Result<_>>()?)
            }
            Json::Object(object) => {
                self.allocate_items(2 * object.len())?;
                let mut builder = ObjectBuilder::with_capacity(object.len());
                for (key, value) in object {
                    builder.insert(key.clone(), self.copy(value)?);
                }
                Json::Object(builder.build())
            }
            leaf => leaf.clone(),
        })
    }

    /// The tree with the changes in it.
    fn changed(&mut self, json: &Json, changes: &Changes) -> Result<Json> {
        self.step()?;
        Ok(match json {
            Json::Array(items) => {
                Json::array(items.iter().map(|item| self.changed(item, changes)).collect::<Result<_>>()?)
            }
            Json::Object(object) => {
                let mut builder = ObjectBuilder::with_capacity(object.len());
                match changes.objects.get(&object.address()) {
                    Some((_, members)) => {
                        for member in members {
                            let value =
                                if member.fixed { member.value.clone() } else { self.changed(&member.value, changes)? };
                            builder.insert(member.key.clone(), value);
                        }
                    }
                    None => {
                        for (key, value) in object {
                            builder.insert(key.clone(), self.changed(value, changes)?);
                        }
                    }
                }
                Json::Object(builder.build())
            }
            leaf => leaf.clone(),
        })
    }
}

/// Objects of a tree with their new members, by where the objects stand in memory.
#[derive(Default)]
struct Changes {
    /// The object is kept so that its address stays its own.
    objects: BTreeMap<usize, (stepwell_json::Object, Vec<Member>)>,
}

struct Member {
    key: Arc<str>,
    value: Json,
    /// Put there by an update: nothing below it changes any more.
    fixed: bool,
}

impl Changes {
    fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn members(&mut self, object: &stepwell_json::Object) -> &mut Vec<Member> {
        let entry = self.objects.entry(object.address()).or_insert_with(|| {
            let member =
                |(key, value): (&Arc<str>, &Json)| Member { key: key.clone(), value: value.clone(), fixed: false };
            (object.clone(), object.iter().map(member).collect())
        });
        &mut entry.1
    }
}

fn set(members: &mut Vec<Member>, key: Arc<str>, value: Json) {
    match members.iter_mut().find(|member| member.key == key) {
        Some(member) => (member.value, member.fixed) = (value, true),
        None => members.push(Member { key, value, fixed: true }),
    }
}

/// A value, or an array once there are several.
struct Collected {
    first: Option<Value>,
    rest: Vec<Value>,
}

impl Collected {
    fn new(value: Value) -> Collected {
        Collected { first: Some(value), rest: Vec::new() }
    }

    fn append(&mut self, evaluator: &mut Evaluator<'_>, value: Value) -> Result<()> {
        if let Some(first) = self.first.take() {
            self.push(evaluator, first)?;
        }
        self.push(evaluator, value)
    }

    fn push(&mut self, evaluator: &mut Evaluator<'_>, value: Value) -> Result<()> {
        match value.as_array() {
            Some(array) => {
                evaluator.allocate_items(array.len())?;
                self.rest.extend(array.iter());
            }
            None if value.is_undefined() => {}
            None => self.rest.push(value),
        }
        Ok(())
    }

    fn into_value(self) -> Value {
        self.first.unwrap_or_else(|| Value::list(self.rest))
    }
}

fn same_key(key: &Arc<str>, position: usize) -> Box<Fault> {
    Fault::new("D1009").at(position).text(key)
}

/// The order of two keys of an order-by; undefined is last.
fn compare_keys(left: &Value, right: &Value) -> Result<Ordering> {
    match (left.is_undefined(), right.is_undefined()) {
        (true, true) => return Ok(Ordering::Equal),
        (true, false) => return Ok(Ordering::Greater),
        (false, true) => return Ok(Ordering::Less),
        (false, false) => {}
    }
    let (left_type, right_type) = (type_letter(left), type_letter(right));
    for (value, letter) in [(left, left_type), (right, right_type)] {
        if !matches!(letter, b's' | b'n') {
            return Err(Fault::new("T2008").value(value.to_shown_json()));
        }
    }
    if left_type != right_type {
        return Err(Fault::new("T2007").value(left.to_shown_json()).other(right.to_shown_json()));
    }
    Ok(match (left.as_text(), right.as_text()) {
        (Some(left), Some(right)) => compare_texts(left, right),
        // What is no number stands behind what it is compared with, as in the reference.
        _ => left.as_number().partial_cmp(&right.as_number()).unwrap_or(Ordering::Greater),
    })
}

/// A stable merge sort of places `0..count`; `swap(a, b)` says that `a` belongs behind `b`.
pub(crate) fn merge_sort(count: usize, swap: &mut dyn FnMut(usize, usize) -> Result<bool>) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..count).collect();
    sort_part(&mut order, swap)?;
    Ok(order)
}

fn sort_part(part: &mut [usize], swap: &mut dyn FnMut(usize, usize) -> Result<bool>) -> Result<()> {
    if part.len() <= 1 {
        return Ok(());
    }
    let (left, right) = part.split_at_mut(part.len() / 2);
    sort_part(left, swap)?;
    sort_part(right, swap)?;
    let (left, right) = (left.to_vec(), right.to_vec());
    let (mut from_left, mut from_right) = (left.iter().peekable(), right.iter().peekable());
    for slot in part {
        let take_right = match (from_left.peek(), from_right.peek()) {
            (Some(left), Some(right)) => swap(**left, **right)?,
            (None, _) => true,
            (_, None) => false,
        };
        let next = if take_right { from_right.next() } else { from_left.next() };
        *slot = next.copied().unwrap_or(*slot);
    }
    Ok(())
}
