// What quantisation costs: the noise through the network, the tensors with their histograms, and the constants.

const TENSORS = REPORT.tensors;
const PREFIX = commonPrefix(TENSORS.map((tensor) => tensor.name));
const ROWS_MAX = 3000;
const LOUD = 1e-3;
const MOST_DECIBELS = 200;
const quantised = { tensor: null, column: 7, descending: true };

const decibel = (value) => (value >= MOST_DECIBELS ? "exact" : value.toFixed(1));
const withUnit = (value) => (value >= MOST_DECIBELS ? "exact" : decibel(value) + " dB");
const plain = (operation) => operation.replace(/\bnn\./g, "");
const number = (value) => (value === 0 ? "0" : Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3))));
const fraction = (value) => (value === 0 ? "0" : value >= 1e-3 ? (100 * value).toFixed(2) + "\u2009%" : (1e6 * value).toFixed(0) + "\u2009ppm");
const step = (own) => 2 ** -own.position;
const reaches = (own) => `${number(-128 * step(own))} … ${number(127 * step(own))}`;
/** How much of the range of codes the floats fill. */
const filled = (own) => Math.min(1, Math.max(-own.least / (128 * step(own)), own.most / (127 * step(own))));

/** The histogram of a tensor or constant, on a logarithmic scale; large ones with what the codes stand for. */
function histogram(own, width, height, large) {
  const { first, width: bin, counts, below, above } = own.histogram;
  const low = Math.min(-128, first) - (below ? 8 : 0);
  const high = Math.max(128, first + counts.length * bin) + (above ? 8 : 0);
  const floor = height - (large ? 16 : 1);
  const x = (code) => (code - low) / (high - low) * width;
  const most = Math.log1p(counts.reduce((most, count) => Math.max(most, count), Math.max(below, above, 1)));
  const bar = (from, to, count) => {
    if (!count) return "";
    const [left, right] = [x(from), x(to)];
    const top = floor - Math.max(1, Math.log1p(count) / most * (floor - 3));
    return `M${left.toFixed(1)} ${floor}V${top.toFixed(1)}H${Math.max(right - (large ? 0.6 : 0), left + 0.6).toFixed(1)}V${floor}Z`;
  };
  const inside = [], outside = [];
  counts.forEach((count, index) => {
    const from = first + index * bin;
    (from >= -128 && from < 128 ? inside : outside).push(bar(from, from + bin, count));
  });
  outside.push(bar(low, low + 6, below), bar(high - 6, high, above));
  const picture = svg("svg", { class: "histogram", viewBox: `0 0 ${width} ${height}`, width, height },
    svg("rect", { class: "range", x: x(-128), y: 0, width: x(128) - x(-128), height: floor }),
    svg("line", { class: "base", x1: 0, x2: width, y1: floor + 0.5, y2: floor + 0.5 }),
    svg("path", { class: "inside", d: inside.join("") }), svg("path", { class: "outside", d: outside.join("") }));
  if (low < -128) picture.append(svg("line", { class: "edge", x1: x(-128), x2: x(-128), y1: 0, y2: floor }));
  if (high > 128) picture.append(svg("line", { class: "edge", x1: x(128), x2: x(128), y1: 0, y2: floor }));
  if (large) {
    for (const code of [-128, -64, 0, 64, 128]) {
      const anchor = x(code) < 20 ? "start" : x(code) > width - 20 ? "end" : "middle";
      const label = svg("text", { x: x(code), y: height - 3, "text-anchor": anchor });
      label.textContent = number(code * step(own));
      picture.append(label);
    }
  }
  return picture;
}

function tile(value, unit, text, meter) {
  const bar = meter === undefined ? null : el("div", { className: "meter" }, el("i", { style: `width:${100 * meter}%;background:${colour("load")}` }));
  return el("div", { className: "tile" }, el("b", {}, value, el("small", {}, unit)), el("span", {}, text), bar);
}

/** The tensors, the one that costs most first. */
const byCost = TENSORS.map((_, index) => index).sort((a, b) => TENSORS[b].share - TENSORS[a].share || a - b);

