//! The syntax tree into the compiled form: paths flattened, every `%` traced to the step whose context it means.

use std::sync::Arc;

use stepwell_json::Json;

use crate::error::{Fault, Result};
use crate::functions;
use crate::number;
use crate::program::{
    Call, Group, Kind, Lambda, Name, NameInfo, Node, Path, Program, SortTerm, Stage, Step, Transform,
};
use crate::regex::Regex;
use crate::stack::Stack;
use crate::syntax::{Syntax, SyntaxKind};

/// Compiles a syntax tree.
pub(crate) fn lower(syntax: Syntax) -> Result<Program> {
    let mut lowering = Lowering { names: Vec::new(), slots: Vec::new(), stack: Stack::here() };
    let draft = lowering.node(syntax)?;
    if !draft.seeking.is_empty() {
        return Err(no_ancestor(&draft.node));
    }
    Ok(Program { body: draft.node, names: lowering.names, ancestors: lowering.slots.iter().map(|s| s.label).collect() })
}

struct Lowering {
    names: Vec<NameInfo>,
    slots: Vec<Slot>,
    stack: Stack,
}

/// A `%` on the way to the step it means.
struct Slot {
    label: Name,
    /// How many more steps to go back.
    level: i32,
}

/// A node with what is not settled yet.
struct Draft {
    node: Node,
    /// The `%`s below it that have not found their step.
    seeking: Vec<usize>,
    /// Of a path: those below its last step, which look for theirs once another path takes the step in.
    last_seeking: Vec<usize>,
    /// `@$name` behind what is no path: seen once it is a step of one.
    focus: Option<Name>,
}

impl Draft {
    fn new(kind: Kind, position: usize) -> Draft {
        let node = Node { kind, position, keep_array: false, predicates: Vec::new(), group: None };
        Draft { node, seeking: Vec::new(), last_seeking: Vec::new(), focus: None }
    }

    fn is_path(&self) -> bool {
        matches!(self.node.kind, Kind::Path(_))
    }

    /// Takes over what a child is still looking for.
    fn adopt(&mut self, child: Draft) -> Node {
        self.seeking.extend(child.seeking);
        child.node
    }
}

fn step_of(node: Node) -> Step {
    Step { node, stages: Vec::new(), focus: None, index: None, ancestor: None, tuple: false }
}

/// The name of a node's kind in the reference, for S0217.
fn no_ancestor(node: &Node) -> Box<Fault> {
    let kind = match &node.kind {
        Kind::Constant(_) => "value",
        Kind::Number(_) => "number",
        Kind::Field(_) => "name",
        Kind::Context | Kind::Root | Kind::Variable(_) => "variable",
        Kind::Wildcard => "wildcard",
        Kind::Descendants => "descendant",
        Kind::Parent(_) => "parent",
        Kind::Regex(_) => "regex",
        Kind::Path(_) => "path",
        Kind::Operator { .. } => "binary",
        Kind::Negate(_) | Kind::Array { .. } | Kind::Object(_) => "unary",
        Kind::Block { .. } => "block",
        Kind::Bind { .. } => "bind",
        Kind::Condition { .. } | Kind::Coalesce { .. } | Kind::Default { .. } => "condition",
        Kind::Call(_) => "function",
        Kind::Partial { .. } => "partial",
        Kind::Apply { .. } => "apply",
        Kind::Lambda(_) => "lambda",
        Kind::Transform(_) => "transform",
        Kind::Sort(_) => "sort",
    };
    Fault::new("S0217").at(node.position).token(kind)
}

impl Lowering {
    fn name(&mut self, text: &Arc<str>) -> Name {
        let found = self.names.iter().position(|info| info.text == *text);
        let place = found.unwrap_or_else(|| {
            let builtin = functions::find(text);
            self.names.push(NameInfo { text: text.clone(), bound: false, builtin });
            self.names.len() - 1
        });
        place as Name
    }

    fn bound_name(&mut self, text: &Arc<str>) -> Name {
        let name = self.name(text);
        self.names[name as usize].bound = true;
        name
    }

