//! How data comes into a state and goes out of it, in the order AWS applies the fields.
//!
//! ```text
//! JSONPath   input -> InputPath -> Parameters -> work -> ResultSelector -> ResultPath (into the input) -> OutputPath
//! JSONata    input -> Arguments -> work -> Output
//! ```
//!
//! `Assign` and the output are evaluated from the same snapshot: neither sees the other.

use stepwell_asl::{Assign, DataFlow, InputPath, JsonPathFlow, QueryTemplate, ResultPath, Setting, State, Transition};
use stepwell_json::{DEPTH_MAX, Json};
use stepwell_jsonpath::{EvaluationError, EvaluationErrorKind, Template, ValueExpression};
use stepwell_planted::{self as planted, Bug};
use stepwell_spec::{AssignedVariables, Onward, Text, error, quota};

use crate::failure::Failure;
use crate::query::{self, Location};
use crate::scope::{States, Surroundings};

/// What a state leaves with.
pub(crate) struct Leaving {
    pub(crate) output: Json,
    pub(crate) assigned: AssignedVariables,
    pub(crate) onward: Onward,
}

/// Where a transition leads.
pub(crate) fn onward(transition: Transition) -> Onward {
    match transition {
        Transition::Next(state) => Onward::State(state.0),
        Transition::End => Onward::End,
    }
}

/// The input as the state's own fields see it: after `InputPath`; in JSONata the input itself.
pub(crate) fn effective_input(around: &Surroundings<'_>, state: &State) -> Result<Json, Failure> {
    match &state.data_flow {
        DataFlow::JsonPath(flow) => {
            let effective = apply_path(around, &flow.input_path, &around.active().input);
            around.observe(|seen| seen.after_input_path = effective.as_ref().ok().cloned());
            effective
        }
        DataFlow::Jsonata(_) => Ok(around.active().input.clone()),
    }
}

/// What the state's work gets: after `Parameters` or `Arguments`. The effective input where there is neither.
pub(crate) fn arguments(around: &Surroundings<'_>, state: &State, effective: &Json) -> Result<Json, Failure> {
    let arguments = match &state.data_flow {
        DataFlow::JsonPath(JsonPathFlow { parameters: Some(template), .. }) => {
            evaluate_payload_template(around, template, effective)?
        }
        DataFlow::JsonPath(_) => effective.clone(),
        DataFlow::Jsonata(flow) => match &flow.arguments {
            Some(template) => {
                query::evaluate_template(template, &Location::Field("Arguments"), &States::new(around, effective))?
            }
            None => effective.clone(),
        },
    };
    around.observe(|seen| match &state.data_flow {
        DataFlow::JsonPath(_) => seen.after_parameters = Some(arguments.clone()),
        DataFlow::Jsonata(_) => seen.after_arguments = Some(arguments.clone()),
    });
    check_size(around, &state.name, &arguments)?;
    Ok(arguments)
}

/// What a state whose work gave a result (Task, Parallel, Map, Pass with JSONPath) leaves with.
pub(crate) fn leave_with_result(
    around: &Surroundings<'_>,
    state: &State,
    result: &Json,
    onward: Onward,
) -> Result<Leaving, Failure> {
    let input = &around.active().input;
    around.observe(|seen| seen.result = Some(result.clone()));
    let (output, assigned) = match &state.data_flow {
        DataFlow::JsonPath(flow) => {
            let selected = match &flow.result_selector {
                Some(template) => evaluate_payload_template(around, template, result)?,
                None => result.clone(),
            };
            around.observe(|seen| seen.after_result_selector = Some(selected.clone()));
            let placed = place_result(around, &flow.result_path, input, selected)?;
            around.observe(|seen| seen.after_result_path = Some(placed.clone()));
            let output = apply_path(around, &flow.output_path, &placed)?;
            (output, assign_from_path(around, state.assign.as_ref(), result)?)
        }
        DataFlow::Jsonata(flow) => {
            let states = States::new(around, input).with_result(Some(result));
            let output = evaluate_output(flow.output.as_ref(), &Location::Field("Output"), &states, result)?;
            let assigned = assign_from_query(state.assign.as_ref(), &Location::Field("Assign"), &states)?;
            (output, assigned)
        }
    };
    finish(around, state, output, assigned, onward)
}

