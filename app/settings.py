"""Settings: one frozen value, read once from the environment (prefix LATERNA_)."""

from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


class Settings(BaseSettings):
    """All that can be set from outside; every field has a default and a help text."""

    model_config = SettingsConfigDict(env_prefix="LATERNA_", frozen=True, populate_by_name=True)

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
        description="Host names that are answered, separated by commas, without ports.",
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
        description="Folders of photos that all may look at, separated by commas; nothing is "
        "written there. Labels come from the names of files or of folders within.",
    )
    offline: bool = Field(False, description="Never try to reach the weights mirror.")
    upload_max_bytes: int = Field(25 * MIB, gt=0, description="Largest upload, in bytes.")
    body_max_bytes: int = Field(1 * MIB, gt=0, description="Largest other request body, in bytes.")
    picture_max_pixels: int = Field(
        50_000_000, gt=0, description="Largest picture that is decoded, in pixels."
    )
    picture_side: int = Field(
        2048, ge=256, description="Longest side of a kept picture, in pixels; larger are reduced."
    )
    decode_seconds: float = Field(
        10.0, gt=0, description="Time limit for decoding one picture, in seconds."
    )
    decode_memory_bytes: int = Field(
        2048 * MIB, gt=0, description="Memory limit of a decoding process, in bytes."
    )
    decoders: int = Field(2, ge=1, description="Processes that decode pictures.")
    upload_hours: float = Field(24.0, gt=0, description="How long an upload is kept, in hours.")
    uploads_per_minute: int = Field(
        300, gt=0, description="Uploads taken from one address per minute."
    )
    quota_bytes: int = Field(
        4096 * MIB, gt=0, description="Disk space for uploads and results, in bytes."
    )
    network_memory_bytes: int = Field(
        2048 * MIB, gt=0, description="Memory for loaded networks per device, in bytes."
    )
    activation_memory_bytes: int = Field(
        768 * MIB, gt=0, description="Memory for kept activations per device, in bytes."
    )
    torch_threads: int = Field(
        0, ge=0, description="CPU threads of the device process; 0 leaves one core to the web."
    )
    queue_max: int = Field(
        200, gt=0, description="Requests that may wait for one device; more get a 503."
    )
    call_seconds: float = Field(
        120.0, gt=0, description="A device that has not answered by then is restarted, in seconds."
    )
    job_seconds: float = Field(
        3600.0, gt=0, description="Time limit for making one visualization, in seconds."
    )
    jobs_per_person: int = Field(
        20, gt=0, description="Visualizations that one person may have waiting; more get a 429."
    )
    jobs_max: int = Field(
        200, gt=0, description="Visualizations that may wait in all; more get a 503."
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

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        """Take a comma-separated string as well as a sequence."""
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("collections", mode="before")
    @classmethod
    def _split_folders(cls, value: object) -> object:
        """Take a comma-separated string as well as a sequence."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @property
    def weights_dir(self) -> Path:
        """Where weights and own checkpoints lie."""
        return self.models_dir / "weights"
