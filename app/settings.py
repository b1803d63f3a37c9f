"""Settings: one frozen value, read once from the environment (prefix LATERNA_).

A value that cannot work is refused here: a field says its limits, a validator raises ValueError
with what comes after “NAME is “…”; ”, and `complaints` makes sentences of both.
"""

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app import hosts

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
#: The most that any size may be, in bytes, and any count; a day, and ten years, in their units.
MOST_BYTES, MOST_COUNT, DAY, TEN_YEARS = 1 << 50, 1_000_000, 86_400.0, 87_600.0
DEVICE = re.compile(r"cpu|cuda(:\d{1,3})?")
FAULT = re.compile(r"((call-)?(oom|hang|die)|nan):[1-9]\d{0,8}")
IN_QUOTES = (
    "folders are separated by commas, and one with a comma in its name is put in double quotes, "
    'such as "/data/cats, dogs"'
)


class Settings(BaseSettings):
    """All that can be set from outside; every field has a default and a help text."""

    model_config = SettingsConfigDict(
        env_prefix="LATERNA_", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    host: str = Field(
        "127.0.0.1",
        validation_alias=AliasChoices("LATERNA_HOST", "HOST"),
        description="Address to listen on. 0.0.0.0 lets other devices in; set ALLOWED_HOSTS too.",
    )
    port: int = Field(
        8000,
        validation_alias=AliasChoices("LATERNA_PORT", "PORT"),
        ge=0,
        le=65535,
        description="Port to listen on. 0 takes any free one.",
    )
    data_dir: Path = Field(
        ROOT / "data", description="Uploads, results, the database and the cookie key."
    )
    models_dir: Path = Field(
        ROOT / "models", description="catalogue.toml, and weights/ with own checkpoints."
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        ("localhost", "127.0.0.1", "[::1]"),
        description="Host names that are answered, separated by commas, without ports; the names "
        "that people type, also behind a proxy.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Addresses or networks (172.16.0.0/12) of proxies, separated by commas, whose "
        "X-Forwarded-For, -Proto and -Host are believed.",
    )
    root_path: str = Field(
        "",
        description="Path under which a proxy shows Laterna, such as /laterna; the proxy may take "
        "it off or leave it.",
    )
    devices: str = Field(
        "auto", description="auto (all CUDA devices, else the CPU), cpu, or cuda:0,cuda:1."
    )
    default_model: str = Field(
        "efficientnet-lite0", description="The network that is loaded at start and shown first."
    )
    weights_mirror: str = Field(
        "https://download.pytorch.org/models",
        description="Where torchvision's weights are fetched from; a mirror of that folder works.",
    )
    collections: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders of photos that all may look at, separated by commas; one with a comma "
        "in its name in double quotes. Nothing is written there; links are followed, also out of "
        "them. The folders within are classes, else the names of files are.",
    )
    offline: bool = Field(False, description="Never try to reach the weights mirror.")
    upload_max_bytes: int = Field(
        25 * MIB, gt=0, le=MOST_BYTES, description="Largest upload, or photo in a folder, in bytes."
    )
    body_max_bytes: int = Field(
        1 * MIB, gt=0, le=MOST_BYTES, description="Largest other request body, in bytes."
    )
    bodies_max_bytes: int = Field(
        512 * MIB,
        gt=0,
        le=MOST_BYTES,
        description="Largest request bodies at one time, all together, in bytes; more get a 503. "
        "What is spooled of them lies in DATA_DIR, within the quota.",
    )
    picture_max_pixels: int = Field(
        50_000_000, gt=0, le=10**10, description="Largest picture that is decoded, in pixels."
    )
    picture_side: int = Field(
        2048,
        ge=256,
        le=16_384,
        description="Longest side of a kept picture, in pixels; larger are reduced, but "
        "the shorter side keeps 512 (or half of this).",
    )
    decode_seconds: float = Field(
        10.0, gt=0, le=DAY, description="Time limit for decoding one picture, in seconds."
    )
    decode_memory_bytes: int = Field(
        2048 * MIB,
        ge=200 * MIB,
        le=MOST_BYTES,
        description="Memory limit of a decoding process, in bytes.",
    )
    decoders: int = Field(2, ge=1, le=256, description="Processes that decode pictures.")
    upload_hours: float = Field(
        24.0, gt=0, le=TEN_YEARS, description="How long an upload is kept, in hours."
    )
    uploads_per_minute: int = Field(
        300,
        gt=0,
        le=MOST_COUNT,
        description="Uploads taken from one browser per minute, and ten times as many from "
        "one address.",
    )
    quota_bytes: int = Field(
        4096 * MIB, gt=0, le=MOST_BYTES, description="Disk space for uploads and results, in bytes."
    )
    network_memory_bytes: int = Field(
        2048 * MIB,
        gt=0,
        le=MOST_BYTES,
        description="Memory for loaded networks per device, in bytes.",
    )
    activation_memory_bytes: int = Field(
        768 * MIB,
        gt=0,
        le=MOST_BYTES,
        description="Memory for kept activations per device, in bytes.",
    )
    torch_threads: int = Field(
        0,
        ge=0,
        le=1024,
        description="CPU threads of the device process; 0 leaves one core to the web.",
    )
    queue_max: int = Field(
        200,
        gt=0,
        le=MOST_COUNT,
        description="Requests that may wait for one device; more get a 503.",
    )
    call_seconds: float = Field(
        120.0,
        gt=0,
        le=DAY,
        description="A device that has not answered by then is restarted, in seconds.",
    )
    silent_seconds: float = Field(
        15.0,
        gt=0,
        le=DAY,
        description="Nobody waits for a device that has given no sign of life for so many seconds; "
        "they get a 503.",
    )
    job_seconds: float = Field(
        3600.0,
        gt=0,
        le=30 * DAY,
        description="Time limit for making one visualization, in seconds.",
    )
    jobs_per_person: int = Field(
        20,
        gt=0,
        le=MOST_COUNT,
        description="Visualizations that one person may have waiting; more get a 429.",
    )
    jobs_max: int = Field(
        200, gt=0, le=MOST_COUNT, description="Visualizations that may wait in all; more get a 503."
    )
    idle_pictures: bool = Field(
        True,
        description="Look through all collections and make pictures when nobody wants anything.",
    )
    fault: str = Field(
        "",
        description="Tests only: oom:N, nan:N, hang:N or die:N strikes the N-th job, call-oom:N, "
        "call-hang:N or call-die:N the N-th quick request.",
    )

    @field_validator("host", "data_dir", "models_dir", "default_model", mode="before")
    @classmethod
    def _is_said(cls, value: object) -> object:
        """A blank would mean every address, or the folder that it happens to be started in."""
        if isinstance(value, str) and not value.strip():
            raise ValueError("it must not be empty; leave it unset for the default")
        return value

    @field_validator("devices")
    @classmethod
    def _are_devices(cls, value: str) -> str:
        names = [part.strip().lower() for part in value.split(",") if part.strip()]
        if names != ["auto"] and not (names and all(map(DEVICE.fullmatch, names))):
            raise ValueError("it must be auto, cpu, or CUDA devices such as cuda:0,cuda:1")
        return ",".join("cuda:0" if name == "cuda" else name for name in names)

    @field_validator("weights_mirror")
    @classmethod
    def _is_address(cls, value: str) -> str:
        address = urlsplit(value)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError("it must be an address that begins with https:// or http://")
        return value

    @field_validator("fault")
    @classmethod
    def _are_faults(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not all(map(FAULT.fullmatch, parts)):
            raise ValueError("it must be faults such as die:1 or call-hang:2, separated by commas")
        return value

    @field_validator("allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Take a comma-separated string as well as a sequence."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("collections", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        """Take a comma-separated string as well as a sequence; in a string all must be there."""
        if not isinstance(value, str):
            return value
        try:
            rows = list(csv.reader([value], skipinitialspace=True, strict=True))
        except csv.Error:
            raise ValueError(f"its double quotes do not match; {IN_QUOTES}") from None
        folders = tuple(part.strip() for row in rows for part in row if part.strip())
        for folder in folders:
            if not os.path.isdir(folder):  # noqa: PTH112  # it raises nothing
                raise ValueError(f"there is no folder {folder!r} that can be read; {IN_QUOTES}")
        return folders

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("no name is left, so nobody would be answered. Name each host")
        return tuple(map(hosts.allowed_name, names))

    @field_validator("root_path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        path = path.strip().rstrip("/")
        if path and not re.fullmatch(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)+", path):
            raise ValueError(
                f"“{path}” is not a path alone. Write it like /laterna: no name of a host, no "
                "spaces, and a slash in front of every part"
            )
        return path

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        hosts.networks(proxies)
        return proxies

    @property
    def weights_dir(self) -> Path:
        """Where weights and own checkpoints lie."""
        return self.models_dir / "weights"


def complaints(error: ValidationError) -> Iterator[str]:
    """A sentence for each setting that is wrong: what it is called, what it is, what it may be."""
    for problem in error.errors():
        place = str(problem["loc"][0])
        name = next(
            (n for n, field in Settings.model_fields.items() if place in _names(n, field)), place
        )
        field = Settings.model_fields.get(name)
        given = str(problem["input"])[:80]
        yield f"{_variable(name, field)} is “{given}”; {_allowed(problem, field)}."


def _names(name: str, field: Any) -> tuple[str, ...]:
    """What a setting is called in code and in the environment, the first that counts first."""
    choices = field.validation_alias.choices if field.validation_alias else ()
    return (name, *choices, f"LATERNA_{name.upper()}")


def _variable(name: str, field: Any) -> str:
    """The variable that said it."""
    names = [known for known in _names(name, field)[1:] if known.isupper()] if field else []
    return next((known for known in names if known in os.environ), f"LATERNA_{name.upper()}")


def _allowed(problem: Any, field: Any) -> str:
    """What a setting may be: in a validator's words, or by its type and limits."""
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    if field is None or field.annotation not in (int, float):
        return "it must be true or false" if field and field.annotation is bool else problem["msg"]
    limits = {
        kind: getattr(rule, kind)
        for rule in field.metadata
        for kind in ("gt", "ge", "le")
        if hasattr(rule, kind)
    }
    whole = "a whole number" if field.annotation is int else "a number"
    if "le" not in limits or not limits.keys() & {"gt", "ge"}:
        return f"it must be {whole}: {problem['msg']}"
    low = f"more than {limits['gt']:,}" if "gt" in limits else f"{limits['ge']:,}"
    return f"it must be {whole} of {low} to {limits['le']:,}"
