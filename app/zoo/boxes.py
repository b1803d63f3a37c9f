"""Boxes: the drawn nodes of a network -> boxes in boxes that fold, the outermost a handful."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from app.zoo.tracing import PICTURE

Shape = tuple[int, int, int]
#: Up to so many things stand beside each other; more are put together by the size of their maps.
HANDFUL = 12
#: What a unit begins with, and what may follow in it.
STARTS = ("convolution", "transposed convolution", "fully connected")
FOLLOWS = ("norm", "ReLU", "ReLU6", "GELU", "SiLU", "swish", "sigmoid")


@dataclass(frozen=True)
class Node:
    """What is drawn for one layer, or where ways join: it has no inside.

    shape: (C, H, W) of its output; inputs: ids of nodes; window: a filter's (height, width), () for
    none; stride: how far it moves; layer: whether it is a layer with a page of its own.
    """

    id: str
    kind: str
    shape: Shape
    inputs: tuple[str, ...] = ()
    window: tuple[int, ...] = ()
    stride: int = 1
    layer: bool = True


@dataclass
class Box:
    """Nodes and boxes that fold into one; kind "" for what only holds others."""

    id: str
    kind: str = ""
    layer: bool = False
    members: "list[Node | Box]" = field(default_factory=list)

    def nodes(self) -> Iterator[Node]:
        """All nodes in it, however deep."""
        for member in self.members:
            if isinstance(member, Box):
                yield from member.nodes()
            else:
                yield member

    @property
    def last(self) -> Node:
        """The node that makes what it gives."""
        return list(self.nodes())[-1]

    @property
    def window(self) -> tuple[int, ...]:
        """The window of its only convolution, () where it has none or several."""
        found = [node.window for node in self.nodes() if node.kind in STARTS]
        return found[0] if len(found) == 1 else ()

    @property
    def parts(self) -> list[tuple[str, int]]:
        """(kind, how many) of what is in it, the most frequent first."""
        kinds = [kind for member in self.members for kind in _kinds(member)]
        return Counter(kinds).most_common()


def _kinds(member: Node | Box) -> list[str]:
    if isinstance(member, Box) and not member.kind:
        return [kind for inner in member.members for kind in _kinds(inner)]
    return [member.kind]


def folded(root: Box) -> Box:
    """The same nodes in boxes as people would draw them; the outermost has about a handful."""
    root.members = _opened(_without_shells(root.members))
    _units(root, Counter(name for node in root.nodes() for name in node.inputs))
    _dissolve(root)
    if len(root.members) > HANDFUL:
        root.members = list(_stages(root.members))
    return root


def _without_shells(members: "list[Node | Box]") -> "list[Node | Box]":
    """Without the boxes that only hold one thing."""
    kept: list[Node | Box] = []
    for member in members:
        if isinstance(member, Box):
            member.members = _without_shells(member.members)
            only = len(member.members) == 1 and not member.layer
            kept.append(member.members[0] if only else member)
        else:
            kept.append(member)
    return kept


def _opened(members: "list[Node | Box]", inside: bool = False) -> "list[Node | Box]":
    """What a layer holds, without the boxes of a few that only hold: its branches lie open."""
    kept: list[Node | Box] = []
    for member in members:
        if not isinstance(member, Box):
            kept.append(member)
            continue
        member.members = _opened(member.members, inside or member.layer)
        plain = inside and not member.layer and len(member.members) <= HANDFUL
        kept += member.members if plain else [member]
    return kept


def _units(box: Box, readers: Counter[str]) -> None:
    """Put a convolution together with the norm and the activation that nobody else reads."""
    runs: list[list[Node | Box]] = []
    for member in box.members:
        if isinstance(member, Box):
            _units(member, readers)
        elif runs and _goes_on(runs[-1], member, readers):
            runs[-1].append(member)
            continue
        runs.append([member])
    if len(runs) > 1:
        box.members = [run[0] if len(run) == 1 else _unit(run) for run in runs]


def _goes_on(run: "list[Node | Box]", member: Node, readers: Counter[str]) -> bool:
    first, last = run[0], run[-1]
    return (
        isinstance(first, Node)
        and isinstance(last, Node)
        and first.kind in STARTS
        and member.kind.endswith(FOLLOWS)
        and member.inputs == (last.id,)
        and readers[last.id] == 1
        and not last.kind.endswith(FOLLOWS[1:])
    )


def _unit(run: "list[Node | Box]") -> Box:
    return Box(f"{run[0].id}+", " + ".join(part.kind for part in run), members=run)


def _dissolve(root: Box) -> None:
    """Open what holds most of a network (`features`, `blocks`), as all of it would be in there."""
    total = len(list(root.nodes()))
    while True:
        main = [box for box in root.members if isinstance(box, Box) and _is_main(box, total)]
        if not main:
            return
        place = root.members.index(main[0])
        root.members[place : place + 1] = main[0].members


def _is_main(box: Box, total: int) -> bool:
    inside = len(list(box.nodes()))
    return inside > total * (0.9 if box.layer else 0.5)


def _stages(members: "list[Node | Box]") -> "Iterator[Node | Box]":
    """Neighbours whose maps have the same size as one box; each is a stage of the network."""
    turns: Counter[str] = Counter()
    for (height, width), run in groupby(members, key=_size):
        parts = list(run)
        name = f"@{height}x{width}"
        turns[name] += 1
        if parts[0].id == PICTURE:
            yield parts.pop(0)
        if len(parts) > 1:
            yield Box(f"{name}.{turns[name]}", "stage", members=parts)
        else:
            yield from parts


def _size(member: Node | Box) -> tuple[int, int]:
    shape = (member.last if isinstance(member, Box) else member).shape
    return shape[1], shape[2]
