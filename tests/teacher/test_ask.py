"""Asking: order, one call for each request, what a run used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.fakes.fake_teacher import FakeTeacher, last_message, share
from tests.teacher.conftest import Open, ask_label


def echo(body: dict[str, object]) -> str:
    return "re " + last_message(body)


def test_replies_come_in_the_order_of_the_requests_whatever_the_latency(open_on: Open) -> None:
    with FakeTeacher(echo, latency=lambda body: share(last_message(body)) / 50) as fake:
        replies = open_on(fake).ask([ask_label(f"text {n}") for n in range(40)], "label", 1)
    assert [reply.text for reply in replies if reply] == [f"re text {n}" for n in range(40)]


def test_a_second_run_is_answered_by_the_ledger(open_on: Open) -> None:
    requests = [ask_label(f"text {n}") for n in range(5)]
    with FakeTeacher(echo) as fake:
        first = open_on(fake, "one").ask(requests, "label", 1)
        again = open_on(fake, "two")
        second = again.ask(requests, "label", 1)
        assert len(fake.asked) == 5
    assert [reply.text for reply in second if reply] == [reply.text for reply in first if reply]
    assert all(reply.cached for reply in second if reply)
    assert not any(reply.cached for reply in first if reply)
    assert (again.usage().calls, again.usage().cached_calls) == (5, 5)


def test_the_same_request_twice_is_one_call_and_counted_once(open_on: Open) -> None:
    with FakeTeacher(echo) as fake:
        teacher = open_on(fake)
        replies = teacher.ask([ask_label("a"), ask_label("b"), ask_label("a")], "label", 1)
        teacher.ask([ask_label("a")], "label", 2)
        assert len(fake.asked) == 2
    assert [reply.text for reply in replies if reply] == ["re a", "re b", "re a"]
    assert teacher.usage().calls == 2


def test_another_sample_is_another_call_with_its_own_seed(open_on: Open) -> None:
    with FakeTeacher(echo) as fake:
        teacher = open_on(fake)
        teacher.ask([ask_label("a", sample=n) for n in range(3)], "label", 1)
        assert sorted(body["seed"] for body in fake.asked) == [0, 1, 2]
    assert teacher.usage().calls == 3


def test_usage_by_node(open_on: Open) -> None:
    with FakeTeacher(lambda body: "positive") as fake:
        teacher = open_on(fake, price={"prompt": 1.0, "completion": 2.0})
        teacher.ask([ask_label("12345678")], "label", 1)
        teacher.ask([ask_label("12345678abcd"), ask_label("x")], "label", 2)
    usage = teacher.usage()
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (3, 2 + 3 + 1, 6)
    assert usage.cost is not None and abs(usage.cost - (6 * 1.0 + 6 * 2.0) / 1e6) < 1e-12
    assert usage.by_node[(2, "label")].calls == 2 and usage.by_node[(1, "label")].tokens == 4


def test_an_unknown_price_is_none(open_on: Open) -> None:
    with FakeTeacher() as fake:
        teacher = open_on(fake)
        teacher.ask([ask_label("x")], "label", 1)
    assert teacher.usage().cost is None


def test_several_threads_may_ask(open_on: Open) -> None:
    with FakeTeacher(echo) as fake, ThreadPoolExecutor(4) as pool:
        teacher = open_on(fake)
        asks = [pool.submit(teacher.ask, [ask_label(f"{n} {m}") for m in range(10)], f"n{n}", 1) for n in range(4)]
        for number, ask in enumerate(asks):
            assert [reply.text for reply in ask.result() if reply] == [f"re {number} {m}" for m in range(10)]
    assert teacher.usage().calls == 40


def test_roles_may_have_endpoints_and_temperatures_of_their_own(open_on: Open) -> None:
    with FakeTeacher(echo) as general, FakeTeacher(echo, model="small") as small:
        own = {"base_url": small.base_url, "model": "small", "temperature": 0.5}
        teacher = open_on(general, labeller=own)
        teacher.ask([ask_label("x")], "label", 1)
        assert not general.asked
        assert [body["temperature"] for body in small.asked] == [0.5]


def test_nothing_asked_nothing_sent(open_on: Open) -> None:
    with FakeTeacher() as fake:
        assert open_on(fake).ask([], "label", 1) == []
        assert not fake.asked
