// Sizes of items, and their places: a group is laid out once those in it are.

function linesOf(item) {
  if (item.isMark) return item.lines;
  if (item.isGroup) return groupLines(item);
  const { node } = item, lines = [[item.name, "title"]];
  if (node.kind === "constant") return lines;
  const isScalar = !(node.shape || []).length, value = node.value || {};
  lines.push(node.output && isScalar && value.entries ? [`${node.output} ${value.entries}`, "small"] : [shapeOf(node), "small quiet"]);
  if (node.detail) lines.push(...node.detail.split("\n").map((line) => [line, "small"]));
  const norm = normOf(node);
  if (norm !== undefined && norm !== null && (node.kind === "parameter" || item.users.size > 1 || item.takers.length > 1))
    lines.push([`grad ${short(norm)}`, typeof norm === "number" ? "small norm" : "small bad"]);
  return [...lines, ...faultLines(node.fault)];
}

function groupLines(group) {
  const all = group.all || [], ops = all.filter((item) => !isLeaf(item)), last = ops[ops.length - 1];
  const parameters = all.filter((item) => item.node.kind === "parameter"), hidden = all.filter((item) => item.node.kind === "data");
  const lines = [[group.name, "title"]];
  if (group.kind === "repeat") lines.push([`x ${group.members.length}`, "small"]);
  if (last) lines.push([counted(ops.length, "op"), "small quiet"]);
  const size = parameters.reduce((sum, { node }) => sum + (node.shape || []).reduce((a, b) => a * b, 1), 0);
  if (parameters.length) lines.push([`${counted(parameters.length, "parameter")} (${size.toLocaleString("en")})`, "small quiet"]);
  if (hidden.length) lines.push([hidden.length > 3 || hidden.some(({ name }) => name === "array") ? `${counted(hidden.length, "array")} of data` : `data ${hidden.map(({ name }) => name).join(", ")}`, "small quiet"]);
  if (last) lines.push([shapeOf(last.node), "small quiet"]);
  const fault = all.find((item) => item.node.fault);
  return fault ? [...lines, ...faultLines(fault.node.fault)] : lines;
}

const faultLines = (fault) => (fault ? fault.replace(" (", "\n(").replace(" gave ", "\ngave ").split("\n").map((line) => [line, "small bad"]) : []);

function measure(item) {
  item.lines = linesOf(item).map(([text, look]) => [cut(text), look]);
  const widths = item.lines.map(([text, look]) => [...text].reduce((sum, c) => sum + (c > "\u2e80" ? 2 : 1), 0) * CHARACTER * (look === "title" ? 12 : 10));
  const isSmall = item.isMark || (item.node && item.node.kind === "constant");
  const links = item.into ? item.into.filter((link) => !link.isBeside) : [];  // their labels stand side by side
  item.step = Math.max(36, ...links.map((link) => labelOf(link).length * CHARACTER * 10 + 12));
  item.width = Math.max(...widths, isSmall ? 10 : 40, !isAcross() && links.length > 1 ? item.step * Math.min(links.length, 8) : 0) + (isSmall ? 4 : 20);
  item.height = item.lines.length * ROW + (isSmall ? 2 : 9);
}

const cut = (text) => (text.length > 40 ? text.slice(0, 37) + "..." : text);
const isAcross = () => data.direction === "LR";
const extent = (item) => (isAcross() ? [item.height, item.width] : [item.width, item.height]);