/// What a state that only passes its input on (Choice, Wait, Succeed, Pass with JSONata) leaves with.
pub(crate) fn leave_with_input(
    around: &Surroundings<'_>,
    state: &State,
    effective: &Json,
    onward: Onward,
) -> Result<Leaving, Failure> {
    match &state.data_flow {
        DataFlow::JsonPath(flow) => {
            let output = apply_path(around, &flow.output_path, effective)?;
            let assigned = assign_from_path(around, state.assign.as_ref(), effective)?;
            finish(around, state, output, assigned, onward)
        }
        DataFlow::Jsonata(flow) => {
            let states = States::new(around, effective);
            let output = evaluate_output(flow.output.as_ref(), &Location::Field("Output"), &states, effective)?;
            let assigned = assign_from_query(state.assign.as_ref(), &Location::Field("Assign"), &states)?;
            finish(around, state, output, assigned, onward)
        }
    }
}

/// Checks what a state is about to leave with.
pub(crate) fn finish(
    around: &Surroundings<'_>,
    state: &State,
    output: Json,
    assigned: AssignedVariables,
    onward: Onward,
) -> Result<Leaving, Failure> {
    check_size(around, &state.name, &output)?;
    check_variables(around, &assigned)?;
    Ok(Leaving { output, assigned, onward })
}

/// `InputPath` and `OutputPath`.
pub(crate) fn apply_path(around: &Surroundings<'_>, path: &InputPath, document: &Json) -> Result<Json, Failure> {
    match path {
        InputPath::Nothing => Ok(Json::empty_object()),
        InputPath::Whole => Ok(document.clone()),
        InputPath::Path(path) => path
            .read_in(&around.over(document))
            .map_err(|fault| around.runtime_failure(&format!("Invalid path '{}' : {}", path.text(), fault.message))),
    }
}

/// `ResultPath`, of a state or a Catcher.
pub(crate) fn place_result(
    around: &Surroundings<'_>,
    path: &ResultPath,
    input: &Json,
    result: Json,
) -> Result<Json, Failure> {
    match path {
        ResultPath::Discard => Ok(input.clone()),
        ResultPath::Replace => Ok(result),
        ResultPath::At(path) => {
            path.put(input, result).map_err(|fault| around.failure(error::RESULT_PATH_MATCH_FAILURE, &fault.message))
        }
    }
}

/// `Parameters`, `ResultSelector`, `ItemSelector`: `$` is the document.
pub(crate) fn evaluate_payload_template(
    around: &Surroundings<'_>,
    template: &Template,
    document: &Json,
) -> Result<Json, Failure> {
    template.evaluate(&around.over(document)).map_err(|fault| evaluation_failure(around, &fault, document))
}

/// A `…Path` field that holds a path or an intrinsic call.
pub(crate) fn evaluate_expression(
    around: &Surroundings<'_>,
    expression: &ValueExpression,
    field: &str,
    document: &Json,
) -> Result<Json, Failure> {
    expression.evaluate(&around.over(document)).map_err(|fault| {
        let field = if fault.field.is_empty() { field.to_owned() } else { fault.field.clone() };
        evaluation_failure(around, &EvaluationError { field, ..fault }, document)
    })
}

fn evaluation_failure(around: &Surroundings<'_>, fault: &EvaluationError, document: &Json) -> Failure {
    let error = match fault.kind {
        EvaluationErrorKind::Intrinsic => error::INTRINSIC_FAILURE,
        EvaluationErrorKind::PathNotFound
        | EvaluationErrorKind::PathInvalid
        | EvaluationErrorKind::NullDocument
        | EvaluationErrorKind::UndefinedVariable
        | EvaluationErrorKind::TooExpensive => error::RUNTIME,
    };
    around.failure(error, &fault.cause(document))
}

/// A `…Path` field's value where the path itself is at fault: "Invalid path '$.x' : No results for path: $['x']".
pub(crate) fn read_setting_path(
    around: &Surroundings<'_>,
    path: &ValueExpression,
    document: &Json,
) -> Result<Json, Failure> {
    path.evaluate(&around.over(document))
        .map_err(|fault| around.runtime_failure(&format!("Invalid path '{}' : {}", path.text(), fault.message)))
}

/// A setting that is a whole number, not negative. `field` is its plain name, such as `TimeoutSeconds`.
pub(crate) fn count_setting(
    around: &Surroundings<'_>,
    setting: &Setting<u64>,
    field: &str,
    document: &Json,
) -> Result<u64, Failure> {
    match setting {
        Setting::Literal(count) => Ok(*count),
        Setting::Path(path) => {
            let value = read_setting_path(around, path, document)?;
            value.as_number().and_then(|number| u64::try_from(number.as_integral()?).ok()).ok_or_else(|| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                around.runtime_failure(&format!(
                    "The {field}Path field refers to value \"{shown}\" which is not a valid integer: {}",
                    path.text()
                ))
            })
        }
        Setting::Query(query) => query::count_setting(query, &Location::Field(field), &States::new(around, document)),
    }
}

