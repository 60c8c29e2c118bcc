"""The page on which people read and try the API."""

import hashlib
import re
from pathlib import Path

import pytest

import jobmill.entrypoints.http.docs as docs

from tests.unit.entrypoints.http.api_world import ApiWorld

STATIC = Path(docs.__file__).parent / "static"
FOREIGN = re.compile(r"""(?:https?:)?//[a-z0-9-]+\.[a-z]""")


async def test_the_root_leads_to_the_page(api: ApiWorld) -> None:
    async with api.client(follow_redirects=True) as client:
        answer = await client.get("/")

    assert answer.url.path == "/docs"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_all_that_the_page_names_is_served_from_here(api: ApiWorld) -> None:
    page = (await api.get("/docs")).text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)

    assert len(named) >= 5
    for path in named:
        assert path.startswith("/")
        assert (await api.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("docs.js", "text/javascript; charset=utf-8"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("favicon.png", "image/png"),
    ],
)
async def test_each_file_says_what_it_is(api: ApiWorld, name: str, kind: str) -> None:
    answer = await api.get(f"/docs/{name}")

    assert answer.headers["content-type"] == kind


@pytest.mark.parametrize("name", ["docs.html", "docs.js"])
def test_nothing_of_ours_names_another_server(name: str) -> None:
    assert not FOREIGN.search((STATIC / name).read_text())


async def test_the_browser_is_told_to_speak_to_nobody_else(api: ApiWorld) -> None:
    policy = (await api.get("/docs")).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert not FOREIGN.search(policy)


async def test_other_files_beside_them_are_not_served(api: ApiWorld) -> None:
    for name in ("LICENSE", "VERSION.md", "docs.html", "swagger-ui", "../docs.py"):
        assert (await api.get(f"/docs/{name}")).status_code == 404


def test_what_is_not_ours_is_as_it_was_published_and_comes_with_its_licence() -> None:
    vendored = STATIC / "swagger-ui"
    sums = re.findall(r"`([\w.-]+)` \| `([0-9a-f]{64})`", (vendored / "VERSION.md").read_text())

    assert len(sums) == 3
    for name, wanted in sums:
        assert hashlib.sha256((vendored / name).read_bytes()).hexdigest() == wanted
    assert "Apache License" in (vendored / "LICENSE").read_text()
