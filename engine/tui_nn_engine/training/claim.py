"""The right to write in the folder of a run: one process has it, no longer than it lives."""

import os
import weakref
from contextlib import suppress
from pathlib import Path

_NAME = "lock"


class Claim:
    """A lock on a file in the folder, held until nobody refers to this any more.

    Where there are no such locks, or nothing can be written, none is held: all can write there.
    """

    def __init__(self, folder: Path, *, wait: bool = False) -> None:
        """Raises BlockingIOError where another process has it; `wait` waits for the end of that."""
        try:
            import fcntl

            file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT, 0o644)
        except (ImportError, OSError):
            return
        close = weakref.finalize(self, os.close, file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            process = os.read(file, 20).decode(errors="replace")
            close()
            why = f"another tui-nn (process {process}) has this run open; end that one first"
            raise BlockingIOError(error.errno, why, str(folder)) from None
        except OSError:  # the disk's are not to be had
            close()
            return
        with suppress(OSError):
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())


_ours: "weakref.WeakValueDictionary[Path, Claim]" = weakref.WeakValueDictionary()


def claimed(folder: Path, *, wait: bool = False) -> Claim:
    """This process's claim on the folder, as `Claim`; there is no second one beside it."""
    path = folder.resolve()
    found = _ours.get(path)
    if found is None:
        found = _ours[path] = Claim(path, wait=wait)
    return found


def is_claimed(folder: Path) -> bool:
    """Whether a process, be it this one, has a claim on the folder now; unknown is no."""
    try:
        import fcntl

        with (folder / _NAME).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False
