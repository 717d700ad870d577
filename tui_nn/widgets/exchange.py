"""What a widget holds exchanged for something else, always whole."""

import asyncio
from collections.abc import Callable, Coroutine


class Exchange:
    """Changes of one widget's children, one after the other.

    A change that has begun goes on to its end, even when the worker that waits for it is
    cancelled: Textual would cancel the removed widgets' own tasks with it, and they never end.
    One that has not begun is dropped with its worker.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def __call__(self, change: Callable[[], Coroutine[object, object, None]]) -> None:
        """Wait for the change before, then make this one."""
        await self._lock.acquire()
        making = asyncio.create_task(change())
        making.add_done_callback(self._made)
        await asyncio.shield(making)

    def _made(self, making: asyncio.Task[None]) -> None:
        self._lock.release()
        if not making.cancelled():
            making.exception()  # whoever waits is told; nobody waits where the widget is gone
