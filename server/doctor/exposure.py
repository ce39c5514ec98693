"""The doctor's checks of what others can see: files open to other users of this machine, a demonstration's outbox."""

import os
import stat
from contextlib import aclosing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url

from server.app.foundation import foundation
from server.app.settings.settings import CONFIG, Settings
from server.core.errors import AppError
from server.core.words.for_shell import for_shell, named
from server.doctor.finding import Finding
from server.storage.database_guard import file_of
from server.storage.demonstration_mark import check_demonstration
from server.storage.file_modes import OTHERS, open_to_others

_READ: Final = stat.S_IROTH | stat.S_IWOTH


async def private(settings: Settings) -> list[Finding]:
    """Tell which files with personal data or secrets other users of this machine may read."""
    database = file_of(make_url(settings.database_url))
    todo = {file: f"chmod 600 {file}" for file in (open_to_others(database) if database else [])}
    config = os.environ.get(CONFIG)
    for each in (settings.tls_key, Path(config) if config else None):
        if each is not None and _open(each, _READ):
            todo[each] = f"chmod o= {each}"
    found = [
        Finding("bad", "fichiers", f"{file} peut être lu par d'autres comptes", do)
        for file, do in todo.items()
    ]
    # Only a folder that holds our own database is ours to speak of.
    if (
        not settings.database
        and database
        and database.exists()
        and _open(settings.data_dir, OTHERS)
    ):
        text = f"{settings.data_dir} est ouvert à d'autres comptes"
        found.append(Finding("warn", "fichiers", text, f"chmod 700 {settings.data_dir}"))
    return found or [Finding("ok", "fichiers", "réservés au compte du service")]


def _open(path: Path, bits: int) -> bool:
    try:
        return bool(path.stat().st_mode & bits)
    except OSError:
        return False


async def demonstration(settings: Settings) -> list[Finding]:
    """Tell that codes and links are shown to whoever opens the page; load() refused what is worse."""
    if not settings.demo:
        return []
    async with aclosing(foundation(settings)) as base:
        try:
            await check_demonstration(base.engine)
        except AppError as refused:
            return [Finding("bad", "démonstration", named(refused), for_shell(refused))]
    text = "demo = true : la boîte d'envoi montre codes et liens sans identification"
    return [Finding("warn", "démonstration", text, "jamais sur un vrai site : retirez demo = true")]
