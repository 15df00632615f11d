"""Programs whose graphs the tests of minigrad.viz draw, each a function that returns its output."""

import numpy as np
import pytest

import minigrad as mg


def parameter(*shape, name=None):
    entries = np.random.default_rng(0).normal(0, 0.3, shape)
    return mg.tensor(entries, requires_grad=True, name=name)


def cnn():
    images = mg.tensor(np.random.default_rng(1).normal(size=(2, 1, 8, 8)), name="images")
    with mg.scope("conv1"):
        k, b = parameter(2, 1, 3, 3, name="conv1.k"), parameter(2, name="conv1.b")
        a = mg.avg_pool2d(mg.relu(mg.conv2d(images, k, b)), 2)
    with mg.scope("fc"):
        w, b = parameter(18, 3, name="fc.w"), parameter(3, name="fc.b")
        z = a.reshape(2, 18) @ w + b
    return mg.softmax_cross_entropy(z, np.array([0, 2]))


def square():
    x = parameter(3, name="x")
    return (x * x).sum()


def residual():
    x = parameter(4, 8, name="x")
    for i in range(2):
        with mg.scope(f"block{i}"), mg.scope("dense"):
            w, b, s = (parameter(*shape, name=name) for shape, name in (((8, 8), "w"), ((8,), "b"), ((8,), "scale")))
            x = x + mg.relu(x @ w + b) * 0.5 * s
    return x.mean()


def recurrent():
    w, u, b = parameter(8, 8, name="w"), parameter(4, 8, name="u"), parameter(8, name="b")
    h = mg.tensor(np.zeros((2, 8)), name="h")
    for t in range(5):
        with mg.scope(f"step{t}"):
            h = mg.tanh(h @ w + mg.tensor(np.ones((2, 4)), name=f"x{t}") @ u + b)
    return h.sum()


def attention():
    x = mg.tensor(np.random.default_rng(1).normal(size=(5, 8)), name="x")
    with mg.scope("attention"):
        q, k, v = (x @ parameter(8, 8, name=f"attention.{name}") for name in "QKV")
        y = mg.softmax((q @ k.T) / 8**0.5) @ v @ parameter(8, 8, name="attention.O")
    return ((y - x) ** 2).mean()


def twofold():
    x = parameter(4, 8, name="x")
    with mg.scope("features"):
        y, z, u = mg.tanh(x), mg.exp(x), mg.sin(x)
    with mg.scope("product"):
        return (y * z * u * 1000).sum()


PROGRAMS = {program.__name__: program for program in (cnn, square, residual, recurrent, attention, twofold)}


@pytest.fixture(params=PROGRAMS)
def program(request):
    """Each of the programs in turn."""
    return PROGRAMS[request.param]


@pytest.fixture
def programs():
    """All of them by name."""
    return PROGRAMS


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium. It ends with the module: until then no other test can start an event loop of asyncio."""
    playwright = pytest.importorskip("playwright.sync_api")
    import shutil

    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium here")
    with playwright.sync_playwright() as started:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = started.chromium.launch(executable_path=path, args=options)
        yield running
        running.close()


@pytest.fixture
def page(browser):
    """A page that collects what the console and errors say, and refuses the network."""
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("dialog", lambda dialog: page.said.append(dialog.message) or dialog.dismiss())
    page.route("http*://**", lambda route: page.said.append(route.request.url) or route.abort())
    yield page
    page.close()
