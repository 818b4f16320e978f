"""DynamoDB and its streams. Facts are those of DynamoDB's API reference and developer guide."""

import time
import unittest
import zlib

from world import ACCOUNT, IS_MOTO, REGION, client, differs, error_of, eventually, signed, unique

dynamodb = client("dynamodb")
streams = client("dynamodbstreams")

NULL = "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null"
NO_TABLE = ("ResourceNotFoundException", "Requested resource not found", 400)
TARGET = "DynamoDB_20120810."


def new_table(name=None, keys=("k",), ask=dynamodb, **settings):
    """A table whose keys are strings; `s` is a number."""
    name = name or unique("table")
    kinds = {"s": "N"}
    settings.setdefault("BillingMode", "PAY_PER_REQUEST")
    defined = settings.pop("defined", keys)
    ask.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"))],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kinds.get(key, "S")} for key in defined],
        **settings,
    )
    ask.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
    return name


def put(table, key, ask=dynamodb, **attributes):
    return ask.put_item(TableName=table, Item={"k": {"S": key}, **attributes})


def get(table, key, **settings):
    return dynamodb.get_item(TableName=table, Key={"k": {"S": key}}, **settings).get("Item")


def raw(action, body, prefix=TARGET):
    """The status, headers and text of a request no SDK would make."""
    headers = {"X-Amz-Target": prefix + action, "Content-Type": "application/x-amz-json-1.0"}
    status, headers, content = signed("dynamodb", body=body, headers=headers)
    return status, headers, content.decode()


class Tables(unittest.TestCase):
    def test_a_table_is_created_described_listed_and_deleted(self):
        name = unique("table")
        made = dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
        self.assertEqual((made["TableName"], made["TableArn"]), (name, arn))
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        table = dynamodb.describe_table(TableName=name)["Table"]
        self.assertEqual(table["TableStatus"], "ACTIVE")
        self.assertEqual(table["KeySchema"], [{"AttributeName": "k", "KeyType": "HASH"}])
        self.assertEqual(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
        self.assertEqual(table["ItemCount"], 0)
        self.assertLess(abs(table["CreationDateTime"].timestamp() - time.time()), 60)
        listed = [one for page in dynamodb.get_paginator("list_tables").paginate() for one in page["TableNames"]]
        self.assertIn(name, listed)
        dynamodb.delete_table(TableName=name)
        dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 10})
        self.assertEqual(
            error_of(dynamodb.describe_table, TableName=name),
            ("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found", 400),
        )
        self.assertEqual(error_of(dynamodb.delete_table, TableName=name).code, "ResourceNotFoundException")

    def test_a_name_is_taken_once(self):
        name = new_table()
        error = error_of(new_table, name)
        self.assertEqual((error.code, error.status), ("ResourceInUseException", 400))
        with differs("moto does not say which table"):
            self.assertEqual(error.message, f"Table already exists: {name}")

    def test_names_are_checked(self):
        with differs("moto takes any name"):
            self.assertEqual(error_of(new_table, "ab").code, "ValidationException")
            self.assertEqual(
                error_of(new_table, "a b c"),
                (
                    "ValidationException",
                    "1 validation error detected: Value 'a b c' at 'tableName' failed to satisfy constraint: "
                    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+",
                    400,
                ),
            )

    def test_keys_must_be_defined(self):
        self.assertEqual(error_of(new_table, defined=("other",)).code, "ValidationException")
        self.assertEqual(error_of(new_table, defined=("k", "unused")).code, "ValidationException")

    def test_lists_go_page_by_page(self):
        own = client("dynamodb", region="eu-north-1")
        names = sorted(new_table(ask=own) for _ in range(3))
        page = own.list_tables(Limit=2)
        seen = page["TableNames"]
        while "LastEvaluatedTableName" in page:
            page = own.list_tables(Limit=2, ExclusiveStartTableName=page["LastEvaluatedTableName"])
            seen += page["TableNames"]
        self.assertEqual(sorted(name for name in seen if name in names), names)
        for name in names:
            own.delete_table(TableName=name)

    def test_accounts_and_regions_do_not_see_each_other(self):
        name = new_table()
        put(name, "here")
        for there in (client("dynamodb", region="ap-south-1"), client("dynamodb", account="444455556666")):
            self.assertNotIn(name, there.list_tables()["TableNames"])
            self.assertEqual(error_of(put, name, "there", ask=there), NO_TABLE)

    def test_protected_tables_stay(self):
        name = new_table(DeletionProtectionEnabled=True)
        self.assertEqual(error_of(dynamodb.delete_table, TableName=name).code, "ValidationException")
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.delete_table(TableName=name)

    def test_an_index_is_added_and_filled(self):
        name = new_table()
        put(name, "1", g={"S": "a"})
        dynamodb.update_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": one, "AttributeType": "S"} for one in ("k", "g")],
            GlobalSecondaryIndexUpdates=[
                {
                    "Create": {
                        "IndexName": "by-g",
                        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "KEYS_ONLY"},
                    }
                }
            ],
        )
        put(name, "2", g={"S": "a"})
        status = lambda: dynamodb.describe_table(TableName=name)["Table"]["GlobalSecondaryIndexes"][0]["IndexStatus"]
        eventually(status, lambda status: status == "ACTIVE")
        found = dynamodb.query(
            TableName=name, IndexName="by-g", KeyConditionExpression="g = :g", ExpressionAttributeValues={":g": {"S": "a"}}
        )
        self.assertEqual(sorted(item["k"]["S"] for item in found["Items"]), ["1", "2"])
        dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-g"}}])
        eventually(lambda: not dynamodb.describe_table(TableName=name)["Table"].get("GlobalSecondaryIndexes"))

    def test_tags_come_and_go(self):
        name = new_table(Tags=[{"Key": "a", "Value": "1"}])
        arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        dynamodb.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])

    @differs("moto takes a name alone")
    def test_a_table_is_named_by_its_arn_too(self):
        name = new_table()
        arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        put(arn, "1")
        self.assertEqual(get(name, "1"), {"k": {"S": "1"}})


