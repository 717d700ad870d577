"""Experiment files: read, written atomically, changed where what they say has changed."""

import json
import os
import tempfile
import tomllib
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import tomlkit
import tomlkit.items

from tui_nn_engine.blocks.schema import ExperimentError, Problem

Tree = dict[str, Any]
Meaning = Callable[[Tree], Tree]


def tree_of(text: str) -> Tree:
    """TOML as plain tables and lists. Raises ExperimentError with line and column."""
    try:
        return tomllib.loads(text)
    except ValueError as error:  # a TOMLDecodeError, or a number of more than 4300 digits
        raise ExperimentError([Problem("", f"not a TOML file: {error}")]) from None
    except RecursionError:
        raise ExperimentError([Problem("", "not an experiment: nested too deeply")]) from None


def read_text(path: Path, limit: int = 16 * 2**20) -> str:
    """The text of an experiment file. Raises ExperimentError where it can't be read as one."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
        if len(raw) > limit:
            raise ExperimentError([Problem("", f"{path} is too large for an experiment file")])
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise ExperimentError([Problem("", f"can't read {path}: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ExperimentError([Problem("", f"{path} is not a text file (UTF-8)")]) from None


def write_atomically(path: Path, content: bytes) -> None:
    """All or nothing: a reader sees the old file or the new one. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def ensure_writable(folder: Path) -> None:
    """Make the folder where it is not there, and a file in it for a moment. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save_toml(path: Path, tree: Tree, meaning: Meaning) -> None:
    """Write a tree atomically onto the file that may be there; see `toml_of`. Raises OSError."""
    try:
        onto = read_text(path)
        tree_of(onto)
    except ExperimentError:
        onto = ""
    write_atomically(path, toml_of(tree, onto, meaning).encode())


def toml_of(tree: Tree, onto: str, meaning: Meaning) -> str:
    """A tree as TOML; `onto` is the text it replaces, whose comments and order are kept.

    What already says the same stays as it is spelled: `meaning` gives what another tree says, in
    the spelling of this one.
    """
    document = tomlkit.parse(onto)
    written = document.unwrap()
    before = meaning(written)
    _merge(document, tree, before)
    text = tomlkit.dumps(document)
    left_alone = {
        key: written[key] for key in before if _exactly(before[key]) == _exactly(tree.get(key))
    }
    if onto and not _says(text, tree, left_alone, meaning):  # tomlkit can't merge into that
        return toml_of(tree, "", meaning)
    return text


def _merge(table: Any, tree: Tree, before: Any) -> None:
    """Make a TOML table say what the tree says, leaving alone whatever says it already.

    `before` is what the table means.
    """
    for key in [key for key in table if key not in tree]:
        del table[key]
    # Plain values first: in TOML a key after a table's header belongs to that table.
    for key, value in sorted(tree.items(), key=lambda item: _is_section(item[1])):
        old, meant = table.get(key), before.get(key) if isinstance(before, dict) else None
        if old is not None and _exactly(meant) == _exactly(value):
            continue
        if isinstance(value, dict) and isinstance(old, tomlkit.items.Table):
            _merge(old, value, meant)
        elif _is_section_list(value) and isinstance(old, tomlkit.items.AoT):
            _merge_list(old, value, meant)
        else:
            table[key] = _item(value)


def _exactly(value: Any) -> str:
    """Equal for what is equal in its types, too: not for 1 and 1.0."""
    return json.dumps(value, sort_keys=True, default=str)


def _says(text: str, tree: Tree, left_alone: Tree, meaning: Meaning) -> bool:
    """Whether the text says the tree; where something is wrong in it, but for its spelling."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return meaning(told) == tree or told == tree | left_alone


def _merge_list(old: Any, new: list[Tree], meant: Any) -> None:
    """What stays keeps its comments, whatever is put in or taken out before it."""
    before = meant if isinstance(meant, list) and len(meant) == len(old) else old.unwrap()
    same = SequenceMatcher(None, [*map(_exactly, before)], [*map(_exactly, new)], autojunk=False)
    steps = same.get_opcodes()
    for step, start, end, first, last in reversed(steps):
        if step == "equal":
            continue
        both = min(end - start, last - first)
        for index in reversed(range(start + both, end)):
            del old[index]
        for offset in range(both):
            _merge(old[start + offset], new[first + offset], before[start + offset])
        for offset in range(both, last - first):
            old.insert(start + offset, _section(new[first + offset]))


def _is_section(value: Any) -> bool:
    return isinstance(value, dict) or _is_section_list(value)


def _is_section_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _item(value: Any) -> Any:
    if _is_section_list(value):
        sections = tomlkit.aot()
        for tree in value:
            sections.append(_section(tree))
        return sections
    return _section(value) if isinstance(value, dict) else tomlkit.item(value)


def _section(tree: Tree) -> Any:
    table = tomlkit.table()
    for key, value in sorted(tree.items(), key=lambda item: _is_section_list(item[1])):
        if isinstance(value, dict):  # a nested block reads best on one line
            inline = tomlkit.inline_table()
            inline.update(value)
            table[key] = inline
        else:
            table[key] = _item(value)
    return table
