"use strict";
// What all pages have: data, numbers as text, elements, tooltips, light and dark. Names from the network are only ever set as text.

const DATA = JSON.parse(document.getElementById("data").textContent);
const REPORT = DATA.report;

const byId = (id) => document.getElementById(id);
const spaced = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
const percent = (part, whole) => (whole > 0 ? (100 * part / whole).toFixed(part / whole >= 0.1 ? 0 : 1) + "\u2009%" : "–");
const decimals = (value) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);

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
const SVG = document.querySelector("svg").namespaceURI;
function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** What most names begin with, up to a separator: in order, those between a tenth and nine tenths share it. */
function commonPrefix(unordered) {
  const names = unordered.slice().sort();
  if (names.length < 2) return "";
  const [low, high] = [names[Math.floor(names.length / 10)], names[Math.ceil(names.length * 0.9) - 1]];
  let prefix = low;
  while (!high.startsWith(prefix)) prefix = prefix.slice(0, -1);
  const ends = ["/", "__", "."].map((separator) => (prefix.includes(separator) ? prefix.lastIndexOf(separator) + separator.length : 0));
  return prefix.slice(0, Math.max(...ends));
}

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

const shape = (operation) => operation.shape.join(" × ");
const colour = (name) => "var(--" + name + ")";
const cssColour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

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

const themeListeners = [];
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  themeListeners.forEach((listener) => listener());
});
