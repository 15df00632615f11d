"""The page in Chromium: zoom, search, folding, keys, details, the walk, and accessibility."""

import itertools
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.viz.facts import summary

OVERLAPS = """() => {
  const outline = (node) => (node.querySelector("rect") || node).getBoundingClientRect();
  const boxes = [...document.querySelectorAll(".node")].map((node) => {
    const texts = [...node.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
    return { name: node.textContent, rect: outline(node), texts };
  });
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const leaves = (text, rect) => text.left < rect.left - 1 || text.right > rect.right + 1;
  const named = (selector) => [...document.querySelectorAll(selector)]
    .map((node) => ({ name: node.textContent, rect: outline(node) }));
  const headings = named(".heading"), labels = named("text.label");
  const passes = (path, { rect }) => {
    const place = path.getScreenCTM(), length = path.getTotalLength();
    return Array.from({ length: Math.ceil(length / 2) }, (_, i) => path.getPointAtLength(2 * i).matrixTransform(place))
      .some((p) => p.x > rect.left && p.x < rect.right && p.y > rect.top && p.y < rect.bottom);
  };
  return [
    ...boxes.flatMap((a, i) => [
      ...boxes.slice(0, i).filter((b) => !apart(a.rect, b.rect)).map((b) => `${a.name} covers ${b.name}`),
      ...a.texts.filter((text) => leaves(text, a.rect)).map(() => `text leaves ${a.name}`),
    ]),
    ...[...document.querySelectorAll(".edge path.value")].flatMap((path) =>
      headings.filter((heading) => passes(path, heading)).map(({ name }) => `an edge runs over ${name}`)),
    ...labels.flatMap((a, i) => [...headings, ...labels.slice(0, i)].filter((b) => !apart(a.rect, b.rect))
      .map((b) => `label ${a.name} covers ${b.name}`)),
  ];
}"""


@pytest.fixture
def explore(page, tmp_path):
    """A function that opens the page of a picture or a walk."""

    def opened(picture, **options):
        path = picture.save(tmp_path / "page.html")
        page.goto(path.as_uri())
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    assert page.said == []


def titles(page):
    return page.locator(".node .title").all_text_contents()


def nested():
    """Four blocks that are alike, two ops each, and a mean."""
    y = mg.tensor([[1.0, -2.0]], requires_grad=True, name="x")
    for i in range(4):
        with mg.scope(f"block{i}"):
            y = mg.tanh(y * 2.0)
    return y.mean()


def test_every_op_and_leaf_is_drawn_with_its_shape_and_norm(explore, programs):
    page = explore(mg.graph(programs["cnn"](), gradients=True))
    names = ["images", "k", "conv2d", "b", "relu", "avg_pool2d", "w", "b", "reshape", "matmul", "add"]
    assert sorted(titles(page)) == sorted([*names, "labels", "softmax_cross_entropy"])
    assert page.locator(".box .heading").all_text_contents() == ["\u25be conv1", "\u25be fc"]
    text = page.locator("#world").text_content()
    (k,) = [part for part in mg.graph(programs["cnn"](), gradients=True).parts if part.title == "conv1.k"]
    assert f"grad {k.gradient:.2g}" in text
    assert "loss" in text


def test_groups_open_and_close(explore):
    page = explore(mg.graph(nested(), depth=0))
    assert titles(page) == ["block0", "block1", "block2", "block3", "mean"]
    page.get_by_role("button", name="scope block1").click()
    assert titles(page).count("tanh") == 1
    page.keyboard.press("u")
    assert titles(page).count("tanh") == 4
    page.locator(".heading", has_text="\u25be block1").click()
    assert titles(page).count("tanh") == 3
    page.keyboard.press("f")
    assert titles(page) == ["block0 to block3", "mean"]
    assert "x 4" in page.locator("#world").text_content()