    fn node(&mut self, syntax: Syntax) -> Result<Draft> {
        if self.stack.is_exhausted() {
            return Err(Fault::new("U1002").at(syntax.position));
        }
        let keep_array = syntax.keep_array;
        let mut draft = self.kind(syntax)?;
        if keep_array {
            match &mut draft.node.kind {
                // A field becomes a path of one step, which is what keeps its singleton.
                Kind::Path(path) if path.steps.len() == 1 && path.steps[0].plain_field().is_some() => {
                    path.keep_singleton = true;
                    path.steps[0].node.keep_array = true;
                }
                _ => {}
            }
            draft.node.keep_array = true;
        }
        Ok(draft)
    }

    fn kind(&mut self, syntax: Syntax) -> Result<Draft> {
        let position = syntax.position;
        match syntax.kind {
            SyntaxKind::Dot { left, right } => self.dot(*left, *right),
            SyntaxKind::Filter { left, predicate } => self.filter(*left, *predicate, position),
            SyntaxKind::Group { left, pairs } => self.group(*left, pairs, position),
            SyntaxKind::OrderBy { left, terms } => self.order_by(*left, terms, position),
            SyntaxKind::Focus { left, name } => self.focus(*left, &name, position, syntax.keep_array),
            SyntaxKind::Index { left, name } => self.index(*left, &name),
            SyntaxKind::Lambda { parameters, signature, body } => {
                let parameters = parameters.iter().map(|name| self.bound_name(name)).collect();
                let body = self.node(*body)?.node;
                Ok(Draft::new(Kind::Lambda(Arc::new(Lambda { parameters, signature, body })), position))
            }
            SyntaxKind::Transform { pattern, update, delete } => {
                let pattern = self.node(*pattern)?.node;
                let update = self.node(*update)?.node;
                let delete = delete.map(|delete| self.node(*delete)).transpose()?.map(|draft| draft.node);
                Ok(Draft::new(Kind::Transform(Arc::new(Transform { pattern, update, delete, position })), position))
            }
            SyntaxKind::Call { procedure, arguments } => self.call(*procedure, arguments, position),
            SyntaxKind::Partial { procedure, arguments } => self.partial(*procedure, arguments, position),
            SyntaxKind::Object(pairs) => self.object(pairs, position),
            SyntaxKind::Negate(operand) => self.negate(*operand, position),
            SyntaxKind::Block(_)
            | SyntaxKind::Array(_)
            | SyntaxKind::Operator { .. }
            | SyntaxKind::Apply { .. }
            | SyntaxKind::Coalesce { .. }
            | SyntaxKind::Default { .. }
            | SyntaxKind::Condition { .. }
            | SyntaxKind::Bind { .. } => self.compound(syntax.kind, position),
            leaf => self.leaf(leaf, position),
        }
    }

    fn leaf(&mut self, kind: SyntaxKind, position: usize) -> Result<Draft> {
        Ok(match kind {
            SyntaxKind::Text(text) => Draft::new(Kind::Constant(Json::String(text)), position),
            SyntaxKind::Number(number) => Draft::new(Kind::Number(number), position),
            SyntaxKind::Bool(value) => Draft::new(Kind::Constant(Json::Bool(value)), position),
            SyntaxKind::Null => Draft::new(Kind::Constant(Json::Null), position),
            SyntaxKind::Name(name) => {
                let field = Draft::new(Kind::Field(name), position).node;
                path(vec![step_of(field)], position)
            }
            SyntaxKind::Variable(name) => match &*name {
                "" => Draft::new(Kind::Context, position),
                "$" => Draft::new(Kind::Root, position),
                _ => Draft::new(Kind::Variable(self.name(&name)), position),
            },
            SyntaxKind::Wildcard => Draft::new(Kind::Wildcard, position),
            SyntaxKind::Descendants => Draft::new(Kind::Descendants, position),
            SyntaxKind::Parent => {
                let slot = self.slots.len();
                // No variable of the language can have this name.
                let label = self.bound_name(&format!("!{slot}").into());
                self.slots.push(Slot { label, level: 1 });
                let mut draft = Draft::new(Kind::Parent(slot), position);
                draft.seeking.push(slot);
                draft
            }
            SyntaxKind::Regex(source) => {
                let regex = Regex::compile(&source).map_err(|fault| fault.at(position))?;
                Draft::new(Kind::Regex(Arc::new(regex)), position)
            }
            _ => return Err(Fault::new("S0207").at(position).token("(end)")),
        })
    }

