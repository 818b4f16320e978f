// Drives every action with @aws-sdk/client-sfn, as a program of a user's would.
//
//     with_node.mjs ENDPOINT, from the folder that the package is installed in
//
// Prints its version, then `called ACTION` for each action that was answered well, and fails at the first answer that is not what it should
// be. The access key is an account of its own, so that nothing else is in its lists.

import assert from "node:assert/strict";
import dns from "node:dns";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(path.join(process.cwd(), "package.json"));
const sdk = require("@aws-sdk/client-sfn");
const { version } = require("@aws-sdk/client-sfn/package.json");

const ENDPOINT = process.argv[2];
const ACCOUNT = "222222222222";
const ARNS = `arn:aws:states:us-east-1:${ACCOUNT}`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;

const called = new Set();

function client(settings = {}) {
  const made = new sdk.SFNClient({
    endpoint: ENDPOINT,
    region: "us-east-1",
    credentials: { accessKeyId: ACCOUNT, secretAccessKey: "stepwell-sdk-node-secret" },
    maxAttempts: 1,
    ...settings,
  });
  const note = (next, context) => async (args) => {
    const answer = await next(args);
    called.add(context.commandName.replace(/Command$/, ""));
    return answer;
  };
  made.middlewareStack.add(note, { step: "initialize" });
  return made;
}

const sfn = client();
const ask = (action, request = {}, from = sfn) => from.send(new sdk[`${action}Command`](request));
const define = (states) => JSON.stringify({ StartAt: Object.keys(states)[0], States: states });
const pass = define({ P: { Type: "Pass", End: true } });

/** The call is refused with this class of the SDK's; gives the exception. */
async function refused(exception, action, request, from = sfn) {
  try {
    const answer = await ask(action, request, from);
    assert.fail(`${action} is answered ${JSON.stringify(answer)}`);
  } catch (refusal) {
    assert.ok(refusal instanceof sdk[exception], `${action}: ${refusal}`);
    assert.equal(refusal.name, exception);
    assert.ok(refusal.$metadata.httpStatusCode >= 400 && refusal.$metadata.httpStatusCode < 500);
    assert.match(refusal.$metadata.requestId, /^[0-9a-f-]{36}$/);
    return refusal;
  }
}

/** What is seen, once it is as it should be. */
async function until(look, isSo) {
  let seen;
  for (let turn = 0; turn < 200; turn += 1) {
    seen = await look();
    if (isSo(seen)) return seen;
    await sleep(50);
  }
  return assert.fail(`it never came: ${JSON.stringify(seen)}`);
}

async function ended(executionArn, status) {
  const described = await until(() => ask("DescribeExecution", { executionArn }), (seen) => seen.status !== "RUNNING");
  assert.equal(described.status, status, JSON.stringify(described));
  return described;
}

async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(page);
  return found;
}

async function stateMachines() {
  const request = { name: "shop", definition: pass, roleArn: ROLE, tags: [{ key: "team", value: "a" }] };
  const made = await ask("CreateStateMachine", request);
  const shop = made.stateMachineArn;
  assert.equal(shop, `${ARNS}:stateMachine:shop`);
  assert.ok(made.creationDate instanceof Date && Math.abs(Date.now() - made.creationDate) < 60_000);
  const taken = { ...request, definition: define({ Q: { Type: "Succeed" } }) };
  const already = await refused("StateMachineAlreadyExists", "CreateStateMachine", taken);
  assert.equal(already.message, `State Machine Already Exists: '${shop}'`);
  await refused("InvalidDefinition", "CreateStateMachine", { ...request, name: "x", definition: "{" });
  const missing = `${ARNS}:stateMachine:missing`;
  const absent = await refused("StateMachineDoesNotExist", "DescribeStateMachine", { stateMachineArn: missing });
  assert.equal(absent.message, `State Machine Does Not Exist: '${missing}'`);
  const described = await ask("DescribeStateMachine", { stateMachineArn: shop });
  assert.deepEqual([described.definition, described.status, described.type], [pass, "ACTIVE", "STANDARD"]);
  const definition = define({ Q: { Type: "Succeed" } });
  const updated = await ask("UpdateStateMachine", { stateMachineArn: shop, definition, publish: true });
  assert.equal(updated.stateMachineVersionArn, `${shop}:1`);
  assert.ok(updated.updateDate instanceof Date);
  for (const name of ["tree", "twig"]) await ask("CreateStateMachine", { name, definition: pass, roleArn: ROLE });
  const pages = await all(sdk.paginateListStateMachines({ client: sfn, pageSize: 1 }, {}));
  const names = pages.flatMap((page) => page.stateMachines.map((machine) => machine.name));
  assert.deepEqual(names.sort(), ["shop", "tree", "twig"]);
  await refused("InvalidToken", "ListStateMachines", { nextToken: "nonsense" });
  await ask("DeleteStateMachine", { stateMachineArn: `${ARNS}:stateMachine:twig` });
  await until(() => ask("ListStateMachines"), (listed) => listed.stateMachines.length === 2);
  return shop;
}

