"""Files that a browser saves, and never shows on this site."""

from urllib.parse import quote

from starlette.responses import Response


def attachment(title: str, media_type: str, content: bytes) -> Response:
    """A file that a browser saves: it cannot act on this site even if it is opened here."""
    return Response(
        content,
        media_type=media_type,
        headers={
            "content-disposition": f"attachment; filename*=UTF-8''{quote(title)}",
            "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        },
    )
