//! PartiQL.

use crate::world::World;

#[test]
fn statements_read_and_write() {
    let mut world = World::in_memory();
    world.table("tab");
    world.play(&[
        ("ExecuteStatement", r#"{"Statement":"INSERT INTO tab VALUE {'k':'a','n':?}","Parameters":[{"N":"1"}]}"#, r#"{"Items":[]}"#),
        ("ExecuteStatement", r#"{"Statement":"INSERT INTO tab VALUE {'k':'a'}"}"#, "DuplicateItemException: Duplicate primary key exists in table"),
        ("ExecuteStatement", r#"{"Statement":"UPDATE tab SET n = n + 1 WHERE k = 'a' RETURNING ALL NEW *"}"#, r#"{"Items":[{"k":{"S":"a"},"n":{"N":"2"}}]}"#),
        ("ExecuteStatement", r#"{"Statement":"SELECT n FROM tab WHERE k = 'a'"}"#, r#"{"Items":[{"n":{"N":"2"}}]}"#),
        ("ExecuteStatement", r#"{"Statement":"SELEKT"}"#, "ValidationException: …"),
        (
            "ExecuteStatement",
            r#"{"Statement":"UPDATE tab SET n = 9 WHERE k = 'a' AND n = 5","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}"#,
            r#"ConditionalCheckFailedException: The conditional request failed {"Item":{"k":{"S":"a"},"n":{"N":"2"}}}"#,
        ),
        (
            "BatchExecuteStatement",
            r#"{"Statements":[{"Statement":"SELECT n FROM tab WHERE k = 'a'"},{"Statement":"SELECT * FROM none WHERE k = 'a'"}]}"#,
            r#"{"Responses":[{"Item":{"n":{"N":"2"}},"TableName":"tab"},{"Error":{"Code":"ResourceNotFound","Message":"Requested resource not found"},"TableName":"none"}]}"#,
        ),
        (
            "ExecuteTransaction",
            r#"{"TransactStatements":[{"Statement":"INSERT INTO tab VALUE {'k':'b'}"},{"Statement":"INSERT INTO tab VALUE {'k':'a'}"}]}"#,
            "TransactionCanceledException: …",
        ),
        ("Scan", r#"{"TableName":"tab","Select":"COUNT"}"#, r#"{"Count":1,"ScannedCount":1}"#),
    ]);
}
