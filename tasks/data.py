"""Rows from a file (JSONL, CSV, Parquet) or from anything `datasets.load_dataset` reads."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tasks.faults import Fault, UserError, quoted

Row = dict[str, Any]
YAML_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML has it: ten times as fast."""


def parse_yaml(text: str) -> Any:
    """What the YAML `text` says. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=YAML_LOADER)


def text_key(text: str) -> str:
    """A hash that is equal for texts that differ only in case and white space."""
    return hashlib.sha256(" ".join(text.casefold().split()).encode()).hexdigest()[:16]


def read_rows(source: str | dict[str, str], folder: Path, where: str) -> list[tuple[str, Row]]:
    """All rows of `source`, each with its place (`file:line`) for messages.

    `source` is a path (relative to `folder`), or the arguments of `datasets.load_dataset` as a mapping
    with `path` and usually `split`.

    Raises:
        UserError: the file is not there, is not UTF-8, or has lines that are not objects.
    """
    if isinstance(source, dict):
        return _from_datasets(source, where)
    path = folder / source
    if not path.is_file():
        raise UserError(Fault(where, "a file", f"{path} (not there)", "Check the path in the task file."))
    if path.suffix == ".parquet":
        return _from_parquet(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        got = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        remedy = "Convert it, e.g. `iconv -f latin1 -t utf-8`."
        raise UserError(Fault(str(path), "UTF-8 text", got, remedy)) from None
    if path.suffix in {".csv", ".tsv"}:
        return list(_from_csv(path, text, "\t" if path.suffix == ".tsv" else ","))
    if path.suffix in {".jsonl", ".ndjson", ".json"}:
        return list(_from_jsonl(path, text))
    remedy = "Rename or convert the file."
    raise UserError(Fault(where, ".jsonl, .csv, .tsv or .parquet", quoted(path.name), remedy))


def _from_jsonl(path: Path, text: str) -> Iterator[tuple[str, Row]]:
    faults = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            row = None
        if not isinstance(row, dict):
            faults.append(Fault(place, "one JSON object a line", quoted(line, 60), "Mend the line."))
            continue
        yield place, row
    if faults:
        raise UserError(*shortened(faults))


def _from_csv(path: Path, text: str, delimiter: str) -> Iterator[tuple[str, Row]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield f"{path}:{reader.line_num}", dict(row)
    except csv.Error as error:
        place = f"{path}:{reader.line_num}"
        raise UserError(Fault(place, "CSV", str(error), 'Close the quotes: every `"` needs its pair.')) from None


def _from_parquet(path: Path) -> list[tuple[str, Row]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except pa.ArrowInvalid as error:
        first = str(error).splitlines()[0]
        raise UserError(Fault(str(path), "a Parquet file", first, "Write it again.")) from None
    return [(f"{path}:{number}", row) for number, row in enumerate(rows, 1)]


def _from_datasets(source: dict[str, str], where: str) -> list[tuple[str, Row]]:
    from datasets import Dataset, load_dataset
    from datasets.exceptions import DatasetsError

    try:
        data = load_dataset(**source)
    except (DatasetsError, OSError, ValueError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        remedy = "Check path and split, and that this machine reaches the hub."
        raise UserError(Fault(where, "arguments of datasets.load_dataset", first, remedy)) from None
    if not isinstance(data, Dataset):
        remedy = f"Add `split:`, one of {', '.join(map(str, data))}."
        raise UserError(Fault(where, "one split", "several", remedy))
    names = {name: feature.names for name, feature in data.features.items() if hasattr(feature, "names")}
    rows = [{k: _named(v, names.get(k)) for k, v in row.items()} for row in data]
    return [(f"{source.get('path')}[{number}]", row) for number, row in enumerate(rows)]


def _named(value: Any, names: list[str] | None) -> Any:
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value


def shortened(faults: list[Fault], limit: int = 20) -> list[Fault]:
    """At most `limit` faults, the last one saying how many more there are."""
    if len(faults) <= limit:
        return faults
    last = faults[limit - 1]
    more = f"{last.remedy} (And {len(faults) - limit} more faults of this kind.)"
    return [*faults[: limit - 1], Fault(last.where, last.expected, last.got, more)]
