// Drawing: what is in view, as the text of SVG elements.

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
  const length = headingLength(group), left = group.titleAt;
  return `<g class="box ${group.kind}" data-id="${group.id}" transform="translate(${group.x},${group.y})">` +
    `<rect width="${group.width}" height="${group.height}" rx="10"></rect>${insides(group, scene)}` +
    `<g class="heading" role="button" tabindex="-1" data-id="${group.id}" aria-expanded="true" aria-label="${escaped(said(group))}">` +
    `<rect x="${left}" y="4" width="${length}" height="17" rx="4"></rect><text x="${left + 4}" y="16">\u25be ${escaped(cut(group.name))}</text></g></g>`;
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

const labelOf = (link) => (normOn(link) == null ? "" : short(normOn(link)));

function edgeLabel(link, xy) {
  const text = labelOf(link), [x, y] = xy[xy.length - 1], isFromRight = !isAcross() && link.ends.length === 1 && link.to.into.length === 1 && xy[xy.length - 4][0] > x + 3;
  if (!text) return "";
  const place = isAcross() ? `x="${x - 9}" y="${y - 5}" style="text-anchor:end"` : isFromRight ? `x="${x - 5}" y="${y - 8}" style="text-anchor:end"` : `x="${x + 5}" y="${y - 8}"`;
  return `<text class="label${typeof normOn(link) === "number" ? "" : " bad"}" ${place}>${text}</text>`;
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
