"""What one has of the app: how soon it shows and answers, and what it costs training to be seen.

`screen` needs a pseudo-terminal, so only the rows that use it import it: the table stands without.
"""

import looking
from ratios import Row


def first_paint() -> Row:
    """The app's first picture against that of an empty Textual app."""
    import screen

    ours, theirs = screen.first_paint()
    detail = f"{ours * 1e3:.0f} ms against {theirs * 1e3:.0f} ms"
    return Row("first paint / an empty Textual app's", 2.0, ours / theirs, detail)


def app_digits() -> Row:
    """How much longer a run takes with the app open, at equal threads."""
    import screen

    plain, app = screen.speeds(screen.DIGITS, epochs=10)
    detail = f"{app:.2f} s against {plain:.2f} s"
    return Row("training 784-512-10 with the app open / headless", 1 / 0.95, app / plain, detail)


def app_spiral() -> Row:
    """The same where updates are many and small."""
    import screen

    plain, app = screen.speeds(screen.SPIRAL, epochs=1500)
    detail = f"{app:.2f} s against {plain:.2f} s"
    return Row("training 2-8-8-1 with the app open / headless", 1 / 0.95, app / plain, detail)


def key_to_screen() -> Row:
    """The 95th percentile while the smallest network trains flat out."""
    import screen

    delay = screen.key_to_screen()
    return Row("key to screen while training / 50 ms", 1.0, delay / 50, f"{delay:.0f} ms")


def step_opens() -> Row:
    """From a key until a layer of 512 units is on screen, in Step mode for the first time."""
    import screen

    first, again, layer = screen.step_opens()
    detail = f"{first:.0f} ms; {again:.0f} ms once it was there, {layer:.0f} ms to another layer"
    return Row("Step mode opens on 784-512-10 / 200 ms", 1.0, first / 200, detail)


def looked_at() -> Row:
    """A boundary at 100 x 60 cells, told while it trains."""
    seen, alone, gap = looking.looked_at()
    detail = f"{seen * 1e6:.1f} us an update against {alone * 1e6:.1f} us, "
    name = "training 2-8-8-1 with its boundary looked at / without"
    return Row(name, 1.1, seen / alone, detail + f"{1 / gap:.1f} pictures a second")


def looked_at_often() -> Row:
    """How long such a picture stands, against a tenth of a second."""
    gap = looking.looked_at()[2]
    name = "from one boundary to the next while training / 100 ms"
    return Row(name, 1.0, gap / 0.1, f"{gap * 1e3:.0f} ms")
