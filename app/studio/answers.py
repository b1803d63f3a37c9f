"""Answers: what is made quickly, from the archive or by a device, once for all who ask."""

import asyncio
import hashlib
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from app import __version__
from app.archive import Archive, Result
from app.errors import DeviceSilent, ModelUnavailable, NotMade, UnknownModel, Words, WrongDefault
from app.settings import Settings
from app.studio import lookup, networks
from app.studio.engine import Engine
from app.studio.fetching import Fetcher
from app.studio.recipes import (
    CHANGED,
    Description,
    Made,
    OfIndex,
    OfPicture,
    Recipe,
    require_definition,
)
from app.zoo.catalogue import Catalogue, Entry
from app.zoo.described import NetworkDescription

R = TypeVar("R", bound=Recipe)
#: Seconds that the list of networks waits for news of the weights' mirror.
PATIENCE = 0.2
#: Seconds between two looks whether the device that is waited for has gone silent.
SILENCE_LOOK = 0.5
#: Raised whenever descriptions say more than before, so that known ones are made again.
DESCRIBED = 4


@dataclass
class _Making:
    """Something that is being made, and how many wait for it."""

    task: asyncio.Task[Result]
    waiters: int = 0


class Answers:
    """Networks and what the devices make of them while somebody waits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalogue = Catalogue(settings.models_dir)
        _require_default(self.catalogue, settings.default_model)
        self.engine = Engine(settings)
        self.archive = Archive(settings.data_dir, settings.quota_bytes)
        self.fetcher = Fetcher(settings, self.archive)
        self._making: dict[str, _Making] = {}
        self._descriptions: dict[str, NetworkDescription] = {}

    async def models(self) -> list[networks.Card]:
        """The list of networks, the default first."""
        entries = await asyncio.to_thread(self.catalogue.entries)
        try:
            online = await asyncio.wait_for(self.fetcher.reachable(), PATIENCE)
        except TimeoutError:
            online = True  # a mirror that is merely slow is worth a try
        cards = await asyncio.to_thread(lambda: [self.card(entry, online) for entry in entries])
        return sorted(cards, key=lambda card: card.name != self.settings.default_model)

    def card(self, entry: Entry, online: bool) -> networks.Card:
        """The row of one network; `online` says whether the weights' mirror can be reached."""
        fetching = self.fetcher.fetching(entry.name)
        mirror = networks.Mirror(self.settings.weights_mirror, online, fetching)
        return networks.card(entry, self.known_entry(entry), mirror)

    def known(self, model: str) -> NetworkDescription | None:
        """A network's description if it was made before; raises UnknownModel."""
        return self.known_entry(self.catalogue.entry(model))

    def known_entry(self, entry: Entry) -> NetworkDescription | None:
        """The description of an entry if it was made before."""
        key = _description(entry).key
        if key not in self._descriptions:
            result = self.archive.result(key)
            if result is None:
                return None
            self._descriptions[key] = result.facts
        return self._descriptions[key]

    async def description(self, model: str) -> NetworkDescription:
        """A network's layers and numbers; asks the device when they are not known yet."""
        entry = await asyncio.to_thread(self.catalogue.entry, model)
        return await self._description(entry)

    async def _description(self, entry: Entry) -> NetworkDescription:
        recipe, known = await asyncio.to_thread(self._described, entry)
        if known is None:
            known = (await self._once(recipe)).facts
        return known

    def _described(self, entry: Entry) -> tuple[Description, NetworkDescription | None]:
        """(the recipe of a network's description, the description if it was made before)."""
        if entry.problem:
            raise ModelUnavailable(model=entry.title, reason=entry.problem)
        return _description(entry), self.known_entry(entry)

    def made(self, recipe: Recipe) -> Result | None:
        """What came of a recipe if it was made before."""
        return self._before(recipe, self.catalogue.entry(recipe.model))[1]

    async def make(self, recipe: Recipe) -> Result:
        """What comes of a recipe: from the archive, or made by the device.

        What was made before needs neither device nor weights.
        """
        entry = await asyncio.to_thread(self.catalogue.entry, recipe.model)
        complete, made = await asyncio.to_thread(self._before, recipe, entry)
        if made is not None:
            return made
        await asyncio.to_thread(networks.require_weights, entry)
        if complete is None:
            await self._description(entry)
            complete, made = await asyncio.to_thread(self._before, recipe, entry)
            if complete is None:  # the weights were changed on disk since the lines above
                raise ModelUnavailable(model=recipe.model, reason=CHANGED)
        return made or await self._once(complete)

    def _before(self, recipe: R, entry: Entry) -> tuple[R | None, Result | None]:
        """(the recipe complete, what came of it), as far as either is known."""
        complete = self._completed(recipe, entry)
        return complete, self.archive.result(complete.key) if complete else None

    def _require_weights(self, model: str) -> None:
        networks.require_weights(self.catalogue.entry(model))

    def complete(self, recipe: R) -> R | None:
        """The recipe with all that decides what comes of it: the hash of the weights, and the
        network's definition. None while that is not known.
        """
        return self._completed(recipe, self.catalogue.entry(recipe.model))

    def _completed(self, recipe: R, entry: Entry) -> R | None:
        known = self.known_entry(entry)
        if known is None:
            return None
        weights = known["weights"]["sha256"] or "untrained"
        return replace(recipe, weights=weights, definition=entry.definition)

    async def _once(self, recipe: Recipe) -> Result:
        """Have it made, by one call for any number of people who wait, and for none by none."""
        making = self._making.get(recipe.key)
        if making is None or making.task.done():
            if self.engine.is_silent(recipe):
                raise DeviceSilent()
            making = _Making(asyncio.create_task(self._call(recipe)))
            self._making[recipe.key] = making
        making.waiters += 1
        is_silent = False
        try:
            while not (await asyncio.wait({making.task}, timeout=SILENCE_LOOK))[0]:
                if is_silent := self.engine.is_silent(recipe):
                    raise DeviceSilent()
            return making.task.result()
        finally:
            making.waiters -= 1
            if is_silent:  # it goes on without them: who asks again finds it made, or joins it
                making.task.add_done_callback(partial(self._looked_at, recipe.key))
            elif not making.waiters:
                making.task.cancel()  # everybody has left, if it is not done
                if self._making.get(recipe.key) is making:
                    del self._making[recipe.key]

    def _looked_at(self, key: str, task: "asyncio.Task[Result]") -> None:
        """It is over, and nobody may be left to be told how."""
        if not task.cancelled():
            task.exception()
        making = self._making.get(key)
        if making is not None and making.task is task and not making.waiters:
            del self._making[key]

    async def _call(self, recipe: Recipe) -> Result:
        try:
            sources = await asyncio.to_thread(lookup.sources, recipe, self.archive)
            made = await self.engine.call(recipe, sources)
        except ModelUnavailable as error:
            # What only the device sees of a checkpoint (shapes, hash) is listed from now on.
            await asyncio.to_thread(self._refuse, recipe, error.facts["reason"])
            raise
        except NotMade:
            if isinstance(recipe, OfIndex):  # one of its files may be damaged: it is made again
                await asyncio.to_thread(self.archive.whole_result, recipe.index)
            raise
        require_definition(recipe, made)
        return await asyncio.to_thread(self._keep, recipe, made)

    def _refuse(self, recipe: Recipe, reason: Words) -> None:
        """List an own checkpoint as unusable, if it is still the one that was asked for."""
        entry = self.catalogue.entry(recipe.model)
        if entry.definition == recipe.definition:
            self.catalogue.refuse(entry, reason)

    def _keep(self, recipe: Recipe, made: Made) -> Result:
        image = recipe.image if isinstance(recipe, OfPicture) else None
        if image is not None:
            self.archive.image(image)  # deleted while it was looked at: nothing of it is kept
        of = recipe.index if isinstance(recipe, OfIndex) else None
        return self.archive.keep_result(
            recipe.key, made.facts, made.picture, made.media, image, of=of
        )

    def read(self, result: Result) -> bytes | None:
        """A result's picture; None when it is gone or damaged, so that it must be made again."""
        return self.archive.read(result)


def _require_default(catalogue: Catalogue, name: str) -> None:
    """Raise WrongDefault when there is no such network."""
    try:
        catalogue.entry(name)
    except UnknownModel:
        names = ", ".join(entry.name for entry in catalogue.entries())
        raise WrongDefault(model=name, names=names) from None


def _description(entry: Entry) -> Description:
    """The recipe of a description: another one when code, catalogue or the weights' file change."""
    file = entry.file
    state: tuple[int, ...] | None = None
    with suppress(OSError):  # it may go at any moment
        found = file.stat() if file and entry.present else None
        state = found and (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    definition = f"{__version__} {DESCRIBED} {entry} {state}"
    weights = hashlib.sha256(definition.encode()).hexdigest()
    return Description(model=entry.name, weights=weights, definition=entry.definition)
