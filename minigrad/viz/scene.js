// The data of the page, and what is seen of it: items, and the links between them.
//
// An item is a node of the graph or a group of items. A closed group stands for all that is in it.

const CHARACTER = 0.6, ROW = 14, MANY = 2;  // of a font size; pixels; uses of a leaf, from which on it is only marked
const $ = (id) => document.getElementById(id);
const [svg, world, panel] = ["graph", "world", "panel"].map($);
let data, items, nodes, groups;

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
