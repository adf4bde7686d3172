"""``NuGet`` of ``coflows_config.json``: where libraries for .NET come from."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo

from coflows_jupyter.schema import Section
from coflows_jupyter.values import Secret, Surroundings, resolve_path


class Feed(Section):
    """Where NuGets come from; the text alone is ``Url``."""

    url: str = Field(
        validation_alias="Url",
        title="the address of a NuGet feed, or a folder of packages",
        min_length=1,
        examples=["https://feed.example.com/v3/index.json"],
    )
    user: str = Field("", validation_alias="User", title="who signs in there, if the feed asks for it")
    key: Secret = Field(
        SecretStr(""), validation_alias="Key", title="the password or token of that user", examples=["${FEED_KEY}"]
    )


def _feed(value: Any, info: ValidationInfo) -> Any:
    """Take the text alone for the address, and a relative path from where the config is."""
    section = {"Url": value} if isinstance(value, str) else value
    url = section.get("Url") if isinstance(section, dict) else None
    if isinstance(url, str) and url and "://" not in url and isinstance(info.context, Surroundings):
        return section | {"Url": str(resolve_path(info.context.folder, url))}
    return section


class NuGet(Section):
    """``NuGet``: where NuGets come from; what the computer's own NuGet configuration says by default."""

    feeds: tuple[Annotated[Feed, BeforeValidator(_feed, json_schema_input_type=str | Feed)], ...] = Field(
        (), validation_alias="Feeds", title="where packages of .NET come from, instead of the usual places"
    )
