"""Notices, end to end: a fallen price is posted, signed, to the hook of the file; who was forgotten is told nothing."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from mutua.errors import ConfigError
from mutua.serving.notices import Notices, settings_of
from mutua.serving.push.signing import verified
from mutua.serving.service import Service
from serving.push.receiver import Receiver
from serving_shop import run

SECRET = "a secret of some length"
DOCS = Path(__file__).parents[2] / "docs" / "push.md"


def settings(folder: Path, url: str) -> Path:
    file = folder / "notices.toml"
    hooks = f'[{{ name = "mailer", url = "{url}", secret = "{SECRET}" }}]'
    file.write_text(f"[webhooks]\nprivate = true\nhooks = {hooks}\n")
    return file


def test_a_fallen_price_is_posted_to_who_is_interested(tmp_path: Path) -> None:
    with Receiver().listening() as receiver:
        file = settings(tmp_path, receiver.url)

        async def scenario(service: Service, client: httpx.AsyncClient) -> None:
            notices = Notices(service, settings_of(file))
            try:
                await client.put("/v1/items/tea", json={"attributes": {"price": 10}})
                for user in ("ann", "bob"):
                    bought = {"user": user, "item": "tea", "type": "cart"}
                    await client.post("/v1/events", json={"events": [bought]})
                assert (await client.delete("/v1/users/bob")).status_code == 200
                await client.patch("/v1/items/tea", json={"attributes": {"price": 7}})
                async with asyncio.timeout(20):
                    while not receiver.came:
                        await asyncio.sleep(0.02)
            finally:
                notices.close()

        run(tmp_path, scenario)
    (posted,) = receiver.came
    headers, body = posted
    assert receiver.bodies[0]["kind"] == "price-fell"
    assert (receiver.bodies[0]["user"], receiver.bodies[0]["item"]) == ("ann", "tea")
    sent = int(re.match(r"t=(\d+)", headers["Mutua-Signature"])[1])
    assert verified(SECRET, headers["Mutua-Signature"], body, now=sent)


@pytest.mark.parametrize("text", ["[webhooks", "[webhooks]\nsurprise = 1\n", "[triggers]\nusers = -1\n", "[hooks]\n"])
def test_a_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "notices.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"notices\.toml"):
        settings_of(file)


def test_the_example_of_the_docs_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_SECRET", SECRET)
    file = tmp_path / "notices.toml"
    file.write_text(re.findall(r"```toml\n(.*?)```", DOCS.read_text(), re.DOTALL)[0])
    assert settings_of(file).webhooks.hooks[0].name == "mailer"