function showSummary() {
  const last = TENSORS[TENSORS.length - 1];
  byId("network").textContent = DATA.name || "network";
  byId("setting").textContent = `int8, powers of two · float and quantised compared on ${REPORT.samples} sample${REPORT.samples === 1 ? "" : "s"}`;
  const top = byCost.slice(0, 5).reduce((sum, index) => sum + TENSORS[index].share, 0);
  const noisiest = TENSORS.reduce((best, tensor) => (tensor.sqnr < best.sqnr ? tensor : best), last);
  const clipping = TENSORS.reduce((best, tensor) => (tensor.saturated > best.saturated ? tensor : best), last);
  byId("tiles").replaceChildren(
    tile(decibel(last.sqnr), "dB", `SQNR of the last tensor, ${short(last.name, 30)}`),
    tile(decibel(noisiest.sqnr), "dB", `least SQNR, ${short(noisiest.name, 30)}`),
    tile((100 * top).toFixed(0), "%", `of the added noise comes from ${Math.min(5, TENSORS.length)} tensors`, Math.min(1, top)),
    tile(fraction(clipping.saturated), "", clipping.saturated ? `most saturation, ${short(clipping.name, 30)}` : "nothing saturates"),
    tile(String(TENSORS.length), "", `rounded tensors, and ${REPORT.constants.length} constants`));
  byId("worst-note").textContent = "By the noise each layer adds relative to its signal, as part of the sum over all tensors: noise keeps its size relative to the signal on its way through most layers, so this is a rough measure of what a layer costs the result.";
  byId("worst").replaceChildren(...byCost.slice(0, 8).map((index) => {
    const tensor = TENSORS[index];
    return el("button", { type: "button", onclick: () => select(index, true) }, el("b", { title: tensor.name }, short(tensor.name, 40)),
      el("small", {}, el("span", {}, plain(tensor.operation)), el("span", {}, `${percent(tensor.share, 1)} of noise · ${withUnit(tensor.sqnr)}`)),
      histogram(tensor, 276, 54, false));
  }));
  byId("changes").replaceChildren(...(REPORT.notes.length ? [el("ul", {}, REPORT.notes.map((note) => el("li", {}, note)))] : [el("p", { className: "quiet" }, "Nothing.")]));
  byId("footer").textContent = "Measured by running the float network and the quantised one, in integers as the DPU computes, on calibration samples. " +
    "SQNR: energy of the float tensor divided by the energy of the difference. A tensor is exact where no difference was found.";
}

function showCurve() {
  const [left, top, tall, low] = [34, 8, 150, 34];
  const wide = Math.max(6, Math.min(120, (byId("curve").parentElement.clientWidth - left - 8) / TENSORS.length));
  const capped = (value) => Math.min(70, Math.max(0, value));
  const most = TENSORS.reduce((most, tensor) => Math.max(most, capped(tensor.sqnr)), 20);
  const y = (value) => top + tall * (1 - Math.min(most, capped(value)) / most);
  const x = (index) => left + (index + 0.5) * wide;
  const width = left + wide * TENSORS.length + 8, height = top + tall + low + 16;
  const root = byId("curve");
  root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  root.setAttribute("width", width);
  root.setAttribute("height", height);
  const parts = [];
  for (let value = 0; value <= most; value += 10) {
    const label = svg("text", { x: left - 6, y: y(value) + 3.5, "text-anchor": "end" });
    label.textContent = value;
    parts.push(svg("line", { class: "grid", x1: left, x2: width, y1: y(value), y2: y(value) }), label);
  }
  const line = (of) => "M" + TENSORS.map((tensor, index) => `${x(index).toFixed(1)} ${y(of(tensor)).toFixed(1)}`).join("L");
  parts.push(svg("path", { class: "inherited", d: line((tensor) => tensor.inherited) }), svg("path", { class: "sqnr", d: line((tensor) => tensor.sqnr) }));
  const greatest = TENSORS.reduce((most, tensor) => Math.max(most, tensor.share), 1e-9);
  TENSORS.forEach((tensor, index) => {
    const bar = low * tensor.share / greatest;
    parts.push(svg("rect", { class: "share", x: x(index) - Math.min(22, wide * 0.35), width: Math.min(44, wide * 0.7), y: top + tall + 8 + low - bar, height: bar }));
    const column = svg("rect", { class: "column", x: x(index) - wide / 2, width: wide, y: top, height: tall + 8 + low });
    column.dataset.tensor = index;
    column.addEventListener("click", () => select(index, true));
    parts.push(withTip(column, () => `${tensor.name}\n${plain(tensor.operation)} → ${shape(tensor)}\nSQNR ${withUnit(tensor.sqnr)}; its inputs allow ${withUnit(tensor.inherited)}\n` +
      `adds ${percent(tensor.share, 1)} of the noise; ${fraction(tensor.saturated)} saturated`));
  });
  root.replaceChildren(...parts);
}

