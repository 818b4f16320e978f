//! activity: workers ask for a task (GetActivityTask) and answer it (SendTaskSuccess); the execution goes on to its next one.

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
    name: "activity",
    about: "activity round trips: GetActivityTask, SendTaskSuccess, on to the next task",
    needs: Needs::Endpoint,
    run: |bench| Box::pin(run(bench)),
};

async fn run(bench: &mut Bench<'_>) -> Result<(), String> {
    let time = bench.settings.time;
    for &clients in &bench.settings.clients {
        bench.say(&format!("activity: {clients} clients for {} s", time.as_secs_f64()));
        let mut site = bench.site()?;
        let activity = site.activity("activity").await?;
        let definition = supply::definition(&format!(r#""Resource":"{activity}""#));
        let machine = site.state_machine("activity", &definition, MachineType::Standard).await?;
        let supply = Supply::new(&site.place, &machine)?;
        supply.begin(&mut site.client, clients).await?;
        let poll =
            site.place.prepare(Service::States, "GetActivityTask", format!(r#"{{"activityArn":"{activity}"}}"#))?;
        let succeed = site.place.prepare(Service::States, "SendTaskSuccess", "")?;
        let worker = Worker { poll, succeed, supply };
        let mut line = bench.run(WORKLOAD.name, &site, clients, time, &worker).await?.line;
        line.errors.add(executions::failed(&mut site.client, &machine).await?);
        bench.tell(line);
        site.end_with(&machine).await?;
    }
    Ok(())
}

#[derive(Clone)]
struct Worker {
    poll: Prepared,
    succeed: Prepared,
    supply: Supply,
}

impl Operation for Worker {
    async fn perform(&mut self, client: &mut Client) -> Result<(), String> {
        let task = client.send(&self.poll).await?;
        let Some(token) = plain_text(&task.body, "taskToken") else {
            return Err(format!("GetActivityTask: no task in {}", task.text()));
        };
        let done = self.succeed.with_body(format!(r#"{{"taskToken":"{token}","output":"{{}}"}}"#));
        client.send(&done).await?;
        self.supply.done(client).await
    }
}
