"""POST /v1/imports/products: a whole feed, answered when all of it is stored."""

from tempfile import TemporaryFile
from typing import IO

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from reco_app.curation import feeds
from reco_app.curation.importing import MOST_RETIRED, FeedImport
from runtime import keys
from runtime.problems import FieldError, Problem

LARGEST_FEED = 1 << 30  # bytes; about five million products
BLOCK = 1 << 20
SWITCHES = ("full", "force", "dry_run")
TRUTH = {"true": True, "1": True, "false": False, "0": False}


class ProductFeed(APIView):
    """Takes JSON Lines, CSV and Google Merchant feeds, from whoever has a key for imports."""

    def post(self, request: Request) -> Response:
        key = keys.require(request.headers.get("Authorization"), "import")
        feed_format = feeds.MEDIA_TYPES.get(request.content_type.partition(";")[0].strip().lower())
        if feed_format is None:
            taken = ", ".join(feeds.MEDIA_TYPES)
            raise Problem("unsupported-media-type", f"Send the feed as one of {taken}.")
        switches = _switches(request)
        with TemporaryFile() as file:
            _receive(request, file)
            run = FeedImport(file, feed_format, reason=f"imported with the key {key.id}")
            if switches["dry_run"]:
                run.check()
            else:
                run.store()
            if switches["full"]:
                run.retire_missing(at_most=1 if switches["force"] else MOST_RETIRED)
        if run.summary.stopped and not run.summary.taken:
            raise Problem("invalid-fields", f"Nothing could be read: {run.summary.stopped}.")
        return Response(run.summary.document())


def _switches(request: Request) -> dict[str, bool]:
    given = request.query_params
    errors = [FieldError(f"?{name}", "unknown") for name in given if name not in SWITCHES]
    errors += [
        FieldError(f"?{name}", "neither true nor false")
        for name in SWITCHES
        if given.get(name, "false") not in TRUTH
    ]
    if errors:
        raise Problem("invalid-fields", "Some parameters are not valid.", errors=errors)
    return {name: TRUTH[given.get(name, "false")] for name in SWITCHES}


def _receive(request: Request, file: IO[bytes]) -> None:
    """Keep the body in a file: a slow sender holds no lock, one too large changes nothing."""
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    received = 0
    while announced <= LARGEST_FEED and (block := request._request.read(BLOCK)):
        received += len(block)
        if received > LARGEST_FEED:
            break
        file.write(block)
    if max(announced, received) > LARGEST_FEED:
        raise Problem("body-too-large", f"A feed has at most {LARGEST_FEED} bytes; send parts.")
    file.seek(0)
