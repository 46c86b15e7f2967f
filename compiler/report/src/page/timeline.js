// Engines and bank occupancy over time, on canvases that share one piece of time. However many spans there are, a picture costs its pixels:
// where spans are narrower than pixels, each column shows how much of it is busy.

const LABELS = 96;
const timeline = { tracks: [], critical: null };

/** Spans of a track as columns of numbers, with the busy time up to each. */
function columns(spans) {
  const count = spans.length;
  const track = { start: new Float64Array(count), end: new Float64Array(count), busy: new Float64Array(count + 1), layer: new Int32Array(count), operation: new Int32Array(count), spans };
  let at = 0;
  spans.forEach(([gap, length, operation], index) => {
    track.start[index] = at + gap;
    at += gap + length;
    track.end[index] = at;
    track.operation[index] = operation;
    track.layer[index] = REPORT.operations[operation].superlayer ?? -1;
    track.busy[index + 1] = track.busy[index] + length;
  });
  return track;
}

/** The first index whose value is above `limit`. */
function firstAbove(values, limit) {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] > limit) high = middle; else low = middle + 1;
  }
  return low;
}

/** Busy time before `moment`. */
function busyUntil(track, moment) {
  const index = firstAbove(track.end, moment);
  return track.busy[index] + (index < track.start.length ? Math.max(0, moment - track.start[index]) : 0);
}

function loadRun() {
  const own = run();
  timeline.tracks = own ? own.tracks.map((track) => ({ name: track.name, engine: track.engine, ...columns(track.spans) })) : [];
  timeline.critical = own ? columns(own.critical.map(([length, , operation]) => [0, length, operation])) : null;
  if (own) timeline.critical.engine = Uint8Array.from(own.critical, (piece) => piece[1]);
  byId("timeline-note").textContent = "Modelled. The first row is the critical path: at every moment, the engine that the end of the run waits for. Below, the engines; darker is busier." +
    (own && own.simplified ? " The run is long: spans close together are drawn as one." : "");
}

/** A canvas of the right resolution, cleared; its context draws in CSS pixels. */
function prepare(canvas, height) {
  const width = canvas.parentElement.clientWidth - 42;
  const ratio = window.devicePixelRatio || 1;
  canvas.style.height = height + "px";
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  context.textBaseline = "middle";
  return { context, width, plot: width - LABELS, x: (cycle) => LABELS + (cycle - state.from) / (state.to - state.from) * (width - LABELS) };
}

/** Times below the plot, at round numbers. */
function drawAxis({ context, width, plot, x }, top, bottom) {
  const step = (() => {
    const wish = (state.to - state.from) / CLOCK / Math.max(2, plot / 110);
    const power = 10 ** Math.floor(Math.log10(wish));
    return power * ([1, 2, 5, 10].find((factor) => factor * power >= wish) || 10);
  })();
  const line = cssColour("line"), quiet = cssColour("quiet");
  for (let at = Math.ceil(state.from / CLOCK / step) * step; at * CLOCK <= state.to; at += step) {
    const place = x(at * CLOCK);
    context.fillStyle = line;
    context.fillRect(place, top, 1, bottom - top);
    context.fillStyle = quiet;
    const digits = Math.max(0, -Math.floor(Math.log10(step / (step >= 1000 || state.to / CLOCK >= 1000 ? 1000 : 1))));
    const label = state.to / CLOCK >= 1000 ? (at / 1000).toFixed(Math.min(6, digits)) + " ms" : at.toFixed(Math.min(4, digits)) + " µs";
    if (place < width - 40) context.fillText(label, place + 4, bottom + 9);
  }
}

const ROW = { critical: 22, engine: 30, gap: 6, top: 4, axis: 22 };
const rowTop = (row) => (row === 0 ? ROW.top : ROW.top + ROW.critical + ROW.gap + (row - 1) * (ROW.engine + ROW.gap));

function drawTracks() {
  if (!timeline.critical) return;
  const height = rowTop(timeline.tracks.length + 1) + ROW.axis;
  const view = prepare(byId("tracks"), height);
  const { context } = view;
  drawAxis(view, ROW.top, height - ROW.axis);
  const colours = ENGINE_COLOURS.map(cssColour);
  context.fillStyle = cssColour("quiet");
  context.fillText("critical path", 0, rowTop(0) + ROW.critical / 2);
  timeline.tracks.forEach((track, row) => context.fillText(track.name, 0, rowTop(row + 1) + ROW.engine / 2));
  context.save();
  context.beginPath();
  context.rect(LABELS, 0, view.plot, height);
  context.clip();
  drawCritical(view, colours);
  timeline.tracks.forEach((track, row) => drawTrack(view, track, rowTop(row + 1), ROW.engine, colours[track.engine]));
  context.restore();
}

