"""What a grid is made of, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.experiments.cells import Arm, make_grid, read_arms, read_seeds
from tasks.faults import UserError


def test_seeds_as_ranges_and_lists() -> None:
    assert read_seeds("1..5") == [1, 2, 3, 4, 5]
    assert read_seeds("2, 4..6,2") == [2, 4, 5, 6]


@pytest.mark.parametrize("text", ["", "5..1", "a", "1;2", "1..", "-1"])
def test_seeds_that_are_none(text: str) -> None:
    with pytest.raises(UserError, match="--seeds: expected whole numbers"):
        read_seeds(text)


def test_ablations_are_arms_of_the_first_strategy() -> None:
    arms = read_arms("evokd, static,evokd", ["easy", "correct, review", "easy"])
    assert arms == [Arm("evokd"), Arm("static"), Arm("evokd", ("easy",)), Arm("evokd", ("correct", "review"))]
    assert [arm.name for arm in arms][2:] == ["evokd without easy", "evokd without correct, review"]


def test_a_changed_setting_is_an_arm_of_the_first_strategy(tmp_path: Path) -> None:
    arms = read_arms("evokd,static", [], ["shots=3", "batch.pool_policy=random", "shots=3"])
    assert arms[2:] == [Arm("evokd", sets=("shots=3",)), Arm("evokd", sets=("batch.pool_policy=random",))]
    grid = make_grid(["avis_clients"], arms, [1], tmp_path, 5000, sets=["shots=2"])
    shots = {cell.name: grid.config(cell).shots for cell in grid.cells}
    assert shots == {"avis_clients-evokd-s1": 2, "avis_clients-static-s1": 2, "avis_clients-evokd-shots_3-s1": 3,
                     "avis_clients-evokd-batch.pool_policy_random-s1": 2}  # fmt: skip
    assert arms[2].name == "evokd with shots=3"


def test_a_changed_setting_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--vary: expected a\.b=c"):
        read_arms("evokd", [], ["shots"])
    with pytest.raises(UserError, match="shots"):
        make_grid(["avis_clients"], read_arms("evokd", [], ["shots=many"]), [1], tmp_path)


@pytest.mark.parametrize(("strategies", "without", "said"), [
    ("evo", [], "--strategy: expected one of"), (" ,", [], "--strategies: expected names"),
    ("evokd", ["easi"], "--without: expected parts among"),
])  # fmt: skip
def test_an_unknown_arm_is_refused(strategies: str, without: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_arms(strategies, without)


def test_a_cell_is_a_run_with_the_budget_and_a_folder_of_its_own(tmp_path: Path) -> None:
    arms = read_arms("evokd,full_shot", ["score"])
    grid = make_grid(["avis_clients", "support_tickets"], arms, [1, 2], tmp_path, 5000, sets=["test_limit=10"])
    assert len(grid.cells) == 12 == len({grid.root(cell) for cell in grid.cells})
    ablation = next(cell for cell in grid.cells if cell.name == "avis_clients-evokd-no_score-s2")
    config = grid.config(ablation)
    assert (config.without, config.seed, config.budget.tokens, config.test_limit) == (("score",), 2, 5000, 10)
    assert config.iterations > 100
    ceiling = grid.config(next(cell for cell in grid.cells if cell.arm.strategy == "full_shot"))
    assert (ceiling.budget.tokens, ceiling.iterations) == (None, 1)


def test_a_fault_is_told_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"student\.epochs"):
        make_grid(["avis_clients"], read_arms("evokd", []), [1], tmp_path, sets=["student.epochs=none"])
    with pytest.raises(UserError, match="tasks of different names, got 'avis_clients'"):
        make_grid(["avis_clients", "avis_clients"], read_arms("evokd", []), [1], tmp_path)
