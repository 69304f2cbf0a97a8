"""What the contract allows and forbids, and JSON with wrong bytes: never a 5xx, always by it."""

import json
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.transport.serialization import Binary

from bench.attacks.nosql import BODIES
from bench.attacks.site import Site

EACH, WRONG_BYTES = 110, 2_000  # of an operation, allowed and forbidden; in all
JSON = "application/json"
PIECES = (b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"1e999", b"-0", b"NaN", b'"')
PIECES += (b"9" * 400, b"[" * 2_000, b'{"a":' * 500, b"null", b"\xef\xbb\xbf", b"/**/", b",", b"}")


def attack(site: Site) -> dict[str, float]:
    """cases, wrong_bytes: requests; server_errors: answers of 500 and above; schema_mismatches:
    answers that the contract does not tell.
    """
    document = httpx2.get(f"{site.gateway}/openapi.json").json()
    schemathesis.serializer(*_files(document))(_as_it_is)
    schema = schemathesis.openapi.from_dict(document)
    seen: Counter[str] = Counter()
    headers = site.shop.key("events", "import", "staff")
    _generated(schema, _judge(site.gateway, headers, seen))
    _wrong_bytes(schema, site.gateway, headers, seen)
    wrong = {told: count for told, count in seen.items() if told not in ("case", "bytes", "error")}
    return {
        "fuzz.cases": float(seen["case"]),
        "fuzz.wrong_bytes": float(seen["bytes"]),
        "fuzz.server_errors": float(seen["error"]),
        "fuzz.schema_mismatches": float(sum(wrong.values())),
        **{f"fuzz: {told}": float(count) for told, count in wrong.items()},
    }


def _files(document: dict[str, Any]) -> set[str]:
    """Media types of bodies that are not JSON."""
    return {
        kind
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for kind in operation.get("requestBody", {}).get("content", {})
        if kind != JSON
    }


def _as_it_is(_: SerializationContext, value: Any) -> Any:
    if isinstance(value, Binary):
        return value.data
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def _judge(url: str, headers: dict[str, str], seen: Counter[str]) -> Callable[[Case], None]:
    def judge(case: Case) -> None:
        seen["case"] += 1
        answer = case.call(base_url=url, headers=headers)
        if answer.status_code >= 500:
            seen["error"] += 1
            sys.stderr.write(f"{case.operation.label}: {answer.status_code} {answer.text[:300]}\n")
            return
        if answer.status_code == 414:  # NGINX's own words: such a line is read by nobody
            return
        # No schema can say which slugs, ids and cursors are known, nor what is a feed.
        excluded = [positive_data_acceptance]
        if _tells_what_is_bad(case.path, answer):
            excluded.append(negative_data_rejection)
        try:
            case.validate_response(answer, excluded_checks=excluded)
        except (FailureGroup, Failure) as failure:
            told = _summary(case.operation, answer.status_code, failure)
            sys.stderr.write(f"{told}: {case.query} {case.body!r:.300} {answer.text[:300]}\n")
            seen[told] += 1

    return judge


def _tells_what_is_bad(path: str, answer: Any) -> bool:
    """Whether good events or rows were taken and what is wrong with the others is in the answer."""
    takes_parts = path == "/v1/events" or path.startswith("/v1/imports/")
    return takes_parts and answer.status_code in (200, 202) and bool(answer.json()["rejected"])


def _generated(schema: BaseSchema, judge: Callable[[Case], None]) -> None:
    operations = [found.ok() for found in schema.get_all_operations()]
    modes = list(GenerationMode)
    many = settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations:
        for mode in modes:
            with suppress(Unsatisfiable):  # an operation without anything that could be wrong
                many(given(case=operation.as_strategy(generation_mode=mode))(judge))()


def _wrong_bytes(schema: BaseSchema, url: str, headers: dict[str, str], seen: Counter[str]) -> None:
    choice = random.Random(7)
    with httpx2.Client(
        base_url=url, headers=headers | {"Content-Type": JSON}, trust_env=False, timeout=20
    ) as client:
        for path, body in _mangled(choice):
            seen["bytes"] += 1
            answer = client.post(path, content=body)
            operation = schema[path]["POST"]
            if answer.status_code >= 500:
                seen["error"] += 1
            elif operation.responses.find_by_status_code(answer.status_code) is None:
                seen[f"POST {path}: {answer.status_code} is not in the contract"] += 1
            else:
                try:
                    operation.validate_response(answer)
                except (FailureGroup, Failure) as failure:
                    seen[_summary(operation, answer.status_code, failure)] += 1


def _mangled(choice: random.Random) -> Iterator[tuple[str, bytes]]:
    """Good bodies with one to four pieces of them lost, doubled, changed or replaced."""
    good = {path: json.dumps(body).encode() for path, body in BODIES.items()}
    for _ in range(WRONG_BYTES):
        path = choice.choice(list(good))
        body = good[path]
        for _ in range(choice.randint(1, 4)):
            begin = choice.randrange(len(body) + 1)
            end = min(len(body), begin + choice.choice((0, 1, 1, 2, 8)))
            byte = choice.randbytes(1)
            instead = choice.choice((b"", byte, byte, body[begin:end] * 2, choice.choice(PIECES)))
            body = body[:begin] + instead + body[end:]
        yield path, body


def _summary(operation: Any, status: int, failure: BaseException) -> str:
    failures = getattr(failure, "exceptions", [failure])
    titles = sorted({getattr(each, "title", type(each).__name__) for each in failures})
    return f"{operation.method.upper()} {operation.path}: {status} {', '.join(titles)}"
