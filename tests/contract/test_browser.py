"""What browsers need: CORS, and no redirects."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.contract.running import Client, Server, connected, running

ORIGIN = "https://chat.example"


@pytest.fixture(scope="module")
def cors_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("cors")
    with running(folder, TERMINAL_SERVER_CORS_ORIGINS=f"{ORIGIN}, https://other.example") as server:
        yield server


@pytest.fixture
async def page(cors_server: Server) -> AsyncIterator[Client]:
    async with connected(cors_server) as client:
        client.session.headers["Origin"] = ORIGIN
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_preflight_is_answered_without_a_key(page: Client, method: str) -> None:
    headers = {
        "Authorization": "",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,x-session-id,x-user-id",
        "Access-Control-Request-Private-Network": "true",
    }
    async with page.request("OPTIONS", "/execute", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Private-Network"] == "true"
        assert method in response.headers["Access-Control-Allow-Methods"]
        allowed = response.headers["Access-Control-Allow-Headers"].lower()
        assert all(name in allowed for name in ("authorization", "content-type", "x-session-id", "x-user-id"))


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [("POST", "/execute", "wrong", 401), ("POST", "/execute", None, 422), ("GET", "/nothing", None, 404)],
)
async def test_errors_can_be_read_by_an_allowed_page(
    page: Client, method: str, path: str, key: str | None, status: int
) -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with page.request(method, path, headers=headers) as response:
        assert response.status == status
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "detail" in await response.json()


async def test_an_allowed_page_can_read_the_name_of_a_download(page: Client) -> None:
    async with page.request("GET", "/health") as response:
        exposed = response.headers["Access-Control-Expose-Headers"]
    assert {"Content-Disposition", "Location"} <= set(exposed.split(", "))


async def test_another_page_gets_no_permission(page: Client) -> None:
    page.session.headers["Origin"] = "https://evil.example"
    async with page.request("GET", "/health") as response:
        assert "Access-Control-Allow-Origin" not in response.headers
    headers = {"Access-Control-Request-Method": "POST"}
    async with page.request("OPTIONS", "/execute", headers=headers) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_by_default_no_other_origin_is_allowed(client: Client) -> None:
    async with client.request("GET", "/health", headers={"Origin": ORIGIN}) as response:
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_every_origin_may_be_allowed_but_never_with_credentials(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("any"), TERMINAL_SERVER_CORS_ORIGINS="*") as server:
        async with (
            connected(server) as client,
            client.request("GET", "/health", headers={"Origin": ORIGIN}) as response,
        ):
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("path", ["/execute/", "//execute", "/health/", "/files/upload/", "/docs/", "/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nothing_is_ever_a_redirect(client: Client, method: str, path: str) -> None:
    async with client.request(method, path, allow_redirects=False) as response:
        assert response.status in {404, 405}
