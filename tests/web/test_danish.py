"""Nothing on a Danish page is English: every page is compared with what it says in English."""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import torch

from app.vision.drawing import colors
from tests.asking import ATLAS, CHANNEL, CLASS, MODEL, REBUILT, STRIP, ask, finish, made
from tests.running import Laterna, laterna
from tests.web.extraction import catalogue
from tests.zoo.checkpoints import RGB, models_dir, toml

#: What a page says besides its texts.
SAID = ("alt", "title", "aria-label", "placeholder", "data-words", "aria-roledescription")
#: Elements whose texts are data, code, or in a language that they name.
DATA = ("script", "style", "code", "kbd")
VOID = ("img", "input", "br", "meta", "link", "stop", "rect", "path", "circle", "hr", "image")
#: Names that are the same in every language.
NAMES = {
    "Laterna", "AlexNet", "VGG", "ResNet", "GoogLeNet", "EfficientNet", "SqueezeNet", "MobileNet",
    "DenseNet", "ConvNeXt", "Inception", "ReLU", "SiLU", "GELU", "ImageNet", "PyTorch", "torch",
    "torchvision", "timm", "numpy", "Python", "Jupyter", "WebP", "PNG", "CSV", "SVG", "JSON", "RGB",
    "BGR", "Adam", "Studio", "Chelsea", "Eileen", "Collins", "Dansk", "English", "cpu", "cuda",
    "arXiv", "PSNR", "SSIM", "t-SNE", "samples", "laterna",
    "Selvaraju", "Szegedy", "et", "al.", *colors.NAMES,
}  # fmt: skip
PAGES = (
    "/",
    "/models",
    f"/models/{MODEL}",
    f"/models/{MODEL}/graph?image=chelsea",
    f"/models/{MODEL}/layers/conv_stem",
    f"/models/{MODEL}/layers/conv_stem/filters",
    f"/models/{MODEL}/layers/bn1/channels/5",
    f"/models/{MODEL}/classes?q=shark",
    "/models/vgg19",
    f"/models/{MODEL}-untrained",
    "/images",
    "/images/chelsea",
    f"/images/chelsea/models/{MODEL}",
    f"/images/coffee/models/{MODEL}/layers/bn1",
    f"/images/coffee/models/{MODEL}/layers/bn1/channels/5",
    f"/images/coffee/models/{MODEL}/where",
    f"/images/coffee/models/{MODEL}/covering",
    "/images/rocket/models/vgg19/layers/features.0",
    "/visualizations",
    "/visualizations/new?kind=class&q=banana",
    "/visualizations/new?kind=channel",
    "/visualizations/new?kind=atlas",
    "/visualizations/new?kind=reconstruction",
    "/visualizations/new?kind=strip",
    "/side-by-side",
    "/architectures",
    "/calculators",
    "/collections",
    "/collections/samples",
    "/collections/samples/photos/0",
    f"/collections/samples/models/{MODEL}",
    f"/collections/samples/models/{MODEL}/neighbours",
    f"/collections/samples/models/{MODEL}/layers/bn2",
    f"/collections/samples/models/{MODEL}/layers/bn2/neighbours",
    f"/collections/samples/models/{MODEL}/layers/bn2/map",
    "/queue",
    "/lecture",
    "/nothing-here",
    f"/images/chelsea/models/{MODEL}/layers/bn1?tile=4096",
)


