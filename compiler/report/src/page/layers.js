// The table of superlayers, and all that is said of one.

const ROWS_MAX = 2000;
const COLUMNS = [
  { title: "#", value: (layer, index) => index, show: (layer, index) => String(index) },
  { title: "superlayer", text: true, value: (layer) => layer.name, show: (layer) => layerName(layer, 42) },
  { title: "bound", text: true, value: (layer) => layer.bound, show: (layer) => chip(layer.bound) },
  { title: "cycles", value: (layer) => layer.cycles, show: (layer) => spaced(layer.cycles) },
  { title: "time", value: (layer) => layer.cycles, show: (layer) => time(layer.cycles) },
  { title: "share", value: (layer) => layer.cycles, show: (layer) => withBar(layer.cycles / subgraph().cycles, layer.bound, longestShare()) },
  { title: "array", hint: "utilisation of the array: multiply-accumulates needed against what it could do in the time", value: (layer) => layer.utilisation, show: (layer) => (layer.macs ? withBar(layer.utilisation, "array", 1) : "–") },
  ...["load", "save", "conv", "misc"].map((engine) => ({
    title: engine, hint: `how long the ${engine} engine is busy with this superlayer, wherever in the run, against its cycles`,
    value: (layer) => layer.busy[engine] / Math.max(1, layer.cycles), show: (layer) => percent(layer.busy[engine], layer.cycles),
  })),
  { title: "maps in", hint: "feature maps loaded", value: (layer) => layer.bytes.features, show: (layer) => bytes(layer.bytes.features) },
  { title: "params", hint: "weights and biases loaded", value: (layer) => layer.bytes.parameters, show: (layer) => bytes(layer.bytes.parameters) },
  { title: "saved", value: (layer) => layer.bytes.saved, show: (layer) => bytes(layer.bytes.saved) },
  { title: "instr.", value: (layer) => layer.instructions, show: (layer) => spaced(layer.instructions) },
];
const order = { column: 0, descending: false };

const longestShare = () => subgraph().superlayers.reduce((most, layer) => Math.max(most, layer.cycles), 1) / subgraph().cycles;

function withBar(share, name, full) {
  const width = Math.min(100, 100 * share / full);
  return el("span", {}, percent(share, 1), el("span", { className: "bar" }, el("i", { style: `width:${width}%;background:${colour(name)}` })));
}

function showTable() {
  const own = subgraph();
  if (!own) return;
  byId("layers-note").textContent = (own.attribution === "addresses"
    ? "The file was not compiled in this session: its instructions are assigned to superlayers by the addresses they touch. " : "") +
    "A superlayer's cycles, modelled, last from when those before it are complete until it is: they add up to the run. Engines work ahead, so the columns of the engines may exceed them. Click a row for more.";
  const head = el("tr", {}, COLUMNS.map((column, index) => {
    const arrow = index === order.column ? (order.descending ? " ↓" : " ↑") : "";
    return el("th", { className: column.text ? "text" : "", title: column.hint || "", onclick: () => sortBy(index) }, column.title + arrow);
  }));
  const filter = byId("filter").value.toLowerCase();
  const matches = (layer) => !filter || layer.operations.some((operation) => operationName(operation).toLowerCase().includes(filter));
  const rows = own.superlayers.map((layer, index) => ({ layer, index })).filter(({ layer }) => matches(layer));
  const value = COLUMNS[order.column].value;
  rows.sort((a, b) => {
    const [x, y] = [value(a.layer, a.index), value(b.layer, b.index)];
    return (x < y ? -1 : x > y ? 1 : a.index - b.index) * (order.descending ? -1 : 1);
  });
  const body = el("tbody", {}, rows.slice(0, ROWS_MAX).map(({ layer, index }) => tableRow(layer, index)));
  const rest = rows.length > ROWS_MAX ? el("tfoot", {}, el("tr", {}, el("td", { colSpan: COLUMNS.length, className: "text" }, `… and ${rows.length - ROWS_MAX} more`))) : null;
  byId("table").replaceChildren(el("thead", {}, head), body, ...(rest ? [rest] : []));
  markRow();
}

function tableRow(layer, index) {
  const cells = COLUMNS.map((column) => {
    const shown = column.show(layer, index);
    const zero = shown === "0 B" || shown === "–" || shown === "0.0\u2009%" ? " zero" : "";
    return el("td", { className: (column.title === "superlayer" ? "name" : column.text ? "text" : "") + zero, title: column.title === "superlayer" ? layer.operations.map(operationName).join("\n").slice(0, 2000) : "" }, shown);
  });
  const row = el("tr", { className: "row", onclick: () => selectLayer(state.layer === index ? null : index) }, cells);
  row.dataset.layer = index;
  return row;
}

function sortBy(column) {
  order.descending = column === order.column ? !order.descending : !COLUMNS[column].text && column > 0;
  order.column = column;
  showTable();
}

/** Marks the selected row and puts the details behind it. */
function markRow() {
  document.querySelectorAll("#table tr.more").forEach((row) => row.remove());
  for (const row of document.querySelectorAll("#table tr.row")) {
    const selected = state.layer !== null && Number(row.dataset.layer) === state.layer;
    row.classList.toggle("on", selected);
    if (selected) row.after(el("tr", { className: "more" }, el("td", { colSpan: COLUMNS.length }, layerDetails(subgraph().superlayers[state.layer]))));
  }
}

