"""Sources: where the files lie that something is made from. Who makes it is given them beside the
recipe, which names them by ids and hashes alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Member:
    """One photo of a collection: what it is called, where its file lies, what it shows if known.

    wordnet: the WordNet id that its name begins with; image: its id, for one that is kept here.
    """

    name: str
    path: str
    label: str | None = None
    wordnet: str | None = None
    image: str = ""


@dataclass(frozen=True)
class KeptVectors:
    """Where the feature vectors of an index lie: (layer, path of its file), float16 [photos, D].

    missing: numbers of photos that could not be read; groups: of what each is, below 0 for nothing.
    """

    photos: int
    files: tuple[tuple[str, str], ...]
    missing: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sources:
    """The files of one recipe. picture: the path of its picture's lossless file, "" for none;
    members: the photos of its collection; vectors: those of its index.
    """

    picture: str = ""
    members: tuple[Member, ...] = ()
    vectors: KeptVectors | None = None
