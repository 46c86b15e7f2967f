// The figures at the top, the strip of superlayers, and how busy the engines are.

function tile(value, unit, text, meter) {
  const bar = meter === undefined ? null : el("div", { className: "meter" }, el("i", { style: `width:${100 * meter}%;background:${colour("array")}` }));
  return el("div", { className: "tile" }, el("b", {}, value, el("small", {}, unit)), el("span", {}, text), bar);
}

function showSummary() {
  const { totals, board, name, subgraphs } = REPORT;
  byId("network").textContent = name || "network";
  const targets = [...new Set(subgraphs.map((own) => own.target))];
  byId("setting").textContent = `${targets.join(", ")} · modelled on ${board.name} at ${board.clock_mhz} MHz`;
  const moved = totals.bytes.features + totals.bytes.parameters + totals.bytes.saved;
  byId("tiles").replaceChildren(
    tile(decimals(totals.milliseconds), "ms", "modelled time of the DPU"),
    tile(totals.frames_per_second >= 1000 ? spaced(totals.frames_per_second) : decimals(totals.frames_per_second), "fps", "modelled, one core, DPU alone"),
    tile(decimals(moved / 1e6), "MB", `moved: ${bytes(totals.bytes.features)} of maps and ${bytes(totals.bytes.parameters)} of parameters in, ${bytes(totals.bytes.saved)} out`),
    tile((100 * totals.utilisation).toFixed(1), "%", "modelled utilisation of the array", totals.utilisation),
    tile(spaced(totals.instructions), "", `instructions; ${decimals(totals.macs / 1e6)} million multiply-accumulates, ${decimals(totals.array_macs / 1e6)} spent`),
    tile(`${totals.dpu_operations}`, `/ ${totals.dpu_operations + totals.cpu_operations}`, "operations on the DPU"),
  );
  byId("bounds").replaceChildren(...Object.entries(BOUNDS).map(([bound, text]) =>
    el("span", { title: text }, el("i", { style: "background:" + colour(bound) }), bound)));
  const tabs = subgraphs.length > 1 ? subgraphs.slice(0, 40) : [];
  byId("subgraphs").replaceChildren(...tabs.map((own, index) =>
    el("button", { type: "button", title: own.name, onclick: () => showSubgraph(index) }, `${short(own.name.replace(/^subgraph_/, ""), 28)} · ${time(own.cycles)}`)));
  byId("footer").textContent = `All times are modelled by dpuc, not measured: four in-order engines, dependency tokens, instruction fetch and DDR of the board ` +
    `"${board.name}". The time of the CPU's operations is not part of them. 1 MB is 10⁶ bytes.`;
}

function showStrip() {
  const own = subgraph();
  [...byId("subgraphs").children].forEach((tab, index) => tab.setAttribute("aria-pressed", index === state.subgraph));
  if (!own) return;
  // A block narrower than a thousandth cannot be seen: it widens the one before it.
  const blocks = [];
  own.superlayers.forEach((layer, index) => {
    const last = blocks[blocks.length - 1];
    if (last && layer.cycles < own.cycles / 1000) last.cycles += layer.cycles;
    else if (layer.cycles > 0) blocks.push({ index, cycles: layer.cycles });
  });
  byId("strip").replaceChildren(...blocks.map(({ index, cycles }) => {
    const layer = own.superlayers[index];
    const block = el("i", { style: `flex-grow:${cycles};background:${colour(layer.bound)}`, role: "listitem", onclick: () => selectLayer(index) });
    block.dataset.layer = index;
    return withTip(block, () => layerTip(layer, index));
  }));
  const rows = ENGINES.slice(0, 4).map((engine, number) => {
    const share = own.cycles ? own.busy[engine] / own.cycles : 0;
    const names = ["load: DDR to banks", "save: banks to DDR", "conv: the array", "misc: ALU, elementwise"];
    return el("div", {}, names[number], el("b", {}, percent(share, 1) + " busy"),
      el("div", { className: "meter" }, el("i", { style: `width:${Math.min(100, 100 * share)}%;background:${colour(ENGINE_COLOURS[number])}` })));
  });
  byId("engines").replaceChildren(...rows);
}

on("subgraph", showStrip);
on("selection", () => {
  for (const block of byId("strip").children) block.classList.toggle("on", state.layer !== null && Number(block.dataset.layer) === state.layer);
});
