"""The archive on a real disk: what it keeps, what it lets go, and what a crash cannot do to it."""

import errno
import hashlib
import os
import resource
import shutil
import stat
import subprocess
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.archive import Archive, KeptImage, clean_name
from app.archive.room import RESERVE
from app.errors import DataInUse, DiskFull, UnknownImage
from app.settings import ROOT

MB = 1_000_000


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def archive(tmp_path: Path, clock: Clock) -> Iterator[Archive]:
    made = Archive(tmp_path / "data", 10 * MB, clock)
    yield made
    made.close()


def content(seed: object, size: int = 1000) -> bytes:
    """Bytes that are different for each seed."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def keep(archive: Archive, seed: object = "cat", size: int = 1000, **but: Any) -> KeptImage:
    values: dict[str, Any] = {
        "owner": "anna",
        "name": f"{seed}.png",
        "picture": content(seed, size),
        "preview": content(f"small {seed}", 100),
        "width": 40,
        "height": 30,
        "original": (4000, 3000),
        "hours": 24,
    }
    return archive.keep_image(**values | but)


def files_in(archive: Archive) -> set[Path]:
    """All files that hold pictures or may be a part of one."""
    return {
        path
        for path in archive.root.rglob("*")
        if path.is_file() and not path.name.startswith(("index.sqlite", "lock"))
    }


# Pictures


def test_a_picture_is_kept_as_it_came(archive: Archive, clock: Clock) -> None:
    kept = keep(archive, name="Grandma.jpg")
    again = archive.image(kept.id)
    assert again == kept
    assert (kept.name, kept.owner, kept.shared) == ("Grandma.jpg", "anna", False)
    assert (kept.width, kept.height, kept.original) == (40, 30, (4000, 3000))
    assert kept.picture.read_bytes() == content("cat")
    assert kept.preview.read_bytes() == content("small cat", 100)
    assert kept.expires == kept.created + 24 * 3600
    assert abs(kept.created - clock.now) < 1


def test_everybody_has_their_own_newest_first(archive: Archive) -> None:
    old, other, new = keep(archive, 1), keep(archive, 2, owner="ben"), keep(archive, 3)
    assert archive.images_of("anna") == [new, old]
    assert archive.images_of("ben") == [other]
    assert archive.images_of("nobody") == []


def test_ids_cannot_be_guessed(archive: Archive) -> None:
    ids = {keep(archive).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(bytes.fromhex(id)) >= 16 for id in ids)


def test_sharing_is_turned_on_and_off(archive: Archive) -> None:
    kept = keep(archive)
    assert archive.share_image(kept.id, True).shared
    assert archive.image(kept.id).shared
    assert not archive.share_image(kept.id, False).shared
    with pytest.raises(UnknownImage):
        archive.share_image("other", True)


def test_a_picture_goes_with_all_that_was_made_from_it(archive: Archive) -> None:
    kept, other = keep(archive), keep(archive, "dog")
    for number in range(3):
        archive.keep_result(f"of cat {number}", {}, content(number), "image/png", kept.id)
    archive.keep_result("of dog", {"sees": "dog"}, content("grid"), "image/png", other.id)
    archive.keep_result("of none", {}, None, "image/png", None)
    archive.delete_image(kept.id)
    with pytest.raises(UnknownImage):
        archive.image(kept.id)
    with pytest.raises(UnknownImage):
        archive.delete_image(kept.id)
    assert [archive.result(f"of cat {number}") for number in range(3)] == [None] * 3
    of_dog = archive.result("of dog")
    assert of_dog is not None
    assert archive.read(of_dog) == content("grid")
    assert archive.result("of none") is not None
    assert files_in(archive) == {other.picture, other.preview, of_dog.path}


def test_nothing_deleted_is_left_in_the_index(archive: Archive) -> None:
    kept = keep(archive, name="Erikas Hochzeit.jpg")
    archive.delete_image(kept.id)
    archive.close()
    assert b"Erikas" not in (archive.root / "index.sqlite").read_bytes()


def test_what_two_people_sent_stays_for_the_other(archive: Archive) -> None:
    one, two = keep(archive), keep(archive, owner="ben")
    assert one.picture == two.picture
    archive.delete_image(one.id)
    assert archive.image(two.id).picture.read_bytes() == content("cat")
    archive.delete_image(two.id)
    assert files_in(archive) == set()
    assert archive.usage().total == 0


def test_a_result_may_be_the_same_as_a_picture(archive: Archive) -> None:
    kept, other = keep(archive), keep(archive, "dog")
    archive.keep_result("same", {}, content("cat"), "image/png", other.id)
    archive.delete_image(other.id)
    assert kept.picture.read_bytes() == content("cat")


def test_uploads_expire_and_samples_do_not(archive: Archive, clock: Clock) -> None:
    kept, sample = keep(archive, hours=2), keep(archive, "chelsea", id="chelsea", hours=None)
    archive.keep_result("of cat", {}, content("grid"), "image/png", kept.id)
    clock.now += 2 * 3600 - 1
    assert archive.sweep() == []
    assert archive.image(kept.id) == kept
    clock.now += 1
    with pytest.raises(UnknownImage):
        archive.image(kept.id)
    assert archive.images_of("anna") == [sample]
    with pytest.raises(UnknownImage):
        archive.keep_result("late", {}, content("late"), "image/png", kept.id)
    assert archive.sweep() == [kept.id]
    assert archive.result("of cat") is None
    assert archive.image("chelsea").expires is None
    assert files_in(archive) == {sample.picture, sample.preview}


@given(st.text() | st.text(alphabet="./\\\0\u202e\u2066\r\n\t a", max_size=50))
@example("../../etc/passwd")
@example("C:\\Users\\me\\photo.jpg")
@example("invoice\u202egnp.exe")
@example("\x1b[31mred\x07.png")
@example("\ud800.png")
@example("x" * 10_000)
@example("a" * 79 + " .png")
@example("..")
def test_names_are_clean(name: str) -> None:
    cleaned = clean_name(name)
    assert 0 < len(cleaned) <= 80
    assert not {"/", "\\"} & set(cleaned)
    assert cleaned not in (".", "..")
    assert cleaned == cleaned.strip()
    assert all(unicodedata.category(sign)[0] != "C" for sign in cleaned)
    cleaned.encode()


def test_ordinary_names_stay_as_they_are() -> None:
    for name in ("DSC_0042.JPG", "Mormors kødsovs (2).png", "写真.webp"):
        assert clean_name(f"/home/me/{name}") == name


# Results


def test_facts_are_the_same_when_kept_and_when_asked_for_later(archive: Archive) -> None:
    facts = {"layers": [{"name": "pool", "shape": (8, 1, 1)}], "sizes": {1: (2, 3)}}
    kept = archive.keep_result("key", facts, None, "application/json", None)
    later = archive.result("key")
    assert later is not None
    assert kept.facts == later.facts
    assert kept.facts["layers"][0]["shape"] == [8, 1, 1]


def test_a_result_is_kept_with_its_numbers_and_its_picture(archive: Archive) -> None:
    made = archive.keep_result("key", {"top": [0.5]}, content("grid"), "image/png", None)
    found = archive.result("key")
    assert found == made
    assert found.facts == {"top": [0.5]}
    assert found.media == "image/png"
    assert found.digest == hashlib.sha256(content("grid")).hexdigest()
    assert archive.read(found) == content("grid")
    assert archive.result("other") is None


def test_a_result_that_is_made_again_replaces_the_old(archive: Archive) -> None:
    old = archive.keep_result("key", {"n": 1}, content("old"), "image/png", None)
    archive.keep_result("key", {"n": 2}, content("new"), "image/jpeg", None)
    found = archive.result("key")
    assert found is not None
    assert (found.facts, found.media, archive.read(found)) == (
        {"n": 2},
        "image/jpeg",
        content("new"),
    )
    assert old.path is not None
    assert not old.path.exists()
    archive.keep_result("key", {"n": 3}, None, "image/png", None)
    assert files_in(archive) == set()


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cut(path: Path) -> None:
    os.truncate(path, 10)


@pytest.mark.parametrize("damage", [_flip, _cut, Path.unlink])
def test_damage_is_noticed_and_forgotten(archive: Archive, damage: Callable[[Path], None]) -> None:
    made = archive.keep_result("key", {}, content("grid"), "image/png", None)
    archive.keep_result("other", {}, content("other"), "image/png", None)
    assert made.path is not None
    kept = archive.result("key")
    assert kept is not None
    damage(made.path)
    assert archive.read(kept) is None
    assert archive.result("key") is None
    assert archive.result("other") is not None
    assert not made.path.exists()
    again = archive.keep_result("key", {}, content("grid"), "image/png", None)
    assert archive.read(again) == content("grid")


def test_a_damaged_file_is_mended_by_the_same_content(archive: Archive) -> None:
    made = archive.keep_result("key", {}, content("grid"), "image/png", None)
    assert made.path is not None
    _flip(made.path)
    archive.keep_result("another", {}, content("grid"), "image/png", None)
    assert archive.read(made) == content("grid")


# Room


def test_the_least_recently_used_results_go_first(archive: Archive) -> None:
    kept = keep(archive, size=5 * MB)
    for number in range(40):
        archive.keep_result(f"{number}", {}, content(number, 110_000), "image/png", kept.id)
    for number in range(10):
        assert archive.result(f"{number}") is not None  # used: they are the youngest now
    archive.keep_result("new", {}, content("new", MB), "image/png", kept.id)
    there = {number for number in range(40) if archive.result(f"{number}") is not None}
    assert there >= set(range(10))
    assert there >= set(range(30, 40))
    assert not there & set(range(10, 15))
    assert archive.result("new") is not None
    assert archive.usage().total <= 10 * MB
    assert archive.image(kept.id).picture.stat().st_size == 5 * MB


def test_uploads_push_out_results_but_never_uploads(archive: Archive) -> None:
    first = keep(archive, 1, 4 * MB)
    archive.keep_result("grid", {}, content("grid", 5 * MB), "image/png", first.id)
    second = keep(archive, 2, 4 * MB)
    assert archive.result("grid") is None
    with pytest.raises(DiskFull):
        keep(archive, 3, 4 * MB)
    assert archive.images_of("anna") == [second, first]
    assert len(files_in(archive)) == 4
    keep(archive, 4, MB // 2)
    archive.delete_image(first.id)
    keep(archive, 3, 4 * MB)


def test_an_upload_that_fits_costs_no_result(archive: Archive) -> None:
    kept = keep(archive)
    archive.keep_result("grid", {}, content("grid", 9_500_000), "image/png", kept.id)
    keep(archive, "dog", 100_000)
    assert archive.result("grid") is not None


def test_what_can_never_fit_costs_nobody_a_result(archive: Archive) -> None:
    archive.keep_result("grid", {}, content("grid"), "image/png", None)
    with pytest.raises(DiskFull):
        keep(archive, size=11 * MB)
    with pytest.raises(DiskFull):
        archive.keep_result("huge", {}, content("huge", 11 * MB), "image/png", None)
    assert archive.result("grid") is not None
    assert len(files_in(archive)) == 1


def test_a_smaller_quota_takes_effect_at_the_next_sweep(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10 * MB)
    kept = keep(archive, size=MB)
    for number in range(8):
        archive.keep_result(f"{number}", {}, content(number, MB), "image/png", kept.id)
    archive.close()
    archive = Archive(tmp_path, 4 * MB)
    assert archive.usage().total > 8 * MB
    archive.sweep()
    assert archive.usage().total <= 4 * MB
    assert archive.image(kept.id) == kept
    archive.close()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process can grow beyond this: a write ends half-way, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_half_way_leaves_nothing_half_there(archive: Archive) -> None:
    kept = keep(archive)
    before = files_in(archive)
    with largest_file(2 * MB):
        with pytest.raises(DiskFull):
            keep(archive, "dog", 3 * MB)
        with pytest.raises(DiskFull):  # the picture can be written, its preview cannot
            keep(archive, "dog", MB, preview=content("large preview", 3 * MB))
        with pytest.raises(DiskFull):
            archive.keep_result("grid", {}, content("grid", 3 * MB), "image/png", kept.id)
        with pytest.raises(DiskFull), archive.replace_file(archive.root / "w.pth") as file:
            file.write(content("weights", 3 * MB))
        assert archive.result("grid") is None
        assert files_in(archive) == before
    assert archive.images_of("anna") == [kept]
    keep(archive, "dog", 3 * MB)
    archive.keep_result("grid", {}, content("grid", 3 * MB), "image/png", kept.id)


def test_an_index_that_cannot_grow_leaves_nothing_behind(archive: Archive) -> None:
    kept = keep(archive)
    before = files_in(archive)
    index = (archive.root / "index.sqlite-wal").stat().st_size
    with largest_file(index + 20_000), pytest.raises(DiskFull):
        archive.keep_result("grid", {"n": "x" * 200_000}, content("grid"), "image/png", kept.id)
    assert files_in(archive) == before
    assert archive.result("grid") is None
    archive.keep_result("grid", {"n": "x" * 200_000}, content("grid"), "image/png", kept.id)
    assert archive.result("grid") is not None


def test_a_sync_that_fails_is_not_taken_for_success(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(DiskFull):
            keep(archive)
    assert files_in(archive) == set()
    keep(archive)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 40 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "laterna-test", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs rights that are not there")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_full_disk_results_make_room_and_people_can_still_delete(small_disk: Path) -> None:
    archive = Archive(small_disk / "data", 1000 * MB)
    kept = keep(archive, size=5 * MB)
    for number in range(12):
        archive.keep_result(f"{number}", {}, content(number, 2 * MB), "image/png", kept.id)
    on_disk = sum(path.stat().st_size for path in files_in(archive))
    assert 10 * MB < on_disk < 40 * 1024 * 1024 - RESERVE
    with suppress(DiskFull):
        for number in range(12):
            keep(archive, number, 5 * MB)
    uploads = archive.images_of("anna")
    assert len(uploads) == 4
    assert archive.result("11") is None
    free = os.statvfs(small_disk)
    (small_disk / "somebody else's").write_bytes(bytes(free.f_bavail * free.f_frsize))
    with pytest.raises(DiskFull):
        keep(archive, "late", 1000)
    for image in uploads:
        assert image.picture.stat().st_size == 5 * MB
        archive.delete_image(image.id)
    assert files_in(archive) == set()
    keep(archive, "early", 1000)
    archive.close()


def test_a_start_on_a_full_disk_serves_what_is_there(small_disk: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from app.archive import Archive;"
        "from tests.archive.test_archive import keep;"
        "print(keep(Archive(Path(sys.argv[1]), 10**9)).id, flush=True); os._exit(1)"
    )
    command = [sys.executable, "-c", script, str(small_disk / "data")]
    id = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()
    free = os.statvfs(small_disk)
    (small_disk / "somebody else's").write_bytes(bytes(free.f_bavail * free.f_frsize))
    archive = Archive(small_disk / "data", 10**9)
    assert archive.image(id).picture.read_bytes() == content("cat")
    with pytest.raises(DiskFull):
        keep(archive, "dog")
    archive.close()
    with pytest.raises(DiskFull):
        Archive(small_disk / "another", 10**9)


# Crashes, and more than one at a time


def test_leftovers_of_a_crash_are_removed_at_the_next_start(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10 * MB)
    kept = keep(archive)
    archive.close()
    stray = tmp_path / "blobs" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"without a row")
    part = kept.picture.with_name(f"{kept.picture.name}.0123abcd.part")
    part.write_bytes(b"half of a")
    archive = Archive(tmp_path, 10 * MB)
    assert not stray.exists()
    assert not part.exists()
    assert archive.image(kept.id).picture.read_bytes() == content("cat")
    archive.close()


def test_what_lost_its_file_is_not_promised_any_more(tmp_path: Path) -> None:
    archive = Archive(tmp_path, 10 * MB)
    lost, kept = keep(archive), keep(archive, "dog")
    archive.keep_result("of lost", {}, content("grid"), "image/png", lost.id)
    archive.keep_result("of kept", {}, content("other"), "image/png", kept.id)
    archive.close()
    lost.preview.unlink()
    archive = Archive(tmp_path, 10 * MB)
    assert archive.images_of("anna") == [kept]
    assert archive.result("of lost") is None
    assert archive.result("of kept") is not None
    assert len(files_in(archive)) == 3
    assert archive.usage().total == 1100 + 1000 + 2
    archive.close()


WRITER = """
import sys
from pathlib import Path
from app.archive import Archive
from tests.archive.test_archive import content, keep
archive = Archive(Path(sys.argv[1]), 10**9)
for number in range(100_000):
    kept = keep(archive, number, 300_000)
    archive.keep_result(kept.id, {}, content(-number, 100_000), "image/png", kept.id)
    print(number, kept.id, flush=True)
