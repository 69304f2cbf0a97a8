"""What Django promises, kept by the handler that enters no thread."""

import asyncio
import json
import threading

import pytest
from django.core import signals
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.urls import get_script_prefix, path, set_script_prefix
from django.views.decorators.csrf import csrf_exempt

from reco_app.lazy import LazyAnswer
from reco_app.threadless import Threadless, without_threads
from runtime.problems import Problem

pytestmark = pytest.mark.urls(__name__)
seen = []
JSON = (b"content-type", b"application/json")


@csrf_exempt
async def told(request):
    await asyncio.sleep(0)
    seen.append(threading.current_thread())
    text = f"{request.method} {request.path} {get_script_prefix()} {request.body.decode()}"
    return HttpResponse(text, content_type="text/plain", headers={"X-Own": "kept"})


@csrf_exempt
async def broken(request):
    raise RuntimeError("a fault of ours")


@csrf_exempt
async def refused(request):
    raise PermissionDenied


@csrf_exempt
async def problem(request):
    raise Problem("version-conflict", "Somebody was faster.")


@csrf_exempt
async def slow(request):
    try:
        await asyncio.sleep(30)
    except asyncio.CancelledError:
        seen.append("ended")
        raise


@csrf_exempt
async def endless(request):
    async def parts():
        try:
            while True:
                yield b"more "
                await asyncio.sleep(0.001)
        finally:
            seen.append("closed")

    return StreamingHttpResponse(parts())


@csrf_exempt
async def streamed(request):
    async def parts():
        yield b"one "
        yield b"two"

    return StreamingHttpResponse(parts())


@csrf_exempt
async def asked(request):
    return JsonResponse(
        {
            "GET": request.GET.dict(),
            "COOKIES": request.COOKIES,
            "x-two": request.headers.get("X-Two"),
            "host": request.get_host(),
            "unknown": hasattr(request, "unknown"),
        }
    )


@csrf_exempt
async def typed(request):
    return HttpResponse(f"{request.content_type} {request.content_params}")


@csrf_exempt
async def baked(request):
    response = HttpResponse(headers={"X-Frame-Options": "SAMEORIGIN"})
    response.set_cookie("taste", "sweet")
    return response


@csrf_exempt
async def lazy(request):
    return LazyAnswer(b"[1]")


@csrf_exempt
async def touched(request):
    answer = LazyAnswer(b"[1]")
    answer["ETag"] = '"1"'
    answer.set_cookie("taste", "sweet")
    return answer


@csrf_exempt
async def unchanged(request):
    return HttpResponseNotModified()


@csrf_exempt
def synchronous(request):
    return HttpResponse()


async def guarded(request):
    return HttpResponse()


VIEWS = (
    told,
    broken,
    refused,
    problem,
    slow,
    endless,
    streamed,
    asked,
    typed,
    baked,
    lazy,
    touched,
    unchanged,
)
PATHS = [f"/v1/{view.__name__}" for view in VIEWS]
urlpatterns = [
    *(path(f"v1/{view.__name__}", view) for view in VIEWS),
    path("v1/synchronous", synchronous),
    path("v1/guarded", guarded),
]


@pytest.fixture(autouse=True)
def clean():
    seen.clear()
    yield
    set_script_prefix("/")


async def stock(scope, receive, send):
    seen.append("stock")


@pytest.fixture
def application():
    return without_threads(stock, Threadless(PATHS))


