"""The public routes: products one by one, by the batch and as lists, and the categories."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from catalog_app import service
from catalog_app.cards import Cards
from catalog_app.contracts import Batch, BatchGiven, Categories, ItemId, Product, ProductPage
from catalog_app.documentation import LINK, answered, refused
from catalog_app.live import LiveIndex
from catalog_app.queries import ListQuery, NoQuery
from catalog_app.responses import conditional, written
from catalog_app.store import Store
from runtime.problems import Problem

READ_PROBLEMS = refused("bad-request", "invalid-fields", "rate-limited", "unavailable")
BODY_PROBLEMS = refused(
    "malformed-json", "body-too-slow", "body-too-large", "unsupported-media-type"
)

router = APIRouter(tags=["Catalogue"], responses=READ_PROBLEMS)


def the_store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def the_cards(request: Request) -> Cards:
    cards: Cards = request.app.state.cards
    return cards


def the_index(request: Request) -> LiveIndex:
    live: LiveIndex = request.app.state.live
    return live


def json_body(request: Request) -> None:
    """Refuse what says that it is not JSON before it is looked into."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("unsupported-media-type", "Send Content-Type: application/json.")


AStore = Annotated[Store, Depends(the_store)]
TheCards = Annotated[Cards, Depends(the_cards)]
AnIndex = Annotated[LiveIndex, Depends(the_index)]
NoParameters = Annotated[NoQuery, Query()]
ProductId = Annotated[ItemId, Path(description="The shop's own id of the product.")]


@router.get(
    "/v1/products",
    operation_id="listProducts",
    summary="Search and browse products",
    description="What matches all filters, a page at a time, one product of each group of "
    "variants. Send `next` as `cursor` to go on; the `Link` header carries the same address. "
    "The first page tells facets: counts over everything that matches.",
    response_model=ProductPage,
    responses=answered("One page.", headers=LINK),
)
async def list_products(
    request: Request, query: Annotated[ListQuery, Query()], cards: TheCards, live: AnIndex
) -> Response:
    page = await service.product_list(cards=cards, live=live, query=query)
    if page["next"] is None:
        return conditional(request, page)
    parameters = query.model_dump(exclude_unset=True) | {"cursor": page["next"]}
    if "in_stock" in parameters:
        parameters["in_stock"] = "true" if query.in_stock else "false"
    address = f"{request.url.path}?{urlencode(parameters, doseq=True)}"
    return conditional(request, page, headers={"Link": f'<{address}>; rel="next"'})


@router.get(
    "/v1/products/{product_id}",
    operation_id="getProduct",
    summary="One product",
    response_model=Product,
    responses=answered("The product.") | refused("not-found"),
)
async def get_product(
    request: Request, product_id: ProductId, _: NoParameters, cards: TheCards
) -> Response:
    found = await cards.of([product_id])
    if product_id not in found:
        raise Problem("not-found", f"There is no product {product_id}.")
    return conditional(request, found[product_id])


@router.post(
    "/v1/products:batch",
    operation_id="getProducts",
    summary="Several products in one round trip",
    response_model=Batch,
    responses=BODY_PROBLEMS,
    dependencies=[Depends(json_body)],
)
async def get_products(asked: BatchGiven, _: NoParameters, cards: TheCards) -> Response:
    return written(await service.batch(cards=cards, ids=asked.ids))


@router.get(
    "/v1/categories",
    operation_id="listCategories",
    summary="The tree of categories, with counts",
    response_model=Categories,
    responses=answered("The whole tree."),
)
async def list_categories(request: Request, _: NoParameters, live: AnIndex) -> Response:
    return conditional(request, {"categories": await live.categories()})
