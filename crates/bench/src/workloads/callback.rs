//! callback: a task sends its token to a queue (`sqs:sendMessage.waitForTaskToken`); workers receive the message, answer the
//! task (SendTaskSuccess) and delete the message; the execution goes on to its next one.

use std::time::{Duration, Instant};

use super::{Needs, Workload};
use crate::bench::Bench;
use crate::client::{Client, plain_text};
use crate::connection::Prepared;
use crate::endpoint::Service;
use crate::executions;
use crate::load::Operation;
use crate::site::MachineType;
use crate::supply::{self, Supply};

pub(super) const WORKLOAD: Workload = Workload {
    name: "callback",
    about: "callback round trips through a queue: ReceiveMessage, SendTaskSuccess, DeleteMessage",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

/// How long a worker asks for a message before it is an error that none comes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    for &clients in &bench.settings.clients {
        bench.say(&format!("callback: {clients} clients for {} s", time.as_secs_f64()));
        let mut site = bench.site()?;
        let queue = site.queue("callback").await?;
        let task = format!(
            r#""Resource":"arn:aws:states:::sqs:sendMessage.waitForTaskToken","Parameters":{{"QueueUrl":"{queue}","MessageBody.$":"$$.Task.Token"}}"#
        );
        let machine = site.state_machine("callback", &supply::definition(&task), MachineType::Standard).await?;
        let supply = Supply::new(&site.place, &machine)?;
        supply.begin(&mut site.client, clients).await?;
        let receive = format!(r#"{{"QueueUrl":"{queue}","MaxNumberOfMessages":1,"WaitTimeSeconds":5}}"#);
        let worker = Worker {
            receive: site.place.prepare(Service::Sqs, "ReceiveMessage", receive)?,
            delete: site.place.prepare(Service::Sqs, "DeleteMessage", "")?,
            succeed: site.place.prepare(Service::States, "SendTaskSuccess", "")?,
            queue,
            supply,
        };
        let mut line = bench.run(WORKLOAD.name, &site, clients, time, &worker).await?.line;
        line.errors.add(executions::failed(&mut site.client, &machine).await?);
        bench.tell(line);
        site.end_with(&machine).await?;
    }
    Ok(())
}

#[derive(Clone)]
struct Worker {
    receive: Prepared,
    delete: Prepared,
    succeed: Prepared,
    queue: String,
    supply: Supply,
}

impl Operation for Worker {
    fn service(&self) -> Service {
        Service::Sqs
    }

    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let began = Instant::now();
        let message = loop {
            let message = client.send(&self.receive).await?;
            if plain_text(&message.body, "Body").is_some() {
                break message;
            }
            if began.elapsed() >= PATIENCE {
                return Err(format!("ReceiveMessage: no message in {} s", PATIENCE.as_secs()));
            }
        };
        let (token, receipt) = (plain_text(&message.body, "Body"), plain_text(&message.body, "ReceiptHandle"));
        let Some((token, receipt)) = token.zip(receipt) else {
            return Err(format!("ReceiveMessage: no message in {}", message.text()));
        };
        let done = self.succeed.with_body(format!(r#"{{"taskToken":"{token}","output":"{{}}"}}"#));
        client.send(&done).await?;
        let delete = format!(r#"{{"QueueUrl":"{}","ReceiptHandle":"{receipt}"}}"#, self.queue);
        client.send(&self.delete.with_body(delete)).await?;
        self.supply.done(client).await
    }
}
