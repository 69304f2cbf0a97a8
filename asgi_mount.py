"""The router: `app` is the ASGI application that the roles `all` and `router` serve."""

from runtime import logs, tracing
from runtime.edge.router import router
from runtime.edge.settings import current
from runtime.edge.site import COMPONENT

# In the order in which they start: reco leans on the others.
ENTRIES = {
    "catalog": "catalog_app.main:app",
    "profile": "profile_app.main:app",
    "reco": "reco_app.asgi:application",
}

logs.configure(COMPONENT, current().log_level)
tracing.configure_edge(COMPONENT)
app = router(current(), entries=ENTRIES)
