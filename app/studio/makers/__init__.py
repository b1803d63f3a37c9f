"""Makers: recipe -> what was asked for. They run in the device's process, one at a time."""

import io
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from app.archive.blobs import read_whole
from app.errors import LostImage, ModelUnavailable, NoClassifier, NotFinite, UnknownLayer
from app.studio.makers.attribution import covered, where
from app.studio.makers.filters import filter_sheet, smoothness
from app.studio.makers.grids import activation_grid, channel_map, source_facts
from app.studio.makers.legends import legend_sheet
from app.studio.makers.neighbours import (
    neighbour_shares,
    neighbours_of_photo,
    neighbours_of_picture,
    photo_plane,
)
from app.studio.makers.pass_cache import Box, KeptPasses, Pass
from app.studio.makers.synthesis.classes import top
from app.studio.makers.synthesis.kinds import making
from app.studio.makers.synthesis.photo_maxima import SamplePhotos
from app.studio.makers.tables import layer_statistics
from app.studio.makers.thumbnails import thumbnails
from app.studio.makers.vector_cache import Shelf
from app.studio.recipes import (
    ActivationGrid,
    ChannelMap,
    Covering,
    Description,
    Filters,
    GradCam,
    JobRecipe,
    LayerStatistics,
    LegendSheet,
    Made,
    Neighbours,
    NeighbourShares,
    NeighboursOfPicture,
    OfPicture,
    PhotoPlane,
    Prediction,
    Recipe,
    Smoothness,
    Sources,
    Thumbnails,
)
from app.studio.recipes.progress import Making
from app.zoo.catalogue import Catalogue, Entry, Preprocessing
from app.zoo.keeper import Keeper, Network, describe
from app.zoo.taps import tap

if TYPE_CHECKING:
    from app.settings import Settings

Answer = Callable[[Made], None]
#: Prepared pictures are small (0.6 MB); this many are kept beside the passes.
MOST_PREPARED = 64


