//! The functions a path can end in: `.length()`, `.sum()`, `.first()` and the others Jayway has.

use std::sync::Arc;

use stepwell_json::Json;

use crate::evaluate::{Halt, Walk};
use crate::java_text::{double, number_text, value_text};
use crate::route::{Route, Step};

/// A call as it is written in a path.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    /// `None` for a name nobody knows, which Jayway notices only when it evaluates the path.
    pub(crate) function: Option<Function>,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug)]
pub(crate) enum Argument {
    Value(Json),
    Path(Route),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Avg,
    Min,
    Max,
    Sum,
    Stddev,
    Length,
    Keys,
    Concat,
    Append,
    First,
    Last,
    Index,
}

/// Every function by its names.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("sum", Function::Sum),
    ("stddev", Function::Stddev),
    ("length", Function::Length),
    ("size", Function::Length),
    ("keys", Function::Keys),
    ("concat", Function::Concat),
    ("append", Function::Append),
    ("first", Function::First),
    ("last", Function::Last),
    ("index", Function::Index),
];

impl Call {
    pub(crate) fn new(name: Arc<str>, mut arguments: Vec<Argument>) -> Call {
        let function = FUNCTIONS.iter().find(|(known, _)| *known == &*name).map(|(_, function)| *function);
        if function == Some(Function::Length) {
            arguments = arguments.into_iter().map(count_below).collect();
        }
        Call { name, function, arguments }
    }

    /// The most steps that can follow one another in one of its arguments.
    pub(crate) fn reach(&self) -> usize {
        let of_argument = |argument: &Argument| match argument {
            Argument::Value(_) => 0,
            Argument::Path(path) => path.reach(),
        };
        self.arguments.iter().map(of_argument).max().unwrap_or(0)
    }

    /// The function's value for what stands before it.
    pub(crate) fn evaluate(&self, model: &Json, walk: &Walk<'_>) -> Result<Json, Halt> {
        let Some(function) = self.function else {
            return Err(Halt::Invalid(format!("Function with name: {} does not exist.", self.name)));
        };
        match function {
            Function::Avg | Function::Min | Function::Max | Function::Sum | Function::Stddev => {
                aggregate(function, &self.numbers(model, walk)?).map(double)
            }
            Function::Length => self.length(model, walk),
            Function::Keys => Ok(match model {
                Json::Object(members) => Json::array(members.keys().cloned().map(Json::String).collect()),
                _ => Json::Null,
            }),
            Function::Concat => self.concat(model, walk),
            Function::Append => self.append(model, walk),
            Function::First => element(model, 0),
            Function::Last => element(model, -1),
            Function::Index => element(model, self.index(walk)?),
        }
    }

    fn values(&self, walk: &Walk<'_>) -> Result<Vec<Json>, Halt> {
        let value = |argument: &Argument| match argument {
            Argument::Value(value) => Ok(value.clone()),
            Argument::Path(path) => walk.read(path, walk.document),
        };
        self.arguments.iter().map(value).collect()
    }

    /// The numbers in the array before the function, and those among its arguments or in arrays among them.
    fn numbers(&self, model: &Json, walk: &Walk<'_>) -> Result<Vec<f64>, Halt> {
        let mut numbers = Vec::new();
        if let Json::Array(items) = model {
            walk.spend(items.len())?;
            numbers.extend(items.iter().filter_map(Json::as_f64));
        }
        for value in self.values(walk)? {
            match &value {
                Json::Array(items) => {
                    walk.spend(items.len())?;
                    numbers.extend(items.iter().filter_map(Json::as_f64));
                }
                _ => numbers.extend(value.as_f64()),
            }
        }
        Ok(numbers)
    }

    /// With an argument, the number of values one level below it. Jayway takes only the last of them where the
    /// argument names one place, and falls back to what stands before the function when that is no array.
    fn length(&self, model: &Json, walk: &Walk<'_>) -> Result<Json, Halt> {
        match self.arguments.first() {
            Some(Argument::Path(path)) => {
                let below = walk.collect(path, walk.document)?;
                let counted = match (is_definite_above(path), below.last()) {
                    (false, _) => Some(below.len()),
                    (true, None) => return Err(Halt::NotFound(format!("No results for path: {}", path.text()))),
                    (true, Some(last)) => last.as_array().map(|items| items.len()),
                };
                Ok(counted.map_or_else(|| length_of(model), count))
            }
            Some(Argument::Value(_)) => Err(Halt::Failed("The argument of length() has to be a path".to_owned())),
            None => Ok(length_of(model)),
        }
    }

