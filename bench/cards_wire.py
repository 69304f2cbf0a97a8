"""What bench.cards compares: the same cards as JSON, as msgpack and as protobuf.

`python -m bench.cards_wire TRANSPORT PORT FEED` serves them: from memory, without a store.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import msgspec
import orjson
import uvicorn
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from catalog_app.contracts_internal import ProductGiven
from catalog_app.documents import to_document, to_wire

METHOD = "/multireco.Catalogue/Batch"
TEXTS = ("id", "title", "description", "brand", "price", "sale_price", "currency",
         "availability", "image_url", "url", "item_group_id", "published_at",
         "updated_at")  # fmt: skip
LISTS = ("categories", "tags")
Card = dict[str, Any]


def given(feed: Path, count: int) -> list[Card]:
    """The first products of a feed, as reco sends them to the catalogue."""
    now = datetime.now(UTC).isoformat()
    with feed.open() as lines:
        rows = [json.loads(next(lines)) for _ in range(count)]
    return [
        {**row, "published_at": row["published_at"] or now, "updated_at": now, "version": place}
        for place, row in enumerate(rows, start=1)
    ]


def cards(documents: dict[str, Card], ids: Sequence[str]) -> list[Card]:
    return [to_wire(documents[each]) for each in ids]


def _messages() -> tuple[Any, Any]:
    """The classes of a question and of an answer; attributes are plain texts here."""
    file = descriptor_pb2.FileDescriptorProto(
        name="cards.proto", package="multireco", syntax="proto3"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    ids = file.message_type.add(name="Ids")
    ids.field.add(name="ids", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_REPEATED)
    card = file.message_type.add(name="Card")
    entry = card.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    for number, name in enumerate(("key", "value"), start=1):
        entry.field.add(name=name, number=number, type=kinds.TYPE_STRING, label=1)
    for number, name in enumerate((*TEXTS, *LISTS), start=1):
        label = kinds.LABEL_REPEATED if name in LISTS else kinds.LABEL_OPTIONAL
        card.field.add(name=name, number=number, type=kinds.TYPE_STRING, label=label)
    card.field.add(name="version", number=20, type=kinds.TYPE_INT64, label=1)
    card.field.add(
        name="attributes",
        number=21,
        type=kinds.TYPE_MESSAGE,
        label=kinds.LABEL_REPEATED,
        type_name=".multireco.Card.AttributesEntry",
    )
    batch = file.message_type.add(name="Batch")
    batch.field.add(
        name="products",
        number=1,
        type=kinds.TYPE_MESSAGE,
        label=kinds.LABEL_REPEATED,
        type_name=".multireco.Card",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return tuple(
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"multireco.{name}"))
        for name in ("Ids", "Batch")
    )


Ids, Batch = _messages()


def to_message(found: Sequence[Card]) -> Any:
    for card in found:
        for name in ("published_at", "updated_at"):
            card[name] = card[name].isoformat()
    return Batch(products=found)


def from_message(batch: Any) -> list[Card]:
    """The dictionaries that JSON and msgpack give at once."""
    return [
        {
            **{name: getattr(card, name) for name in TEXTS},
            **{name: list(getattr(card, name)) for name in LISTS},
            "version": card.version,
            "attributes": dict(card.attributes),
        }
        for card in batch.products
    ]


def _http(documents: dict[str, Card], port: int, *, msgpack: bool) -> None:
    async def batch(request: Request) -> Response:
        ids = msgspec.json.decode(await request.body())["ids"]
        answer = {"products": cards(documents, ids)}
        if msgpack:
            return Response(msgspec.msgpack.encode(answer), media_type="application/msgpack")
        return Response(orjson.dumps(answer), media_type="application/json")

    app = Starlette(routes=[Route("/v1/products:batch", batch, methods=["POST"])])
    uvicorn.run(app, port=port, timeout_keep_alive=60, access_log=False, log_level="warning")


async def _grpc(documents: dict[str, Card], port: int) -> None:
    async def batch(asked: Any, _: object) -> Any:
        return to_message(cards(documents, asked.ids))

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        batch,
        request_deserializer=Ids.FromString,
        response_serializer=Batch.SerializeToString,
    )
    service, method = METHOD[1:].split("/")
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler(service, {method: handler})]
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


def main() -> None:
    transport, port, feed, count = sys.argv[1:]
    products = [ProductGiven.model_validate(each) for each in given(Path(feed), int(count))]
    documents = {each["_id"]: each for each in map(to_document, products)}
    if transport == "grpc":
        asyncio.run(_grpc(documents, int(port)))
    else:
        _http(documents, int(port), msgpack=transport == "msgpack")


if __name__ == "__main__":
    main()
