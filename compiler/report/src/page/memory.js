// The memory map: tensors of a region as rectangles, time to the right, addresses upwards.

const MAP = { height: 380, axis: 22 };
const memory = { region: 0, drawn: [] };

function showRegions() {
  const own = subgraph();
  if (!own) return;
  // The workspace if anything is in it, else whatever has most.
  const count = (region) => own.tensors.filter((tensor) => tensor.region === region.number && !tensor.on_chip).length;
  const rank = own.regions.map((region) => count(region) && count(region) + (region.role === "workspace" ? 1e9 : 0));
  memory.region = Math.max(0, rank.indexOf(Math.max(...rank)));
  byId("regions").replaceChildren(...own.regions.map((region, index) =>
    el("button", { type: "button", onclick: () => { memory.region = index; showRegion(); drawMap(); } }, `REG_${region.number} ${region.role}, ${bytes(region.size)}`)));
  showRegion();
}

function showRegion() {
  [...byId("regions").children].forEach((tab, index) => tab.setAttribute("aria-pressed", index === memory.region));
  const own = subgraph();
  const region = own.regions[memory.region];
  const all = region ? own.tensors.filter((tensor) => tensor.region === region.number) : [];
  const used = all.filter((tensor) => !tensor.on_chip);
  byId("memory-note").textContent = !region ? "" : used.length === 0 && all.length ? `Nothing is moved here: all ${all.length} tensors with places here stay on chip.` : `${used.length === 1 ? "One tensor" : used.length + " tensors"} in ${bytes(region.size)}, ${used.length === 1 ? "" : "each "}from its first transfer to its last` +
    (region.role === "constants" ? "; constants are there all the time" : "") +
    (all.length > used.length ? `. ${all.length - used.length} more ${all.length - used.length === 1 ? "has a place here and stays" : "have places here and stay"} on chip.` : ".") + (used.some((tensor) => tensor.strided) ? " Pale ones have gaps, which other tensors fill." : "");
}

function drawMap() {
  const own = subgraph();
  const region = own && own.regions[memory.region];
  if (!region) return;
  const view = prepare(byId("map"), MAP.height + MAP.axis);
  const { context, plot, x } = view;
  context.fillStyle = cssColour("faint");
  context.fillRect(LABELS, 0, plot, MAP.height);
  drawAxis(view, 0, MAP.height);
  const y = (address) => MAP.height * (1 - address / region.size);
  context.fillStyle = cssColour("quiet");
  for (let part = 0; part <= 4; part++) {
    context.fillText(bytes(Math.round(region.size * part / 4)), 0, Math.min(MAP.height - 8, Math.max(8, y(region.size * part / 4))));
  }
  context.save();
  context.beginPath();
  context.rect(LABELS, 0, plot, MAP.height);
  context.clip();
  memory.drawn = [];
  const wide = cssColour(region.role === "constants" ? "misc" : "array"), ink = cssColour("ink");
  own.tensors.filter((tensor) => tensor.region === region.number && !tensor.on_chip).slice(0, 20000).forEach((tensor, index) => {
    const [left, right] = [x(tensor.from), x(Math.max(tensor.until, tensor.from + 1))];
    const [top, bottom] = [y(tensor.end), y(tensor.start)];
    if (right < LABELS || left > LABELS + plot) return;
    const [width, height] = [Math.max(1, right - left), Math.max(0.7, bottom - top)];
    context.globalAlpha = tensor.strided ? 0.16 : 0.26 + 0.12 * (index % 3);
    context.fillStyle = wide;
    context.fillRect(left, top, width, height);
    context.globalAlpha = 1;
    context.strokeStyle = wide;
    if (height > 2.5) context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    memory.drawn.push({ tensor, left, right, top, bottom });
    const room = Math.floor((Math.min(right, LABELS + plot) - Math.max(left, LABELS) - 10) / 7.2);
    if (height > 15 && room > 5 && !tensor.strided) {
      context.fillStyle = ink;
      context.fillText(short(tensor.name, room), Math.max(left, LABELS) + 6, (top + bottom) / 2);
    }
  });
  const layer = state.layer === null ? null : own.superlayers[state.layer];
  if (layer) {
    context.fillStyle = ink;
    context.globalAlpha = 0.08;
    context.fillRect(x(layer.start), 0, Math.max(1, x(layer.end) - x(layer.start)), MAP.height);
  }
  context.restore();
  context.globalAlpha = 1;
}

function tensorTip({ x, y }) {
  const found = memory.drawn.filter((drawn) => x >= drawn.left && x <= drawn.right && y >= drawn.top - 1 && y <= drawn.bottom + 1);
  return found.slice(-3).map(({ tensor }) =>
    `${tensor.name.slice(0, 200)}\nbytes ${spaced(tensor.start)} to ${spaced(tensor.end)} (${bytes(tensor.end - tensor.start)}${tensor.strided ? ", with gaps" : ""})\n${time(tensor.from)} to ${time(tensor.until)} (modelled)`).join("\n\n");
}

navigable(byId("map"), () => {}, tensorTip);
on("subgraph", showRegions);
