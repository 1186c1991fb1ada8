"""What the teacher is told: each block one turn, nothing escaped, nothing of a user's text interpreted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

import prompts
from agent.nodes.analyze import WEAKNESSES
from agent.nodes.analyze import request as analyze_request
from agent.nodes.generate import Call, Slot, form
from agent.nodes.generate import request as generate_request
from agent.teacher.labelling import label_request
from prompts.render import ROLES, render
from tasks.task import Example, Task

SEED = (Example("Lovely.", "good"), Example("Awful.", "bad"))
TASK = Task(
    "t", "classification", "French", "review", "Happy?", {"good": "would come back", "bad": ""},
    {"length": ("short",)}, SEED, (), (Example("a pool text", None),), (Example("a test text", "good"),), (),
)  # fmt: skip


def generated(kind: str = "easy", **fields: Any) -> tuple[tuple[str, str], ...]:
    slots = (Slot("good", kind, {"length": "short"}), Slot("good", kind, {"length": "long", "subject": "hotel"}))
    parts: dict[str, Any] = {"weaknesses": (), "examples": (), "missed": (), "taken_for": "", "form": form(TASK)}
    return render("generate", task=TASK, label="good", slots=slots, **{**parts, **fields})


def test_labelling_is_one_text_after_a_part_that_is_the_same_for_all_texts() -> None:
    one, other = render("label", task=TASK, text="first"), render("label", task=TASK, text="second")
    assert one[0] == other[0]
    assert one == (
        ("system", "Happy?\nLabels: good (would come back), bad.\nAnswer with the label only."),
        ("user", "first"),
    )


def test_several_texts_are_numbered_in_order() -> None:
    assert render("label_many", task=TASK, texts=["x", "y"])[1] == ("user", "1. x\n2. y")


@pytest.mark.parametrize("text", ["{{ task.question }}", "{% block user %}", "{# gone #}", "a <b> & \"c\" 'd'"])
def test_a_text_reaches_the_teacher_as_it_is(text: str) -> None:
    assert render("label", task=TASK, text=text)[1] == ("user", text)


def test_the_analysis_is_the_turn_before_the_request_for_texts() -> None:
    weak = {"pattern": "irony", "label": "good", "advice": "Write ironic praise"}
    messages = generated(weaknesses=(weak,))
    assert [role for role, _ in messages] == ["system", "user", "assistant", "user"]
    assert messages[2] == ("assistant", "1. irony: Write ironic praise")


def test_without_an_analysis_there_is_no_conversation() -> None:
    assert [role for role, _ in generated()] == ["system", "user"]


def test_each_text_asked_for_is_a_line_with_its_attributes() -> None:
    lines = generated()[1][1].splitlines()
    asked = 'Write 2 new texts. Each is clearly "good" (would come back), and differs from the others in subject'
    assert lines[0] == f"{asked} and wording:"
    assert lines[1:3] == ["1. short", "2. long, hotel"]
    assert lines[-1].endswith("with 2 texts in this order.")


def test_a_hard_text_reads_at_first_like_what_the_student_takes_it_for() -> None:
    first = generated("hard", taken_for="bad")[1][1].splitlines()[0]
    assert 'Each is "good" (would come back) but reads at first like "bad", and differs' in first
    paper = generated("hard")[1][1].splitlines()[0]
    assert 'Each is "good" (would come back) but of a kind that the classifier gets wrong, and differs' in paper


def test_no_word_of_easy_or_hard_is_said_that_could_come_back_in_a_text() -> None:
    for kind, aim in (("easy", ""), ("plain", ""), ("hard", ""), ("hard", "bad")):
        words = " ".join(content for _, content in generated(kind, taken_for=aim)).lower()
        assert "easy" not in words and "hard" not in words


def test_examples_and_missed_texts_are_shown_only_where_there_are_some() -> None:
    bare, full = generated()[1][1], generated(examples=("Lovely.",), missed=("Not bad.",))[1][1]
    assert "- " not in bare and "something else" not in bare
    assert full.startswith(
        'Examples of "good":\n- Lovely.\nThe classifier took these for something else:\n- Not bad.\nWrite 2 new'
    )


def test_the_generator_is_told_the_language_and_the_meaning_of_the_labels() -> None:
    system = generated()[0][1]
    assert "a review in French" in system and "good (would come back), bad" in system


def test_the_analyst_reads_what_was_said_and_what_is_right() -> None:
    wrong = [{"text": "Not bad at all.", "predicted": "bad", "label": "good"}]
    said = analyze_request(TASK, wrong, []).messages[1][1]
    assert "- Not bad at all. => it said bad, the right label is good" in said
    assert "correctly" not in said and f"at most {WEAKNESSES}." in said
    assert (
        "answered these correctly:\n- Fine. => good"
        in (analyze_request(TASK, wrong, [{"text": "Fine.", "label": "good"}]).messages[1][1])
    )


def test_a_slot_that_was_not_given_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="text"):
        render("label", task=TASK)


def test_every_file_is_one_call_and_all_its_blocks_have_a_role() -> None:
    files = {path.stem: path.read_text() for path in Path(prompts.__file__).parent.glob("*.jinja")}
    assert set(files) == {
        "analyze",
        "answer",
        "generate",
        "judge",
        "label",
        "label_many",
        "mark",
        "rephrase",
        "subjects",
    }
    environment = jinja2.Environment()
    for text in files.values():
        assert set(environment.from_string(text).blocks) <= set(ROLES)
        assert text.startswith("{#")


def test_no_request_shows_a_test_text_or_a_text_of_the_pool_that_was_not_given() -> None:
    slots = (Slot("good", "easy", {"length": "short"}),)
    call = Call("good", slots, (), ("Lovely.",), ())
    wrong = [{"text": "Lovely.", "predicted": "bad", "label": "good"}]
    requests = [analyze_request(TASK, wrong, []), generate_request(TASK, call, 1.0), label_request(TASK, "new", True)]
    said = "\n".join(content for request in requests for _, content in request.messages)
    assert "a test text" not in said and "a pool text" not in said