const COLUMNS = [
  { title: "#", value: (tensor, index) => index, show: (tensor, index) => String(index) },
  { title: "tensor", text: true, value: (tensor) => tensor.name, show: (tensor) => short(tensor.name, 44) },
  { title: "operation", text: true, value: (tensor) => tensor.operation, show: (tensor) => plain(tensor.operation) },
  { title: "shape", value: (tensor) => tensor.shape.reduce((product, side) => product * side, 1), show: (tensor) => tensor.shape.join("×") },
  { title: "position", hint: "codes stand for multiples of 2 to the minus this", value: (tensor) => tensor.position, show: (tensor) => String(tensor.position) },
  { title: "SQNR dB", hint: "signal to quantisation noise, everything in front included", value: (tensor) => tensor.sqnr, show: (tensor) => decibel(tensor.sqnr) },
  { title: "loss dB", hint: "what of the SQNR that its inputs allow is lost here", value: (tensor) => tensor.loss, show: (tensor) => (tensor.inherited < MOST_DECIBELS ? tensor.loss.toFixed(1) : "–") },
  { title: "noise", hint: "noise it adds relative to its signal, as part of the sum over all tensors", value: (tensor) => tensor.share, show: (tensor) => withBar(tensor.share) },
  { title: "saturated", hint: "floats beyond the range of codes", value: (tensor) => tensor.saturated, show: (tensor) => fraction(tensor.saturated), loud: (tensor) => tensor.saturated >= LOUD },
  { title: "range used", hint: "the greatest float, against the range of codes", value: filled, show: (tensor) => percent(filled(tensor), 1) },
  { title: "floats", picture: true, value: (tensor) => tensor.most - tensor.least, show: (tensor) => histogram(tensor, 134, 26, false) },
];

function withBar(share) {
  return el("span", {}, percent(share, 1), el("span", { className: "bar" }, el("i", { style: `width:${Math.min(100, 100 * share / TENSORS[byCost[0]].share)}%;background:${colour("load")}` })));
}

function showTable() {
  const head = el("tr", {}, COLUMNS.map((column, index) => {
    const arrow = index === quantised.column ? (quantised.descending ? " ↓" : " ↑") : "";
    return el("th", { className: column.text ? "text" : "", title: column.hint || "", onclick: () => sortBy(index) }, column.title + arrow);
  }));
  const filter = byId("filter").value.toLowerCase();
  const rows = TENSORS.map((tensor, index) => ({ tensor, index }))
    .filter(({ tensor }) => !filter || tensor.name.toLowerCase().includes(filter) || tensor.operation.includes(filter));
  const { value } = COLUMNS[quantised.column];
  rows.sort((a, b) => {
    const [x, y] = [value(a.tensor, a.index), value(b.tensor, b.index)];
    return (x < y ? -1 : x > y ? 1 : 0) * (quantised.descending ? -1 : 1) || a.index - b.index;
  });
  const body = rows.slice(0, ROWS_MAX).map(({ tensor, index }) => {
    const cells = COLUMNS.map((column) => el("td", {
      className: (column.title === "tensor" ? "name" : column.text ? "text" : "") + (column.picture ? "bars" : "") + (column.loud && column.loud(tensor) ? " loud" : ""),
      title: column.title === "tensor" ? tensor.name : "",
    }, column.show(tensor, index)));
    const row = el("tr", { className: "row", id: "tensor-" + index, onclick: () => select(quantised.tensor === index ? null : index) }, cells);
    row.dataset.tensor = index;
    return row;
  });
  if (rows.length > ROWS_MAX) body.push(el("tr", {}, el("td", { colSpan: COLUMNS.length, className: "text" }, `… and ${rows.length - ROWS_MAX} more; filter them by name`)));
  byId("table").replaceChildren(el("thead", {}, head), el("tbody", {}, body));
  mark();
}

function sortBy(column) {
  quantised.descending = column === quantised.column ? !quantised.descending : !COLUMNS[column].text && column > 0;
  quantised.column = column;
  showTable();
}

/** Selects a tensor, or none; brings it into view where the click was elsewhere. */
function select(index, reveal) {
  quantised.tensor = index;
  if (reveal && !byId("tensor-" + index)) {
    byId("filter").value = "";
    showTable();
  }
  mark();
  const row = index === null ? null : byId("tensor-" + index);
  if (row) history.replaceState(null, "", "#tensor-" + index);
  if (row && reveal) row.scrollIntoView({ block: "center" });
}

