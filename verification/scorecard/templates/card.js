"use strict";
// Chooses regions and metrics, and tells the numbers of the cell under the pointer or the cursor.
(() => {
  const CELL = 14, LABEL = 46;
  let cells = {};
  async function unpack() {
    const packed = atob(document.getElementById("cells").textContent);
    const bytes = Uint8Array.from(packed, letter => letter.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    cells = JSON.parse(await new Response(plain).text());
  }
  unpack();
  const tip = document.getElementById("tip");

  function choose() {
    const on = kind => new Set([...document.querySelectorAll(`input[name=${kind}]:checked`)].map(i => i.value));
    const regions = on("region"), metrics = on("metric");
    const several = document.querySelector("input[name=metric]") !== null;
    for (const part of document.querySelectorAll("[data-region]")) {
      const metric = part.dataset.metric;
      part.hidden = !regions.has(part.dataset.region) || (several && metric && !metrics.has(metric));
    }
  }
  document.querySelector(".choice").addEventListener("change", choose);
  choose();

  const say = (value, digits = 4) => value === null || value === undefined ? "–"
    : String(Number(value.toPrecision(digits))).replace("-", "−");

  // p comes as ten-thousandths.
  const chance = p => p === null ? "–" : p === 0 ? "< 0.0001" : `= ${say(p / 10000, 2)}`;

  function words(block, row, column) {
    const i = row * block.leads.length + column;
    const n = Array.isArray(block.n) ? block.n[i] : block.n;
    const lines = [`${block.rows[row]}, ${block.leads[column]}`];
    if (block.d[i] === null) return `${lines[0]}\nnot scored (n = ${n})`;
    lines.push(`${block.f} ${say(block.v[i])}, ${block.r} ${say(block.a[i])} ${block.units[row]}`);
    const sign = block.d[i] > 0 ? "+" : "";
    const range = block.lo.length && block.lo[i] !== null ? `, 95 %: ${say(block.lo[i], 3)} to ${say(block.hi[i], 3)} %` : "";
    lines.push(`difference ${sign}${say(block.d[i], 3)} %${range}`);
    for (const test of Object.keys(block.p)) {
      lines.push(`${test}: p ${chance(block.p[test][i])}, adjusted ${chance(block.q[test][i])}`);
    }
    lines.push(`n = ${n}`);
    return lines.join("\n");
  }

  function places(svg) {
    // Rows are where their labels are.
    svg.rows = svg.rows || [...svg.querySelectorAll("text:not(.axis)")].map(t => Number(t.getAttribute("y")) - 4);
    return svg.rows;
  }

  function show(svg, row, column) {
    const block = cells[svg.id], rows = places(svg);
    if (!block) return;
    if (row < 0 || column < 0 || row >= rows.length || column >= block.leads.length) return;
    let cursor = document.querySelector("rect.cursor");
    if (cursor) cursor.remove();
    cursor = document.createElementNS(svg.namespaceURI, "rect");
    const at = { class: "cursor", x: LABEL + CELL * column, y: rows[row] - CELL / 2, width: CELL, height: CELL };
    for (const name in at) cursor.setAttribute(name, at[name]);
    svg.append(cursor);
    svg.place = [row, column];
    tip.textContent = words(block, row, column);
    tip.hidden = false;
  }

  function hide() {
    tip.hidden = true;
    const cursor = document.querySelector("rect.cursor");
    if (cursor) cursor.remove();
  }

  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  for (const svg of document.querySelectorAll(".block svg")) {
    const under = event => {
      const box = svg.getBoundingClientRect(), by = svg.viewBox.baseVal.width / box.width;
      const x = (event.clientX - box.left) * by, y = (event.clientY - box.top) * by;
      const row = places(svg).findIndex(at => Math.abs(at - y) <= CELL / 2);
      if (x >= LABEL && row >= 0) show(svg, row, Math.floor((x - LABEL) / CELL)); else hide();
    };
    svg.addEventListener("pointermove", under);
    svg.addEventListener("pointerdown", under);
    svg.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") hide(); });
    svg.addEventListener("focus", () => { if (!svg.matches(":hover")) show(svg, ...(svg.place || [0, 0])); });
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", event => {
      if (event.key === "Escape") { hide(); return; }
      const move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      const [row, column] = svg.place || [0, 0];
      show(svg, row + move[0], column + move[1]);
    });
  }
})();
