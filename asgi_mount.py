"""The router: `app` is the ASGI application that the roles `all` and `router` serve."""

from runtime import logs, tracing
from runtime.edge.router import router
from runtime.edge.settings import current
from runtime.edge.site import COMPONENT

logs.configure(COMPONENT, current().log_level)
tracing.configure(COMPONENT)
app = router(current())
