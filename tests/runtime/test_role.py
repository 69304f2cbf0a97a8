"""Whatever a role writes is a line of the log."""

import json
import os
import subprocess
import sys

import pytest

from tests import log_lines

SAYS = {
    "printed": ("import sys; print('hello'); print('no end', end='', file=sys.stderr)", 0),
    "warned": ("import warnings; warnings.warn('old')", 0),
    "raised": ("raise KeyError('lost')", 1),
    "ended": ("raise SystemExit('MULTIRECO_X: missing\\nSee docs.')", 3),
    "in a thread": ("import threading; threading.Thread(target=lambda: 1 / 0).start()", 0),
    "with a code": ("raise SystemExit(3)", 3),
}


@pytest.mark.parametrize("how", SAYS)
def test_each_line_is_of_the_one_form_and_the_exit_code_is_kept(how, tmp_path):
    code, exit_code = SAYS[how]
    (tmp_path / "said.py").write_text(code)
    ran = subprocess.run(
        [sys.executable, "-m", "runtime.role", "train", "said"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.path.abspath("src")},
        capture_output=True,
        text=True,
    )
    lines = ran.stdout.splitlines()
    assert (ran.returncode, ran.stderr) == (exit_code, "")
    assert [fault for line in lines for fault in log_lines.faults(line)] == []
    assert all(json.loads(line)["component"] == "train" for line in lines)
    assert len(lines) == {"printed": 2, "with a code": 0}.get(how, 1)