    fn compound(&mut self, kind: SyntaxKind, position: usize) -> Result<Draft> {
        let mut draft = Draft::new(Kind::Context, position);
        draft.node.kind = match kind {
            SyntaxKind::Operator { operator, left, right } => {
                let (left, right) = self.pair(&mut draft, *left, *right)?;
                Kind::Operator { operator, left, right }
            }
            SyntaxKind::Coalesce { left, right } => {
                let (left, right) = self.pair(&mut draft, *left, *right)?;
                Kind::Coalesce { left, right }
            }
            SyntaxKind::Default { left, right } => {
                let (left, right) = self.pair(&mut draft, *left, *right)?;
                Kind::Default { left, right }
            }
            SyntaxKind::Apply { left, right } => {
                let left = self.node(*left)?;
                let right = self.node(*right)?;
                draft.node.keep_array = left.node.keep_array || right.node.keep_array;
                Kind::Apply { left: Box::new(left.node), right: Box::new(right.node) }
            }
            SyntaxKind::Condition { condition, then, otherwise } => {
                let condition = self.node(*condition)?;
                let condition = Box::new(draft.adopt(condition));
                let then = self.node(*then)?;
                let then = Box::new(draft.adopt(then));
                let otherwise = match otherwise {
                    Some(otherwise) => {
                        let otherwise = self.node(*otherwise)?;
                        Some(Box::new(draft.adopt(otherwise)))
                    }
                    None => None,
                };
                Kind::Condition { condition, then, otherwise }
            }
            SyntaxKind::Bind { name, value } => {
                let name = self.bound_name(&name);
                let value = self.node(*value)?;
                Kind::Bind { name, value: Box::new(draft.adopt(value)) }
            }
            SyntaxKind::Array(items) => Kind::Array { items: self.all(&mut draft, items)?, cons: false },
            SyntaxKind::Block(expressions) => {
                let scoped = expressions.iter().any(binds_here);
                Kind::Block { expressions: self.all(&mut draft, expressions)?, scoped }
            }
            _ => return Err(Fault::new("S0207").at(position)),
        };
        Ok(draft)
    }

    fn pair(&mut self, draft: &mut Draft, left: Syntax, right: Syntax) -> Result<(Box<Node>, Box<Node>)> {
        let left = self.node(left)?;
        let left = Box::new(draft.adopt(left));
        let right = self.node(right)?;
        Ok((left, Box::new(draft.adopt(right))))
    }

    fn all(&mut self, draft: &mut Draft, nodes: Vec<Syntax>) -> Result<Vec<Node>> {
        let mut lowered = Vec::with_capacity(nodes.len());
        for syntax in nodes {
            let child = self.node(syntax)?;
            lowered.push(draft.adopt(child));
        }
        Ok(lowered)
    }