/** Marks the selected tensor and puts what is known of it behind its row. */
function mark() {
  document.querySelectorAll("#table tr.more").forEach((row) => row.remove());
  for (const row of document.querySelectorAll("#table tr.row")) {
    const selected = Number(row.dataset.tensor) === quantised.tensor && quantised.tensor !== null;
    row.classList.toggle("on", selected);
    if (selected) row.after(el("tr", { className: "more" }, el("td", { colSpan: COLUMNS.length }, details(quantised.tensor))));
  }
  for (const column of byId("curve").querySelectorAll(".column")) column.classList.toggle("on", Number(column.dataset.tensor) === quantised.tensor && quantised.tensor !== null);
}

function facts(entries) {
  return el("dl", {}, entries.filter(Boolean).flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

const link = (index) => el("div", {}, el("button", { type: "button", className: "link", onclick: (event) => { event.stopPropagation(); select(index, true); } }, short(TENSORS[index].name, 48)),
  el("span", { className: "quiet" }, ` SQNR ${withUnit(TENSORS[index].sqnr)}`));

function details(index) {
  const tensor = TENSORS[index];
  const constants = REPORT.constants.filter((constant) => constant.tensor === index);
  const readers = TENSORS.map((_, other) => other).filter((other) => TENSORS[other].inputs.includes(index));
  return el("div", {}, el("b", {}, tensor.name), el("div", { className: "quiet" }, `${plain(tensor.operation)} → ${shape(tensor)}`),
    el("div", { className: "columns" },
      el("div", {}, el("h3", {}, "Floats"), histogram(tensor, 400, 120, true),
        ...constants.flatMap((constant) => [el("h3", {}, constant.name), histogram(constant, 400, 70, true)])),
      el("div", {}, el("h3", {}, "Codes"), facts([
        ["position", `${tensor.position}: steps of ${number(step(tensor))}`], ["codes reach", reaches(tensor)], ["floats", `${number(tensor.least)} … ${number(tensor.most)}`],
        ["saturated", fraction(tensor.saturated)], ["SQNR", withUnit(tensor.sqnr)], ["its inputs allow", withUnit(tensor.inherited)],
        ["of its own alone", withUnit(tensor.added)], ["part of all added noise", percent(tensor.share, 1)],
      ]), ...constants.map((constant) => facts([[constant.name.split(/[./]/).pop(), ""], ["position", String(constant.position)], ["SQNR", withUnit(constant.sqnr)], ["saturated", fraction(constant.saturated)]]))),
      el("div", {}, tensor.inputs.length ? [el("h3", {}, "Computed from"), ...tensor.inputs.map(link)] : null,
        tensor.tied_to === undefined ? null : [el("h3", {}, "Has the position of"), link(tensor.tied_to)],
        readers.length ? [el("h3", {}, "Read by"), ...readers.slice(0, 20).map(link)] : null)));
}

function showConstants() {
  const head = el("tr", {}, ["constant", "of", "shape", "position", "SQNR dB", "saturated", "range used", "floats"].map((title, index) => el("th", { className: index < 2 ? "text" : "" }, title)));
  const rows = REPORT.constants.map((_, index) => index).sort((a, b) => REPORT.constants[a].sqnr - REPORT.constants[b].sqnr || a - b).slice(0, ROWS_MAX).map((index) => {
    const own = REPORT.constants[index];
    return el("tr", { className: "row", onclick: () => select(own.tensor, true) }, el("td", { className: "name", title: own.name }, short(own.name, 44)), el("td", { className: "name" }, short(TENSORS[own.tensor].name, 32)),
      el("td", {}, own.shape.join("×")), el("td", {}, String(own.position)), el("td", {}, decibel(own.sqnr)),
      el("td", { className: own.saturated >= LOUD ? "loud" : "" }, fraction(own.saturated)), el("td", {}, percent(filled(own), 1)), el("td", { className: "bars" }, histogram(own, 134, 26, false)));
  });
  byId("constant-table").replaceChildren(el("thead", {}, head), el("tbody", {}, rows));
}

byId("filter").addEventListener("input", showTable);
addEventListener("resize", () => { showCurve(); mark(); });
if (TENSORS.length) {
  showSummary();
  showCurve();
  showTable();
  showConstants();
  const wanted = /^#tensor-(\d+)$/.exec(location.hash);
  if (wanted && TENSORS[wanted[1]]) select(Number(wanted[1]), true);
}
