//! Actions that name what they mean where the service wants its id: it is looked for in a list first.
//!
//! Source: Developer Guide, "Create and manage Amazon EMR clusters", `modifyInstanceFleetByName` and
//! `modifyInstanceGroupByName`.

use stepwell_json::{Json, Object};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, Fault};

/// Such an action, by the operation it ends with.
#[derive(Debug)]
struct ByName {
    operation: (&'static str, &'static str),
    /// The member that has the name.
    name: &'static str,
    /// The operation that lists what there is, and where in its answer.
    list: (&'static str, &'static str),
    /// What the id becomes a member of, whether that is in a list, and under which name.
    into: (&'static str, bool, &'static str),
}

const ALL: &[ByName] = &[
    ByName {
        operation: ("emr", "ModifyInstanceFleet"),
        name: "InstanceFleetName",
        list: ("ListInstanceFleets", "InstanceFleets"),
        into: ("InstanceFleet", false, "InstanceFleetId"),
    },
    ByName {
        operation: ("emr", "ModifyInstanceGroups"),
        name: "InstanceGroupName",
        list: ("ListInstanceGroups", "InstanceGroups"),
        into: ("InstanceGroups", true, "InstanceGroupId"),
    },
];

/// What has to be asked for a call to be made.
#[derive(Clone, Debug)]
pub enum Sought {
    /// This comes first.
    Asks(AwsCall),
    /// The call itself.
    Ready(AwsCall),
}

/// A call on its way to being made.
#[derive(Debug)]
pub struct Seeking {
    call: AwsCall,
    /// What is looked for, until it is found.
    row: Option<&'static ByName>,
    /// Where the list goes on.
    marker: Option<Json>,
}

impl Seeking {
    /// Begins with a task's call. Most are ready.
    pub fn new(call: AwsCall) -> Seeking {
        let is_its = |row: &&ByName| row.operation == (&*call.service, &*call.action);
        let row = ALL.iter().find(|row| is_its(row) && call.input.get(row.name).is_some());
        Seeking { call, row, marker: None }
    }

    /// What is to be asked.
    pub fn next_call(&self) -> Sought {
        let Some(row) = self.row else { return Sought::Ready(self.call.clone()) };
        let cluster = self.call.input.get("ClusterId").cloned().unwrap_or(Json::Null);
        let marker = self.marker.clone().map(|marker| ("Marker", marker));
        let input = Json::object([("ClusterId", cluster)].into_iter().chain(marker));
        Sought::Asks(AwsCall { service: self.call.service.clone(), action: row.list.0.into(), input })
    }

    /// Takes the answer to what came first.
    pub fn take(&mut self, answer: AwsAnswer) -> Result<(), AwsError> {
        let (Some(row), answer) = (self.row, answer?) else { return Ok(()) };
        let wanted = self.call.input.get(row.name).cloned().unwrap_or(Json::Null);
        let listed = answer.output.get(row.list.1).and_then(Json::as_array);
        let is_meant = |item: &&Json| item.get("Name") == Some(&wanted);
        let id = listed.and_then(|items| items.iter().find(is_meant)).and_then(|item| item.get("Id"));
        match (id, answer.output.get("Marker").filter(|marker| !marker.is_null())) {
            (Some(id), _) => {
                self.call.input = with_id(&self.call.input, row, id);
                self.row = None;
                Ok(())
            }
            (None, Some(marker)) if self.marker.as_ref() != Some(marker) => {
                self.marker = Some(marker.clone());
                Ok(())
            }
            (None, _) => Err(AwsError {
                code: "InvalidRequestException".into(),
                message: Some(format!("{} {wanted} is not one of the cluster's {}", row.name, row.list.1).into()),
                status: 400,
                fault: Fault::Client,
                request_id: answer.request_id,
                members: Json::empty_object(),
            }),
        }
    }
}

