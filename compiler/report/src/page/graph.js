// The network as a layered graph: ranks by longest path, orders by barycentres, places by averaging. Long edges bend through places of
// their own in the ranks they cross.

const NODES_MAX = 3000;
const NODE = { width: 184, height: 38, gap: 22, lane: 16, rank: 66 };
const graph = { scale: 1, width: 0, height: 0, nodes: new Map(), edges: [] };

/** Ranks of operations: one below the lowest they read. */
function ranks(operations) {
  const rank = operations.map(() => 0);
  operations.forEach((operation, index) => operation.inputs.forEach((input) => { rank[index] = Math.max(rank[index], rank[input] + 1); }));
  // What reads nothing that is computed, such as an input, stands right above its first reader.
  const above = operations.map(() => Infinity);
  operations.forEach((operation, index) => operation.inputs.forEach((input) => { above[input] = Math.min(above[input], rank[index] - 1); }));
  operations.forEach((operation, index) => { if (!operation.inputs.length && above[index] < Infinity) rank[index] = above[index]; });
  return rank;
}

/** Places in ranks: operations and the bends of edges between ranks that are not neighbours. */
function places(operations) {
  const rank = ranks(operations);
  const own = operations.map((_, index) => ({ operation: index, rank: rank[index], up: [], down: [], x: 0, width: NODE.width + NODE.gap }));
  const all = own.slice();
  const edges = [];
  const link = (above, below) => { above.down.push(below); below.up.push(above); };
  operations.forEach((operation, index) => operation.inputs.forEach((input) => {
    const path = [own[input]];
    // Very long edges would need more bends than nodes: they go straight.
    if (rank[index] - rank[input] <= 400) for (let at = rank[input] + 1; at < rank[index]; at++) {
      const bend = { rank: at, up: [], down: [], x: 0, width: NODE.lane };
      all.push(bend);
      link(path[path.length - 1], bend);
      path.push(bend);
    }
    link(path[path.length - 1], own[index]);
    path.push(own[index]);
    edges.push({ from: input, to: index, path });
  }));
  const rows = [];
  for (const place of all) (rows[place.rank] ||= []).push(place);
  return { own, rows: Array.from(rows, (row) => row || []), edges };
}

const mean = (list, otherwise) => (list.length ? list.reduce((sum, place) => sum + place.x, 0) / list.length : otherwise);

/** Puts the places of a row where they wish to be, in order and without overlap, with the least sum of squares. */
function settle(row, wish) {
  let offset = 0;
  const blocks = [];
  row.forEach((place) => {
    place.offset = offset + place.width / 2;
    offset += place.width;
    blocks.push({ sum: wish(place) - place.offset, weight: 1, members: [place] });
    while (blocks.length > 1) {
      const [before, last] = blocks.slice(-2);
      if (before.sum / before.weight <= last.sum / last.weight) break;
      blocks.splice(-2, 2, { sum: before.sum + last.sum, weight: before.weight + last.weight, members: before.members.concat(last.members) });
    }
  });
  for (const block of blocks) for (const place of block.members) place.x = place.offset + block.sum / block.weight;
}

function arrange(rows) {
  rows.forEach((row) => settle(row, (place) => place.x));
  const sweeps = rows.reduce((sum, row) => sum + row.length, 0) > 6000 ? 3 : 10;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (const row of down ? rows : rows.slice().reverse()) {
      const wish = new Map(row.map((place) => [place, mean(down ? place.up : place.down, mean(down ? place.down : place.up, place.x))]));
      if (sweep < sweeps - 2) row.sort((a, b) => wish.get(a) - wish.get(b));
      settle(row, (place) => wish.get(place));
    }
  }
  for (const row of rows) settle(row, (place) => mean(place.up.concat(place.down), place.x));
}

