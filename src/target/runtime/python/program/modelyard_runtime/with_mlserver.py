"""MLServer, which speaks the protocol itself: `python with_mlserver.py FOLDER --name NAME …`.

The folder is one of MLServer's, with one `model-settings.json`. Where it listens, what the model is
called, and that it all happens in one process is ours to say; everything else is the folder's.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
import threading

from mlserver import MLServer
from mlserver.cli.serve import load_settings

# How long it may take to answer what it has, once whoever started it is gone.
GRACE_SECONDS = 30


def free_port(host):
    """A port that nobody has, for a server that can't say itself which one it got."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def end_with_parent():
    while os.read(0, 4096):
        pass
    threading.Timer(GRACE_SECONDS, os._exit, args=(1,)).start()
    os.kill(os.getpid(), signal.SIGTERM)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true")
    options = parser.parse_args()
    port = options.port or free_port(options.host)
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(json.dumps({"listening": f"{host}:{port}"}, separators=(",", ":")), flush=True)
    if options.with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    settings, models = await load_settings(options.folder)
    if len(models) != 1:
        sys.exit(f"{options.folder} has to have one model-settings.json, and has {len(models)}")
    settings.host = options.host
    settings.http_port = port
    settings.grpc_port = free_port(options.host)
    settings.metrics_endpoint = None
    # No workers: they would be processes that outlive this one.
    settings.parallel_workers = 0
    models[0].name = options.name
    if options.version is not None and models[0].parameters is not None:
        models[0].parameters.version = options.version
    await MLServer(settings).start(models)


if __name__ == "__main__":
    asyncio.run(main())
