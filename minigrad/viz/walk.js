// The walk: a mode of the page that goes through what is seen, forward and then backward, one item a step.

let steps = [], timer = null;
const slider = $("slider"), play = $("play");

function walking(isOn) {
  svg.classList.toggle("walking", isOn);
  $("mode").setAttribute("aria-pressed", String(isOn));
  $("steps").hidden = !isOn;
  if (!isOn) {
    playing(false);
    for (const part of world.querySelectorAll(".todo, .ahead, .now, .lit")) part.classList.remove("todo", "ahead", "now", "lit");
    return select(selected, false);
  }
  selected = null;
  decorate();
  refreshSteps();
}

// The steps follow what is seen: a closed group is one step.
function refreshSteps() {
  if (!svg.classList.contains("walking")) return;
  const before = steps[Number(slider.value)], isBack = before && before.direction === "backward";
  const seen = [...new Set(nodes.filter((item) => !isLeaf(item)).map((item) => item.drawn))];
  const hasBack = seen.some((item) => item.isGroup || item.node.gradient);
  steps = seen.map((item) => ({ item, direction: "forward" }));
  if (hasBack) steps.push(...[...seen].reverse().map((item) => ({ item, direction: "backward" })));
  slider.max = Math.max(0, steps.length - 1);
  const place = before ? steps.findIndex(({ item, direction }) => item === before.item.drawn && (direction === "backward") === isBack) : 0;
  slider.value = Math.max(0, place);
  showStep();
}

// Go to the step of an item, in the half that the walk is in.
function goTo(item) {
  const { direction } = steps[Number(slider.value)], target = isLeaf(item) ? item.takers[0].drawn : item.drawn;
  const place = steps.findIndex((step) => step.item === target && step.direction === direction);
  if (place < 0) return;
  slider.value = place;
  showStep();
}

const idsOf = (item) => [item.id, ...inputsOf(item).map((input) => input.drawn.id)];
const inputsOf = (item) => (item.isGroup ? [...new Set((item.all || []).flatMap((each) => each.inputs.map((input) => input.item)))].filter((each) => each.drawn !== item) : [...new Set(item.inputs.map((input) => input.item))]);

function showStep() {
  const k = Number(slider.value), step = steps[k];
  if (!step) return;
  const { item, direction } = step;
  markStep();
  panel.replaceChildren(...stepText(item, direction));
  panel.scrollTop = 0;
  $("where").textContent = `${direction} ${k + 1} / ${steps.length}`;
  slider.setAttribute("aria-valuetext", `${direction}: ${item.isGroup ? item.name : item.node.title}`);
  say(`step ${k + 1}, ${direction}: ${said(item)}`);
  centre(item, 0.75);
}

// Show in the picture what is computed so far, and light up the item of the step with its inputs.
function markStep() {
  const k = Number(slider.value), step = steps[k];
  if (!step) return;
  const { item } = step;
  const computed = new Set(), swept = new Set(), ready = new Set();  // swept: their op went backward; ready: their gradient is there
  steps.slice(0, k + 1).forEach((each) => {
    idsOf(each.item).forEach((id) => (each.direction === "forward" ? computed : ready).add(id));
    if (each.direction === "backward") swept.add(each.item.id);
  });
  const lit = new Set(idsOf(item));
  for (const part of world.querySelectorAll(".node[data-id]")) {
    const { id } = part.dataset;
    part.classList.toggle("todo", !computed.has(id));
    part.classList.toggle("ahead", !ready.has(id));
    part.classList.toggle("now", id === item.id);
    part.classList.toggle("lit", lit.has(id) && id !== item.id);
  }
  for (const part of world.querySelectorAll(".edge")) {
    const { from = "", to = "" } = part.dataset, ends = to.split(" ");
    part.classList.toggle("todo", !(from === "" || computed.has(from)) || !ends.some((id) => computed.has(id)));
    part.classList.toggle("ahead", !ends.some((id) => swept.has(id)));
  }
}

function stepText(item, direction) {
  const isForward = direction === "forward", ink = isForward ? "forward" : "backward-ink";
  if (item.isGroup) return [heading(item.name, `${item.kind}, ${direction}`, ink), ...groupSections(item), element("p", "Click the node, or press Enter, to open it and walk through it.", "note")];
  const { node } = item, scope = item.path.filter(({ kind }) => kind === "scope" || kind === "backward").map(({ name }) => name).join("/");
  const inputs = [...new Set(item.inputs.map((input) => input.item))];
  const arrays = isForward
    ? [...inputs.flatMap((input) => arraySections(input, "value", `takes ${input.name}`)), ...arraySections(item, "value", `gives ${item.name}`)]
    : [...arraySections(item, "gradient", `gets the gradient of ${item.name}`), ...inputs.flatMap((input) => arraySections(input, "gradient", `passes on the gradient of ${input.name}`))];
  const docs = (data.docs || {})[node.title], text = docs && docs[isForward ? 0 : 1];
  return [
    heading(node.title, (scope ? `in ${scope}, ` : "") + direction, ink), element("p", (node.notes || [])[0] || "", "call"),
    ...equationsOf(item, direction), ...(text ? [element("p", text, "docs")] : []), ...arrays,
  ];
}

function move(by) {
  slider.value = Number(slider.value) + by;
  showStep();
}

function playing(isOn) {
  clearInterval(timer);
  timer = isOn ? setInterval(() => (Number(slider.value) < steps.length - 1 ? move(1) : playing(false)), 1200) : null;
  play.textContent = isOn ? "pause" : "play";
  play.setAttribute("aria-pressed", String(isOn));
}

// Arrow keys step, but up and down go from node to node where one has the focus.
function stepKey(event, item) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -steps.length, End: steps.length }[event.key];
  if (!svg.classList.contains("walking") || by === undefined || event.shiftKey || (item && /Up|Down/.test(event.key))) return false;
  event.preventDefault();
  move(by);
  return true;
}

slider.addEventListener("input", showStep);
$("back").addEventListener("click", () => move(-1));
$("next").addEventListener("click", () => move(1));
play.addEventListener("click", () => playing(timer === null));
start();
