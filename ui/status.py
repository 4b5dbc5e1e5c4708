"""What the server holds at the moment, in bytes, and how many there may be: for the machine itself (middleware.MetricsAtHome)."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ui import sessions
from ui.shared import heap
from ui.shared.remembered import memory
from ui.shared.routes import route

ADDRESS = "/server/status.json"


def routes() -> list[Route]:
    """The route."""
    return [route(ADDRESS, _status)]


async def _status(request: Request) -> dict[str, Any]:
    return {
        "resident": heap.resident(),
        "remembered": {"results": len(memory), "bytes": memory.size, "most": memory.most},
        "files": {"bytes": sessions.bytes_of_files(), "most": sessions.ALL_BYTES},
        "pages": sessions.open_pages(),
    }
