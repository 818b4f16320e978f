//! Parameters of optimized integrations that are looked at before a task is scheduled.
//!
//! A value of another form fails the state with `States.Runtime`, before any `TaskScheduled`. Source: recorded, each row.

/// What a parameter's value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterFormat {
    /// `{"name": ["value", …], …}`
    ListsByName,
}

/// One parameter with a form of its own.
#[derive(Clone, Copy, Debug)]
pub struct ParameterRow {
    /// The service, as `Resource` spells it.
    pub service: &'static str,
    /// The parameter.
    pub name: &'static str,
    /// Its form.
    pub format: ParameterFormat,
}

const fn row(service: &'static str, name: &'static str, format: ParameterFormat) -> ParameterRow {
    ParameterRow { service, name, format }
}

/// All of them.
pub const TASK_PARAMETERS: &[ParameterRow] = &[
    row("apigateway", "Headers", ParameterFormat::ListsByName),
    row("apigateway", "QueryParameters", ParameterFormat::ListsByName),
];
