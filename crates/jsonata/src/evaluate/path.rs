//! Paths: one step after the other, each over the items of the last, flattened; fields, wildcards, filters, tuples.

use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::Json;

use super::operators::all_numbers;
use super::{Evaluator, Frame, ITEM_BYTES, finite, unwrap_outer};
use crate::error::Result;
use crate::program::{Kind, Name, Node, Path, Stage, Step};
use crate::value::{ArrayRef, List, Tuple, Value};

/// What flows from step to step.
enum Flow {
    /// One item.
    One(Value),
    /// The items of this array.
    Many(Value),
    /// An array that is the whole result as it is, because a last step found it alone.
    Array(Value),
    Nothing,
}

impl Flow {
    fn is_empty(&self) -> bool {
        match self {
            Flow::Nothing => true,
            Flow::Many(array) | Flow::Array(array) => array.as_array().is_some_and(|array| array.len() == 0),
            Flow::One(_) => false,
        }
    }
}

/// Collects what a step gives for each item: arrays are flattened into one sequence, but a lone array stays whole.
struct Results {
    first: Value,
    items: Vec<Value>,
    count: usize,
}

impl Results {
    fn new() -> Results {
        Results { first: Value::Undefined, items: Vec::new(), count: 0 }
    }

    fn push(&mut self, evaluator: &mut Evaluator<'_>, value: Value) -> Result<()> {
        self.count += 1;
        if self.count == 1 {
            self.first = value;
            return Ok(());
        }
        if self.count == 2 {
            let first = std::mem::replace(&mut self.first, Value::Undefined);
            self.flatten(evaluator, first)?;
        }
        self.flatten(evaluator, value)
    }

    fn flatten(&mut self, evaluator: &mut Evaluator<'_>, value: Value) -> Result<()> {
        match flattened(&value) {
            Some(array) => {
                evaluator.allocate_items(array.len())?;
                self.items.extend(array.iter());
            }
            None => {
                evaluator.allocate(ITEM_BYTES)?;
                self.items.push(value);
            }
        }
        Ok(())
    }

    fn into_flow(self, evaluator: &Evaluator<'_>, last: bool) -> Result<Flow> {
        Ok(match self.count {
            0 => Flow::Nothing,
            1 if last && self.first.is_array() && !self.first.is_sequence() => Flow::Array(self.first),
            1 if flattened(&self.first).is_some() => Flow::Many(self.first),
            1 => Flow::One(self.first),
            _ => Flow::Many(evaluator.checked(Value::sequence(self.items))?),
        })
    }
}

