"""No line is lost, cut or written twice, however a process ends by itself or is told to."""

import subprocess
import sys

SERVER = """
import asyncio, os, signal, threading, urllib.request, uvicorn
from runtime import logs
from runtime.asgi import answer
from runtime.local.servers import free_port
from runtime.shell import shell

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})
        return
    await answer(send, status=200, body=b"", media_type="text/plain")

async def ready():
    return {}

def ask():
    told = {"X-Request-ID": "its-last"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/", headers=told)
    while True:
        try:
            urllib.request.urlopen(asked).close()
            return os.kill(os.getpid(), signal.SIGTERM)
        except OSError:
            pass

port = free_port()
logs.configure("test", "INFO")
threading.Thread(target=ask).start()
uvicorn.run(shell(app, component="test", readiness=ready), port=port, log_config=None)
"""


def _said(script: str) -> list[bytes]:
    ran = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, check=False, timeout=60
    )
    return ran.stdout.splitlines()


def test_a_process_that_ends_has_written_all():
    assert _said("from runtime import stdout; stdout.put(b'one\\n'); stdout.put(b'two\\n')") == [
        b"one",
        b"two",
    ]


def test_a_process_that_lives_on_writes_within_a_moment():
    script = "from runtime import stdout; import time, os; stdout.put(b'soon\\n'); time.sleep(2)"
    assert _said(f"{script}; os._exit(0)") == [b"soon"]


def test_a_server_that_is_told_to_stop_has_written_its_last_answer():
    assert sum(b"its-last" in line for line in _said(SERVER)) == 1


def test_a_fork_does_not_repeat_what_its_parent_had_put_and_writes_its_own():
    script = """
import os
from runtime import stdout
stdout.put(b"parent\\n")
if child := os.fork():
    os.waitpid(child, 0)
else:
    stdout.put(b"child\\n")
"""
    assert sorted(_said(script)) == [b"child", b"parent"]


def test_lines_stay_whole_and_in_order_beside_those_of_another_process():
    script = """
import os
from runtime import stdout
child = os.fork()
for number in range(20_000):
    stdout.put(b"%d %05d %s\\n" % (bool(child), number, b"x" * (number % 300)))
if child:
    os.waitpid(child, 0)
"""
    lines = _said(script)
    wanted = [b"%05d %s" % (number, b"x" * (number % 300)) for number in range(20_000)]
    assert [line[2:] for line in lines if line.startswith(b"1")] == wanted
    assert [line[2:] for line in lines if line.startswith(b"0")] == wanted


def test_a_reader_that_is_slow_holds_up_nobody():
    script = """
import os, threading, time
from runtime import stdout
reading, writing = os.pipe()
os.dup2(writing, 1)
for _ in range(1_000):
    stdout.put(b"x" * 1_000 + b"\\n")
time.sleep(1)
more = threading.Thread(target=stdout.put, args=[b"y\\n"], daemon=True)
more.start()
more.join(timeout=5)
os.write(2, b"held up" if more.is_alive() else b"alive")
os._exit(0)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, check=True, timeout=60
    )
    assert ran.stderr == b"alive"


def test_a_reader_that_left_is_no_fault():
    script = """
import os
from runtime import stdout
os.dup2(os.pipe()[1], 1)
os.closerange(3, 100)
stdout.put(b"to nobody\\n")
stdout.flush()
os.write(2, b"alive")
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, check=True, timeout=60
    )
    assert ran.stderr == b"alive"
