"""Read who is on the phone, as a presence server tells it: application/dialog-info+xml (RFC 4235).

The document comes from the network: bounded in size, depth and number, no DTD (hence no entity and no
reference to anything outside). Sans-io; raises only DialogInfoError.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from xml.parsers import expat

NAMESPACE: Final = "urn:ietf:params:xml:ns:dialog-info"
MAX_BODY: Final = 65536
MAX_DIALOGS: Final = 500
MAX_DEPTH: Final = 16
_LONGEST: Final = 256
_MAX_NUMBER: Final = 10


class DialogInfoError(ValueError):
    """The peer's mistake is data: `reason` is a slug to count by."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DialogState(StrEnum):
    """How far a dialog has come, in this order."""

    TRYING = "trying"
    PROCEEDING = "proceeding"
    EARLY = "early"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a dialog. `rendering` is False when it plays nothing: held."""

    identity: str = field(default="", repr=False)
    target: str = field(default="", repr=False)
    rendering: bool | None = None

    @property
    def uri(self) -> str:
        """Who it is, or at least where."""
        return self.identity or self.target


@dataclass(frozen=True, slots=True)
class Replaced:
    """The dialog that another one replaces: the mark of an attended transfer."""

    call_id: str
    local_tag: str = ""
    remote_tag: str = ""


@dataclass(frozen=True, slots=True)
class Dialog:
    """One dialog of the entity; `event` and `code` say why it is terminated, where they are told.

    `pvalue`: a parameter of it was written so, and not as `pval`: Asterisk and FreeSWITCH do. `nth` tells calls
    apart that bear one id one after the other; a document never says it.
    """

    id: str
    state: DialogState
    event: str = ""
    code: int | None = None
    call_id: str = ""
    local_tag: str = ""
    remote_tag: str = ""
    initiator: bool | None = None
    local: Party = Party()
    remote: Party = Party()
    replaces: Replaced | None = None
    referred_by: str = field(default="", repr=False)
    duration: int | None = None
    pvalue: bool = False
    nth: int = 0

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from the other dialogs of its station."""
        return self.id, self.nth

    @property
    def held(self) -> bool:
        """Whether one of the ends does not play what the other says."""
        return self.local.rendering is False or self.remote.rendering is False


@dataclass(frozen=True, slots=True)
class DialogInfo:
    """One document: all dialogs of the entity when `full`, else those that changed."""

    version: int
    full: bool
    entity: str = field(default="", repr=False)
    dialogs: tuple[Dialog, ...] = ()


def read(body: bytes) -> DialogInfo:
    """Read one document.

    Raises DialogInfoError: `xml_too_large`, `xml_doctype`, `xml_malformed`, `xml_too_deep`,
    `xml_too_many`, `xml_not_dialog_info`, `xml_version`, `xml_state` or `xml_no_id`.
    """
    if len(body) > MAX_BODY:
        raise DialogInfoError("xml_too_large")
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    try:
        parser.Parse(body, True)  # noqa: FBT003 -- expat takes no keyword
    except (expat.ExpatError, LookupError, UnicodeError, ValueError) as error:
        reason = error.reason if isinstance(error, DialogInfoError) else "xml_malformed"
        raise DialogInfoError(reason) from None
    return reader.document()


def _refuse_doctype(*_: object) -> None:
    raise DialogInfoError("xml_doctype")


@dataclass(slots=True)
class _Draft:
    """A dialog while its element is open: attributes and texts by path below it."""

    attributes: dict[str, dict[str, str]]
    texts: dict[str, str] = field(default_factory=dict)
    rendering: dict[str, bool] = field(default_factory=dict)
    pvalue: bool = False

    def attribute(self, path: str, name: str) -> str:
        return self.attributes.get(path, {}).get(name, "").strip()[:_LONGEST]

    def text(self, path: str) -> str:
        return self.texts.get(path, "").strip()[:_LONGEST]