    fn concat(&self, model: &Json, walk: &Walk<'_>) -> Result<Json, Halt> {
        let mut text = String::new();
        if let Json::Array(items) = model {
            walk.spend(items.len())?;
            items.iter().filter_map(Json::as_str).for_each(|part| text.push_str(part));
        }
        for value in self.values(walk)? {
            let parts = match &value {
                Json::Array(items) => &items[..],
                _ => std::slice::from_ref(&value),
            };
            walk.spend(parts.len())?;
            for part in parts {
                let part = match part {
                    Json::Null => continue,
                    Json::String(part) => part.to_string(),
                    Json::Number(number) => number_text(number),
                    Json::Array(_) => part.to_string(),
                    Json::Bool(_) | Json::Object(_) => value_text(part),
                };
                walk.spend_bytes(part.len())?;
                text.push_str(&part);
            }
        }
        Ok(text.into())
    }

    fn append(&self, model: &Json, walk: &Walk<'_>) -> Result<Json, Halt> {
        let Json::Array(items) = model else {
            return Ok(model.clone());
        };
        walk.spend(items.len())?;
        let mut items = items.to_vec();
        items.extend(self.values(walk)?);
        Ok(Json::array(items))
    }

    fn index(&self, walk: &Walk<'_>) -> Result<i64, Halt> {
        let first = self.values(walk)?.into_iter().find_map(|value| value.as_f64());
        match first {
            // Java narrows the number; what is beyond the range of an array is beyond it afterwards, too.
            Some(index) => Ok(index.trunc().clamp(-9e15, 9e15) as i64),
            None => Err(Halt::Bounds("Index 0 out of bounds for length 0".to_owned())),
        }
    }
}

/// `length($.a)` counts what `$.a[*]` finds.
fn count_below(argument: Argument) -> Argument {
    match argument {
        Argument::Path(route) if !matches!(route.steps.last(), Some(Step::Function(_) | Step::Descend)) => {
            let Route { start, mut steps, .. } = route;
            steps.push(Step::Wildcard);
            Argument::Path(Route::new(start, steps))
        }
        other => other,
    }
}

/// Whether the path without the wildcard that [`count_below`] added names one place.
fn is_definite_above(path: &Route) -> bool {
    path.is_definite_before(path.steps.len().saturating_sub(1))
}

fn length_of(value: &Json) -> Json {
    match value {
        Json::Array(items) => count(items.len()),
        Json::Object(members) => count(members.len()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Json::Null,
    }
}

fn count(count: usize) -> Json {
    Json::from(count as u64)
}

fn no_numbers() -> Halt {
    Halt::Failed("Aggregation function attempted to calculate value using empty array".to_owned())
}

fn aggregate(function: Function, numbers: &[f64]) -> Result<f64, Halt> {
    if numbers.is_empty() {
        return Err(no_numbers());
    }
    let count = numbers.len() as f64;
    let sum: f64 = numbers.iter().sum();
    Ok(match function {
        Function::Avg => sum / count,
        Function::Min => numbers.iter().copied().fold(f64::MAX, f64::min),
        // Jayway starts from Java's smallest positive double, so that negative numbers alone have this for a maximum.
        Function::Max => numbers.iter().copied().fold(5e-324, f64::max),
        Function::Stddev => {
            let squares: f64 = numbers.iter().map(|number| number * number).sum();
            (squares / count - sum * sum / count / count).sqrt()
        }
        _ => sum,
    })
}

/// The item at this place. Counted from the end, Jayway cannot reach the first item.
fn element(model: &Json, index: i64) -> Result<Json, Halt> {
    let Json::Array(items) = model else {
        return Err(no_numbers());
    };
    let length = items.len();
    if index < 0 {
        let place = length as i64 + index;
        return match usize::try_from(place) {
            Ok(place) if place > 0 => Ok(items[place].clone()),
            _ => Err(Halt::Failed(format!("Target index:{index} larger than object count:{length}"))),
        };
    }
    match usize::try_from(index).ok().and_then(|place| items.get(place)) {
        Some(item) => Ok(item.clone()),
        None => Err(Halt::Bounds(format!("Index {index} out of bounds for length {length}"))),
    }
}
