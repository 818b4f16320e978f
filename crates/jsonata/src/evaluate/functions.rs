//! Functions as values, and calling them.

use std::rc::Rc;
use std::sync::Arc;

use stepwell_json::DEPTH_MAX;

use super::{Evaluator, Frame, ITEM_BYTES, Tail, unwrap_outer};
use crate::error::{Fault, Result};
use crate::functions::{Args, Builtin};
use crate::program::{Call, Kind, Lambda, Node, Transform};
use crate::regex::Regex;
use crate::signature::Signature;
use crate::stringify;
use crate::value::Value;

/// Something that can be called.
#[derive(Debug)]
pub(crate) enum Function {
    Builtin(&'static Builtin),
    Lambda {
        lambda: Arc<Lambda>,
        input: Value,
        frame: Rc<Frame>,
        depth: u32,
    },
    /// A function with some arguments given; `None` is still to come.
    Partial {
        function: Rc<Function>,
        arguments: Vec<Option<Value>>,
        depth: u32,
    },
    /// `first ~> second`
    Composed {
        first: Rc<Function>,
        second: Rc<Function>,
        depth: u32,
    },
    /// Matches a text from its start.
    Regex(Arc<Regex>),
    /// The `next` of a match: matches the same text from a byte on.
    NextMatch {
        regex: Arc<Regex>,
        text: Arc<str>,
        from: usize,
    },
    Transform {
        transform: Arc<Transform>,
        frame: Rc<Frame>,
    },
}

impl Function {
    /// Levels of values it holds, not counting frames, which are emptied one by one.
    pub(crate) fn depth(&self) -> u32 {
        match self {
            Function::Builtin(_) | Function::Regex(_) | Function::NextMatch { .. } | Function::Transform { .. } => 1,
            Function::Lambda { depth, .. } | Function::Partial { depth, .. } | Function::Composed { depth, .. } => {
                *depth
            }
        }
    }

    /// How many arguments it can take: a function that takes an array's items gets place and array only if it can.
    pub(crate) fn arity(&self) -> usize {
        match self {
            Function::Builtin(builtin) => builtin.arity,
            Function::Lambda { lambda, .. } => lambda.parameters.len(),
            Function::Partial { arguments, .. } => arguments.iter().filter(|argument| argument.is_none()).count(),
            Function::Composed { .. } | Function::Transform { .. } => 1,
            // The text, and where to start.
            Function::Regex(_) => 2,
            Function::NextMatch { .. } => 0,
        }
    }
}

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn lambda(&mut self, lambda: &Arc<Lambda>, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        self.allocate(4 * ITEM_BYTES)?;
        self.capture(frame);
        let depth = 1 + input.depth();
        self.function(Function::Lambda { lambda: lambda.clone(), input: input.clone(), frame: frame.clone(), depth })
    }

    fn function(&mut self, function: Function) -> Result<Value> {
        if function.depth() > DEPTH_MAX {
            return Err(Fault::new("D1011"));
        }
        Ok(Value::Function(Rc::new(function)))
    }

    /// What a call calls. Tells apart a name without `$` from other things that are no function.
    #[inline(never)]
    pub(super) fn callee(&mut self, call: &Call, position: usize, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let value = self.eval(&call.procedure, input, frame)?;
        if value.is_undefined()
            && call.by_path
            && let Some(name) = &call.name
            && self.is_variable(name, frame)
        {
            return Err(Fault::new("T1005").at(position).token(&**name));
        }
        Ok(value)
    }

    /// Whether a variable of this name has a value.
    fn is_variable(&mut self, text: &str, frame: &Rc<Frame>) -> bool {
        let name = self.program.names.iter().position(|info| &*info.text == text);
        match name {
            Some(name) => !self.variable(name as u32, frame).is_undefined(),
            None => crate::functions::find(text).is_some() || (self.environment.variables)(text).is_some(),
        }
    }