function layoutGraph() {
  const operations = REPORT.operations.slice(0, NODES_MAX).map((operation) => ({ ...operation, inputs: operation.inputs.filter((input) => input < NODES_MAX) }));
  const { own, rows, edges } = places(operations);
  arrange(rows);
  const all = rows.flat();
  const left = Math.min(0, ...all.slice(0, 20000).map((place) => place.x - place.width / 2)) - 14;
  const right = Math.max(0, ...all.slice(0, 20000).map((place) => place.x + place.width / 2)) + 14;
  graph.width = right - left;
  graph.height = rows.length * NODE.rank + 20;
  const y = (place) => place.rank * NODE.rank + 12;
  const x = (place) => place.x - left;
  const lines = edges.map((edge) => {
    const curve = [`M${x(edge.path[0]).toFixed(1)} ${y(edge.path[0]) + NODE.height}`];
    let bottom = y(edge.path[0]) + NODE.height, at = x(edge.path[0]);
    for (const place of edge.path.slice(1)) {
      const top = y(place), middle = (bottom + top) / 2;
      curve.push(`C${at.toFixed(1)} ${middle} ${x(place).toFixed(1)} ${middle} ${x(place).toFixed(1)} ${top}`);
      at = x(place);
      bottom = place.operation === undefined ? top + NODE.height : top;
      if (place.operation === undefined) curve.push(`V${bottom}`);
    }
    const [from, to] = [operations[edge.from], operations[edge.to]];
    const onChip = from.superlayer !== undefined && from.superlayer === to.superlayer && from.subgraph === to.subgraph;
    const line = svg("path", { d: curve.join(""), class: onChip ? "edge chip" : "edge" });
    graph.edges.push({ line, from: edge.from, to: edge.to });
    return line;
  });
  const nodes = own.map((place) => drawNode(place.operation, x(place) - NODE.width / 2, y(place)));
  byId("graph-svg").replaceChildren(...lines, ...nodes);
  const left_out = REPORT.operations.length - operations.length;
  byId("graph-note").textContent = "Thick edges stay on chip, inside one superlayer. Dashed nodes run on the CPU." + (left_out > 0 ? ` ${left_out} more operations are not drawn.` : "");
}

function layerOf(operation) {
  return operation.superlayer === undefined ? null : REPORT.subgraphs[operation.subgraph].superlayers[operation.superlayer];
}

function drawNode(index, x, y) {
  const operation = REPORT.operations[index];
  const share = operation.figures && REPORT.totals.cycles ? operation.figures.cycles / REPORT.totals.cycles : 0;
  const node = svg("g", { class: `node ${operation.device.toLowerCase()}`, transform: `translate(${x.toFixed(1)} ${y})` },
    svg("rect", { class: "body", width: NODE.width, height: NODE.height, rx: 7 }),
    svg("rect", { class: "tint", width: NODE.width, height: NODE.height, rx: 7 }),
    svg("rect", { class: "stripe", width: 5, height: NODE.height - 12, x: 6, y: 6, rx: 2.5 }));
  const title = svg("text", { x: 18, y: 16 });
  title.textContent = short(operation.name, 24);
  const kind = svg("text", { x: 18, y: 30, class: "kind" });
  kind.textContent = clipped(operation.kind.replace(/^(int8|nn)\./, ""), 18) + (operation.device === "CPU" ? " · CPU" : "");
  node.append(title, kind);
  if (share > 0) {
    const figure = svg("text", { x: NODE.width - 8, y: 30, class: "kind", "text-anchor": "end" });
    figure.textContent = percent(share, 1);
    node.append(figure);
  }
  node.addEventListener("click", () => selectOperation(index));
  withTip(node, () => operationTip(index));
  graph.nodes.set(index, node);
  return node;
}

function operationTip(index) {
  const operation = REPORT.operations[index];
  const layer = layerOf(operation);
  const head = `${operation.name}\n${operation.kind} → ${shape(operation)}\n`;
  const own = operation.figures;
  if (layer && own) {
    return head + `${spaced(own.cycles)} cycles of the critical path, ${time(own.cycles)} (${percent(own.cycles, REPORT.totals.cycles)}), modelled\n` +
      (own.cycles ? `bound by ${BOUNDS[own.bound]}` : "takes no time of its own") + (own.macs ? `; array ${percent(own.utilisation, 1)} used` : "") +
      `\nsuperlayer ${operation.superlayer}, ${layer.operations.length === 1 ? "alone" : `one of ${layer.operations.length} operations`}`;
  }
  if (operation.device === "input") return head + "input of the network";
  const reasons = (operation.obstacles || []).map((obstacle) => obstacle.reason);
  return head + (operation.device === "CPU" ? "on the CPU" + (reasons.length ? ": " + reasons.join("; ") : "") : "on the DPU");
}

