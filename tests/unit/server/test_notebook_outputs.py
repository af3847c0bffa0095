"""What is kept of what a cell gives, and what is left out."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from terminal_server.notebooks.outputs import Outputs, plain, shortened

LIMIT = 100


def stream(text: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": text}


def shown(display: str | None, text: str) -> dict[str, Any]:
    transient = {} if display is None else {"transient": {"display_id": display}}
    return {"data": {"text/plain": text}, "metadata": {}, **transient}


def collected(*messages: tuple[str, dict[str, Any]], rich_limit: int = 1000) -> list[dict[str, Any]]:
    outputs = Outputs(LIMIT, rich_limit)
    for kind, content in messages:
        outputs.take(kind, content)
    return outputs.all()


def test_text_of_one_stream_is_one_output_until_something_comes_between() -> None:
    found = collected(stream("a"), stream("b"), stream("c", "stderr"), stream("d"))
    assert [(output["name"], output["text"]) for output in found] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


@given(st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.text(max_size=80)), max_size=30))
def test_of_any_text_the_beginning_and_the_end_are_kept_and_the_rest_is_counted(
    pieces: list[tuple[str, str]],
) -> None:
    found = collected(*(stream(text, name) for name, text in pieces))
    whole = plain("".join(text for _, text in pieces))
    kept = "".join(output["text"] for output in found)
    if len(whole) <= LIMIT // 2 or "characters left out" not in kept:
        assert kept == whole
    assert kept.startswith(whole[: LIMIT // 2])
    assert kept.endswith(whole[-LIMIT // 2 :]) or len(whole) <= LIMIT
    assert len(kept) <= 2 * LIMIT + 40 * len(found)


def test_a_text_that_is_too_long_says_how_much_is_missing() -> None:
    assert collected(stream("x" * 130))[0]["text"] == "x" * 50 + "\n[… 30 characters left out …]\n" + "x" * 50
    assert shortened("x" * 130, LIMIT) == "x" * 50 + "\n[… 30 characters left out …]\n" + "x" * 50


def test_what_is_shown_can_be_updated_by_its_name() -> None:
    found = collected(
        ("display_data", shown("a", "old")),
        ("display_data", shown(None, "other")),
        ("execute_result", {**shown("a", "old"), "execution_count": 4}),
        ("update_display_data", shown("a", "new")),
        ("update_display_data", shown("unknown", "lost")),
    )
    assert [output["data"]["text/plain"] for output in found] == ["new", "other", "new"]
    assert found[2]["execution_count"] == 4


def test_clearing_waits_for_the_next_output_if_it_shall() -> None:
    assert collected(stream("a"), ("clear_output", {"wait": False})) == []
    assert collected(stream("a"), ("clear_output", {"wait": True}))[0]["text"] == "a"
    assert collected(stream("a"), ("clear_output", {"wait": True}), stream("b"))[0]["text"] == "b"


def test_images_are_kept_as_long_as_there_is_room_for_them() -> None:
    image = {"data": {"image/png": "x" * 600}, "metadata": {}}
    first, second, text = collected(("display_data", image), ("display_data", image), stream("on"))
    assert first["data"] == image["data"]
    assert second["data"] == {"text/plain": "[image/png left out: the outputs of the cell are too large]"}
    assert text["text"] == "on"


def test_what_is_cleared_makes_room() -> None:
    image = {"data": {"image/png": "x" * 600}, "metadata": {}}
    found = collected(("display_data", image), ("clear_output", {}), ("display_data", image))
    assert [output["data"] for output in found] == [image["data"]]


def test_an_error_is_kept_however_many_outputs_there_are() -> None:
    error = ("error", {"ename": "E", "evalue": "v", "traceback": ["x" * 500]})
    found = collected(*[("display_data", shown(None, "x"))] * 1200, error)
    assert len(found) == 1002
    assert (found[-2]["ename"], len(found[-2]["traceback"])) == ("E", 1)
    assert len(found[-2]["traceback"][0]) < 150
    assert "200 outputs are left out" in found[-1]["text"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = (
    "data",
    "metadata",
    "text",
    "name",
    "ename",
    "evalue",
    "traceback",
    "transient",
    "wait",
    "execution_count",
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["stream", "display_data", "execute_result", "error", "clear_output", "other"]),
            st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
        ),
        max_size=8,
    )
)
def test_whatever_a_kernel_says_the_outputs_can_be_written(
    messages: list[tuple[str, dict[str, Any]]],
) -> None:
    json.dumps(collected(*messages), ensure_ascii=False, allow_nan=False).encode()


def test_halves_of_characters_and_what_is_no_number_become_something_that_can_be_written() -> None:
    assert plain({"\ud800": ["a\udfff", float("nan"), 1.5, 10**30, None, True]}) == {
        "?": ["a?", None, 1.5, 10**30, None, True]
    }


def test_what_is_nested_too_deeply_is_left_out() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"x": deep}
    found = collected(("display_data", {"data": deep}), stream("on"))
    assert found[0]["text"] == "on"
    assert "nested too deeply" in found[-1]["text"]