    fn object(&mut self, pairs: Vec<(Syntax, Syntax)>, position: usize) -> Result<Draft> {
        let mut draft = Draft::new(Kind::Context, position);
        let mut lowered = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            let key = self.node(key)?;
            let key = draft.adopt(key);
            let value = self.node(value)?;
            lowered.push((key, draft.adopt(value)));
        }
        draft.node.kind = Kind::Object(Group { pairs: lowered, position });
        Ok(draft)
    }

    fn negate(&mut self, operand: Syntax, position: usize) -> Result<Draft> {
        let mut operand = self.node(operand)?;
        if let Kind::Number(number) = &mut operand.node.kind {
            *number = -*number;
            return Ok(operand);
        }
        let mut draft = Draft::new(Kind::Context, position);
        draft.node.kind = Kind::Negate(Box::new(draft.adopt(operand)));
        Ok(draft)
    }

    fn call(&mut self, procedure: Syntax, arguments: Vec<Syntax>, position: usize) -> Result<Draft> {
        let mut draft = Draft::new(Kind::Context, position);
        let name = procedure_name(&procedure);
        let arguments = self.all(&mut draft, arguments)?;
        let procedure = self.node(procedure)?.node;
        let by_path = matches!(procedure.kind, Kind::Path(_));
        draft.node.kind = Kind::Call(Box::new(Call { procedure, arguments, name, by_path }));
        Ok(draft)
    }

    fn partial(&mut self, procedure: Syntax, arguments: Vec<Option<Syntax>>, position: usize) -> Result<Draft> {
        let mut draft = Draft::new(Kind::Context, position);
        let name = procedure_name(&procedure);
        let mut lowered = Vec::with_capacity(arguments.len());
        for argument in arguments {
            lowered.push(match argument {
                Some(argument) => {
                    let argument = self.node(argument)?;
                    Some(draft.adopt(argument))
                }
                None => None,
            });
        }
        let procedure = Box::new(self.node(procedure)?.node);
        draft.node.kind = Kind::Partial { procedure, arguments: lowered, name };
        Ok(draft)
    }

    fn dot(&mut self, left: Syntax, right: Syntax) -> Result<Draft> {
        let left = self.node(left)?;
        let mut result = match left.node.kind {
            Kind::Parent(own) => {
                let mut result = into_path(left);
                result.seeking.push(own);
                result
            }
            _ => into_path(left),
        };
        let right = self.node(right)?;
        let steps = path_steps(&mut result.node);
        let last_seeking = match right.node.kind {
            Kind::Path(path) => {
                steps.extend(path.steps);
                right.last_seeking
            }
            _ => {
                let mut node = right.node;
                let stages = std::mem::take(&mut node.predicates).into_iter().map(Stage::Filter).collect();
                steps.push(Step { stages, focus: right.focus, tuple: right.focus.is_some(), ..step_of(node) });
                right.seeking
            }
        };
        for step in steps.iter_mut() {
            match &mut step.node.kind {
                Kind::Number(number) => {
                    return Err(Fault::new("S0213").at(step.node.position).value(Some(number::to_json(*number))));
                }
                Kind::Constant(Json::String(text)) => step.node.kind = Kind::Field(text.clone()),
                Kind::Constant(json) => {
                    return Err(Fault::new("S0213").at(step.node.position).value(Some(json.clone())));
                }
                _ => {}
            }
        }
        let keeps = steps.iter().any(|step| step.node.keep_array);
        let last = steps.len() - 1;
        for place in [0, last] {
            if let Kind::Array { cons, .. } = &mut steps[place].node.kind {
                *cons = true;
            }
        }
        if let Kind::Path(path) = &mut result.node.kind {
            path.keep_singleton |= keeps;
        }
        self.resolve(&mut result, last_seeking)?;
        Ok(result)
    }

    fn filter(&mut self, left: Syntax, predicate: Syntax, position: usize) -> Result<Draft> {
        let mut result = self.node(left)?;
        let predicate = self.node(predicate)?;
        let filter = predicate.node;
        match &mut result.node.kind {
            Kind::Path(path) => {
                let last = path.steps.len() - 1;
                let step = &mut path.steps[last];
                if step.node.group.is_some() {
                    return Err(Fault::new("S0209").at(position));
                }
                for slot in predicate.seeking {
                    if self.slots[slot].level == 1 {
                        self.seek_step(step, slot)?;
                    } else {
                        self.slots[slot].level -= 1;
                    }
                    result.last_seeking.push(slot);
                }
                step.stages.push(Stage::Filter(filter));
                path.binds = path.steps.iter().any(|step| step.tuple);
            }
            _ => {
                if result.node.group.is_some() {
                    return Err(Fault::new("S0209").at(position));
                }
                for slot in predicate.seeking {
                    if self.slots[slot].level == 1 {
                        self.seek_node(&mut result.node, slot)?;
                    } else {
                        self.slots[slot].level -= 1;
                    }
                    result.seeking.push(slot);
                }
                result.node.predicates.push(filter);
            }
        }
        Ok(result)
    }

    fn group(&mut self, left: Syntax, pairs: Vec<(Syntax, Syntax)>, position: usize) -> Result<Draft> {
        let mut result = self.node(left)?;
        if result.node.group.is_some() {
            return Err(Fault::new("S0210").at(position));
        }
        let mut lowered = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            lowered.push((self.node(key)?.node, self.node(value)?.node));
        }
        result.node.group = Some(Box::new(Group { pairs: lowered, position }));
        Ok(result)
    }

    fn order_by(&mut self, left: Syntax, terms: Vec<(Syntax, bool)>, position: usize) -> Result<Draft> {
        let left = self.node(left)?;
        let mut result = into_path(left);
        let mut seeking = Vec::new();
        let mut lowered = Vec::with_capacity(terms.len());
        for (term, descending) in terms {
            let term = self.node(term)?;
            seeking.extend(term.seeking);
            lowered.push(SortTerm { term: term.node, descending });
        }
        path_steps(&mut result.node).push(step_of(Draft::new(Kind::Sort(lowered), position).node));
        self.resolve(&mut result, seeking)?;
        Ok(result)
    }

    fn focus(&mut self, left: Syntax, name: &Arc<str>, position: usize, keep_array: bool) -> Result<Draft> {
        let name = self.bound_name(name);
        let mut result = self.node(left)?;
        match &mut result.node.kind {
            Kind::Path(path) => {
                if let Some(step) = path.steps.last_mut() {
                    if !step.stages.is_empty() || !step.node.predicates.is_empty() {
                        return Err(Fault::new("S0215").at(position));
                    }
                    if matches!(step.node.kind, Kind::Sort(_)) {
                        return Err(Fault::new("S0216").at(position));
                    }
                    step.focus = Some(name);
                    step.tuple = true;
                    step.node.keep_array |= keep_array;
                }
                path.binds = true;
            }
            _ => {
                if !result.node.predicates.is_empty() {
                    return Err(Fault::new("S0215").at(position));
                }
                result.node.keep_array |= keep_array;
                result.focus = Some(name);
            }
        }
        Ok(result)
    }

    fn index(&mut self, left: Syntax, name: &Arc<str>) -> Result<Draft> {
        let name = self.bound_name(name);
        let left = self.node(left)?;
        let was_path = left.is_path();
        let seeking = if was_path { Vec::new() } else { left.seeking.clone() };
        let mut result = into_path(left);
        result.last_seeking.extend(seeking);
        if let Kind::Path(path) = &mut result.node.kind
            && let Some(step) = path.steps.last_mut()
        {
            if !was_path {
                let predicates = std::mem::take(&mut step.node.predicates);
                step.stages.extend(predicates.into_iter().map(Stage::Filter));
            }
            if step.stages.is_empty() {
                step.index = Some(name);
            } else {
                step.stages.push(Stage::Index(name));
            }
            step.tuple = true;
            path.binds = true;
        }
        Ok(result)
    }

    /// Traces what the last step of a path is looking for back through the steps before it.
    fn resolve(&mut self, draft: &mut Draft, seeking: Vec<usize>) -> Result<()> {
        if let Kind::Path(path) = &mut draft.node.kind {
            let last = path.steps.len() - 1;
            for slot in seeking {
                self.seek_back(path, last.saturating_sub(1), last > 0, slot, &mut draft.seeking)?;
            }
            path.binds = path.steps.iter().any(|step| step.tuple);
        }
        Ok(())
    }

    /// From step `from` backwards until the slot has found its step; otherwise it goes on outside of the path.
    fn seek_back(
        &mut self,
        path: &mut Path,
        from: usize,
        any: bool,
        slot: usize,
        outside: &mut Vec<usize>,
    ) -> Result<()> {
        let mut next = any.then_some(from);
        while self.slots[slot].level > 0 {
            let Some(mut place) = next else {
                outside.push(slot);
                break;
            };
            // Of steps that bind the focus one after the other, all but the first keep the context.
            while place > 0 && path.steps[place].focus.is_some() && path.steps[place - 1].focus.is_some() {
                place -= 1;
            }
            self.seek_step(&mut path.steps[place], slot)?;
            next = place.checked_sub(1);
        }
        Ok(())
    }

    fn seek_step(&mut self, step: &mut Step, slot: usize) -> Result<()> {
        match &step.node.kind {
            Kind::Field(_) | Kind::Wildcard => {
                self.slots[slot].level -= 1;
                if self.slots[slot].level == 0 {
                    match step.ancestor {
                        None => step.ancestor = Some(self.slots[slot].label),
                        Some(label) => self.slots[slot].label = label,
                    }
                    step.tuple = true;
                }
                Ok(())
            }
            Kind::Block { expressions, .. } => {
                step.tuple |= !expressions.is_empty();
                self.seek_node(&mut step.node, slot)
            }
            _ => self.seek_node(&mut step.node, slot),
        }
    }

    fn seek_node(&mut self, node: &mut Node, slot: usize) -> Result<()> {
        match &mut node.kind {
            Kind::Parent(_) => {
                self.slots[slot].level += 1;
                Ok(())
            }
            // Found, but it is no step that could bind anything.
            Kind::Wildcard => {
                self.slots[slot].level -= 1;
                Ok(())
            }
            Kind::Block { expressions, .. } => match expressions.last_mut() {
                Some(last) => self.seek_node(last, slot),
                None => Ok(()),
            },
            Kind::Path(path) => {
                path.tuple = true;
                path.binds = true;
                let mut place = path.steps.len();
                while place > 0 {
                    place -= 1;
                    self.seek_step(&mut path.steps[place], slot)?;
                    if self.slots[slot].level <= 0 {
                        break;
                    }
                }
                Ok(())
            }
            _ => Err(no_ancestor(node)),
        }
    }
}

