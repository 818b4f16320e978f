//! The evaluator: walks the compiled form, within the limits.

mod functions;
mod operators;
mod path;
mod structures;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::{DEPTH_MAX, Json};

use crate::error::{Fault, Result};
use crate::program::{Call, Kind, Name, Node, Program, Transform};
use crate::stack::Stack;
use crate::value::{ArrayRef, List, Record, Tuple, Value};
use crate::{Environment, Outcome};

pub(crate) use functions::Function;
pub(crate) use operators::{compare_for_distinct, deep_equal};
pub(crate) use structures::merge_sort;

/// Bytes charged for an item of a list, a member of an object, a binding of a frame: the item, and once more as JSON.
pub(crate) const ITEM_BYTES: usize = 64;

/// Evaluates a program in an environment.
pub(crate) fn evaluate(program: &Program, environment: &Environment<'_>) -> Result<Outcome> {
    let mut evaluator = Evaluator {
        program,
        environment,
        globals: vec![None; program.names.len()],
        steps_left: environment.limits.steps,
        bytes_left: environment.limits.value_bytes,
        depth: 0,
        stack: Stack::here(),
        captured: Vec::new(),
        root: environment.input.map_or(Value::Undefined, |input| Value::Json(input.clone())),
    };
    let frame = Frame::new(None, Vec::new());
    let input = match &evaluator.root {
        array @ Value::Json(Json::Array(_)) => {
            let list = List { sequence: true, outer: true, ..List::new(vec![array.clone()]) };
            Value::List(list)
        }
        other => other.clone(),
    };
    let result = evaluator.eval(&program.body, &input, &frame).and_then(|value| evaluator.outcome(value));
    // A function holds the frame it was made in, and the frame holds the function: emptying the frames ends the cycle,
    // one frame at a time, so that a long chain of them does not unwind on the stack.
    for frame in std::mem::take(&mut evaluator.captured) {
        drop(frame.bindings.take());
    }
    drop(frame.bindings.take());
    result
}

/// The state of one evaluation.
pub(crate) struct Evaluator<'e> {
    program: &'e Program,
    pub(crate) environment: &'e Environment<'e>,
    /// What the caller and the function table have under each name, once asked for.
    globals: Vec<Option<Value>>,
    steps_left: u64,
    bytes_left: usize,
    depth: u32,
    stack: Stack,
    /// Frames that functions hold, emptied at the end.
    captured: Vec<Rc<Frame>>,
    root: Value,
}

/// Variables of one scope.
#[derive(Debug)]
pub(crate) struct Frame {
    parent: Option<Rc<Frame>>,
    bindings: RefCell<Vec<(Name, Value)>>,
    captured: Cell<bool>,
}

impl Frame {
    pub(crate) fn new(parent: Option<Rc<Frame>>, bindings: Vec<(Name, Value)>) -> Rc<Frame> {
        Rc::new(Frame { parent, bindings: RefCell::new(bindings), captured: Cell::new(false) })
    }

    pub(crate) fn child(parent: &Rc<Frame>, bindings: Vec<(Name, Value)>) -> Rc<Frame> {
        Frame::new(Some(parent.clone()), bindings)
    }

    /// A frame in which a tuple's variables are bound.
    fn of_tuple(parent: &Rc<Frame>, tuple: &Tuple) -> Rc<Frame> {
        Frame::child(parent, tuple.bindings.clone())
    }

    fn bind(&self, name: Name, value: Value) {
        let mut bindings = self.bindings.borrow_mut();
        match bindings.iter_mut().find(|binding| binding.0 == name) {
            Some(binding) => binding.1 = value,
            None => bindings.push((name, value)),
        }
    }

    fn find(&self, name: Name) -> Option<Value> {
        let mut frame = Some(self);
        while let Some(here) = frame {
            if let Some(binding) = here.bindings.borrow().iter().find(|binding| binding.0 == name) {
                return Some(binding.1.clone());
            }
            frame = here.parent.as_deref();
        }
        None
    }
}

