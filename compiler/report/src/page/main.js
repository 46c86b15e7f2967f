// Operations on the CPU, and the start of everything.

const HOST_MAX = 500;

function hostReasons(operation) {
  const obstacles = operation.obstacles || [];
  if (!obstacles.length) {
    return el("p", { className: "quiet" }, operation.device === "input" ? "An input of the network." : "The file does not say why it is on the CPU; compile the network with dpuc to learn it.");
  }
  return el("ul", {}, obstacles.map(({ reason, hint }) => el("li", {}, reason, hint ? el("div", { className: "hint" }, hint) : null)));
}

function showHost() {
  const host = REPORT.operations.filter((operation) => operation.device === "CPU");
  const conversion = (operation) => /(^|\.)(quantise|dequantise|fix2float|float2fix)$/.test(operation.kind);
  const others = host.filter((operation) => !conversion(operation));
  const conversions = host.filter(conversion);
  const rows = others.slice(0, HOST_MAX).map((operation) => el("div", { className: "host" },
    el("b", {}, operation.name), el("code", {}, `${operation.kind} → ${shape(operation)}`), hostReasons(operation)));
  if (others.length > HOST_MAX) rows.push(el("div", { className: "host quiet" }, `… and ${others.length - HOST_MAX} more`));
  if (conversions.length) rows.push(el("div", { className: "host quiet" }, `${conversions.length === 1 ? "One conversion" : conversions.length + " conversions"} between floats and int8 at the edge of the DPU's part: ` +
    conversions.slice(0, 60).map((operation) => short(operation.name, 40)).join(", ")));
  byId("host").replaceChildren(...(rows.length ? rows : [el("p", { className: "quiet" }, "Nothing: every operation runs on the DPU.")]));
}

let waiting = false;
/** Draws all canvases, once for any number of changes before the next frame. */
function draw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawTracks();
    drawBanks();
    drawMap();
  });
}

themeListeners.push(draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", draw);
["subgraph", "selection", "view"].forEach((event) => on(event, draw));

showSummary();
showGraph();
showHost();
const longest = REPORT.subgraphs.reduce((best, own, index) => (own.cycles > REPORT.subgraphs[best].cycles ? index : best), 0);
if (REPORT.subgraphs.length) showSubgraph(longest);
else {
  ["layers", "timeline", "memory"].forEach((section) => { byId(section).hidden = true; });
  byId("strip").replaceWith(el("p", { className: "quiet" }, "No operation of this network is on the DPU."));
  showDetails();
}
