"""The server as it is, but for one thing: it may fetch from 127.0.0.1, and from there only.

Run as a program, with the arguments of the real one.
"""

import os
import sys

from terminal_server import server
from terminal_server.app import create_app
from terminal_server.auth import load_keys
from terminal_server.settings import from_environment

if __name__ == "__main__":
    _, _, _, host, _, port = sys.argv
    settings = from_environment(
        os.environ, {"host": host, "port": port, "api_key": os.environ["OPEN_TERMINAL_API_KEY"]}
    )
    app = create_app(
        settings,
        keys=load_keys(settings)[0],
        variables={},
        may_connect=lambda address: address == "127.0.0.1",
    )
    server.serve(settings, app)
