//! What clients do: they start, look, stop, redrive, change machines, ask again, several at once, and leave.

use stepwell_spec::Text;
use stepwell_spec::shapes::ExecutionStatus;

use crate::calls::Ask;
use crate::machines::Kind;
use crate::world::{Mail, World};

impl World {
    /// What clients do.
    pub(crate) fn clients_turn(&mut self) {
        if self.random.percent(self.knobs.race_percent) {
            self.race();
            return;
        }
        let arns: Vec<Text> = self.ledger.executions.keys().cloned().collect();
        let arn = self.random.one_of(&arns).cloned();
        let kind = self.knobs.kinds[self.random.below(self.knobs.kinds.len())];
        match (self.random.below(100), arn) {
            (0..40, _) | (_, None) => self.start(kind),
            (40..48, Some(arn)) => drop(self.ask(Ask::Describe(arn))),
            (48..60, Some(arn)) => {
                let page = [1, 2, 5, 1_000][self.random.below(4)];
                self.ask(Ask::History { arn, page, events: Vec::new(), next: None });
            }
            (60..66, Some(arn)) => drop(self.ask(Ask::Stop(arn))),
            (66..73, Some(arn)) => self.redrive(arn),
            (73..77, _) => {
                let status = [None, Some(ExecutionStatus::Running), Some(ExecutionStatus::Succeeded)];
                let status = status[self.random.below(3)];
                self.ask(Ask::List { kind, status });
            }
            (77..83, Some(arn)) => drop(self.ask(Ask::MapRuns(arn))),
            (83..89, _) => {
                let runs: Vec<Text> = self.map_runs.iter().cloned().collect();
                if let Some(run) = self.random.one_of(&runs).cloned() {
                    self.ask(Ask::DescribeMapRun(run));
                }
            }
            (89..92, _) => {
                let number = self.random.draw() >> 32;
                self.ask(Ask::Update(kind, number));
            }
            (92..93, _) => {
                // Deleted while its executions run, and soon made again.
                self.ask(Ask::Delete(kind));
                self.ask(Ask::Create(kind));
            }
            (93..96, _) => drop(self.ask(Ask::DescribeMachine(kind))),
            (_, Some(_)) => {
                let ids: Vec<u64> = self.asked.keys().copied().collect();
                if let Some(id) = self.random.one_of(&ids) {
                    self.mail.push(Mail::Gone(*id));
                }
            }
        }
    }

    fn start(&mut self, kind: Kind) {
        if self.ledger.executions.len() > 40 {
            return;
        }
        self.names += 1;
        let name = format!("e{}", self.names);
        let input = kind.input(&mut self.random);
        let text: Text = input.to_string().into();
        self.ask(Ask::Start { kind, name: name.clone(), input: input.clone(), text: text.clone() });
        if self.random.percent(self.knobs.race_percent) {
            // The same name again before the first is answered, with the same input or another.
            self.tally.repeated_calls += 1;
            let input = if self.random.once_in(2) { input } else { kind.input(&mut self.random) };
            let text = input.to_string().into();
            self.ask(Ask::Start { kind, name, input, text });
        }
    }

    fn redrive(&mut self, arn: Text) {
        let client_token: Text = format!("redrive-{}", self.random.below(3)).into();
        self.ask(Ask::Redrive { arn, client_token });
    }

    /// Several want something of one execution at once.
    fn race(&mut self) {
        self.tally.races += 1;
        let arns: Vec<Text> = self.ledger.executions.keys().cloned().collect();
        let Some(arn) = self.random.one_of(&arns).cloned() else { return };
        if self.random.once_in(3) {
            self.ask(Ask::Stop(arn.clone()));
        }
        self.complete_any();
        if self.random.once_in(2) {
            self.redrive(arn.clone());
        }
        if self.random.once_in(4) {
            self.ask(Ask::Stop(arn));
        }
        self.complete_any();
    }
}