/// A path of these steps.
fn path(steps: Vec<Step>, position: usize) -> Draft {
    let binds = steps.iter().any(|step| step.tuple);
    Draft::new(Kind::Path(Path { steps, keep_singleton: false, tuple: false, binds }), position)
}

/// The node as a path: itself if it is one, else a path of this one step. What the node is looking for is forgotten.
fn into_path(draft: Draft) -> Draft {
    if draft.is_path() {
        return draft;
    }
    let position = draft.node.position;
    path(vec![Step { focus: draft.focus, tuple: draft.focus.is_some(), ..step_of(draft.node) }], position)
}

fn path_steps(node: &mut Node) -> &mut Vec<Step> {
    match &mut node.kind {
        Kind::Path(path) => &mut path.steps,
        _ => unreachable!("made into a path before"),
    }
}

/// Whether evaluating binds a variable in the scope around: such a block needs a frame of its own.
fn binds_here(syntax: &Syntax) -> bool {
    match &syntax.kind {
        SyntaxKind::Bind { .. } => true,
        SyntaxKind::Block(_) | SyntaxKind::Lambda { .. } => false,
        _ => crate::variables::any_child(syntax, binds_here),
    }
}

/// What errors call the procedure of a call.
fn procedure_name(procedure: &Syntax) -> Option<Arc<str>> {
    match &procedure.kind {
        SyntaxKind::Variable(name) | SyntaxKind::Name(name) | SyntaxKind::Text(name) => Some(name.clone()),
        SyntaxKind::Number(number) => Some(number::to_text(*number).into()),
        SyntaxKind::Dot { left, .. } => procedure_name(left),
        _ => None,
    }
}
