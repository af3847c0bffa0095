"""The body of `POST /execute`, for both contracts."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from terminal_server.leniency import something, unpacked

_LIMIT_SECONDS = 30.0
_LONGEST_VARIABLE = 128 * 1024 - 1
_SHOWN = 40


def _plain(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("must not hold half a surrogate pair") from None
    return value


def _limit(value: object) -> object:
    """Take an empty time limit for one that was left out, not for none: who fills in every field expects an answer."""
    return _LIMIT_SECONDS if isinstance(value, str) and not value.strip() else something(value)


def _variables(value: object) -> object:
    return unpacked(something(value))


Text = Annotated[str, AfterValidator(_plain)]
"""Text the system can take."""
Value = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_plain)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Request(BaseModel):
    """What to run."""

    command: Text = Field(
        description="Shell command to run. Pipes, redirections, && and ; work as in a shell.",
        examples=["echo hello", "ls -la && whoami"],
    )
    cwd: Annotated[Text | None, BeforeValidator(something)] = Field(
        default=None,
        description="Folder to run it in; a relative one is looked for in the session's working directory, which "
        "is also the default.",
    )
    env: Annotated[dict[str, Value] | None, BeforeValidator(_variables)] = Field(
        default=None,
        description="Environment variables for this command, besides the usual ones.",
        examples=[{"LANG": "C"}],
    )
    timeout: Annotated[Seconds | None, BeforeValidator(_limit)] = Field(
        default=_LIMIT_SECONDS,
        description="Seconds after which the command and all it started are ended (exit_code: -1). "
        "null for no limit.",
    )

    @field_validator("env")
    @classmethod
    def _can_be_set(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for name, text in (value or {}).items():
            shown = ascii(name[:_SHOWN])
            if not name or "=" in name or "\0" in name:
                raise ValueError(f"the name {shown} must not be empty, nor hold = or a NUL character")
            size = len(_plain(name).encode()) + len(text.encode()) + 1
            if size > _LONGEST_VARIABLE:
                raise ValueError(
                    f"{shown} has {size} bytes with its name; at most {_LONGEST_VARIABLE} can be set"
                )
        return value

    @property
    def wants_timeout(self) -> bool:
        """Whether a time limit is given, as in contract 1."""
        return "timeout" in self.model_fields_set

    @property
    def wants_place(self) -> bool:
        """Whether something is given that only contract 2 has."""
        return self.cwd is not None or self.env is not None


def _without(*names: str) -> ConfigDict:
    def drop(schema: dict[str, Any]) -> None:
        for name in names:
            del schema["properties"][name]

    return ConfigDict(json_schema_extra=drop)


class TimedRequest(Request):
    """The same, shown to clients as contract 1 has it."""

    model_config = _without("cwd", "env")


class PlacedRequest(Request):
    """The same, shown to clients as contract 2 has it."""

    model_config = _without("timeout")
