"""What every test runs in: no network, a fixed environment, and golden files that `--update-golden` rewrites."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.desk import Desk
from tests.property import strategies

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that accepts what comes out now as the golden files."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files with what comes out now")


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and load the profile of the property tests."""
    config.addinivalue_line("markers", "long: takes minutes; runs where ROTATOR_LONG is set")
    config.addinivalue_line("markers", "loopback: talks to programs of this machine over sockets")
    strategies.load_profile()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share the whole suite out to every core; a few files that somebody names run in one process, as they are read."""
    return (os.cpu_count() or 1) if config.args == config.getini("testpaths") else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave long tests out unless they are asked for."""
    if not os.environ.get("ROTATOR_LONG"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="set ROTATOR_LONG=1 to run long tests"))


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fix what the environment would change, for this process and those it starts."""
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("TZ", "Pacific/Kiritimati")
    for name in ("ROTATOR_TODAY", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING"):
        patch.delenv(name, raising=False)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse sockets, but to tests that say they need them."""
    if request.node.get_closest_marker("loopback"):
        return

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a test opened a socket")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "bind", refused)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give a folder with minted files, to write policies in."""
    return Desk(tmp_path)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str | bytes], None]:
    """Give a comparison with a golden file; `--update-golden` writes it instead."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, found: str | bytes) -> None:
        path = GOLDEN / name
        data = found if isinstance(found, bytes) else found.encode()
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"{name} is not there: run pytest --update-golden and look at it"
        assert data.decode() == path.read_bytes().decode()

    return compare