class Client:
    """One request, with a connection that stays open until `hang_up`."""

    def __init__(self, application):
        self._application = application
        self._inbox = asyncio.Queue()
        self.receive = self._inbox.get
        self.sent = []

    async def ask(
        self, path, *, method="GET", body=b"", headers=(), root_path="", query_string=b""
    ):
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "root_path": root_path,
            "query_string": query_string,
            "headers": [(b"host", b"reco"), *headers],
        }
        self._inbox.put_nowait({"type": "http.request", "body": body, "more_body": False})
        await self._application(scope, self.receive, self._send)

    def hang_up(self):
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def _send(self, message):
        self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def headers(self):
        return {name.decode().lower(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self):
        return b"".join(message.get("body", b"") for message in self.sent[1:])


@pytest.fixture
def client(application):
    return Client(application)


async def test_a_view_runs_in_the_servers_own_thread(client):
    await client.ask("/v1/told", method="POST", body=b"{}")
    assert (client.status, client.body) == (200, b"POST /v1/told / {}")
    assert seen == [threading.current_thread()]


async def test_no_thread_is_entered(client, monkeypatch):
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "run_in_executor", lambda *_: pytest.fail("a thread was entered"))
    await client.ask("/v1/problem")
    assert client.status == 409


async def test_other_paths_are_left_to_django(client):
    await client.ask("/v1/elsewhere")
    assert seen == ["stock"]


async def test_an_answer_has_the_headers_that_django_adds(client):
    await client.ask("/v1/told")
    assert client.headers == {
        "content-type": "text/plain",
        "content-length": str(len(client.body)),
        "x-own": "kept",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }


async def test_a_script_name_is_no_part_of_the_path(client):
    await client.ask("/below/v1/told", root_path="/below")
    assert client.body == b"GET /below/v1/told /below/ "


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/broken", 500, b'"internal"'),
        ("/v1/refused", 403, b'"forbidden"'),
        ("/v1/problem", 409, b'"version-conflict"'),
    ],
)
async def test_what_a_view_raises_is_a_problem(client, caplog, path, status, code):
    await client.ask(path)
    assert client.status == status
    assert client.headers["content-type"] == "application/problem+json"
    assert code in client.body
    assert [record.exc_info[0] for record in caplog.records] == (
        [RuntimeError] if status == 500 else []
    )


async def test_a_host_that_is_not_served_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]
    await client.ask("/v1/told")
    assert client.status == 400


async def test_receivers_are_told_when_a_request_starts_and_finishes(client):
    async def started(scope, **_):
        seen.append(f"started {scope['path']}")

    def finished(**_):
        seen.append("finished")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    try:
        await client.ask("/v1/problem")
    finally:
        signals.request_started.disconnect(started)
        signals.request_finished.disconnect(finished)
    assert seen == ["started /v1/problem", "finished"]


async def test_a_client_that_hangs_up_ends_the_view(client):
    asking = asyncio.create_task(client.ask("/v1/slow"))
    await asyncio.sleep(0.01)
    client.hang_up()
    await asyncio.wait_for(asking, 1)
    assert (seen, client.sent) == (["ended"], [])


async def test_a_client_that_hangs_up_ends_a_stream(client):
    asking = asyncio.create_task(client.ask("/v1/endless"))
    await asyncio.sleep(0.01)
    client.hang_up()
    await asyncio.wait_for(asking, 1)
    assert seen == ["closed"]


async def test_a_server_that_stops_is_obeyed(client):
    asking = asyncio.create_task(client.ask("/v1/slow"))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_stream_is_sent_in_parts(client):
    await client.ask("/v1/streamed")
    assert client.body == b"one two"
    assert [message.get("more_body", False) for message in client.sent[1:]] == [True, True, False]
    assert "content-length" not in client.headers


@pytest.mark.parametrize("path", ["/v1/synchronous", "/v1/guarded"])
def test_a_view_that_needs_a_thread_or_a_token_is_refused(path):
    with pytest.raises(ImproperlyConfigured):
        Threadless([path])


async def test_all_that_django_reads_from_a_request_is_there_once_it_is_asked_for(client):
    headers = [(b"cookie", b"a=1"), (b"x-two", b"one"), (b"x-two", b"two")]
    await client.ask("/v1/asked", headers=headers, query_string=b"q=%C3%A9")
    assert json.loads(client.body) == {
        "GET": {"q": "é"},
        "COOKIES": {"a": "1"},
        "x-two": "one,two",
        "host": "reco",
        "unknown": False,
    }


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([b"application/json"], "application/json {}"),
        ([b"Text/Plain; charset=latin-1"], "text/plain {'charset': 'latin-1'}"),
        ([b"application/json", b"text/plain"], "application/json,text/plain {}"),
        ([], " {}"),
    ],
)
async def test_the_type_of_a_body_is_read_as_django_reads_it(client, values, told):
    await client.ask("/v1/typed", headers=[(b"content-type", value) for value in values])
    assert client.body.decode() == told


