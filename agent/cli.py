"""The commands. The only file that prints.

Exit codes: 0 done, 2 the user's mistake, 3 the budget ended the run (the report is still written), 130 interrupted.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live

from agent import __version__
from agent.config import PARTS, read_recipe
from agent.das import Rule
from agent.plan import configure
from tasks.faults import Fault, UserError

app = typer.Typer(
    help="Distil a large language model into a small model you own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tasks_app = typer.Typer(help="List the bundled tasks, or write a new one.", invoke_without_command=True)
models_app = typer.Typer(help="List the models that are fetched by name.", invoke_without_command=True)
teacher_app = typer.Typer(help="Serve a local teacher, or see what an endpoint can do.", no_args_is_help=True)
app.add_typer(tasks_app, name="tasks")
app.add_typer(models_app, name="models")
app.add_typer(teacher_app, name="teacher")

out = Console(highlight=False, soft_wrap=True, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

BUDGET_ENDED, MISTAKE, INTERRUPTED = 3, 2, 130

TaskName = Annotated[str, typer.Argument(help="A bundled task, or the path of a task.yaml.", metavar="TASK")]
RunFolder = Annotated[Path, typer.Argument(help="A run folder.", metavar="RUN")]
Recipe = Annotated[Path | None, typer.Option(help="A YAML file with any part of the configuration.")]
Sets = Annotated[list[str] | None, typer.Option("--set", help="One field, e.g. student.epochs=4. Repeatable.")]
StrategyName = Annotated[str | None, typer.Option("--strategy", help="evokd, or a baseline.")]
Without = Annotated[str | None, typer.Option(help=f"Parts to leave out, with commas between: {', '.join(PARTS)}.")]
Seed = Annotated[int | None, typer.Option(help="The seed of every random choice.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def run(
    task: TaskName,
    recipe: Recipe = None,
    sets: Sets = None,
    run_dir: Annotated[Path | None, typer.Option(help="A new folder; default runs/<task>-<strategy>-…")] = None,
    strategy: StrategyName = None,
    without: Without = None,
    seed: Seed = None,
    teacher: Annotated[str | None, typer.Option(help="`replay`: answer from the ledger alone.")] = None,
    as_json: AsJson = False,
) -> None:
    """Distil TASK into a student; prints the result and where the report is."""
    from agent.run import launch

    fields, where = _asked(task, recipe, strategy, without, seed)
    mode = [] if teacher is None else [f"teacher.mode={teacher}"]
    config = configure(fields, [*(sets or []), *mode], where)
    named = Path(task).resolve().parent.name if Path(task).suffix else Path(task).name
    root = run_dir or _free_folder(f"{named}-{config.strategy}")
    with _display(root) as progress:
        result = launch(config, root, progress)
    _finish(result, root, as_json)


@app.command()
def resume(folder: RunFolder, as_json: AsJson = False) -> None:
    """Continue RUN where it was cut. What was paid is not paid again."""
    from agent.run import resume as resume_run

    with _display(folder) as progress:
        result = resume_run(folder, progress)
    _finish(result, folder, as_json)


@app.command()
def plan(
    task: TaskName, recipe: Recipe = None, sets: Sets = None, strategy: StrategyName = None,
    without: Without = None, seed: Seed = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Calls, tokens, cost and one rendered prompt of each kind, before anything is spent."""
    from agent.estimate import estimate

    fields, where = _asked(task, recipe, strategy, without, seed)
    figures = estimate(configure(fields, sets or [], where))
    if as_json:
        out.print_json(data=figures)
        return
    for line in figures["lines"]:
        out.print(line, markup=False)
    for call, messages in figures["prompts"].items():
        out.print(f"\n── {call} ──", style="bold")
        for role, content in messages:
            out.print(f"[{role}] ", style="dim", end="", markup=False)
            out.print(content, markup=False)


@app.command()
def graph(
    task: TaskName, recipe: Recipe = None, sets: Sets = None, strategy: StrategyName = None,
    without: Without = None,
) -> None:  # fmt: skip
    """Draw the graph that will run, as Mermaid."""
    from agent.graph import drawing
    from agent.plan import plan_of
    from tasks.task import load_task

    fields, where = _asked(task, recipe, strategy, without, None)
    config = configure(fields, sets or [], where)
    out.print(drawing(plan_of(config, load_task(task))), markup=False, end="")