class Workshop:
    """The networks of one device and what was computed on it; makes one recipe after another."""

    def __init__(self, settings: "Settings", device: str) -> None:
        self._settings = settings
        self._catalogue = Catalogue(settings.models_dir)
        self._keeper = Keeper(self._catalogue, device, settings.network_memory_bytes)
        self._passes = KeptPasses(settings.activation_memory_bytes)
        self.samples = SamplePhotos()
        self.shelf = Shelf()
        self._prepared: OrderedDict[tuple[str, Preprocessing], tuple[Tensor, Box]] = OrderedDict()

    @property
    def settings(self) -> "Settings":
        """What it was set up with."""
        return self._settings

    def warm(self) -> None:
        """Load the default network and run it once, so that the first person does not wait."""
        network = self.network(self._settings.default_model)
        with torch.no_grad():
            network(network.prepare(Image.new("RGB", (256, 256))))

    def make(self, recipe: Recipe, answer: Answer, sources: Sources | None = None) -> None:
        """Call `answer` once with what came of the recipe, as early as it is known.

        sources: its files, if it is made of any. Raises a LaternaError for what cannot be made.
        """
        sources = sources or _told(recipe)
        with torch.no_grad():
            match recipe:
                case Description():
                    answer(Made(describe(self._catalogue, recipe.model)))
                case Prediction():
                    answer(self._prediction(recipe, sources.picture))
                case LegendSheet():
                    self._on_activation(recipe, recipe.layer, legend_sheet, answer, sources)
                case ActivationGrid():
                    self._on_activation(recipe, recipe.layer, activation_grid, answer, sources)
                case ChannelMap():
                    self._on_activation(recipe, recipe.layer, channel_map, answer, sources)
                case LayerStatistics():
                    network = self.network(recipe.model)
                    done = self._pass(recipe, network, sources.picture)
                    answer(layer_statistics(recipe, network, done))
                case Thumbnails():
                    answer(self._thumbnails(recipe, sources.picture))
                case Filters():
                    answer(filter_sheet(recipe, self.network(recipe.model)))
                case Smoothness():
                    answer(smoothness(recipe, self.network(recipe.model)))
                case GradCam():
                    answer(where(self, recipe, sources.picture))
                case Covering():
                    answer(covered(self, recipe, sources.picture))
                case Neighbours():
                    answer(neighbours_of_photo(self, recipe, sources))
                case NeighboursOfPicture():
                    answer(neighbours_of_picture(self, recipe, sources))
                case NeighbourShares():
                    answer(neighbour_shares(self, recipe, sources))
                case PhotoPlane():
                    answer(photo_plane(self, recipe, sources))
                case _:
                    raise TypeError(f"no maker for a {type(recipe).__name__}")

    def steps(self, recipe: JobRecipe, sources: Sources | None = None) -> Making:
        """Make something step by step; left at any step it leaves nothing behind.

        sources: its files, if it is made of any. Raises a LaternaError, in the first step or a
        later one, for what cannot be made.
        """
        return making(self, recipe, sources or _told(recipe))

    def network(self, model: str) -> Network:
        """A network on this device, loaded when it is not there yet."""
        return self._keeper.network(model)

    def second(self, network: Network) -> Network | None:
        """Another trained network with ImageNet's classes, the smallest whose weights are here.

        None for a network with other classes, as nobody else knows them.
        """
        own = network.entry
        if own.labels != "imagenet":
            return None
        others = [
            entry
            for entry in self._catalogue.entries()
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
        self.shelf.forget_the_deleted()
        for key in [key for key in self._prepared if key[0] == image]:
            del self._prepared[key]

    def probabilities(self, recipe: OfPicture, network: Network, picture: str) -> Tensor:
        """Of all classes for a picture, [classes], on the CPU. Raises NoClassifier, NotFinite."""
        if not network.labels:
            raise NoClassifier(model=network.entry.title)
        logits = self._pass(recipe, network, picture).logits
        if not logits.isfinite().all():
            raise NotFinite(model=network.entry.title, place="its classes")
        return logits[0].float().softmax(0).cpu()

    def _prediction(self, recipe: Prediction, picture: str) -> Made:
        network = self.network(recipe.model)
        rows = top(network, self.probabilities(recipe, network, picture))
        _, crop = self.prepared(network, recipe.image, picture)
        return Made(source_facts(recipe, network, crop) | {"top": rows})

    def _thumbnails(self, recipe: Thumbnails, picture: str) -> Made:
        network = self.network(recipe.model)
        done = self._pass(recipe, network, picture)
        return thumbnails(recipe, network, done.activations, done.crop)

    def _on_activation(
        self,
        recipe: OfPicture,
        layer: str,
        maker: Callable[[Any, Network, Tensor, Box], Made],
        answer: Answer,
        sources: Sources,
    ) -> None:
        """Make something of one layer's activation: of the kept one, or of a pass just to it.

        After the answer a whole pass follows, so that no other layer needs one. Listening to all
        layers in a single pass would save the way to the first but make its asker wait: every
        layer's memory is new then (docs/decisions.md has the figures).
        """
        network = self.network(recipe.model)
        if layer not in network.layers:
            raise UnknownLayer(model=network.entry.title, layer=layer)
        kept = self._passes.find(recipe.model, recipe.weights, recipe.image)
        if kept is not None:
            answer(maker(recipe, network, kept.activations[layer], kept.crop))
            return
        batch, crop = self.prepared(network, recipe.image, sources.picture)
        with tap(network, [layer]) as seen:
            network(batch)
        answer(maker(recipe, network, seen[layer], crop))
        self._pass(recipe, network, sources.picture)

    def _pass(self, recipe: OfPicture, network: Network, picture: str) -> Pass:
        """The whole pass of a picture through a network, kept or run now."""
        kept = self._passes.find(recipe.model, recipe.weights, recipe.image)
        if kept is not None:
            return kept
        batch, crop = self.prepared(network, recipe.image, picture)
        with tap(network, list(network.layers), stop=False) as listened:
            logits = network(batch)
        done = Pass(listened, logits, crop, listened.nbytes)
        self._passes.keep(recipe.model, recipe.weights, recipe.image, done)
        return done


def _told(recipe: Recipe) -> Sources:
    """What scripts of earlier versions say of a recipe's files, in the recipe itself."""
    return Sources(picture=getattr(recipe, "source", ""))


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
