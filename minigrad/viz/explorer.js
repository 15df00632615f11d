// The picture: which items are seen, where, and how they are drawn; zoom, search, folding, keys.
//
// An item is a node of the graph or a group of items. A closed group stands for all that is in it.

const CHARACTER = 0.6, ROW = 14, MANY = 2;  // of a font size; pixels; uses of a leaf, from which on it is only marked
const $ = (id) => document.getElementById(id);
const [svg, world, panel] = ["graph", "world", "panel"].map($);
const view = { x: 0, y: 0, scale: 1 };
let data, items, nodes, groups, selected = null, focused = null, matches = [], match = -1;

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const short = (number) => (typeof number === "number" ? String(Number(number.toPrecision(2))) : String(number));
const counted = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
const shapeOf = (node) => `(${(node.shape || []).join(", ")}${(node.shape || []).length === 1 ? "," : ""})`;
const isLeaf = (item) => !item.isGroup && item.node.kind !== "op";
const normOf = (node) => node.gradient && node.gradient.norm;
const isFaulty = (node) => Boolean(node.fault || node.nonfinite);

// ---- the data ----

async function load() {
  const { type, textContent } = $("data");
  if (type !== "application/zlib") return JSON.parse(textContent);
  const bytes = Uint8Array.from(atob(textContent), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
}

function prepare() {
  groups = data.groups.map((group, i) => ({ ...group, id: `g${i}`, isGroup: true, members: [], isOpen: Boolean(group.open) }));
  for (const group of groups) {
    group.parent = groups[data.groups[groups.indexOf(group)].parent] || null;
    group.path = group.parent ? [...group.parent.path, group.parent] : [];
    if (group.parent) group.parent.members.push(group);
  }
  nodes = data.nodes.map((node, i) => {
    const parent = groups[node.group], item = { id: `n${i}`, node, parent, path: [...parent.path, parent], takers: [] };
    parent.members.push(item);
    return item;
  });
  for (const item of nodes) {
    item.inputs = (item.node.inputs || []).map(([i, role, norm]) => ({ item: nodes[i], role, norm }));
    for (const input of item.inputs) input.item.takers.push(item);
    item.name = headingOf(item);
  }
  nodes.forEach((item) => item.path.forEach((group) => (group.all = group.all || []).push(item)));
  items = new Map([...groups, ...nodes].map((item) => [item.id, item]));
}

// The title without the names of the scopes around it: k for conv1.k in conv1.
function headingOf({ node, path }) {
  const names = path.filter((group) => group.kind === "scope").map((group) => group.name);
  for (let i = 0; i < names.length; i++) {
    const prefix = names.slice(i).join(".") + ".";
    if (node.title.startsWith(prefix) && node.title !== prefix) return node.title.slice(prefix.length);
  }
  return node.title;
}

// ---- what is seen ----

// The item that stands for each node, the links between those items, and the marks of leaves of many uses.
function seen() {
  for (const group of groups) {
    group.drawn = !group.parent || group.parent.drawn.isOpen ? group : group.parent.drawn;
    Object.assign(group, { marks: [], sides: [], into: [], local: new Map() });
  }
  const shown = groups.filter((group) => group.drawn === group && group.parent);
  for (const item of nodes) {
    item.drawn = item.parent.drawn.isOpen ? item : item.parent.drawn;
    Object.assign(item, { marks: [], sides: [], into: [], users: new Set() });
    if (item.drawn === item) shown.push(item);
  }
  const links = new Map();
  for (const item of nodes)
    for (const { item: tensor, norm } of item.inputs) {
      const [from, to] = [tensor.drawn, item.drawn];
      if (from === to) continue;
      if (isLeaf(from)) {
        from.users.add(to);
        const [first] = from.users;
        if (tensor.users.size > MANY && first !== to) {
          if (!to.marks.includes(from)) to.marks.push(from);
          links.delete(`${from.id}>${to.id}`);
          continue;
        }
      }
      const key = `${from.id}>${to.id}`;
      if (!links.has(key)) links.set(key, { from, to, tensors: new Set(), norms: [] });
      links.get(key).tensors.add(tensor);
      if (norm !== undefined) links.get(key).norms.push(norm);
    }
  unlinkMarked(links);
  for (const link of links.values()) link.to.into.push(link);
  for (const item of shown) putBeside(item);
  for (const link of links.values()) distribute(link);
  return { shown, links: [...links.values()] };
}

// A leaf of many uses was linked to its first users before they were counted.
function unlinkMarked(links) {
  for (const [key, { from, to }] of links)
    if (isLeaf(from) && from.users.size > MANY && from.users.values().next().value !== to) {
      links.delete(key);
      if (!to.marks.includes(from)) to.marks.push(from);
    }
}

// Leaves that only this op takes stand at its sides, if anything leads to it from above.
function putBeside(item) {
  if (item.marks.length) item.sides.push({ id: `m${item.id}`, isMark: true, lines: [[item.marks.map((leaf) => leaf.name).join(", "), "mark"]] });
  if (item.isGroup || isLeaf(item)) return;
  const computed = item.into.some(({ from }) => !isLeaf(from)), first = item.into.find(({ from }) => from.node && from.node.kind === "data");
  if (!computed && !first) return;
  for (const link of [...item.into])
    if (isLeaf(link.from) && link.from.users.size === 1 && link.from.parent === item.parent && (computed || link !== first)) {
      link.isBeside = true;
      item.sides.push(link.from);
    }
}

// Cut a link where it crosses the border of a group: one piece in each group that it passes.
function distribute(link) {
  if (link.isBeside) return;
  const { from, to } = link;
  let shared = 0;
  while (from.path[shared] && from.path[shared] === to.path[shared]) shared++;
  const put = (group, a, b) => {
    const key = `${a.id || a} ${b.id || b} ${from.id}`;
    if (!group.local.has(key)) group.local.set(key, { from: a, to: b, source: from, links: [] });
    group.local.get(key).links.push(link);
  };
  for (let k = from.path.length - 1; k >= shared; k--) put(from.path[k], from.path[k + 1] || from, `out ${from.id}`);
  put(from.path[shared - 1], from.path[shared] || from, to.path[shared] || to);
  for (let k = shared; k < to.path.length; k++) put(to.path[k], `in ${from.id}`, to.path[k + 1] || to);
}

// ---- sizes and places ----

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
  lines.push([counted(ops.length, "op"), "small quiet"]);
  const size = parameters.reduce((sum, { node }) => sum + (node.shape || []).reduce((a, b) => a * b, 1), 0);
  if (parameters.length) lines.push([`${counted(parameters.length, "parameter")} (${size.toLocaleString("en")})`, "small quiet"]);
  if (hidden.length) lines.push([hidden.length > 3 || hidden.some(({ name }) => name === "array") ? `${counted(hidden.length, "array")} of data` : `data ${hidden.map(({ name }) => name).join(", ")}`, "small quiet"]);
  if (last) lines.push([shapeOf(last.node), "small quiet"]);
  const fault = all.find((item) => item.node.fault);
  return fault ? [...lines, ...faultLines(fault.node.fault)] : lines;
}

