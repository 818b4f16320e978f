//! The way to the local DynamoDB, which waits for the disk on threads that may.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stepwell_dynamodb::{DynamoDb, OpenError};
use stepwell_interpreter::Chance;
use stepwell_json::Json;
use stepwell_protocol::{Answering, AwsCall, AwsError, Fault, Peers, Place};
use tokio::runtime::Handle;

use crate::clock::Clock;

/// Where its databases are, below the data directory.
const FOLDER: &str = "dynamodb";

/// How often to look whether items have expired that nobody asks for: a call of their place deletes them first.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The local DynamoDB.
pub(crate) struct Tables {
    dynamodb: Arc<DynamoDb>,
    clock: Clock,
}

impl Tables {
    pub(crate) const SERVICES: [&'static str; 2] = ["dynamodb", "dynamodbstreams"];

    /// Opens what is below the data directory, or one in memory.
    pub(crate) fn open(data: Option<&Path>, runtime: &Handle, clock: Clock) -> Result<Tables, OpenError> {
        let dynamodb = Arc::new(DynamoDb::open(data.map(|data| data.join(FOLDER)).as_deref())?);
        runtime.spawn(delete_expired(dynamodb.clone(), clock.clone()));
        Ok(Tables { dynamodb, clock })
    }
}

impl Peers for Tables {
    fn ask(&self, place: &Place, call: AwsCall) -> Answering {
        let (dynamodb, place, at) = (self.dynamodb.clone(), place.clone(), self.clock.moment());
        let working = tokio::task::spawn_blocking(move || dynamodb.call(&place, &call, at));
        Box::pin(async move { working.await.unwrap_or_else(|_| Err(gone(&Chance::new(at)))) })
    }
}

/// The thread did not come back: the server is ending.
fn gone(chance: &Chance) -> AwsError {
    AwsError {
        code: "InternalServerError".into(),
        message: Some("The service is ending.".into()),
        status: 500,
        fault: Fault::Server,
        request_id: chance.uuid().into(),
        members: Json::empty_object(),
    }
}

/// Deletes what has expired, as long as the server lives.
async fn delete_expired(dynamodb: Arc<DynamoDb>, clock: Clock) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let Some(due) = dynamodb.next_due() else { continue };
        let at = clock.moment();
        if due <= at.now {
            let dynamodb = dynamodb.clone();
            let swept = tokio::task::spawn_blocking(move || dynamodb.tick(at)).await;
            if let Ok(Err(fault)) = swept {
                tracing::error!(%fault, "expired items could not be deleted");
            }
        }
    }
}