/// The items an array contributes to a sequence; `None` for what contributes itself.
fn flattened(value: &Value) -> Option<ArrayRef<'_>> {
    match value {
        Value::List(list) if list.cons => None,
        value => value.as_array(),
    }
}

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn path(&mut self, node: &Node, path: &Path, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        if path.binds {
            return self.binding_path(node, path, input, frame);
        }
        let mut flow = first_flow(path, input);
        let last = path.steps.len() - 1;
        for (place, step) in path.steps.iter().enumerate() {
            if place == 0 && step.node.is_cons() {
                flow = match self.eval(&step.node, input, frame)? {
                    Value::Undefined => Flow::Nothing,
                    value if value.as_array().is_some_and(|array| array.len() == 0) || last == 0 => {
                        return Ok(self.end(path, node, Flow::Array(value)));
                    }
                    value => self.constructed(value)?,
                };
            } else {
                flow = self.flow_through(step, flow, frame, place == last)?;
            }
            if flow.is_empty() {
                break;
            }
        }
        Ok(self.end(path, node, flow))
    }

    /// What flows from an array constructor at the start of a path. If a predicate or a grouping has left no array, the
    /// reference walks it all the same: a text has its characters, and anything else has no items.
    fn constructed(&mut self, value: Value) -> Result<Flow> {
        if value.is_array() {
            return Ok(Flow::Many(value));
        }
        let Some(text) = value.as_text() else { return Ok(Flow::Nothing) };
        self.allocate_items(text.len())?;
        Ok(Flow::Many(Value::sequence(text.chars().map(|character| Value::string(character.to_string())).collect())))
    }

    /// The result of a path as a value, a sequence where it is one.
    fn end(&self, path: &Path, node: &Node, flow: Flow) -> Value {
        let keep = path.keep_singleton;
        let value = match flow {
            Flow::Nothing => return if node.is_plain() { Value::Undefined } else { Value::sequence(Vec::new()) },
            Flow::One(value) if !keep && node.is_plain() => return value,
            Flow::One(value) => Value::sequence(vec![value]),
            Flow::Many(value) => value.into_sequence(),
            Flow::Array(Value::List(list)) if keep && list.cons => Value::sequence(vec![Value::List(list)]),
            Flow::Array(value) => return value,
        };
        match value {
            Value::List(list) if keep => Value::List(List { keep_singleton: true, ..list }),
            value => value,
        }
    }

    #[inline(never)]
    fn flow_through(&mut self, step: &Step, flow: Flow, frame: &Rc<Frame>, last: bool) -> Result<Flow> {
        if let Kind::Sort(terms) = &step.node.kind {
            let mut value = match flow {
                Flow::One(value) => Value::sequence(vec![value]),
                Flow::Many(value) | Flow::Array(value) => value.into_sequence(),
                Flow::Nothing => return Ok(Flow::Nothing),
            };
            value = self.sort_by(terms, step.node.position, value, frame)?;
            for stage in &step.stages {
                if let Stage::Filter(predicate) = stage {
                    value = self.filter(predicate, value, frame)?;
                }
            }
            return Ok(match value {
                value if value.is_sequence() => Flow::Many(value),
                // A place in an array of arrays may have found an empty one, which ends the path.
                value if last || value.as_array().is_some_and(|array| array.len() == 0) => Flow::Array(value),
                value => Flow::Many(value),
            });
        }
        let mut results = Results::new();
        match (flow, step.plain_field()) {
            (Flow::Nothing, _) => return Ok(Flow::Nothing),
            (Flow::One(value), Some(name)) => {
                self.step()?;
                let found = self.field(&value, name)?;
                let found = super::normalize(found, false);
                if found.is_undefined() {
                    return Ok(Flow::Nothing);
                }
                results.push(self, found)?;
            }
            (Flow::Many(array), Some(name)) => self.field_of_each(&array, name, &mut results)?,
            (Flow::One(value), None) => self.step_on(step, &value, frame, &mut results)?,
            (Flow::Many(value) | Flow::Array(value), _) => {
                if let Some(array) = value.as_array() {
                    for item in array.iter() {
                        self.step_on(step, &item, frame, &mut results)?;
                    }
                }
            }
        }
        results.into_flow(self, last)
    }

    /// A step that does more than look up a field, on one item.
    #[inline(never)]
    fn step_on(&mut self, step: &Step, item: &Value, frame: &Rc<Frame>, results: &mut Results) -> Result<()> {
        let mut value = self.eval(&step.node, item, frame)?;
        for stage in &step.stages {
            if let Stage::Filter(predicate) = stage {
                value = self.filter(predicate, value, frame)?;
            }
        }
        if value.is_undefined() { Ok(()) } else { results.push(self, value) }
    }

    /// A field of every item, without a value for items on the way.
    #[inline(never)]
    fn field_of_each(&mut self, array: &Value, name: &Arc<str>, results: &mut Results) -> Result<()> {
        let Some(array) = array.as_array() else { return Ok(()) };
        self.charge(array.len())?;
        if let ArrayRef::Json(items) = array {
            for item in items.iter() {
                match item {
                    Json::Object(object) => {
                        if let Some(value) = object.get(name) {
                            results.push(self, Value::Json(value.clone()))?;
                        }
                    }
                    Json::Array(_) => {
                        let value = self.field(&Value::Json(item.clone()), name)?;
                        let value = super::normalize(value, false);
                        if !value.is_undefined() {
                            results.push(self, value)?;
                        }
                    }
                    _ => {}
                }
            }
            return Ok(());
        }
        for item in array.iter() {
            let value = self.field(&item, name)?;
            let value = super::normalize(value, false);
            if !value.is_undefined() {
                results.push(self, value)?;
            }
        }
        Ok(())
    }

    /// The member of this name: of an array, those of all its items as a sequence.
    pub(crate) fn field(&mut self, value: &Value, name: &Arc<str>) -> Result<Value> {
        match value {
            Value::Json(Json::Object(object)) => {
                Ok(object.get(name).map_or(Value::Undefined, |json| Value::Json(json.clone())))
            }
            Value::Record(record) => Ok(record.get(name).cloned().unwrap_or(Value::Undefined)),
            value => {
                let Some(array) = value.as_array() else { return Ok(Value::Undefined) };
                let mut found = Vec::new();
                for item in array.iter() {
                    self.step()?;
                    let value = self.field(&item, name)?;
                    match value.as_array() {
                        Some(array) => {
                            self.allocate_items(array.len())?;
                            found.extend(array.iter());
                        }
                        None if value.is_undefined() => {}
                        None => found.push(value),
                    }
                }
                self.sequence(found)
            }
        }
    }

    /// `*`: the values of all members, arrays flattened all the way. With an array among them it is no sequence.
    pub(super) fn wildcard(&mut self, input: &Value) -> Result<Value> {
        let input = unwrap_outer(input);
        let mut found = Vec::new();
        let values: Vec<Value> = match (&input, input.as_array()) {
            (_, Some(array)) => {
                self.allocate_items(array.len())?;
                array.iter().collect()
            }
            (value, None) => value.members().unwrap_or_default().into_iter().map(|(_, value)| value).collect(),
        };
        let mut appended = false;
        for value in values {
            self.step()?;
            match value {
                Value::Undefined => {}
                value if value.is_array() => {
                    appended = true;
                    self.flatten_all(&value, &mut found)?;
                }
                value => found.push(value),
            }
        }
        if appended { self.list(found) } else { self.sequence(found) }
    }

    fn flatten_all(&mut self, value: &Value, found: &mut Vec<Value>) -> Result<()> {
        match value.as_array() {
            Some(array) => {
                for item in array.iter() {
                    self.step()?;
                    self.flatten_all(&item, found)?;
                }
            }
            None => {
                self.allocate(ITEM_BYTES)?;
                found.push(value.clone());
            }
        }
        Ok(())
    }

    /// `**`: the value itself and everything below it, but no arrays.
    pub(super) fn descendants(&mut self, input: &Value) -> Result<Value> {
        let mut found = Vec::new();
        if !input.is_undefined() {
            self.descend(&unwrap_outer(input), &mut found)?;
        }
        self.sequence(found)
    }

    fn descend(&mut self, value: &Value, found: &mut Vec<Value>) -> Result<()> {
        self.step()?;
        if let Some(array) = value.as_array() {
            for item in array.iter() {
                self.descend(&item, found)?;
            }
            return Ok(());
        }
        self.allocate(ITEM_BYTES)?;
        found.push(value.clone());
        if let Value::Json(Json::Object(object)) = value {
            for member in object.values() {
                self.descend(&Value::Json(member.clone()), found)?;
            }
        } else if let Value::Record(record) = value {
            for (_, member) in &record.members {
                self.descend(member, found)?;
            }
        }
        Ok(())
    }

    /// `[predicate]`: items by number, or those for which it is true.
    #[inline(never)]
    pub(super) fn filter(&mut self, predicate: &Node, value: Value, frame: &Rc<Frame>) -> Result<Value> {
        if let Value::Tuples(tuples) = &value {
            let kept = self.filter_tuples(predicate, tuples, frame)?;
            return Ok(Value::Tuples(Rc::new(kept)));
        }
        let single;
        let array = match value.as_array() {
            Some(array) => array,
            None => {
                single = [value.clone()];
                ArrayRef::Values(&single)
            }
        };
        if let Kind::Number(number) = &predicate.kind
            && predicate.is_plain()
        {
            self.step()?;
            let item = place(*number, array.len()).map_or(Value::Undefined, |place| array.get(place));
            return Ok(match item {
                Value::Undefined => Value::sequence(Vec::new()),
                array if array.is_array() => array,
                item => Value::sequence(vec![item]),
            });
        }
        let mut kept = Vec::new();
        for (index, item) in array.iter().enumerate() {
            let result = self.eval(predicate, &item, frame)?;
            for _ in 0..self.chosen(&result, index, array.len())? {
                self.allocate(ITEM_BYTES)?;
                kept.push(item.clone());
            }
        }
        self.checked(Value::sequence(kept))
    }

    #[inline(never)]
    fn filter_tuples(&mut self, predicate: &Node, tuples: &[Tuple], frame: &Rc<Frame>) -> Result<Vec<Tuple>> {
        if let Kind::Number(number) = &predicate.kind
            && predicate.is_plain()
        {
            return Ok(place(*number, tuples.len()).and_then(|place| tuples.get(place)).cloned().into_iter().collect());
        }
        let mut kept = Vec::new();
        for (index, tuple) in tuples.iter().enumerate() {
            let own = Frame::of_tuple(frame, tuple);
            let result = self.eval(predicate, &tuple.item, &own)?;
            for _ in 0..self.chosen(&result, index, tuples.len())? {
                self.allocate((1 + tuple.bindings.len()) * ITEM_BYTES)?;
                kept.push(tuple.clone());
            }
        }
        Ok(kept)
    }

    /// How often a predicate's result chooses the item at `index`.
    fn chosen(&mut self, result: &Value, index: usize, length: usize) -> Result<usize> {
        if let Some(number) = result.as_number() {
            return Ok(usize::from(place(finite(number)?, length) == Some(index)));
        }
        if let Some(array) = result.as_array()
            && all_numbers(array)?
        {
            if let ArrayRef::Range { first, count } = array {
                let hits = |at: i64| usize::from(at >= first && (at - first) < count as i64);
                return Ok(hits(index as i64) + hits(index as i64 - length as i64));
            }
            self.charge(array.len())?;
            let numbers = array.iter().filter_map(|item| item.as_number());
            return Ok(numbers.filter(|number| place(*number, length) == Some(index)).count());
        }
        Ok(usize::from(self.truth(result)?))
    }

    /// A path some of whose steps bind variables.
    #[inline(never)]
    fn binding_path(&mut self, node: &Node, path: &Path, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let mut flow = first_flow(path, input);
        let mut tuples: Option<Vec<Tuple>> = None;
        let last = path.steps.len() - 1;
        for (place, step) in path.steps.iter().enumerate() {
            if place == 0 && step.node.is_cons() {
                let made = self.eval(&step.node, input, frame)?;
                if step.focus.is_some() {
                    // As in the reference: evaluated, and forgotten.
                    tuples = Some(tuples_of(&flow));
                    continue;
                }
                flow = match made {
                    Value::Undefined => return Ok(Value::Undefined),
                    value if value.as_array().is_some_and(|array| array.len() == 0) && !step.tuple => {
                        return Ok(self.end(path, node, Flow::Array(value)));
                    }
                    Value::Tuples(made) => {
                        tuples = Some(Rc::unwrap_or_clone(made));
                        Flow::Nothing
                    }
                    value => self.constructed(value)?,
                };
                if step.tuple && tuples.is_none() {
                    tuples = Some(tuples_of(&flow));
                }
            } else if step.tuple || tuples.is_some() {
                let before = match tuples.take() {
                    Some(tuples) => tuples,
                    None => tuples_of(&flow),
                };
                tuples = Some(self.tuple_step(step, before, frame)?);
            } else {
                flow = self.flow_through(step, flow, frame, place == last)?;
            }
            if tuples.is_none() && flow.is_empty() {
                return Ok(self.end(path, node, flow));
            }
        }
        let Some(tuples) = tuples else { return Ok(self.end(path, node, flow)) };
        if path.tuple || node.group.is_some() {
            return Ok(Value::Tuples(Rc::new(tuples)));
        }
        self.allocate_items(tuples.len())?;
        let items = tuples.into_iter().map(|tuple| tuple.item).collect();
        Ok(self.end(path, node, Flow::Many(Value::sequence(items))))
    }

    #[inline(never)]
    fn tuple_step(&mut self, step: &Step, before: Vec<Tuple>, frame: &Rc<Frame>) -> Result<Vec<Tuple>> {
        let mut after = Vec::with_capacity(before.len());
        if let Kind::Sort(terms) = &step.node.kind {
            after = self.sort_tuples(terms, step.node.position, before, frame)?;
            if let Some(name) = step.index {
                for (place, tuple) in after.iter_mut().enumerate() {
                    bind(&mut tuple.bindings, name, Value::Number(place as f64));
                }
            }
        } else {
            for tuple in &before {
                let own = Frame::of_tuple(frame, tuple);
                let value = self.eval(&step.node, &tuple.item, &own)?;
                if let Value::Tuples(inner) = &value {
                    for inner in inner.iter() {
                        let mut made = Tuple { item: inner.item.clone(), bindings: tuple.bindings.clone() };
                        for (name, value) in &inner.bindings {
                            bind(&mut made.bindings, *name, value.clone());
                        }
                        self.push_tuple(&mut after, made)?;
                    }
                    continue;
                }
                let single;
                let array = match value.as_array() {
                    Some(array) => array,
                    None if value.is_undefined() => continue,
                    None => {
                        single = [value];
                        ArrayRef::Values(&single)
                    }
                };
                for (place, item) in array.iter().enumerate() {
                    let mut bindings = tuple.bindings.clone();
                    let item = match step.focus {
                        Some(name) => {
                            bind(&mut bindings, name, item);
                            tuple.item.clone()
                        }
                        None => item,
                    };
                    if let Some(name) = step.index {
                        bind(&mut bindings, name, Value::Number(place as f64));
                    }
                    if let Some(name) = step.ancestor {
                        bind(&mut bindings, name, tuple.item.clone());
                    }
                    self.push_tuple(&mut after, Tuple { item, bindings })?;
                }
            }
        }
        for stage in &step.stages {
            match stage {
                Stage::Filter(predicate) => after = self.filter_tuples(predicate, &after, frame)?,
                Stage::Index(name) => {
                    for (place, tuple) in after.iter_mut().enumerate() {
                        bind(&mut tuple.bindings, *name, Value::Number(place as f64));
                    }
                }
            }
        }
        Ok(after)
    }

    fn push_tuple(&mut self, tuples: &mut Vec<Tuple>, tuple: Tuple) -> Result<()> {
        self.step()?;
        self.allocate((1 + tuple.bindings.len()) * ITEM_BYTES)?;
        tuples.push(tuple);
        Ok(())
    }
}

/// Where a path starts: on each item of an array, unless its first step does not look at the context.
fn first_flow(path: &Path, input: &Value) -> Flow {
    if !path.steps[0].is_variable() && input.is_array() { Flow::Many(input.clone()) } else { Flow::One(input.clone()) }
}

fn tuples_of(flow: &Flow) -> Vec<Tuple> {
    let tuple = |item| Tuple { item, bindings: Vec::new() };
    match flow {
        Flow::Nothing => Vec::new(),
        Flow::One(item) => vec![tuple(item.clone())],
        Flow::Many(array) | Flow::Array(array) => {
            array.as_array().map_or_else(Vec::new, |array| array.iter().map(tuple).collect())
        }
    }
}

fn bind(bindings: &mut Vec<(Name, Value)>, name: Name, value: Value) {
    match bindings.iter_mut().find(|binding| binding.0 == name) {
        Some(binding) => binding.1 = value,
        None => bindings.push((name, value)),
    }
}

/// The place a number means in an array of this length: rounded down, from the end if negative.
fn place(number: f64, length: usize) -> Option<usize> {
    let floor = number.floor();
    let place = if floor < 0.0 { floor + length as f64 } else { floor };
    (place >= 0.0 && place < length as f64).then_some(place as usize)
}
