"""The routes between components: what reco writes here, and the feed of changes."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import Response

from catalog_app import service
from catalog_app.api import BODY_PROBLEMS, READ_PROBLEMS, AnIndex, AStore, NoParameters, json_body
from catalog_app.contracts_internal import Changes, ProductsGiven, Rebuild, Upserted, Withdrawn
from catalog_app.documentation import refused
from catalog_app.queries import ChangesQuery
from catalog_app.responses import written
from runtime import keys

_bearer = HTTPBearer(
    auto_error=False, scheme_name="Key", description="A key with the scope `internal`."
)


class _ForComponents(APIRoute):
    """Asks for the key before it reads the body; the scheme is there for the documentation."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def with_key(request: Request) -> Response:
            keys.require(request.headers.get("authorization"), "internal")
            return await answer(request)

        return with_key


router = APIRouter(
    prefix="/internal/catalog/v1",
    tags=["Internal"],
    dependencies=[Depends(_bearer)],
    route_class=_ForComponents,
    responses=READ_PROBLEMS | refused("unauthenticated", "forbidden"),
)


@router.put(
    "/products",
    operation_id="putProducts",
    summary="Bring products to the states given, unless theirs are as new",
    response_model=Upserted,
    responses=BODY_PROBLEMS,
    dependencies=[Depends(json_body)],
)
async def put_products(
    given: ProductsGiven, _: NoParameters, store: AStore, live: AnIndex
) -> Response:
    return written(await service.upsert(store=store, live=live, products=given.products))


@router.post(
    "/rebuilds",
    operation_id="beginRebuild",
    summary="Take whatever is sent from now on for newer than what is",
    response_model=Rebuild,
)
async def begin_rebuild(_: NoParameters, store: AStore) -> Response:
    return written({"generation": await store.begin_generation()})


@router.delete(
    "/rebuilds/{generation}/leftovers",
    operation_id="withdrawLeftovers",
    summary="Withdraw products that this rebuild has not sent, some hundred a call",
    response_model=Withdrawn,
    responses=refused("not-found"),
)
async def withdraw_leftovers(
    generation: Annotated[int, Path(ge=1)], _: NoParameters, store: AStore, live: AnIndex
) -> Response:
    return written(await service.withdraw_leftovers(store=store, live=live, generation=generation))


@router.get(
    "/changes",
    operation_id="listChanges",
    summary="What changed after a number, oldest first",
    response_model=Changes,
)
async def list_changes(query: Annotated[ChangesQuery, Query()], store: AStore) -> Response:
    return written(await service.changes(store=store, after=query.after, limit=query.limit))
