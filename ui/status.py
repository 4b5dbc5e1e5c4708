"""What the server holds at the moment, told at the server itself alone: how many bytes, and how many there may be."""

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from ui import sessions
from ui.shared import heap, visitors
from ui.shared.incoming import Refused
from ui.shared.remembered import memory
from ui.shared.routes import route


def routes() -> list[Route]:
    """The route."""
    return [route("/server/status.json", _status)]


async def _status(request: Request) -> dict[str, Any]:
    if not visitors.asks_here(request):
        raise Refused(403, "Only the machine that serves may read these figures")
    return {
        "resident": heap.resident(),
        "remembered": {"results": len(memory), "bytes": memory.size, "most": memory.most},
        "files": {"bytes": sessions.bytes_of_files(), "most": sessions.ALL_BYTES},
        "pages": sessions.open_pages(),
    }
