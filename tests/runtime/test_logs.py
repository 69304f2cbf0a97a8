"""What may be said in the log."""

import logging

import pytest

from runtime import logs


@pytest.mark.parametrize("server", ["django.request", "gunicorn.error"])
def test_what_servers_warn_of_a_caller_stays_out_of_the_log(server):
    logs.configure("test", "INFO")
    assert not logging.getLogger(server).isEnabledFor(logging.WARNING)
    assert logging.getLogger(server).isEnabledFor(logging.ERROR)
