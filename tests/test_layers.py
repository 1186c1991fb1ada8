"""Imports point one way, nodes stand alone, torch stays in its folder, and only the command line prints."""

from __future__ import annotations

import ast
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "tasks", "prompts")

LAYERS: tuple[tuple[str, ...], ...] = (
    ("tasks", "prompts"),
    ("agent.config", "agent.rundir", "agent.weights", "agent.das", "agent.selection", "agent.memory",
     "agent.valuation", "agent.shortlist", "agent.footprint"),
    ("agent.teacher", "agent.student", "agent.report", "agent.example", "agent.baselines",
     "agent.trust"),
    ("agent.state", "agent.afford", "agent.scoring", "agent.scored", "agent.answer_das",
     "agent.earlier", "agent.unlabelled"),
    ("agent.nodes",),
    ("agent.graph",),
    ("agent.plan",),
    ("agent.run", "agent.progress", "agent.estimate", "agent.predict", "agent.experiments", "agent.teach",
     "agent.judge", "agent.score"),
    ("agent.cli",),
)  # fmt: skip
"""From the ground up: a module imports of its own layer and below, never what stands above it."""
APART = ("agent.teacher", "agent.student", "agent.report")
"""These never import each other."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the three packages, parsed."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in files}
    return {names[path]: ast.parse(path.read_text(encoding="utf-8")) for path in files}


def imports(tree: ast.Module) -> set[str]:
    """The full names of what a module imports, also inside its functions; `from a import b` counts as a.b."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where they point"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def layer(name: str) -> int | None:
    """The layer of a module or of a name in it; None for the version in `agent` and what is not ours."""
    return next((n for n, parts in enumerate(LAYERS) if any(inside(name, part) for part in parts)), None)


def test_every_module_has_its_layer() -> None:
    assert [name for name in modules() if layer(name) is None and name != "agent"] == []


@pytest.mark.parametrize("name", [name for name in modules() if name != "agent"])
def test_a_module_imports_nothing_that_stands_above_it(name: str) -> None:
    own = layer(name)
    above = [other for other in imports(modules()[name]) if (layer(other) or 0) > (own or 0)]
    assert above == []


def test_tasks_and_prompts_import_nothing_of_the_agent() -> None:
    lower = {name: tree for name, tree in modules().items() if not inside(name, "agent")}
    assert [name for name, tree in lower.items() if any(inside(other, "agent") for other in imports(tree))] == []


def test_prompts_import_nothing_of_tasks() -> None:
    mine = {name: tree for name, tree in modules().items() if inside(name, "prompts")}
    assert [name for name, tree in mine.items() if any(inside(other, "tasks") for other in imports(tree))] == []


def test_nodes_never_import_each_other() -> None:
    nodes = {name: tree for name, tree in modules().items() if inside(name, "agent.nodes")}
    assert len(nodes) > 10
    assert [name for name, tree in nodes.items() if any(inside(other, "agent.nodes") for other in imports(tree))] == []


@pytest.mark.parametrize(("one", "other"), [*combinations(APART, 2), *combinations(reversed(APART), 2)])
def test_teacher_student_and_report_do_not_know_each_other(one: str, other: str) -> None:
    mine = {name: tree for name, tree in modules().items() if inside(name, one)}
    assert [name for name, tree in mine.items() if any(inside(found, other) for found in imports(tree))] == []


@pytest.mark.parametrize("library", ["torch", "peft"])
def test_tensors_never_leave_the_student(library: str) -> None:
    users = {name for name, tree in modules().items() if any(inside(found, library) for found in imports(tree))}
    assert users
    assert [name for name in users if not inside(name, "agent.student")] == []


def test_only_the_command_line_prints() -> None:
    """But for the local server, a process of its own that tells its address to the one that began it."""
    printing = {
        name
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert printing <= {"agent.cli", "agent.teacher.local"}


def test_no_fault_is_swallowed_whole() -> None:
    def broad(handler: ast.ExceptHandler) -> bool:
        return handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id == "Exception")

    caught = [
        (name, node.lineno)
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and broad(node)
    ]
    assert [place for place in caught if place[0] != "agent.cli"] == []
