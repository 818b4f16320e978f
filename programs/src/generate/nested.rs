//! Parallel and Map states, and the workflows inside them.

use stepwell_json::Json;

use super::query::expression;
use super::task::attempt;
use super::workflow::{Kind, Scope, States, Way};
use super::{Fields, Writer, document, field};

/// Names of errors that a state with workflows inside may report.
const ERRORS: &[&str] = &[
    "Custom.A",
    "Custom.B",
    "Custom.C",
    "BadInput",
    "States.TaskFailed",
    "States.Timeout",
    "States.HeartbeatTimeout",
    "States.NoChoiceMatched",
    "States.IntrinsicFailure",
    "States.QueryEvaluationError",
    "States.ResultPathMatchFailure",
];

impl Writer {
    pub(super) fn parallel(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Parallel", is_jsonata, scope);
        let count = self.chance.between(1, 3);
        if is_jsonata {
            if self.chance.percent(80) {
                fields.push(field("Arguments", self.small_document_query(scope)));
            }
        } else if self.chance.percent(80) {
            let (tries, template) = (attempt(false), self.document_template(scope));
            let template = template.as_object().map(|members| Json::Object(members.with(&*tries.0, tries.1)));
            fields.push(field("Parameters", template.unwrap_or(Json::Null)));
        }
        let inside = scope.inside(is_jsonata, 1);
        let branches = (0..count).map(|_| Json::object(self.workflow(&inside))).collect();
        fields.push(field("Branches", Json::array(branches)));
        let names: Vec<&str> = ERRORS.iter().copied().chain(["States.BranchFailed"]).collect();
        self.nested_end(&names, is_jsonata, way, scope, states, &mut fields);
        states.add(name, fields);
    }

    pub(super) fn map(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Map", is_jsonata, scope);
        self.items(is_jsonata, scope, &mut fields);
        let inside = Scope { has_item: true, ..scope.inside(is_jsonata, 3) };
        let gets_document = self.item_selector(is_jsonata, scope, &mut fields);
        if is_jsonata && self.chance.percent(15) {
            fields.push(field("MaxConcurrency", expression("$states.input.beat - 28")));
        } else if self.chance.percent(50) {
            fields.push(field("MaxConcurrency", self.chance.below(3) as u64));
        } else if !is_jsonata && self.chance.percent(10) {
            fields.push(field("MaxConcurrencyPath", "$.limit"));
        }
        let mut processor = Vec::new();
        if self.chance.percent(40) {
            processor.push(("ProcessorConfig", Json::object([field("Mode", "INLINE")])));
        }
        processor.extend(if gets_document { self.workflow(&inside) } else { self.workflow_of_item(&inside) });
        // `Iterator` is the old name.
        let is_old = processor[0].0 != "ProcessorConfig" && self.chance.percent(30);
        fields.push(field(if is_old { "Iterator" } else { "ItemProcessor" }, Json::object(processor)));
        self.nested_end(ERRORS, is_jsonata, way, scope, states, &mut fields);
        states.add(name, fields);
    }

    pub(super) fn distributed_map(&mut self, name: &str, way: &Way, scope: &Scope, states: &mut States) {
        let is_jsonata = self.language(scope);
        let mut fields = self.fields("Map", is_jsonata, scope);
        self.items(is_jsonata, scope, &mut fields);
        let is_express = self.chance.percent(30);
        let inside = scope.of_child(is_jsonata, 3, is_express);
        let mut gets_document = self.item_selector(is_jsonata, scope, &mut fields);
        if self.chance.percent(40) {
            fields.push(field("MaxConcurrency", self.chance.below(3) as u64));
        }
        if self.chance.percent(30) {
            fields.push(field("Label", format!("label{}", self.names)));
        }
        if self.chance.percent(35) {
            gets_document = false;
            let mut batcher = vec![match self.chance.percent(20) && !is_jsonata {
                true => field("MaxItemsPerBatchPath", "$.beat"),
                false => field("MaxItemsPerBatch", self.chance.between(1, 3) as u64),
            }];
            if self.chance.percent(50) {
                let shared = match is_jsonata {
                    true => Json::object([field("shared", expression("$states.input.n"))]),
                    false => Json::object([field("shared.$", "$.n")]),
                };
                batcher.push(field("BatchInput", shared));
            }
            fields.push(field("ItemBatcher", Json::object(batcher)));
        } else if self.chance.percent(30) {
            fields.push(match self.chance.below(4) {
                0 if !is_jsonata => field("ToleratedFailureCountPath", "$.m"),
                1 if !is_jsonata => field("ToleratedFailurePercentagePath", "$.beat"),
                0 | 2 => field("ToleratedFailureCount", self.chance.below(3) as u64),
                _ => field("ToleratedFailurePercentage", 40 * self.chance.between(1, 2) as u64),
            });
        }
        let kind = if is_express { "EXPRESS" } else { "STANDARD" };
        let config = [field("Mode", "DISTRIBUTED"), field("ExecutionType", kind)];
        let mut processor = vec![("ProcessorConfig", Json::object(config))];
        processor.extend(if gets_document { self.workflow(&inside) } else { self.workflow_of_item(&inside) });
        fields.push(field("ItemProcessor", Json::object(processor)));
        let names: Vec<&str> = ERRORS.iter().copied().chain(["States.ExceedToleratedFailureThreshold"]).collect();
        self.nested_end(&names, is_jsonata, way, scope, states, &mut fields);
        // In the place of a child that failed stands its execution: no text is made of that.
        let is_tolerant = fields.iter().any(|(name, _)| name.starts_with("Tolerated"));
        fields.retain(|(name, _)| !(is_tolerant && name == "Assign"));
        states.add(name, fields);
    }

