"""The user's interactive shell, as a model reads it and types into it."""

from tests.contract.running import Client, until
from tests.contract.screens import terminal

_OUTPUT, _INPUT = "/api/terminals/user/output", "/api/terminals/user/input"


async def test_the_user_s_terminal_is_plain_text_for_a_model(client: Client) -> None:
    chat = {"X-Session-Id": "a-model"}
    await client.json("GET", _OUTPUT, 404, headers=chat)
    async with terminal(client, **chat) as screen:
        await screen.runs(r"PS1='$ '; printf '\e[1;31mred\e[0m \xe2\x82\xac 10%%\r50%%\n'; clear")
        output = (await client.json("GET", _OUTPUT, headers=chat))["output"]
        assert "\n50% € 10%\n" in output
        assert "\x1b" not in output
        assert "\r" not in output


async def test_a_model_types_into_the_user_s_terminal_and_reads_what_came_of_it(client: Client) -> None:
    chat = {"X-Session-Id": "a-typing-model"}
    body = {"input": "echo by-the-$((1+0))-model €\n"}
    await client.json("POST", _INPUT, 404, json=body, headers=chat)
    async with terminal(client, **chat) as screen:
        await screen.runs("true")
        answer = await client.json("POST", _INPUT, json=body, headers=chat)
        assert answer == {"status": "ok"}
        await screen.shows("by-the-1-model €\r\n".encode())
        output = (await client.json("GET", _OUTPUT, headers=chat))["output"]
        assert "\nby-the-1-model €\n" in output
        for wrong in ({}, {"input": None}, {"input": "x" * 70_000}, {"input": 7}):
            await client.json("POST", _INPUT, 422, json=wrong, headers=chat)
        async with client.request("POST", _INPUT, data=b'{"input":"\\ud800"}', headers=chat) as refused:
            assert refused.status == 422


async def test_the_user_s_terminal_is_the_one_connected_last_and_else_the_one_left_last(
    client: Client,
) -> None:
    chat = {"X-Session-Id": "many-terminals"}
    async with terminal(client, **chat) as first:
        await first.runs("echo number-one")
        async with terminal(client, **chat) as second:
            await second.runs("echo number-two")
            await _until_user_s_terminal_shows(client, "number-two", chat)
            await second.socket.close()
            await _until_user_s_terminal_shows(client, "number-one", chat)
            await first.socket.close()
            await _until_user_s_terminal_shows(client, "number-one", chat)


async def _until_user_s_terminal_shows(client: Client, text: str, chat: dict[str, str]) -> None:
    async def is_shown() -> bool:
        return text in (await client.json("GET", _OUTPUT, headers=chat))["output"]

    await until(is_shown, f"the user's terminal shows {text}")
