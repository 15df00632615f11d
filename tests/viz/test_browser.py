"""What Chromium makes of the pictures and the walk: text inside its box, edges clear of nodes, a live slider."""

import json

import draw_graph
import numpy as np
import pytest

import minigrad as mg
from minigrad.viz import render
from minigrad.viz.scope_labels import clear

CHECK = """(scopes) => {
  const faults = [], svg = document.querySelector("svg");
  const runsOver = (path, label) => {  // its words, not the spaces around them
    const words = label.textContent.trim(), first = label.textContent.indexOf(words), box = label.getBBox();
    const left = label.getExtentOfChar(first).x, right = label.getEndPositionOfChar(first + words.length - 1).x;
    for (let at = 0, length = path.getTotalLength(); at <= length; at += 1) {
      const p = path.getPointAtLength(at);
      if (p.x > left && p.x < right && p.y > box.y && p.y < box.y + box.height) return true;
    }
    return false;
  };
  const nodes = [...svg.querySelectorAll("g.node")].map((g) => {
    const shapes = [...g.querySelectorAll("polygon, path")];
    const texts = [...g.querySelectorAll("text")];
    const boxes = (shapes.length ? shapes : texts).map((s) => s.getBBox());
    const x = Math.min(...boxes.map((b) => b.x)), y = Math.min(...boxes.map((b) => b.y));
    const right = Math.max(...boxes.map((b) => b.x + b.width)), bottom = Math.max(...boxes.map((b) => b.y + b.height));
    const box = { x, y, right, bottom };
    if (shapes.length) for (const text of texts) {
      const t = text.getBBox();
      if (t.x < box.x || t.y < box.y || t.x + t.width > box.right || t.y + t.height > box.bottom + 1)
        faults.push(`text ${text.textContent} leaves its box`);
    }
    return { id: g.dataset.part, box };
  });
  nodes.forEach((a, i) => nodes.slice(i + 1).forEach((b) => {
    if (a.box.x < b.box.right && b.box.x < a.box.right && a.box.y < b.box.bottom && b.box.y < a.box.bottom)
      faults.push(`${a.id} and ${b.id} overlap`);
  }));
  for (const edge of svg.querySelectorAll("g.edge")) {
    const ends = edge.dataset.part.split("->");
    for (const path of edge.querySelectorAll("path"))
      for (let at = 0, length = path.getTotalLength(); at <= length; at += 1) {
        const p = path.getPointAtLength(at);
        for (const { id, box } of nodes)
          if (!ends.includes(id) && p.x > box.x + 1 && p.x < box.right - 1 && p.y > box.y + 1 && p.y < box.bottom - 1)
            { faults.push(`edge ${edge.dataset.part} crosses ${id}`); at = length; break; }
      }
    for (const label of edge.querySelectorAll("text")) {
      if (!label.textContent.trim()) continue;  // only makes room
      const t = label.getBBox();
      for (const { id, box } of nodes)
        if (t.x < box.right && box.x < t.x + t.width && t.y < box.bottom && box.y < t.y + t.height)
          faults.push(`label ${label.textContent} covers ${id}`);
      for (const other of svg.querySelectorAll("g.edge"))
        if ([...other.querySelectorAll("path")].some((path) => runsOver(path, label)))
          faults.push(`edge ${other.dataset.part} runs over the label ${label.textContent.trim()}`);
    }
  }
  if (scopes) for (const label of svg.querySelectorAll("g.cluster text"))  // the engine minds nodes, not these
    for (const edge of svg.querySelectorAll("g.edge"))
      if ([...edge.querySelectorAll("path")].some((path) => runsOver(path, label)))
        faults.push(`edge ${edge.dataset.part} runs over the scope's name ${label.textContent}`);
  return faults;
}"""


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


@pytest.mark.parametrize("options", [{"gradients": True}, {"values": True}, {"gradients": True, "depth": 0}])
def test_text_stays_in_its_box_and_edges_pass_no_node(page, program, options):
    page.set_content(mg.graph(program(), **options)._repr_html_())
    assert page.evaluate(CHECK, True) == []
    assert page.said == []


def test_no_edge_runs_over_the_name_of_a_step(page):
    page.set_content(draw_graph.recurrent()._repr_html_())
    assert page.evaluate(CHECK, True) == []


def test_no_edge_runs_over_the_name_of_a_scope(page):
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x") * mg.tensor([3.0, -1.0], requires_grad=True))
    with mg.scope("heads"):
        graph = mg.graph((h * h).sum(), mg.exp(h * 3.0).mean(), gradients=True)
    assert clear(graph.digraph, render._run_engine(graph.digraph, "svg").decode()) is not graph.digraph
    page.set_content(graph._repr_html_())
    assert page.evaluate(CHECK, True) == []


def test_the_check_sees_a_fault(page, programs):
    shown = mg.graph(programs["cnn"](), gradients=True)._repr_html_()
    page.set_content(shown.replace(">relu<", ">a title much longer than the box<"))
    assert page.evaluate(CHECK) == ["text a title much longer than the box leaves its box"]


def test_the_picture_fits_a_narrow_page(page, programs):
    page.set_viewport_size({"width": 200, "height": 600})
    page.set_content(mg.graph(programs["cnn"]())._repr_html_())
    assert page.evaluate("document.querySelector('svg').getBoundingClientRect().width") <= 200


def test_no_name_runs_as_script(page):
    evil = "</title></svg><img src=x onerror=alert(1)><script>alert(2)</script>"
    x = mg.tensor([1.0, 2.0], requires_grad=True, name=evil)
    with mg.scope(evil):
        y = (x * x).sum()
    page.set_content(mg.graph(y, gradients=True)._repr_html_())
    page.set_content(mg.viz.trace(y)._repr_html_())
    page.wait_for_timeout(100)
    assert page.said == []


