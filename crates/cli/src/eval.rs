//! `stepwell eval`: one expression, one result.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use stepwell_interpreter::{Chance, Moment};
use stepwell_json::Json;
use stepwell_jsonata::{Environment, Expression, Limits, Outcome};
use stepwell_jsonpath::{Path, Scope, ValueExpression};
use stepwell_spec::Timestamp;

use crate::Unusable;
use crate::args::EvalArgs;
use crate::files::read_json;

pub(crate) fn eval(args: &EvalArgs) -> Result<ExitCode, Unusable> {
    let input = args.input.as_deref().map(|given| read_json(given, "--input")).transpose()?.map(|input| input.value);
    let variables = match args.variables.as_deref() {
        None => Json::empty_object(),
        Some(given) => match read_json(given, "--variables")?.value {
            object @ Json::Object(_) => object,
            other => return Err(Unusable(format!("--variables must be a JSON object, not {}", other.kind().name()))),
        },
    };
    let at = this_moment(None);
    let result = match &args.expression {
        crate::args::ExpressionArgs { jsonata: Some(text), .. } => {
            evaluate_jsonata(text, input.as_ref(), &variables, at)
        }
        crate::args::ExpressionArgs { jsonpath: Some(text), .. } => {
            evaluate_path(text, &EvalScope::new(input, &variables, at))
        }
        crate::args::ExpressionArgs { intrinsic: Some(text), .. } => {
            evaluate_intrinsic(text, &EvalScope::new(input, &variables, at))
        }
        _ => return Err(Unusable("give one of --jsonata, --jsonpath, --intrinsic".to_owned())),
    };
    match result {
        Ok(Some(value)) => println!("{value}"),
        Ok(None) => {}
        Err(fault) => {
            eprintln!("{fault}");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Now, with entropy from the operating system or, for repeatable runs, from a seed.
pub(crate) fn this_moment(seed: Option<u64>) -> Moment {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
    // A fresh RandomState is keyed by the operating system's entropy.
    let entropy = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    Moment { now, entropy }
}

fn evaluate_jsonata(text: &str, input: Option<&Json>, variables: &Json, at: Moment) -> Result<Option<Json>, String> {
    let described = |fault: stepwell_jsonata::Error| {
        let Fault { line, column } = fault_place(text, fault.position);
        format!("{}: {} (line {line}, column {column}, position {})", fault.code, fault.message, fault.position)
    };
    let expression = Expression::parse(text).map_err(described)?;
    let chance = Chance::new(at);
    let environment = Environment {
        input,
        variables: &|name| variables.get(name).cloned(),
        now_ms: at.now.0,
        draw: &|| chance.draw(),
        limits: Limits::default(),
    };
    match expression.evaluate(&environment).map_err(described)? {
        Outcome::Value(value) => Ok(Some(value)),
        Outcome::Undefined => Ok(None),
        Outcome::Function => Err("the result is a function, which JSON cannot say".to_owned()),
    }
}

struct Fault {
    line: usize,
    column: usize,
}

/// Line and column, from 1, of a position counted in UTF-16 units.
fn fault_place(text: &str, position: usize) -> Fault {
    let mut units = 0;
    let mut place = Fault { line: 1, column: 1 };
    for character in text.chars() {
        if units >= position {
            break;
        }
        units += character.len_utf16();
        if character == '\n' {
            place = Fault { line: place.line + 1, column: 1 };
        } else {
            place.column += 1;
        }
    }
    place
}

fn evaluate_path(text: &str, scope: &EvalScope<'_>) -> Result<Option<Json>, String> {
    let path = Path::parse(text).map_err(|fault| format!("{} (position {})", fault.message, fault.offset))?;
    path.read_in(scope).map(Some).map_err(|fault| fault.message)
}

fn evaluate_intrinsic(text: &str, scope: &EvalScope<'_>) -> Result<Option<Json>, String> {
    let expression =
        ValueExpression::parse(text).map_err(|fault| format!("{} (position {})", fault.message, fault.offset))?;
    if expression.intrinsic().is_none() {
        return Err(format!("'{text}' is a path: evaluate it with --jsonpath"));
    }
    expression.evaluate(scope).map(Some).map_err(|fault| fault.message)
}

struct EvalScope<'a> {
    input: Json,
    variables: &'a Json,
    chance: Chance,
}

impl EvalScope<'_> {
    fn new(input: Option<Json>, variables: &Json, at: Moment) -> EvalScope<'_> {
        EvalScope { input: input.unwrap_or_else(Json::empty_object), variables, chance: Chance::new(at) }
    }
}

impl Scope for EvalScope<'_> {
    fn input(&self) -> &Json {
        &self.input
    }

    fn context(&self) -> Json {
        Json::empty_object()
    }

    fn variable(&self, name: &str) -> Option<Json> {
        self.variables.get(name).cloned()
    }

    fn draw(&self) -> u64 {
        self.chance.draw()
    }
}
