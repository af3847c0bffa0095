"""What was set for Open Terminal, so that who changes over has nothing to write anew, and loses nothing unseen."""

import contextlib
import logging
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

PREFIX = "OPEN_TERMINAL_"
ALIASES = {
    "api_key_file": "API_KEY_FILE",
    "cors_origins": "CORS_ALLOWED_ORIGINS",
    "log_dir": "LOG_DIR",
    "output_limit_bytes": "MAX_LOG_SIZE",
    "log_retention_seconds": "LOG_RETENTION",
    "execute_wait_seconds": "EXECUTE_TIMEOUT",
    "execute_description": "EXECUTE_DESCRIPTION",
    "max_shells": "MAX_SESSIONS",
    "enable_terminal": "ENABLE_TERMINAL",
    "enable_notebooks": "ENABLE_NOTEBOOKS",
    "enable_system_prompt": "ENABLE_SYSTEM_PROMPT",
    "system_prompt": "SYSTEM_PROMPT",
    "info": "INFO",
    "term": "TERM",
    "file_browser_root": "FILE_BROWSER_ROOT",
    "binary_types": "BINARY_MIME_PREFIXES",
    "session_seconds": "SESSION_CWD_TTL",
}
"""Its settings that are ours too, by our names for them."""
OPTIONS = {"cors_origins": ["--cors-allowed-origins"]}
"""Its options that ours are not called like."""
LONGEST_WAIT_SECONDS = 300
UNDERSTOOD = {PREFIX + name for name in (*ALIASES.values(), "API_KEY", "MULTI_USER")}
_MULTI_USER = PREFIX + "MULTI_USER"
_NO = {"false", "0", "no"}


class SharedError(Exception):
    """One server is to serve several users apart from each other, which only several servers do."""


def check_not_shared(environment: Mapping[str, str]) -> None:
    """Raise if Open Terminal would make a system user for each user of a server that is set up like this.

    Raises:
        SharedError: it would. Without those all would share one home, and each could read the others' files.
    """
    if _is_on(environment.get(_MULTI_USER) or "no"):
        raise SharedError(
            f"{_MULTI_USER}: this server does not keep users apart; every user needs a terminal of their own"
        )


def value_of(name: str, environment: Mapping[str, str]) -> object:
    """Return what our setting `name` is by a variable of Open Terminal, as it would understand it; None if not set."""
    alias = ALIASES.get(name)
    value = environment.get(PREFIX + alias) if alias else None
    return _READ.get(name, str)(value) if value else None


def _is_on(value: str) -> bool:
    return value.strip().lower() not in _NO


def _wait(value: str) -> object:
    """Return the wait, not longer than there is here: Open Terminal takes any, though no call may ask for more."""
    with contextlib.suppress(ValueError):
        if float(value) > LONGEST_WAIT_SECONDS:
            name = PREFIX + ALIASES["execute_wait_seconds"]
            log.warning("%s: %s is more than %d, which is taken instead", name, value, LONGEST_WAIT_SECONDS)
            return LONGEST_WAIT_SECONDS
    return value


_READ: Mapping[str, Callable[[str], object]] = {
    "execute_wait_seconds": _wait,
    "enable_terminal": _is_on,
    "enable_notebooks": _is_on,
    "enable_system_prompt": _is_on,
}
"""How a value is understood, where not as ours are."""
