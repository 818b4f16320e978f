//! What local services answered, held against what they must.

use stepwell_json::Json;
use stepwell_protocol::{AwsAnswer, AwsError, AwsOutput};
use stepwell_spec::Text;

use super::questions::{self, QUEUES};
use super::queues::{Expected, Form, Queues, Receipt, Shown};

impl Queues {
    /// Holds the answers of an input against what must be answered, and takes up what only the answers tell: ids and receipts.
    pub(super) fn compare(
        &mut self,
        expected: &[(u64, Expected)],
        answers: &[(u64, AwsAnswer)],
        now: i64,
    ) -> Result<(), String> {
        let ids = |(id, _): &(u64, _)| *id;
        let (wanted, found): (Vec<u64>, Vec<u64>) =
            (expected.iter().map(ids).collect(), answers.iter().map(|(id, _)| *id).collect());
        if wanted != found {
            return Err(format!("I14: calls {found:?} are answered, and {wanted:?} have to be"));
        }
        for ((_, expected), (_, answer)) in expected.iter().zip(answers) {
            self.compare_one(expected, answer, now)?;
        }
        Ok(())
    }

    fn compare_one(&mut self, expected: &Expected, answer: &AwsAnswer, now: i64) -> Result<(), String> {
        let output = match (expected, answer) {
            (Expected::Refused(wanted), Err(AwsError { code, .. })) if *wanted == &**code => return Ok(()),
            (Expected::Refused(wanted), _) => return Err(format!("I17: {} is answered for {wanted}", shown(answer))),
            (_, Err(_)) => return Err(format!("I1: {} is answered for {expected:?}", shown(answer))),
            (_, Ok(AwsOutput { output, .. })) => output,
        };
        match expected {
            Expected::Done | Expected::Refused(_) => Ok(()),
            Expected::Sent(numbers) => {
                let batch = output.get("Successful").and_then(Json::as_array);
                let answers: Vec<&Json> = batch.map_or_else(|| vec![output], |batch| batch.iter().collect());
                if answers.len() != numbers.len() {
                    return Err(format!("I5: {} of {} messages were sent", answers.len(), numbers.len()));
                }
                answers.into_iter().zip(numbers).try_for_each(|(answer, number)| self.learn_id(*number, answer))
            }
            Expected::Counted(wanted) => {
                let names = ["", "NotVisible", "Delayed"].map(|end| format!("ApproximateNumberOfMessages{end}"));
                let of = |name: String| output.get("Attributes")?.get(&name)?.as_str()?.parse().ok();
                let found: Vec<usize> = names.into_iter().filter_map(of).collect();
                match found == wanted {
                    true => Ok(()),
                    false => Err(format!("I27: there are {wanted:?} messages, and {found:?} are counted")),
                }
            }
            Expected::Received(queue, wanted) => self.compare_received(*queue, wanted, output, now),
        }
    }

    fn compare_received(&mut self, queue: usize, wanted: &[Shown], output: &Json, now: i64) -> Result<(), String> {
        let name = QUEUES[queue].name;
        let messages = output.get("Messages").and_then(Json::as_array);
        let messages: Vec<&Json> = messages.map(|messages| messages.iter().collect()).unwrap_or_default();
        for place in 0..messages.len().max(wanted.len()) {
            let found = messages.get(place).and_then(|message| message.get("Body")?.as_str());
            let Some(Shown { number, message }) = wanted.get(place) else {
                return Err(self.explain(queue, found.unwrap_or_default(), now));
            };
            let Some(body) = found else {
                return Err(format!("I1: {} is in {name} and not received", message.text));
            };
            if text_of(body, message.form).as_deref() != Some(&*message.text) {
                let explained = self.explain(queue, body, now);
                return Err(format!("{explained}, where {} must be", message.text));
            }
            let answer = messages[place];
            let attribute = |name: &str| answer.get("Attributes").and_then(|all| all.get(name)?.as_str());
            let source = message.source.map(|source| questions::place().arn("sqs", QUEUES[source].name));
            for (attribute, found, wanted) in [
                ("count of receives", attribute("ApproximateReceiveCount"), Some(message.receives.to_string())),
                ("time it was sent", attribute("SentTimestamp"), Some(message.sent_at.to_string())),
                ("group", attribute("MessageGroupId"), message.group.as_deref().map(str::to_owned)),
                ("origin", attribute("DeadLetterQueueSourceArn"), source),
            ] {
                if found.map(str::to_owned) != wanted {
                    return Err(format!(
                        "I17: the {attribute} of {} in {name} is {found:?}, not {wanted:?}",
                        message.text
                    ));
                }
            }
            self.learn_id(*number, answer)?;
            let receipt = Receipt { queue, number: *number, receive: message.receives };
            let Some(handle) = answer.get("ReceiptHandle").and_then(Json::as_str) else {
                return Err(format!("I17: {} is received without a receipt", message.text));
            };
            if self.receipts.insert(handle.into(), receipt).is_some() {
                return Err(format!("I8: the receipt of {} was given before", message.text));
            }
        }
        Ok(())
    }

    /// Why a message must not be received.
    fn explain(&self, queue: usize, body: &str, now: i64) -> String {
        let name = QUEUES[queue].name;
        let forms = [Form::Notification, Form::Event, Form::Plain];
        let text = forms.into_iter().find_map(|form| text_of(body, form)).unwrap_or_default();
        match self.find(queue, &text) {
            None => format!("I1: {text} is received from {name}, which was deleted, is too old, or was never sent"),
            Some(at) if at > now => format!("I10: {text} is received from {name} {} ms early", at - now),
            Some(_) => format!("I17: {text} is received from {name}"),
        }
    }

    fn learn_id(&mut self, number: u64, answer: &Json) -> Result<(), String> {
        let Some(id) = answer.get("MessageId").and_then(Json::as_str) else {
            return Err("I17: a message has no id".to_owned());
        };
        match self.ids.get(&number) {
            Some(known) if **known != *id => Err(format!("I17: a message with the id {known} has the id {id}")),
            Some(_) => Ok(()),
            None => {
                self.ids.insert(number, Text::from(id));
                Ok(())
            }
        }
    }
}

/// The text that was sent, in the body of its message.
fn text_of(body: &str, form: Form) -> Option<Text> {
    let inside = |path: &[&str]| {
        let json = Json::parse(body).ok()?;
        path.iter().try_fold(&json, |json, member| json.get(member)).and_then(Json::as_str).map(Text::from)
    };
    match form {
        Form::Plain => Some(body.into()),
        Form::Notification => inside(&["Message"]),
        Form::Event => inside(&["detail", "text"]),
    }
}

fn shown(answer: &AwsAnswer) -> String {
    match answer {
        Ok(AwsOutput { output, .. }) => output.to_string(),
        Err(AwsError { code, message, .. }) => format!("{code}: {}", message.as_deref().unwrap_or_default()),
    }
}
