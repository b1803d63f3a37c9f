"""The house rules, read from the code's own imports and calls: one-way arrows and six onlys."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
#: Each room may enter those to its right, and the three that all may enter.
ROOMS = ("main", "web", "studio", "vision", "zoo")
EVERYBODYS = ("archive", "settings", "hosts", "errors", "logs")
#: The web's own rooms, likewise; "" is the frame that they share. What composes them stands above.
WEB_ROOMS = ("lecture", "images", "networks", "collections", "visualizations", "api", "")
ABOVE_WEB_ROOMS = ("site.py", "home.py", "search.py", "health.py")
MOST_FILES = 24


def names(module: Path) -> Iterator[str]:
    """Dotted names of everything a module imports, at whatever depth it does so."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module: Path) -> str:
    return module.relative_to(APP).with_suffix("").parts[0]


def offenders(*needles: str, but: tuple[str, ...]) -> list[str]:
    """Modules whose code (not its words) has one of the needles, other than those allowed."""
    found = []
    for module in MODULES:
        place = module.relative_to(APP).as_posix()
        code = ast.unparse(_without_docstrings(ast.parse(module.read_text("utf-8"))))
        if any(needle in code for needle in needles) and not place.startswith(but):
            found.append(place)
    return found


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0].value = ast.Constant(value=0)
    return tree


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(APP)))
def test_arrows_go_one_way(module: Path) -> None:
    own = room(module)
    if own in ("__init__", "__main__"):
        return
    entered = {name.split(".")[1] for name in names(module) if name.startswith("app.")}
    entered -= {"__version__"}
    if own in EVERYBODYS:
        assert entered <= {own, "errors", "hosts"}, "only what itself imports nothing of ours"
    else:
        allowed = ROOMS[ROOMS.index(own) :]
        assert entered <= {*allowed, *EVERYBODYS}


def web_room(dotted: str) -> str:
    """The room of a module of the web, by its path's or name's parts below app/web."""
    first = dotted.removeprefix("app.web.").split(".")[0]
    return first if first in WEB_ROOMS else ""


@pytest.mark.parametrize(
    "module",
    [path for path in MODULES if room(path) == "web"],
    ids=lambda path: str(path.relative_to(APP)),
)
def test_arrows_inside_the_web_go_one_way(module: Path) -> None:
    if module.parent.name == "web" and module.name in ABOVE_WEB_ROOMS:
        return
    own = web_room(".".join(module.relative_to(ROOT).parts))
    allowed = WEB_ROOMS[WEB_ROOMS.index(own) :]
    entered = {web_room(name) for name in names(module) if name.startswith("app.web.")}
    assert entered <= set(allowed)


def test_no_folder_is_a_corridor_with_too_many_doors() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "app", "templates", "static", "tests"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    folders = Counter(Path(path).parent.as_posix() for path in listed)
    assert {folder: count for folder, count in folders.items() if count > MOST_FILES} == {}


def test_the_web_process_never_imports_torch_or_numpy() -> None:
    code = (
        "import sys; import app.__main__; "
        "print([name for name in ('torch', 'torchvision', 'timm', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "[]"


def test_networks_optics_and_makers_need_no_web_packages() -> None:
    """The machine with the GPU has torch, torchvision, timm, pillow, numpy and no more."""
    absent = ("fastapi", "pydantic", "structlog", "uvicorn", "jinja2", "babel", "httpx", "isal")
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
        if room(path) in ("zoo", "vision") or path.is_relative_to(APP / "studio" / "makers")
    ]
    code = (
        "import sys, importlib\n"
        f"for name in {absent!r}: sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_only_the_engine_starts_processes_or_threads() -> None:
    needles = ("multiprocessing", "subprocess", "Thread(", "concurrent.futures", "os.fork")
    assert offenders(*needles, but=("studio/engine/",)) == []


def test_only_the_keeper_moves_a_network_to_a_device() -> None:
    assert offenders(".cuda(", ".to(device", ".to(self.device", but=("zoo/keeper.py",)) == []


def test_only_taps_registers_hooks() -> None:
    assert offenders("register_forward", "register_backward", "register_full", "register_hook",
                     but=("zoo/taps.py",)) == []  # fmt: skip


def test_only_pages_reads_htmx_headers() -> None:
    assert offenders("'hx-", '"hx-', "'HX-", '"HX-', but=("web/pages.py",)) == []


def test_only_urls_writes_a_path() -> None:
    """Path literals like '/models/…' stand in urls.py alone."""
    found = []
    for module in MODULES:
        if module.name == "urls.py":
            continue
        tree = _without_docstrings(ast.parse(module.read_text("utf-8")))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                value = node.value
                if value.startswith("/") and value[1:2].isalpha() and not value.startswith("/proc"):
                    found.append(f"{module.relative_to(APP)}:{node.lineno} {value}")
    assert found == []


def test_only_the_archive_opens_a_file_for_writing() -> None:
    needles = ("write_bytes", "write_text", "O_WRONLY", "O_RDWR", "NamedTemporaryFile", "mkstemp",
               "'wb'", "'w'", "'ab'", "'a'", "'r+b'", "'xb'")  # fmt: skip
    assert offenders(*needles, but=("archive/",)) == []


def test_templates_and_styles_fetch_nothing_from_elsewhere() -> None:
    sources = [*(ROOT / "templates").rglob("*"), *(ROOT / "static").glob("*.*")]
    for source in (path for path in sources if path.is_file()):
        text = source.read_text("utf-8", errors="ignore")
        for attribute in (
            'src="http',
            "src='http",
            'src="//',
            "url(http",
            "@import",
            'import("http',
        ):
            assert attribute not in text, f"{source} has {attribute}"


def test_there_is_no_circle_of_imports() -> None:
    """Modules that import each other, those for types alone counted, at whatever length."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in MODULES
    }
    entered = {
        module: {target for name in names(path) for target in _targets(name, modules)} - {module}
        for module, path in modules.items()
    }
    while ends := [module for module, targets in entered.items() if not targets & set(entered)]:
        for module in ends:
            del entered[module]
    assert entered == {}, "what is left imports itself, by way of others"


def _targets(name: str, modules: Collection[str]) -> list[str]:
    """The module that a dotted name is, or that it is taken from."""
    return [one for one in (name, name.rpartition(".")[0]) if one in modules][:1]
