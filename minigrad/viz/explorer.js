// What a reader does: folding, selection, search, colours, keys and pointers; and the start of the page.

let selected = null, focused = null, matches = [], match = -1;

// ---- folding ----

function toggle(group, isOpen = !group.isOpen) {
  if (!group.parent) return;
  const { left, top, width } = group;
  group.isOpen = isOpen;
  draw();
  view.x += (left + width / 2 - group.left - group.width / 2) * view.scale;  // it stays where it is on the screen
  view.y += (top - group.top) * view.scale;
  showView();
  say(`${group.name} ${isOpen ? "opened" : "closed"}`);
  selected = group;
  decorate();
  if (!svg.classList.contains("walking")) showDetails(group);
  focusOn(group);
  refreshSteps();
}

function reveal(item) {
  const closed = item.path.filter((group) => group.parent && !group.isOpen);
  closed.forEach((group) => (group.isOpen = true));
  if (closed.length) draw(), refreshSteps();
}

function foldAll() {
  groups.forEach((group) => (group.isOpen = !group.parent));
  draw();
  fit(0.6);
  refreshSteps();
}

function unfold() {
  const closed = groups.filter((group) => group.drawn === group && !group.isOpen);
  const inner = closed.filter(({ kind }) => kind !== "backward"), some = (inner.length ? inner : closed).sort((a, b) => a.path.length - b.path.length);
  some.filter((group) => group.path.length === some[0].path.length).forEach((group) => (group.isOpen = true));
  draw();
  fit(0.6);
  refreshSteps();
}

// ---- selection, light, search, colour ----

function elementsOf(id) {
  return [...world.querySelectorAll(`[data-id="${id}"]:not(.box)`)];
}

function select(item, isFocus = true) {
  selected = item;
  decorate();
  if (!item) return showOverview();
  showDetails(item);
  if (isFocus) focusOn(item);
}

function focusOn(item) {
  if (!elementsOf(item.id).length) centre(item);
  const [element] = elementsOf(item.id);
  if (!element) return;
  if (focused) elementsOf(focused).forEach((other) => other.setAttribute("tabindex", "-1"));
  focused = item.id;
  element.setAttribute("tabindex", "0");
  element.focus({ preventScroll: true });
}

// All nodes that lead to these, or that depend on them.
function reachable(starts, next) {
  const found = new Set(starts);
  for (const item of found) next(item).forEach((other) => found.add(other));  // grows while it is read
  return found;
}

function decorate() {
  const nodesOf = (item) => (item.isGroup ? item.all || [] : [item]), wish = $("light").value;
  const isLit = selected && wish !== "none" && !svg.classList.contains("walking");
  const above = isLit && wish !== "below" ? reachable(nodesOf(selected), (item) => item.inputs.map((input) => input.item)) : new Set();
  const below = isLit && wish !== "above" ? reachable(nodesOf(selected), (item) => item.takers) : new Set();
  const drawn = (set) => new Set([...set].map((item) => item.drawn.id));
  const [aboveIds, belowIds] = [drawn(above), drawn(below)], found = new Set(matches.map((item) => item.drawn.id));
  for (const element of world.querySelectorAll(".node[data-id], .heading")) {
    const { id } = element.dataset, isSelected = selected && selected.id === id, isBox = element.classList.contains("heading");
    element.classList.toggle("selected", Boolean(isSelected));
    element.classList.toggle("above", !isSelected && aboveIds.has(id));
    element.classList.toggle("below", !isSelected && belowIds.has(id));
    element.classList.toggle("dim", Boolean(isLit && !isBox && !isSelected && !aboveIds.has(id) && !belowIds.has(id)));
    element.classList.toggle("match", found.has(id));
  }
  for (const element of world.querySelectorAll(".edge")) {
    const { from = "", to = "" } = element.dataset, ends = to.split(" ");
    const isOn = [aboveIds, belowIds].some((ids) => ids.has(from) && ends.some((id) => ids.has(id)));
    element.classList.toggle("dim", Boolean(isLit && !isOn));
  }
  paint();
}

