// Zoom and pan: which part of the picture is on the screen, and how large.

const view = { x: 0, y: 0, scale: 1 };

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
  const margin = 14, { width } = room(), height = room().height - $("legend").offsetHeight;
  const whole = Math.min((width - 2 * margin) / view.width, (height - 2 * margin) / view.height, 1.5);
  view.scale = Math.max(whole, least, 0.02);
  const start = (size, length) => (size * view.scale + 2 * margin <= length ? (length - size * view.scale) / 2 : margin);
  const isCut = least > whole && view.width * view.scale > width && !isAcross(), most = width - margin - view.width * view.scale;
  view.x = isCut ? Math.min(margin, Math.max(most, width / 2 - middleOfStart() * view.scale)) : start(view.width, width);
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
