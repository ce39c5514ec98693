"""Every kind of source that a configuration may name, one line each (docs/adr/0033-a-source-is-a-folder.md).

The rest of the product knows no kind: it reads `AnySource` and asks what `Source` and `Switchboard` promise.
"""

from typing import Annotated

from pydantic import Field

from telephony.sources.ami.source import AmiSource
from telephony.sources.dialog_info.source import DialogInfoSource
from telephony.sources.esl.source import EslSource
from telephony.sources.hep.source import HepSource
from telephony.sources.pyvoip.source import PyVoipSource
from telephony.sources.replay.source import ReplaySource
from telephony.sources.source import AuthorityUnreadableError, Source, Switchboard

__all__ = ["AnySource", "AuthorityUnreadableError", "Source", "Switchboard"]

# fmt: off
AnySource = Annotated[
    HepSource
    | PyVoipSource
    | AmiSource
    | EslSource
    | DialogInfoSource
    | ReplaySource,
    Field(discriminator="kind"),
]
# fmt: on
