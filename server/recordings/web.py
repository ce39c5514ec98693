"""The sound of a call, for auditors: in parts, as a browser's slider asks for them, never kept by any cache."""

from contextlib import suppress
from typing import Final

from tornado.iostream import StreamClosedError
from tornado.routing import URLSpec

from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.recordings.domain.byte_ranges import ByteRange, RangeNotSatisfiable, part_of
from server.recordings.domain.recordings import OPAQUE
from server.recordings.service import Listening, OpenedRecording
from server.web.routing import Asked, path

CHUNK: Final = 256 * 1024


class RecordingAudio(SignedIn):
    """One recording; a page's <audio> asks for it in ranges."""

    permission = Permission.AUDIT_READ
    automatic = True

    def __init__(self, *asked: *Asked, web: SignInWeb, listening: Listening) -> None:
        super().__init__(*asked, web=web)
        self.listening = listening

    def compute_etag(self) -> None:
        """Leave the file's own: what is sent is never in memory whole."""

    async def get(self, id_: str) -> None:
        """Send it, or the part that was asked for."""
        heard = await self.listening.open(self.actor(), id_)
        try:
            part = self._begin(heard)
            if part is not None:
                with suppress(StreamClosedError):  # the slider was moved, the page was left
                    await self._send(heard, part)
        finally:
            await heard.audio.close()

    async def head(self, id_: str) -> None:
        """Say how long it is, without sending it: nobody listens."""
        heard = await self.listening.open(self.actor(), id_, listens=False)
        try:
            self._begin(heard)
        finally:
            await heard.audio.close()

    def _begin(self, heard: OpenedRecording) -> ByteRange | None:
        """Set status and headers; None when there is nothing to send."""
        size = heard.audio.size
        kind = "attachment" if heard.media_type == OPAQUE else "inline"
        self.set_header("Content-Type", heard.media_type)
        self.set_header("Content-Disposition", f'{kind}; filename="{heard.name}"')
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Etag", heard.audio.etag)
        # Of another version of the file a part would not fit: then it is sent whole (RFC 9110, 13.1.5).
        same = self.request.headers.get("If-Range", heard.audio.etag) == heard.audio.etag
        try:
            part = part_of(self.request.headers.get("Range"), size) if same else None
        except RangeNotSatisfiable:
            self.set_status(416)
            self.set_header("Content-Range", f"bytes */{size}")
            self.set_header("Content-Length", "0")
            return None
        if part is not None:
            self.set_status(206)
            self.set_header("Content-Range", f"bytes {part.first}-{part.last}/{size}")
        whole = part or ByteRange(0, size - 1)
        self.set_header("Content-Length", str(whole.length))
        return whole

    async def _send(self, heard: OpenedRecording, part: ByteRange) -> None:
        at = part.first
        while at <= part.last:
            data = await heard.audio.read(at, min(CHUNK, part.last + 1 - at))
            if not data:
                # It became shorter: the connection is cut, so that nobody takes it for whole.
                self.detach().close()
                return
            self.write(data)
            await self.flush()
            at += len(data)


def routes(web: SignInWeb, *, listening: Listening) -> list[URLSpec]:
    """List the paths of the recordings."""
    where = r"/audit/recordings/([A-Za-z0-9]{1,40})"
    return [path(where, RecordingAudio, web=web, listening=listening)]