async function versionsAndAliases(shop) {
  await ask("UpdateStateMachine", { stateMachineArn: shop, definition: pass });
  const second = await ask("PublishStateMachineVersion", { stateMachineArn: shop, description: "the second" });
  assert.equal(second.stateMachineVersionArn, `${shop}:2`);
  const listed = await ask("ListStateMachineVersions", { stateMachineArn: shop });
  assert.deepEqual(listed.stateMachineVersions.map((version) => version.stateMachineVersionArn), [`${shop}:2`, `${shop}:1`]);
  const routed = (...weights) =>
    weights.map((weight, at) => ({ stateMachineVersionArn: `${shop}:${at + 1}`, weight }));
  const alias = await ask("CreateStateMachineAlias", { name: "live", routingConfiguration: routed(100) });
  const stateMachineAliasArn = alias.stateMachineAliasArn;
  assert.equal(stateMachineAliasArn, `${shop}:live`);
  await ask("UpdateStateMachineAlias", { stateMachineAliasArn, routingConfiguration: routed(25, 75) });
  const described = await ask("DescribeStateMachineAlias", { stateMachineAliasArn });
  assert.deepEqual(described.routingConfiguration, routed(25, 75));
  const aliases = await ask("ListStateMachineAliases", { stateMachineArn: shop });
  assert.deepEqual(aliases.stateMachineAliases.map((each) => each.stateMachineAliasArn), [stateMachineAliasArn]);
  await refused("ConflictException", "DeleteStateMachineVersion", { stateMachineVersionArn: `${shop}:2` });
  await ask("DeleteStateMachineAlias", { stateMachineAliasArn });
  await refused("ResourceNotFound", "DescribeStateMachineAlias", { stateMachineAliasArn });
  await ask("DeleteStateMachineVersion", { stateMachineVersionArn: `${shop}:2` });
}

async function tags(shop) {
  await ask("TagResource", { resourceArn: shop, tags: [{ key: "stage", value: "dev" }] });
  await ask("UntagResource", { resourceArn: shop, tagKeys: ["team"] });
  assert.deepEqual((await ask("ListTagsForResource", { resourceArn: shop })).tags, [{ key: "stage", value: "dev" }]);
  await refused("ResourceNotFound", "ListTagsForResource", { resourceArn: `${ARNS}:stateMachine:missing` });
}

