"""Searching: in files, for files by pattern, and for files as people type their names."""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field

from terminal_server.clients import CLIENT_GONE, gone, while_there
from terminal_server.errors import from_os_error
from terminal_server.files.names import shown
from terminal_server.routers.common import NEEDS_KEY, TextList, located
from terminal_server.search.searches import RefusedError, Result, SearchError
from terminal_server.services import Services, Shared
from terminal_server.sessions import Caller

router = APIRouter(responses=NEEDS_KEY)

_QUERY_CHARACTERS = 4096
_NO_FOLDER = "path: there is no such folder"
_NOTHING_THERE = "path: there is no such file or folder"

Kind = Annotated[
    Literal["file", "directory", "any"],
    Field(alias="type", description="What to look for: 'file', 'directory', or 'any' for both."),
]
Folder = Annotated[
    str,
    Field(description="Folder to search, at any depth. A relative path begins at the working directory."),
]
Hidden = Annotated[bool, Field(description="Also look at what begins with a dot.")]
Most = Annotated[int, Field(ge=1, le=500, description="Maximum number of matches to return.")]


class Grep(BaseModel):
    """What to find in files."""

    query: str = Field(
        max_length=_QUERY_CHARACTERS,
        description="What to find: a regular expression as in Python, matched within one line.",
    )
    path: str = Field(
        default=".",
        description="Folder or file to search. A relative path begins at the working directory.",
    )
    regex: bool = Field(default=True, description="Set to false to find the query as it is written.")
    case_insensitive: bool = Field(default=False, description="Let upper and lower case match each other.")
    include: TextList = Field(
        default=[],
        description="Search only files that match one of these patterns, such as '*.py', '*.{ts,tsx}' or "
        "'src/**/*.py'. One without a slash is for names in any folder.",
    )
    match_per_line: bool = Field(
        default=True, description="Set to false to get only the names of the files that match."
    )
    max_results: Most = 50


class Glob(BaseModel):
    """Which names to find."""

    pattern: str = Field(
        max_length=_QUERY_CHARACTERS,
        description="Pattern such as '*.py', '*.{jpg,png}' or 'src/**/test_*.py'. One without a slash is for names "
        "in any folder; otherwise * stays within a folder and ** stands for any number of them.",
    )
    path: Folder = "."
    exclude: TextList = Field(
        default=[],
        description="Patterns of what to leave out, such as 'node_modules'; a folder goes with all in it.",
    )
    kind: Kind = "any"
    max_results: Most = 50


class Names(BaseModel):
    """Which names to rank."""

    query: str = Field(default="", max_length=_QUERY_CHARACTERS, description="Part of a name, in any case.")
    path: Folder = "."
    limit: int = Field(default=20, ge=1, le=100, description="Maximum number of results to return.")
    kind: Kind = "any"
    show_hidden: Hidden = False


class Matches(BaseModel):
    """What to find in names, paths and contents."""

    query: str = Field(max_length=_QUERY_CHARACTERS, description="Text to find, in any case.")
    path: Folder = "."
    show_hidden: Hidden = False
    offset: int = Field(default=0, ge=0, le=1_000_000, description="next_offset of the page before.")
    limit: int = Field(default=100, ge=1, le=100, description="Maximum number of results to return.")


@router.get(
    "/files/grep",
    operation_id="grep_search",
    summary="Search file contents",
    description="Find lines in text files, by regular expression or as plain text; prefer this to running grep. "
    "Returns matches in the order of their paths, each with file, line and content; a long line is cut around its "
    "match. Hidden files and what .gitignore names are searched too, binary files and .git are not. If truncated is "
    "true there is more: narrow the search by path or include, or raise max_results.",
)
async def grep_search(
    asked: Annotated[Grep, Query()], request: Request, services: Shared, session: Caller
) -> dict[str, Any]:
    """Find lines, or files with lines."""
    root = located(asked.path, services, session)
    found = await _search("grep", asked, root, request, services, missing=_NOTHING_THERE)
    return {"query": asked.query, "path": shown(root), "matches": found.items, "truncated": found.truncated}


@router.get(
    "/files/glob",
    operation_id="glob_search",
    summary="Find files by name pattern",
    description="Find files and folders whose names match a pattern; prefer this to running find. Returns matches in "
    "the order of their paths, each with path (relative to the folder that was searched), type, size and modified "
    "(seconds since 1970). Hidden files are found too, .git is not searched. If truncated is true there is more: "
    "narrow the search, or raise max_results.",
)
async def glob_search(
    asked: Annotated[Glob, Query()], request: Request, services: Shared, session: Caller
) -> dict[str, Any]:
    """Find names."""
    root = located(asked.path, services, session)
    found = await _search("glob", asked, root, request, services)
    return {
        "pattern": asked.pattern,
        "path": shown(root),
        "matches": found.items,
        "truncated": found.truncated,
    }


@router.get(
    "/files/search",
    operation_id="search_files",
    summary="Find files by part of a name",
    description="Find files and folders whose names hold a text, best matches first: the whole name, its beginning, "
    "any part. For when a name is known only roughly; glob_search is for patterns. Returns results with path, name, "
    "type, size and modified. What .gitignore names is left out.",
)
async def search_files(
    asked: Annotated[Names, Query()], request: Request, services: Shared, session: Caller
) -> dict[str, Any]:
    """Rank names."""
    root = located(asked.path, services, session)
    found = await _search("names", asked, root, request, services)
    return {"results": found.items, "truncated": found.truncated}


@router.get(
    "/files/matches",
    operation_id="match_files",
    summary="Find files by name or content",
    description="Find files and folders by a text in their name, path or content, best matches first, a page at a "
    "time. Returns results with path, relative_path, name, type, name_match and up to three content_matches (line, "
    "column, text), and next_offset for the next page. What .gitignore names is left out.",
)
async def match_files(
    asked: Annotated[Matches, Query()], request: Request, services: Shared, session: Caller
) -> dict[str, Any]:
    """Rank names and contents."""
    asked.query = asked.query.strip()
    if not asked.query:
        raise HTTPException(400, "query: must not be blank")
    root = located(asked.path, services, session)
    found = await _search("matches", asked, root, request, services)
    return {"results": found.items, "next_offset": found.next_offset, "truncated": found.truncated}


async def _search(
    kind: str,
    asked: BaseModel,
    root: Path,
    request: Request,
    services: Services,
    *,
    missing: str = _NO_FOLDER,
) -> Result:
    """Search for as long as the client waits."""
    task = asked.model_dump(by_alias=True) | {"path": str(root)}
    searched = await while_there(services.searches.run(kind, **task), gone(request.receive))
    if searched is None:
        raise HTTPException(CLIENT_GONE, "the client has gone")
    try:
        return searched.result()
    except RefusedError as error:
        raise HTTPException(400, str(error)) from None
    except SearchError as error:
        raise HTTPException(503, str(error)) from None
    except (FileNotFoundError, NotADirectoryError):
        raise HTTPException(404, missing) from None
    except OSError as error:
        raise from_os_error(error) from None