impl Evaluator<'_> {
    /// Counts one step.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<()> {
        self.charge(1)
    }

    /// Counts work of so many steps.
    #[inline]
    pub(crate) fn charge(&mut self, steps: usize) -> Result<()> {
        match self.steps_left.checked_sub(steps as u64) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(Fault::new("D1012")),
        }
    }

    /// Counts bytes of a value about to be made.
    #[inline]
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<()> {
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(())
            }
            None => Err(Fault::new("D1013")),
        }
    }

    /// A new text, counted.
    pub(crate) fn text(&mut self, text: impl Into<String>) -> Result<Value> {
        let text = text.into();
        self.allocate_text(text.len())?;
        Ok(Value::string(text))
    }

    /// Counts the bytes of a text about to be made, and the work of making it.
    pub(crate) fn allocate_text(&mut self, bytes: usize) -> Result<()> {
        if bytes > self.environment.limits.string_bytes {
            return Err(Fault::new("D1013"));
        }
        self.charge(bytes / 64)?;
        self.allocate(bytes)
    }

    /// Counts the items of an array about to be made.
    pub(crate) fn allocate_items(&mut self, items: usize) -> Result<()> {
        if items > self.environment.limits.array_items {
            return Err(Fault::new("D1013"));
        }
        self.charge(items / 8)?;
        self.allocate(items.saturating_mul(ITEM_BYTES))
    }

    /// A plain array of these items, counted.
    pub(crate) fn list(&mut self, items: Vec<Value>) -> Result<Value> {
        self.allocate_items(items.len())?;
        self.charge(items.iter().map(text_steps).sum())?;
        self.checked(Value::list(items))
    }

    /// A sequence of these items, counted.
    pub(crate) fn sequence(&mut self, items: Vec<Value>) -> Result<Value> {
        self.allocate_items(items.len())?;
        self.checked(Value::sequence(items))
    }

    /// An object of these members, counted.
    pub(crate) fn object(&mut self, members: Vec<(Arc<str>, Value)>) -> Result<Value> {
        self.allocate_items(members.len().saturating_mul(2))?;
        for (_, value) in &members {
            self.charge(text_steps(value))?;
            self.writable(value)?;
        }
        self.checked(Value::object(members))
    }

    /// The value, unless it nests too deeply to be walked or is too large to be written out.
    pub(crate) fn checked(&self, value: Value) -> Result<Value> {
        if value.depth() > DEPTH_MAX {
            return Err(Fault::new("D1011"));
        }
        self.writable(&value)?;
        Ok(value)
    }

    /// Fails for a value too large to be written out: a few shared lists can be that.
    fn writable(&self, value: &Value) -> Result<()> {
        if value.weight() > self.environment.limits.value_bytes { Err(Fault::new("D1013")) } else { Ok(()) }
    }

    /// Evaluates a node. The result is never a sequence of one item or of none, unless it is to stay one.
    pub(crate) fn eval(&mut self, node: &Node, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        self.enter(node)?;
        let value = self.eval_kind(node, input, frame)?;
        self.depth -= 1;
        if node.is_plain() {
            return Ok(normalize(value, false));
        }
        let value = self.finish(node, value, frame)?;
        Ok(normalize(value, node.keep_array))
    }

    #[inline]
    fn enter(&mut self, node: &Node) -> Result<()> {
        self.step().map_err(|fault| fault.at(node.position))?;
        self.deepen().map_err(|fault| fault.at(node.position))
    }

    /// Counts one level. The limit comes long before the end of the machine's stack, unless the caller set it higher or
    /// the build is one without optimization: then the stack itself is the limit.
    #[inline]
    fn deepen(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > self.environment.limits.depth || self.stack.is_exhausted() {
            return Err(Fault::new("D1011"));
        }
        Ok(())
    }

    /// Predicates and grouping on the result as a whole. A level of its own, because its frames are large.
    #[inline(never)]
    fn finish(&mut self, node: &Node, mut value: Value, frame: &Rc<Frame>) -> Result<Value> {
        self.deepen()?;
        for predicate in &node.predicates {
            value = self.filter(predicate, value, frame)?;
        }
        if let Some(group) = &node.group {
            value = self.group(group, &value, frame)?;
        }
        self.depth -= 1;
        Ok(value)
    }

    fn eval_kind(&mut self, node: &Node, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        match &node.kind {
            Kind::Constant(json) => Ok(Value::Json(json.clone())),
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Context => Ok(unwrap_outer(input)),
            Kind::Root => Ok(self.root.clone()),
            Kind::Variable(name) => Ok(self.variable(*name, frame)),
            Kind::Parent(slot) => Ok(frame.find(self.program.ancestors[*slot]).unwrap_or(Value::Undefined)),
            Kind::Field(name) => self.field(input, name),
            Kind::Path(path) => self.path(node, path, input, frame),
            Kind::Operator { operator, left, right } => {
                self.operator(*operator, left, right, node.position, input, frame)
            }
            Kind::Call(call) => self.call(call, node.position, input, frame),
            Kind::Condition { condition, then, otherwise } => match (self.holds(condition, input, frame)?, otherwise) {
                (true, _) => self.eval(then, input, frame),
                (false, Some(otherwise)) => self.eval(otherwise, input, frame),
                (false, None) => Ok(Value::Undefined),
            },
            Kind::Block { expressions, scoped } => self.block(expressions, *scoped, input, frame),
            Kind::Object(group) => self.group(group, input, frame),
            Kind::Array { items, cons } => self.array(items, *cons, input, frame),
            Kind::Bind { name, value } => self.bind(*name, value, input, frame),
            Kind::Coalesce { left, right } => match self.eval(left, input, frame)? {
                Value::Undefined => self.eval(right, input, frame),
                value => Ok(value),
            },
            Kind::Default { left, right } => self.default(left, right, input, frame),
            Kind::Negate(operand) => self.negate(operand, node.position, input, frame),
            Kind::Apply { left, right } => self.apply_operator(left, right, node.position, input, frame),
            Kind::Lambda(lambda) => self.lambda(lambda, input, frame),
            Kind::Partial { procedure, arguments, name } => {
                self.partial(procedure, arguments, name.as_ref(), node.position, input, frame)
            }
            Kind::Regex(regex) => Ok(function_of(Function::Regex(regex.clone()))),
            Kind::Transform(transform) => Ok(self.transformer(transform, frame)),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendants => self.descendants(input),
            Kind::Sort(terms) => self.sort_by(terms, node.position, input.clone(), frame),
        }
    }

    /// Whether a condition is true.
    #[inline(never)]
    fn holds(&mut self, condition: &Node, input: &Value, frame: &Rc<Frame>) -> Result<bool> {
        let value = self.eval(condition, input, frame)?;
        self.truth(&value)
    }

    #[inline(never)]
    fn bind(&mut self, name: Name, value: &Node, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let value = self.eval(value, input, frame)?;
        frame.bind(name, value.clone());
        Ok(value)
    }

    #[inline(never)]
    fn default(&mut self, left: &Node, right: &Node, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let value = self.eval(left, input, frame)?;
        if self.truth(&value)? { Ok(value) } else { self.eval(right, input, frame) }
    }

    #[inline(never)]
    fn transformer(&mut self, transform: &Arc<Transform>, frame: &Rc<Frame>) -> Value {
        self.capture(frame);
        function_of(Function::Transform { transform: transform.clone(), frame: frame.clone() })
    }

    #[inline(never)]
    fn block(&mut self, expressions: &[Node], scoped: bool, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let own;
        let frame = if scoped {
            self.allocate(2 * ITEM_BYTES)?;
            own = Frame::child(frame, Vec::new());
            &own
        } else {
            frame
        };
        let mut value = Value::Undefined;
        for expression in expressions {
            value = self.eval(expression, input, frame)?;
        }
        Ok(value)
    }

    #[inline(never)]
    fn array(&mut self, items: &[Node], cons: bool, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let mut values: Vec<Value> = Vec::with_capacity(items.len());
        for item in items {
            let value = self.eval(item, input, frame)?;
            let nested = matches!(item.kind, Kind::Array { .. });
            match (&value, value.as_array()) {
                (Value::Undefined, _) => {}
                // A range alone stays unwritten.
                (Value::List(list), Some(ArrayRef::Range { .. })) if items.len() == 1 && !cons => {
                    return Ok(Value::List(List { sequence: false, keep_singleton: false, ..list.clone() }));
                }
                (_, Some(array)) if !nested => {
                    self.allocate_items(values.len() + array.len())?;
                    self.charge(array.len())?;
                    values.extend(array.iter());
                }
                _ => values.push(value),
            }
        }
        self.allocate_items(values.len())?;
        let list = List { cons, ..List::new(values) };
        self.checked(Value::List(list))
    }

    #[inline(never)]
    fn negate(&mut self, operand: &Node, position: usize, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let value = self.eval(operand, input, frame)?;
        match value.as_number() {
            Some(number) if !number.is_nan() => {
                finite(number).map(|number| Value::Number(-number)).map_err(|fault| fault.at(position))
            }
            None if value.is_undefined() => Ok(value),
            _ => Err(Fault::new("D1002").at(position).token("-").value(value.to_shown_json())),
        }
    }

    /// The value of a variable: bound in a frame, given by the caller, or a function of the language.
    pub(crate) fn variable(&mut self, name: Name, frame: &Rc<Frame>) -> Value {
        let info = &self.program.names[name as usize];
        if info.bound
            && let Some(value) = frame.find(name)
        {
            return value;
        }
        if let Some(value) = &self.globals[name as usize] {
            return value.clone();
        }
        let value = match (self.environment.variables)(&info.text) {
            Some(json) => Value::Json(json),
            None => {
                info.builtin.map_or(Value::Undefined, |builtin| Value::Function(Rc::new(Function::Builtin(builtin))))
            }
        };
        self.globals[name as usize] = Some(value.clone());
        value
    }

    /// Remembers a frame that a function holds, and those around it.
    fn capture(&mut self, frame: &Rc<Frame>) {
        let mut next = Some(frame);
        while let Some(frame) = next {
            if frame.captured.replace(true) {
                break;
            }
            self.captured.push(frame.clone());
            next = frame.parent.as_ref();
        }
    }

    /// What the caller gets.
    fn outcome(&mut self, value: Value) -> Result<Outcome> {
        match value {
            Value::Undefined => Ok(Outcome::Undefined),
            Value::Function(_) => Ok(Outcome::Function),
            Value::Number(number) => Ok(Outcome::Value(crate::number::to_json(finite(number)?))),
            value => {
                self.writable(&value)?;
                Ok(Outcome::Value(value.to_json()))
            }
        }
    }
}

