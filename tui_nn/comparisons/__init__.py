"""The comparison files that come with tui-nn."""

from pathlib import Path


def shipped() -> dict[str, Path]:
    """Each by its name: `tui-nn compare NAME`."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def said_of(path: Path) -> str:
    """What its first line, a comment, says of a file."""
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
