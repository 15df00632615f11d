"""The page of a training that is written while it runs."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import charts

INSIDE = """() => [...document.querySelectorAll("svg text")].filter((text) => {
  const inner = text.getBoundingClientRect(), outer = text.closest("svg").getBoundingClientRect();
  return inner.height < 7 || inner.left < outer.left || inner.right > outer.right || inner.bottom > outer.bottom;
}).map((text) => text.textContent)"""
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is moved."""
    now = [100.0]
    monkeypatch.setattr("minigrad.viz.training_page.time.monotonic", lambda: now[0])
    return now


def drawings(path):
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", path.read_text("utf-8"), re.DOTALL)]


def test_curves_flow_and_kernels(tmp_path, programs):
    path = tmp_path / "training.html"
    page = mg.viz.TrainingPage(path, title="my <net>")
    kernels = np.arange(18.0).reshape(2, 1, 3, 3)
    page.update(1, loss=2.5, accuracy=0.5, flow=programs["cnn"](), kernels={"conv1": kernels})
    labels = [drawing.get("aria-label") for drawing in drawings(path)]
    assert labels == ["loss: 2.5", "accuracy: 0.5", "norms by layer", "conv1"]
    assert len(list(drawings(path)[3].iter(SVG + "rect"))) == 18
    text = path.read_text("utf-8")
    assert "<h1>my &lt;net&gt;</h1>" in text
    assert "step 1<" in text
    assert "default-src 'none'" in text


@pytest.mark.filterwarnings("error")
def test_kernels_of_any_shape_and_dtype(tmp_path):
    page = mg.viz.TrainingPage(tmp_path / "training.html")
    kernels = {"scalar": 2.0, "row": np.arange(3), "complex": np.array([[3 + 4j, 0]]), "empty": np.ones((0, 3))}
    page.update(0, kernels=kernels)
    drawn = drawings(page.path)
    assert [(each.get("aria-label"), len(list(each.iter(SVG + "rect")))) for each in drawn] == [
        ("scalar", 1),
        ("row", 3),
        ("complex", 2),
    ]
    assert "colours from -5 to 5" in "".join(drawn[2].itertext())


def test_it_is_written_when_it_is_due_and_at_the_end(tmp_path, clock):
    path = tmp_path / "training.html"
    with mg.viz.TrainingPage(path, seconds=3) as page:
        page.update(0, loss=4.0)
        first = path.read_text("utf-8")
        assert "setTimeout(() => location.reload(), 3000)" in first
        clock[0] += 2.9
        page.update(1, loss=3.0)
        assert path.read_text("utf-8") == first
        clock[0] += 0.1
        page.update(2, loss=2.0)
        assert "loss: 2<" in path.read_text("utf-8")
        page.update(3, loss=1.0)
        assert page.curves == {"loss": [(0, 4), (1, 3), (2, 2), (3, 1)]}
    last = path.read_text("utf-8")
    assert "<script" not in last
    assert "loss: 1<" in last
    assert "ended at step 3" in last
    assert list(tmp_path.iterdir()) == [path]


def test_a_loss_is_only_computed_where_it_is_shown(tmp_path, clock, programs):
    computed = []

    def loss():
        computed.append(clock[0])
        return programs["square"]()

    with mg.viz.TrainingPage(tmp_path / "training.html") as page:
        for step in range(5):
            page.update(step, flow=loss)
            clock[0] += 1.0
    assert len(computed) == 3
    assert "norms by layer" in (tmp_path / "training.html").read_text("utf-8")


def test_a_page_of_less_than_a_second_is_written_at_the_first_step(tmp_path, clock):
    clock[0] = 0.0
    page = mg.viz.TrainingPage(tmp_path / "training.html", seconds=0.5)
    page.close()
    assert "ended at step 0" in page.path.read_text("utf-8")
    page.update(1, loss=1.0, kernels={"k": mg.tensor(np.ones((2, 2)), requires_grad=True)})
    assert len(drawings(page.path)) == 2
    assert "location.reload(), 500)" in page.path.read_text("utf-8")
    page.close()
    text = page.path.read_text("utf-8")
    assert re.search(r"ended at step 1\s*<", text)
    assert "reload" not in text


def test_what_is_not_given_again_stays(tmp_path, clock):
    x = mg.tensor([1.0], requires_grad=True)
    page = mg.viz.TrainingPage(tmp_path / "training.html")
    page.update(0, flow=x * x, kernels={"k": np.ones((2, 2))})
    clock[0] += 2
    page.update(1, loss=1.0)
    assert [drawing.get("aria-label") for drawing in drawings(page.path)] == ["loss: 1", "norms by layer", "k"]


def test_it_ends_with_the_error_of_the_training(tmp_path):
    page = mg.viz.TrainingPage(tmp_path / "training.html")
    page.update(7, loss=float("nan"))
    with pytest.raises(ZeroDivisionError), page:
        1 / 0  # noqa: B018
    assert "ended at step 7" in page.path.read_text("utf-8")


def test_wrong_input(tmp_path):
    with pytest.raises(ValueError, match=r"TrainingPage: 'page.txt' should end in \.html"):
        mg.viz.TrainingPage("page.txt")
    with pytest.raises(ValueError, match="TrainingPage: seconds must be positive, not 0"):
        mg.viz.TrainingPage("page.html", seconds=0)


def test_the_page_loads_itself_again_until_it_is_over(page, tmp_path):
    view = mg.viz.TrainingPage(tmp_path / "training.html", seconds=0.8)
    view.update(0, loss=2.0)
    page.goto(view.path.as_uri())
    page.get_by_role("button", name="pause").wait_for()
    view.update(1, loss=1.5)
    view._flow = charts.lines("norms", ["layer" * 8, "a", "gradient" * 5], {"value": [1.0, 1.0, 1.0]})
    view.close()
    page.get_by_text("ended at step 1").wait_for(timeout=20_000)
    assert page.locator("#pause").count() == 0
    assert page.said == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(INSIDE) == []


def test_a_curve_is_linear_and_leaves_out_what_is_not_finite():
    root = ElementTree.fromstring(charts.curve("t", [(0, 1.0), (1, float("nan")), (2, 3.0), (4, 2.0)]))
    assert root.find(SVG + "polyline").get("points") == "70.0,330.0 455.0,30.0 840.0,180.0"
    assert [text.text for text in root.iter(SVG + "text")] == ["t", "0", "4", "1", "3"]
    flat = ElementTree.fromstring(charts.curve("t", [(1, 5.0)]))
    assert flat.find(SVG + "polyline").get("points") == "70.0,330.0"
    assert [text.text for text in flat.iter(SVG + "text")] == ["t", "1", "5"]
    assert charts.curve("t", []).startswith("<svg")


def test_images_are_white_at_zero():
    root = ElementTree.fromstring(charts.images("t", np.array([[[-2.0, 0.0, 2.0, np.nan, 1.0]]])))
    colours = [rect.get("fill") for rect in root.iter(SVG + "rect")]
    assert colours == ["#005AA0", "#FFFFFF", "#CD5500", "#6E7781", "#E6AA80"]
    assert "colours from -2 to 2" in "".join(root.itertext())
    many = ElementTree.fromstring(charts.images("t", np.zeros((30, 3, 3))))
    rows = {rect.get("y") for rect in many.iter(SVG + "rect")}
    assert len(rows) == 6
    assert float(many.get("height")) >= max(map(float, rows)) + 12
    assert max(float(rect.get("x")) for rect in many.iter(SVG + "rect")) < 860
