// Compiled networks: what their parts are called, and what is selected.

const CLOCK = REPORT.board.clock_mhz;
const ENGINES = ["load", "save", "conv", "misc", "waiting"];
const ENGINE_COLOURS = ["load", "save", "array", "misc", "tokens"];
const BOUNDS = {
  array: "the convolution array", misc: "the misc engine", load: "loads from DDR", save: "saves to DDR",
  tokens: "engines wait for each other", hidden: "hidden behind others",
};

/** Time of a number of cycles. */
function time(cycles) {
  const us = cycles / CLOCK;
  if (us === 0) return "0";
  return us >= 1000 ? decimals(us / 1000) + " ms" : us >= 1 ? decimals(us) + " µs" : Math.round(us * 1000) + " ns";
}

const PREFIX = commonPrefix(REPORT.operations.filter((operation) => operation.device !== "input").map((operation) => operation.name));
const operationName = (index) => (REPORT.operations[index] || { name: "?" }).name;

/** A superlayer's operations in about `length` characters: all of few, the first and the last of many. */
function layerName(layer, length) {
  const names = layer.operations.map(operationName);
  if (names.length <= 2) return names.map((name) => short(name, Math.floor(length / names.length))).join(" + ") || layer.name;
  const half = Math.floor(length / 2) - 4;
  return `${short(names[0], half)} ⋯ ${short(names[names.length - 1], half)} (${names.length})`;
}

const chip = (bound) => el("span", { className: "chip", title: BOUNDS[bound] || "" }, el("i", { style: "background:" + colour(bound) }), bound);

/** What the page shows: a DPU subgraph, a selection in it, and a piece of its time. */
const state = { subgraph: 0, operation: null, layer: null, from: 0, to: 1 };
const listeners = { subgraph: [], selection: [], view: [] };
const on = (event, listener) => listeners[event].push(listener);
const emit = (event) => listeners[event].forEach((listener) => listener());
const subgraph = () => REPORT.subgraphs[state.subgraph];
const run = () => DATA.runs[state.subgraph];

function showSubgraph(index) {
  Object.assign(state, { subgraph: index, layer: null, from: 0, to: Math.max(1, DATA.runs[index] ? DATA.runs[index].cycles : 1) });
  emit("subgraph");
  emit("selection");
}

/** Selects a superlayer of the present subgraph, and with it an operation. */
function selectLayer(index, operation) {
  state.layer = index;
  state.operation = operation ?? (index === null ? null : subgraph().superlayers[index].operations[0] ?? null);
  emit("selection");
}

function selectOperation(index) {
  const operation = REPORT.operations[index];
  if (operation.superlayer === undefined) {
    Object.assign(state, { layer: null, operation: index });
    emit("selection");
    return;
  }
  if (operation.subgraph !== state.subgraph) showSubgraph(operation.subgraph);
  selectLayer(operation.superlayer, index);
}

function setView(from, to) {
  const end = run() ? Math.max(1, run().cycles) : 1;
  const length = Math.min(end, Math.max(20, to - from));
  state.from = Math.min(Math.max(0, from), end - length);
  state.to = state.from + length;
  emit("view");
}

function layerTip(layer, index) {
  const names = layer.operations.map((operation) => short(operationName(operation), 60));
  const shown = names.length > 8 ? [...names.slice(0, 4), `⋯ ${names.length - 7} more`, ...names.slice(-3)] : names;
  return `${shown.join("\n") || layer.name}\n` +
    `superlayer ${index}: ${spaced(layer.cycles)} cycles, ${time(layer.cycles)} (${percent(layer.cycles, subgraph().cycles)}), modelled\n` +
    `bound by ${BOUNDS[layer.bound]}${layer.macs ? `; array ${percent(layer.utilisation, 1)} used` : ""}\n` +
    `loads ${bytes(layer.bytes.features)} of maps, ${bytes(layer.bytes.parameters)} of parameters; saves ${bytes(layer.bytes.saved)}`;
}
