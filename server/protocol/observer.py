"""What an observer may send."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from server.protocol.desk import DeskIceCandidate, SignalAnswer, SignalRestart
from server.protocol.message import Id, Message


class ObserverHello(Message):
    """First frame of an observer; he answers as a desk does."""

    type: Literal["hello"]
    token: Id
    page: Id


ObserverMessage = ObserverHello | SignalAnswer | DeskIceCandidate | SignalRestart
OBSERVER_MESSAGES: TypeAdapter[ObserverMessage] = TypeAdapter(
    Annotated[ObserverMessage, Field(discriminator="type")]
)
