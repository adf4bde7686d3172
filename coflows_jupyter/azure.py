"""``AzureContainerInstance`` of ``coflows_config.json``: the container that ``coflows aci`` makes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from coflows_jupyter.schema import Section, section
from coflows_jupyter.values import Located, Secret

_EMPTY = SecretStr("")


class Gpu(Section):
    """``AzureContainerInstance.Gpu``: none when ``sku`` is empty or ``cores`` is 0."""

    sku: Literal["", "K80", "P100", "V100"] = Field(
        "", validation_alias="SKU", title="the kind of GPU, empty for none", examples=["V100"]
    )
    cores: Literal[0, 1, 2, 4] = Field(1, validation_alias="Cores", title="how many GPUs", examples=[1])


class Registry(Section):
    """``AzureContainerInstance.Registry``: who may pull ``Image``, by a password or as a managed identity."""

    server: str = Field(
        "", validation_alias="Server", title="the registry's host, else that of Image", examples=["example.azurecr.io"]
    )
    user: str = Field("", validation_alias="User", title="the user of the registry")
    password: Secret = Field(_EMPTY, validation_alias="Password", title="the user's password")
    identity: str = Field(
        "", validation_alias="Identity", title="the resource ID of a user-assigned managed identity that may pull"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Registry:
        if self.identity and (self.user or self.password.get_secret_value()):
            raise ValueError("there are an Identity and a User; write one of them")
        if bool(self.user) != bool(self.password.get_secret_value()):
            raise ValueError("User and Password belong together; write both, or Identity")
        return self


class Volume(Section):
    """``AzureContainerInstance.Volume``: a file share of Azure that the container sees as a folder."""

    account: str = Field(validation_alias="Account", title="the storage account", description="a name in quotes")
    key: Secret = Field(validation_alias="Key", title="a key of the storage account", description="a key in quotes")
    share: str = Field(validation_alias="Share", title="the file share", description="a name in quotes")
    folder: str = Field(
        "mnt/Files/share", validation_alias="Folder", title="where the container sees it", examples=["mnt/Files/share"]
    )


class AzureContainerInstance(Section):
    """``AzureContainerInstance``: what ``coflows aci …`` makes; ``None`` follows ``Resources`` of package.json."""

    auth_file: Located | None = Field(
        None,
        validation_alias="AuthFile",
        title="the file with the credentials for Azure; without it, those of `az login` and the like",
        description="a path in quotes",
        examples=["mnt/Files/my.azureauth"],
    )
    dns: str = Field(validation_alias="Dns", title="the container's name in its URL", examples=["coflows-container"])
    region: str = Field(validation_alias="Region", title="the region of Azure", examples=["UKSouth"])
    cores: float | None = Field(
        None, gt=0, validation_alias="Cores", title="CPU cores", description="a number of cores above 0", examples=[4]
    )
    mem: float | None = Field(
        None,
        gt=0,
        validation_alias="Mem",
        title="memory in gigabytes",
        description="a number of gigabytes above 0",
        examples=[4],
    )
    gpu: Gpu = section(Gpu, "Gpu")
    image: str = Field("", validation_alias="Image", title="the image to run, else that of this version")
    registry: Registry | None = Field(None, validation_alias="Registry", title="who may pull the image")
    volume: Volume | None = Field(None, validation_alias="Volume", title="a file share for what has to stay")

    @model_validator(mode="before")
    @classmethod
    def _no_empty_file(cls, data: Any) -> Any:
        """Take an empty ``AuthFile`` for none."""
        return {k: v for k, v in data.items() if (k, v) != ("AuthFile", "")} if isinstance(data, dict) else data
