"""Indexed: what a network made of a collection, as it was kept: read piece by piece, no torch."""

from functools import cached_property

from app.archive import Archive, Result
from app.errors import NotMade, UnknownChannel, UnknownLayer
from app.studio.collections import records
from app.studio.collections.folders import Collection
from app.studio.collections.records import ChannelRecord
from app.studio.recipes import CollectionIndex, OfCollection
from app.studio.recipes.facts import IndexedLayer, IndexedPhoto, IndexFacts

#: A layer's part of the result with its feature vectors, and the one with its channels' records.
VECTORS, CHANNELS = "{layer}.vectors", "{layer}.channels"


class Indexed:
    """An index. id: of the job that made it; facts: all numbers; photos, layers: of these."""

    def __init__(self, collection: Collection, id: str, result: Result, archive: Archive) -> None:
        self.collection, self.id, self._result, self._archive = collection, id, result, archive
        self.facts: IndexFacts = result.facts
        self.photos: list[IndexedPhoto] = self.facts["photos"]
        self.layers: dict[str, IndexedLayer] = self.facts["layers"]

    @cached_property
    def is_current(self) -> bool:
        """Whether it is of the photos that the collection has now."""
        return self.facts["photos_hash"] == self.collection.digest

    @cached_property
    def now(self) -> list[int | None]:
        """Of each photo of the index the number it has in the collection now; None: gone."""
        if self.is_current:
            return [photo["n"] for photo in self.photos]
        numbers = self.collection.numbers
        return [numbers.get((photo["name"], photo["image"])) for photo in self.photos]

    def channel(self, layer: str, channel: int) -> ChannelRecord:
        """What is known of one channel. Raises UnknownLayer, UnknownChannel, NotMade."""
        channels = self.layer(layer)["channels"]
        if not 0 <= channel < channels:
            raise UnknownChannel(layer=layer, channels=channels, channel=channel)
        return records.record(self.part(CHANNELS.format(layer=layer)), channel)

    def channels(self, layer: str) -> list[ChannelRecord]:
        """What is known of all channels of a layer. Raises UnknownLayer, NotMade."""
        count, data = self.layer(layer)["channels"], self.part(CHANNELS.format(layer=layer))
        return [records.record(data, channel) for channel in range(count)]

    def vectors(self, layer: str) -> bytes:
        """float16, little-endian: [photos, channels] of a layer, or [photos, 768] of PIXELS."""
        return self.part(VECTORS.format(layer=layer))

    @property
    def key(self) -> str:
        """Of the recipe that it came of."""
        return self._result.key

    def layer(self, name: str) -> IndexedLayer:
        """A layer's facts. Raises UnknownLayer."""
        if name not in self.layers:
            raise UnknownLayer(model=self.facts["model"], layer=name)
        return self.layers[name]

    def part(self, name: str) -> bytes:
        """A file of the result, checked by its hash. Raises NotMade when it is gone."""
        data = self._archive.part(self._result, name)
        if data is None:
            raise NotMade()
        return data


def index_of(recipe: OfCollection) -> CollectionIndex:
    """The index of the very photos that a recipe is of."""
    return CollectionIndex(
        model=recipe.model,
        weights=recipe.weights,
        definition=recipe.definition,
        collection=recipe.collection,
        photos=recipe.photos,
        whose=recipe.whose,
    )
