"""The golden documents are what running the golden task gives."""

import json

import golden


def test_the_golden_task_gives_the_golden_result(tmp_path):
    result, events = golden.run(tmp_path)
    assert result == json.loads((golden.HERE / "result.json").read_text())
    assert events == [json.loads(line) for line in (golden.HERE / "events.jsonl").read_text().splitlines()]