const COLOURS = {
  kind: { name: "kind" },
  gradient: { name: "gradient norm", of: (node) => normOf(node), isLog: true },
  memory: { name: "memory", of: (node) => node.bytes || 0, unit: "bytes", isSum: true },
  forward: { name: "time forward", of: (node) => (node.seconds || {}).forward, unit: "s", isSum: true },
  backward: { name: "time backward", of: (node) => (node.seconds || {}).backward, unit: "s", isSum: true },
};

// Colour the nodes by a quantity; of a closed group it is the sum, or the greatest where a sum means nothing.
function paint() {
  const { name, of, unit = "", isLog, isSum } = COLOURS[$("colour").value || "kind"], legend = $("legend");
  const elements = [...world.querySelectorAll(".node[data-id]")], amounts = new Map();
  if (of)
    for (const { dataset } of elements) {
      const item = items.get(dataset.id), numbers = (item.isGroup ? item.all || [] : [item]).map(({ node }) => of(node)).filter((x) => typeof x === "number");
      if (numbers.length) amounts.set(dataset.id, isSum ? numbers.reduce((a, b) => a + b) : Math.max(...numbers));
    }
  const positive = [...amounts.values()].filter((x) => x > 0), high = Math.max(...positive, 1e-300), low = isLog ? Math.min(...positive, high) : 0;
  const part = (x) => (isLog ? (x > 0 ? Math.log(x / low) / (Math.log(high / low) || 1) : 0) : x / high);
  for (const element of elements) {
    const amount = amounts.get(element.dataset.id);
    const style = amount === undefined ? "" : `hsl(var(--heat) calc(var(--heat-light) + ${part(amount)} * (var(--heat-dark) - var(--heat-light))))`;
    element.querySelectorAll("rect").forEach((rect) => (rect.style.fill = style && style.replace("hsl(var(--heat) ", "hsl(24 90% ")));
  }
  legend.innerHTML = of ? `${name}: ${short(low)}<i style="background:linear-gradient(90deg, hsl(24 90% var(--heat-light)), hsl(24 90% var(--heat-dark)))"></i>${short(high)} ${unit}`
    : `<span class="grey">grey: value</span>${data.gradients ? ' <span class="orange">orange: gradient norm</span>' : ""}`;
}

function search(text) {
  const words = text.toLowerCase().trim().split(/\s+(?![^(]*\))/).filter(Boolean);
  matches = words.length ? nodes.filter((item) => words.every((word) => searchText(item).includes(word))) : [];
  match = -1;
  $("found").textContent = words.length ? counted(matches.length, "match").replace("matchs", "matches") : "";
  decorate();
}

function searchText(item) {
  const { node, path } = item, scopes = path.filter(({ kind }) => kind !== "run" && kind !== "repeat").map(({ name }) => name).join("/");
  item.text = item.text || [node.title, node.kind, node.variable, shapeOf(node), scopes, node.dtype, node.line, node.fault, isFaulty(node) || typeof normOf(node) === "string" ? "nan inf" : ""].join(" ").toLowerCase();
  return item.text;
}

function nextMatch(by) {
  if (!matches.length) return;
  match = (match + by + matches.length) % matches.length;
  const item = matches[match];
  reveal(item);
  select(item, false);
  centre(item, 0.6);
  $("found").textContent = `${match + 1} of ${matches.length}`;
}

const say = (text) => ($("said").textContent = text);

// ---- events ----

function activate(item) {
  if (item.isGroup) return toggle(item);
  if (svg.classList.contains("walking")) return goTo(item);
  select(item);
}

// From an item to the nearest neighbour on the screen in the direction of an arrow key.
function neighbour(item, key) {
  const [dx, dy] = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[key];
  const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
  const [element] = elementsOf(item.id), [x, y] = middle(element.getBoundingClientRect());
  let best = null, least = Infinity;
  for (const other of world.querySelectorAll(".node[data-id], .heading")) {
    const [u, v] = middle(other.getBoundingClientRect()), ahead = (u - x) * dx + (v - y) * dy, aside = Math.abs((u - x) * dy) + Math.abs((v - y) * dx);
    if (other !== element && ahead > 1 && ahead + 2 * aside < least) [best, least] = [other, ahead + 2 * aside];
  }
  return best && items.get(best.dataset.id);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT)$/.test(event.target.tagName) && event.target.type !== "range") return;
  const item = items.get((event.target.dataset || {}).id), isStep = stepKey(event, item);
  const actions = {
    "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": () => fit(), f: foldAll, u: unfold,
    w: () => walking(!svg.classList.contains("walking")), "/": () => $("search").focus(), n: () => nextMatch(1), N: () => nextMatch(-1),
    Escape: () => select(null),
  };
  if (isStep) return;
  if (item && (event.key === "Enter" || event.key === " ")) activate(item);
  else if (event.key.startsWith("Arrow") && event.target.closest("#graph")) arrow(event, item);
  else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
}