    /// Where the items are.
    fn items(&mut self, is_jsonata: bool, scope: &Scope, fields: &mut Fields) {
        let wrong = self.chance.percent(scope.risk);
        fields.push(if is_jsonata {
            if self.chance.percent(15) && !wrong {
                let items = vec![Json::from(7), Json::from(expression("$states.input.n")), self.query_object(scope)];
                fields.push(field("Items", Json::array(items)));
                return;
            }
            let items = match self.chance.below(4) {
                _ if wrong => "$states.input.s".to_owned(),
                0 => "$states.input.items".to_owned(),
                1 => "[$states.input.items[n > 1]]".to_owned(),
                _ => self.query(Kind::List, scope),
            };
            field("Items", expression(&items))
        } else {
            if self.chance.percent(15) && !wrong {
                fields.push(field("InputPath", "$.o"));
                fields.push(field("ItemsPath", "$.l"));
                return;
            }
            let lists = scope.readable_of(Kind::List);
            let paths = ["$.items", "$.l", "$.o.l", "$$.Execution.Input.l"];
            match wrong {
                true => field("ItemsPath", self.chance.pick(&["$.s", "$.missing"])),
                false if !lists.is_empty() && self.chance.percent(25) => {
                    field("ItemsPath", format!("${}", lists[self.chance.below(lists.len())]))
                }
                false => field("ItemsPath", paths[self.chance.below(paths.len())]),
            }
        });
    }

    /// `ItemSelector`, sometimes: then each iteration gets a document.
    fn item_selector(&mut self, is_jsonata: bool, scope: &Scope, fields: &mut Fields) -> bool {
        let is_narrow = fields.iter().any(|(name, _)| name == "InputPath");
        if is_narrow || self.chance.percent(40) {
            return false;
        }
        let selector = if is_jsonata {
            Json::from(self.small_document_query(&Scope { has_item: true, ..scope.clone() }))
        } else {
            let template = self.document_template(&Scope { has_item: true, ..scope.clone() });
            let template = template.as_object().map(|members| members.with("item.$", Json::from("$$.Map.Item.Value")));
            template.map_or(Json::Null, Json::Object)
        };
        // `Parameters` is the old name.
        let is_old = !is_jsonata && self.chance.percent(15);
        fields.push(field(if is_old { "Parameters" } else { "ItemSelector" }, selector));
        true
    }

    /// A document made anew of the input, without what has gathered beside it.
    fn small_document_query(&mut self, scope: &Scope) -> String {
        let members: Vec<String> = document::MEMBERS
            .iter()
            .map(|name| match *name {
                "n" => format!("\"n\": {}", self.query(Kind::Number, scope)),
                "s" => format!("\"s\": {}", self.query(Kind::Text, scope)),
                name => format!("\"{name}\": $states.input.{name}"),
            })
            .collect();
        let item = if scope.has_item { ", \"item\": $states.context.Map.Item.Value" } else { "" };
        expression(&format!("{{ {}{item}, \"attempt\": $states.context.State.RetryCount }}", members.join(", ")))
    }

    /// What is made of the results, and of a failure.
    fn nested_end(
        &mut self,
        names: &[&str],
        is_jsonata: bool,
        way: &Way,
        scope: &Scope,
        states: &mut States,
        fields: &mut Fields,
    ) {
        if is_jsonata {
            let output = match self.chance.below(5) {
                0 => self.document_query("r", "$count($states.result)"),
                1 => self.document_query("r", "$states.result.n"),
                2 if way.next.is_none() => expression("$states.result"),
                _ => self.document_query("r", "$states.result"),
            };
            fields.push(field("Output", output));
        } else {
            if self.chance.percent(30) {
                let selector = match self.chance.below(2) {
                    0 => Json::object([field("count.$", "States.ArrayLength($)"), field("all.$", "$[*].n")]),
                    _ => Json::object([field("some.$", "$[0:2]")]),
                };
                fields.push(field("ResultSelector", selector));
            }
            match self.chance.below(6) {
                0 => fields.push(field("ResultPath", Json::Null)),
                1 if way.next.is_none() => {}
                _ => fields.push(field("ResultPath", "$.r")),
            }
        }
        self.output_path(is_jsonata, way, fields);
        fields.extend(self.retry(names, 25, scope));
        fields.extend(self.catch(names, is_jsonata, way, scope, states));
        fields.extend(self.assign(is_jsonata, false, scope));
        fields.push(way.field());
    }
}
