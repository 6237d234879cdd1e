"""HTTP: the protocol's paths for one model, bounds for whatever a client could choose, and the end.

```text
GET  /v2                                    what serves
GET  /v2/health/live                        200 as soon as it listens
GET  /v2/health/ready                       200 once the model is loaded, 503 before and at the end
GET  /v2/models/NAME[/versions/V]           the model's inputs and outputs
GET  /v2/models/NAME[/versions/V]/ready     as /v2/health/ready
POST /v2/models/NAME[/versions/V]/infer     a prediction
```
"""

import json
import socket
import socketserver
import sys
import threading
import time
import traceback
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import Refusal, protocol

Limits = namedtuple("Limits", "body_bytes request silence")

# More connections wait in the operating system's queue.
MAX_CONNECTIONS = 256
# How many bodies of the largest size may be held at once, whoever sends them.
LARGEST_BODIES = 8
# What is read of a body at a time.
PART_BYTES = 256 * 1024
HEADER_LENGTH = "Inference-Header-Content-Length"


class Server(ThreadingHTTPServer):
    """A thread a connection; the model is asked in its worker's thread alone."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address, worker, called, program_version, limits):
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.worker = worker
        self.called = called
        self.limits = limits
        self.program_version = program_version
        self.is_draining = False
        self._connections = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._changed = threading.Condition()
        self._active = 0
        self._room = LARGEST_BODIES * limits.body_bytes
        super().__init__(address, Handler)

    def server_bind(self):
        # Without the look-up of the host's name that `HTTPServer` makes.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def announce(self):
        """Tells whoever started us where we listen: the first line on standard output."""
        host, port = self.server_address[:2]
        host = f"[{host}]" if ":" in host else host
        print(json.dumps({"listening": f"{host}:{port}"}, separators=(",", ":")), flush=True)

    def drain(self, patience):
        """Takes nothing new, and waits until what is here is answered."""
        self.is_draining = True
        self.shutdown()
        self.server_close()
        with self._changed:
            if not self._changed.wait_for(lambda: self._active == 0, timeout=patience):
                print("requests that took too long were cut off", file=sys.stderr)

    def process_request(self, request, client_address):
        # Whoever is to end must not wait for a connection that stays.
        while not self._connections.acquire(timeout=0.5):
            if self.is_draining:
                self.shutdown_request(request)
                return
        super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.release()

    def handle_error(self, request, client_address):
        """A connection that broke is nobody's business."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handle_error(request, client_address)

    def begin(self):
        with self._changed:
            self._active += 1

    def end(self):
        with self._changed:
            self._active -= 1
            self._changed.notify_all()

    def take_room(self, size):
        with self._changed:
            if size > self._room:
                raise Refusal(429, "the requests that are here leave no room for this one")
            self._room -= size

    def give_room(self, size):
        with self._changed:
            self._room += size


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Answers go out whole.
    wbufsize = -1

    def setup(self):
        self.timeout = self.server.limits.silence
        super().setup()

    def log_message(self, format, *arguments):
        """Who asks is told by the gateway's log."""

    def version_string(self):
        return "modelyard"

    def send_error(self, code, message=None, explain=None):
        """What the base class refuses by itself, as the protocol has it."""
        self.close_connection = True
        self.tell(code, {"error": message or "the request can't be understood"})

    def handle_request(self):
        self.server.begin()
        self.deadline = time.monotonic() + self.server.limits.request
        self.is_read = "Content-Length" not in self.headers and "Transfer-Encoding" not in self.headers
        try:
            self.answer()
        except Refusal as refusal:
            headers = {"Retry-After": "1"} if refusal.status in (429, 503) else {}
            if refusal.status == 405:
                headers["Allow"] = "POST" if self.path.rstrip("/").endswith("/infer") else "GET"
            self.tell(refusal.status, {"error": refusal.reason}, headers)
        except OSError:
            # The connection broke.
            raise
        except Exception as error:
            traceback.print_exc()
            self.tell(500, {"error": f"the runtime failed: {type(error).__name__}: {error}"})
        finally:
            self.wfile.flush()
            self.server.end()

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = handle_request

    def answer(self):
        asked = self.asked()
        method = "POST" if asked == "infer" else "GET"
        if self.command != method:
            raise Refusal(405, f"only {method} is answered here")
        if asked == "server":
            server = {"name": "modelyard-python", "version": self.server.program_version}
            self.tell(200, dict(server, extensions=["binary_tensor_data"]))
        elif asked == "live":
            self.send(200, b"", {})
        elif asked == "ready":
            self.model()
            self.send(200, b"", {})
        elif asked == "metadata":
            self.tell(200, self.metadata())
        else:
            self.infer()

    def asked(self):
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts == ["v2"]:
            return "server"
        if parts in (["v2", "health", "live"], ["v2", "health", "ready"]):
            return parts[2]
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise Refusal(404, "there is nothing here")
        name, version = self.server.called
        if parts[2] != name:
            raise Refusal(404, f"no model of this name is served here, but `{name}`")
        rest = parts[3:]
        if len(rest) >= 2 and rest[0] == "versions":
            if rest[1] != version:
                own = "one that is not told" if version is None else f"`{version}`"
                raise Refusal(404, f"no such version of `{name}` is served here, but {own}")
            rest = rest[2:]
        if not rest:
            return "metadata"
        if len(rest) == 1 and rest[0] in ("ready", "infer"):
            return rest[0]
        raise Refusal(404, "there is nothing here")

    def model(self):
        """The model, unless it is too early or too late for it."""
        if self.server.is_draining:
            raise Refusal(503, "it is about to end, and takes no more requests")
        model = self.server.worker.model
        if model is None:
            raise Refusal(503, "the model is still being loaded")
        return model

    def metadata(self):
        model = self.server.worker.model
        if model is None:
            raise Refusal(503, "the model is still being loaded")
        name, version = self.server.called
        told = {"name": name}
        if version is not None:
            told["versions"] = [version]
        return dict(told, platform=model.platform, inputs=list(model.inputs), outputs=list(model.outputs))

    def infer(self):
        model = self.model()
        length = self.headers.get(HEADER_LENGTH)
        if length is not None and not is_number(length):
            raise Refusal(400, f"`{HEADER_LENGTH.lower()}` is not a number of bytes")
        size = self.announced()
        self.server.take_room(size)
        try:
            body = self.body(size)
            request = protocol.parse(body, None if length is None else int(length))
            fit(request, model)
            patience = self.deadline - time.monotonic()
            outputs = self.server.worker.predict(request.inputs, request.parameters, patience)
            body, header_length = protocol.answer(request, self.server.called, outputs)
        finally:
            self.server.give_room(size)
        headers = {"Content-Type": "application/json"}
        if header_length is not None:
            headers = {"Content-Type": "application/octet-stream", HEADER_LENGTH: str(header_length)}
        self.send(200, body, headers)

    def is_chunked(self):
        return self.headers.get("Transfer-Encoding", "").strip().lower() == "chunked"

    def announced(self):
        """How long the body may be at most: as it is announced, or as any may be."""
        limit = self.server.limits.body_bytes
        if self.is_chunked():
            return limit
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not is_number(length):
            raise Refusal(400, "how long the body is can't be understood")
        if int(length) > limit:
            raise self.too_large()
        return int(length)

    def too_large(self):
        return Refusal(413, f"the body is larger than {self.server.limits.body_bytes} bytes")

    def body(self, size):
        body = bytearray()
        if not self.is_chunked():
            self.take(body, size)
        else:
            while True:
                line = self.rfile.readline(64).split(b";")[0].strip()
                try:
                    part = int(line, 16)
                except ValueError:
                    raise Refusal(400, "the body's chunks can't be understood") from None
                if part < 0 or part > size - len(body):
                    raise self.too_large()
                if part == 0:
                    while self.rfile.readline(1024).strip():
                        pass
                    break
                self.take(body, part)
                self.rfile.readline(2)
        self.is_read = True
        return body

    def take(self, body, size):
        while size > 0:
            if time.monotonic() > self.deadline:
                raise Refusal(408, "the body came too slowly")
            try:
                part = self.rfile.read1(min(size, PART_BYTES))
            except (TimeoutError, socket.timeout):
                raise Refusal(408, "nothing more of the body came") from None
            if not part:
                raise Refusal(400, "the body ended before its announced length")
            body += part
            size -= len(part)

    def tell(self, status, value, headers=None):
        body = json.dumps(value).encode("utf-8")
        self.send(status, body, dict({"Content-Type": "application/json"}, **(headers or {})))

    def send(self, status, body, headers):
        if self.server.is_draining or not getattr(self, "is_read", True):
            # What nobody read of the request would be taken for the next one.
            self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(body)


def is_number(text):
    return text.isascii() and text.isdigit()


def fit(request, model):
    """Holds a request against the inputs that the model tells of; one that tells of none takes any."""
    if not model.inputs or getattr(model, "fits_itself", False):
        return
    wrong = []
    known = {tensor["name"]: tensor for tensor in model.inputs}
    for name in request.inputs:
        wanted = known.get(name)
        if wanted is None:
            wrong.append(f"it has no input `{name}`, but {', '.join(known)}")
            continue
        if request.datatypes[name] != wanted["datatype"]:
            wrong.append(f"input `{name}` is {request.datatypes[name]}, and has to be {wanted['datatype']}")
        found = request.shapes[name]
        sizes = zip(found, wanted["shape"])
        if len(found) != len(wanted["shape"]) or any(want not in (-1, size) for size, want in sizes):
            wrong.append(f"input `{name}` has the shape {found}, and has to have {wanted['shape']}")
    for name, wanted in known.items():
        if name not in request.inputs:
            wrong.append(f"input `{name}` is missing: {wanted['datatype']} of shape {wanted['shape']}")
    if wrong:
        raise Refusal(400, f"the request is not what the model takes: {'; '.join(wrong)}")
