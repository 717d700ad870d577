"""The modes, in the order of their keys: each in the file of its name, with its styles."""

MODES = {
    "build": "Put the network together",
    "train": "Watch it learn",
    "step": "One update, an operation at a time",
    "inspect": "Look inside the network, and at its mistakes",
    "compare": "Runs beside each other",
    "learn": "Lessons, worked by hand",
}
