"""Rows from files and from datasets, each with its place; what cannot be read says where and why."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tasks.data import read_rows, shortened, text_key
from tasks.faults import Fault, UserError


@pytest.fixture(autouse=True)
def nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """datasets counts its loads on a server of its makers unless it is told not to."""
    monkeypatch.setattr("datasets.config.HF_UPDATE_DOWNLOAD_COUNTS", False)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


ROWS = [{"text": "good", "label": "a"}, {"text": "bad", "label": "b"}]


def read(folder: Path, name: str, content: str | bytes) -> list[tuple[str, dict[str, object]]]:
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return read_rows(name, folder, "task.yaml: data.seed")


def mistake(folder: Path, name: str, content: str | bytes) -> str:
    with pytest.raises(UserError) as caught:
        read(folder, name, content)
    return str(caught.value)


def test_texts_that_differ_in_case_and_space_have_one_key() -> None:
    assert text_key(" Straße  zu\n") == text_key("STRASSE zu")
    assert text_key("a b") != text_key("ab")


def test_jsonl_rows_come_with_their_line_and_blank_lines_count(tmp_path: Path) -> None:
    content = json.dumps(ROWS[0]) + "\n\n" + json.dumps(ROWS[1]) + "\r\n"
    assert read(tmp_path, "x.jsonl", content) == [
        (f"{tmp_path}/x.jsonl:1", ROWS[0]),
        (f"{tmp_path}/x.jsonl:3", ROWS[1]),
    ]


@pytest.mark.parametrize("mark", ["\u2028", "\x0c", "\x85"])
def test_an_odd_line_separator_inside_a_text_does_not_end_the_row(tmp_path: Path, mark: str) -> None:
    text = f"one{mark}two"
    in_json = read(tmp_path, "x.jsonl", json.dumps({"text": text}, ensure_ascii=False))
    in_csv = read(tmp_path, "x.csv", f"text,label\n{text},a\n")
    assert [row["text"] for _, row in in_json] == [text]
    assert [row["text"] for _, row in in_csv] == [text]


def test_csv_from_a_spreadsheet_with_a_byte_order_mark_and_a_quoted_line_break(tmp_path: Path) -> None:
    rows = read(tmp_path, "x.csv", b'\xef\xbb\xbftext,label\r\n"good, ""very""\r\nindeed",a\r\nbad,b\r\n')
    assert rows == [
        (f"{tmp_path}/x.csv:3", {"text": 'good, "very"\nindeed', "label": "a"}),
        (f"{tmp_path}/x.csv:4", {"text": "bad", "label": "b"}),
    ]


def test_tsv(tmp_path: Path) -> None:
    assert [row for _, row in read(tmp_path, "x.tsv", "text\tlabel\ngood, very\ta\n")] == [
        {"text": "good, very", "label": "a"}
    ]


def test_a_quote_that_never_closes_is_a_mistake_with_its_line(tmp_path: Path) -> None:
    said = mistake(tmp_path, "x.csv", 'text,label\n"good,a\n' + "x,y\n" * 50_000)
    assert said.startswith(f"{tmp_path}/x.csv:") and "expected CSV" in said and "quotes" in said


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "x.parquet")
    assert read_rows("x.parquet", tmp_path, "w") == [
        (f"{tmp_path}/x.parquet:1", ROWS[0]),
        (f"{tmp_path}/x.parquet:2", ROWS[1]),
    ]


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    assert "x.parquet: expected a Parquet file, got" in mistake(tmp_path, "x.parquet", b"PAR1 no")


def test_a_file_that_is_not_there_is_named_with_the_field(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"task\.yaml: data\.seed: expected a file, got .*none\.jsonl \(not there\)"):
        read_rows("none.jsonl", tmp_path, "task.yaml: data.seed")


def test_another_kind_of_file_is_told_with_those_that_are_read(tmp_path: Path) -> None:
    said = mistake(tmp_path, "x.xlsx", "PK")
    assert ".jsonl, .csv, .tsv or .parquet" in said and "'x.xlsx'" in said


def test_bytes_that_are_not_utf8_are_shown_with_their_place_and_a_remedy(tmp_path: Path) -> None:
    said = mistake(tmp_path, "x.jsonl", '{"text": "café"}'.encode("latin-1"))
    assert said == (
        f"{tmp_path}/x.jsonl: expected UTF-8 text, got byte 0xe9 at offset 13. "
        "Convert it, e.g. `iconv -f latin1 -t utf-8`."
    )


def test_every_line_that_is_no_object_is_named(tmp_path: Path) -> None:
    said = mistake(tmp_path, "x.jsonl", '{"text": "ok"}\n[1]\n{"text": \n').splitlines()
    assert [line.split(": ", 1)[0] for line in said] == [f"{tmp_path}/x.jsonl:2", f"{tmp_path}/x.jsonl:3"]
    assert "'[1]'" in said[0]


def test_more_than_twenty_faults_are_counted_not_listed(tmp_path: Path) -> None:
    said = mistake(tmp_path, "x.jsonl", "no\n" * 50).splitlines()
    assert len(said) == 20
    assert said[-1].endswith("(And 30 more faults of this kind.)")


def test_twenty_faults_are_all_listed() -> None:
    faults = [Fault(str(n), "a", "b", "c.") for n in range(20)]
    assert shortened(faults) == faults


def test_the_arguments_of_load_dataset(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    source = {"path": "json", "data_files": f"{tmp_path}/x.jsonl", "cache_dir": f"{tmp_path}/cache"}
    assert read_rows({**source, "split": "train"}, tmp_path, "w") == [("json[0]", ROWS[0]), ("json[1]", ROWS[1])]
    with pytest.raises(UserError, match=r"w: expected one split, got several\. Add `split:`, one of train\."):
        read_rows(source, tmp_path, "w")
    with pytest.raises(UserError, match=r"w: expected arguments of datasets\.load_dataset, got Unknown split"):
        read_rows({**source, "split": "none"}, tmp_path, "w")


def test_class_numbers_of_a_dataset_become_their_names(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["b", "a"])})
    Dataset.from_list([{"text": "good", "label": 1}], features=features).to_parquet(f"{tmp_path}/x.parquet")
    source = {"path": "parquet", "data_files": f"{tmp_path}/x.parquet", "split": "train", "cache_dir": f"{tmp_path}/c"}
    assert read_rows(source, tmp_path, "w") == [("parquet[0]", {"text": "good", "label": "a"})]
