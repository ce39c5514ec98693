"""What a connected page was told, whatever carries it: read until a message comes."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(kw_only=True)
class Told(ABC):
    """Everything one page was told and nobody has heard yet."""

    told: list[dict[str, Any]] = field(default_factory=list)

    @abstractmethod
    async def raw(self, frame: str, /) -> object:
        """Send one frame."""

    @abstractmethod
    async def read(self) -> object:
        """Wait for what comes next and add it to `told`."""

    async def say(self, type_: str, /, **fields: Any) -> Self:
        await self.raw(json.dumps({"type": type_, **fields}))
        return self

    async def hear(self, type_: str, /, **fields: Any) -> dict[str, Any]:
        """Read until a message of this type with these fields; what was read before counts once."""
        async with asyncio.timeout(60):
            while True:
                for index, message in enumerate(self.told):
                    if message["type"] == type_ and fields.items() <= message.items():
                        return self.told.pop(index)
                await self.read()