class Reader(HTMLParser):
    """The texts of a page, but for data and what is said to be in a language of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self._open: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        foreign = tag != "html" and ("lang" in said or said.get("translate") == "no")
        if tag not in VOID:
            self._open.append(tag in DATA or foreign)
        if not any(self._open):
            self.texts |= {str(said[name]) for name in SAID if said.get(name)}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        return

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self._open):
            self.texts.add(" ".join(data.split()))


@pytest.fixture(scope="module")
def addresses(server: Laterna) -> Iterator[list[str]]:
    """Pages of every kind, those of what was made among them."""
    with server.client() as client:
        indexed = {"kind": "index", "collection": "samples", "model": MODEL}
        bodies = (CLASS, CHANNEL, ATLAS, REBUILT, STRIP, indexed)
        yield [*PAGES, *(made(client, body)["url"] for body in bodies)]


def known(client: httpx.Client) -> set[str]:
    """What is data: names of layers, networks, classes, photos."""
    names = set(NAMES)
    for row in client.get("/models.json").json()["models"]:
        names |= {row["title"], row["name"], *re.split(r"\s*[(),]\s*", row["title"])}
    for model in (MODEL, "vgg19", "alexnet-2012", "vgg16", "googlenet-2014"):
        layers = client.get(f"/models/{model}.json").json()["layers"]
        names |= {layer["name"] for layer in layers} | {layer["block"] for layer in layers}
    names |= {row["label"] for row in client.get(f"/models/{MODEL}/classes.json").json()["classes"]}
    names |= {sample["id"] for sample in client.get("/images.json").json()["samples"]}
    return names


def alike() -> list[re.Pattern[str]]:
    """Danish messages as patterns: an English text that fits one is the same in Danish."""
    patterns = []
    for message in catalogue("da"):
        for said in message.string if isinstance(message.string, tuple) else (message.string,):
            parts = re.split(r"%\(\w+\)s|\{\w+\}", str(said))
            if any(re.search(r"[^\W\d_]", part) for part in parts):
                patterns.append(re.compile(".+".join(map(re.escape, parts)), re.DOTALL))
    return patterns


def untranslated(text: str, names: set[str], patterns: list[re.Pattern[str]]) -> bool:
    """Whether a text that is the same in both languages ought not to be."""
    if ".pth" in text or any(pattern.fullmatch(text) for pattern in patterns):
        return False
    for part in re.split(r"\s*[·,()+:;–“”|→=]\s*", text):
        bare = re.sub(r"[\d.,×%±/*-]+|\b(px|MB|GB|kB|dB|ms|s|E)\b", " ", part).strip()
        if part in names or bare in names or not re.search(r"[^\W\d_]{2}", bare):
            continue
        if any(pattern.fullmatch(one) for one in (part, bare) for pattern in patterns):
            continue
        if re.fullmatch(r"(\w+ [\d.]+(\+\w+)?)", part):  # a package with its version
            continue
        if re.fullmatch(r"[\w.]*[\d_.][\w.]*|[0-9a-f]{16,}|\S+@\S+|https?://\S+", part):
            continue
        words = re.split(r"[\s()-]+", part)
        if all(word in names or re.search(r"[\d/_]|\.\w|^$", word) for word in words):
            continue
        return True
    return False


def test_no_text_of_a_danish_page_is_the_english_one(server: Laterna, addresses: list[str]) -> None:
    patterns, found = alike(), []
    with server.client() as client:
        names = known(client)
        for address in addresses:
            said = {}
            for language in ("en", "da"):
                answer = client.get(
                    address,
                    headers={"Accept-Language": language, "Accept": "text/html"},
                    follow_redirects=True,
                )
                assert answer.status_code < 500, address
                said[language] = Reader(answer.text).texts
            same = sorted(said["en"] & said["da"])
            found += [
                f"{urlsplit(address).path}: {html.unescape(text)[:120]}"
                for text in same
                if untranslated(text, names, patterns)
            ]
    assert found == []


def test_what_is_refused_is_told_in_danish_to_the_last_word(server: Laterna) -> None:
    refused = {
        f"/images/chelsea/models/{MODEL}/layers/bn1.json?tile=1024": "mindre",
        "/collections/samples/photos/0.jpg?crop=1,2": "venstre",
        "/architectures.json?models=a,b,c,d,e,f,g": "højst",
        f"/images/chelsea/models/{MODEL}/covering.json?mask=%21": "højst",
    }
    with server.client() as client:
        client.headers.update({"Accept-Language": "da", "Accept": "application/json"})
        for address, wanted in refused.items():
            answer = client.get(address)
            assert answer.status_code == 422, address
            message = answer.json()["error"]["message"]
            assert wanted in message, message
            assert "most" not in message, message


def test_what_a_job_failed_of_is_told_in_danish_also_later(server: Laterna) -> None:
    with server.client() as client:
        client.headers["Accept-Language"] = "da"
        id = ask(client, ATLAS, layer="conv_head", size=512)
        for _ in range(2):
            error = finish(client, id)["error"]
            assert error is not None
            assert "højst" in error["message"]
            assert "for this layer" not in error["message"]


def test_a_notebook_speaks_danish(server: Laterna) -> None:
    with server.client() as client:
        client.headers["Accept-Language"] = "da"
        for address in (
            f"/models/{MODEL}/layers/bn1/channels/5/notebook.ipynb",
            f"/images/chelsea/models/{MODEL}/layers/bn1/notebook.ipynb",
        ):
            cells = client.get(address).json()["cells"]
            texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
            assert len(texts) > 2
            assert "denne side" in texts[0]
            code = "\n".join(cell["source"] for cell in cells if cell["cell_type"] == "code")
            assert "siden {told}, her {here}" in code
            assert "_(" not in code
            assert not re.search(r"print\(.*\b(the|page|channels)\b", code)
            assert not any(re.search(r"\b(the|with|page)\b", text) for text in texts)


def bad_checkpoints(folder: Path) -> dict[str, str]:
    """A folder of models with own checkpoints that cannot be used: names, and what is in them."""
    weights = models_dir(folder) / "weights"
    good = toml("torchvision:squeezenet1_1", preprocessing=RGB.format(crop=224))
    torch.save({"a": torch.zeros(1)}, weights / "strange.pth")
    for name in ("empty", "cut", "unknown", "nested", "shaped", "paper", "latin", "missing"):
        (weights / f"{name}.safetensors").write_bytes(b"{}" if name != "empty" else b"")
    (weights / "missing.safetensors").unlink()
    (weights / "keras.h5").write_bytes(b"anything")
    (weights / "packed.zip").write_bytes(b"anything")
    (weights / "UPPER.pth").write_bytes(b"anything")
    texts = {
        "empty": good,
        "cut": good,
        "strange": good,
        "missing": good,
        "unknown": good + "\nwhatever = 1\n",
        "nested": "a = " + "[" * 5000,
        "shaped": good.replace("std = [", "std = [0, "),
        "paper": 'paper = "ftp://nowhere"\n' + good,
        "latin": "# ",
    }
    for name, text in texts.items():
        (weights / f"{name}.toml").write_bytes(text.encode() + b"\xe9" * (name == "latin"))
    return texts


def test_what_is_wrong_with_own_checkpoints_is_told_in_danish(tmp_path: Path) -> None:
    names = bad_checkpoints(tmp_path / "models")
    models = str(tmp_path / "models")
    with laterna(tmp_path / "data", LATERNA_MODELS_DIR=models) as server, server.client() as client:
        server.wait_until_ready()
        # The tensors are looked at only when it is opened.
        assert client.get("/models/strange.json").status_code == 409
        said = {}
        for language in ("en", "da"):
            listed = client.get("/models.json", headers={"Accept-Language": language}).json()
            said[language] = {row["name"]: row["note"] for row in listed["models"]}
    for name in (*names, "keras", "packed", "upper"):
        english, danish = (said[language][name] for language in ("en", "da"))
        assert english != danish, name
        assert danish, name
        assert not re.search(r"\b(is|are|not|the|there|must)\b", danish), danish


#: What the Danish of the lecture does not say (convolution, stride, padding, …).
NEVER = (
    r"foldning", r"\bskridt(et|s|ene)?\b", r"udfyldning", r"\bfyld\b", r"gradientstigning",
    r"\brører\b", r"\bvækker\b", r"træk-?vektor", r"egenskabsvektor", r"tager dette for",
    r"middel-?pooling", r"gennemsnitspooling", r"groet ud", r"vokset ud", r"så det hen",
    r"for programmer", r"\betikett?er\b", r"tvilling", r"fotografi",
)  # fmt: skip


def test_the_danish_words_are_those_of_the_lecture() -> None:
    wrong = [
        (str(message.id)[:60], word)
        for message in catalogue("da")
        if message.id
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
        for word in NEVER
        if re.search(word, str(text), re.IGNORECASE)
    ]
    assert wrong == []