// Lay out a group and all open ones in it, inner ones first. Places are relative to the group.
function lay(group) {
  const boxes = [], index = new Map(), beside = new Set();
  for (const item of group.members) {
    if (item.isGroup && item.isOpen) lay(item);
    else measure(item);
    item.sides.forEach((leaf) => beside.add(leaf));
  }
  for (const item of group.members) if (!beside.has(item)) index.set(item, boxes.push(block(item)) - 1);
  const links = [...group.local.values()];
  for (const { from, to } of links)
    for (const [end, port] of [[from, "in"], [to, "out"]])
      if (typeof end === "string" && !index.has(end)) index.set(end, boxes.push({ left: 5, right: 5, height: 0, port }) - 1);
  const isRoot = !group.parent, pad = isRoot ? 0 : 12;
  const laid = layered(
    boxes,
    links.map(({ from, to, source }) => ({
      from: index.get(from), to: index.get(to), source: source.id, fromAt: portOf(from, `out ${source.id}`), toAt: portOf(to, `in ${source.id}`),
    })),
    isRoot ? 0 : isAcross() ? 14 : 26, isRoot ? 0 : 12);
  const aside = isAcross() ? (isRoot ? 0 : 24) : pad;
  let width = laid.width + aside + pad;
  const title = isRoot ? 0 : headingLength(group), least = isAcross() ? 0 : title + 12;
  let shift = aside + Math.max(0, least - width) / 2;
  width = Math.max(width, least);
  const entries = isAcross() ? [] : links.flatMap(({ from }, i) => (typeof from === "string" ? [spanOf(laid.ways[i], shift)] : []));
  if ((group.titleAt = freePlace(entries, width, title)) === undefined) {  // make room at the left
    const more = title + 12 - Math.min(...entries.map(([start]) => start));
    [width, shift, group.titleAt] = [width + more, shift + more, 6];
  }
  group.ports = new Map();
  for (const [item, i] of index) {
    const { across, along } = laid.places[i];
    if (typeof item === "string") group.ports.set(item, across + shift - width / 2);
    else position(item, across + shift, along, boxes[i].height);
  }
  group.ways = links.map((link, i) => ({ ...link, points: trimmed(link, laid.ways[i]).map(([across, along]) => [across + shift, along]) }));
  [group.width, group.height] = isAcross() ? [laid.length, width] : [width, laid.length];
  group.lines = [];
}

const headingLength = (group) => (cut(group.name).length + 2) * 11 * CHARACTER + 8;

// Where a way that enters a group passes beside its heading, with the label at its end.
function spanOf(way, shift) {
  const across = way.slice(0, 3).map(([at]) => at + shift);
  return [Math.min(...across) - 4, Math.max(...across) + 4];
}

// Where a heading of this length crosses no way: at the left or at the right; undefined if nowhere.
function freePlace(entries, width, length) {
  return [6, width - length - 6].find((left) => entries.every(([start, end]) => end < left || start > left + length));
}

const portOf = (item, name) => (item.isGroup && item.isOpen ? item.ports.get(name) : 0);

// The extent of an item with the leaves at its sides: they are put at the left and at the right in turn.
function block(item) {
  const [across, along] = extent(item), stacks = [0, 1].map((side) => item.sides.filter((_, i) => i % 2 === side));
  item.sides.forEach(measure);
  const spans = stacks.map((stack) => stack.reduce((sum, leaf) => sum + extent(leaf)[1] + 6, -6));
  const widths = stacks.map((stack) => (stack.length ? Math.max(...stack.map((leaf) => extent(leaf)[0])) + 30 : 0));
  return { left: across / 2 + widths[0], right: across / 2 + widths[1], height: Math.max(along, ...spans), room: item.isGroup && item.isOpen ? 0 : across * 0.8, step: item.step, isLeaf: Boolean(item.node) && isLeaf(item) };
}

function position(item, across, along, height) {
  const [mine, length] = extent(item), put = (each, a, b) => ([each.x, each.y] = isAcross() ? [b, a] : [a, b]);
  put(item, across - mine / 2, along + (height - length) / 2);
  [0, 1].forEach((side) => {
    const stack = item.sides.filter((_, i) => i % 2 === side);
    let at = along + (height - stack.reduce((sum, leaf) => sum + extent(leaf)[1] + 6, -6)) / 2;
    for (const leaf of stack) {
      const [wide, long] = extent(leaf);
      put(leaf, side ? across + mine / 2 + 30 : across - mine / 2 - 30 - wide, at);
      at += long + 6;
    }
  });
}

// A way ends at its op, also where the leaves beside that are longer.
function trimmed({ from, to }, way) {
  const inset = (item) => (item.sides && item.sides.length ? (block(item).height - extent(item)[1]) / 2 : 0);
  const points = way.map((point) => [...point]);
  points[0][1] -= inset(from);
  points[points.length - 1][1] += inset(to);
  return points;
}