#[inline(never)]
fn function_of(function: Function) -> Value {
    Value::Function(Rc::new(function))
}

/// Steps for a text put into an array or an object, whose size will be counted once.
fn text_steps(value: &Value) -> usize {
    value.as_text().map_or(0, |text| text.len() / 1024)
}

/// The number, unless it is infinite. NaN passes: it is no number to the language, and callers ask for that first.
pub(crate) fn finite(number: f64) -> Result<f64> {
    if number.is_infinite() {
        let shown = Json::from(crate::number::to_text(number));
        return Err(Fault::new("D1001").value(Some(shown)));
    }
    Ok(number)
}

/// The outermost context as the expression sees it.
pub(crate) fn unwrap_outer(input: &Value) -> Value {
    match input {
        Value::List(list) if list.outer => list.array().get(0),
        other => other.clone(),
    }
}

/// A sequence of one item is that item, of none it is undefined, unless it is to stay an array.
#[inline]
fn normalize(value: Value, keep_array: bool) -> Value {
    match value {
        Value::List(list) if list.sequence => normalize_list(list, keep_array),
        other => other,
    }
}

fn normalize_list(mut list: List, keep_array: bool) -> Value {
    list.keep_singleton |= keep_array;
    match list.array().len() {
        0 => Value::Undefined,
        1 if !list.keep_singleton => list.array().get(0),
        _ => Value::List(list),
    }
}