function facts(entries) {
  return el("dl", {}, entries.filter(Boolean).flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

/** The critical path of a superlayer as a bar with a legend. */
function criticalBar(layer) {
  const waiting = layer.cycles - ENGINES.slice(0, 4).reduce((sum, engine) => sum + layer.critical[engine], 0);
  const parts = ENGINES.map((engine, number) => [engine, number < 4 ? layer.critical[engine] : waiting, colour(ENGINE_COLOURS[number])]);
  const present = parts.filter(([, cycles]) => cycles > 0);
  return el("div", {},
    el("div", { className: "meter", style: "height:9px" }, present.map(([, cycles, fill]) => el("i", { style: `width:${100 * cycles / layer.cycles}%;background:${fill}` }))),
    el("div", { className: "legend", style: "margin-top:5px" }, present.map(([engine, cycles, fill]) => el("span", {}, el("i", { style: "background:" + fill }), `${engine} ${percent(cycles, layer.cycles)}`))));
}

function layerFacts(layer) {
  return facts([
    ["modelled time", `${time(layer.cycles)}, ${percent(layer.cycles, subgraph().cycles)}`],
    ["cycles", spaced(layer.cycles)],
    layer.start === undefined ? null : ["runs", `${time(layer.start)} to ${time(layer.end)}`],
    ["bound", chip(layer.bound)],
    layer.macs ? ["array used", percent(layer.utilisation, 1)] : null,
    layer.macs ? ["needed", `${decimals(layer.macs / 1e6)} M multiply-accumulates`] : null,
    layer.macs ? ["spent", `${decimals(layer.array_macs / 1e6)} M`] : null,
    ["maps loaded", bytes(layer.bytes.features)],
    ["parameters loaded", bytes(layer.bytes.parameters)],
    ["saved", bytes(layer.bytes.saved)],
    ["instructions", spaced(layer.instructions)],
  ]);
}

function operationFacts(index) {
  const operation = REPORT.operations[index];
  return el("div", {}, el("b", {}, operation.name), el("br"),
    el("span", { className: "quiet" }, `${operation.kind} → ${shape(operation)}`),
    operation.sources && operation.sources.length > 1 ? el("div", { className: "quiet" }, "from " + operation.sources.join(", ")) : null,
    operation.location ? el("div", { className: "quiet" }, "at " + operation.location) : null);
}

const OPERATIONS_MAX = 300;

/** The operations of a superlayer, each with its part of the critical path. */
function operationTable(layer) {
  const head = ["operation", "", "bound", "cycles", "array", "load", "save", "conv", "misc", "maps in", "params", "saved", "instr."];
  const rows = layer.operations.slice(0, OPERATIONS_MAX).map((index) => {
    const operation = REPORT.operations[index];
    const own = operation.figures;
    const cells = own ? [chip(own.bound), spaced(own.cycles), own.macs ? percent(own.utilisation, 1) : "–",
      ...ENGINES.slice(0, 4).map((engine) => spaced(own.busy[engine])), bytes(own.bytes.features), bytes(own.bytes.parameters), bytes(own.bytes.saved), spaced(own.instructions)] : [];
    const where = [operation.name, ...(operation.sources || []).slice(1), operation.location].filter(Boolean).join("\n").slice(0, 2000);
    return el("tr", { onclick: () => selectOperation(index) },
      el("td", { className: "name", title: where }, short(operation.name, 48)),
      el("td", { className: "text quiet" }, `${operation.kind.replace(/^(int8|nn)\./, "")} ${shape(operation)}`),
      cells.map((cell, number) => el("td", { className: number === 0 ? "text" : cell === "0" || cell === "0 B" ? "zero" : "" }, cell)));
  });
  const rest = layer.operations.length - rows.length;
  return el("div", {},
    el("table", { className: "inner" }, el("thead", {}, el("tr", {}, head.map((title, number) => el("th", { className: number < 3 ? "text" : "" }, title)))), el("tbody", {}, rows)),
    el("p", { className: "quiet" }, (rest > 0 ? `… and ${rest} more operations. ` : "") +
      "Cycles: the operation's part of the critical path. Engines: cycles they are busy with it." + (subgraph().attribution === "addresses" && rows.length > 1 ? " Operations by addresses, so neighbours may be mixed up." : "")));
}

function decisionList(layer) {
  const list = (title, lines) => (lines && lines.length ? [el("h3", {}, title), ...lines.slice(0, 200).map((line) => el("div", {}, line))] : []);
  const parts = [...list("Planner", layer.decisions), ...list("Alternatives", layer.alternatives)];
  return parts.length ? el("div", {}, parts) : null;
}

function layerDetails(layer) {
  return el("div", {}, operationTable(layer), el("div", { className: "columns" },
    el("div", {}, el("h3", {}, "Critical path"), layer.cycles > 0 ? criticalBar(layer) : "none of it: it runs while others are waited for", layerFacts(layer)),
    decisionList(layer)));
}

on("subgraph", showTable);
on("selection", markRow);
byId("filter").addEventListener("input", showTable);
