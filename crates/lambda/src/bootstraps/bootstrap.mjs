// Reads events from the Lambda Runtime API and gives them to a function's code: CommonJS or ES modules, async or with a
// callback. Knows no package but Node's own.

import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const root = process.env.LAMBDA_TASK_ROOT;
// Where traces say that the code is: where it would be on Lambda, for code that was uploaded.
const shownRoot = process.env.STEPWELL_SHOWN_ROOT ?? root;
delete process.env.STEPWELL_SHOWN_ROOT;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

class Fault extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
    this.isFault = true;
  }
}

function ask(method, what, body, headers = {}) {
  return new Promise((resolve, reject) => {
    if (body !== undefined) headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body), ...headers };
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${what}`, headers }, (answer) => {
      const pieces = [];
      answer.on("data", (piece) => pieces.push(piece));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces).toString() }));
    });
    request.setNoDelay(true);
    // The server is gone, and with it everybody who could want an answer.
    request.on("error", () => process.exit(0));
    request.end(body);
  });
}

// An error as Lambda tells of it. What was thrown need not be an Error.
function documentOf(error) {
  if (error instanceof Error || (error && typeof error === "object" && "message" in error && "stack" in error)) {
    const trace = String(error.stack ?? "").replaceAll(root, shownRoot).split("\n");
    return { errorType: String(error.name ?? "Error"), errorMessage: String(error.message ?? ""), trace };
  }
  return { errorType: typeof error, errorMessage: typeof error === "string" ? error : format("%s", error), trace: [] };
}

let requestId = "undefined";

function patchConsole() {
  for (const [name, level] of [["debug", "DEBUG"], ["error", "ERROR"], ["info", "INFO"], ["log", "INFO"], ["trace", "TRACE"], ["warn", "WARN"]]) {
    console[name] = (...parts) => {
      const line = format(...parts).replaceAll("\n", "\r");
      process.stdout.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${line}\n`);
    };
  }
}

// Whether a .js file is an ES module: the nearest package.json says so.
function isModule(file) {
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    const about = path.join(directory, "package.json");
    if (existsSync(about)) return JSON.parse(readFileSync(about, "utf8")).type === "module";
    if (directory === path.dirname(directory)) return false;
  }
}

async function load(name) {
  const base = path.resolve(root, name);
  const file = ["", ".js", ".mjs", ".cjs"].map((end) => base + end).find((candidate) => existsSync(candidate));
  const required = createRequire(path.join(root, "bootstrap.js"));
  try {
    if (file && (file.endsWith(".mjs") || (file.endsWith(".js") && isModule(file)))) return await import(pathToFileURL(file).href);
    return required(file ?? base);
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(new Fault("Runtime.UserCodeSyntaxError", String(error)), { stack: error.stack });
    const unfound = ["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code);
    if (unfound) throw new Fault("Runtime.ImportModuleError", String(error).replace(`'${base}'`, `'${name}'`));
    throw error;
  }
}

// `directory/file.name.name` -> the function it means.
async function findFunction(entry) {
  const directory = path.dirname(entry);
  const match = /^([^.]*)\.(.+)$/.exec(path.basename(entry));
  if (!match) throw new Fault("Runtime.MalformedHandlerName", "Bad handler");
  if (entry.includes("..")) throw new Fault("Runtime.MalformedHandlerName", `'${entry}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const found = await load(path.join(directory, match[1]));
  const within = (object) => match[2].split(".").reduce((part, name) => part?.[name], object);
  const called = within(found) ?? within(found.default);
  if (called === undefined || called === null) throw new Fault("Runtime.HandlerNotFound", `${entry} is undefined or not exported`);
  if (typeof called !== "function") throw new Fault("Runtime.HandlerNotFound", `${entry} is not a function`);
  return called;
}

function contextOf(headers, done) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  const given = headers["lambda-runtime-client-context"];
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: given ? JSON.parse(given) : undefined,
    identity: undefined,
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    getRemainingTimeInMillis: () => Math.max(deadline - Date.now(), 0),
    done: (error, result) => done(error, result),
    succeed: (result) => done(null, result),
    fail: (error) => done(error ?? "handled"),
  };
}

// Runs the function: a promise settles when it is settled, a callback when it is called and, where the function wants
// that, nothing is left to do.
function invoke(called, event, headers) {
  return new Promise((resolve, reject) => {
    let isDone = false;
    const settle = (error, result) => (error ? reject(error) : resolve(result));
    const context = contextOf(headers, (error, result) => finish(error, result));
    const finish = (error, result) => {
      if (isDone) return;
      isDone = true;
      process.removeListener("beforeExit", empty);
      if (context.callbackWaitsForEmptyEventLoop && !error) process.once("beforeExit", () => settle(error, result));
      else settle(error, result);
    };
    // Nothing is left to do and nobody said what came of it: the result is null.
    const empty = () => settle(null, null);
    process.once("beforeExit", empty);
    const returned = called(event, context, finish);
    if (returned && typeof returned.then === "function") {
      context.callbackWaitsForEmptyEventLoop = false;
      returned.then((result) => finish(null, result), (error) => { isDone = true; process.removeListener("beforeExit", empty); reject(error); });
    }
  });
}

function encode(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch {
    throw new Fault("Runtime.MarshalError", "Unable to stringify response body");
  }
}

function logError(what, document) {
  process.stdout.write(`${new Date().toISOString()}\t${requestId}\tERROR\t${what}\t${JSON.stringify({ ...document, stack: document.trace, trace: undefined })}\n`);
}

async function tell(what, document) {
  await ask("POST", what, JSON.stringify(document), { "Lambda-Runtime-Function-Error-Type": document.errorType.replace(/[^\w.]/g, "") });
}

// What nobody caught ends the process, after the invocation has been told of it.
async function end(errorType, error, code) {
  const document = documentOf(error);
  if (errorType) Object.assign(document, { errorType, errorMessage: String(error) });
  logError(errorType ? "Unhandled Promise Rejection" : "Uncaught Exception", document);
  await tell(requestId === "undefined" ? "init/error" : `invocation/${requestId}/error`, document);
  process.exit(code);
}

patchConsole();
process.on("uncaughtException", (error) => end(null, error, 129));
process.on("unhandledRejection", (error) => end("Runtime.UnhandledPromiseRejection", error, 128));

let called;
try {
  called = await findFunction(process.env._HANDLER);
} catch (error) {
  const document = documentOf(error);
  logError("Uncaught Exception", document);
  await tell("init/error", document);
  process.exit(1);
}
for (;;) {
  const next = await ask("GET", "invocation/next");
  if (next.status !== 200) process.exit(0);
  requestId = next.headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = next.headers["lambda-runtime-trace-id"];
  try {
    let event;
    try {
      event = JSON.parse(next.body);
    } catch (error) {
      throw new Fault("Runtime.UnmarshalError", String(error));
    }
    const body = encode(await invoke(called, event, next.headers));
    await ask("POST", `invocation/${requestId}/response`, body);
  } catch (error) {
    const document = documentOf(error);
    logError("Invoke Error", document);
    await tell(`invocation/${requestId}/error`, document);
  }
}