/// The call's input with the id in place of the name.
fn with_id(input: &Json, row: &ByName, id: &Json) -> Json {
    let Json::Object(members) = input else { return input.clone() };
    let (member, is_in_list, named) = row.into;
    let identified = |value: Option<&Json>| match value {
        Some(Json::Object(members)) => Json::Object(Object::with(members, named, id.clone())),
        Some(other) => other.clone(),
        None => Json::object([(named, id.clone())]),
    };
    let given = input.get(member);
    let value = match is_in_list {
        true => Json::array(vec![identified(given.and_then(Json::as_array).and_then(|items| items.first()))]),
        false => identified(given),
    };
    let mut members = members.to_builder();
    members.remove(row.name);
    members.insert(member, value);
    Json::Object(members.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::tests::{answer, json, request};
    use crate::task::{Task, call_of, tests::identity};

    fn seeking(action: &str, arguments: &str) -> Seeking {
        let request = request(&format!("arn:aws:states:::elasticmapreduce:{action}"), arguments);
        Seeking::new(call_of(Task { request: &request, execution: &identity() }).expect("a call"))
    }

    fn next(seeking: &Seeking) -> String {
        match seeking.next_call() {
            Sought::Asks(call) => format!("asks {} {}", call.action, call.input),
            Sought::Ready(call) => format!("{} {}", call.action, call.input),
        }
    }

    #[test]
    fn a_fleet_is_found_by_its_name_on_whichever_page() {
        let arguments = r#"{"ClusterId":"j","InstanceFleetName":"core","InstanceFleet":{"TargetOnDemandCapacity":8}}"#;
        let mut seeking = seeking("modifyInstanceFleetByName", arguments);
        assert_eq!(next(&seeking), r#"asks ListInstanceFleets {"ClusterId":"j"}"#);
        let page = r#"{"InstanceFleets":[{"Id":"if-1","Name":"master"}],"Marker":"m"}"#;
        seeking.take(answer(page, &[])).expect("a page");
        assert_eq!(next(&seeking), r#"asks ListInstanceFleets {"ClusterId":"j","Marker":"m"}"#);
        seeking.take(answer(r#"{"InstanceFleets":[{"Id":"if-2","Name":"core"}]}"#, &[])).expect("a page");
        let expected = r#"ModifyInstanceFleet {"ClusterId":"j","InstanceFleet":{"TargetOnDemandCapacity":8,"InstanceFleetId":"if-2"}}"#;
        assert_eq!(next(&seeking), expected);
    }

    #[test]
    fn a_group_is_one_of_a_list() {
        let arguments = r#"{"ClusterId":"j","InstanceGroupName":"core","InstanceGroup":{"InstanceCount":8}}"#;
        let mut seeking = seeking("modifyInstanceGroupByName", arguments);
        assert_eq!(next(&seeking), r#"asks ListInstanceGroups {"ClusterId":"j"}"#);
        let gone = seeking.take(answer(r#"{"InstanceGroups":[{"Id":"ig-1","Name":"task"}]}"#, &[])).expect_err("none");
        assert_eq!(
            gone.message.as_deref(),
            Some("InstanceGroupName \"core\" is not one of the cluster's InstanceGroups")
        );
        seeking.take(answer(r#"{"InstanceGroups":[{"Id":"ig-2","Name":"core"}]}"#, &[])).expect("a page");
        let expected =
            r#"ModifyInstanceGroups {"ClusterId":"j","InstanceGroups":[{"InstanceCount":8,"InstanceGroupId":"ig-2"}]}"#;
        assert_eq!(next(&seeking), expected);
    }

    #[test]
    fn what_has_an_id_is_ready() {
        let input = json(r#"{"ClusterId":"j"}"#);
        let call = AwsCall { service: "emr".into(), action: "ModifyInstanceFleet".into(), input };
        assert_eq!(next(&Seeking::new(call)), r#"ModifyInstanceFleet {"ClusterId":"j"}"#);
    }
}