def test_a_click_shows_all_that_is_known(explore, programs):
    page = explore(mg.graph(programs["cnn"](), gradients=True))
    page.get_by_role("button", name="op matmul").click()
    shown = page.locator("#panel").inner_text()
    for fact in ("matmul", "op in fc", "(2, 3)", "float64", "48 bytes", "fc.w", "taken by", "norm", "\u2192"):
        assert fact in shown
    page.locator("#panel").get_by_role("button", name="fc.w").click()
    assert page.locator("h1").inner_text() == "fc.w parameter in fc"
    assert page.locator("#panel svg.histogram").count() == 2
    page.keyboard.press("Escape")
    assert "7 ops, 4 parameters" in page.locator("#panel").inner_text()


def test_what_leads_to_a_node_and_what_follows_is_lit(explore, programs):
    page = explore(mg.graph(programs["cnn"](), gradients=True))
    page.get_by_role("button", name="op relu").click()
    assert page.locator(".node.above .title").all_text_contents() == ["k", "b", "conv2d", "images"]
    assert page.locator(".node.below").count() == 5
    assert sorted(page.locator(".node.dim .title").all_text_contents()) == ["b", "labels", "w"]
    page.locator("#light").select_option("none")
    assert page.locator(".dim").count() == 0


def test_a_group_says_where_in_it_the_norm_of_the_gradient_vanished(explore):
    y = x = mg.tensor([1.0, 2.0], requires_grad=True, name="x")
    with mg.scope("deep"):
        for _ in range(9):
            y = y * 1e-3
    page = explore(mg.graph((y + x).sum(), gradients=True, depth=0))
    page.get_by_role("button", name="scope deep").click()
    shown = page.locator("#panel").inner_text()
    assert "least 1.4e-24 at multiply (op 1 of 9), greatest 1.4 at multiply (op 9)" in shown
    assert page.locator("#panel polyline").count() == 1


def test_search_finds_ops_shapes_and_nan_inside_of_closed_groups(explore):
    x = mg.tensor([1.0, -1.0], requires_grad=True, name="x")
    with mg.scope("deep"), np.errstate(invalid="ignore"):
        y = mg.log(x) * 2.0
    page = explore(mg.graph(y.sum(), depth=0, gradients=True))
    assert "deep" in page.locator(".node.fault").first.text_content()
    page.keyboard.press("/")
    page.keyboard.type("nan")
    assert "match" in page.locator("#found").text_content()
    page.locator("#search").fill("log (2,)")
    assert page.locator("#found").text_content() == "1 match"
    page.keyboard.press("Enter")
    assert "log" in titles(page)
    assert page.locator("h1").inner_text() == "log op in deep"
    assert "first NaN here" in page.locator("#panel").inner_text()


def test_zoom_pan_and_fit(explore, programs):
    page = explore(mg.graph(programs["cnn"]()))
    box = page.get_by_role("button", name="op relu")
    before = box.bounding_box()
    page.mouse.move(before["x"] + 5, before["y"] + 5)
    page.mouse.wheel(0, -400)
    larger = box.bounding_box()
    assert larger["width"] > 1.5 * before["width"]
    assert abs(larger["x"] - before["x"]) < 20  # zoomed at the pointer
    page.mouse.down()
    page.mouse.move(larger["x"] + 95, larger["y"] + 35, steps=4)
    page.mouse.up()
    assert box.bounding_box()["x"] > larger["x"] + 50
    assert page.locator(".selected").count() == 0  # a drag is no click
    page.keyboard.press("0")
    whole = page.locator("#graph").bounding_box()
    for node in page.locator(".node").all():
        placed = node.bounding_box()
        assert whole["y"] <= placed["y"]
        assert placed["y"] + placed["height"] <= whole["y"] + whole["height"]


def test_arrow_keys_go_from_node_to_node(explore, programs):
    page = explore(mg.graph(programs["cnn"]()))
    page.get_by_role("button", name="op conv2d").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator("h1").inner_text() == "relu op in conv1"


def test_nothing_covers_another_and_every_text_is_in_its_node(explore, program):
    page = explore(mg.graph(program(), gradients=True))
    faults = page.evaluate(OVERLAPS)
    assert faults == []


