"""Calls made up from the live OpenAPI document: no failure, no hang, and answers that are as the document says."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import note
from hypothesis.strategies import SearchStrategy, one_of
from schemathesis import Case, GenerationMode
from schemathesis.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema

from tests.contract.running import KEY, Server
from tests.fuzz.effort import try_hard
from tests.fuzz.test_requests import SETTINGS
from tests.fuzz.values import COMMANDS
from tests.fuzz.wire import DEADLINE_SECONDS, check_health
from tests.jail.jail import jailed

_DOCUMENTED = {503, 507}
_HEALTH_EVERY = 100
_WAIT_SECONDS = 1.0


class _Checker:
    """Makes a call and checks the answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {KEY}"
        self._tried = 0

    def check(self, case: Case[Any]) -> None:
        """Do it."""
        _tame(case)
        note(case.as_curl_command())
        response = case.call(
            self._server.url, session=self._session, timeout=DEADLINE_SECONDS, allow_redirects=False
        )
        note(f"Answer: {response.status_code} {response.content[:2000]!r}")
        if response.status_code in _DOCUMENTED:
            return
        assert response.status_code < 500
        case.validate_response(
            response, checks=[status_code_conformance, content_type_conformance, response_schema_conformance]
        )
        self._tried += 1
        if self._tried % _HEALTH_EVERY == 0:
            check_health(self._server)


def _tame(case: Case[Any]) -> None:
    """Put a harmless command in the place of one made up, and a short wait in that of a long one, which is allowed."""
    body: Any = case.body
    query: Any = case.query
    if isinstance(query, dict) and _is_long(query.get("wait")):
        query["wait"] = _WAIT_SECONDS
    if isinstance(body, dict) and isinstance(body.get("command"), str):
        body["command"] = COMMANDS[zlib.crc32(body["command"].encode("utf-8", "replace")) % len(COMMANDS)]


def _is_long(wait: object) -> bool:
    try:
        return isinstance(wait, int | float | str) and float(wait) > _WAIT_SECONDS
    except (ValueError, OverflowError):
        return False


def _cases(schema: BaseSchema) -> Iterator[SearchStrategy[Case[Any]]]:
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            yield operation.as_strategy(mode)


def test_no_call_of_the_document_fails_hangs_or_is_answered_otherwise_than_it_says(tmp_path: Path) -> None:
    with jailed(tmp_path, **SETTINGS) as server:
        schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        checker = _Checker(server)
        try_hard("document", one_of(*_cases(schema)), checker.check)
        check_health(server)