@app.command()
def report(folder: RunFolder, as_json: AsJson = False) -> None:
    """Write RUN's report.html anew and say what is in it; works on a run that is still going."""
    from agent.report.page import report_page
    from agent.rundir import RunDir, read_json, read_jsonl, write_text

    run_dir = RunDir.open(folder)
    write_text(run_dir.report, report_page(run_dir))
    if as_json:
        result = read_json(run_dir.result) if run_dir.result.exists() else None
        out.print_json(data={"result": result, "metrics": read_jsonl(run_dir.metrics)})
        return
    from agent.progress import iteration_line
    from agent.report.record import read_record

    metric = read_record(run_dir).metric
    for row in read_jsonl(run_dir.metrics):
        out.print(iteration_line(row, metric), markup=False)
    out.print(f"report: {run_dir.report}", markup=False)


@app.command()
def ablate(
    tasks: Annotated[list[str], typer.Argument(help="Bundled tasks, or paths of task.yaml files.", metavar="TASK...")],
    strategies: Annotated[str, typer.Option(help="With commas between; --without is of the first.")] = "evokd",
    without: Annotated[
        list[str] | None, typer.Option(help="An arm: the first strategy less these parts, e.g. easy. Repeatable.")
    ] = None,
    vary: Annotated[
        list[str] | None, typer.Option(help="An arm: the first strategy with this setting, e.g. shots=3. Repeatable.")
    ] = None,
    seeds: Annotated[str, typer.Option(help="1..5, or 1,2,7.")] = "1..3",
    budget_tokens: Annotated[int | None, typer.Option(min=1, help="Teacher tokens of each cell.")] = None,
    control: Annotated[str, typer.Option(help="The strategy that differences are taken to.")] = "pool_random",
    runs: Annotated[Path, typer.Option(help="The grid's folder; what is done there is skipped.")] = Path("runs/ablate"),
    ray: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster to run the cells on, or auto.", metavar="ADDRESS")
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(min=0, help="With --ray: GPUs of each cell, also a fraction; one where there are any."),
    ] = None,
    recipe: Recipe = None,
    sets: Sets = None,
    table_only: Annotated[bool, typer.Option("--table", help="Run nothing; the table of what is done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run a grid of strategies and ablations over seeds; write table.md, table.csv and grid.html. Resumes."""
    from agent.baselines.strategy import find_strategy
    from agent.experiments.cells import make_grid, read_arms, read_seeds
    from agent.experiments.drive import run_grid
    from agent.experiments.on_ray import run_grid_on_ray
    from agent.experiments.write import write_results

    if gpus is not None and ray is None:
        raise UserError(Fault("--gpus", "--ray ADDRESS beside it", "none", "Give --ray, or leave --gpus out."))
    arms = read_arms(strategies, without or [], vary or [])
    if control not in strategies.split(","):
        find_strategy(control)  # no arm of this grid, so its column stays empty; a name that is none is a mistake
    fields = read_recipe(recipe) if recipe else {}
    grid = make_grid(tasks, arms, read_seeds(seeds), runs, budget_tokens, fields, sets or [])
    if not table_only:
        with _display(runs, f"evokd ablate with --runs {runs} again") as progress:
            if ray is None:
                run_grid(grid, progress)
            else:
                run_grid_on_ray(grid, ray, gpus, progress)
    written = write_results(grid, control)
    if as_json:
        out.print_json(data=written.rows)
        return
    out.print(written.markdown, markup=False)
    out.print(f"table: {runs / 'table.md'}, {runs / 'table.csv'}   page: {runs / 'grid.html'}", markup=False)


@app.command()
def sweep(
    folder: RunFolder,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="Values of a setting of the student, e.g. student.lora.rank=4,8. Repeatable."),
    ] = None,
    seeds: Annotated[str, typer.Option(help="1..5, or 1,2,7.")] = "1..3",
    as_json: AsJson = False,
) -> None:
    """Train RUN's student again with other settings (LoRA rank, learning rate, epochs): no teacher token. Resumes."""
    from agent.experiments.cells import read_seeds
    from agent.experiments.sweep import USUAL
    from agent.experiments.sweep import sweep as sweep_run
    from agent.experiments.sweep_page import lines_of, sweep_markdown, sweep_page
    from agent.rundir import RunDir, write_text

    with _display(folder, f"evokd sweep {folder} again") as progress:
        done = sweep_run(folder, vary or USUAL, read_seeds(seeds), progress)
    lines, place = lines_of(done), RunDir(folder).sweeps
    write_text(place / "table.md", sweep_markdown(lines))
    write_text(place / "sweep.html", sweep_page(lines, folder.name))
    if as_json:
        out.print_json(data=[{"setting": one.arm.name, "seed": one.seed, **one.found} for one in done])
        return
    out.print(sweep_markdown(lines), markup=False)
    out.print(f"table: {place / 'table.md'}   page: {place / 'sweep.html'}", markup=False)


