"""The page of settings in `docs/`, made from the settings class itself."""

from pathlib import Path
from typing import Final

from attrs import NOTHING, Factory, fields

from jobmill.entrypoints.settings import PREFIX, RESERVED, Settings

PAGE: Final = Path("docs/configuration.md")


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
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


if __name__ == "__main__":
    PAGE.write_text(configuration_page())
