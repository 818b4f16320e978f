//! Creating the same again, changing it, and what is shown of it.

use stepwell_json::Json;
use stepwell_spec::Timestamp;
use stepwell_spec::shapes::{
    CreateActivityInput, CreateStateMachineInput, DescribeStateMachineInput, EncryptionConfiguration, IncludedData,
    LogLevel, LoggingConfiguration, StateMachineType, Structure, Tag, TagResourceInput, TracingConfiguration,
    UpdateStateMachineInput,
};

use super::super::aws_owned_key;
use super::super::limits::Limits;
use super::{ROLE, World, arn, create, definition, refused, tag, update};

/// A request to create `m`, with members of this JSON object added or replaced.
fn creation(members: &str) -> CreateStateMachineInput {
    let mut request = create("m").to_json().as_object().expect("an object").to_builder();
    let members = Json::parse(members).expect(members);
    for (name, value) in members.as_object().expect("an object") {
        request.insert(name.clone(), value.clone());
    }
    CreateStateMachineInput::from_json(&Json::Object(request.build())).expect("a request")
}

const KEY: &str = r#"{"encryptionConfiguration":{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k"}}"#;

#[test]
fn the_same_request_again_is_answered_again() {
    let check = |first: &str, again: &str, is_same: bool| {
        let mut world = World::new();
        let created = world.create(creation(first)).expect(first);
        world.registry.take_changes();
        world.now = world.now.plus_ms(1);
        let answer = world.create(creation(again));
        assert!(world.registry.take_changes().is_empty(), "{first} {again}");
        match is_same {
            true => assert_eq!(answer, Ok(created), "{first} {again}"),
            false => {
                let expected =
                    format!("StateMachineAlreadyExists: State Machine Already Exists: '{}'", arn("stateMachine:m"));
                assert_eq!(refused(answer), expected, "{first} {again}");
            }
        }
    };
    for same in [
        "{}",
        KEY,
        r#"{"type":"EXPRESS"}"#,
        r#"{"publish":true}"#,
        r#"{"publish":true,"versionDescription":"d"}"#,
        r#"{"tracingConfiguration":{"enabled":true}}"#,
        r#"{"loggingConfiguration":{"level":"OFF","includeExecutionData":true}}"#,
    ] {
        check(same, same, true);
    }
    for (first, again) in [
        ("{}", r#"{"type":"STANDARD"}"#),
        ("{}", r#"{"publish":false}"#),
        ("{}", r#"{"roleArn":"arn:aws:iam::123456789012:role/other"}"#),
        ("{}", r#"{"tags":[{"key":"k"}]}"#),
        ("{}", r#"{"tracingConfiguration":{}}"#),
        ("{}", r#"{"tracingConfiguration":{"enabled":false}}"#),
        ("{}", r#"{"loggingConfiguration":{}}"#),
        ("{}", r#"{"loggingConfiguration":{"level":"OFF","includeExecutionData":false,"destinations":[]}}"#),
        ("{}", r#"{"encryptionConfiguration":{"type":"AWS_OWNED_KEY"}}"#),
        (
            KEY,
            r#"{"encryptionConfiguration":{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":300}}"#,
        ),
    ] {
        check(first, again, true);
        check(again, first, true);
    }
    for (first, again) in [
        ("{}", r#"{"definition":"{\"StartAt\":\"B\",\"States\":{\"B\":{\"Type\":\"Succeed\"}}}"}"#),
        ("{}", r#"{"type":"EXPRESS"}"#),
        ("{}", r#"{"publish":true}"#),
        (r#"{"publish":true}"#, r#"{"publish":true,"versionDescription":"d"}"#),
        (r#"{"publish":true,"versionDescription":"d"}"#, r#"{"publish":true,"versionDescription":"e"}"#),
        ("{}", r#"{"tracingConfiguration":{"enabled":true}}"#),
        ("{}", r#"{"loggingConfiguration":{"includeExecutionData":true}}"#),
        ("{}", KEY),
        (
            KEY,
            r#"{"encryptionConfiguration":{"type":"CUSTOMER_MANAGED_KMS_KEY","kmsKeyId":"k","kmsDataKeyReusePeriodSeconds":60}}"#,
        ),
    ] {
        check(first, again, false);
        check(again, first, false);
    }
}

#[test]
fn what_is_not_said_is_shown_with_its_default() {
    let mut world = World::new();
    world.create(creation("{}")).expect("created");
    let shown = world.describe(&arn("stateMachine:m")).expect("described");
    assert_eq!(shown.encryption_configuration, Some(aws_owned_key()));
    assert_eq!(shown.tracing_configuration, Some(TracingConfiguration { enabled: Some(false) }));
    let off =
        LoggingConfiguration { level: Some(LogLevel::Off), include_execution_data: Some(false), destinations: None };
    assert_eq!(shown.logging_configuration, Some(off.clone()));
    let nowhere = creation(r#"{"name":"n","loggingConfiguration":{"level":"OFF","destinations":[]}}"#);
    world.create(nowhere).expect("created");
    let shown = world.describe(&arn("stateMachine:n")).expect("described");
    assert_eq!(shown.logging_configuration, Some(LoggingConfiguration { destinations: Some(Vec::new()), ..off }));
    let own = creation(KEY).encryption_configuration;
    world.update(UpdateStateMachineInput { encryption_configuration: own.clone(), ..update("m") }).expect("updated");
    let shown = world.describe(&arn("stateMachine:m")).expect("described").encryption_configuration;
    let with_default = own.map(|own| EncryptionConfiguration { kms_data_key_reuse_period_seconds: Some(300), ..own });
    assert_eq!(shown, with_default);
    let back = UpdateStateMachineInput { encryption_configuration: Some(aws_owned_key()), ..update("m") };
    world.update(back).expect("updated");
    let shown = world.describe(&arn("stateMachine:m")).expect("described").encryption_configuration;
    assert_eq!(shown, Some(aws_owned_key()));
}

#[test]
fn an_update_that_changes_nothing_has_the_last_ones_date_and_revision() {
    let mut world = World::new();
    let created = world.create(creation("{}")).expect("created");
    let same = |world: &mut World| {
        world.now = world.now.plus_ms(1_000);
        let role_arn = Some(ROLE.into());
        let updated = world.update(UpdateStateMachineInput { role_arn, ..update("m") }).expect("updated");
        (updated.update_date, updated.revision_id)
    };
    assert_eq!(same(&mut world), (created.creation_date, None));
    world.now = Timestamp(1_800_000_000_000);
    let input = UpdateStateMachineInput { definition: Some(definition(7)), ..update("m") };
    let updated = world.update(input).expect("updated");
    assert_eq!(updated.update_date, world.now);
    assert!(updated.revision_id.is_some());
    assert_eq!(same(&mut world), (updated.update_date, updated.revision_id));
}

#[test]
fn metadata_comes_without_the_definition() {
    let mut world = World::new();
    world.create(create("m")).expect("created");
    let show = |included_data| {
        let asked = DescribeStateMachineInput { state_machine_arn: arn("stateMachine:m"), included_data };
        world.registry.describe_state_machine(&world.place, &asked).expect("described")
    };
    assert_eq!(show(Some(IncludedData::AllData)), show(None));
    assert_eq!(show(None).definition, definition(0));
    assert_eq!(&*show(Some(IncludedData::MetadataOnly)).definition, "{}");
}

#[test]
fn the_item_processor_of_a_distributed_map_is_shown_under_its_label() {
    let processor = r#"{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"EXPRESS"}, "StartAt":"B","States":{"B":{"Type":"Pass","End":true}}}"#;
    let text = format!(
        r#"{{"StartAt":"A","States":{{"A":{{"Type":"Map","Label":"rows","ItemProcessor":{processor},"End":true}}}}}}"#
    );
    let mut world = World::new();
    world.create(CreateStateMachineInput { definition: text.into(), ..create("m") }).expect("created");
    let shown = world.describe(&arn("stateMachine:m/rows")).expect("described");
    assert_eq!(&*shown.definition, processor);
    assert_eq!((shown.kind, shown.label.as_deref()), (StateMachineType::Express, Some("rows")));
    assert_eq!(shown.state_machine_arn, arn("stateMachine:m/rows"));
    let missing = arn("stateMachine:m/columns");
    let expected = format!("StateMachineDoesNotExist: State Machine Does Not Exist: '{missing}'");
    assert_eq!(refused(world.describe(&missing)), expected);
    assert_eq!(world.describe(&arn("stateMachine:m")).expect("described").label, None);
}

#[test]
fn a_key_given_twice_is_one_tag() {
    let given = || vec![tag(1, 1), tag(2, 0), tag(1, 2)];
    let expected: Vec<Tag> = vec![tag(1, 2), tag(2, 0)];
    let mut world = World::new();
    world.create(CreateStateMachineInput { tags: Some(given()), ..create("m") }).expect("created");
    let input = CreateActivityInput { name: "a".into(), tags: Some(given()), encryption_configuration: None };
    world.registry.create_activity(&world.place, input, world.now).expect("created");
    world.create(create("n")).expect("created");
    let input = TagResourceInput { resource_arn: arn("stateMachine:n"), tags: given() };
    world.registry.tag_resource(&world.place, input).expect("tagged");
    for resource in ["stateMachine:m", "activity:a", "stateMachine:n"] {
        assert_eq!(world.tags(&arn(resource)).as_ref(), Ok(&expected), "{resource}");
    }
}

#[test]
fn a_place_has_so_many_machines_and_activities() {
    let mut world = World::new();
    world.registry.limits = Limits { state_machines: 2, activities: 1, ..Limits::default() };
    world.create(create("m")).expect("created");
    world.create_activity("a").expect("created");
    let elsewhere = std::mem::replace(&mut world.place.region, "eu-west-1".to_owned());
    world.create(create("m")).expect("created");
    world.create_activity("a").expect("created");
    world.place.region = elsewhere;
    world.create(create("n")).expect("the other one is elsewhere");
    world.registry.take_changes();
    assert_eq!(refused(world.create(create("o"))), "StateMachineLimitExceeded: State Machine Limit Exceeded: '2'");
    assert_eq!(refused(world.create_activity("b")), "ActivityLimitExceeded: Activity Limit Exceeded: '1'");
    assert!(world.registry.take_changes().is_empty());
    world.create(create("n")).expect("it exists");
    world.create_activity("a").expect("it exists");
}
