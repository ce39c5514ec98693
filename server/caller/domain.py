"""How a page of an application, or of a browser that cannot, is opened in the phone's own browser. Pure.

The page's script has the same rule (static/js/caller/camera/guide.js); this one is for pages whose script does not run.
"""

import re
from typing import Final
from urllib.parse import quote, urlsplit

#: Chrome itself, and nothing that calls itself Chrome as well: there the same page would open again.
_CHROME: Final = re.compile(r"^(?!.*; wv).*Chrome/[\d.]+ (?:Mobile )?Safari/[\d.]+$")
_APPLE: Final = re.compile(r"iPhone|iPad|iPod")
_SAFARI: Final = re.compile(r"Version/[\d.]+ (?:Mobile/\w+ )?Safari/")


def way_out(agent: str, link: str) -> tuple[str, str]:
    """Return the address that opens `link` in another browser and the name of that browser; ("", "") for none."""
    parts = urlsplit(link)
    if "Android" in agent and not _CHROME.search(agent):
        intent = (
            f"intent://{parts.netloc}{parts.path}#Intent;scheme={parts.scheme};package=com.android.chrome;"
            f"S.browser_fallback_url={quote(link, safe='')};end"
        )
        return intent, "Chrome"
    if _APPLE.search(agent) and not _SAFARI.search(agent):
        return f"x-safari-{link}", "Safari"
    return "", ""