/// What a call finds under a name in a record or an object.
pub(crate) fn member(value: &Value, key: &str) -> Value {
    match value {
        Value::Json(Json::Object(object)) => object.get(key).map_or(Value::Undefined, |json| Value::Json(json.clone())),
        Value::Record(record) => Record::get(record, key).cloned().unwrap_or(Value::Undefined),
        _ => Value::Undefined,
    }
}

/// What a tail position gives: a value, or a call still to be made.
enum Tail {
    Value(Value),
    Call { function: Value, arguments: Vec<Value>, name: Option<Arc<str>>, position: usize },
}

impl Evaluator<'_> {
    /// Evaluates a function's body, leaving a call in its last place to the caller, so that a chain of such calls is a
    /// loop.
    #[inline(never)]
    fn eval_tail(&mut self, node: &Node, input: &Value, frame: &Rc<Frame>) -> Result<Tail> {
        // As in the reference, grouping behind a function's last call is forgotten.
        let forgets_group = matches!(node.kind, Kind::Call(_));
        if !node.predicates.is_empty() || node.group.is_some() && !forgets_group {
            return self.eval(node, input, frame).map(Tail::Value);
        }
        match &node.kind {
            Kind::Call(call) => {
                self.enter(node)?;
                let tail = self.tail_call(call, node.position, input, frame)?;
                self.depth -= 1;
                Ok(tail)
            }
            Kind::Condition { condition, then, otherwise } => {
                self.enter(node)?;
                let tail = match (self.holds(condition, input, frame)?, otherwise) {
                    (true, _) => self.eval_tail(then, input, frame)?,
                    (false, Some(otherwise)) => self.eval_tail(otherwise, input, frame)?,
                    (false, None) => Tail::Value(Value::Undefined),
                };
                self.depth -= 1;
                Ok(tail)
            }
            Kind::Block { expressions, scoped } if !expressions.is_empty() => {
                self.enter(node)?;
                let frame = if *scoped { Frame::child(frame, Vec::new()) } else { frame.clone() };
                let last = expressions.len() - 1;
                for expression in &expressions[..last] {
                    self.eval(expression, input, &frame)?;
                }
                let tail = self.eval_tail(&expressions[last], input, &frame)?;
                self.depth -= 1;
                Ok(tail)
            }
            _ => self.eval(node, input, frame).map(Tail::Value),
        }
    }

    #[inline(never)]
    fn tail_call(&mut self, call: &Call, position: usize, input: &Value, frame: &Rc<Frame>) -> Result<Tail> {
        let function = self.callee(call, position, input, frame)?;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument, input, frame)?);
        }
        Ok(Tail::Call { function, arguments, name: call.name.clone(), position })
    }
}
