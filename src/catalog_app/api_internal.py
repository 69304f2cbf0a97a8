"""The routes between components: what reco writes here, and the feed of changes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import Request
from starlette.responses import Response

from catalog_app import service
from catalog_app.api import BODY_PROBLEMS, READ_PROBLEMS, AnIndex, AStore, NoParameters
from catalog_app.contracts_internal import Changes, ProductsGiven, Upserted
from catalog_app.documentation import refused
from catalog_app.queries import ChangesQuery
from catalog_app.responses import written
from runtime import keys

_bearer = HTTPBearer(
    auto_error=False, scheme_name="Key", description="A key with the scope `internal`."
)


def internal_key(
    request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Only components may pass; the scheme above is there for the documentation."""
    keys.require(request.headers.get("authorization"), "internal")


router = APIRouter(
    prefix="/internal/catalog/v1",
    tags=["Internal"],
    dependencies=[Depends(internal_key)],
    responses=READ_PROBLEMS | refused("unauthenticated", "forbidden"),
)


@router.put(
    "/products",
    operation_id="putProducts",
    summary="Bring products to the states given, unless theirs are as new",
    response_model=Upserted,
    responses=BODY_PROBLEMS,
)
async def put_products(
    given: ProductsGiven, _: NoParameters, store: AStore, live: AnIndex
) -> Response:
    return written(await service.upsert(store=store, live=live, products=given.products))


@router.get(
    "/changes",
    operation_id="listChanges",
    summary="What changed after a number, oldest first",
    response_model=Changes,
)
async def list_changes(query: Annotated[ChangesQuery, Query()], store: AStore) -> Response:
    return written(await service.changes(store=store, after=query.after, limit=query.limit))
