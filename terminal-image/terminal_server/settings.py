"""Every setting of the server, in one model. `docs/api.md` has the same table, and a test compares them."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from terminal_server.listening import DEFAULT_HOST, DEFAULT_PORT

PREFIX = "TERMINAL_SERVER_"
ALIASES = {"api_key_file": "OPEN_TERMINAL_API_KEY_FILE"}
_GIBIBYTE = 1024**3


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be like https://host/path")
    return value.rstrip("/")


def _home() -> Path:
    return Path(os.environ.get("HOME") or pwd.getpwuid(os.getuid()).pw_dir)


def _shell() -> str:
    return "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"


class Settings(BaseModel):
    """What can be set, by `TERMINAL_SERVER_` and the field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default=DEFAULT_HOST, description="Address to listen on.")
    port: int = Field(default=DEFAULT_PORT, ge=1, le=65535, description="Port to listen on.")
    api_key: SecretStr | None = Field(
        default=None, description="The key clients must send. `OPEN_TERMINAL_API_KEY` is understood too."
    )
    api_key_file: Path | None = Field(
        default=None,
        description="A file with the key; commands can read it too. `OPEN_TERMINAL_API_KEY_FILE` is understood too.",
    )
    api_key_sha256_file: Path | None = Field(
        default=None,
        description="A file with the key's SHA-256 in hexadecimal: worth nothing to who reads it.",
    )
    public_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        default=None,
        description="Base of every link handed out; its path is stripped from requests. "
        "Default `http://localhost:PORT`.",
    )
    home: Path = Field(
        default_factory=_home,
        description="Where commands start and relative paths begin. Default: the user's home.",
    )
    shell: str = Field(
        default_factory=_shell, description="Runs the commands. Default `/bin/bash`, else `/bin/sh`."
    )
    data_dir: Path | None = Field(
        default=None, description="Where large output waits on disk. Default `HOME/.cache/terminal-server`."
    )
    output_limit_bytes: int = Field(
        default=_GIBIBYTE,
        ge=0,
        description="Output kept per command; the rest is counted, and the answer says so.",
    )
    command_limit_bytes: int = Field(default=16 * 1024**2, ge=1, description="Size of a body of `/execute`.")
    kill_grace_seconds: float = Field(default=1.0, ge=0, description="Time between SIGTERM and SIGKILL.")
    cors_origins: Annotated[tuple[str, ...], BeforeValidator(_split)] = Field(
        default=(), description="Browser origins that may call, separated by commas. None by default."
    )
    fetch_limit_bytes: int = Field(default=_GIBIBYTE, ge=1, description="Size of a file fetched by `url=`.")
    fetch_timeout_seconds: float = Field(default=300, gt=0, description="Time for a file fetched by `url=`.")

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def path_prefix(self) -> str:
        """The path of the public URL: empty, or like `/t/namespace/name`."""
        return urlsplit(self.base_url).path

    @property
    def spill_dir(self) -> Path:
        """The folder for output that does not fit in memory."""
        return self.data_dir or self.home / ".cache" / "terminal-server"


def from_environment(environment: Mapping[str, str], given: Mapping[str, object]) -> Settings:
    """Return the settings of `environment`, overridden by those `given`; an empty variable is none.

    Raises:
        pydantic.ValidationError: a value is wrong.
    """
    values: dict[str, object] = {}
    for name in Settings.model_fields:
        value = environment.get(PREFIX + name.upper()) or environment.get(ALIASES.get(name, ""))
        if value:
            values[name] = value
    return Settings.model_validate({**values, **given})


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like a setting and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)
