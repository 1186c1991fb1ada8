"""replay: which examples of the history are trained on again in this iteration."""

from __future__ import annotations

from langgraph.runtime import Runtime

from agent.memory import balanced, periodic, uniform
from agent.rundir import read_jsonl, write_jsonl
from agent.state import Context, State, StudentLane


def replay(state: State, runtime: Runtime[Context]) -> StudentLane:
    """Writes replayed.jsonl: ids drawn from the history of earlier iterations."""
    context, iteration = runtime.context, state["iteration"]
    config = context.config.replay
    history = [row for row in read_jsonl(context.run.history) if row["iteration"] < iteration]
    rng = context.rng(iteration, "replay")
    if config.policy == "balanced":
        chosen = balanced([row["label"] for row in history], config.size, rng)
    elif config.policy == "periodic":
        chosen = periodic(iteration, config.every, len(history), config.size, rng)
    else:
        chosen = uniform(len(history), config.size, rng)
    write_jsonl(context.run.iteration(iteration).replayed, [{"id": history[i]["id"]} for i in chosen])
    return {}
