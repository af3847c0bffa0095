"""The floor of what a server built on FastAPI can do: one that says it is healthy, and nothing else.

Its options are those of the terminal server.
"""

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    """Say so."""
    return {"status": "ok"}


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="asyncio", http="httptools", access_log=False
    )
