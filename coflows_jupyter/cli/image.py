"""``coflows image …``: the image of this program, for containers anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from coflows_jupyter.cli.session import Session, session

if TYPE_CHECKING:
    from coflows_jupyter.config import Config

Name = Annotated[
    str | None, typer.Argument(help="Its name; else Image of AzureContainerInstance, else that of this version.")
]


def register(app: typer.Typer) -> None:
    """Add this family to ``app``."""
    image = typer.Typer(help="The image of this program, made by Docker, Podman or Buildah.")
    image.command()(build)
    image.command()(push)
    app.add_typer(image, name="image")


def build(
    context: typer.Context,
    name: Name = None,
    *,
    jdk: Annotated[str, typer.Option(help="Version of Debian's JDK, like 17, for Java and Scala.")] = "",
    dotnet: Annotated[str, typer.Option(help="An image with .NET's SDK in /usr/share/dotnet.")] = "",
    base: Annotated[str, typer.Option(help="An image of Debian 12 or newer to begin with.")] = "",
) -> None:
    """Build the image; no Workflow, configuration or key is in it.

    Where the configuration names a SQL Server, Microsoft's driver is.
    """
    from coflows_jupyter.cli.progress import shown
    from coflows_jupyter.deploy import image
    from coflows_jupyter.deploy.progress import Reporter

    current = session(context)
    config = configuration(current)
    contents = image.Contents(base, jdk, dotnet, mssql=config is not None and config.database.type == "mssql")
    built = image.build(name or name_of(config), contents, Reporter(shown(current.output)))
    current.output.document(built)
    current.output.say(f"{built.name} {built.id}")


def push(context: typer.Context, name: Name = None) -> None:
    """Push the image to the registry in its name."""
    from coflows_jupyter.cli.progress import shown
    from coflows_jupyter.deploy import image
    from coflows_jupyter.deploy.progress import Reporter

    current = session(context)
    pushed = name or name_of(configuration(current))
    image.push(pushed, Reporter(shown(current.output)))
    current.output.document({"name": pushed})


def configuration(current: Session) -> Config | None:
    """Return the configuration that is meant, ``None`` where none is named and none is here."""
    from coflows_jupyter.config import load_config
    from coflows_jupyter.errors import ConfigError

    try:
        return load_config(current.config)
    except ConfigError as error:
        if current.config is None and [found.code for found in error.diagnostics] == ["no-config"]:
            return None
        raise


def name_of(config: Config | None) -> str:
    """Return the image that a configuration names, else that of this version."""
    from coflows_jupyter.deploy.image import DEFAULT_IMAGE

    azure = config.azure_container_instance if config else None
    return (azure.image if azure else "") or DEFAULT_IMAGE
