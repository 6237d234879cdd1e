"""Runs a module as `python -m` does, and ends with whoever holds our standard input.

`python until_parent.py MODULE ARGUMENT…`
"""

import os
import runpy
import sys
import threading


def watch():
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=watch, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
