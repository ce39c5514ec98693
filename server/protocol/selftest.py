"""What a self-test may send."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from server.protocol.message import Message


class SelftestHello(Message):
    """First frame of a self-test: asks for the ICE servers."""

    type: Literal["hello"]


class SelftestPing(Message):
    """Come back at once."""

    type: Literal["ping"]
    n: Annotated[int, Field(ge=0, le=999)]


class SelftestUp(Message):
    """Bytes that only weigh something."""

    type: Literal["up"]
    n: Annotated[int, Field(ge=0, le=999)]
    data: Annotated[str, StringConstraints(max_length=49_152, pattern=r"^0*$")]


class SelftestDown(Message):
    """Ask for as many bytes."""

    type: Literal["down"]
    n: Annotated[int, Field(ge=0, le=999)]
    size: Annotated[int, Field(ge=1, le=49_152)]


SelftestMessage = SelftestHello | SelftestPing | SelftestUp | SelftestDown
SELFTEST_MESSAGES: TypeAdapter[SelftestMessage] = TypeAdapter(
    Annotated[SelftestMessage, Field(discriminator="type")]
)
