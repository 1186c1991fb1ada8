"""What is asked and what is learned, token by token, with the chat templates of five families."""

from __future__ import annotations

from typing import Any

import pytest

from agent.student.chat import Chat, chat_of
from agent.student.student import TrainRow
from agent.student.writer import IGNORED, answer_loss, lesson
from tasks.faults import UserError
from tests.fakes.chat_templates import TEMPLATES
from tests.fakes.tiny_causal import tiny_tokenizer

TURN, ANSWER = "Is  bread baked?\nA. yes ✓", "<answer>A</answer>"


def chat(family: str) -> Chat:
    template, special, begin, _ = TEMPLATES[family]
    tokenizer = tiny_tokenizer(special, bos_token=begin)
    tokenizer.chat_template = template
    return chat_of(tokenizer)


def spelled(one: Chat, ids: list[int]) -> str:
    return str(one.tokenizer.decode(ids, skip_special_tokens=False))


@pytest.mark.parametrize("family", TEMPLATES)
def test_the_answer_alone_is_learned_with_the_token_that_ends_it(family: str) -> None:
    one = chat(family)
    tokens, wanted, cut = lesson(one.asked([TURN]), one.answers([ANSWER]), 512)
    (row,), (learned,) = tokens, wanted
    assert len(row) == len(learned) and cut == 0
    start = next(place for place, token in enumerate(learned) if token != IGNORED)
    assert learned[:start] == [IGNORED] * start and learned[start:] == row[start:]
    assert spelled(one, row[start:]) == ANSWER + TEMPLATES[family][3]
    asked = spelled(one, row[:start])
    assert TURN in asked and ANSWER not in asked


@pytest.mark.parametrize("family", TEMPLATES)
def test_what_is_learned_is_what_the_template_writes(family: str) -> None:
    one, template = chat(family), TEMPLATES[family][0]
    if template is None:
        assert "### Response:\n" in spelled(one, one.asked([TURN])[0])
        return
    turns = [{"role": "user", "content": TURN}, {"role": "assistant", "content": ANSWER}]
    whole = one.tokenizer.apply_chat_template(turns, tokenize=False)
    row = one.asked([TURN])[0] + one.answers([ANSWER])[0]
    assert whole.startswith(spelled(one, row)) and whole[len(spelled(one, row)) :].strip() == ""
    begin = TEMPLATES[family][2]
    assert begin is None or spelled(one, row).count(begin) == 1


def test_a_question_is_cut_before_its_answer_and_counted() -> None:
    tokens, wanted, cut = lesson([[1, 2, 3, 4], [5]], [[8, 9], [8, 9]], 4)
    assert tokens == [[3, 4, 8, 9], [5, 8, 9]] and wanted == [[IGNORED, IGNORED, 8, 9], [IGNORED, 8, 9]] and cut == 1
    assert lesson([[1]], [[7, 8, 9]], 2) == ([[7, 8]], [[7, 8]], 1)


def test_the_loss_is_that_of_the_next_token_of_the_answers() -> None:
    torch = pytest.importorskip("torch")
    logits = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(0))
    wanted = [[IGNORED, IGNORED, 3, 5], [IGNORED, 2, 4, 1]]
    rows = [TrainRow("", (), 1.0), TrainRow("", (), 3.0)]
    each = -logits.log_softmax(-1)
    first = [each[0, 1, 3], each[0, 2, 5]]
    second = [each[1, 0, 2], each[1, 1, 4], each[1, 2, 1]]
    expected = (0.5 * (first[0] + first[1]) / 2 + 1.5 * sum(second) / 3) / 2
    loss = answer_loss(wanted, rows)
    assert float(loss(logits, [0, 1])) == pytest.approx(float(expected), abs=1e-6)
    apart = (float(loss(logits[:1], [0])) + float(loss(logits[1:], [1]))) / 2
    assert apart == pytest.approx(float(expected), abs=1e-6), "micro-batches change nothing"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ raise_exception('no user') }}", "no user"),
        ("{% for m in messages %}[{{ m['content'] }}]{% endfor %}{% if add_generation_prompt %}>{% endif %}",
         "one in which an answer follows"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_learned_from_is_refused_in_a_line(template: str, said: str) -> None:
    tokenizer: Any = tiny_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(UserError) as caught:
        chat_of(tokenizer)
    assert said in str(caught.value) and "chat template" in str(caught.value)


def test_nothing_is_asked_of_nothing() -> None:
    one = chat("qwen")
    assert one.asked([]) == [] and one.answers([]) == []