function paintGraph() {
  const mode = byId("colouring").value;
  const longest = REPORT.operations.reduce((most, operation) => Math.max(most, operation.figures ? operation.figures.cycles : 0), 1);
  for (const [index, node] of graph.nodes) {
    const operation = REPORT.operations[index];
    const own = operation.figures;
    const device = { DPU: "accent", CPU: "cpu", input: "input" }[operation.device];
    const name = mode === "device" || !own ? device : mode === "time" ? "load" : own.bound;
    const heat = mode === "time" ? (own ? 0.04 + 0.6 * Math.sqrt(own.cycles / longest) : 0.03) : 0.13;
    node.querySelector(".stripe").style.fill = colour(name);
    node.querySelector(".tint").style.cssText = `fill:${colour(name)};fill-opacity:${heat.toFixed(3)};pointer-events:none`;
  }
}

function zoomGraph(factor) {
  graph.scale = Math.min(2, Math.max(0.12, graph.scale * factor));
  const root = byId("graph-svg");
  root.setAttribute("viewBox", `0 0 ${graph.width} ${graph.height}`);
  root.setAttribute("width", graph.width * graph.scale);
  root.setAttribute("height", graph.height * graph.scale);
}

function markGraph() {
  const selected = new Set(state.layer === null ? [state.operation] : subgraph().superlayers[state.layer].operations);
  for (const [index, node] of graph.nodes) node.classList.toggle("on", selected.has(index));
  for (const edge of graph.edges) edge.line.classList.toggle("on", selected.has(edge.from) || selected.has(edge.to));
  const node = graph.nodes.get(state.operation);
  if (!node) return;
  const box = byId("graph");
  const [, x, y] = node.getAttribute("transform").match(/([-\d.]+) ([-\d.]+)/).map(Number);
  const [left, top] = [x * graph.scale, y * graph.scale];
  if (top < box.scrollTop + 40 || top > box.scrollTop + box.clientHeight - 90) box.scrollTop = top - box.clientHeight / 2;
  if (left < box.scrollLeft || left > box.scrollLeft + box.clientWidth - NODE.width) box.scrollLeft = left - box.clientWidth / 2;
}

function showDetails() {
  const panel = byId("details");
  const operation = REPORT.operations[state.operation];
  if (!operation) {
    panel.replaceChildren(...longestLayers());
    return;
  }
  const layer = layerOf(operation);
  const parts = [operationFacts(state.operation)];
  if (layer) {
    const own = operation.figures;
    const alone = layer.operations.length === 1;
    if (own && !alone) parts.push(el("h3", {}, "This operation"), own.cycles > 0 ? criticalBar(own) : null, layerFacts(own));
    parts.push(el("h3", {}, alone ? "Its superlayer" : `Its superlayer, ${layer.operations.length} operations`), layer.cycles > 0 ? criticalBar(layer) : null, layerFacts(layer));
    parts.push(el("button", { type: "button", onclick: () => zoomTo(layer) }, "show in the timeline"));
  } else {
    parts.push(hostReasons(operation));
  }
  panel.replaceChildren(...parts.filter(Boolean));
}

/** What to look at first, as long as nothing is selected. */
function longestLayers() {
  const own = subgraph();
  const note = el("p", { className: "quiet" }, "Select an operation here, a superlayer in the table, or a span in the timeline: it is shown everywhere.");
  if (!own) return [note];
  const longest = own.superlayers.map((layer, index) => ({ layer, index })).sort((a, b) => b.layer.cycles - a.layer.cycles).slice(0, 8);
  return [el("h4", {}, "Longest superlayers"), el("div", { className: "longest" }, longest.map(({ layer, index }) =>
    el("button", { type: "button", onclick: () => selectLayer(index) }, layerName(layer, 38),
      el("small", {}, el("span", {}, `${time(layer.cycles)}, ${percent(layer.cycles, own.cycles)}`), chip(layer.bound))))), note];
}

function zoomTo(layer) {
  const margin = Math.max(40, (layer.end - layer.start) * 0.25);
  setView(layer.start - margin, layer.end + margin);
  byId("timeline").scrollIntoView();
}

function showGraph() {
  layoutGraph();
  paintGraph();
  zoomGraph(Math.min(1, Math.max(0.45, (byId("graph").clientWidth - 20) / graph.width)));
  byId("graph").scrollLeft = (graph.width * graph.scale - byId("graph").clientWidth) / 2;
}

byId("graph-in").addEventListener("click", () => zoomGraph(1.25));
byId("graph-out").addEventListener("click", () => zoomGraph(0.8));
byId("colouring").addEventListener("change", paintGraph);
on("selection", markGraph);
on("selection", showDetails);
