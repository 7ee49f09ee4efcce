"""`/v1/sessions/{id}/viewers/{pc_id}`: let one viewer do more, or less, while it watches."""

from typing import Final

from aiohttp import web

from realtime.core.errors import Forbidden
from server.auth import SCOPES
from server.routes.access import own_session
from server.routes.bodies import ViewerPermitted, ViewerScopes
from server.routes.reading import read_body
from server.routes.sessions import BAD_BODY, GROUP
from server.routes.table import Operation
from server.state import GRANT


async def permit(request: web.Request) -> web.Response:
    """Promote a viewer to speak or direct, or take that back. Nobody grants more than it has itself."""
    session, pc_id = own_session(request, "direct"), request.match_info["pc_id"]
    wanted = frozenset((await read_body(request, ViewerScopes)).scopes)
    own = request[GRANT].scopes
    if not wanted <= own:
        limit = ", ".join(scope for scope in SCOPES if scope in own)
        raise Forbidden("this token cannot grant what it does not allow", field="scopes", limit=limit)
    session.permit(pc_id, wanted)
    return web.json_response({"pc_id": pc_id, "scopes": sorted(wanted)})


OPERATIONS: Final = (
    Operation(
        "PATCH", "/v1/sessions/{id}/viewers/{pc_id}", permit, "Promote a viewer to speak, or take it back", GROUP,
        ViewerScopes, {200: ViewerPermitted}, (*BAD_BODY, 401, 403, 404, 429), "session", id="permit_viewer",
    ),
)  # fmt: skip
