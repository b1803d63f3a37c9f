"""Makers: recipe -> what was asked for. They run in the device's process, one at a time."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from app.errors import UnknownLayer
from app.studio.makers.attribution import covered, where
from app.studio.makers.device_cache import DeviceCache
from app.studio.makers.filters import filter_sheet, smoothness
from app.studio.makers.grids import activation_grid, channel_map
from app.studio.makers.legends import legend_sheet
from app.studio.makers.neighbours import (
    neighbour_shares,
    neighbours_of_photo,
    neighbours_of_picture,
    photo_plane,
)
from app.studio.makers.pass_cache import Box
from app.studio.makers.synthesis.kinds import making
from app.studio.makers.tables import layer_statistics
from app.studio.makers.thumbnails import thumbnails
from app.studio.makers.told import source_facts, top
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
from app.zoo.keeper import Network, describe
from app.zoo.taps import tap

if TYPE_CHECKING:
    from app.settings import Settings

Answer = Callable[[Made], None]


class Workshop:
    """Makes one recipe after another on one device: finds the maker of each."""

    def __init__(self, settings: "Settings", device: str) -> None:
        self._default_model = settings.default_model
        #: Called before a network is loaded, which may take long.
        self.loading: Callable[[], None] = lambda: None
        self.cache = DeviceCache(settings, device, lambda: self.loading())

    def warm(self) -> None:
        """Load the default network and run it once, so that the first person does not wait."""
        network = self.network(self._default_model)
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
                    answer(Made({**describe(self.cache.catalogue, recipe.model)}))
                case Prediction():
                    answer(self._prediction(recipe, sources.picture))
                case LegendSheet():
                    self._on_activation(recipe, recipe.layer, legend_sheet, answer, sources)
                case ActivationGrid():
                    self._on_activation(recipe, recipe.layer, activation_grid, answer, sources)
                case ChannelMap():
                    self._on_activation(recipe, recipe.layer, channel_map, answer, sources)
                case LayerStatistics():
                    network = self.cache.network_of(recipe)
                    done = self.cache.whole_pass(network, recipe.image, sources.picture)
                    answer(layer_statistics(recipe, network, done))
                case Thumbnails():
                    answer(self._thumbnails(recipe, sources.picture))
                case Filters():
                    answer(filter_sheet(recipe, self.cache.network_of(recipe)))
                case Smoothness():
                    answer(smoothness(recipe, self.cache.network_of(recipe)))
                case GradCam():
                    answer(where(self.cache, recipe, sources.picture))
                case Covering():
                    answer(covered(self.cache, recipe, sources.picture))
                case Neighbours():
                    answer(neighbours_of_photo(self.cache, recipe, sources))
                case NeighboursOfPicture():
                    answer(neighbours_of_picture(self.cache, recipe, sources))
                case NeighbourShares():
                    answer(neighbour_shares(self.cache, recipe, sources))
                case PhotoPlane():
                    answer(photo_plane(self.cache, recipe, sources))
                case _:
                    raise TypeError(f"no maker for a {type(recipe).__name__}")

    def steps(self, recipe: JobRecipe, sources: Sources | None = None) -> Making:
        """Make something step by step; left at any step it leaves nothing behind.

        sources: its files, if it is made of any. Raises a LaternaError, in the first step or a
        later one, for what cannot be made.
        """
        return making(self.cache, recipe, sources or _told(recipe))

    def network(self, model: str) -> Network:
        """A network on this device, loaded when it is not there yet."""
        return self.cache.network(model)

    def forget(self, image: str) -> None:
        """Drop everything computed from a deleted picture."""
        self.cache.forget(image)

    def _prediction(self, recipe: Prediction, picture: str) -> Made:
        network = self.cache.network_of(recipe)
        rows = top(network, self.cache.probabilities(recipe, network, picture))
        _, crop = self.cache.prepared(network, recipe.image, picture)
        return Made(source_facts(recipe, network, crop) | {"top": rows})

    def _thumbnails(self, recipe: Thumbnails, picture: str) -> Made:
        network = self.cache.network_of(recipe)
        done = self.cache.whole_pass(network, recipe.image, picture)
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
        network = self.cache.network_of(recipe)
        if layer not in network.layers:
            raise UnknownLayer(model=network.entry.title, layer=layer)
        kept = self.cache.kept_pass(network, recipe.image)
        if kept is not None:
            answer(maker(recipe, network, kept.activations[layer], kept.crop))
            return
        batch, crop = self.cache.prepared(network, recipe.image, sources.picture)
        with tap(network, [layer]) as seen:
            network(batch)
        answer(maker(recipe, network, seen[layer], crop))
        self.cache.whole_pass(network, recipe.image, sources.picture)


def _told(recipe: Recipe) -> Sources:
    """What scripts of earlier versions say of a recipe's files, in the recipe itself."""
    return Sources(picture=getattr(recipe, "source", ""))
