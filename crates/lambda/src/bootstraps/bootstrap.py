"""Reads events from the Lambda Runtime API and gives them to a function's code. Knows no package but Python's own."""

import decimal
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].rsplit(":", 1)
RUNTIME = "/2018-06-01/runtime/"
TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
# Where traces say that the code is: where it would be on Lambda, for code that was uploaded.
SHOWN_ROOT = os.environ.pop("STEPWELL_SHOWN_ROOT", TASK_ROOT)
JSON_ASCII = os.environ.get("AWS_EXECUTION_ENV", "").rsplit(".", 1)[-1] in ("8", "9", "10", "11")


class Connection:
    """One connection to the server that started this process, which answers each request with a length."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(self, method, path, body=b"", content_type="application/json"):
        head = f"{method} {RUNTIME}{path} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n"
        if method == "POST":
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)
        while b"\r\n\r\n" not in self.rest:
            self.receive()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        pieces, have = [self.rest], len(self.rest)
        while have < length:
            piece = self.socket.recv(min(1 << 20, length - have))
            if not piece:
                sys.exit(0)
            pieces.append(piece)
            have += len(piece)
        whole = b"".join(pieces)
        self.rest = whole[length:]
        return int(first.split(" ")[1]), headers, whole[:length]

    def receive(self):
        piece = self.socket.recv(65536)
        # The server is gone, and with it everybody who could want an answer.
        if not piece:
            sys.exit(0)
        self.rest += piece


class Fault(Exception):
    """What is told of as it stands, under a type of Lambda's own."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type, self.message, self.trace = error_type, message, trace or []


class Bag:
    """Something with the attributes it is given, and None for others that belong to its kind."""

    def __init__(self, names, values):
        values = values if isinstance(values, dict) else {}
        for name in names:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return f"{type(self).__name__}({vars(self)})"


CLIENT = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class LambdaContext:
    """What a function may ask about its invocation."""

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = None
        self.identity = Bag(("cognito_identity_id", "cognito_identity_pool_id"), {})
        self.client_context = None
        client_context = headers.get("lambda-runtime-client-context")
        if client_context:
            try:
                given = json.loads(client_context)
            except ValueError as error:
                raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse Client Context JSON: {error}")
            self.client_context = Bag(("custom", "env", "client"), given)
            self.client_context.client = Bag(CLIENT, self.client_context.client)
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        return f"LambdaContext({vars(self)})"


def plain(value):
    if isinstance(value, decimal.Decimal):
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def encode(value):
    # Surrogates without a partner are no UTF-8; they stay what they are as an escape.
    text = json.dumps(value, default=plain, ensure_ascii=JSON_ASCII)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, default=plain).encode()


def find_function(entry):
    try:
        module_name, name = entry.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{entry}': {error}")
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        trace = [f'  File "{shown(error.filename or "")}" Line {error.lineno}\n    {error.text}']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace)
    try:
        return getattr(module, name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{name}' missing on module '{module_name}'")


def shown(path):
    return path.replace(TASK_ROOT, SHOWN_ROOT, 1) if path.startswith(TASK_ROOT) else path


def document_of(error, request_id=""):
    """An exception as Lambda tells of it: frames of the function's code, none of this file."""
    if isinstance(error, Fault):
        message, error_type, trace = error.message, error.error_type, error.trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [number for number, frame in enumerate(frames) if frame.filename != __file__]
        # Without the columns that newer Pythons mark, as Lambda has it.
        frames = [(shown(frame.filename), frame.lineno, frame.name, frame.line) for frame in frames[own[0]:]] if own else []
        message, error_type, trace = str(error), type(error).__name__, traceback.format_list(frames)
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def log_error(document):
    lines = [f"[ERROR] {document['errorType']}: {document['errorMessage']}", "Traceback (most recent call last):"]
    for frame in document["stackTrace"]:
        lines.extend(frame.splitlines())
    sys.stdout.write("\r".join(lines) + "\n")


class Lines(logging.Handler):
    """The root logger's way out, each line with the request it belongs to."""

    request_id = ""

    def emit(self, record):
        record.aws_request_id = Lines.request_id
        sys.stdout.write(self.format(record))


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    way_out = Lines()
    line = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    way_out.setFormatter(logging.Formatter(line, "%Y-%m-%dT%H:%M:%S"))
    logging.getLogger().addHandler(way_out)


def run():
    # The function's directory takes the place of this file's.
    sys.path[0] = TASK_ROOT
    connection = Connection()
    set_up_logging()
    try:
        function = find_function(os.environ["_HANDLER"])
    except Exception as error:
        document = document_of(error)
        log_error(document)
        connection.ask("POST", "init/error", encode(document))
        sys.exit(1)
    while True:
        status, headers, body = connection.ask("GET", "invocation/next")
        if status != 200:
            sys.exit(0)
        request_id = headers["lambda-runtime-aws-request-id"]
        Lines.request_id = request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        path, answer, content_type = f"invocation/{request_id}/response", None, "application/json"
        try:
            context = LambdaContext(headers)
            try:
                event = json.loads(body)
            except ValueError as error:
                raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}")
            result = function(event, context)
            if isinstance(result, bytes):
                answer, content_type = result, "application/unknown"
            else:
                try:
                    answer = encode(result)
                except Exception as error:
                    raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}")
        except Exception as error:
            document = document_of(error, request_id)
            log_error(document)
            path, answer = f"invocation/{request_id}/error", encode(document)
        sys.stdout.flush()
        connection.ask("POST", path, answer, content_type)


if __name__ == "__main__":
    # Code may ask for `__main__`, and must find nothing of this file there but the module.
    sys.modules.setdefault("bootstrap", sys.modules["__main__"])
    run()