async def test_a_host_named_twice_is_refused_even_if_one_is_served(client):
    await client.ask("/v1/told")
    await client.ask("/v1/told", headers=[(b"host", b"other")])
    assert [message["status"] for message in client.sent if "status" in message] == [200, 400]


async def test_a_view_that_never_waits_is_not_watched(client):
    asked = []
    receive = client.receive

    async def counted():
        asked.append(True)
        return await receive()

    client.receive = counted
    await client.ask("/v1/asked")
    await asyncio.sleep(0)
    assert (client.status, asked) == (200, [True])


async def test_a_cookie_is_sent_beside_what_django_adds(client):
    await client.ask("/v1/baked")
    assert client.headers["set-cookie"].startswith("taste=sweet")
    assert client.headers["x-frame-options"] == "SAMEORIGIN"


async def test_a_lazy_answer_is_sent_as_any_other(client):
    await client.ask("/v1/lazy")
    assert (client.status, client.body) == (200, b"[1]")
    assert client.headers == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "content-length": "3",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }


async def test_a_lazy_answer_keeps_what_is_added_to_it(client):
    await client.ask("/v1/touched")
    assert client.body == b"[1]"
    assert client.headers["content-type"] == "application/json"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["etag"] == '"1"'
    assert client.headers["set-cookie"].startswith("taste=sweet")


def test_a_lazy_answer_is_a_django_response():
    answer = LazyAnswer(b"[1]")
    assert (answer.status_code, answer.reason_phrase, answer.text) == (200, "OK", "[1]")
    assert bytes(answer) == (
        b"Content-Type: application/json\r\nCache-Control: no-store\r\n\r\n[1]"
    )
    assert not hasattr(answer, "unknown")


async def test_an_unchanged_answer_tells_no_length(client):
    await client.ask("/v1/unchanged")
    assert (client.status, client.body) == (304, b"")
    assert "content-length" not in client.headers


def posted(**changed):
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/lazy",
        "query_string": b"",
        "headers": [(b"host", b"reco"), JSON],
        **changed,
    }


@pytest.fixture
async def quick():
    """A handler that answers at once, and has seen a request for this host."""
    handler = Threadless(PATHS, at_once={"/v1/lazy": lambda body: b"[%b]" % body if body else None})
    await Client(handler).ask("/v1/lazy")
    return handler


async def test_an_answer_at_once_has_the_headers_of_the_views(quick):
    client = Client(quick)
    await client.ask("/v1/lazy")
    head, body = quick.at_once(posted(), b"1")
    assert body == client.body
    assert [*head.headers, (b"content-length", b"3")] == client.sent[0]["headers"]


async def test_what_cannot_be_answered_at_once_is_left_to_the_view(quick):
    assert quick.at_once(posted(), b"") is None


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/v1/told"},
        {"query_string": b"a=1"},
        {"root_path": "/below"},
        {"headers": [(b"host", b"other"), JSON]},
        {"headers": [(b"host", b"reco"), (b"host", b"reco"), JSON]},
        {"headers": [(b"host", b"reco"), (b"content-type", b"text/plain")]},
    ],
)
async def test_an_unusual_request_is_left_to_the_view(quick, changed):
    assert quick.at_once(posted(**changed), b"1") is None


async def test_a_request_that_receivers_want_to_hear_of_is_left_to_the_view(quick):
    def finished(**_):
        seen.append("finished")

    signals.request_finished.connect(finished)
    try:
        assert quick.at_once(posted(), b"1") is None
    finally:
        signals.request_finished.disconnect(finished)
