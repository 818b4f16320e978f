//! The engines: ours, jsonata-core, and jsonata-js in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use jsonata_core::evaluator::EvaluatorOptions;
use jsonata_core::value::JValue;
use stepwell_json::Json;
use stepwell_jsonata::{Environment, Error, Expression, Limits, Outcome};

use crate::answer::Answer;
use crate::deviations::{Deviation, OF_CORE, OF_REFERENCE};

/// Something that evaluates expressions.
pub(crate) trait Engine {
    /// What it is called.
    fn name(&self) -> &'static str;
    /// Where it is known to say something else than ours.
    fn known(&self) -> &'static [Deviation];
    /// Whether a difference comes from how it runs, not from the language.
    fn is_accident(&self, _expression: &str, _mine: &Answer, _theirs: &Answer) -> bool {
        false
    }
    /// What it says.
    fn evaluate(&mut self, expression: &str, input: Option<&Json>) -> Answer;
}

/// The reference where it is at hand, else jsonata-core.
pub(crate) fn the_other() -> Box<dyn Engine> {
    match Reference::at_hand() {
        Some(reference) => Box::new(reference),
        None => Box::new(Core),
    }
}

/// 2026-11-21T02:26:57.123Z
const NOW_MS: i64 = 1_795_228_017_123;

/// Our own answer.
pub(crate) fn ours(expression: &str, input: Option<&Json>) -> Answer {
    let held = |error: Error| match error.code {
        // Bounds of ours, which others have elsewhere or not at all.
        "D1011" | "D1012" | "D1013" | "S0303" | "S0304" | "U1002" => Answer::Unheld(error.to_string()),
        code => Answer::Error(code.to_owned()),
    };
    let parsed = match Expression::parse(expression) {
        Ok(parsed) => parsed,
        Err(error) => return held(error),
    };
    let environment =
        Environment { input, variables: &|_| None, now_ms: NOW_MS, draw: &|| 1, limits: Limits::default() };
    match parsed.evaluate(&environment) {
        Ok(Outcome::Undefined) => Answer::Undefined,
        Ok(Outcome::Function) => Answer::Function,
        Ok(Outcome::Value(value)) => Answer::Value(value),
        Err(error) => held(error),
    }
}

/// The crate `jsonata-core`.
pub(crate) struct Core;

impl Engine for Core {
    fn name(&self) -> &'static str {
        "jsonata-core"
    }

    fn known(&self) -> &'static [Deviation] {
        OF_CORE
    }

    fn evaluate(&mut self, expression: &str, input: Option<&Json>) -> Answer {
        // A panic of the other engine is no answer.
        catch_unwind(AssertUnwindSafe(|| core_answer(expression, input)))
            .unwrap_or_else(|_| Answer::Unheld("it panicked".to_owned()))
    }
}

fn core_answer(expression: &str, input: Option<&Json>) -> Answer {
    let coded = |code: Option<&str>, message: String| match code {
        Some(code) if !matches!(code, "D1011" | "D1012" | "U1001") => Answer::Error(code.to_owned()),
        _ => Answer::Unheld(message),
    };
    let options = EvaluatorOptions { timeout_ms: Some(2_000), max_stack_depth: Some(2_000), ..Default::default() };
    let parsed = match jsonata_core::Expression::compile_with_options(expression, options) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = error.to_string();
            return coded(jsonata_core::evaluator::error_code_prefix(&message), message.clone());
        }
    };
    let input = match input.map_or(Ok(JValue::Undefined), |input| JValue::from_json_str(&input.to_string())) {
        Ok(input) => input,
        Err(error) => return Answer::Unheld(error.to_string()),
    };
    match parsed.evaluate(&input) {
        Ok(JValue::Undefined) => Answer::Undefined,
        Ok(value) if value.is_function() || matches!(value, JValue::Regex { .. }) => Answer::Function,
        Ok(JValue::Number(number)) if number.is_infinite() => Answer::Error("D1001".to_owned()),
        Ok(value) => match value.to_json_string().map(|text| Json::parse(&text)) {
            Ok(Ok(value)) => Answer::Value(value),
            other => Answer::Unheld(format!("{other:?}")),
        },
        Err(error) => coded(error.code(), error.message().to_owned()),
    }
}

/// The reference, `reference/answer.mjs` on Node.
pub(crate) struct Reference {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reference {
    /// Starts it, if `STEPWELL_JSONATA_JS` names the folder of the npm package `jsonata`.
    pub(crate) fn at_hand() -> Option<Reference> {
        let folder = std::env::var_os("STEPWELL_JSONATA_JS")?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/answer.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let questions = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Some(Reference { child, questions, answers })
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It ends by itself once nobody asks; whether it could be ended earlier makes no difference.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Engine for Reference {
    fn name(&self) -> &'static str {
        "jsonata-js"
    }

    fn known(&self) -> &'static [Deviation] {
        OF_REFERENCE
    }

    /// It evaluates the items of an array, and the members of an object, at the same time: which of several errors comes
    /// first is not settled.
    fn is_accident(&self, expression: &str, mine: &Answer, theirs: &Answer) -> bool {
        matches!((mine, theirs), (Answer::Error(_), Answer::Error(_))) && expression.contains(['[', '{'])
    }

    fn evaluate(&mut self, expression: &str, input: Option<&Json>) -> Answer {
        // The reference compiles the left side of these twice, which changes it, and may never end.
        if expression.contains("??") || expression.contains("?:") {
            return Answer::Unheld("it might not end".to_owned());
        }
        let mut question = vec![("expression", Json::from(expression))];
        question.extend(input.map(|input| ("input", input.clone())));
        writeln!(self.questions, "{}", Json::object(question)).expect("the reference listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the reference answers");
        let Ok(answer) = Json::parse(&line) else { return Answer::Unheld(line) };
        let text = |name: &str| answer.get(name).and_then(Json::as_str).map(str::to_owned);
        match text("kind").as_deref() {
            Some("undefined") => Answer::Undefined,
            Some("function") => Answer::Function,
            Some("value") => Answer::Value(answer.get("value").cloned().unwrap_or(Json::Null)),
            Some("error") => Answer::Error(text("code").unwrap_or_default()),
            _ => Answer::Unheld(text("why").unwrap_or_default()),
        }
    }
}