/// `Output` of a state, a rule or a Catcher, or what stands for it when absent.
pub(crate) fn evaluate_output(
    output: Option<&QueryTemplate>,
    location: &Location<'_>,
    states: &States<'_>,
    otherwise: &Json,
) -> Result<Json, Failure> {
    match output {
        Some(template) => query::evaluate_template(template, location, states),
        None => Ok(otherwise.clone()),
    }
}

/// `Assign` in JSONPath: `$` is the document.
pub(crate) fn assign_from_path(
    around: &Surroundings<'_>,
    assign: Option<&Assign>,
    document: &Json,
) -> Result<AssignedVariables, Failure> {
    let Some(Assign::JsonPath(template)) = assign else { return Ok(AssignedVariables::default()) };
    let values = evaluate_payload_template(around, template, document)?;
    let members = values.as_object().into_iter().flatten();
    Ok(AssignedVariables(members.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// `Assign` in JSONata. All values are computed before any is assigned.
pub(crate) fn assign_from_query(
    assign: Option<&Assign>,
    location: &Location<'_>,
    states: &States<'_>,
) -> Result<AssignedVariables, Failure> {
    let Some(Assign::Jsonata(variables)) = assign else { return Ok(AssignedVariables::default()) };
    let values: Result<Vec<(Text, Json)>, Failure> = variables
        .iter()
        .map(|(name, template)| {
            let value = query::evaluate_template(template, &Location::Member(location, name), states)?;
            Ok((name.clone(), value))
        })
        .collect();
    values.map(AssignedVariables)
}

/// `States.DataLimitExceeded` when a payload is larger than it may be. `whose` is the state or task AWS names.
pub(crate) fn check_size(around: &Surroundings<'_>, whose: &str, payload: &Json) -> Result<(), Failure> {
    check_depth(around, payload)?;
    let bytes_max = around.execution.settings.payload_bytes_max + usize::from(planted::is(Bug::ByteTooMany));
    if payload.serialized_bytes() > bytes_max {
        return Err(data_limit_exceeded(whose));
    }
    Ok(())
}

/// Refuses what nests deeper than any tree walk goes, and than a log takes.
pub(crate) fn check_depth(around: &Surroundings<'_>, payload: &Json) -> Result<(), Failure> {
    if payload.depth() > DEPTH_MAX {
        return Err(around.runtime_failure(&format!("The data nests more than {DEPTH_MAX} levels deep.")));
    }
    Ok(())
}

/// The failure AWS reports for a payload beyond the limit.
pub(crate) fn data_limit_exceeded(whose: &str) -> Failure {
    let cause = format!(
        "The state/task '{whose}' returned a result with a size exceeding the maximum number of bytes service limit."
    );
    Failure::new(error::DATA_LIMIT_EXCEEDED, cause)
}

fn check_variables(around: &Surroundings<'_>, assigned: &AssignedVariables) -> Result<(), Failure> {
    if assigned.0.is_empty() {
        return Ok(());
    }
    let mut together = 0;
    for (name, value) in &assigned.0 {
        let bytes = value.serialized_bytes();
        together += bytes;
        if bytes > quota::VARIABLE_BYTES_MAX {
            let fault = format!("The variable '{name}' is larger than {} bytes.", quota::VARIABLE_BYTES_MAX);
            return Err(around.failure(error::DATA_LIMIT_EXCEEDED, &fault));
        }
        if value.depth() > DEPTH_MAX {
            return Err(
                around.runtime_failure(&format!("The variable '{name}' nests more than {DEPTH_MAX} levels deep."))
            );
        }
    }
    if together > quota::VARIABLE_BYTES_MAX {
        let fault = format!("Assign makes more than {} bytes of variables.", quota::VARIABLE_BYTES_MAX);
        return Err(around.failure(error::DATA_LIMIT_EXCEEDED, &fault));
    }
    let stored: usize =
        around.execution.threads.values().flat_map(|thread| &thread.variables).map(|(_, v)| v.serialized_bytes()).sum();
    let limit = around.execution.settings.variables_bytes_max;
    if stored + together > limit {
        let fault = format!("The variables of the execution are larger than {limit} bytes together.");
        return Err(around.failure(error::DATA_LIMIT_EXCEEDED, &fault));
    }
    Ok(())
}