def shared_by_two_scopes():
    """A parameter that two scopes take; a third takes what they make, in two ways beside its heading."""
    w = mg.tensor(np.full((4, 4), 0.1), requires_grad=True, name="w")
    made = []
    for name in ("left", "right"):
        with mg.scope(f"branch {name}"):
            made.append(mg.tanh(mg.tensor(np.ones((3, 4)), name=name) @ w))
    with mg.scope("distance"):
        return ((made[0] * 2e-3 - made[1]) ** 2).sum()


def test_no_heading_is_crossed_and_labels_stand_side_by_side(explore):
    page = explore(mg.graph(shared_by_two_scopes(), gradients=True))
    assert page.locator(".heading").count() == 3
    assert page.evaluate(OVERLAPS) == []


def test_a_long_name_of_a_scope_is_cut(explore):
    with mg.scope("a very long name " * 9):
        page = explore(mg.graph(mg.sin(mg.tensor(1.0, requires_grad=True))))
    assert page.locator(".heading").text_content() == "\u25be a very long name a very long name a v..."
    assert "a very long name " * 9 in page.locator(".heading").get_attribute("aria-label")


def test_a_picture_that_does_not_fit_begins_at_its_edge(explore):
    x = mg.tensor(1.0, requires_grad=True)
    page = explore(mg.graph(*[mg.sin(x) for _ in range(30)]))
    placed = [node.bounding_box() for node in page.locator(".node.op").all()]
    assert min(box["x"] for box in placed) < 30
    page.locator("#fit").click()
    assert page.evaluate(OVERLAPS) == []


def test_arrowheads_have_a_direction(explore, programs):
    page = explore(mg.graph(programs["residual"](), gradients=True))
    points = page.evaluate("[...document.querySelectorAll('.head')].map((p) => p.getAttribute('d').split(/[MLC ]+/))")
    assert len(points) > 20
    assert all(a != b for path in points for a, b in itertools.pairwise(path[1:]))


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_values_flow_in_one_direction(direction, explore, programs):
    page = explore(mg.graph(programs["cnn"](), direction=direction))
    axis = "y" if direction == "TB" else "x"
    places = [page.get_by_role("button", name=f"op {name}").bounding_box()[axis] for name in ("conv2d", "relu", "add")]
    assert places == sorted(places)


def test_colours_by_a_quantity(explore, programs):
    page = explore(mg.graph(programs["cnn"](), gradients=True))
    page.locator("#colour").select_option("memory")
    assert "memory" in page.locator("#legend").inner_text()
    assert len(set(page.evaluate("[...document.querySelectorAll('.node > rect')].map((r) => r.style.fill)"))) > 4


def test_a_large_graph_is_folded_small_and_opens(explore):
    y = x = mg.tensor([1.0, 0.99], requires_grad=True, name="x")
    for _ in range(2500):
        y = y * x
    picture = mg.graph(y.sum())
    page = explore(picture)
    assert len(picture.html()) < 300_000
    assert page.locator(".node.closed").count() > 10
    page.keyboard.press("u")
    page.locator("#search").fill("sum")
    page.locator("#search").press("Enter")
    assert page.locator("h1").inner_text() == "sum op"


@pytest.fixture
def walk(explore, programs):
    """The page with the walk of the CNN."""
    return explore(mg.viz.trace(programs["cnn"]()))


def state(page):
    return page.evaluate(
        "[document.querySelector('h1').textContent, document.querySelector('#where').textContent,"
        " document.querySelectorAll('.now').length, document.querySelectorAll('canvas').length]"
    )


def test_the_slider_walks_forward_and_then_backward(walk):
    assert state(walk) == ["conv2d in conv1, forward", "forward 1 / 14", 1, 6]
    assert walk.locator(".node.todo").count() == 9
    walk.get_by_label("step: forward, then backward").fill("7")
    assert state(walk) == ["softmax_cross_entropy backward", "backward 8 / 14", 1, 1]
    walk.get_by_label("next step").click()
    assert state(walk)[:2] == ["add in fc, backward", "backward 9 / 14"]
    assert walk.locator(".todo").count() == 0


