"""Device and browser from a user agent, roughly: enough for a breakdown, nothing that identifies.

The user agent itself is never stored. Belongs here: a few telling words. Does not belong here:
versions, models, bots' names.
"""

_BROWSERS = (
    ("Edg", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser", "samsung"),
    ("Firefox", "firefox"),
    ("FxiOS", "firefox"),
    ("CriOS", "chrome"),
    ("Chrome", "chrome"),
    ("Safari", "safari"),
)
_BOTS = ("bot", "spider", "crawler", "curl/", "python-requests", "headless")


def describe(user_agent: str) -> tuple[str | None, str | None]:
    """(device_type, browser): device_type is mobile, tablet, desktop or bot."""
    if not user_agent.strip():
        return None, None
    lowered = user_agent.lower()
    browser = next((name for word, name in _BROWSERS if word in user_agent), None)
    if any(word in lowered for word in _BOTS):
        return "bot", browser
    if (
        "ipad" in lowered
        or "tablet" in lowered
        or ("android" in lowered and "mobile" not in lowered)
    ):
        return "tablet", browser
    if any(word in lowered for word in ("mobi", "iphone", "android", "okhttp", "cfnetwork")):
        return "mobile", browser
    if any(word in lowered for word in ("windows", "macintosh", "linux", "cros")):
        return "desktop", browser
    return None, browser
