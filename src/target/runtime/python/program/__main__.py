"""Serves one model by the Open Inference Protocol: `python PROGRAM FOLDER --name NAME …`.

It needs the standard library alone, of Python 3.9 or newer; what the model needs is the model's.
"""

import argparse
import os
import signal
import sys
import threading
import traceback
from functools import partial

from modelyard_runtime.server import Limits, Server
from modelyard_runtime.worker import Worker


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--waiting", type=int, required=True)
    parser.add_argument("--max-body-bytes", type=int, required=True)
    parser.add_argument("--request-timeout", type=float, required=True)
    parser.add_argument("--silence-timeout", type=float, required=True)
    parser.add_argument("--drain-timeout", type=float, required=True)
    parser.add_argument("--with-parent", action="store_true")
    parser.add_argument("--program-version", required=True)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--entrypoint")
    kind.add_argument("--onnx")
    kind.add_argument("--mlflow", action="store_true")
    parser.add_argument("--function")
    return parser.parse_args()


def loader(options):
    """What makes the model, once; it runs in the thread that predicts."""
    if options.entrypoint is not None:
        from modelyard_runtime.entrypoint import Entrypoint

        return partial(Entrypoint, options.folder, options.entrypoint, options.function)
    if options.onnx is not None:
        from modelyard_runtime.with_onnxruntime import OnnxModel

        return partial(OnnxModel, options.onnx)
    from modelyard_runtime.with_mlflow import MlflowModel

    return partial(MlflowModel, options.folder)


class Stop:
    """The word to end, which a signal may say while any thread runs."""

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(self):
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        # The number of each signal is written there by whichever thread gets it.
        signal.set_wakeup_fd(self._write)
        for told in self.SIGNALS:
            signal.signal(told, lambda *_: None)

    def set(self):
        os.write(self._write, b"\0")

    def wait(self):
        while os.read(self._read, 1)[0] not in (0, *self.SIGNALS):
            pass


def end_with_parent(stop):
    """Ends when nobody can say anything more on standard input."""
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


def main():
    options = arguments()
    stop = Stop()
    limits = Limits(
        body_bytes=options.max_body_bytes,
        request=options.request_timeout,
        silence=options.silence_timeout,
    )
    worker = Worker(loader(options), options.waiting)
    called = (options.name, options.version)
    try:
        server = Server((options.host, options.port), worker, called, options.program_version, limits)
    except OSError as error:
        print(f"can't listen at {options.host}:{options.port}: {error}", file=sys.stderr)
        return 2
    server.announce()
    threading.Thread(target=server.serve_forever, name="accept", daemon=True).start()
    worker.start(on_failure=stop.set)
    if options.with_parent:
        threading.Thread(target=end_with_parent, args=(stop,), daemon=True).start()
    stop.wait()
    if worker.failure is not None:
        traceback.print_exception(worker.failure)
        print(f"the model can't be loaded: {worker.failure}", file=sys.stderr)
        return 2
    server.drain(options.drain_timeout)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads that still compute are of no use to anybody, and must not keep the process.
    os._exit(status)
