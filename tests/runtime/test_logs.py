"""What may be said in the log."""

import json
import logging

import pytest

from runtime import context, logs
from tests import log_lines


@pytest.mark.parametrize("server", ["django.request", "gunicorn.error"])
def test_what_servers_warn_of_a_caller_stays_out_of_the_log(server):
    logs.configure("test", "INFO")
    assert not logging.getLogger(server).isEnabledFor(logging.WARNING)
    assert logging.getLogger(server).isEnabledFor(logging.ERROR)


@pytest.mark.parametrize(
    ("at", "time"),
    [
        (1_790_000_000.25, "2026-09-21T14:13:20.250000+00:00"),
        (1_790_000_000.9999999, "2026-09-21T14:13:21.000000+00:00"),
    ],
)
def test_a_line_of_an_answer_has_the_form_of_all_lines(at, time):
    request = context.received(request_id="", traceparent="", component="reco")
    line = logs._answered(request, at, "GET", '^a/"\\d+$', 200, 0.00125)
    assert not log_lines.faults(line.decode())
    told = json.loads(line)
    assert (told["time"], told["route"]) == (time, '^a/"\\d+$')
    assert (told["status"], told["duration_ms"]) == (200, 1.25)