async function executions() {
  const definition = define({
    C: { Type: "Choice", Choices: [{ Variable: "$.fail", BooleanEquals: true, Next: "F" }], Default: "W" },
    F: { Type: "Fail", Error: "Broken", Cause: "it was asked for" },
    W: { Type: "Wait", SecondsPath: "$.seconds", End: true },
  });
  const { stateMachineArn } = await ask("CreateStateMachine", { name: "runs", definition, roleArn: ROLE });
  const start = async (name, input) =>
    (await ask("StartExecution", { stateMachineArn, name, input: JSON.stringify(input) })).executionArn;
  const good = await start("good", { fail: false, seconds: 0, name: "Zoë \u{1f600}" });
  const described = await ended(good, "SUCCEEDED");
  assert.deepEqual(JSON.parse(described.output), { fail: false, seconds: 0, name: "Zoë \u{1f600}" });
  assert.ok(described.stopDate >= described.startDate && described.stopDate instanceof Date);
  const again = await refused("ExecutionAlreadyExists", "StartExecution", { stateMachineArn, name: "good", input: "{}" });
  assert.equal(again.message, `Execution Already Exists: '${good}'`);
  await refused("InvalidExecutionInput", "StartExecution", { stateMachineArn, input: "{" });
  const slow = await start("slow", { fail: false, seconds: 600 });
  const { stopDate } = await ask("StopExecution", { executionArn: slow, error: "Enough", cause: "it is late" });
  const stopped = await ended(slow, "ABORTED");
  assert.deepEqual([stopped.error, stopped.cause, stopped.stopDate], ["Enough", "it is late", stopDate]);
  const bad = await start("bad", { fail: true });
  assert.equal((await ended(bad, "FAILED")).redriveStatus, "REDRIVABLE");
  assert.ok((await ask("RedriveExecution", { executionArn: bad })).redriveDate instanceof Date);
  assert.equal((await ended(bad, "FAILED")).redriveCount, 1);
  await refused("ExecutionNotRedrivable", "RedriveExecution", { executionArn: good });
  await refused("ExecutionDoesNotExist", "StopExecution", { executionArn: `${ARNS}:execution:runs:missing` });
  const pages = await all(sdk.paginateListExecutions({ client: sfn, pageSize: 2 }, { stateMachineArn }));
  assert.deepEqual(pages.map((page) => page.executions.map((each) => each.name)), [["bad", "slow"], ["good"]]);
  const history = async (reverseOrder) => {
    const request = { executionArn: good, reverseOrder };
    const found = await all(sdk.paginateGetExecutionHistory({ client: sfn, pageSize: 3 }, request));
    return found.flatMap((page) => page.events);
  };
  const [forwards, backwards] = [await history(false), await history(true)];
  assert.deepEqual(forwards, backwards.reverse());
  assert.deepEqual(forwards.map((event) => event.id), forwards.map((_, at) => at + 1));
  assert.equal(forwards.at(-1).type, "ExecutionSucceeded");
  assert.ok(forwards[0].timestamp instanceof Date && forwards[0].executionStartedEventDetails.roleArn === ROLE);
  const of = await ask("DescribeStateMachineForExecution", { executionArn: bad });
  assert.deepEqual([of.stateMachineArn, of.definition], [stateMachineArn, definition]);
}

async function work(activityArn) {
  const mine = client();
  for (;;) {
    const task = await ask("GetActivityTask", { activityArn, workerName: "worker-1" }, mine);
    const { taskToken } = task;
    const what = JSON.parse(task.input).do;
    if (what !== "end") await ask("SendTaskHeartbeat", { taskToken }, mine);
    if (what === "fail") {
      await ask("SendTaskFailure", { taskToken, error: "Worker.Gone", cause: "it left" }, mine);
      continue;
    }
    await ask("SendTaskSuccess", { taskToken, output: '{"did":true}' }, mine);
    await refused("TaskTimedOut", "SendTaskSuccess", { taskToken, output: "{}" }, mine);
    if (what === "end") return;
  }
}

async function activitiesAndCallbacks() {
  const { activityArn } = await ask("CreateActivity", { name: "by-hand" });
  assert.equal(activityArn, `${ARNS}:activity:by-hand`);
  assert.equal((await ask("DescribeActivity", { activityArn })).name, "by-hand");
  await ask("CreateActivity", { name: "second" });
  const pages = await all(sdk.paginateListActivities({ client: sfn, pageSize: 1 }, {}));
  const names = pages.flatMap((page) => page.activities.map((each) => each.name));
  assert.deepEqual(names.sort(), ["by-hand", "second"]);
  const second = { activityArn: `${ARNS}:activity:second` };
  await ask("DeleteActivity", second);
  await refused("ActivityDoesNotExist", "DescribeActivity", second);
  const definition = define({ T: { Type: "Task", Resource: activityArn, HeartbeatSeconds: 30, End: true } });
  const { stateMachineArn } = await ask("CreateStateMachine", { name: "by-hand", definition, roleArn: ROLE });
  const start = async (what) =>
    (await ask("StartExecution", { stateMachineArn, input: JSON.stringify({ do: what }) })).executionArn;
  const working = work(activityArn);
  assert.equal((await ended(await start("succeed"), "SUCCEEDED")).output, '{"did":true}');
  const failed = await ended(await start("fail"), "FAILED");
  assert.deepEqual([failed.error, failed.cause], ["Worker.Gone", "it left"]);
  await ended(await start("end"), "SUCCEEDED");
  await working;
  await refused("InvalidToken", "SendTaskHeartbeat", { taskToken: "nonsense" });
}