    #[inline(never)]
    pub(super) fn call(&mut self, call: &Call, position: usize, input: &Value, frame: &Rc<Frame>) -> Result<Value> {
        let function = self.callee(call, position, input, frame)?;
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            arguments.push(self.eval(argument, input, frame)?);
        }
        self.apply_named(&function, arguments, input, call.name.as_ref(), position)
    }

    /// `left ~> right`
    #[inline(never)]
    pub(super) fn apply_operator(
        &mut self,
        left: &Node,
        right: &Node,
        position: usize,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let first = self.eval(left, input, frame)?;
        if let Kind::Call(call) = &right.kind {
            self.enter(right)?;
            let function = self.callee(call, right.position, input, frame)?;
            let mut arguments = Vec::with_capacity(call.arguments.len() + 1);
            arguments.push(first);
            for argument in &call.arguments {
                arguments.push(self.eval(argument, input, frame)?);
            }
            let mut value = self.apply_named(&function, arguments, input, call.name.as_ref(), right.position)?;
            self.depth -= 1;
            if !right.is_plain() {
                value = self.finish(right, value, frame)?;
            }
            return Ok(value);
        }
        let Value::Function(second) = self.eval(right, input, frame)? else {
            return Err(Fault::new("T2006").at(position));
        };
        match first {
            Value::Function(first) => {
                let depth = 1 + first.depth().max(second.depth());
                self.function(Function::Composed { first, second, depth })
            }
            value => self.apply_named(&Value::Function(second), vec![value], &NO_CONTEXT, None, position),
        }
    }

    #[inline(never)]
    pub(super) fn partial(
        &mut self,
        procedure: &Node,
        arguments: &[Option<Node>],
        name: Option<&Arc<str>>,
        position: usize,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Result<Value> {
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(match argument {
                Some(argument) => Some(self.eval(argument, input, frame)?),
                None => None,
            });
        }
        match self.eval(procedure, input, frame)? {
            Value::Function(function) => {
                let inside = given.iter().flatten().map(Value::depth).max().unwrap_or(0);
                let depth = 1 + function.depth().max(inside);
                self.allocate((2 + given.len()) * ITEM_BYTES)?;
                self.function(Function::Partial { function, arguments: given, depth })
            }
            value => {
                let forgotten = value.is_undefined()
                    && matches!(procedure.kind, Kind::Path(_))
                    && name.is_some_and(|name| self.is_variable(name, frame));
                let code = if forgotten { "T1007" } else { "T1008" };
                let fault = Fault::new(code).at(position);
                Err(match name {
                    Some(name) => fault.token(&**name),
                    None => fault,
                })
            }
        }
    }

    /// Calls what may be a function; errors without a place or a name get those of the call.
    #[inline(never)]
    fn apply_named(
        &mut self,
        function: &Value,
        arguments: Vec<Value>,
        context: &Value,
        name: Option<&Arc<str>>,
        position: usize,
    ) -> Result<Value> {
        let result = match function {
            Value::Function(function) => self.apply(function, arguments, context),
            _ => Err(Fault::new("T1006")),
        };
        result.map_err(|fault| {
            let fault = fault.at(position);
            match name {
                Some(name) => fault.token(&**name),
                None => fault,
            }
        })
    }

    /// Calls a function with arguments from a function of the language, without a context.
    #[inline(never)]
    pub(crate) fn invoke(&mut self, function: &Rc<Function>, arguments: Vec<Value>) -> Result<Value> {
        // Between two evaluations stand the frames of the function that calls back.
        self.depth += CALLBACK_DEPTH;
        let result = self.apply(function, arguments, &NO_CONTEXT);
        self.depth -= CALLBACK_DEPTH;
        result
    }

    /// Calls a function. The result may be a sequence of one item or of none.
    #[inline(never)]
    pub(super) fn apply(&mut self, function: &Rc<Function>, arguments: Vec<Value>, context: &Value) -> Result<Value> {
        self.step()?;
        match &**function {
            Function::Builtin(builtin) => {
                let arguments = builtin.signature().validate(arguments, &unwrap_outer(context))?;
                (builtin.body)(self, Args(arguments))
            }
            Function::Lambda { .. } => self.apply_lambda(function, arguments, context),
            Function::Partial { function, arguments: given, .. } => {
                let mut rest = arguments.into_iter();
                let mut all = Vec::with_capacity(given.len());
                for argument in given {
                    all.push(argument.clone().or_else(|| rest.next()).unwrap_or(Value::Undefined));
                }
                self.deepen()?;
                let value = self.apply(function, all, context)?;
                self.depth -= 1;
                Ok(value)
            }
            Function::Composed { first, second, .. } => {
                self.deepen()?;
                let value = self.apply(first, arguments, &NO_CONTEXT)?;
                let value = super::normalize(value, false);
                let value = self.apply(second, vec![value], &NO_CONTEXT)?;
                self.depth -= 1;
                Ok(value)
            }
            Function::Regex(regex) => {
                let text = stringify::to_plain_text(self, arguments.first().unwrap_or(&Value::Undefined))?;
                let start = arguments.get(1).and_then(Value::as_number).unwrap_or(0.0);
                match crate::functions::search_start(&text, start) {
                    Some(from) => self.match_from(regex, &text, from),
                    None => Ok(Value::Undefined),
                }
            }
            Function::NextMatch { regex, text, from } => self.match_behind(regex, text, *from),
            Function::Transform { transform, frame } => {
                let arguments = transform_signature().validate(arguments, context)?;
                let subject = arguments.into_iter().next().unwrap_or(Value::Undefined);
                self.transform(transform, subject, frame)
            }
        }
    }

    #[inline(never)]
    fn apply_lambda(&mut self, function: &Rc<Function>, arguments: Vec<Value>, context: &Value) -> Result<Value> {
        let mut function = function.clone();
        let mut arguments = arguments;
        // Name and place of the tail call being made, for its errors.
        let mut called: Option<(Option<Arc<str>>, usize)> = None;
        loop {
            let Function::Lambda { lambda, input, frame, .. } = &*function else {
                return locate(self.apply(&function, arguments, context), &called);
            };
            if let Some(signature) = &lambda.signature {
                arguments = locate(signature.validate(arguments, context), &called)?;
            }
            let mut given = arguments.into_iter();
            let bindings: Vec<_> =
                lambda.parameters.iter().map(|name| (*name, given.next().unwrap_or(Value::Undefined))).collect();
            self.allocate((2 + bindings.len()) * ITEM_BYTES)?;
            let own = Frame::child(frame, bindings);
            let next = match self.eval_tail(&lambda.body, input, &own)? {
                Tail::Value(value) => return Ok(value),
                Tail::Call { function: Value::Function(next), arguments: next_arguments, name, position } => {
                    called = Some((name, position));
                    arguments = next_arguments;
                    next
                }
                Tail::Call { name, position, .. } => {
                    return locate(Err(Fault::new("T1006")), &Some((name, position)));
                }
            };
            self.step()?;
            function = next;
        }
    }
}

/// The context of a function that no call names. It is `null`, not undefined, so that it stands in for no argument.
const NO_CONTEXT: Value = Value::Json(stepwell_json::Json::Null);

/// Depth counted for a function of the language that calls back, beside what it calls: its frames stand between.
const CALLBACK_DEPTH: u32 = 1;

/// Gives errors of a tail call its name and place.
fn locate<T>(result: Result<T>, called: &Option<(Option<Arc<str>>, usize)>) -> Result<T> {
    match called {
        Some((name, position)) => result.map_err(|fault| {
            let fault = fault.at(*position);
            match name {
                Some(name) => fault.token(&**name),
                None => fault,
            }
        }),
        None => result,
    }
}

fn transform_signature() -> &'static Signature {
    static SIGNATURE: std::sync::LazyLock<Signature> =
        std::sync::LazyLock::new(|| Signature::parse("<(oa):o>").unwrap_or_else(|_| unreachable!("a fixed signature")));
    &SIGNATURE
}