const faultLines = (fault) => (fault ? fault.replace(" (", "\n(").replace(" gave ", "\ngave ").split("\n").map((line) => [line, "small bad"]) : []);

function measure(item) {
  item.lines = linesOf(item).map(([text, look]) => [text.length > 40 ? text.slice(0, 37) + "..." : text, look]);
  const widths = item.lines.map(([text, look]) => [...text].reduce((sum, c) => sum + (c > "\u2e80" ? 2 : 1), 0) * CHARACTER * (look === "title" ? 12 : 10));
  const isSmall = item.isMark || (item.node && item.node.kind === "constant");
  const links = item.into ? item.into.filter((link) => !link.isBeside).length : 0;  // their labels stand side by side
  item.width = Math.max(...widths, isSmall ? 10 : 40, !isAcross() && links > 1 ? 36 * Math.min(links, 8) : 0) + (isSmall ? 4 : 20);
  item.height = item.lines.length * ROW + (isSmall ? 2 : 9);
}

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
  const isRoot = !group.parent, title = isRoot ? 0 : 24, pad = isRoot ? 0 : 12;
  const laid = layered(
    boxes,
    links.map(({ from, to, source }) => ({
      from: index.get(from), to: index.get(to), source: source.id, fromAt: portOf(from, `out ${source.id}`), toAt: portOf(to, `in ${source.id}`),
    })),
    isRoot ? 0 : isAcross() ? 14 : 26, isRoot ? 0 : 12);
  const aside = isAcross() ? Math.max(title, pad) : pad;
  let width = laid.width + aside + pad;
  const least = isAcross() || isRoot ? 0 : group.name.length * 11 * CHARACTER + 40;
  const shift = aside + Math.max(0, least - width) / 2;
  width = Math.max(width, least);
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

