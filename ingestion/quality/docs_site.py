"""Data Docs that can be read without a network.

Great Expectations' pages fetch style sheets, scripts and logos from the web, and their index is
drawn by one of those scripts. Belongs here: taking those references out, one small style sheet in
their place, and an index of plain HTML. Does not belong here: what was validated.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from pathlib import Path

from ingestion.quality.outcome import LandedCheck

REMOTE_TAGS = (
    re.compile(r"<link[^>]+href=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE),
    re.compile(
        r"<script[^>]+src=[\"']?(?:https?:)?//[^>]*>.*?</script>", re.IGNORECASE | re.DOTALL
    ),
    re.compile(r"<img[^>]+src=[\"']?(?:https?:)?//[^>]*>", re.IGNORECASE),
    re.compile(r"<footer.*?</footer>", re.IGNORECASE | re.DOTALL),
    # What is left of the scripts only drives the libraries that were taken out.
    re.compile(r"<script\b.*?</script>", re.IGNORECASE | re.DOTALL),
)

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid #8884; padding: .35rem .6rem; text-align: left;
         vertical-align: top; overflow-wrap: anywhere; }
.collapse, .tab-pane, .collapsing { display: block !important; height: auto !important; }
.navbar, .btn, .modal, .ge-breadcrumbs-tabs, button { display: none !important; }
.fa-check-circle::before, .fa-check::before { content: "\\2713"; color: #1a7f37; }
.fa-times::before, .fa-times-circle::before { content: "\\2717"; color: #cf222e; }
.badge { border: 1px solid #8886; border-radius: .4rem; padding: 0 .35rem; }
.ok { color: #1a7f37; } .bad { color: #cf222e; }
ul { padding-left: 1.2rem; } nav a { margin-right: 1rem; }
"""


def make_offline(docs_dir: Path, outcomes: Sequence[LandedCheck]) -> None:
    """Rewrite every page under `docs_dir` to need no network, and write its index."""
    for page in docs_dir.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        offline = strip_remote(text)
        if offline != text:
            page.write_text(offline, encoding="utf-8")
    (docs_dir / "index.html").write_text(_index(docs_dir, outcomes), encoding="utf-8")


def strip_remote(text: str) -> str:
    """Return `text` without remote tags and scripts, with the local style inside."""
    for pattern in REMOTE_TAGS:
        text = pattern.sub("", text)
    if STYLE not in text:
        text = text.replace("</head>", f"<style>{STYLE}</style></head>", 1)
    return text


def _index(docs_dir: Path, outcomes: Sequence[LandedCheck]) -> str:
    rows = "".join(
        f"<tr><td><a href='{html.escape(str(o.page.relative_to(docs_dir)))}'>"
        f"{html.escape(o.table)}</a></td>"
        f"<td class='{'ok' if o.success else 'bad'}'>{'passed' if o.success else 'failed'}</td>"
        f"<td>{o.expectations}</td>"
        f"<td>{'<br>'.join(html.escape(f) for f in o.failures) or '–'}</td></tr>"
        for o in outcomes
    )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        f"<title>What was landed</title><style>{STYLE}</style></head><body>"
        "<h1>What was landed</h1><p>Great Expectations over the raw tables, newest check.</p>"
        "<table><thead><tr><th>table</th><th>outcome</th><th>expectations</th>"
        f"<th>what does not fit</th></tr></thead><tbody>{rows}</tbody></table></body></html>"
    )