class _Reader:
    """What expat calls; it knows the few elements that matter, by their path."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._root: dict[str, str] = {}
        self._draft: _Draft | None = None
        self._dialogs: list[Dialog] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._path.append(local if namespace in {"", NAMESPACE} else "?")
        match self._path:
            case [root]:
                if root != "dialog-info":
                    raise DialogInfoError("xml_not_dialog_info")
                self._root = attributes
            case [_, "dialog"]:
                if len(self._dialogs) >= MAX_DIALOGS:
                    raise DialogInfoError("xml_too_many")
                self._draft = _Draft({"": attributes})
            case [_, "dialog", *below] if self._draft is not None:
                self._below("/".join(below), attributes, self._draft)
        if len(self._path) > MAX_DEPTH:
            raise DialogInfoError("xml_too_deep")

    @staticmethod
    def _below(path: str, attributes: dict[str, str], draft: _Draft) -> None:
        side, _, rest = path.partition("/")
        if rest == "target/param" and side in {"local", "remote"}:
            if attributes.get("pname", "").lower() == "+sip.rendering":
                draft.pvalue = draft.pvalue or "pvalue" in attributes
                value = attributes.get("pval", attributes.get("pvalue", ""))
                draft.rendering[side] = value.strip().lower() != "no"
            return
        draft.attributes[path] = attributes
        draft.texts[path] = ""

    def characters(self, data: str) -> None:
        match self._path:
            case [_, "dialog", *below] if self._draft is not None and below:
                path = "/".join(below)
                self._draft.texts[path] = (self._draft.texts.get(path, "") + data)[: 2 * _LONGEST]

    def end(self, _name: str) -> None:
        if len(self._path) == 2 and self._draft is not None:  # noqa: PLR2004 -- root and dialog
            self._dialogs.append(_dialog(self._draft))
            self._draft = None
        self._path.pop()

    def document(self) -> DialogInfo:
        version = _number(self._root.get("version", ""))
        if version is None:
            raise DialogInfoError("xml_version")
        state = self._root.get("state", "")
        if state not in {"full", "partial"}:
            raise DialogInfoError("xml_state")
        entity = self._root.get("entity", "")[:_LONGEST]
        return DialogInfo(version, state == "full", entity, tuple(self._dialogs))


def _dialog(draft: _Draft) -> Dialog:
    name = draft.attribute("", "id")
    if not name:
        raise DialogInfoError("xml_no_id")
    try:
        state = DialogState(draft.text("state").lower())
    except ValueError:
        raise DialogInfoError("xml_state") from None
    direction = draft.attribute("", "direction")
    replaced = draft.attribute("replaces", "call-id")
    tags = (draft.attribute("replaces", "local-tag"), draft.attribute("replaces", "remote-tag"))
    return Dialog(
        id=name,
        state=state,
        event=draft.attribute("state", "event").lower(),
        code=_number(draft.attribute("state", "code")),
        call_id=draft.attribute("", "call-id"),
        local_tag=draft.attribute("", "local-tag"),
        remote_tag=draft.attribute("", "remote-tag"),
        initiator={"initiator": True, "recipient": False}.get(direction),
        local=_party("local", draft),
        remote=_party("remote", draft),
        replaces=Replaced(replaced, *tags) if replaced else None,
        referred_by=draft.text("referred-by"),
        duration=_number(draft.text("duration")),
        pvalue=draft.pvalue,
    )


def _party(side: str, draft: _Draft) -> Party:
    target = draft.attribute(f"{side}/target", "uri")
    return Party(draft.text(f"{side}/identity"), target, draft.rendering.get(side))


def _number(text: str) -> int | None:
    """Read an unsigned number; Kamailio pads its versions with zeros or spaces."""
    text = text.strip()
    digits = text.lstrip("0") or text[-1:]
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_NUMBER:
        return None
    return int(digits)
