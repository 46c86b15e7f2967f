"use strict";
// Data, numbers as text, elements, and what is selected. Names from the network are only ever set as text.

const DATA = JSON.parse(document.getElementById("data").textContent);
const REPORT = DATA.report;
const CLOCK = REPORT.board.clock_mhz;
const ENGINES = ["load", "save", "conv", "misc", "waiting"];
const ENGINE_COLOURS = ["load", "save", "array", "misc", "tokens"];
const BOUNDS = {
  array: "the convolution array", misc: "the misc engine", load: "loads from DDR", save: "saves to DDR",
  tokens: "engines wait for each other", hidden: "hidden behind others",
};

const byId = (id) => document.getElementById(id);
const spaced = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
const percent = (part, whole) => (whole > 0 ? (100 * part / whole).toFixed(part / whole >= 0.1 ? 0 : 1) + "\u2009%" : "–");
const decimals = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

/** Time of a number of cycles. */
function time(cycles) {
  const us = cycles / CLOCK;
  if (us === 0) return "0";
  return us >= 1000 ? decimals(us / 1000) + " ms" : us >= 1 ? decimals(us) + " µs" : Math.round(us * 1000) + " ns";
}

function bytes(count) {
  if (count < 1000) return count + " B";
  return count < 1e6 ? decimals(count / 1e3) + " kB" : count < 1e9 ? decimals(count / 1e6) + " MB" : decimals(count / 1e9) + " GB";
}

/** An element with properties and children; strings become text. */
function el(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key === "style") element.style.cssText = value;
    else if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// The name space comes from the document, so that the page holds no address at all.
const SVG = byId("graph-svg").namespaceURI;
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What most names begin with, up to a separator: in order, those between a tenth and nine tenths share it. */
const PREFIX = (() => {
  const names = REPORT.operations.filter((operation) => operation.device !== "input").map((operation) => operation.name).sort();
  if (names.length < 2) return "";
  const [low, high] = [names[Math.floor(names.length / 10)], names[Math.ceil(names.length * 0.9) - 1]];
  let prefix = low;
  while (!high.startsWith(prefix)) prefix = prefix.slice(0, -1);
  const ends = ["/", "__", "."].map((separator) => (prefix.includes(separator) ? prefix.lastIndexOf(separator) + separator.length : 0));
  return prefix.slice(0, Math.max(...ends));
})();

/** A name in at most `length` characters: without what all begin with, and the end rather than the start. */
const short = (name, length) => clipped(name.startsWith(PREFIX) && name.length > PREFIX.length ? name.slice(PREFIX.length) : name, length);

/** The end of a text, from a separator on if there is one near. */
function clipped(own, length) {
  const characters = Array.from(own);
  if (characters.length <= length) return own;
  const end = characters.slice(characters.length - length + 1).join("");
  const part = end.slice(0, Math.floor(length / 3)).search(/[_/.:][^_/.:]/);
  return "…" + (part < 0 ? end : end.slice(part + 1));
}

const operationName = (index) => (REPORT.operations[index] || { name: "?" }).name;
const shape = (operation) => operation.shape.join(" × ");

/** A superlayer's operations in about `length` characters: all of few, the first and the last of many. */
function layerName(layer, length) {
  const names = layer.operations.map(operationName);
  if (names.length <= 2) return names.map((name) => short(name, Math.floor(length / names.length))).join(" + ") || layer.name;
  const half = Math.floor(length / 2) - 4;
  return `${short(names[0], half)} ⋯ ${short(names[names.length - 1], half)} (${names.length})`;
}

const colour = (name) => "var(--" + name + ")";
const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
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

const tip = byId("tip");
function showTip(event, text) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = Math.max(6, Math.min(event.clientX + 14, innerWidth - width - 8)) + "px";
  tip.style.top = (event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18) + "px";
}

/** Gives an element a tooltip. */
function withTip(element, text) {
  element.addEventListener("mousemove", (event) => showTip(event, text()));
  element.addEventListener("mouseleave", () => showTip(null, ""));
  return element;
}

function layerTip(layer, index) {
  const names = layer.operations.map((operation) => short(operationName(operation), 60));
  const shown = names.length > 8 ? [...names.slice(0, 4), `⋯ ${names.length - 7} more`, ...names.slice(-3)] : names;
  return `${shown.join("\n") || layer.name}\n` +
    `superlayer ${index}: ${spaced(layer.cycles)} cycles, ${time(layer.cycles)} (${percent(layer.cycles, subgraph().cycles)}), modelled\n` +
    `bound by ${BOUNDS[layer.bound]}${layer.macs ? `; array ${percent(layer.utilisation, 1)} used` : ""}\n` +
    `loads ${bytes(layer.bytes.features)} of maps, ${bytes(layer.bytes.parameters)} of parameters; saves ${bytes(layer.bytes.saved)}`;
}
