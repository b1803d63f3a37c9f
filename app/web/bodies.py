"""Bodies: what comes in with requests, counted as it comes, all together within one bound."""

import asyncio
from collections.abc import Callable
from tempfile import SpooledTemporaryFile

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from app.errors import BadRequest, Crowded, LaternaError, NoFile, TooLarge, TooSlow
from app.settings import MIB

MOST_FILES, MOST_FIELDS = 64, 16
#: Seconds without a byte after which a body is given up; and bytes a second that it must bring.
SILENCE_SECONDS, SLOWEST = 30.0, 8 * 1024
#: In a request's scope: the bytes that were set aside for its body, and whether its client left.
EXPECTED, LEFT = "laterna.expected", "laterna.left"


def mb(size: int) -> str:
    """Bytes as people are told of them, in MB."""
    return f"{size / MIB:g}"


class Bodies:
    """Room for the bodies of all requests that are being read. Raises Crowded when it is full."""

    def __init__(self, most: int) -> None:
        self.most, self.taken = most, 0

    def take(self, size: int) -> None:
        """Set `size` bytes aside."""
        if self.taken + size > self.most:
            raise Crowded()
        self.taken += size

    def give_back(self, size: int) -> None:
        """End what `take` began."""
        self.taken -= size


def counted(scope: Scope, receive: Receive, limit: int, shown: int) -> Receive:
    """`receive`, refusing more than `limit` bytes (TooLarge) and bodies that stall (TooSlow).

    shown: the bytes that people are told of. A client that leaves before the end is noted.
    """
    taken, is_whole = 0, False
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def counting() -> Message:
        nonlocal taken, is_whole
        if is_whole:
            return await receive()
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message = await receive()
        except TimeoutError:
            raise TooSlow() from None
        taken += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if message["type"] == "http.disconnect":
            scope[LEFT] = True
        elif taken > limit:
            raise TooLarge(limit_mb=mb(shown))
        elif not is_whole and loop.time() - began > SILENCE_SECONDS + taken / SLOWEST:
            raise TooSlow()
        return message

    return counting


class PictureForm(MultiPartParser):
    """The files of a form, each held to its limits while it is read.

    spooled: gives the file that a part is written to; most: bytes that one file may have; begin:
    called before a file is read, raises what is against it. With `first_only` what is wrong with a
    file ends the reading; else its bytes are passed over and `refusals` has the reason.
    """

    def __init__(
        self,
        request: Request,
        spooled: Callable[[], "SpooledTemporaryFile[bytes]"],
        most: int,
        begin: Callable[[], None],
        *,
        first_only: bool,
    ) -> None:
        super().__init__(
            request.headers, request.stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS
        )
        self._spooled, self._most, self._begin = spooled, most, begin
        self._first_only, self._size = first_only, 0
        self._opened: list[UploadFile] = []
        self.refusals: dict[UploadFile, LaternaError] = {}

    async def files(self) -> list[UploadFile]:
        """The pictures in the field `file`. Raises NoFile, BadRequest, what ends the reading."""
        kind, _ = parse_options_header(self.headers.get("content-type"))
        if kind != b"multipart/form-data":
            raise NoFile()
        try:
            form = await self.parse()
        except (MultiPartException, FormParserError) as error:
            reason = error.message if isinstance(error, MultiPartException) else str(error)
            raise BadRequest(reason=reason.rstrip(".")) from error
        files = [file for file in form.getlist("file") if isinstance(file, UploadFile)]
        named = [file for file in files if file.filename]
        if not named:
            raise NoFile()
        return named

    def close(self) -> None:
        """Let all files go, read or not."""
        for file in self._opened:
            file.file.close()

    def on_headers_finished(self) -> None:
        """Begin a field, or a file at its place on the disk."""
        super().on_headers_finished()
        made = self._current_part.file
        if made is None:
            return
        made.file.close()
        file = UploadFile(
            self._spooled(),  # type: ignore[arg-type]  # as Starlette's own parser does
            size=0,
            filename=made.filename,
            headers=made.headers,
        )
        self._current_part.file, self._size = file, 0
        self._opened.append(file)
        if not file.filename:
            return
        try:
            self._begin()
        except LaternaError as refusal:
            self._refuse(refusal)

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take some bytes of a part in, or pass over those of a file that was refused."""
        file = self._current_part.file
        if file is not None:
            if file in self.refusals:
                return
            self._size += end - start
            if self._size > self._most:
                self._refuse(TooLarge(limit_mb=mb(self._most)))
                return
        super().on_part_data(data, start, end)

    def _refuse(self, refusal: LaternaError) -> None:
        if self._first_only:
            raise refusal
        file = self._current_part.file
        assert file is not None, "only files are refused"
        self.refusals[file] = refusal