const portOf = (item, name) => (item.isGroup && item.isOpen ? item.ports.get(name) : 0);

// The extent of an item with the leaves at its sides: they are put at the left and at the right in turn.
function block(item) {
  const [across, along] = extent(item), stacks = [0, 1].map((side) => item.sides.filter((_, i) => i % 2 === side));
  item.sides.forEach(measure);
  const spans = stacks.map((stack) => stack.reduce((sum, leaf) => sum + extent(leaf)[1] + 6, -6));
  const widths = stacks.map((stack) => (stack.length ? Math.max(...stack.map((leaf) => extent(leaf)[0])) + 30 : 0));
  return { left: across / 2 + widths[0], right: across / 2 + widths[1], height: Math.max(along, ...spans), room: item.isGroup && item.isOpen ? 0 : across * 0.8, isLeaf: Boolean(item.node) && isLeaf(item) };
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

// ---- drawing ----

// Lay out what is seen; then draw the part of it that is in view.
function draw() {
  const scene = seen(), root = groups[0];
  SPACE.along = isAcross() ? 54 : 34;  // labels stand along an arrow that goes across
  lay(root);
  locate(root, 0, 0);
  view.scene = { ...scene, pen: pen(scene.links) };
  [view.width, view.height] = [root.width, root.height];
  render();
}

// The place of each item in the whole picture.
function locate(group, left, top) {
  [group.left, group.top] = [left, top];
  for (const item of group.members) {
    if (item.isGroup && item.isOpen) locate(item, left + item.x, top + item.y);
    else [item.left, item.top] = [left + (item.x || 0), top + (item.y || 0)];
  }
}

// Draw what is in view, and one more screen on each side. Far away, text and arrows are left out.
function render() {
  const { width, height } = room(), left = -view.x / view.scale, top = -view.y / view.scale, [w, h] = [width / view.scale, height / view.scale];
  view.area = { left: left - w, top: top - h, right: left + 2 * w, bottom: top + 2 * h };
  view.level = level();
  svg.classList.toggle("far", view.level === 2);
  world.innerHTML = insides(groups[0], view.scene);
  decorate();
  if (svg.classList.contains("walking")) markStep();
}

const level = () => (view.scale < 0.2 ? 2 : view.scale < 0.5 ? 1 : 0);

function isDrawn(left, top, right, bottom) {
  const { area } = view;
  return left < area.right && right > area.left && top < area.bottom && bottom > area.top;
}

function insides(group, scene) {
  const { left, top } = group, isNear = (item) => isDrawn(left + item.x - 150, top + item.y - 60, left + item.x + item.width + 150, top + item.y + item.height + 60);
  const near = group.members.filter((item) => item.x !== undefined && isNear(item));
  const parts = near.filter((item) => item.isGroup && item.isOpen).map((inner) => boxText(inner, scene)), far = [];
  for (const way of group.ways) {
    const xy = isAcross() ? way.points.map(([a, b]) => [b, a]) : way.points, [xs, ys] = [0, 1].map((k) => xy.map((at) => at[k]));
    if (isDrawn(left + least(xs), top + least(ys), left - least(xs.map((x) => -x)) + 60, top - least(ys.map((y) => -y))))
      (view.level === 2 ? far : parts).push(view.level === 2 ? curve(way, xy) : wayText(way, xy, scene));
  }
  if (far.length) parts.push(`<g class="edge"><path class="value" d="${far.join("")}"></path></g>`);
  for (const item of near) if (!(item.isGroup && item.isOpen)) parts.push(...besideTexts(item, scene), itemText(item));
  for (const item of near) if (item.isGroup && item.isOpen) parts.push(...besideTexts(item, scene));
  return parts.join("");
}

function boxText(group, scene) {
  const length = (group.name.length + 2) * 11 * CHARACTER + 8;
  const entries = [...group.ports].filter(([name]) => name.startsWith("in ")).map(([, at]) => at + group.width / 2);
  const isFree = (left) => isAcross() || !entries.some((at) => at > left - 4 && at < left + length + 4);
  const left = [6, group.width - length - 6].find(isFree) ?? 6;
  return `<g class="box ${group.kind}" data-id="${group.id}" transform="translate(${group.x},${group.y})">` +
    `<rect width="${group.width}" height="${group.height}" rx="10"></rect>${insides(group, scene)}` +
    `<g class="heading" role="button" tabindex="-1" data-id="${group.id}" aria-expanded="true" aria-label="${escaped(said(group))}">` +
    `<rect x="${left}" y="4" width="${length}" height="17" rx="4"></rect><text x="${left + 4}" y="16">\u25be ${escaped(group.name)}</text></g></g>`;
}

function itemText(item) {
  const look = item.isGroup ? `closed ${item.kind}` : item.isMark ? "constant" : item.node.kind;
  const isBad = item.isGroup ? (item.all || []).some(({ node }) => isFaulty(node)) : item.node && isFaulty(item.node);
  const isOutput = item.isGroup ? (item.all || []).some(({ node }) => node.output) : item.node && item.node.output;
  const { width: w, height: h } = item, round = view.level === 2 ? 0 : item.isGroup ? 3 : !item.isMark && item.node.kind === "op" ? 9 : 0;
  const rect = (by, radius) => `<rect x="${-by}" y="${-by}" width="${w + 2 * by}" height="${h + 2 * by}" rx="${radius}"></rect>`;
  const behind = item.isGroup ? `<rect x="5" y="5" width="${w}" height="${h}" rx="${round}"></rect>` : isOutput ? rect(3.5, round + 3) : "";
  const lines = view.level === 2 ? [] : view.level === 1 ? item.lines.filter(([, look], i) => !i || look === "small bad") : item.lines;
  const texts = lines.map(([text, className], i) => `<text class="${className}" x="${w / 2}" y="${(i + 1) * ROW}">${escaped(text)}</text>`);
  const place = `transform="translate(${item.x.toFixed(1)},${item.y.toFixed(1)})"`;
  if (item.isMark) return `<g class="node constant" ${place}>${texts.join("")}</g>`;
  const expanded = item.isGroup ? ' aria-expanded="false"' : "";
  return `<g class="node ${look}${isOutput ? " output" : ""}${isBad ? " fault" : ""}" data-id="${item.id}" role="button" tabindex="-1"${expanded}` +
    ` aria-label="${escaped(said(item))}" ${place}>${behind}${rect(0, round)}${texts.join("")}</g>`;
}

function besideTexts(item, scene) {
  if (view.level === 2) return [];
  return item.sides.flatMap((leaf) => {
    const link = { from: leaf, to: item, tensors: new Set([leaf]), norms: [] };
    const centre = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
    const [a, b] = [centre(leaf), centre(item)], along = isAcross() ? 1 : 0, size = along ? "height" : "width";
    const sign = Math.sign(b[along] - a[along]), start = [...a], end = along ? [a[0], b[1]] : [b[0], a[1]];
    start[along] += (sign * leaf[size]) / 2;
    end[along] -= (sign * item[size]) / 2;
    const limit = item.height / 2 - 4;
    if (!along) end[1] = Math.max(b[1] - limit, Math.min(b[1] + limit, end[1]));
    return [edgeText(link, `M${start}L${end}`, along ? [sign * 1.3, 0] : [0, sign * -1.3], true, true, scene), leaf.isMark || leaf.parent !== item.parent ? itemText(leaf) : ""];
  });
}

// A way as the path of an SVG element: straight past boxes, curved between layers.
function curve({ points }, xy) {
  let path = `M${point(xy[0])}`;
  for (let i = 1; i < xy.length; i++) {
    const [p, q] = [xy[i - 1], xy[i]];
    if (point(p) === point(q)) continue;  // it would have no direction for an arrowhead
    if (i % 4 !== 2 || Math.abs(points[i][0] - points[i - 1][0]) < 0.5) path += `L${point(q)}`;
    else if (isAcross()) path += `C${point([(p[0] + q[0]) / 2, p[1]])} ${point([(p[0] + q[0]) / 2, q[1]])} ${point(q)}`;
    else path += `C${point([p[0], (p[1] + q[1]) / 2])} ${point([q[0], (p[1] + q[1]) / 2])} ${point(q)}`;
  }
  return path;
}

function wayText(way, xy, scene) {
  const { from, to, links } = way, path = curve(way, xy);
  const ends = links.map((link) => link.to), isLast = ends.includes(to), isFirst = from === links[0].from;
  const link = { from: links[0].from, to: isLast ? to : null, ends, tensors: new Set(links.flatMap(({ tensors }) => [...tensors])), norms: links.flatMap(({ norms }) => norms) };
  const label = isLast && view.level === 0 ? edgeLabel(link, xy) : "";
  return edgeText(link, path, isAcross() ? [0, -1.3] : [1.3, 0], isFirst, isLast, scene, label);
}

const point = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;

// The norm of the gradient that flows along a link: of this use, where there are several.
function normOn({ from, tensors, norms }) {
  if (tensors.size !== 1 || from.isMark) return undefined;
  const [tensor] = tensors;
  return norms.length === 1 ? norms[0] : norms.length || isLeaf(tensor) ? undefined : normOf(tensor.node);
}

function edgeLabel(link, xy) {
  const norm = normOn(link), [x, y] = xy[xy.length - 1], isFromRight = !isAcross() && link.ends.length === 1 && link.to.into.length === 1 && xy[xy.length - 4][0] > x + 3;
  if (norm === undefined || norm === null) return "";
  const place = isAcross() ? `x="${x - 9}" y="${y - 5}" style="text-anchor:end"` : isFromRight ? `x="${x - 5}" y="${y - 8}" style="text-anchor:end"` : `x="${x + 5}" y="${y - 8}"`;
  return `<text class="label${typeof norm === "number" ? "" : " bad"}" ${place}>${short(norm)}</text>`;
}

// Grey for the value, down; orange beside it for the gradient, up.
function edgeText(link, path, [dx, dy], isFirst, isLast, scene, label = "") {
  const tensors = [...link.tensors].filter((tensor) => !tensor.isMark);
  const flows = tensors.some(({ node }) => node.gradient), bad = tensors.some(({ node }) => typeof normOf(node) === "string");
  const isDashed = tensors.length && tensors.every(({ node }) => node.kind === "data" || node.kind === "constant");
  const ends = (link.ends || [link.to]).map(({ id }) => id).join(" "), norm = normOn(link) ?? (tensors[0] && normOf(tensors[0].node));
  const width = flows ? scene.pen(norm).toFixed(2) : 1.1;
  const line = (className, shift) => `<path class="${className}" d="${path}" stroke-width="${width}"${shift}></path>`;
  const value = line("value", flows ? ` transform="translate(${-dx},${-dy})"` : "");
  const back = flows ? line(`back${bad ? " bad" : ""}`, ` transform="translate(${dx},${dy})"`) : "";
  const heads = (isLast ? `<path class="head" d="${path}" marker-end="url(#down)"></path>` : "") +
    (flows && isFirst ? `<path class="head back" d="${path}" marker-start="url(#up)"></path>` : "");
  const title = tensors.slice(0, 5).map((tensor) => `${tensor.node.title} ${shapeOf(tensor.node)}` + (normOf(tensor.node) == null ? "" : `, gradient norm ${normOf(tensor.node)}`)).join("\n");
  return `<g class="edge${isDashed ? " dashed" : ""}" data-from="${link.from.isMark ? "" : link.from.id}" data-to="${ends}"><title>${escaped(title)}</title>${value}${back}${heads}${label}</g>`;
}

// The width of a line by its norm: 1 for the least to 2.4 for the greatest, on a logarithmic scale.
function pen(links) {
  const logs = links.map(normOn).filter((norm) => norm > 0).map(Math.log);
  const low = least(logs), high = Math.max(low + 2.3, -least(logs.map((log) => -log)));
  return (norm) => (norm > 0 ? 1 + 1.4 * Math.min(1, Math.max(0, (Math.log(norm) - low) / (high - low))) : 1);
}

// What a screen reader says of an item.
function said(item) {
  if (item.isGroup) return [`${item.kind} ${item.name}`, ...groupLines(item).slice(1).map(([text]) => text)].join(", ");
  const { node } = item, facts = [`${node.kind} ${node.title}`, `shape ${shapeOf(node)}`];
  if (item.inputs.length) facts.push(`takes ${item.inputs.map(({ item: input }) => input.node.title).join(", ")}`);
  if (normOf(node) != null) facts.push(`gradient norm ${normOf(node)}`);
  if (node.fault) facts.push(node.fault);
  return facts.join(", ");
}

// ---- zoom and pan ----

function showView() {
  world.setAttribute("transform", `translate(${view.x},${view.y}) scale(${view.scale})`);
  const { width, height } = room(), { area } = view, [left, top] = [-view.x / view.scale, -view.y / view.scale];
  const isInside = left >= area.left && top >= area.top && left + width / view.scale <= area.right && top + height / view.scale <= area.bottom;
  if (!isInside || level() !== view.level) render();
}

const room = () => svg.getBoundingClientRect();

function zoom(factor, x = room().width / 2, y = room().height / 2) {
  const scale = Math.min(4, Math.max(0.02, view.scale * factor)), by = scale / view.scale;
  view.x = x - (x - view.x) * by;
  view.y = y - (y - view.y) * by;
  view.scale = scale;
  showView();
}

// Show the picture as a whole; `least` keeps its text readable, and then its beginning is shown.
function fit(least = 0) {
  const { width, height } = room(), margin = 14;
  const whole = Math.min((width - 2 * margin) / view.width, (height - 2 * margin) / view.height, 1.5);
  view.scale = Math.max(whole, least, 0.02);
  const start = (size, length) => (size * view.scale + 2 * margin <= length ? (length - size * view.scale) / 2 : margin);
  view.x = least > whole && view.width * view.scale > width && !isAcross() ? width / 2 - middleOfStart() * view.scale : start(view.width, width);
  view.y = start(view.height, height);
  showView();
}

const middleOfStart = () => {
  const [first] = groups[0].members.map((item) => [item.y, item.x + item.width / 2]).sort((a, b) => a[0] - b[0]);
  return first ? first[1] : 0;
};

function centre(item, least = 0) {
  const { width, height } = room(), { left: x, top: y } = item;
  if (view.scale < least) view.scale = 1;
  view.x = width / 2 - (x + item.width / 2) * view.scale;
  view.y = height / 2 - (y + Math.min(item.height / 2, height / view.scale / 2)) * view.scale;
  showView();
}

function isInView(item) {
  const { width, height } = room(), { left: x, top: y } = item, [left, top] = [x * view.scale + view.x, y * view.scale + view.y];
  return left > 0 && top > 0 && left + item.width * view.scale < width && top + Math.min(item.height * view.scale, height / 2) < height;
}

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
