"""Collections: what looking through photos costs beside the bare forward passes, and looking up.

python -m benchmarks.collections --photos ../shared/photos --count 500

Each batch goes through the network twice, bare and listened to, in turn; the times are seconds of
the processor, so that others on the machine count less. What each has to do besides (what
the opening of photos leaves to this process; the records at the end) stands by itself.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from app.archive import Archive
from app.settings import Settings
from app.studio.collections import records
from app.studio.collections.folders import Collections
from app.studio.collections.index import Indexed
from app.studio.engine.openers import Openers
from app.studio.makers.synthesis import indices
from app.studio.makers.synthesis.photo_batches import PhotoBatches
from app.studio.recipes import CollectionIndex, Member
from app.studio.recipes.progress import finished
from app.vision.listening import Listener
from app.zoo.catalogue import Catalogue
from app.zoo.keeper import Keeper, Network

ROOT = Path(__file__).resolve().parent.parent
#: How much listening may cost beside the bare passes, and a look at a channel's photos in seconds.
MOST_TIMES, MOST_SECONDS = 1.3, 0.02


@dataclass(frozen=True)
class Costs:
    """Seconds of the processor for all photos; times: what listening takes, over bare passes."""

    photos: int
    layers: int
    channels: int
    batch: int
    threads: int
    opening: float
    bare: float
    listening: float
    records: float
    times: float
    times_with_opening: float


def timed(work: Callable[[], object]) -> float:
    """How long the processor is at it."""
    began = time.process_time()
    work()
    return time.process_time() - began


def costs(network: Network, members: list[Member], openers: Openers, batch: int) -> Costs:
    """Of looking through photos once."""
    album, ears = PhotoBatches(network, members, openers), Listener(network, records.KEPT)
    opening = bare = listening = 0.0
    narrowed, every = 0, max(1, len(members) // indices.SAMPLED)
    for first in range(0, len(members), batch):
        began = time.process_time()
        opened = album.open(range(first, min(first + batch, len(members))))
        opening += time.process_time() - began
        assert opened is not None, "these photos can be read"
        detailed = [k for k, n in enumerate(opened.numbers) if n % every == 0]
        works = {
            "bare": lambda: network(opened.batch),  # noqa: B023  # called at once
            "heard": lambda: ears.hear(opened.batch, detailed),  # noqa: B023
        }
        turn = list(works) if first // batch % 2 else list(works)[::-1]
        took = {name: timed(works[name]) for name in turn}
        bare, listening = bare + took["bare"], listening + took["heard"]
        if first + batch >= 2 * max(narrowed, batch):
            listening += timed(ears.narrow)
            narrowed = first + batch
    ending = timed(
        lambda: [
            indices.layer_records(tally, album.readable, network.layers[name].shape[0])
            for name, tally in ears.tallies.items()
        ]
    )
    whole = listening + ending
    return Costs(
        photos=len(members),
        layers=len(network.layers),
        channels=sum(layer.shape[0] for layer in network.layers.values()),
        batch=batch,
        threads=torch.get_num_threads(),
        opening=round(opening, 3),
        bare=round(bare, 3),
        listening=round(listening, 3),
        records=round(ending, 3),
        times=round(whole / bare, 3),
        times_with_opening=round((whole + opening) / (bare + opening), 3),
    )


def looking_up(
    network: Network, folder: Path, members: list[Member], openers: Openers
) -> dict[str, float]:
    """Seconds until a channel's photos are known, from the kept index, as the web process does."""
    recipe = CollectionIndex(model=network.entry.name, collection="photos", photos="")
    made = finished(indices.looked_through(network, recipe, members, openers))
    with tempfile.TemporaryDirectory() as data:
        archive = Archive(Path(data), 2**33)
        archive.keep_result(recipe.key, made.facts, None, "", None, made.parts)
        shelf = Collections(Settings(collections=(folder,)), archive)
        layers, took = list(network.layers.values()), []
        for k in range(200):
            layer = layers[k * 7 % len(layers)]
            began = time.perf_counter()
            collection = shelf.one(folder.name, None)
            result = archive.result(recipe.key)
            assert result is not None, "it was kept just now"
            index = Indexed(collection, recipe.id, result, archive)
            index.channel(layer.name, k % layer.shape[0])
            took.append(time.perf_counter() - began)
        archive.close()
    took.sort()
    return {"median": round(took[100], 5), "p95": round(took[190], 5), "worst": round(took[-1], 5)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--model", default="efficientnet-lite0")
    parser.add_argument("--batch", type=int, default=indices.BATCH["cpu"])
    said = parser.parse_args()
    torch.set_num_threads(1)
    network = Keeper(Catalogue(ROOT / "models"), "cpu", 2**33).network(said.model)
    paths = sorted(said.photos.glob("*.jpg"))[: said.count]
    members = [Member(path.name, str(path)) for path in paths]
    with torch.no_grad(), Openers(Settings()) as openers:
        costs(network, members[: 2 * said.batch], openers, said.batch)  # all is warm after this
        found = costs(network, members, openers, said.batch)
        lookup = looking_up(network, said.photos.resolve(), members[:60], openers)
    print(json.dumps({"model": said.model, **asdict(found), "lookup": lookup}, indent=1))
    print("within" if found.times <= MOST_TIMES else "OVER", f"{MOST_TIMES} x the bare passes")
    print("within" if lookup["p95"] <= MOST_SECONDS else "OVER", f"{MOST_SECONDS} s to look up")


if __name__ == "__main__":
    main()
