"""Before anything is spent: endpoint, key, model, price."""

from __future__ import annotations

import pytest

from tasks.faults import UserError
from tests.fakes.fake_teacher import FakeTeacher
from tests.teacher.conftest import Open, ask_label


def test_wrong_key_names_the_variable(open_on: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "wrong")
    with FakeTeacher(key="right") as fake, pytest.raises(UserError) as caught:
        open_on(fake, api_key_env="MY_KEY")
    message = str(caught.value)
    assert "MY_KEY" in message and "401" in message and "\n" not in message
    assert not fake.asked


def test_right_key(open_on: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "right")
    with FakeTeacher(key="right") as fake:
        assert all(open_on(fake, api_key_env="MY_KEY").ask([ask_label("x")], "label", 1))


def test_a_remote_endpoint_needs_a_key(open_on: Open) -> None:
    with pytest.raises(UserError, match=r"OPENAI_API_KEY.*not set.*export OPENAI_API_KEY"):
        open_on(None, base_url="https://teacher.invalid/v1", model="m")


def test_no_endpoint(open_on: Open) -> None:
    with FakeTeacher() as fake:
        url = fake.base_url
    with pytest.raises(UserError) as caught:
        open_on(None, base_url=url, model="m")
    assert url in str(caught.value) and "no connection" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_model_is_answered_with_the_near_one(open_on: Open) -> None:
    with (
        FakeTeacher(model="qwen2.5-coder") as fake,
        pytest.raises(UserError, match=r"Did you mean 'qwen2.5-coder'"),
    ):
        open_on(fake, model="qwen2.5-codr")
    assert not fake.bodies


def test_an_endpoint_without_a_list_of_models(open_on: Open) -> None:
    with FakeTeacher(lists_models=False) as fake:
        teacher = open_on(fake)
        assert not teacher.can("labeller").models_listed
        assert all(teacher.ask([ask_label("x")], "label", 1))


def test_an_endpoint_without_a_list_that_lacks_the_model(open_on: Open) -> None:
    with FakeTeacher(lists_models=False) as fake, pytest.raises(UserError, match=r"teacher.model.*'other'"):
        open_on(fake, model="other")


def test_a_cost_limit_needs_a_price(open_on: Open) -> None:
    with FakeTeacher() as fake:
        with pytest.raises(UserError, match=r"budget.cost.*no known price of fake-1"):
            open_on(fake, budget={"cost": 1.0})
        assert not fake.bodies
        open_on(fake, budget={"cost": 1.0}, price={"prompt": 1, "completion": 1})
