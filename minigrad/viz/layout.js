"use strict";

// Layout in layers. It knows boxes and links, and nothing of what they stand for.
//
// A box is { left, right, height, room, step, isLeaf, port }: its extent from its centre line, the width in which its
// links spread and how far apart at most, and "in" or "out" for a place on the border of the group where a link enters or leaves it. A link is { from, to, source, fromAt, toAt }: numbers of boxes, what
// it carries (links of one source share their way), and where it ends, from the centre lines.

const SPACE = { across: 22, along: 34 };
const LABEL = 14;  // height of the label at the end of a link
const SWEEPS = 8;  // to find the order in layers

// Returns { places: [{ across, along }], ways: [[[across, along], ...]], width, length }: for each box its centre line
// and its upper end, for each link its corners. before, after: room above the first layer and below the last.
function layered(boxes, links, before, after) {
  const { layers, cells, chains } = inLayers(boxes, links, ranks(boxes, links));
  order(layers);
  cells.forEach(spread);
  straighten(layers);
  return coordinates(layers, cells, chains, before, after);
}

// The layer of each box: one below the lowest that leads to it; what nothing leads to is just above its first taker.
function ranks(boxes, links) {
  const takers = boxes.map(() => []), waiting = boxes.map(() => 0), rank = boxes.map((box) => (box.port === "in" ? 0 : 1));
  for (const { from, to } of links) takers[from].push(to), waiting[to]++;
  const isSource = waiting.map((count) => count === 0);
  const sorted = [...boxes.keys()].filter((i) => isSource[i]);
  for (const i of sorted)  // grows while it is read
    for (const j of takers[i]) {
      rank[j] = Math.max(rank[j], rank[i] + 1);
      if (--waiting[j] === 0) sorted.push(j);
    }
  for (const i of sorted)
    if (isSource[i] && boxes[i].port !== "in" && takers[i].length)
      rank[i] = Math.max(1, Math.min(...takers[i].map((j) => rank[j])) - 1);
  const last = 1 + -least(rank.map((r, i) => (boxes[i].port === "out" ? 0 : -r)));
  return rank.map((r, i) => (boxes[i].port === "out" ? last : r));
}

// The layers as arrays of cells: the boxes, and an empty cell in each layer that a link passes. A link becomes a chain of
// hops from cell to cell: { upper, lower, out, into, weight }.
function inLayers(boxes, links, rank) {
  const layers = Array.from({ length: 1 + -least(rank.map((r) => -r)) }, () => []);
  const put = (layer, cell) => (layers[layer].push(cell), cell);
  const cells = boxes.map((box, i) => put(rank[i], { ...box, layer: rank[i], isBox: true, above: [], below: [] }));
  const passed = new Map(), hops = new Map();
  const pass = (key, layer) => {
    if (!passed.has(key)) passed.set(key, put(layer, { left: 3, right: 3, height: 0, layer, above: [], below: [] }));
    return passed.get(key);
  };
  const chains = links.map(({ from, to, source, fromAt, toAt }) => {
    const chain = [], end = rank[to];
    let upper = cells[from], path = `${source} ${from}`;
    for (let layer = rank[from] + 1; layer <= end; layer++) {
      const lower = layer === end ? cells[to] : pass(`${source} ${from} ${layer}`, layer);
      path = layer === end ? `${path} ${layer} ${to}` : `${source} ${from} ${layer}`;
      if (!hops.has(path)) {
        const weight = (upper.isLeaf ? 0.2 : upper.isBox ? 1 : 4) * (lower.isBox ? 1 : 4);
        const hop = { upper, lower, weight, out: upper.isBox ? fromAt : 0, into: lower.isBox ? toAt : 0 };
        hops.set(path, hop);
        upper.below.push(hop);
        lower.above.push(hop);
      }
      chain.push(hops.get(path));
      upper = lower;
    }
    return chain;
  });
  return { layers, cells, chains };
}

// Let the links of a box leave it, and enter it, side by side in the order of their other ends.
function spread(cell) {
  if (!cell.room) return;
  for (const [hops, mine, other] of [[cell.below, "out", "lower"], [cell.above, "into", "upper"]]) {
    const step = Math.min(cell.step, cell.room / Math.max(1, hops.length - 1));
    [...hops].sort((a, b) => a[other].place - b[other].place)
      .forEach((hop, i) => (hop[mine] = (i - (hops.length - 1) / 2) * step));
  }
}