@pytest.fixture
def walk(page, programs, tmp_path):
    """The page with the walk of the CNN."""
    page.goto(mg.viz.trace(programs["cnn"]()).save(tmp_path / "walk.html").as_uri())
    return page


def state(page):
    return page.evaluate(
        "[document.querySelector('h1').textContent, document.querySelector('#where').textContent,"
        " [...document.querySelectorAll('#picture .now')].length, document.querySelectorAll('canvas').length]"
    )


def test_the_slider_walks_forward_and_then_backward(walk):
    assert state(walk) == ["conv2d in conv1, forward", "forward 1 / 14", 1, 6]
    assert walk.locator("#picture g.node.todo").count() == 9
    walk.get_by_label("step: forward, then backward").fill("7")
    assert state(walk) == ["softmax_cross_entropy backward", "backward 8 / 14", 1, 1]
    walk.get_by_label("next step").click()
    assert state(walk)[:2] == ["add in fc, backward", "backward 9 / 14"]
    assert walk.locator("#picture .todo").count() == 0
    assert walk.said == []


def test_the_keyboard_works(walk):
    walk.keyboard.press("ArrowRight")
    assert state(walk)[:2] == ["relu in conv1, forward", "forward 2 / 14"]
    walk.keyboard.press("End")
    assert state(walk)[:2] == ["conv2d in conv1, backward", "backward 14 / 14"]
    walk.keyboard.press("ArrowRight")
    assert state(walk)[1] == "backward 14 / 14"
    walk.keyboard.press("Home")
    walk.keyboard.press("ArrowLeft")
    assert state(walk)[1] == "forward 1 / 14"
    walk.keyboard.press("Tab")
    walk.keyboard.press("Tab")
    walk.keyboard.press("Enter")
    assert walk.locator("#play").get_attribute("aria-pressed") == "true"
    assert walk.said == []


def test_equations_shapes_and_norms_are_shown(walk, programs):
    assert "Z[j] = sum over i of A[i] * K[j, i] + b[j]" in walk.locator(".equation").text_content()
    assert "(2, 1, 3, 3)" in walk.locator("main").text_content()
    walk.keyboard.press("End")
    assert "dJ/dK" in walk.locator(".equation").text_content()
    (k,) = [part for part in mg.graph(programs["cnn"](), gradients=True).parts if part.title == "conv1.k"]
    assert f"norm {k.gradient:.4g}" in walk.locator("main").text_content()


def test_gradients_appear_as_the_walk_goes_back(walk):
    labels = "[...document.querySelectorAll('#picture g.edge text')]"
    shown = labels + ".filter((label) => getComputedStyle(label).visibility !== 'hidden').length"
    walk.get_by_label("step: forward, then backward").fill("6")
    assert walk.evaluate(shown) == 0
    walk.keyboard.press("ArrowRight")
    assert walk.evaluate(shown) == 1
    walk.keyboard.press("End")
    assert walk.evaluate(shown) == 6


GAP = """() => {
  const boxOf = (id) => document.querySelector(`[data-part="${id}"]`).querySelector("path, polygon").getBBox();
  const outside = (at, from, length) => Math.max(from - at, 0, at - from - length);
  const gap = (p, b) => Math.hypot(outside(p.x, b.x, b.width), outside(p.y, b.y, b.height));
  const isSeen = (shape) => getComputedStyle(shape).visibility === "visible";
  const ends = (s) => [0, s.getTotalLength()].map((at) => s.getPointAtLength(at));
  const edges = [...document.querySelectorAll("#picture .edge.ahead")].filter((e) => e.querySelector(".rest"));
  return edges.map((edge) => {
    const tips = [...edge.querySelectorAll("path")].filter(isSeen).flatMap(ends);
    const boxes = edge.dataset.part.split("->").map(boxOf);
    return Math.min(...boxes.map((b) => Math.min(...tips.map((p) => gap(p, b)))));
  });
}"""


@pytest.mark.parametrize("name", ["cnn", "square", "attention"])
def test_the_arrows_of_the_forward_half_reach_from_node_to_node(name, page, programs, tmp_path):
    page.goto(mg.viz.trace(programs[name]()).save(tmp_path / "walk.html").as_uri())
    assert max(page.evaluate(GAP)) < 1  # points, where the hidden head of a gradient is nine long
    page.keyboard.press("End")
    rests = "[...document.querySelectorAll('.rest')].map((rest) => getComputedStyle(rest).visibility)"
    assert set(page.evaluate(rests)) == {"hidden"}


def test_heat_maps_show_the_values(walk):
    expected = mg.viz.walk.heat_map(np.random.default_rng(1).normal(size=(2, 1, 8, 8)), "data")
    pixel = "[...document.querySelector('canvas').getContext('2d').getImageData(0, 0, 8, 8).data]"
    pixels = np.reshape(walk.evaluate(pixel), (64, 4))
    entries = np.random.default_rng(1).normal(size=(2, 1, 8, 8))[0].ravel()
    assert (expected["rows"], expected["columns"], expected["count"]) == (8, 8, 1)
    orange, blue = pixels[:, 0] > pixels[:, 2], pixels[:, 0] < pixels[:, 2]
    assert np.array_equal(orange, entries > 0.02)
    assert np.array_equal(blue, entries < -0.02)
    assert pixels[np.abs(entries).argmin(), :3].min() > 240  # white at 0


def test_the_page_is_self_contained(walk):
    content = walk.content()
    assert "default-src 'none'" in content
    assert len(content) < 300_000
    assert json.loads(walk.locator("#data").text_content())["steps"][0]["direction"] == "forward"
