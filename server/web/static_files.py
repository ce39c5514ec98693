"""Static files: kept for ever by their fingerprint, and scripts without what only their readers need."""

import re
from collections.abc import Generator
from functools import cache
from pathlib import Path

from rjsmin import jsmin
from tornado.web import StaticFileHandler

_AGAIN = re.compile(r"js-\d{1,6}/")


@cache
def lean(path: str, changed: int) -> bytes:
    """Return a script without its comments and needless blanks: nearly half of what a phone loads before the tap.

    `changed`, when the file was written, keeps what is remembered from outliving it. rjsmin knows no template within a
    template (`a ${b ? `c` : ""}`): tests/server/web/test_static_files.py compares each
    script with what is served of it.
    """
    del changed
    small: str = jsmin(Path(path).read_text(encoding="utf-8"))
    return small.encode()


class Static(StaticFileHandler):
    """Static files, cached for ever when their fingerprint is asked for.

    The caller's page asks for some thirty of them over a slow network, and heads are not compressed: each says what
    closes it, and nothing that only documents heed.
    """

    def set_default_headers(self) -> None:
        """Let a file do nothing by itself, a picture opened alone neither; errors are never cached."""
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Server", "visio15")

    def parse_url_path(self, url_path: str) -> str:
        """Give the scripts under other folders too: Firefox remembers of each address that its import failed."""
        again = _AGAIN.match(url_path)
        return super().parse_url_path(f"js/{url_path[again.end() :]}" if again else url_path)

    def set_extra_headers(self, path: str) -> None:
        """A module imported by another has no fingerprint and is asked for again."""
        del path
        if not self.get_query_argument("v", ""):
            self.set_header("Cache-Control", "no-cache")
        self.clear_header("Last-Modified")  # the ETag is surer
        self.clear_header("Accept-Ranges")

    def compute_etag(self) -> str | None:
        """Name the content by as much of its hash as tells it from any other of ours."""
        whole = super().compute_etag()
        return whole and f'"{whole.strip(chr(34))[:16]}"'

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Generator[bytes, None, None]:
        """Give a script lean, any other file as it is."""
        if not abspath.endswith(".js"):
            yield from super().get_content(abspath, start, end)
            return
        yield _script(abspath)[start:end]

    def get_content_size(self) -> int:
        """Say how much `get_content` gives."""
        path = self.absolute_path or ""
        return len(_script(path)) if path.endswith(".js") else super().get_content_size()


def _script(path: str) -> bytes:
    return lean(path, Path(path).stat().st_mtime_ns)
