"""Big files of every format that Patchgate reads, made from one random graph.

Each function below a `@made` gives the text of a file that holds all packages of the graph, as the
format's own tool lays it out. Addresses lead nowhere (`.invalid`).
"""

import importlib
import random

SHA1 = "0" * 40
SHA256 = "0" * 64
SHA512 = "A" * 86 + "=="


class Graph:
    """Packages with a version each, of which every one needs up to four before it."""

    def __init__(self, count):
        chance = random.Random(20261124)
        self.names = [f"package-{index}" for index in range(count)]
        self.versions = {name: f"{1 + chance.randrange(9)}.{chance.randrange(20)}.{chance.randrange(20)}" for name in self.names}
        self.below = {name: [self.names[at] for at in sorted(chance.sample(range(index), min(index, chance.randrange(5))))]
                      for index, name in enumerate(self.names)}
        needed = {other for others in self.below.values() for other in others}
        self.top = [name for name in self.names if name not in needed]


# (format, path in its repository, note, function, packages beside the graph's own); the format of
# a bill of materials is `sbom`, which is told by its content.
MADE = []


def made(format, path, note="", more=0):
    def keep(function):
        MADE.append((format, path, note, function, more))
        return function
    return keep


def load():
    """Every entry of `MADE`."""
    for module in ("javascript", "python", "jvm", "dotnet", "languages", "pipelines", "bills"):
        importlib.import_module(f"{__name__}.{module}")
    return MADE
