"""The device's cache: networks, passes, prepared pictures, vectors. It knows no maker."""

import io
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from app.archive.blobs import read_whole
from app.errors import LostImage, ModelUnavailable, NoClassifier, NotFinite, WeightsChanged
from app.studio.makers.pass_cache import Box, Pass, PassCache
from app.studio.makers.synthesis.photo_maxima import SamplePhotos
from app.studio.makers.vector_cache import VectorCache
from app.studio.recipes import OfPicture, Recipe
from app.zoo.catalogue import Catalogue, Entry
from app.zoo.keeper import Keeper, Network
from app.zoo.preprocessing import Preprocessing
from app.zoo.taps import tap

if TYPE_CHECKING:
    from app.settings import Settings

#: Prepared pictures are small (0.6 MB); this many are kept beside the passes.
MOST_PREPARED = 64


class DeviceCache:
    """What one device keeps between recipes. What is asked for and not there is made."""

    def __init__(
        self, settings: "Settings", device: str, loading: Callable[[], None] = lambda: None
    ) -> None:
        self._loading = loading
        self.settings = settings
        self.catalogue = Catalogue(settings.models_dir)
        self._keeper = Keeper(self.catalogue, device, settings.network_memory_bytes)
        self._passes = PassCache(settings.activation_memory_bytes)
        self.samples = SamplePhotos()
        self.vectors = VectorCache()
        self._prepared: OrderedDict[tuple[str, Preprocessing], tuple[Tensor, Box]] = OrderedDict()

    def network(self, model: str) -> Network:
        """A network on this device, loaded when it is not there yet."""
        return self._keeper.network(model, self._loading)

    def network_of(self, recipe: Recipe) -> Network:
        """The network of a recipe, with the weights that it was asked for.

        Raises WeightsChanged where others lie on the disk by now: what came of those would be kept
        as if these had made it. A recipe that names none takes what there is.
        """
        network = self.network(recipe.model)
        if recipe.weights not in ("", network.weights_sha256 or "untrained"):
            raise WeightsChanged(model=network.entry.title)
        return network

    def second(self, network: Network) -> Network | None:
        """Another trained network with ImageNet's classes, the smallest whose weights are here.

        None for a network with other classes, as nobody else knows them.
        """
        own = network.entry
        if own.labels != "imagenet":
            return None
        others = [
            entry
            for entry in self.catalogue.entries()
            if entry.present
            and entry.trained
            and entry.labels == "imagenet"
            and entry.classes != 0
            and entry.architecture != own.architecture
        ]
        for entry in sorted(others, key=_size):
            with suppress(ModelUnavailable):
                return self.network(entry.name)
        return None

    def prepared(self, network: Network, image: str, picture: str) -> tuple[Tensor, Box]:
        """What the network is given of a picture, [1,3,H,W], and the crop that this is.

        picture: the path of its file. Raises UnknownImage.
        """
        key = (image, network.preprocessing)
        if key not in self._prepared:
            seen = _picture(picture)
            self._prepared[key] = (network.prepare(seen), network.crop_box(*seen.size))
        self._prepared.move_to_end(key)
        if len(self._prepared) > MOST_PREPARED:
            self._prepared.popitem(last=False)
        return self._prepared[key]

    def forget(self, image: str) -> None:
        """Drop everything computed from a deleted picture."""
        self._passes.forget(image)
        self.vectors.forget_the_deleted()
        for key in [key for key in self._prepared if key[0] == image]:
            del self._prepared[key]

    def probabilities(self, recipe: OfPicture, network: Network, picture: str) -> Tensor:
        """Of all classes for a picture, [classes], on the CPU. Raises NoClassifier, NotFinite."""
        if not network.labels:
            raise NoClassifier(model=network.entry.title)
        logits = self.whole_pass(network, recipe.image, picture).logits
        if not logits.isfinite().all():
            raise NotFinite(model=network.entry.title, place="its classes")
        return logits[0].float().softmax(0).cpu()

    def kept_pass(self, network: Network, image: str) -> Pass | None:
        """The whole pass of a picture through a network, if it is kept."""
        return self._passes.find(network, image)

    def whole_pass(self, network: Network, image: str, picture: str) -> Pass:
        """The whole pass of a picture through a network, kept or run now."""
        kept = self.kept_pass(network, image)
        if kept is not None:
            return kept
        batch, crop = self.prepared(network, image, picture)
        with tap(network, list(network.layers), stop=False) as listened:
            logits = network(batch)
        done = Pass(listened, logits, crop, listened.nbytes)
        self._passes.keep(network, image, done)
        return done


def _picture(path: str) -> Image.Image:
    """The kept picture, RGB; LostImage when its file is damaged, or gone meanwhile."""
    data = read_whole(Path(path))
    if data is None:
        raise LostImage()
    with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
        return picture.convert("RGB")


def _size(entry: Entry) -> tuple[int, str]:
    """How large its weights are, in bytes; then its name."""
    return (entry.file.stat().st_size if entry.file else 0), entry.name
