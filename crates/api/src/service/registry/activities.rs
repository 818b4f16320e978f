//! Activities: create, describe, list, delete.

use stepwell_spec::shapes::{
    ActivityListItem, CreateActivityInput, CreateActivityOutput, DeleteActivityInput, DeleteActivityOutput,
    DescribeActivityInput, DescribeActivityOutput, ListActivitiesInput, ListActivitiesOutput,
};
use stepwell_spec::{Action, Exception, Text, Timestamp};

use super::encryption::{aws_owned_key, key_of_ones_own};
use super::tags::with_tags;
use super::{ActivityRow, Page, Registry, kept_in, page};
use crate::arns::ActivityRef;
use crate::pages::PageSeal;
use crate::refusal::Refusal;
use crate::service::Place;

impl Registry {
    /// The same name again is the same activity, unless it asks for another encryption.
    pub(in crate::service) fn create_activity(
        &mut self,
        place: &Place,
        input: CreateActivityInput,
        now: Timestamp,
    ) -> Result<CreateActivityOutput, Refusal> {
        let activity_arn = place.arn(format_args!("activity:{}", input.name));
        let encryption_configuration = key_of_ones_own(input.encryption_configuration);
        if let Some(known) = self.activities.get(&activity_arn) {
            if known.encryption_configuration != encryption_configuration {
                let message = format!("Activity already exists: '{activity_arn}'");
                return Err(Refusal::new(Exception::ActivityAlreadyExists, message));
            }
            return Ok(CreateActivityOutput { activity_arn, creation_date: known.created_at });
        }
        self.limits.check_activities(&self.activities, place)?;
        let tags = with_tags(Vec::new(), input.tags.unwrap_or_default());
        let row = ActivityRow { name: input.name, created_at: now, encryption_configuration, tags };
        self.activities.insert(activity_arn.clone(), row);
        self.changed.activities.insert(activity_arn.clone());
        Ok(CreateActivityOutput { activity_arn, creation_date: now })
    }

    pub(in crate::service) fn describe_activity(
        &self,
        place: &Place,
        input: &DescribeActivityInput,
    ) -> Result<DescribeActivityOutput, Refusal> {
        let arn = &input.activity_arn;
        let asked = ActivityRef::parse(arn)?;
        let row = self.own_activity(place, &asked).ok_or_else(|| Refusal::activity_does_not_exist(arn))?;
        Ok(DescribeActivityOutput {
            activity_arn: arn.clone(),
            name: row.name.clone(),
            creation_date: row.created_at,
            encryption_configuration: Some(row.encryption_configuration.clone().unwrap_or_else(aws_owned_key)),
        })
    }

    pub(in crate::service) fn list_activities(
        &self,
        place: &Place,
        input: &ListActivitiesInput,
        seal: &PageSeal,
        now: Timestamp,
    ) -> Result<ListActivitiesOutput, Refusal> {
        let own = kept_in(&self.activities, place, "activity:").map(|(arn, row)| (row.name.to_string(), (arn, row)));
        let asked = (input.max_results, input.next_token.as_deref());
        let Page { rows, next_token } = page(own, (Action::ListActivities, place, ""), asked, seal, now)?;
        let item = |(arn, row): (&Text, &ActivityRow)| ActivityListItem {
            activity_arn: arn.clone(),
            name: row.name.clone(),
            creation_date: row.created_at,
        };
        Ok(ListActivitiesOutput { activities: rows.into_iter().map(item).collect(), next_token })
    }

    /// One that is not there is deleted already.
    pub(in crate::service) fn delete_activity(
        &mut self,
        place: &Place,
        input: &DeleteActivityInput,
    ) -> Result<DeleteActivityOutput, Refusal> {
        let asked = ActivityRef::parse(&input.activity_arn)?;
        if place.owns(&asked.region, &asked.account) && self.activities.remove(&input.activity_arn).is_some() {
            self.changed.activities.insert(input.activity_arn.clone());
        }
        Ok(DeleteActivityOutput {})
    }
}