/** The critical path: each column shows its engines in proportion. */
function drawCritical({ context, plot, x }, colours) {
  const track = timeline.critical;
  const first = firstAbove(track.end, state.from), last = firstAbove(track.start, state.to);
  const [top, height] = [rowTop(0), ROW.critical];
  if (last - first < 2 * plot) {
    for (let index = first; index < last; index++) {
      const [left, right] = [x(track.start[index]), x(track.end[index])];
      const faint = state.layer !== null && track.layer[index] !== state.layer;
      context.globalAlpha = (track.engine[index] === 4 ? 0.45 : 1) * (faint ? 0.25 : 1);
      context.fillStyle = colours[track.engine[index]];
      context.fillRect(left, top, Math.max(0.4, right - left), height);
    }
  } else {
    const scale = (state.to - state.from) / plot;
    for (let column = 0; column < plot; column++) {
      const [from, to] = [state.from + column * scale, state.from + (column + 1) * scale];
      const shares = [0, 0, 0, 0, 0];
      for (let index = firstAbove(track.end, from); index < track.start.length && track.start[index] < to; index++) {
        const faint = state.layer !== null && track.layer[index] !== state.layer;
        shares[track.engine[index]] += (Math.min(to, track.end[index]) - Math.max(from, track.start[index])) * (faint ? 0.25 : 1);
      }
      let at = top;
      shares.forEach((share, engine) => {
        context.globalAlpha = engine === 4 ? 0.45 : 1;
        context.fillStyle = colours[engine];
        context.fillRect(LABELS + column, at, 1.02, height * share / scale);
        at += height * share / scale;
      });
    }
  }
  context.globalAlpha = 1;
}

function drawTrack({ context, plot, x }, track, top, height, fill) {
  context.globalAlpha = 1;
  context.fillStyle = cssColour("faint");
  context.fillRect(LABELS, top, plot, height);
  context.fillStyle = fill;
  const first = firstAbove(track.end, state.from), last = firstAbove(track.start, state.to);
  const faint = (index) => state.layer !== null && track.layer[index] !== state.layer;
  if (last - first < plot) {
    for (let index = first; index < last; index++) {
      const [left, right] = [x(track.start[index]), x(track.end[index])];
      context.globalAlpha = faint(index) ? 0.22 : track.operation[index] % 2 ? 0.78 : 1;
      context.fillRect(left, top, Math.max(0.5, right - left - (right - left > 3 ? 0.75 : 0)), height);
      if (right - left > 90) drawLabel(context, track, index, Math.max(left, LABELS) + 6, Math.min(right, LABELS + plot), top + height / 2, fill);
    }
    context.globalAlpha = 1;
    return;
  }
  const scale = (state.to - state.from) / plot;
  let before = busyUntil(track, state.from);
  for (let column = 0; column < plot; column++) {
    const until = busyUntil(track, state.from + (column + 1) * scale);
    const share = (until - before) / scale;
    before = until;
    if (share <= 0) continue;
    context.globalAlpha = (0.12 + 0.88 * share) * (state.layer === null ? 1 : 0.3);
    context.fillRect(LABELS + column, top, 1.02, height);
  }
  context.globalAlpha = 1;
  if (state.layer === null) return;
  for (let index = first; index < last; index++) {
    if (!faint(index)) context.fillRect(x(track.start[index]), top, Math.max(0.5, x(track.end[index]) - x(track.start[index])), height);
  }
}

function drawLabel(context, track, index, left, right, middle, fill) {
  const [, , operation, opcode] = track.spans[index];
  const room = Math.floor((right - left) / 7.5);
  if (room < 4) return;
  context.globalAlpha = 1;
  context.fillStyle = cssColour("card");
  context.fillText(`${OPCODES[opcode]} · ${short(operationName(operation), 60)}`.slice(0, room), left, middle);
  context.fillStyle = fill;
}

const LANE = { height: 34, gap: 8, axis: 22 };

function drawBanks() {
  const own = subgraph();
  if (!own) return;
  const groups = own.banks.filter((group) => group.peak > 0);
  const height = groups.length * (LANE.height + LANE.gap) + LANE.axis;
  const view = prepare(byId("banks"), Math.max(30, height));
  const { context, plot, x } = view;
  drawAxis(view, 0, height - LANE.axis);
  const colours = groups.map((group) => cssColour(group.name.startsWith("VB") ? "array" : "misc"));
  groups.forEach((group, row) => {
    const top = row * (LANE.height + LANE.gap);
    context.fillStyle = cssColour("quiet");
    context.fillText(group.name, 0, top + 10);
    context.fillText(percent(group.peak, group.lines) + " peak", 0, top + 25);
    context.fillStyle = cssColour("faint");
    context.fillRect(LABELS, top, plot, LANE.height);
    context.save();
    context.beginPath();
    context.rect(LABELS, top, plot, LANE.height);
    context.clip();
    context.fillStyle = colours[row];
    const step = own.cycles / group.samples.length;
    group.samples.forEach((lines, sample) => {
      const [left, right] = [x(sample * step), x((sample + 1) * step)];
      if (right < LABELS || left > LABELS + plot || !lines) return;
      const tall = LANE.height * lines / group.lines;
      context.globalAlpha = 0.75;
      context.fillRect(left, top + LANE.height - tall, right - left + 0.3, tall);
    });
    context.restore();
    context.globalAlpha = 1;
  });
}

