//! Choice states: rules, their tests and combinations of tests.

use stepwell_json::{Json, SpannedMember};
use stepwell_spec::{OperandType, Operator, Place};

use super::Compiler;
use super::data_flow::looks_evaluated;
use super::object::{Object, quoted_list};
use super::query::is_expression;
use crate::definition::{Choice, ChoiceRule, Comparison, Condition, Operand, QueryLanguage, Test};
use crate::diagnostics::Code;
use crate::faults::Fault;

impl<'a> Compiler<'a> {
    /// What is particular to a Choice state.
    pub(crate) fn choice(&mut self, state: &Object<'a>) -> Option<Choice> {
        if let Some(member) = state.get("Choices")
            && member.value.items().is_some_and(<[_]>::is_empty)
        {
            let at = self.trail.key(state.at, "Choices");
            self.empty(&member.value, at, "Choices");
        }
        let mut rules = Vec::new();
        let mut is_whole = true;
        for entry in self.entries(state, "Choices", Place::Rule) {
            match entry.and_then(|rule| self.rule(&rule)) {
                Some(rule) => rules.push(rule),
                None => is_whole = false,
            }
        }
        let default = self.target(state, "Default");
        is_whole.then_some(Choice { rules, default })
    }

    fn rule(&mut self, rule: &Object<'a>) -> Option<ChoiceRule> {
        self.text(rule, "Comment");
        let condition = match rule.language {
            QueryLanguage::JsonPath => self.test(rule).map(Condition::Test),
            QueryLanguage::Jsonata => self.condition(rule),
        };
        let output = match rule.language {
            QueryLanguage::JsonPath => None,
            QueryLanguage::Jsonata => self.query_template(rule, "Output"),
        };
        let assign = self.assign(rule);
        let next = self.target(rule, "Next");
        Some(ChoiceRule { condition: condition?, next: next?, assign, output })
    }

    fn condition(&mut self, rule: &Object<'a>) -> Option<Condition> {
        let member = rule.get("Condition")?;
        let at = self.trail.key(rule.at, "Condition");
        if member.value.as_str().is_some_and(is_expression) {
            return self.query(&member.value, at).map(Condition::Query);
        }
        let literal = member.value.as_scalar().and_then(Json::as_bool);
        if literal.is_none() {
            self.wrong_type(&member.value, at, "a boolean or a JSONata expression", "Boolean");
        }
        literal.map(Condition::Literal)
    }

    fn test(&mut self, rule: &Object<'a>) -> Option<Test> {
        if let [_, .., (_, _, last)] = rule.operators.as_slice() {
            let names: Vec<&str> = rule.operators.iter().map(|(_, _, member)| &*member.key).collect();
            let at = self.trail.key(rule.at, &last.key);
            let message = format!("a rule has one operator, this one has {}", quoted_list(&names, "and"));
            let fault = Fault::new(Code::ExclusiveFields, at, last.key_span, message)
                .schema(format!("There should only be one of the following fields: [{}]", names.join(", ")))
                .aws_at(rule.at);
            self.fault(fault);
        }
        if rule.get("Variable").is_some() {
            return self.comparison(rule);
        }
        if let Some((_, _, operator)) = rule.operators.first()
            && ["And", "Or", "Not"].iter().all(|name| rule.get(name).is_none())
        {
            // The missing Variable has been reported; the operand is still looked at.
            self.operand(rule, rule.operators[0].0, rule.operators[0].1, operator);
            return None;
        }
        if let Some(member) = rule.get("Not") {
            let at = self.trail.key(rule.at, "Not");
            let nested = self.object(Place::NestedRule, &member.value, at, member.key_span, rule.language)?;
            return self.nested(&nested).map(|test| Test::Not(Box::new(test)));
        }
        let name = if rule.get("And").is_some() { "And" } else { "Or" };
        let member = rule.get(name)?;
        if member.value.items().is_some_and(<[_]>::is_empty) {
            let at = self.trail.key(rule.at, name);
            self.empty(&member.value, at, name);
            return None;
        }
        let mut tests = Vec::new();
        let mut is_whole = member.value.items().is_some();
        for entry in self.entries(rule, name, Place::NestedRule) {
            match entry.and_then(|nested| self.nested(&nested)) {
                Some(test) => tests.push(test),
                None => is_whole = false,
            }
        }
        is_whole.then(|| if name == "And" { Test::And(tests) } else { Test::Or(tests) })
    }

    fn nested(&mut self, rule: &Object<'a>) -> Option<Test> {
        self.text(rule, "Comment");
        self.test(rule)
    }

    fn comparison(&mut self, rule: &Object<'a>) -> Option<Test> {
        let member = rule.get("Variable")?;
        let at = self.trail.key(rule.at, "Variable");
        let variable = self.compared_path(member, at);
        let Some(&(operator, is_path, operand)) = rule.operators.first() else {
            let fault =
                Fault::new(Code::MissingOneOf, rule.at, rule.named, "a rule with \"Variable\" needs an operator")
                    .suggest(Some("such as \"StringEquals\", \"NumericLessThan\" or \"IsPresent\"".to_owned()))
                    .schema(format!(
                        "This object should have only one of the following fields: [{}]",
                        operator_names()
                    ));
            self.fault(fault);
            return None;
        };
        let operand = self.operand(rule, operator, is_path, operand);
        Some(Test::Compare(Comparison { variable: variable?, operator, operand: operand? }))
    }

    fn operand(
        &mut self,
        rule: &Object<'a>,
        operator: Operator,
        is_path: bool,
        member: &'a SpannedMember,
    ) -> Option<Operand> {
        let at = self.trail.key(rule.at, &member.key);
        if is_path {
            return self.compared_path(member, at).map(Operand::Path);
        }
        let value = &member.value;
        let literal = value.as_scalar();
        let fits = match operator.operand_type() {
            OperandType::String => {
                let text = value.as_str();
                if text.is_none() {
                    self.wrong_type(value, at, "a string", "String");
                }
                if let Some(path_name) = operator.path_name().filter(|_| text.is_some_and(looks_evaluated)) {
                    let message =
                        format!("\"{}\" compares with the text itself, not with what it leads to", member.key);
                    let fault = Fault::new(Code::MissingPath, at, member.key_span, message)
                        .suggest(Some(format!("did you mean \"{path_name}\"?")))
                        .aws("NO_PATH", "Field value looks like a path, but field name does not end with 'Path'");
                    self.fault(fault);
                }
                text.is_some()
            }
            OperandType::Timestamp => self.timestamp(value, at).is_some(),
            OperandType::Number => {
                let is_number = literal.is_some_and(|literal| literal.as_number().is_some());
                if !is_number {
                    self.wrong_type(value, at, "a number", "Number");
                }
                is_number
            }
            OperandType::Boolean => {
                let is_boolean = literal.is_some_and(|literal| literal.as_bool().is_some());
                if !is_boolean {
                    self.wrong_type(value, at, "true or false", "Boolean");
                }
                is_boolean
            }
        };
        literal.filter(|_| fits).map(|literal| Operand::Literal(literal.clone()))
    }
}

fn operator_names() -> String {
    let names = Operator::ALL.into_iter().flat_map(|operator| [Some(operator.name()), operator.path_name()]);
    names.flatten().collect::<Vec<_>>().join(", ")
}
