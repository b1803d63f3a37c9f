"""Graph: a trace -> what is drawn of a network: nodes, what each reads, and boxes that fold.

Joins (sums, concatenations) are nodes of their own. Where a concatenation begins with all that an
earlier one had, it reads that one and what came new: the same numbers, and DenseNet (Huang et al.
2017, https://arxiv.org/abs/1608.06993) is a ladder instead of every layer tied to every other.
"""

from dataclasses import dataclass

from app.zoo.boxes import Box, Node, folded
from app.zoo.described import BoxDescription, NodeDescription
from app.zoo.fields import pair
from app.zoo.tracing import PICTURE, Call, Join, Trace

#: What the field calls the operations in which ways come together.
JOINS = {
    "cat": "concatenation",
    "stack": "concatenation",
    "add": "sum",
    "mul": "product",
    "sub": "difference",
    "div": "quotient",
    "maximum": "maximum",
    "bmm": "matrix product",
}
CONCATENATIONS = ("cat", "stack")


@dataclass(frozen=True)
class Graph:
    """nodes: in the order of their outputs, the picture first; boxes: each before those in it.

    Both as JSON: a node as `Node` has it, and `box`, the id of the innermost box that holds it, ""
    for none; a box with id, kind, title, layer, shape, window, nodes (how many), parts, box.
    """

    nodes: list[NodeDescription]
    boxes: list[BoxDescription]


def graph_of(trace: Trace, input_size: tuple[int, int, int]) -> Graph:
    """What is drawn of the network that a trace has seen; input_size: (C, H, W)."""
    layers = {call.name for call in trace.called}
    root = Box("")
    root.members.append(Node(PICTURE, "picture", input_size, layer=False))
    homes: dict[str, tuple[str, ...]] = {PICTURE: ()}
    boxes: dict[str, Box] = {}
    read = _reading(trace.joins)
    for made in _in_order(trace):
        homes[made.name] = home = _home(made, read, homes)
        _box(home, made.holder, root, boxes, layers).members.append(_node(made, read))
    return _told(folded(root))


def _in_order(trace: Trace) -> list[Call | Join]:
    """Single layers and joins in the order of their outputs."""
    joins = list(trace.joins)
    made: list[Call | Join] = []
    for place, call in enumerate(trace.called):
        while joins and joins[0].place <= place:
            made.append(joins.pop(0))
        if not call.layers_inside:
            made.append(call)
    return [*made, *joins]


def _reading(joins: list[Join]) -> dict[str, tuple[str, ...]]:
    """What each join reads, a concatenation what an earlier one has already put together."""
    read: dict[str, tuple[str, ...]] = {}
    whole: dict[tuple[str, ...], str] = {}
    for join in joins:
        via = join.via
        read[join.name] = via
        if join.operation not in CONCATENATIONS:
            continue
        for length in range(len(via) - 1, 1, -1):
            if via[:length] in whole:
                read[join.name] = (whole[via[:length]], *via[length:])
                break
        whole.setdefault(via, join.name)
    return read


def _home(
    made: Call | Join, read: dict[str, tuple[str, ...]], homes: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Names of the modules around it; a join of what comes from outside belongs outside."""
    home = _holders(made.holder)
    if isinstance(made, Join):
        while home and not any(homes[name][: len(home)] == home for name in read[made.name]):
            home = home[:-1]
    return home


def _holders(call: Call | None) -> tuple[str, ...]:
    return () if call is None else (*_holders(call.holder), call.name)


def _box(
    home: tuple[str, ...], holder: Call | None, root: Box, boxes: dict[str, Box], layers: set[str]
) -> Box:
    """The box of some modules, made with those around it when it is not there yet."""
    if not home:
        return root
    while holder is not None and holder.name != home[-1]:
        holder = holder.holder
    if home[-1] not in boxes:
        kind = holder.kind if holder and home[-1] in layers else ""
        boxes[home[-1]] = Box(home[-1], kind, home[-1] in layers)
        above = _box(home[:-1], holder and holder.holder, root, boxes, layers)
        above.members.append(boxes[home[-1]])
    return boxes[home[-1]]


def _node(made: Call | Join, read: dict[str, tuple[str, ...]]) -> Node:
    if isinstance(made, Join):
        sizes = (*made.shape, 1, 1, 1)[:3]
        kind = JOINS.get(made.operation, made.operation.replace("_", " ").strip())
        return Node(made.name, kind, (sizes[0], sizes[1], sizes[2]), read[made.name], layer=False)
    window = getattr(made.module, "kernel_size", ())
    stride = getattr(made.module, "stride", 1)
    return Node(
        made.name,
        made.kind,
        made.shape,
        made.via,
        window=pair(window) if window else (),
        stride=max(pair(stride)) if window else 1,
    )


def _told(root: Box) -> Graph:
    graph = Graph([], [])
    _tell(root, graph, ())
    places = {node.id: place for place, node in enumerate(root.nodes())}
    graph.nodes.sort(key=lambda node: places[node["id"]])
    return graph


def _tell(box: Box, graph: Graph, around: tuple[str, ...]) -> None:
    around = (*around, box.id)
    for member in box.members:
        if isinstance(member, Node):
            title = _title(member.id, around)
            graph.nodes.append(
                {
                    "id": member.id,
                    "kind": member.kind,
                    "title": title,
                    "shape": member.shape,
                    "inputs": member.inputs,
                    "window": member.window,
                    "stride": member.stride,
                    "layer": member.layer,
                    "box": box.id,
                }
            )
            continue
        height, width = member.last.shape[1:]
        stage = member.kind == "stage"
        graph.boxes.append(
            {
                "id": member.id,
                "kind": member.kind,
                "title": f"{height} × {width}" if stage else _title(member.id, around),
                "layer": member.layer,
                "shape": member.last.shape,
                "window": member.window,
                "nodes": len(list(member.nodes())),
                "parts": member.parts,
                "box": box.id,
            }
        )
        _tell(member, graph, around)


def _title(name: str, around: tuple[str, ...]) -> str:
    """A name within the modules that hold it, from the last of them on where it is a number."""
    name = name.rstrip("+")
    above = max((box + "." for box in around if name.startswith(box + ".")), key=len, default="")
    while above and name[len(above) :].partition(".")[0].isdecimal():
        above = above[: above.rstrip(".").rfind(".") + 1]
    return name[len(above) :]