/** Where on a canvas an event is, and which cycle that means. */
function place(event) {
  const box = event.currentTarget.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  return { x, y, cycle: state.from + (x - LABELS) / (box.width - LABELS) * (state.to - state.from) };
}

function trackAt({ y, cycle }) {
  const row = Array.from({ length: timeline.tracks.length + 1 }, (_, number) => number)
    .find((number) => y >= rowTop(number) && y < rowTop(number) + (number ? ROW.engine : ROW.critical));
  if (row === undefined) return null;
  const track = row === 0 ? timeline.critical : timeline.tracks[row - 1];
  const index = firstAbove(track.end, cycle);
  return index < track.start.length && track.start[index] <= cycle ? { row, track, index } : null;
}

function spanTip(found) {
  if (!found) return "";
  const { row, track, index } = found;
  const layer = subgraph().superlayers[track.layer[index]];
  const when = `${time(track.start[index])} to ${time(track.end[index])}, ${spaced(track.end[index] - track.start[index])} cycles (modelled)`;
  const what = row === 0 ? `critical path: ${ENGINES[track.engine[index]]}`
    : `${OPCODES[track.spans[index][3]]}, instruction ${track.spans[index][4]}` + (track.spans[index][5] > 1 ? ` and ${track.spans[index][5] - 1} more` : "");
  return `${operationName(track.operation[index])}\n${what}\n${when}` + (layer && layer.operations.length > 1 ? `\nsuperlayer ${track.layer[index]}: ${layerName(layer, 70)}` : "");
}

function bankTip({ y, cycle }) {
  const own = subgraph();
  const group = own.banks.filter((candidate) => candidate.peak > 0)[Math.floor(y / (LANE.height + LANE.gap))];
  if (!group || cycle < 0 || cycle >= own.cycles) return "";
  const lines = group.samples[Math.min(group.samples.length - 1, Math.floor(cycle / own.cycles * group.samples.length))];
  return `${group.name} at ${time(cycle)}: ${spaced(lines)} of ${spaced(group.lines)} lines live (${percent(lines, group.lines)}), ${bytes(lines * group.line_bytes)}\n` +
    `at most ${spaced(group.peak)}, on average ${spaced(group.mean)}`;
}

/** Lets a canvas be moved and zoomed; `select` gets a click, `describe` gives the tooltip. */
function navigable(canvas, select, describe) {
  let drag = null;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, from: state.from, to: state.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drag) return showTip(event, describe(place(event)));
    const shift = (drag.x - event.clientX) / (canvas.clientWidth - LABELS) * (drag.to - drag.from);
    drag.moved ||= Math.abs(event.clientX - drag.x) > 3;
    if (drag.moved) setView(drag.from + shift, drag.to + shift);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (drag && !drag.moved) select(place(event));
    drag = null;
  });
  canvas.addEventListener("pointerleave", () => showTip(null, ""));
  canvas.addEventListener("dblclick", (event) => zoomView(0.25, place(event).cycle));
  canvas.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) zoomView(event.deltaY > 0 ? 1.25 : 0.8, place(event).cycle);
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const shift = event.deltaX / canvas.clientWidth * (state.to - state.from);
      setView(state.from + shift, state.to + shift);
    } else return;
    event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = (state.to - state.from) / 8;
    const actions = { ArrowLeft: () => setView(state.from - step, state.to - step), ArrowRight: () => setView(state.from + step, state.to + step), "+": () => zoomView(0.8), "-": () => zoomView(1.25) };
    if (actions[event.key]) { actions[event.key](); event.preventDefault(); }
  });
}

function zoomView(factor, centre = (state.from + state.to) / 2) {
  setView(centre - (centre - state.from) * factor, centre + (state.to - centre) * factor);
}

navigable(byId("tracks"), (at) => {
  const found = trackAt(at);
  if (found) selectOperation(found.track.operation[found.index]);
  else selectLayer(null);
}, (at) => spanTip(trackAt(at)));
navigable(byId("banks"), () => {}, bankTip);
byId("zoom-in").addEventListener("click", () => zoomView(0.5));
byId("zoom-out").addEventListener("click", () => zoomView(2));
byId("zoom-fit").addEventListener("click", () => setView(0, run().cycles));
on("subgraph", loadRun);