def test_the_keyboard_walks(walk):
    walk.keyboard.press("ArrowRight")
    assert state(walk)[:2] == ["relu in conv1, forward", "forward 2 / 14"]
    walk.keyboard.press("End")
    assert state(walk)[:2] == ["conv2d in conv1, backward", "backward 14 / 14"]
    walk.keyboard.press("ArrowRight")
    assert state(walk)[1] == "backward 14 / 14"
    walk.keyboard.press("Home")
    walk.keyboard.press("ArrowLeft")
    assert state(walk)[1] == "forward 1 / 14"
    walk.locator("#play").press("Enter")
    assert walk.locator("#play").get_attribute("aria-pressed") == "true"


def test_a_click_on_a_node_goes_to_its_step(walk):
    walk.get_by_role("button", name="op avg_pool2d").click()
    assert state(walk)[1] == "forward 3 / 14"
    walk.keyboard.press("End")
    walk.get_by_role("button", name="op relu").click()
    assert state(walk)[1] == "backward 13 / 14"


def test_equations_shapes_and_norms_are_shown(walk, programs):
    assert "(2, 1, 8, 8) (2, 1, 3, 3) (2,) \u2192 (2, 2, 6, 6)" in walk.locator(".equation").text_content()
    assert walk.locator(".equation math").count() == 1
    walk.keyboard.press("End")
    assert walk.locator(".equation.back math").count() == 2  # none for the images, which need no gradient
    (k,) = [part for part in mg.graph(programs["cnn"](), gradients=True).parts if part.title == "conv1.k"]
    assert f"norm {k.gradient:.4g}" in walk.locator("#panel").text_content()


def test_gradients_appear_as_the_walk_goes_back(walk):
    shown = "[...document.querySelectorAll('.label')].filter((l) => getComputedStyle(l).visibility !== 'hidden').length"
    walk.get_by_label("step: forward, then backward").fill("6")
    assert walk.evaluate(shown) == 0
    walk.keyboard.press("ArrowRight")
    assert walk.evaluate(shown) == 1
    walk.keyboard.press("End")
    assert walk.evaluate(shown) == 6


def test_heat_maps_show_the_values(walk):
    pixel = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 8, 8).data]"
    pixels = np.reshape(walk.evaluate(pixel), (64, 4))
    entries = np.random.default_rng(1).normal(size=(2, 1, 8, 8))[0].ravel()
    assert np.array_equal(pixels[:, 0] > pixels[:, 2], entries > 0.02)
    assert np.array_equal(pixels[:, 0] < pixels[:, 2], entries < -0.02)
    assert pixels[np.abs(entries).argmin(), :3].min() > 240  # white at 0
    walk.locator("canvas").first.hover(position={"x": 1, "y": 1})
    low, high = entries[0] - 0.1, entries[0] + 0.1
    assert low < float(walk.locator(".maps .note").first.text_content().rpartition(" ")[2]) < high


def test_a_closed_group_is_one_step(explore):
    page = explore(mg.viz.trace(nested(), depth=0))
    assert state(page)[:2] == ["block0 scope, forward", "forward 1 / 10"]
    page.get_by_role("button", name="scope block0").click()
    assert state(page)[:2] == ["multiply in block0, forward", "forward 1 / 12"]


def test_axe_finds_nothing(explore, programs):
    package = pytest.importorskip("axe_playwright_python")
    page = explore(mg.viz.trace(programs["cnn"]()))
    page.evaluate((Path(package.__file__).parent / "axe.min.js").read_text("utf-8"))
    for mode, scheme, width in (("walk", "light", 1366), ("explore", "dark", 390)):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [(mode, each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
        page.keyboard.press("w")
        page.get_by_role("button", name="op conv2d").focus()
        page.keyboard.press("Enter")


def test_the_page_is_self_contained(walk):
    content = walk.content()
    assert "default-src 'none'" in content
    assert len(content) < 300_000


def test_statistics_on_the_page_are_those_of_the_array(explore):
    array = np.linspace(-1, 3, 50)
    y = mg.tanh(mg.tensor(array, requires_grad=True, name="x"))
    page = explore(mg.graph(y))
    page.get_by_role("button", name="parameter x").click()
    expected = summary(array)
    assert (
        f"min {expected['min']:g}, mean {expected['mean']:g}, max {expected['max']:g}"
        in page.locator("#panel").inner_text()
    )
