"""The one thread in which the model is loaded and asked, one request at a time."""

import queue
import threading
import traceback
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooSlow

from . import Refusal


class Worker:
    """Loads the model once, then asks it; what waits is bounded."""

    def __init__(self, load, waiting):
        self.model = None
        self.failure = None
        self._load = load
        self._jobs = queue.Queue(maxsize=waiting)

    def start(self, on_failure):
        """Begins to load; `on_failure` is called if that fails, with `failure` set."""
        thread = threading.Thread(target=self._run, args=(on_failure,), name="model", daemon=True)
        thread.start()

    def predict(self, inputs, parameters, patience):
        """What the model gives, after at most `patience` seconds."""
        job = (Future(), inputs, parameters)
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            reason = "the model is busy, and the queue before it is full"
            raise Refusal(429, reason) from None
        try:
            return job[0].result(timeout=max(patience, 0))
        except TooSlow:
            # What has not begun never does.
            job[0].cancel()
            raise Refusal(504, "the model took longer than a request may") from None

    def _run(self, on_failure):
        try:
            self.model = self._load()
        # A model that calls `sys.exit` is not loaded either.
        except BaseException as error:
            self.failure = error
            on_failure()
            return
        while True:
            future, inputs, parameters = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self.model.predict(inputs, parameters))
            except Refusal as refusal:
                future.set_exception(refusal)
            except ValueError as error:
                future.set_exception(Refusal(400, f"the model refuses the request: {error}"))
            except BaseException as error:
                traceback.print_exc()
                reason = f"the model failed: {type(error).__name__}: {error}"
                future.set_exception(Refusal(500, reason))
