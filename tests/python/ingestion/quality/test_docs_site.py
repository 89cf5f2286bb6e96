"""Data Docs need no network to be read."""

import re

from ingestion.quality.docs_site import strip_remote

REMOTE = re.compile(r"(?:src|href)=[\"']?(?:https?:)?//(?!greatexpectations)")

PAGE = """<html><head>
<link rel="stylesheet" href="https://cdn.example/bootstrap.css"/>
<script src="https://code.example/jquery.js"></script>
<style>td { color: red; }</style></head>
<body><img src="//assets.example/logo.png"/><table><tr><td>kept</td></tr></table>
<script>$('#t').bootstrapTable({})</script>
<footer><a href="https://news.example">Subscribe</a></footer></body></html>"""


def test_nothing_is_fetched_and_the_content_stays() -> None:
    offline = strip_remote(PAGE)
    assert not REMOTE.search(offline)
    assert "<script" not in offline
    assert "<td>kept</td>" in offline
    assert "td { color: red; }" in offline


def test_doing_it_twice_changes_nothing() -> None:
    once = strip_remote(PAGE)
    assert strip_remote(once) == once
