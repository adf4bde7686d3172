"""Shows a long operation to people; programs get the one document at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coflows_jupyter.cli.output import Output
    from coflows_jupyter.deploy.progress import Event, Tell


def shown(output: Output) -> Tell:
    """Return what prints the events of an operation beside the output of a command.

    What failed is not printed: the command ends with it, and says it better.

    Args:
        output: the command's voice.
    """

    def tell(event: Event) -> None:
        match event.state:
            case "started" if event.text:
                output.note(f"{event.text} …")
            case "progress":
                share = "" if event.fraction is None else f"{event.fraction:4.0%} "
                output.note(f"  {share}{event.text}")
            case "log" if event.data in {"stdout", "stderr"}:  # the user's function printed it
                output.pass_on(f"{event.text}\n")
            case "log":
                output.note(f"    {event.text}")
            case "done" if event.text:
                output.note(event.text)

    return tell
