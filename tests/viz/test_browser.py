"""What Chromium makes of the pictures: text inside its box, edges clear of nodes."""

import draw_graph
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


@pytest.mark.parametrize("options", [{"gradients": True}, {"values": True}, {"gradients": True, "depth": 0}])
def test_text_stays_in_its_box_and_edges_pass_no_node(page, program, options):
    page.set_content(mg.graph(program(), **options).svg())
    assert page.evaluate(CHECK, True) == []
    assert page.said == []


def test_no_edge_runs_over_the_name_of_a_step(page):
    page.set_content(draw_graph.recurrent().svg())
    assert page.evaluate(CHECK, True) == []


def test_no_edge_runs_over_the_name_of_a_scope(page):
    h = mg.tanh(mg.tensor([1.0, 2.0], requires_grad=True, name="x") * mg.tensor([3.0, -1.0], requires_grad=True))
    with mg.scope("heads"):
        graph = mg.graph((h * h).sum(), mg.exp(h * 3.0).mean(), gradients=True)
    assert clear(graph.digraph, render._run_engine(graph.digraph, "svg").decode()) is not graph.digraph
    page.set_content(graph.svg())
    assert page.evaluate(CHECK, True) == []


def test_the_check_sees_a_fault(page, programs):
    shown = mg.graph(programs["cnn"](), gradients=True).svg()
    page.set_content(shown.replace(">relu<", ">a title much longer than the box<"))
    assert page.evaluate(CHECK) == ["text a title much longer than the box leaves its box"]


def test_the_picture_fits_a_narrow_page(page, programs):
    page.set_viewport_size({"width": 200, "height": 600})
    page.set_content(mg.graph(programs["cnn"]()).svg())
    assert page.evaluate("document.querySelector('svg').getBoundingClientRect().width") <= 200


def test_no_name_runs_as_script(page):
    evil = "</title></svg><img src=x onerror=alert(1)><script>alert(2)</script>"
    x = mg.tensor([1.0, 2.0], requires_grad=True, name=evil)
    with mg.scope(evil):
        y = (x * x).sum()
    page.set_content(mg.graph(y, gradients=True).svg())
    page.set_content(mg.viz.trace(y)._repr_html_())
    for shown in (mg.viz.trace(y).html(), mg.graph(y, gradients=True).html()):
        page.goto("about:blank")
        page.set_content(shown)
        page.locator("#world .node").first.click()
    page.wait_for_timeout(100)
    assert page.said == []
