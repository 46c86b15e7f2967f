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
    ["modelled time", `${time(layer.cycles)} (${spaced(layer.cycles)} cycles, ${percent(layer.cycles, subgraph().cycles)})`],
    ["runs", `${time(layer.start)} to ${time(layer.end)}`],
    ["bound", chip(layer.bound)],
    layer.macs ? ["array used", percent(layer.utilisation, 1)] : null,
    layer.macs ? ["multiply-accumulates", `${decimals(layer.macs / 1e6)} M needed, ${decimals(layer.array_macs / 1e6)} M spent`] : null,
    ["maps loaded", bytes(layer.bytes.features)],
    ["parameters loaded", bytes(layer.bytes.parameters)],
    ["saved", bytes(layer.bytes.saved)],
    ["instructions", spaced(layer.instructions)],
  ]);
}

function operationFacts(index) {
  const operation = REPORT.operations[index];
  return el("div", { style: "margin-bottom:6px" }, el("b", {}, operation.name), el("br"),
    el("span", { className: "quiet" }, `${operation.kind} → ${shape(operation)}`),
    operation.sources && operation.sources.length > 1 ? el("div", { className: "quiet" }, "from " + operation.sources.join(", ")) : null,
    operation.location ? el("div", { className: "quiet" }, "at " + operation.location) : null);
}

function layerDetails(layer) {
  return el("div", { className: "columns" },
    el("div", {}, el("h3", { style: "margin-top:0" }, layer.operations.length > 1 ? "Operations" : "Operation"), layer.operations.slice(0, 60).map(operationFacts)),
    el("div", {}, el("h3", { style: "margin-top:0" }, "Critical path"), layer.cycles > 0 ? criticalBar(layer) : "none of it: it runs while others are waited for", layerFacts(layer)),
    layer.decisions && layer.decisions.length ? el("div", {}, el("h3", { style: "margin-top:0" }, "Planner"), layer.decisions.slice(0, 100).map((decision) => el("div", {}, decision))) : null);
}

on("subgraph", showTable);
on("selection", markRow);
byId("filter").addEventListener("input", showTable);