@app.command()
def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(
            help="Two run folders or more; RUN@2: after iteration 2; RUN@base: untrained.", metavar="RUN RUN..."
        ),
    ],
    page: Annotated[
        Path | None, typer.Option("--out", help="Also write a page with the curves.", metavar="FILE.html")
    ] = None,
    bertscore: Annotated[
        str | None,
        typer.Option(help="Of free answers: BERTScore by this encoder, e.g. all-MiniLM-L6-v2.", metavar="MODEL"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Runs side by side against the first: score, cost, test texts gained and lost, and the settings that differ."""
    from agent.experiments.compare import compare as compare_runs
    from agent.experiments.compare import split
    from agent.experiments.compare_page import compare_page, tables
    from agent.rundir import write_text

    within = page is not None and {split(folder)[0].resolve() for folder in folders} & set(page.resolve().parents)
    if page is not None and (page.suffix != ".html" or within):
        remedy = "Nothing is written into the folder of a run that has ended."
        raise UserError(Fault("--out", "an .html file outside of the runs", str(page), remedy))
    found = compare_runs(folders, bertscore, lambda message: err.print(message, markup=False))
    if page is not None:
        write_text(page, compare_page(found))
    if as_json:
        out.print_json(data=found)
        return
    for table in tables(found):
        out.print(f"── {table.title} ──", style="bold")
        if table.rows:
            _in_columns([table.head, *table.rows])
        out.print(f"{table.explained}\n", markup=False)
    if page is not None:
        out.print(f"page: {page}", markup=False)


@app.command()
def judge(
    first: Annotated[Path, typer.Argument(help="As of `compare`, e.g. runs/x@base.", metavar="RUN")],
    second: Annotated[Path, typer.Argument(help="Whose teacher is the judge.", metavar="RUN")],
    limit: Annotated[int | None, typer.Option(min=1, help="Judge so many test requests, drawn at random.")] = None,
    sets: Sets = None,
    as_json: AsJson = False,
) -> None:
    """Which of two students answers the test requests better, by the teacher; each pair is asked in both orders."""
    from agent.judge import judge as judge_runs
    from agent.report.wording import gain, percent, plural

    with _display(second, "give the same command again") as progress:
        found = judge_runs([first, second], limit, sets or [], progress)
    if as_json:
        out.print_json(data=found)
        return
    ahead, low, high = (gain(0.0, found["ahead"][name]) for name in ("mean", "low", "high"))
    out.print(
        f"of {plural(found['requests'], 'request')} {found['first']} wins {found['first_wins']}, {found['second']} "
        f"{found['second_wins']}; {found['ties']} ties ({found['same_text']} with the same answer)",
        markup=False,
    )
    out.print(f"{found['second']} is ahead by {ahead} points of a hundred [{low}, {high}]", markup=False)
    spoken = 2 * (found["requests"] - found["same_text"])
    if spoken:
        taken = percent(round(found["in_place_a"] * spoken), spoken)
        out.print(f"the judge took the answer in the first place in {taken} of {spoken} calls; a win is one in both "
                  f"orders; {found['unread']} replies could not be read", markup=False)  # fmt: skip


@app.command()
def predict(
    folder: RunFolder,
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; without any, lines of --file or stdin.")] = None,
    file: Annotated[Path | None, typer.Option(help="A text a line, or a JSON object a line (pairs).")] = None,
    as_json: AsJson = False,
) -> None:
    """Labels of texts by RUN's student, or the entities in them."""
    from agent.predict import predictions, read_texts
    from tasks.spans import in_words

    if texts and file is not None:
        raise UserError(Fault("TEXTS and --file", "texts of one of them", "both", "Leave one out."))
    given = [("TEXTS", text) for text in texts] if texts else read_texts(file)
    for row in predictions(folder, given):
        if as_json:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        elif "entities" in row:
            out.print(
                "\t".join([in_words(row["text"], row["entities"]), f"{row['confidence']:.3f}", row["text"]]),
                markup=False,
            )
        elif "stopped" in row:
            out.print(row["written"] if row["stopped"] else f"{row['written']} …", markup=False)
        else:
            said = [value for field, value in row.items() if field not in {"label", "confidence", "probabilities"}]
            out.print("\t".join([row["label"], f"{row['confidence']:.3f}", *said]), markup=False)


@app.command()
def teach(
    folder: RunFolder,
    example: Annotated[str, typer.Option(help="A row of the task's data as JSON, e.g. its text and `label`.")],
    paraphrases: Annotated[int, typer.Option(min=0, max=50, help="Asked of the teacher, to see what it learned.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Teach RUN's student one example more, and say what it learned and what it forgot."""
    from agent.report.wording import METRICS, clip, gain, plural, points
    from agent.teach import teach as teach_run

    with _display(folder, "give the same command again") as progress:
        done = teach_run(folder, example, paraphrases, progress)
    if as_json:
        out.print_json(data=done)
        return
    before, after, test = done["before"], done["after"], done["test"]
    count, answer = len(done["paraphrases"]), clip(done["answer"], 60)
    low, high = (gain(0.0, value) for value in test["interval"])
    out.print(f"learned: {done['verdict']['learned']}; forgotten: {done['verdict']['forgotten']}", markup=False)
    out.print(
        f"the example: {clip(before['label'], 60)} → {clip(after['label'], 60)}, p({answer}) "
        f"{before['confidence']:.2f} → "
        f"{after['confidence']:.2f}; of {plural(count, 'paraphrase')} right: {before['paraphrases_right']} → "
        f"{after['paraphrases_right']}",
        markup=False,
    )
    score = f"test {METRICS[done['metric']]} {points(before['test'])} → {points(after['test'])}"
    out.print(
        f"{score} ({gain(0.0, test['difference'])} [{low}, {high}]); of {plural(test['texts'], 'text')} "
        f"{test['now_wrong']} went wrong, {test['now_right']} right",
        markup=False,
    )
    out.print(
        f"the student: {done['path']}; `evokd predict` takes it from now on; remove the folder to undo it", markup=False
    )


@app.command()
def score(
    file: Annotated[Path, typer.Argument(help="Rows of instruction+output, prompt+completion or text.")],
    student: Annotated[
        str, typer.Option(help="A causal model: of the catalogue, a folder, a .gguf file or a hub name.")
    ] = "smollm2-135m-instruct",
    teacher_model: Annotated[
        str | None, typer.Option(help="A causal model in the teacher's place; else the rows have teacher_logprobs.")
    ] = None,
    rule: Annotated[Rule, typer.Option(help="What is kept; random and longest are controls.")] = "count",
    keep: Annotated[float | None, typer.Option(help="The best fraction of what the rule keeps.")] = None,
    margin: Annotated[float | None, typer.Option(help="A teacher sentence has d above; 0.1, with ratio 0.2.")] = None,
    sure: Annotated[float | None, typer.Option(help="… and p(teacher) above; 0, with ratio 0.6.")] = None,
    share: Annotated[float, typer.Option(help="ratio: an example has a larger share of them.")] = 0.3,
    language: Annotated[str, typer.Option(help="Whose rules find the sentences, e.g. fr.")] = "en",
    seed: Seed = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="A new folder; default runs/<file>-score-…")] = None,
    as_json: AsJson = False,
) -> None:
    """DAS of the texts of FILE: which sentences are the teacher's, and which examples a rule keeps."""
    from agent.score import score as score_file
    from agent.scoring import Scoring

    asked = Scoring(
        file, student, teacher_model, rule, keep, margin, sure, share, language, 1 if seed is None else seed
    )
    folder = out_folder or _free_folder(f"{file.stem}-score")
    with _display(folder, "give the same command again") as progress:
        found = score_file(asked, folder, progress.say)
    if as_json:
        out.print_json(data=found)
        return
    from agent.report.wording import plural

    reasons = ", ".join(f"{count} {reason}" for reason, count in found["dropped"].items())
    classes = ", ".join(f"{count:,} {name}" for name, count in found["before"]["sentences"].items())
    out.print(f"sentences: {classes}", markup=False)
    out.print(f"kept {found['kept']} of {plural(found['made'], 'example')} by {rule}", markup=False)
    if reasons:
        out.print(f"dropped: {reasons}", markup=False)
    if keep is None and rule != "ratio" and found["prompts"] == found["before"]["examples"]:
        out.print("every prompt has one candidate, so none was chosen: --keep 0.3 keeps the best three of ten")
    out.print(f"report: {folder / 'report.html'}   kept: {folder / 'kept.jsonl'}", markup=False)


@models_app.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """Students and local teachers that are fetched by name; a hub name or a folder will do as well."""
    if context.invoked_subcommand is None:
        models_list(as_json)


@models_app.command("list")
def models_list(as_json: AsJson = False) -> None:
    """The same: parameters, the least memory to train each, and the texts to put through it at once."""
    from agent.footprint import least_bytes, recommended_batch
    from agent.weights import CATALOGUE

    rows: list[dict[str, Any]] = [
        {
            "name": one.name, "role": one.role, "parameters": one.parameters * 10**6, "megabytes": one.megabytes,
            "hub": one.hub, "gated": one.gated, "lora_bytes": least_bytes(one.parameters * 10**6, "lora"),
            "qlora_bytes": least_bytes(one.parameters * 10**6, "qlora") if one.decoder else None,
            "batch": recommended_batch(one.parameters * 10**6), "path": str(one.place) if one.fetched else None,
        }
        for one in CATALOGUE
    ]  # fmt: skip
    if as_json:
        out.print_json(data=rows)
        return
    lines = [("name", "role", "M parameters", "LoRA, GB", "QLoRA, GB", "batch", "where it is", "on the hub")]
    for row in rows:
        least = [f"{size / 10**9:.1f}" if size else "–" for size in (row["lora_bytes"], row["qlora_bytes"])]
        there = row["path"] or f"{row['megabytes']:,} MB to fetch"
        hub = f"{row['hub']} (gated)" if row["gated"] else row["hub"]
        millions, batch = f"{row['parameters'] // 10**6:,}", str(row["batch"])
        lines.append((row["name"], row["role"], millions, *least, batch, there, hub))
    _in_columns(lines)
    out.print("GB: free memory to train it on a processor. batch: student.micro_batch where memory is short.")


@tasks_app.callback()
def tasks_list(context: typer.Context, as_json: AsJson = False) -> None:
    """List the bundled tasks."""
    if context.invoked_subcommand:
        return
    from tasks.task import bundled_tasks, load_task

    rows: list[dict[str, Any]] = []
    for name in bundled_tasks():
        task = load_task(name)
        sizes = {part: len(getattr(task, part)) for part in ("seed", "dev", "pool", "test")}
        rows.append({"name": name, "kind": task.kind, "language": task.language, "labels": list(task.labels), **sizes})
    if as_json:
        out.print_json(data=rows)
        return
    for row in rows:
        labels = ", ".join(row["labels"])
        out.print(f"{row['name']} ({row['kind']}, {row['language']}): {labels}", markup=False)
        out.print(f"    seed {row['seed']}, pool {row['pool']}, test {row['test']} texts", markup=False)


@tasks_app.command("new")
def tasks_new(
    name: Annotated[str, typer.Argument(help="The task's name; a folder of this name is made.")],
    kind: Annotated[str, typer.Option(help="The task kind.")] = "classification",
) -> None:
    """Write a commented task.yaml and sample data into a new folder NAME."""
    from tasks.new import write_task

    for path in write_task(Path(name), kind):
        out.print(f"wrote {path}", markup=False)
    out.print(f"Edit them, then: evokd plan {name}", markup=False)


@teacher_app.command()
def serve(
    model: Annotated[
        str, typer.Argument(help="A name of the catalogue, or a .gguf file.")
    ] = "qwen2.5-coder-1.5b-instruct",
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
) -> None:
    """Serve a local model on 127.0.0.1, OpenAI-compatible, until Ctrl-C."""
    from agent.teacher.local import LocalServer

    with LocalServer(model, port=port) as server:
        out.print(f"--set teacher.base_url={server.base_url} --set teacher.model={model}", markup=False)
        out.print("Ctrl-C ends it.", style="dim")
        signal.pause()


@teacher_app.command()
def probe(recipe: Recipe = None, sets: Sets = None, as_json: AsJson = False) -> None:
    """Find what the endpoint can do: reply formats, logprobs, seed. A handful of tiny calls."""
    from agent.config import BudgetConfig, resolve
    from agent.teacher.teacher import open_teacher

    fields = read_recipe(recipe) if recipe else {}
    config = resolve({"task": "-", **fields}, sets or [], str(recipe or "options"))
    with tempfile.TemporaryDirectory() as folder:
        fresh = config.teacher.model_copy(update={"ledger": Path(folder) / "ledger.sqlite", "mode": "live"})
        with open_teacher(fresh, BudgetConfig(), "probe") as teacher:
            found = {role: teacher.can(role).to_json() for role in ("analyst", "generator", "labeller")}
    if as_json:
        out.print_json(data=found)
        return
    for role, abilities in found.items():
        out.print(f"{role}: " + ", ".join(f"{name} {value}" for name, value in abilities.items()), markup=False)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        out.print(f"evokd {__version__}")
        raise typer.Exit()


def main() -> None:
    """The entry point: a user's mistake is one message and exit code 2, never a traceback."""
    try:
        app()  # a mistake in the words of the command is typer's to tell: exit code 2, and 130 for Ctrl-C
    except UserError as error:
        _mistake(error)
        sys.exit(MISTAKE)


def _asked(
    task: str, recipe: Path | None, strategy: str | None, without: str | None, seed: int | None
) -> tuple[dict[str, Any], str]:
    """The recipe with the options laid over it, and its name for messages."""
    fields: dict[str, Any] = {**(read_recipe(recipe) if recipe else {}), "task": task}
    if strategy is not None:
        fields["strategy"] = strategy
    if without is not None:
        fields["without"] = [part.strip() for part in without.split(",") if part.strip()]
    if seed is not None:
        fields["seed"] = seed
    return fields, str(recipe or "options")


def _free_folder(name: str) -> Path:
    """runs/<name>-001, or the next number that is free or empty."""
    number = 1
    while (folder := Path("runs") / f"{name}-{number:03d}").exists() and any(folder.iterdir()):
        number += 1
    return folder


@contextmanager
def _display(root: Path, again: str | None = None) -> Iterator[Any]:
    """The live display on a terminal, a line an iteration elsewhere; Ctrl-C says how to go on."""
    from agent.progress import Progress

    def interrupted(number: int, frame: FrameType | None) -> None:
        err.print(f"\ninterrupted; nothing is lost: {again or f'evokd resume {root}'}", markup=False)
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, interrupted)
    log: Callable[[str], None] = lambda line: err.print(line, markup=False)  # noqa: E731
    try:
        if err.is_terminal:
            progress = Progress()
            with Live(progress, console=err, refresh_per_second=4):
                yield progress
        else:
            yield Progress(log)
    except UserError as error:
        if (root / "config.yaml").exists() and not (root / "result.json").exists():
            raise UserError(
                *error.faults,
                Fault("run", "a run that goes on", "this fault", f"Mend it, then: evokd resume {root}"),
            ) from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def _finish(result: dict[str, Any], root: Path, as_json: bool) -> None:
    """The result in a few lines; exit code 3 when the budget ended the run."""
    from agent.report.wording import METRICS

    if as_json:
        out.print_json(data=result)
    else:
        metric, teacher = result["metric"], result["teacher"]
        tokens = teacher["prompt_tokens"] + teacher["completion_tokens"]
        cost = "price unknown" if teacher["cost"] is None else f"${teacher['cost']:.4f}"
        first = result["curve"][0]["test"]
        name = METRICS[metric["name"]]
        lines = [
            f"test {name} {metric['test']:.3f} (before any teacher label: {first:.3f})",
            f"teacher: {teacher['calls']} calls, {tokens:,} tokens, {cost}; {result['seconds']['total']:.0f} s",
            f"stopped: {result['stopped_because']}",
            f"report:  {root / 'report.html'}",
            f"student: {root / 'model'}",
            f'try it:  evokd predict {root} "…"',
        ]
        for line in lines:
            out.print(line, markup=False)
    if str(result["stopped_because"]).startswith("budget"):
        if not as_json:
            out.print("more:    the same command with a larger budget; the ledger answers what was paid", markup=False)
        raise typer.Exit(BUDGET_ENDED)


def _in_columns(lines: Sequence[Sequence[str]]) -> None:
    """Lines of as many cells each, one below the other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        out.print("  ".join(map(str.ljust, line, widths)).rstrip(), markup=False)


def _mistake(error: UserError) -> None:
    for fault in error.faults:
        err.print(f"evokd: {fault}", markup=False)


if __name__ == "__main__":
    main()
