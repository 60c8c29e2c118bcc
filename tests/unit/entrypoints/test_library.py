"""What the container leaves unloaded of an environment that it shares with web frameworks."""

import subprocess
import sys
from pathlib import Path

SHOW = "print(sorted({'fastapi', 'werkzeug', 'jsonschema', 'starlette'} & set(sys.modules)))"


def test_a_process_of_ours_loads_no_web_framework_that_it_does_not_serve_with() -> None:
    assert _python(f"import sys, jobmill.entrypoints.container; {SHOW}") == "[]"


def test_what_was_hidden_can_be_imported_afterwards() -> None:
    asked = "import sys, jobmill.entrypoints.container, fastapi, werkzeug; print(fastapi.FastAPI().title)"

    assert _python(asked) == "FastAPI"


def test_the_markers_of_a_framework_that_is_loaded_already_stay_known() -> None:
    asked = (
        "import fastapi, jobmill.entrypoints.container\n"
        "from dependency_injector import wiring\n"
        "print(wiring.FastAPIDepends is fastapi.params.Depends)"
    )

    assert _python(asked) == "True"


def test_nothing_is_hidden_while_another_thread_might_import_it() -> None:
    asked = (
        "import sys, threading\n"
        "from jobmill.entrypoints.container.library import without\n"
        "held = threading.Event()\n"
        "other = threading.Thread(target=held.wait)\n"
        "other.start()\n"
        "with without('colorsys'):\n"
        "    print('colorsys' in sys.modules)\n"
        "held.set()\n"
        "other.join()\n"
        "with without('colorsys'):\n"
        "    print('colorsys' in sys.modules)\n"
    )

    assert _python(asked) == "False\nTrue"


def _python(code: str) -> str:
    """Run it in a fresh process and return what it printed."""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )
    return told.stdout.strip()
