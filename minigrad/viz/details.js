// The panel: all that is known of what is selected, equations of the walk, histograms and heat maps.

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== "") made.textContent = text;
  if (className) made.className = className;
  return made;
}

function listOf(facts) {
  const list = element("dl");
  for (const [name, fact] of facts) {
    if (fact === undefined || fact === null || fact === "") continue;
    const shown = element("dd");
    shown.append(fact);
    list.append(element("dt", name), shown);
  }
  return list;
}

const linkTo = (item, text) => {
  const button = element("button", text || item.node.title, "link");
  button.dataset.go = item.id;
  return button;
};

const row = (parts) => {
  const box = element("span");
  parts.forEach((part, i) => box.append(i ? ", " : "", part));
  return box;
};

function sized(bytes) {
  const units = ["bytes", "kB", "MB", "GB"], power = Math.min(3, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000) + 1e-9));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

const timed = (seconds) => (seconds >= 1 ? `${seconds.toPrecision(3)} s` : seconds >= 1e-3 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${(seconds * 1e6).toPrecision(3)} \u00b5s`);

function heading(title, small, className = "") {
  const made = element("h1", `${title} `);
  made.append(element("small", small, className));
  return made;
}

function showOverview() {
  const keys = [["/", "search"], ["n N", "next and previous match"], ["\u2190 \u2191 \u2193 \u2192", "from node to node"], ["Enter", "all about a node; open or close a group"],
    ["+ \u2212 0", "zoom in, out, show all"], ["Shift \u2190", "move the picture"], ["f u", "fold, unfold"], ["w", "walk"], ["Esc", "select nothing"]];
  const list = element("dl", "", "keys");
  for (const [key, does] of keys) {
    const term = element("dt");
    term.append(element("kbd", key));
    list.append(term, element("dd", does));
  }
  const faults = nodes.filter((item) => item.node.fault).slice(0, 5);
  panel.replaceChildren(
    element("h1", data.title), ...data.caption.map((line) => element("p", line, "note")),
    ...faults.map((item) => { const line = element("p", "", "faulty"); line.append(`${item.node.fault}: `, linkTo(item)); return line; }),
    element("h2", "Keys", "keys"), list, element("p", "Click a node for all that is known of it, a group to open it, the name of an open group to close it.", "note"));
}

function showDetails(item) {
  panel.scrollTop = 0;
  if (item.isGroup) return panel.replaceChildren(heading(item.name, item.kind), ...groupSections(item));
  const { node } = item, inScope = item.path.filter(({ kind }) => kind === "scope" || kind === "backward").map(({ name }) => name).join("/");
  const parts = [heading(node.title, node.kind + (inScope ? ` in ${inScope}` : ""))];
  if (node.fault) parts.push(element("p", node.fault, "faulty"));
  if ((node.notes || []).length) parts.push(element("p", node.notes[0], "call"));
  parts.push(...equationsOf(item, "forward"), ...equationsOf(item, "backward"));
  const seconds = node.seconds || {};
  const line = node.url ? Object.assign(element("a", node.line), { href: node.url, target: "_blank", rel: "noopener" }) : node.line;
  parts.push(listOf([
    ["shape", shapeOf(node)], ["dtype", node.dtype], ["memory", sized(node.bytes || 0)],
    ...item.inputs.map((input) => [input.role, row([linkTo(input.item), shapeOf(input.item.node)])]),
    ["settings", (node.settings || []).join(", ")], ["variable", node.variable],
    ["taken by", item.takers.length ? row(item.takers.slice(0, 12).map((taker) => linkTo(taker))) : ""],
    ["forward", seconds.forward === undefined ? "" : timed(seconds.forward)],
    ["VJP", seconds.backward === undefined ? "" : timed(seconds.backward)],
    ["line", line],
  ]), ...(node.notes || []).slice(1).map((note) => element("p", note, "note")));
  parts.push(...arraySections(item, "value"), ...arraySections(item, "gradient"));
  panel.replaceChildren(...parts);
}

// What a group holds, and where in it the norm of the gradient is least and greatest.
function groupSections(group) {
  const lines = groupLines(group).slice(1).map(([text]) => element("p", text, "note"));
  const ops = (group.all || []).filter((item) => !isLeaf(item) && typeof normOf(item.node) === "number");
  if (ops.length < 2) return lines;
  const norms = ops.map((item) => normOf(item.node)), least = norms.indexOf(Math.min(...norms)), most = norms.indexOf(Math.max(...norms));
  const ends = element("p", "", "note");
  ends.append(`least ${short(norms[least])} at `, linkTo(ops[least]), ` (op ${least + 1} of ${ops.length}), greatest ${short(norms[most])} at `, linkTo(ops[most]), ` (op ${most + 1})`);
  const figure = element("div"), logs = norms.map((norm) => Math.log10(Math.max(norm, 1e-320))), low = Math.min(...logs), span = Math.max(...logs) - low || 1;
  const points = logs.map((log, i) => `${i},${(1 - (log - low) / span).toFixed(3)}`).join(" ");
  figure.innerHTML = `<svg class="histogram" viewBox="0 -0.05 ${norms.length - 1} 1.1" preserveAspectRatio="none" role="img" aria-label="gradient norm from the first op to the last, on a logarithmic axis"><polyline class="norms" points="${points}"></polyline></svg>`;
  return [...lines, element("h2", "gradient norm, from the first op to the last"), figure, ends];
}

// What is known of the value or the gradient of an item: entries or statistics, a histogram, a heat map.
function arraySections(item, kind, title = kind) {
  const known = item.node[kind], map = (item.node.maps || {})[kind];
  if (!known) return [];
  const header = element("h2", `${title} `), parts = [header];
  if (title !== kind) header.append(element("code", shapeOf(item.node)));
  if (map) parts.push(heatMaps(map), element("p", (map.limit === "0" ? "all 0" : `colours from -${map.limit} to ${map.limit}`) + (map.note ? `; ${map.note}` : ""), "note"));
  if (known.entries !== undefined) parts.push(element("p", known.entries, "numbers"));
  const facts = ["min", "mean", "max"].filter((name) => known[name] !== undefined).map((name) => `${name} ${known[name]}`);
  if (known.nan) facts.push(`${known.nan.toLocaleString("en")} NaN`);
  if (known.inf) facts.push(`${known.inf.toLocaleString("en")} infinite`);
  if (kind === "gradient") facts.unshift(`norm ${known.norm}`);
  if (facts.length) parts.push(element("p", facts.join(", "), "note"));
  if (known.histogram && !map) parts.push(histogram(known.histogram, kind));
  return parts;
}

function histogram({ low, high, counts, of }, kind) {
  const highest = Math.max(...counts), n = counts.length, figure = element("div"), ends = element("div", "", "ends");
  const bars = counts.map((count, i) => `<rect x="${i + 0.06}" y="${1 - count / highest}" width="0.88" height="${count / highest}"><title>${count}</title></rect>`).join("");
  const zero = low < 0 && high > 0 ? `<line x1="${(-low / (high - low)) * n}" x2="${(-low / (high - low)) * n}" y1="0" y2="1" stroke-width="0.06"></line>` : "";
  figure.innerHTML = `<svg class="histogram${kind === "gradient" ? " back" : ""}" viewBox="0 0 ${n} 1" preserveAspectRatio="none" role="img" aria-label="histogram of the ${kind} from ${low} to ${high}">${bars}${zero}</svg>`;
  ends.append(element("span", String(low)), element("span", `${of.toLocaleString("en")} entries`), element("span", String(high)));
  figure.append(ends);
  return figure;
}

// Blue below 0, white at 0, orange above; violet where not finite.
function colorOf(byte) {
  if (byte === 0) return [160, 32, 200];
  const x = (byte - 128) / 127, end = x < 0 ? [0, 90, 160] : [205, 85, 0], a = Math.abs(x);
  return end.map((c) => 255 + a * (c - 255));
}

function heatMaps(map) {
  const box = element("div", "", "maps"), bytes = Uint8Array.from(atob(map.bytes), (c) => c.charCodeAt(0)), area = map.rows * map.columns;
  const pixels = Math.max(1, Math.min(18, Math.floor((map.count > 1 ? 76 : 300) / Math.max(map.rows, map.columns))));
  const reading = element("p", `rows 0 to ${map.rows - 1} down, columns 0 to ${map.columns - 1} across; point at an entry`, "note");
  for (let n = 0; n < map.count; n++) {
    const canvas = element("canvas"), context = canvas.getContext("2d");
    [canvas.width, canvas.height] = [map.columns, map.rows];
    Object.assign(canvas.style, { width: `${map.columns * pixels}px`, height: `${map.rows * pixels}px` });
    const image = context.createImageData(map.columns, map.rows);
    for (let i = 0; i < area; i++) image.data.set([...colorOf(bytes[n * area + i]), 255], 4 * i);
    context.putImageData(image, 0, 0);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `heat map ${n + 1} of ${map.count}, ${map.rows} rows, ${map.columns} columns`);
    canvas.addEventListener("pointermove", (event) => {
      const i = Math.min(map.rows - 1, Math.floor(event.offsetY / pixels)), j = Math.min(map.columns - 1, Math.floor(event.offsetX / pixels));
      reading.textContent = `${map.count > 1 ? `image ${n}, ` : ""}[${i}, ${j}]: ${valueOf(bytes[n * area + i * map.columns + j], map)}`;
    });
    box.append(canvas);
  }
  box.append(reading);
  return box;
}

// A byte as the number that it stands for, to the precision that it has.
function valueOf(byte, map) {
  if (byte === 0) return "not finite";
  return byte === 128 ? "about 0" : `about ${short(((byte - 128) / 127) * Number(map.limit))}`;
}

// Equations of this call: MathML in which the places of names are filled in.
function equationsOf(item, direction) {
  const { node } = item, known = (data.equations || {})[node.equation];
  if (!known || node.kind !== "op") return [];
  const isBack = direction === "backward", texts = isBack ? known.backward : [known.forward];
  const box = element("div", "", isBack ? "equation back" : "equation");
  texts.forEach((text, i) => {
    const input = isBack ? item.inputs[i] : null;
    if (!text || (isBack && (!input || !input.item.node.gradient && data.gradients))) return;
    const line = element("div");
    line.innerHTML = filled(text, item);
    box.append(line);
  });
  if (!box.childNodes.length) return [];
  const shapes = item.inputs.map((input) => shapeOf(input.item.node)).join(" ");
  box.append(element("p", isBack ? `${shapeOf(node)} \u2192 ${shapes}` : `${shapes} \u2192 ${shapeOf(node)}`, "shapes"));
  return [box];
}

// {0}, {1}: the names of the arguments; {out}: that of the output.
function filled(text, item) {
  const names = item.inputs.map((input) => (input.item.node.kind === "op" ? input.item.node.variable || `${input.item.node.title}` : input.item.name));
  return text.replace(/\{(\d+|out)\}/g, (_, place) => escaped(place === "out" ? item.node.variable || item.name : names[place] ?? "?"));
}