class Items(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = new_table()

    def test_every_kind_of_value_comes_back(self):
        item = {
            "k": {"S": "kinds"},
            "number": {"N": "1.5"},
            "binary": {"B": b"\x00\xff"},
            "true": {"BOOL": True},
            "null": {"NULL": True},
            "list": {"L": [{"S": ""}, {"M": {"deep": {"N": "-7"}}}]},
            "strings": {"SS": ["a", "b"]},
            "binaries": {"BS": [b"x"]},
        }
        self.assertEqual(dynamodb.put_item(TableName=self.table, Item=item)["ResponseMetadata"]["HTTPStatusCode"], 200)
        self.assertEqual(get(self.table, "kinds"), item)

    def test_what_is_not_there_is_no_item(self):
        self.assertIsNone(get(self.table, "nobody"))
        self.assertEqual(dynamodb.delete_item(TableName=self.table, Key={"k": {"S": "nobody"}}).get("Attributes"), None)

    def test_an_item_is_updated(self):
        put(self.table, "update", n={"N": "1"}, gone={"S": "x"})
        updated = dynamodb.update_item(
            TableName=self.table,
            Key={"k": {"S": "update"}},
            UpdateExpression="SET n = n + :one, #new = if_not_exists(#new, :list) REMOVE gone ADD tags :tags",
            ExpressionAttributeNames={"#new": "new"},
            ExpressionAttributeValues={":one": {"N": "1"}, ":list": {"L": []}, ":tags": {"SS": ["t"]}},
            ReturnValues="ALL_NEW",
        )["Attributes"]
        expected = {"k": {"S": "update"}, "n": {"N": "2"}, "new": {"L": []}, "tags": {"SS": ["t"]}}
        self.assertEqual(updated, expected)
        old = dynamodb.delete_item(TableName=self.table, Key={"k": {"S": "update"}}, ReturnValues="ALL_OLD")
        self.assertEqual(old["Attributes"], expected)

    def test_a_condition_that_fails_is_told_and_shows_the_item(self):
        put(self.table, "condition")
        request = {
            "TableName": self.table,
            "Item": {"k": {"S": "condition"}},
            "ConditionExpression": "attribute_not_exists(k)",
        }
        self.assertEqual(
            error_of(dynamodb.put_item, **request),
            ("ConditionalCheckFailedException", "The conditional request failed", 400),
        )
        with self.assertRaises(dynamodb.exceptions.ConditionalCheckFailedException) as refused:
            dynamodb.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
        self.assertEqual(refused.exception.response["Item"], {"k": {"S": "condition"}})

    def test_tables_that_are_not_there_and_keys_that_do_not_fit(self):
        nowhere = unique("nowhere")
        self.assertEqual(error_of(put, nowhere, "1"), NO_TABLE)
        self.assertEqual(error_of(get, nowhere, "1"), NO_TABLE)
        self.assertEqual(
            error_of(dynamodb.put_item, TableName=self.table, Item={"x": {"S": "1"}}),
            ("ValidationException", "One or more parameter values were invalid: Missing the key k in the item", 400),
        )
        self.assertEqual(
            error_of(dynamodb.put_item, TableName=self.table, Item={"k": {"N": "1"}}),
            ("ValidationException", "One or more parameter values were invalid: Type mismatch for key k expected: S actual: N", 400),
        )
        self.assertEqual(
            error_of(dynamodb.get_item, TableName=self.table, Key={"x": {"S": "1"}}),
            ("ValidationException", "The provided key element does not match the schema", 400),
        )

    @differs("moto fails")
    def test_expressions_that_cannot_be_read(self):
        error = error_of(
            dynamodb.update_item, TableName=self.table, Key={"k": {"S": "1"}}, UpdateExpression="SEET a = b"
        )
        self.assertEqual(error.code, "ValidationException")
        self.assertIn("Invalid UpdateExpression: Syntax error; token: \"SEET\"", error.message)
        error = error_of(
            dynamodb.put_item,
            TableName=self.table,
            Item={"k": {"S": "1"}},
            ConditionExpression="v = :v",
            ExpressionAttributeValues={":w": {"S": ""}},
        )
        self.assertEqual(error.code, "ValidationException")

    @differs("moto looks at members as it needs them")
    def test_required_members(self):
        for action, body, member in (
            ("PutItem", f'{{"TableName":"{self.table}","Item":null}}', "item"),
            ("GetItem", f'{{"TableName":"{self.table}"}}', "key"),
            ("UpdateItem", f'{{"TableName":"{self.table}"}}', "key"),
            ("DeleteItem", f'{{"TableName":"{self.table}"}}', "key"),
            ("TransactGetItems", "{}", "transactItems"),
            ("ExecuteStatement", "{}", "statement"),
        ):
            status, _, text = raw(action, body)
            self.assertEqual(status, 400)
            self.assertIn("ValidationException", text)
            self.assertIn(NULL.format(member), text)

    def test_an_item_has_400_kilobytes(self):
        put(self.table, "large", v={"S": "x" * 400_000})
        error = error_of(put, self.table, "large", v={"S": "x" * 410_000})
        self.assertEqual((error.code, error.message), ("ValidationException", "Item size has exceeded the maximum allowed size"))


class Searches(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = new_table(
            keys=("k", "s"),
            defined=("k", "s", "g"),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by-g",
                    "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        with_g = lambda number: {"g": {"S": "odd" if number % 2 else "even"}, "v": {"N": str(number)}}
        for number in (-10, 2, 3, 10, 200):
            put(cls.table, "a", s={"N": str(number)}, **with_g(number))
        put(cls.table, "b", s={"N": "1"})

    def query(self, condition, values, **settings):
        values = {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in values.items()}
        return dynamodb.query(
            TableName=self.table, KeyConditionExpression=condition, ExpressionAttributeValues=values, **settings
        )

    def test_a_query_is_in_the_order_of_numbers(self):
        numbers = lambda answer: [int(item["s"]["N"]) for item in answer["Items"]]
        self.assertEqual(numbers(self.query("k = :k", {":k": "a"})), [-10, 2, 3, 10, 200])
        self.assertEqual(numbers(self.query("k = :k", {":k": "a"}, ScanIndexForward=False)), [200, 10, 3, 2, -10])
        between = self.query("k = :k AND s BETWEEN :low AND :high", {":k": "a", ":low": 2, ":high": 10})
        self.assertEqual(numbers(between), [2, 3, 10])

    def test_pages(self):
        first = self.query("k = :k", {":k": "a"}, Limit=3)
        self.assertEqual((first["Count"], first["ScannedCount"]), (3, 3))
        self.assertEqual(first["LastEvaluatedKey"], {"k": {"S": "a"}, "s": {"N": "3"}})
        second = self.query("k = :k", {":k": "a"}, ExclusiveStartKey=first["LastEvaluatedKey"])
        self.assertEqual(second["Count"], 2)
        self.assertNotIn("LastEvaluatedKey", second)

    def test_an_index_has_what_was_projected(self):
        found = self.query("g = :g", {":g": "odd"}, IndexName="by-g")["Items"]
        self.assertEqual(found, [{"g": {"S": "odd"}, "k": {"S": "a"}, "s": {"N": "3"}}])
        with differs("moto says what the older API said"):
            self.assertEqual(
                error_of(self.query, "g = :g", {":g": "odd"}, IndexName="none"),
                ("ValidationException", "The table does not have the specified index: none", 400),
            )

    def test_a_scan_filters_counts_and_goes_in_segments(self):
        counted = dynamodb.scan(
            TableName=self.table,
            FilterExpression="v > :v",
            ExpressionAttributeValues={":v": {"N": "9"}},
            Select="COUNT",
        )
        self.assertEqual((counted["Count"], counted["ScannedCount"]), (2, 6))
        self.assertNotIn("Items", counted)
        seen = [
            (item["k"]["S"], item["s"]["N"])
            for segment in range(3)
            for item in dynamodb.scan(TableName=self.table, Segment=segment, TotalSegments=3)["Items"]
        ]
        self.assertEqual((len(seen), len(set(seen))), (6, 6))

    def test_a_projection_leaves_out(self):
        found = self.query("k = :k AND s = :s", {":k": "a", ":s": 2}, ProjectionExpression="g, v")["Items"]
        self.assertEqual(found, [{"g": {"S": "even"}, "v": {"N": "2"}}])

    def test_conditions_that_are_no_key_conditions(self):
        self.assertEqual(error_of(self.query, "v = :v", {":v": 1}).code, "ValidationException")
        self.assertEqual(error_of(dynamodb.query, TableName=self.table).code, "ValidationException")
        error = error_of(dynamodb.scan, TableName=unique("nowhere"))
        self.assertEqual(error, NO_TABLE)


class Many(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table, cls.other = new_table(), new_table()

    def count(self):
        return dynamodb.scan(TableName=self.table, Select="COUNT")["Count"]

    def test_batches(self):
        keys = [{"k": {"S": str(number)}} for number in range(3)]
        written = dynamodb.batch_write_item(
            RequestItems={
                self.table: [{"PutRequest": {"Item": key}} for key in keys],
                self.other: [{"PutRequest": {"Item": {"k": {"S": "other"}}}}],
            }
        )
        self.assertEqual(written["UnprocessedItems"], {})
        dynamodb.batch_write_item(RequestItems={self.table: [{"DeleteRequest": {"Key": keys[2]}}]})
        read = dynamodb.batch_get_item(RequestItems={self.table: {"Keys": keys}, self.other: {"Keys": [{"k": {"S": "other"}}]}})
        self.assertEqual(sorted(item["k"]["S"] for item in read["Responses"][self.table]), ["0", "1"])
        self.assertEqual(read["Responses"][self.other], [{"k": {"S": "other"}}])
        twice = [{"PutRequest": {"Item": keys[0]}}] * 2
        self.assertEqual(
            error_of(dynamodb.batch_write_item, RequestItems={self.table: twice}),
            ("ValidationException", "Provided list of item keys contains duplicates", 400),
        )
        many = [{"PutRequest": {"Item": {"k": {"S": str(number)}}}} for number in range(26)]
        with differs("moto takes more than 25"):
            error = error_of(dynamodb.batch_write_item, RequestItems={self.table: many})
            self.assertEqual(error.code, "ValidationException")

    def test_a_transaction_is_all_or_nothing(self):
        put(self.table, "there")
        before = self.count()
        with self.assertRaises(dynamodb.exceptions.TransactionCanceledException) as refused:
            dynamodb.transact_write_items(
                TransactItems=[
                    {"Put": {"TableName": self.table, "Item": {"k": {"S": "new"}}}},
                    {
                        "Put": {
                            "TableName": self.table,
                            "Item": {"k": {"S": "there"}},
                            "ConditionExpression": "attribute_not_exists(k)",
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    },
                ]
            )
        response = refused.exception.response
        self.assertEqual(
            response["Error"]["Message"],
            "Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed]",
        )
        reasons = response["CancellationReasons"]
        self.assertEqual([reason["Code"] for reason in reasons], ["None", "ConditionalCheckFailed"])
        self.assertEqual(reasons[1]["Message"], "The conditional request failed")
        self.assertEqual(reasons[1]["Item"], {"k": {"S": "there"}})
        self.assertEqual(self.count(), before)

    def test_a_transaction_reads_and_writes(self):
        put(self.table, "doomed")
        dynamodb.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": self.other, "Item": {"k": {"S": "made"}}}},
                {"Delete": {"TableName": self.table, "Key": {"k": {"S": "doomed"}}}},
                {
                    "ConditionCheck": {
                        "TableName": self.table,
                        "Key": {"k": {"S": "nobody"}},
                        "ConditionExpression": "attribute_not_exists(k)",
                    }
                },
            ]
        )
        gets = [
            {"Get": {"TableName": table, "Key": {"k": {"S": key}}}}
            for table, key in ((self.other, "made"), (self.table, "doomed"))
        ]
        read = dynamodb.transact_get_items(TransactItems=gets)["Responses"]
        self.assertEqual(read, [{"Item": {"k": {"S": "made"}}}, {}])

    @differs("moto does not look at the token")
    def test_a_token_makes_two_requests_one(self):
        def add(by, token):
            return dynamodb.transact_write_items(
                ClientRequestToken=token,
                TransactItems=[
                    {
                        "Update": {
                            "TableName": self.table,
                            "Key": {"k": {"S": "sum"}},
                            "UpdateExpression": "ADD n :by",
                            "ExpressionAttributeValues": {":by": {"N": by}},
                        }
                    }
                ],
            )

        token = unique("token")
        for _ in range(2):
            add("1", token)
        self.assertEqual(get(self.table, "sum")["n"], {"N": "1"})
        self.assertEqual(error_of(add, "2", token).code, "IdempotentParameterMismatchException")


class Statements(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = new_table()

    def run_statement(self, statement, *parameters):
        settings = {"Parameters": list(parameters)} if parameters else {}
        return dynamodb.execute_statement(Statement=statement.format(f'"{self.table}"'), **settings).get("Items")

    @differs("moto's parser stumbles over numbers")
    def test_a_statement_writes_and_reads(self):
        self.run_statement("INSERT INTO {} VALUE {{'k': 'a', 'n': ?}}", {"N": "1"})
        self.assertEqual(self.run_statement("SELECT * FROM {} WHERE k = 'a'"), [{"k": {"S": "a"}, "n": {"N": "1"}}])
        self.run_statement("UPDATE {} SET n = 2 WHERE k = 'a'")
        self.assertEqual(self.run_statement("SELECT n FROM {} WHERE k = ?", {"S": "a"}), [{"n": {"N": "2"}}])
        self.run_statement("DELETE FROM {} WHERE k = 'a'")
        self.assertEqual(self.run_statement("SELECT * FROM {} WHERE k = 'a'"), [])

    @differs("moto inserts twice")
    def test_what_is_wrong_with_a_statement(self):
        self.run_statement("INSERT INTO {} VALUE {{'k': 'once'}}")
        error = error_of(self.run_statement, "INSERT INTO {} VALUE {{'k': 'once'}}")
        self.assertEqual((error.code, error.message), ("DuplicateItemException", "Duplicate primary key exists in table"))
        self.assertEqual(error_of(self.run_statement, "SELEKT").code, "ValidationException")
        nowhere = unique("nowhere")
        error = error_of(dynamodb.execute_statement, Statement=f"SELECT * FROM \"{nowhere}\" WHERE k = 'a'")
        self.assertEqual(error.code, "ResourceNotFoundException")

    @differs("moto answers without the item")
    def test_a_batch_tells_of_each(self):
        put(self.table, "batch")
        statements = [
            {"Statement": f"SELECT * FROM \"{table}\" WHERE k = 'batch'"} for table in (self.table, unique("nowhere"))
        ]
        found, missing = dynamodb.batch_execute_statement(Statements=statements)["Responses"]
        self.assertEqual(found["Item"], {"k": {"S": "batch"}})
        self.assertEqual(missing["Error"]["Code"], "ResourceNotFound")

    @differs("moto inserts twice")
    def test_a_transaction_is_all_or_nothing(self):
        put(self.table, "old")
        insert = lambda key: {"Statement": f"INSERT INTO \"{self.table}\" VALUE {{'k': '{key}'}}"}
        error = error_of(dynamodb.execute_transaction, TransactStatements=[insert("new"), insert("old")])
        self.assertEqual(error.code, "TransactionCanceledException")
        self.assertIsNone(get(self.table, "new"))
        dynamodb.execute_transaction(TransactStatements=[insert("new")])
        self.assertEqual(get(self.table, "new"), {"k": {"S": "new"}})


class TimeToLive(unittest.TestCase):
    def test_it_is_turned_on_and_off(self):
        table = new_table()
        describe = lambda: dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        turn = lambda enabled: dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "ttl"}
        )
        self.assertEqual(describe(), {"TimeToLiveStatus": "DISABLED"})
        turn(True)
        self.assertEqual(describe(), {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"})
        with differs("moto turns it on again"):
            self.assertEqual(error_of(turn, True), ("ValidationException", "TimeToLive is already enabled", 400))
        turn(False)
        self.assertEqual(describe()["TimeToLiveStatus"], "DISABLED")
        with differs("moto's code is cut short"):
            error = error_of(dynamodb.describe_time_to_live, TableName=unique("nowhere"))
            self.assertEqual(error.code, "ResourceNotFoundException")

    @differs("moto deletes nothing")
    def test_what_expired_goes(self):
        table = new_table()
        dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"}
        )
        put(table, "old", ttl={"N": str(int(time.time()) - 10)})
        put(table, "young", ttl={"N": str(int(time.time()) + 1000)})
        eventually(lambda: get(table, "old"), lambda item: item is None)
        self.assertIsNotNone(get(table, "young"))


class Streams(unittest.TestCase):
    def test_a_stream_tells_what_changed(self):
        table = new_table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
        put(table, "1", v={"N": "1"})
        put(table, "1", v={"N": "2"})
        dynamodb.delete_item(TableName=table, Key={"k": {"S": "1"}})
        (stream,) = streams.list_streams(TableName=table)["Streams"]
        arn = stream["StreamArn"]
        self.assertEqual(arn, dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"])
        description = streams.describe_stream(StreamArn=arn)["StreamDescription"]
        self.assertEqual((description["StreamStatus"], description["TableName"]), ("ENABLED", table))
        changes = []
        for shard in description["Shards"]:
            iterator = streams.get_shard_iterator(
                StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            changes += streams.get_records(ShardIterator=iterator)["Records"]
        self.assertEqual([change["eventName"] for change in changes], ["INSERT", "MODIFY", "REMOVE"])
        self.assertEqual(changes[1]["dynamodb"]["OldImage"]["v"], {"N": "1"})
        self.assertEqual(changes[1]["dynamodb"]["NewImage"]["v"], {"N": "2"})
        self.assertEqual({change["awsRegion"] for change in changes}, {REGION})

    def test_a_stream_that_is_not_there(self):
        arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{unique('none')}/stream/2024-01-01T00:00:00.000"
        with differs("moto fails"):
            self.assertEqual(error_of(streams.describe_stream, StreamArn=arn).code, "ResourceNotFoundException")


class Wire(unittest.TestCase):
    def test_answers_have_a_checksum_and_an_id(self):
        status, headers, text = raw("ListTables", "{}")
        self.assertEqual(status, 200)
        with differs("moto sends none"):
            self.assertEqual(headers["x-amz-crc32"], str(zlib.crc32(text.encode())))
        self.assertTrue(headers["x-amzn-RequestId"])

    def test_actions_there_are_not_are_named(self):
        status, _, text = raw("NoSuchAction", "{}")
        with differs("moto fails"):
            self.assertEqual(status, 400)
            self.assertIn("UnknownOperationException", text)
        if not IS_MOTO:
            status, _, text = raw("CreateGlobalTable", '{"GlobalTableName":"name","ReplicationGroup":[]}')
            self.assertEqual(status, 400)
            self.assertIn("UnknownOperationException", text)
            self.assertIn("CreateGlobalTable", text)

    @differs("moto reads on")
    def test_what_is_no_request(self):
        for body in ("[]", "{", '{"TableName":7}', "[" * 10_000 + "]" * 10_000):
            status, _, text = raw("DescribeTable", body)
            self.assertEqual((status, "SerializationException" in text), (400, True), body[:20])


if __name__ == "__main__":
    unittest.main()