"""


def test_what_was_kept_survives_kill_nine_and_the_rest_leaves_no_trace(tmp_path: Path) -> None:
    told: list[str] = []
    for moment in (0.05, 0.23):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            told.append(writer.stdout.readline().decode())
            time.sleep(moment)
            writer.kill()
            told += writer.stdout.read().decode().splitlines()
    archive = Archive(tmp_path, 10**9)
    pairs = [line.split() for line in told if len(line.split()) == 2]
    assert pairs, "the writer wrote"
    for number, id in pairs:
        assert archive.image(id).picture.read_bytes() == content(number, 300_000)
        result = archive.result(id)
        assert result is not None
        assert archive.read(result) == content(-int(number), 100_000)
    for file in files_in(archive):
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name
    known = {path for image in archive.images_of("anna") for path in (image.picture, image.preview)}
    assert known <= files_in(archive)
    assert len(files_in(archive)) <= len(known) + len(archive.images_of("anna"))
    archive.close()


def test_one_folder_is_for_one_program(archive: Archive) -> None:
    script = (
        "import sys; from pathlib import Path; from app.archive import Archive; "
        "Archive(Path(sys.argv[1]), 1)"
    )
    command = [sys.executable, "-c", script, str(archive.root)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert second.returncode != 0
    assert DataInUse.__name__ in second.stderr
    archive.close()
    assert subprocess.run(command, cwd=ROOT).returncode == 0


def test_many_threads_at_once(archive: Archive) -> None:
    def work(number: int) -> None:
        kept = keep(archive, number % 3, 20_000, owner=f"owner {number}")  # shared contents
        archive.keep_result(f"{number}", {}, content(number % 5), "image/png", kept.id)
        found = archive.result(f"{number}")
        assert found is not None
        assert archive.read(found) == content(number % 5)
        assert archive.images_of(f"owner {number}") == [kept]
        if number % 2:
            archive.delete_image(kept.id)
            assert archive.result(f"{number}") is None
        archive.sweep()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(60)))
    left = [image for number in range(60) for image in archive.images_of(f"owner {number}")]
    assert len(left) == 30
    for image in left:
        assert len(image.picture.read_bytes()) == 20_000
    assert len(files_in(archive)) == 3 + 3 + 5
    on_disk = sum(path.stat().st_size for path in files_in(archive))
    assert archive.usage().total == on_disk + archive.usage().facts


def test_reading_does_not_wait_for_writing(archive: Archive) -> None:
    kept = keep(archive)
    seen: list[KeptImage] = []
    with archive._index.writing, archive._index.change():
        reader = threading.Thread(target=lambda: seen.append(archive.image(kept.id)))
        reader.start()
        reader.join(2)
    assert seen == [kept]


def test_a_secret_is_made_once_for_this_user_alone(archive: Archive) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: archive.secret("cookies"), range(8)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    assert archive.secret("cookies") != archive.secret("other")
    (file,) = archive.root.glob("cookies*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = archive.secret("cookies")
    archive.close()
    assert Archive(archive.root, MB).secret("cookies") == before


def test_strangers_of_this_machine_cannot_look_in(archive: Archive) -> None:
    assert stat.S_IMODE(archive.root.stat().st_mode) == 0o700


# Files elsewhere


def test_a_replaced_file_appears_whole_or_not_at_all(archive: Archive, tmp_path: Path) -> None:
    target = tmp_path / "weights" / "net.pth"
    with suppress(ZeroDivisionError), archive.replace_file(target) as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert list(target.parent.iterdir()) == []
    with archive.replace_file(target) as file:
        file.write(b"old")
        assert not target.exists()
    with archive.replace_file(target) as file:
        file.write(b"new one")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new one"
    assert list(target.parent.iterdir()) == [target]


def test_abandoned_parts_go_and_those_under_way_stay(archive: Archive, tmp_path: Path) -> None:
    target = tmp_path / "net.pth"
    old, young = (tmp_path / f"net.pth.{name}.part" for name in ("old", "young"))
    other = tmp_path / "other.pth.old.part"
    for file in (old, young, other):
        file.write_bytes(b"half")
    for file in (old, other):
        os.utime(file, (time.time() - 7200,) * 2)
    with archive.replace_file(target) as writing:
        writing.write(b"whole")
    assert not old.exists()
    assert young.exists()
    assert other.exists()