function arrow(event, item) {
  const by = { ArrowDown: [0, -60], ArrowUp: [0, 60], ArrowLeft: [60, 0], ArrowRight: [-60, 0] }[event.key];
  if (item && !event.shiftKey) {
    const next = neighbour(item, event.key);
    if (next) focusOn(next), isInView(next) || centre(next);
  } else if (!item && !event.shiftKey) {
    focusOn(items.get(world.querySelector(".node[data-id]").dataset.id));
  } else {
    view.x += by[0];
    view.y += by[1];
    showView();
  }
}

// One pointer pans, two pinch; a press that does not move is a click.
function listenToPointers() {
  const pointers = new Map();
  let moved = false;
  const middle = () => {
    const all = [...pointers.values()], n = all.length;
    const x = all.reduce((sum, p) => sum + p.x, 0) / n, y = all.reduce((sum, p) => sum + p.y, 0) / n;
    return { x, y, apart: n > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0 };
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!pointers.size) moved = false;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  window.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = middle();
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle(), { left, top } = room();
    if (!moved && Math.hypot(after.x - before.x, after.y - before.y) < 3 && pointers.size < 2) return void pointers.set(event.pointerId, before);
    moved = true;
    view.x += after.x - before.x;
    view.y += after.y - before.y;
    if (before.apart && after.apart) zoom(after.apart / before.apart, after.x - left, after.y - top);
    showView();
  });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, (event) => pointers.delete(event.pointerId));
  svg.addEventListener("click", (event) => {
    if (moved) return;
    const element = event.target.closest(".node[data-id], .heading");
    if (element) activate(items.get(element.dataset.id));
    else if (!svg.classList.contains("walking")) select(null);
  });
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { left, top } = room();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - left, event.clientY - top);
  }, { passive: false });
}

function listen() {
  listenToPointers();
  document.addEventListener("keydown", onKey);
  $("in").addEventListener("click", () => zoom(1.25));
  $("out").addEventListener("click", () => zoom(0.8));
  $("fit").addEventListener("click", () => fit());
  $("fold").addEventListener("click", foldAll);
  $("unfold").addEventListener("click", unfold);
  $("mode").addEventListener("click", () => walking(!svg.classList.contains("walking")));
  $("colour").addEventListener("change", paint);
  $("light").addEventListener("change", decorate);
  $("search").addEventListener("input", (event) => search(event.target.value));
  $("search").addEventListener("keydown", (event) => event.key === "Enter" && nextMatch(event.shiftKey ? -1 : 1));
  panel.addEventListener("click", (event) => {
    const id = event.target.dataset.go;
    if (id) reveal(items.get(id)), activateFromPanel(items.get(id));
  });
  addEventListener("beforeprint", () => fit());
}

function activateFromPanel(item) {
  if (item.isGroup) return select(item);
  activate(item);
  if (!isInView(item.drawn)) centre(item.drawn, 0.6);
}

function defineArrows() {
  const arrow = (id, className) => `<marker id="${id}" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto-start-reverse"><path class="arrow ${className}" d="M0,1.5 10,5 0,8.5z"></path></marker>`;
  svg.querySelector("defs").innerHTML = arrow("down", "") + arrow("up", "back");
}

async function start() {
  data = await load();
  prepare();
  defineArrows();
  svg.setAttribute("aria-label", data.title);
  const has = { gradient: (node) => node.gradient, forward: (node) => node.seconds && node.seconds.forward !== undefined, backward: (node) => node.seconds && node.seconds.backward !== undefined };
  for (const [key, { name }] of Object.entries(COLOURS))
    if (!has[key] || data.nodes.some(has[key])) $("colour").add(new Option(name, key));
  listen();
  draw();
  fit(0.65);
  showOverview();
  if (data.mode === "walk") walking(true);
  document.body.dataset.ready = "yes";
}
