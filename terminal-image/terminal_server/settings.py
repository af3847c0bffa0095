"""Every setting of the server, in one model. `docs/api.md` has the same table, and a test compares them."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, DirectoryPath, Field, SecretStr

from terminal_server import open_terminal
from terminal_server.listening import DEFAULT_HOST, DEFAULT_PORT

PREFIX = "TERMINAL_SERVER_"
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


Keys = Annotated[
    tuple[SecretStr, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]
Words = Annotated[tuple[str, ...], BeforeValidator(_split)]
Flag = Annotated[bool, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]


class Settings(BaseModel):
    """What can be set, by `TERMINAL_SERVER_` and the field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default=DEFAULT_HOST, description="Address to listen on.")
    port: int = Field(default=DEFAULT_PORT, ge=1, le=65535, description="Port to listen on.")
    api_key: Keys = Field(
        default=(), description="The key clients must send. One in `OPEN_TERMINAL_API_KEY` is valid as well."
    )
    api_key_file: Path | None = Field(
        default=None,
        description="A file with keys, one a line; commands can read it too.",
    )
    api_key_sha256_file: Path | None = Field(
        default=None,
        description="A file with the SHA-256 of keys in hexadecimal, one a line: worth nothing to who reads it.",
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
    cwd: Annotated[DirectoryPath, AfterValidator(Path.absolute)] | None = Field(
        default=None,
        description="Where commands start and relative paths begin, if not at home; `HOME` and `~` stay what they are.",
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
    execute_contract: int = Field(
        default=2,
        ge=1,
        le=2,
        description="The answer of an `/execute` that does not show which one it wants: 1 as Open Terminal 0.1, "
        "2 as Open Terminal 0.14.",
    )
    execute_wait_seconds: float = Field(
        default=30,
        ge=0,
        le=open_terminal.LONGEST_WAIT_SECONDS,
        description="How long an `/execute` of contract 2 waits for the command's end if the call does not say.",
    )
    execute_description: str = Field(
        default="", description="Added to the description of `/execute` that models read."
    )
    answer_limit_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        description="Output of a command in one answer of contract 2; its head and tail are kept, the rest is in "
        "the log.",
    )
    log_dir: Path | None = Field(
        default=None, description="Where the logs of commands are. Default `DATA_DIR/commands`."
    )
    log_total_bytes: int = Field(
        default=4 * _GIBIBYTE,
        ge=0,
        description="Disk for the logs of all commands; the oldest that have ended make room. As much may be used by "
        "output that waits for clients who read slowly.",
    )
    log_retention_seconds: float = Field(
        default=7 * 86400, ge=0, description="How long the log of a command that has ended is kept."
    )
    max_commands: int = Field(
        default=1000, ge=1, description="Commands remembered; the oldest that have ended are forgotten."
    )
    session_seconds: float = Field(
        default=7 * 86400,
        ge=0,
        description="How long a session that is not used keeps its working directory.",
    )
    enable_terminal: Flag = Field(default=True, description="Whether there are interactive shells.")
    max_shells: int = Field(default=16, ge=0, description="Interactive shells at the same time.")
    shell_linger_seconds: float = Field(
        default=86400,
        ge=0,
        description="How long an interactive shell nobody is connected to, in which no job runs, is kept.",
    )
    scrollback_bytes: int = Field(
        default=256 * 1024,
        ge=1024,
        description="Output of an interactive shell that is kept for who connects later.",
    )
    term: str = Field(default="xterm-256color", description="`TERM` of interactive shells.")
    enable_notebooks: Flag = Field(
        default=True, description="Whether notebooks can be run, if Jupyter is there."
    )
    max_notebooks: int = Field(default=8, ge=0, description="Notebooks open at the same time.")
    enable_mcp: Flag = Field(default=True, description="Whether the tools are offered over MCP at `/mcp`.")
    enable_system_prompt: Flag = Field(default=True, description="Whether there is a prompt at `/system`.")
    system_prompt: str = Field(
        default="",
        description="The prompt of `/system` instead of the own one; `{{os}}`, `{{user}}` and the like are filled in.",
    )
    info: str = Field(default="", description="What users and models should know of this place, at `/info`.")
    file_browser_root: str = Field(
        default="home",
        description="Where file browsers begin: `home`, `filesystem`, or a path.",
    )
    binary_types: Words = Field(
        default=("image",), description="Types of files that are read as they are: beginnings of MIME types."
    )
    read_limit_bytes: int = Field(
        default=16 * 1024**2, ge=1, description="Size of a file that can be read as text in one answer."
    )
    search_seconds: float = Field(
        default=10,
        gt=0,
        le=300,
        description="Time for a search in or for files; what was found by then is the answer.",
    )
    upload_retention_seconds: float = Field(
        default=86400, ge=0, description="How long an upload that was broken off can be resumed."
    )
    cors_origins: Words = Field(
        default=(), description="Browser origins that may call, separated by commas. None by default."
    )
    fetch_limit_bytes: int = Field(default=_GIBIBYTE, ge=1, description="Size of a file fetched by `url=`.")
    fetch_timeout_seconds: float = Field(default=300, gt=0, description="Time for a file fetched by `url=`.")
    idle_seconds: float = Field(
        default=0, ge=0, description="End when nothing has happened for so long. 0: never."
    )
    drain_seconds: float = Field(
        default=10, ge=0, description="How long it is said not to be ready before an idle server ends."
    )
    termination_file: Path = Field(
        default=Path("/dev/termination-log"),
        description="Where the reason of an end is written, if it is there.",
    )
    stop_seconds: float = Field(
        default=10,
        gt=0,
        description="Time for requests and shells to end, and for logs to be written, when told to stop.",
    )
    metrics_port: int = Field(
        default=0, ge=0, le=65535, description="Port of Prometheus metrics at `/metrics`. 0: none."
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines are written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important log lines that are written."
    )

    @property
    def base_url(self) -> str:
        """The public URL without a slash at its end."""
        return self.public_url or f"http://localhost:{self.port}"

    @property
    def path_prefix(self) -> str:
        """The path of the public URL: empty, or like `/t/namespace/name`."""
        return urlsplit(self.base_url).path

    @property
    def start(self) -> Path:
        """Where sessions begin."""
        return self.cwd or self.home

    @property
    def spill_dir(self) -> Path:
        """The folder for output that does not fit in memory."""
        return self.data_dir or self.home / ".cache" / "terminal-server"

    @property
    def command_logs(self) -> Path:
        """The folder of the logs of commands."""
        return self.log_dir or self.spill_dir / "commands"


def from_environment(environment: Mapping[str, str], given: Mapping[str, object]) -> Settings:
    """Return the settings of `environment`, overridden by those `given`; an empty variable is none.

    Raises:
        pydantic.ValidationError: a value is wrong.
    """
    values: dict[str, object] = {}
    for name in Settings.model_fields:
        value = environment.get(PREFIX + name.upper()) or open_terminal.value_of(name, environment)
        if value not in {None, ""}:
            values[name] = value
    return Settings.model_validate({**values, **given})


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that look like a setting, ours or Open Terminal's, and are none."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | open_terminal.UNDERSTOOD
    return sorted(
        name for name in environment if name.startswith((PREFIX, open_terminal.PREFIX)) and name not in known
    )