// Order each layer by the mean place of its neighbours, down and up in turn; keep the order with the fewest crossings.
function order(layers) {
  const number = () => layers.forEach((layer) => layer.forEach((cell, i) => (cell.place = i)));
  number();
  let best = layers.map((layer) => [...layer]), fewest = crossings(layers);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const [hops, end, at] = sweep % 2 ? ["below", "lower", "into"] : ["above", "upper", "out"];
    for (const layer of sweep % 2 ? [...layers].reverse() : layers) {
      for (const cell of layer) {
        const near = cell[hops].map((hop) => placeOf(hop[end], hop[at]));
        cell.wish = near.length ? near.reduce((a, b) => a + b) / near.length : cell.place;
      }
      layer.sort((a, b) => a.wish - b.wish).forEach((cell, i) => (cell.place = i));
    }
    const count = crossings(layers);
    if (count < fewest) [best, fewest] = [layers.map((layer) => [...layer]), count];
  }
  best.forEach((layer, i) => (layers[i] = layer));
  number();
}

// The place of a point of a cell in its layer: between those of the neighbours.
const placeOf = (cell, at) => cell.place + at / (cell.left + cell.right + 1);

function crossings(layers) {
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((cell) => cell.below.map((hop) => [placeOf(cell, hop.out), placeOf(hop.lower, hop.into)]));
    for (let i = 0; i < ends.length; i++)
      for (let j = 0; j < i; j++) if ((ends[i][0] - ends[j][0]) * (ends[i][1] - ends[j][1]) < 0) count++;
  }
  return count;
}

// Move the cells of each layer towards their neighbours, in their order and with room between them.
function straighten(layers) {
  for (const layer of layers.filter((cells) => cells.length)) {
    const gaps = offsets(layer), middle = gaps[gaps.length - 1] / 2;
    layer.forEach((cell, i) => (cell.across = gaps[i] - middle));
  }
  const cells = layers.reduce((sum, layer) => sum + layer.length, 0), steps = Math.max(8, Math.min(120, Math.round(2e4 / cells)));
  for (let step = 0; step < steps; step++) {
    const isUp = step % 2, isLast = step > steps / 4;
    for (const layer of isUp ? [...layers].reverse() : layers) settle(layer, !isUp || isLast, isUp || isLast);
  }
}

function offsets(layer) {
  const found = [0];
  for (let i = 1; i < layer.length; i++) found.push(found[i - 1] + layer[i - 1].right + SPACE.across + layer[i].left);
  return found;
}

// Put the cells of a layer as near as can be, in the sense of least squares, to their neighbours above and below: cells
// that would be too close form a block.
function settle(layer, above, below) {
  const gaps = offsets(layer), blocks = [];
  layer.forEach((cell, i) => {
    const wishes = [[0.01, cell.across]];
    if (above) wishes.push(...cell.above.map((hop) => [hop.weight, hop.upper.across + hop.out - hop.into]));
    if (below) wishes.push(...cell.below.map((hop) => [hop.weight, hop.lower.across + hop.into - hop.out]));
    let block = { weight: 0, sum: 0, count: 1 };
    for (const [weight, across] of wishes) (block.weight += weight), (block.sum += weight * (across - gaps[i]));
    while (blocks.length && mean(blocks[blocks.length - 1]) > mean(block)) {
      const before = blocks.pop();
      block = { weight: before.weight + block.weight, sum: before.sum + block.sum, count: before.count + block.count };
    }
    blocks.push(block);
  });
  let i = 0;
  for (const block of blocks) for (let k = 0; k < block.count; k++, i++) layer[i].across = mean(block) + gaps[i];
}

const mean = (block) => block.sum / block.weight;

function coordinates(layers, cells, chains, before, after) {
  const all = layers.flat(), start = least(all.map((cell) => cell.across - cell.left));
  const width = -least(all.map((cell) => -cell.across - cell.right)) - start;
  const [hasIn, hasOut] = ["in", "out"].map((port) => cells.some((cell) => cell.port === port));
  const bands = [{ top: 0, height: 0 }];
  let along = hasIn ? Math.max(before + LABEL, SPACE.along) : before;
  for (const layer of layers.slice(1, hasOut ? -1 : undefined)) {
    const height = -least(layer.map((cell) => -cell.height));
    bands.push({ top: along, height });
    along += height + SPACE.along;
  }
  const length = Math.max(before, along - SPACE.along) + (hasOut ? Math.max(after, SPACE.along) : after);
  if (hasOut) bands.push({ top: length, height: 0 });
  for (const cell of all) {
    cell.across -= start;
    cell.along = bands[cell.layer].top + (bands[cell.layer].height - cell.height) / 2;
  }
  const ways = chains.map((chain) =>
    chain.flatMap(({ upper, lower, out, into }) => {
      const [a, b] = [bands[upper.layer], bands[lower.layer]];
      const leaves = [upper.across + out, a.top + a.height], enters = [lower.across + into, b.top];
      return [[leaves[0], upper.along + upper.height], leaves, enters, [enters[0], lower.along]];
    }));
  return { places: cells.map(({ across, along }) => ({ across, along })), ways, width, length };
}

const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b), numbers.length ? numbers[0] : 0);
