"""The page of settings in `docs/`, made from the settings class itself."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from attrs import NOTHING, Factory, fields

from jobmill.entrypoints.project_file import FILE, TABLE
from jobmill.entrypoints.settings import PREFIX, RESERVED, Settings

PAGE: Final = Path("docs/configuration.md")
_EXAMPLE: Final = (TABLE, 'handlers = ["shop.jobs"]', "port = 3001", 'log = "debug"')


def configuration_page() -> str:
    """Return the page as Markdown."""
    rows = [
        f"| `{PREFIX}{one.name.upper()}` | {_default(one.default)} | {one.metadata['text']} |"
        for one in fields(Settings)
    ]
    reserved = ", ".join(f"`{name}…`" for name in RESERVED)
    return "\n".join(
        [
            "# Settings",
            "",
            "Every setting is an environment variable, read once at the start. A name that begins with",
            f"`{PREFIX}` and is not listed here stops the start, so that no typing error goes unseen.",
            f"Names that begin with {reserved} are left alone.",
            "`jobmill up`, `api` and `worker` take the most common ones as options too.",
            "",
            f"A project keeps its own defaults in the table `{TABLE}` of the `{FILE}` in the",
            "working directory; folders above are not looked into. The keys are the names below in small",
            f"letters, without the `{PREFIX}`; numbers, booleans and lists are written as such. An option",
            "stands above the environment, and the environment above the table. Addresses with passwords are",
            "allowed there and unwise: the file is shared with everyone who has the code.",
            "",
            "```toml",
            *_EXAMPLE,
            "```",
            "",
            "Made from the code by `python -m jobmill.entrypoints.configuration_page`.",
            "",
            "| name | default | meaning |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _default(value: object) -> str:
    if isinstance(value, Factory) or value in (None, "", (), NOTHING):  # type: ignore[arg-type]
        return "—"
    if isinstance(value, bool):
        return f"`{int(value)}`"
    if isinstance(value, timedelta):
        hours = round(value / timedelta(hours=1))
        return f"`{hours}h`" if hours % 24 or hours < 168 else f"`{hours // 24}d`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


if __name__ == "__main__":
    PAGE.write_text(configuration_page())