async function mapRuns() {
  const wait = { W: { Type: "Wait", Seconds: 2, End: true } };
  const ItemProcessor = {
    ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" },
    StartAt: "W",
    States: wait,
  };
  const definition = define({ M: { Type: "Map", Label: "L", MaxConcurrency: 1, ItemProcessor, End: true } });
  const { stateMachineArn } = await ask("CreateStateMachine", { name: "many", definition, roleArn: ROLE });
  const { executionArn } = await ask("StartExecution", { stateMachineArn, input: "[1,2,3]" });
  const listed = () => all(sdk.paginateListMapRuns({ client: sfn }, { executionArn }));
  const found = await until(listed, (pages) => pages[0].mapRuns.length === 1);
  const { mapRunArn } = found[0].mapRuns[0];
  assert.ok(mapRunArn.startsWith(`${ARNS}:mapRun:many/L:`), mapRunArn);
  const describe = () => ask("DescribeMapRun", { mapRunArn });
  const running = await until(describe, (run) => run.itemCounts.running === 1);
  assert.deepEqual([running.status, running.maxConcurrency, running.itemCounts.total], ["RUNNING", 1, 3]);
  await ask("UpdateMapRun", { mapRunArn, maxConcurrency: 3, toleratedFailurePercentage: 12.5, toleratedFailureCount: 2 });
  const changed = await describe();
  assert.deepEqual(
    [changed.maxConcurrency, changed.toleratedFailurePercentage, changed.toleratedFailureCount],
    [3, 12.5, 2],
  );
  await ended(executionArn, "SUCCEEDED");
  assert.equal((await describe()).itemCounts.succeeded, 3);
}

async function validation() {
  const bad = define({ P: { Type: "Pass", Next: "Q" } });
  const { result, diagnostics } = await ask("ValidateStateMachineDefinition", { definition: bad });
  assert.equal(result, "FAIL");
  assert.equal(diagnostics[0].severity, "ERROR");
  assert.equal((await ask("ValidateStateMachineDefinition", { definition: pass })).result, "OK");
}

async function synchronous(from) {
  const request = { name: "quick", definition: pass, roleArn: ROLE, type: "EXPRESS" };
  const { stateMachineArn } = await ask("CreateStateMachine", request, from);
  const answer = await ask("StartSyncExecution", { stateMachineArn, name: "now", input: '{"a":1}' }, from);
  assert.deepEqual([answer.status, answer.output], ["SUCCEEDED", '{"a":1}']);
  assert.ok(answer.executionArn.startsWith(`${ARNS}:express:quick:now:`), answer.executionArn);
  assert.ok(answer.billingDetails.billedDurationInMilliseconds >= 0);
  const definition = '{"Type":"Pass","InputPath":"$.a","Next":"Q"}';
  const tested = await ask("TestState", { definition, input: '{"a":1}', inspectionLevel: "INFO" }, from);
  assert.deepEqual([tested.status, tested.nextState, tested.output], ["SUCCEEDED", "Q", "1"]);
  await refused("InvalidDefinition", "TestState", { definition: "{" }, from);
}

/** The two ways to reach what the SDK calls at `sync-` and the endpoint's host, and what is seen without them. */
async function hostPrefix() {
  await synchronous(client({ disableHostPrefix: true }));
  const prefixed = `sync-${new URL(ENDPOINT).hostname}`;
  const isKnown = await dns.promises.lookup(prefixed).then(() => true, () => false);
  if (!isKnown) {
    const failed = ask("TestState", { definition: '{"Type":"Pass","End":true}' });
    await assert.rejects(failed, (fault) => ["ENOTFOUND", "EAI_AGAIN"].includes(fault.code) && fault.hostname === prefixed);
  }
  // The same as a line `127.0.0.1 sync-localhost` of the hosts file.
  const lookup = (host, options, done) => dns.lookup(host === prefixed ? "127.0.0.1" : host, options, done);
  await synchronous(client({ requestHandler: { httpAgent: new http.Agent({ lookup }) } }));
}

console.log("@aws-sdk/client-sfn", version);
const late = setTimeout(() => assert.fail("an answer never came"), 120_000);
const shop = await stateMachines();
await versionsAndAliases(shop);
await tags(shop);
await executions();
await activitiesAndCallbacks();
await mapRuns();
await validation();
await hostPrefix();
clearTimeout(late);
for (const action of [...called].sort()) console.log("called", action);
