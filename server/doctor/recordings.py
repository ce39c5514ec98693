"""The doctor's look at the folders of recordings: a mount that is away is told before an auditor finds out."""

import asyncio
import os
from pathlib import Path

from server.app.settings.settings import Settings
from server.doctor.finding import Finding

LOOK_SECONDS = 5.0


async def recordings(settings: Settings) -> list[Finding]:
    """Say of each folder whether it can be read; a network disk that hangs is told, not waited for."""
    found = []
    for folder in settings.recordings:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await asyncio.to_thread(_read, folder.root)
        except (OSError, TimeoutError) as fault:
            todo = "montez le dossier, et donnez à l'utilisateur visio15 le droit de le lire"
            text = f"{folder.site}/{folder.name} : {type(fault).__name__}"
            found.append(Finding("bad", "enregistrements", text, todo))
            continue
        found.append(Finding("ok", "enregistrements", f"{folder.site}/{folder.name} lisible"))
    return found


def _read(root: Path) -> None:
    with os.scandir(root) as entries:
        next(entries, None)
