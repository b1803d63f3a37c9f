"""Every failure a person can meet; the class docstring is the sentence they read.

Words in braces are filled from the keyword arguments the error was raised with.
A sentence says what is wrong and what would work.
"""

from collections.abc import Callable
from typing import Any, ClassVar


class Words(str):
    """A part of a sentence that is told in the reader's language, with what fills its braces.

    As a string it is English. Errors keep it as it is through processes, logs and the index.
    """

    words: str
    facts: dict[str, Any]

    def __new__(cls, words: str, **facts: Any) -> "Words":
        """words: English, with braces; facts: what fills them."""
        new = super().__new__(cls, words.format(**facts))
        new.words, new.facts = words, facts
        return new

    def __reduce__(self) -> tuple[Callable[..., "Words"], tuple[Any, ...]]:
        return _worded, (self.words, self.facts)

    def told(self, translate: Callable[[str], str]) -> str:
        """In the language of `translate`."""
        return translate(self.words).format(**told(self.facts, translate))


def told(facts: dict[str, Any], translate: Callable[[str], str]) -> dict[str, Any]:
    """Facts with their words in the language of `translate`."""
    return {
        name: value.told(translate) if isinstance(value, Words) else value
        for name, value in facts.items()
    }


def plain(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as JSON can hold them."""
    return {
        name: {"words": value.words, "facts": plain(value.facts)}
        if isinstance(value, Words)
        else value
        for name, value in facts.items()
    }


def worded(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as they were before `plain`."""
    return {name: _unplain(value) for name, value in facts.items()}


def _unplain(value: Any) -> Any:
    if not isinstance(value, dict) or set(value) != {"words", "facts"}:
        return value
    return _worded(value["words"], worded(value["facts"]))


def _worded(words: str, facts: dict[str, Any]) -> Words:
    return Words(words, **facts)


class LaternaError(Exception):
    """Something went wrong that Laterna has no better words for."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry_after: ClassVar[int | None] = None
    #: (the fact that counts something, the sentence to read where it is 1)
    one: ClassVar[tuple[str, str] | None] = None

    def __init__(self, **facts: Any) -> None:
        super().__init__(facts)
        self.facts = facts

    def __reduce__(self) -> tuple[Callable[..., "LaternaError"], tuple[Any, ...]]:
        return _rebuilt, (type(self), self.facts)

    def message(self, translate: Callable[[str], str] = str) -> str:
        """The sentence to show, in the language of `translate`."""
        sentence = " ".join((type(self).__doc__ or "").split())
        if self.one is not None and str(self.facts.get(self.one[0])) == "1":
            sentence = self.one[1]
        return translate(sentence).format(**told(self.facts, translate))

    def __str__(self) -> str:
        return self.message()


def _rebuilt(kind: type[LaternaError], facts: dict[str, Any]) -> LaternaError:
    return kind(**facts)


class BadRequest(LaternaError):
    """This request cannot be read: {reason}."""

    code, status = "bad_request", 400


class WrongHost(LaternaError):
    """This server does not answer to the name “{host}”. Use one of its own names, or ask its owner
    to add this one to LATERNA_ALLOWED_HOSTS. Behind a proxy: it must pass on the name that the
    browser asked for, in Host or X-Forwarded-Host."""

    code, status = "wrong_host", 400


class ForeignOrigin(LaternaError):
    """This request came from another site's page ({origin}, not {host}), so nothing was changed.
    Open Laterna itself and try again there. If this is Laterna itself, a proxy in between changes
    its address: it must pass on Host as the browser sent it, with its port, or send it as
    X-Forwarded-Host and be named in LATERNA_TRUSTED_PROXIES."""

    code, status = "foreign_origin", 403


class UnknownPage(LaternaError):
    """There is no page at this address. The start page leads to everything there is."""

    code, status = "unknown_page", 404


class WrongMethod(LaternaError):
    """This address does not take {method}. It takes {allowed}."""

    code, status = "wrong_method", 405


class UnknownModel(LaternaError):
    """There is no network called “{model}” here. The list of networks shows those there are."""

    code, status = "unknown_model", 404


class UnknownLayer(LaternaError):
    """{model} has no layer called “{layer}”. The network's page lists all its layers."""

    code, status = "unknown_layer", 404


class UnknownChannel(LaternaError):
    """{layer} has {channels} channels, numbered from 0, so there is no channel {channel}."""

    code, status = "unknown_channel", 404
    one = (
        "channels",
        "{layer} has one channel, number 0, so there is no channel {channel}.",
    )


class UnknownClass(LaternaError):
    """{model} knows {classes} classes, numbered from 0, so there is no class {number}."""

    code, status = "unknown_class", 404
    one = (
        "classes",
        "{model} knows one class, number 0, so there is no class {number}.",
    )


class UnknownImage(LaternaError):
    """This picture is not here: it was deleted, has expired, or belongs to another browser and is
    not shared. Upload it again to look at it."""

    code, status = "unknown_image", 404


class LostImage(UnknownImage):
    """This picture's file is damaged or gone on this server's disk, so nothing more can be made of
    it. A sample photo comes back by itself in a moment; one of your own you can upload again."""

    code, status, retry_after = "lost_image", 410, 5


class CookieMissing(UnknownImage):
    """This picture is not here, or only the browser that uploaded it can see it. A browser shows
    that by a cookie, and yours has sent none: if you uploaded it just now, your browser keeps no
    cookies from here. Allow them, and upload it again."""


class UnknownCollection(LaternaError):
    """There is no collection called “{collection}” here. The list of collections shows those there
    are."""

    code, status = "unknown_collection", 404


class UnknownPhoto(LaternaError):
    """{collection} has {photos} photos, numbered from 0, so there is no photo {number}."""

    code, status = "unknown_photo", 404
    one = (
        "photos",
        "{collection} has one photo, number 0, so there is no photo {number}.",
    )


class LostPhoto(LaternaError):
    """The file of the photo “{name}” has gone, or cannot be read. The collection's page shows the
    photos there are."""

    code, status = "lost_photo", 404


class UnreadablePhoto(LaternaError):
    """The photo “{name}” could not be read when the network looked through the collection, so it
    has no neighbours. Choose another photo."""

    code, status = "unreadable_photo", 409


class UnknownGroup(LaternaError):
    """No photo of “{collection}” is of the class or group “{group}”. The map names those there
    are."""

    code, status = "unknown_group", 404


class CollectionChanged(LaternaError):
    """The collection “{collection}” has changed since this was asked for. Ask for it anew on the
    collection's page."""

    code, status = "collection_changed", 409


class EmptyCollection(LaternaError):
    """The collection “{collection}” has no photos yet, so there is nothing to look through."""

    code, status = "empty_collection", 409


class NoScript(LaternaError):
    """What was made from a collection cannot be made again without its photos, so there is no
    script or notebook of it. Its page shows all that made it."""

    code, status = "no_script", 409


class NotIndexed(LaternaError):
    """{model} has not looked through the collection “{collection}” yet. Ask for it on the
    collection's page."""

    code, status = "not_indexed", 409


class UnknownVisualization(LaternaError):
    """Nobody has asked for this visualization here, or the picture it was made from is gone. Ask
    for it anew."""

    code, status = "unknown_visualization", 404


class NotMade(LaternaError):
    """This picture is not made, or no longer there. Its page shows how far it is, and has a button
    that makes it again."""

    code, status = "not_made", 409


class NoFilters(LaternaError):
    """{layer} has no filters that can be drawn. Convolution layers do."""

    code, status = "no_filters", 404


class NoPlaces(LaternaError):
    """{layer} gives one value per channel, so it cannot say where in the picture something is.
    Choose a layer that gives maps."""

    code, status = "no_places", 409


class NoClassifier(LaternaError):
    """{model} holds convolution layers only, so it cannot name what it sees. Its activations can
    be browsed."""

    code, status = "no_classifier", 409


class ModelUnavailable(LaternaError):
    """{model} cannot be used: {reason}"""

    code, status = "model_unavailable", 409


class WeightsChanged(LaternaError):
    """The weights of {model} were replaced after this was asked for, so it was not made. Ask for it
    again."""

    code, status = "weights_changed", 409


class NoWeights(LaternaError):
    """No trained weights come with {model}. Put a checkpoint into models/weights (models/README.md
    says how), or open it untrained."""

    code, status = "no_weights", 409


class WeightsNotFetched(LaternaError):
    """The weights of {model} are not on this server yet. Fetch them on the list of networks, or
    open it untrained."""

    code, status = "weights_not_fetched", 409


class WeightsOutOfReach(LaternaError):
    """{mirror} cannot be reached from this server. Copy {file} into models/weights/hub/checkpoints,
    or set LATERNA_WEIGHTS_MIRROR to a place that can be reached."""

    code, status = "weights_out_of_reach", 409


class FetchFailed(LaternaError):
    """The weights of {model} could not be fetched: {reason}. Try again, or copy the file by
    hand."""

    code, status = "fetch_failed", 502


class NotFetchable(LaternaError):
    """There is nothing to fetch for {model}: {reason}"""

    code, status = "not_fetchable", 409


class TooLarge(LaternaError):
    """This is too large: at most {limit_mb} MB are taken. A smaller or more compressed picture
    works."""

    code, status = "too_large", 413


class TooManyPixels(LaternaError):
    """This picture has {megapixels} million pixels; at most {limit} million are taken. Reduce it
    and try again."""

    code, status = "too_many_pixels", 413


class NotAPicture(LaternaError):
    """This is not a picture that can be read here. JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF
    work."""

    code, status = "not_a_picture", 415


class HeicRefused(LaternaError):
    """HEIC pictures cannot be read here. Export it as JPEG, or set the phone's camera to “Most
    compatible”."""

    code, status = "heic_refused", 415


class DamagedPicture(LaternaError):
    """This picture is damaged or cut short, so it cannot be shown whole. Save it anew and try
    again."""

    code, status = "damaged_picture", 422


class TooHardToDecode(LaternaError):
    """Decoding this picture took more than {seconds} seconds or too much memory, so it was stopped.
    Save it anew as an ordinary JPEG or PNG and try again."""

    code, status = "too_hard_to_decode", 422
    one = (
        "seconds",
        "Decoding this picture took more than a second or too much memory, so it was stopped. "
        "Save it anew as an ordinary JPEG or PNG and try again.",
    )


class TooManyScans(LaternaError):
    """This JPEG is made of {scans} scans, which takes too long to decode; ordinary ones have about
    ten. Save it anew as an ordinary JPEG or PNG and try again."""

    code, status = "too_many_scans", 422


class NoFile(LaternaError):
    """No picture came with this request. Choose one in the field “file”."""

    code, status = "no_file", 422


class WrongField(LaternaError):
    """The value of “{field}” is wrong: {allowed}"""

    code, status = "wrong_field", 422


class TooManyUploads(LaternaError):
    """Too many pictures came from this browser or its network within a minute. Wait {seconds}
    seconds and go on."""

    code, status, retry_after = "too_many_uploads", 429, 30
    one = (
        "seconds",
        "Too many pictures came from this address within a minute. Wait a second and go on.",
    )


class Crowded(LaternaError):
    """So much is being uploaded at this moment that there is no room for more. Try again in a few
    seconds."""

    code, status, retry_after = "crowded", 503, 5


class TooSlow(LaternaError):
    """The upload came to a halt on its way here, so it was given up. Try again, with a better
    connection or a smaller picture."""

    code, status = "too_slow", 408


class QueueFull(LaternaError):
    """Too many people are waiting for the device just now. Try again in a few seconds."""

    code, status, retry_after = "queue_full", 503, 5


class TooManyJobs(LaternaError):
    """You have {limit} visualizations waiting; that many are taken from one person at a time. Stop
    one, or wait until one is done."""

    code, status, retry_after = "too_many_jobs", 429, 30
    one = (
        "limit",
        "You have a visualization waiting; only one is taken from one person at a time. Stop "
        "it, or wait until it is done.",
    )


class NotCancellable(LaternaError):
    """This is finished, so there is nothing left to stop."""

    code, status = "not_cancellable", 409


class NotAsked(LaternaError):
    """Others asked for this, so it is theirs to stop."""

    code, status = "not_asked", 409


class JobTooLong(LaternaError):
    """This took longer than {seconds} seconds, so it was stopped. Try fewer steps or a smaller
    size."""

    code, status = "job_too_long", 409
    one = (
        "seconds",
        "This took longer than a second, so it was stopped. Try fewer steps or a smaller size.",
    )


class JobDied(LaternaError):
    """The device stopped {times} times while it made this, so it is not tried again by itself.
    Everything else works; the log says more."""

    code, status = "job_died", 409
    one = (
        "times",
        "The device stopped while it made this, so it is not tried again by itself. Everything "
        "else works; the log says more.",
    )


class DeviceStarting(LaternaError):
    """The network is still being loaded. This page comes by itself in a moment."""

    code, status, retry_after = "device_starting", 503, 2


class DeviceAway(LaternaError):
    """The device stopped in the middle of this and is being started again. This page comes by
    itself in a moment."""

    code, status, retry_after = "device_away", 503, 3


class DeviceSilent(LaternaError):
    """The device has not answered for a while. If it stays silent it is started again; this page
    comes by itself."""

    code, status, retry_after = "device_silent", 503, 5


class DeviceRefuses(LaternaError):
    """The device stopped {times} times while it made just this, so it is not tried again.
    Everything else works; the log says more."""

    code, status = "device_refuses", 409
    one = (
        "times",
        "The device stopped while it made just this, so it is not tried again. Everything else "
        "works; the log says more.",
    )


class NotFinite(LaternaError):
    """{model} gives NaN or infinite values at {place}, so nothing true can be shown. Its weights
    are damaged or do not fit its preprocessing."""

    code, status = "not_finite", 409


class NotFiniteStep(LaternaError):
    """The ascent failed at step {step}: the network gave NaN or infinite values. Ask for it again
    with another seed or fewer steps."""

    code, status = "not_finite_step", 409


class OutOfMemory(LaternaError):
    """The device does not have enough memory for this. Try a smaller network, or again later."""

    code, status, retry_after = "out_of_memory", 503, 10


class DiskFull(LaternaError):
    """There is no room left on this server's disk for this. Delete pictures that are no longer
    needed, or wait until old ones expire."""

    code, status, retry_after = "disk_full", 507, 60


class RootTaken(LaternaError):
    """LATERNA_ROOT_PATH cannot be {path}, since pages of Laterna begin like this themselves. Choose
    another, such as /laterna."""

    code, status = "root_taken", 500


class DataInUse(LaternaError):
    """Another Laterna is using {folder} already. Stop it, or give this one a folder of its own
    with LATERNA_DATA_DIR."""

    code, status = "data_in_use", 500


class CannotServe(LaternaError):
    """Laterna cannot answer at {host}, port {port}: {reason}. Choose others with LATERNA_HOST and
    LATERNA_PORT."""

    code = "cannot_serve"


class DeviceMissing(LaternaError):
    """LATERNA_DEVICES names {device}, but this machine has {count} CUDA devices that PyTorch can
    use. Choose cpu, or auto for whatever there is."""

    code = "device_missing"
    one = (
        "count",
        "LATERNA_DEVICES names {device}, but this machine has a single CUDA device that PyTorch "
        "can use. Choose cpu, or auto for whatever there is.",
    )


class WrongDefault(LaternaError):
    """LATERNA_DEFAULT_MODEL is “{model}”, but there is no such network. There are {names}."""

    code = "wrong_default"


class ModelsUnusable(LaternaError):
    """The networks in {folder} cannot be listed: {reason}. LATERNA_MODELS_DIR must be a folder with
    a catalogue.toml like the one that comes with Laterna."""

    code = "models_unusable"


class DataUnusable(LaternaError):
    """The data folder {folder} cannot be used: {reason}. LATERNA_DATA_DIR must be a folder that
    Laterna may write to."""

    code = "data_unusable"


class NewerData(LaternaError):
    """The data in {folder} are from a newer Laterna: their index has version {found}, and this one
    knows up to {known}. Start the newer one, or set LATERNA_DATA_DIR to another folder."""

    code = "newer_data"


class SecretUnusable(LaternaError):
    """The key {file} cannot be used: {reason}. Move it away, and a new one is made; browsers then
    no longer know which pictures are theirs."""

    code = "secret_unusable"


class IndexBroken(LaternaError):
    """The database of this server is damaged or gone, so nothing can be looked up. Whoever runs
    it should start it again: what can be saved of it is."""

    code, status, retry_after = "index_broken", 503, 60


class Unexpected(LaternaError):
    """Something failed in here that should not have. It is in the log under the number
    {request}."""

    code, status = "unexpected", 500
