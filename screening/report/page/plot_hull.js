// Convex hull of a chemical system: a triangle for three elements, energy against composition for two.
const PlotHull = (() => {
  const { finite } = Data;

  function point_of(entry, elements, energy) {
    const counts = Data.composition(entry.formula);
    if (!counts || !finite(energy) || Object.keys(counts).some((symbol) => !elements.includes(symbol))) return null;
    const total = Object.values(counts).reduce((a, b) => a + b, 0);
    return { entry, energy, x: elements.map((symbol) => (counts[symbol] || 0) / total) };
  }

  // What the DFT hull is made of: competing phases and candidates, all relaxed at one level.
  function phases_of(elements) {
    const known = Data.competing.map((phase) => point_of(phase, elements, phase.formation_energy));
    const found = Data.confirmed.map((c) => point_of(c, elements, Data.dft(c).formation_energy));
    return { known: known.filter(Boolean), found: found.filter(Boolean) };
  }

  const off_hull_first = (points) => [...points].sort((a, b) => Boolean(a.entry.on_hull) - Boolean(b.entry.on_hull));

  const lowest = (points) => {
    const best = new Map();
    for (const p of points) {
      const key = p.x.map((v) => v.toFixed(6)).join();
      if (!best.has(key) || p.energy < best.get(key).energy) best.set(key, p);
    }
    return [...best.values()];
  };

  // Lower hull by trying all triples: systems have some tens of phases.
  function tie_lines(points) {
    const lines = new Map();
    for (let i = 0; i < points.length; ++i) for (let j = i + 1; j < points.length; ++j) for (let k = j + 1; k < points.length; ++k) {
      if (!is_facet(points, points[i], points[j], points[k])) continue;
      for (const [a, b] of [[i, j], [j, k], [i, k]]) lines.set(a * points.length + b, [points[a], points[b]]);
    }
    return [...lines.values()];
  }

  function is_facet(points, a, b, c) {
    const u = [b.x[1] - a.x[1], b.x[2] - a.x[2], b.energy - a.energy];
    const v = [c.x[1] - a.x[1], c.x[2] - a.x[2], c.energy - a.energy];
    const area = u[0] * v[1] - u[1] * v[0];
    if (Math.abs(area) < 1e-9) return false;
    const dx = (u[2] * v[1] - u[1] * v[2]) / area, dy = (u[0] * v[2] - u[2] * v[0]) / area;
    return points.every((p) => p.energy >= a.energy + dx * (p.x[1] - a.x[1]) + dy * (p.x[2] - a.x[2]) - 1e-7);
  }

  // One mark per composition: the best of the candidates that share it.
  function candidates_of(elements) {
    const groups = new Map();
    for (const c of Data.ranked) {
      const best = Data.best_e_hull(c);
      const p = best && point_of(c, elements, best.value);
      if (!p) continue;
      const key = p.x.map((v) => v.toFixed(6)).join();
      const group = groups.get(key) || { x: p.x, members: [] };
      group.members.push({ c, best });
      groups.set(key, group);
    }
    for (const group of groups.values()) {
      const order = (m) => [m.best.level === "DFT" ? 0 : 1, m.best.value];
      group.members.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
    }
    return [...groups.values()];
  }

  const plain_group = (group) => (group && group.symbol ? " " + group.symbol : "");
  const describe = (group) => group.members.slice(0, 6).map(({ c, best }) =>
    `${c.formula}${plain_group(c.space_group_after || c.space_group_before)} (${c.id}): ${Format.mev(best.value)} meV/${t("atom")}, ` +
    (best.level === "DFT" ? "DFT" : t("model"))).join("\n") + (group.members.length > 6 ? "\n…" : "");

  const describe_phase = (p) => `${p.entry.formula}${typeof p.entry.space_group === "string" ? " " + p.entry.space_group : plain_group(p.entry.space_group)}` +
    `: ${Format.ev(p.energy)} eV/${t("atom")}`;

  function formula_label(formula, attributes) {
    const node = svg("text", attributes);
    for (const [, symbol, n] of formula.matchAll(/([A-Z][a-z]?)(\d*)/g)) {
      node.append(svg("tspan", {}, symbol));
      if (n) node.append(svg("tspan", { dy: "3", "font-size": "75%" }, n), svg("tspan", { dy: "-3" }, "\u200b"));
    }
    return node;
  }

  function draw_triangle(root, width, height, elements, phases, candidates) {
    const side = Math.min(width - 36, (height - 56) / 0.866);
    const left = (width - side) / 2, bottom = height - 28;
    const at = (x) => [left + side * (x[1] + x[2] / 2), bottom - side * 0.866 * x[2]];
    const corners = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map(at);
    root.append(svg("path", { class: "frame", d: `M${corners.map((p) => p.join(" ")).join("L")}Z` }));
    const points = lowest([...phases.known, ...phases.found]);
    for (const [a, b] of tie_lines(points)) {
      const [x1, y1] = at(a.x), [x2, y2] = at(b.x);
      root.append(svg("line", { class: "tie", x1, y1, x2, y2 }));
    }
    for (const group of candidates) {
      const [x, y] = at(group.x);
      const { best } = group.members[0];
      root.append(Chart.mark(best.level === "DFT" ? "diamond" : "circle", x, y, best.level === "DFT" ? 7 : 6,
        { class: "candidate", fill: Chart.heat(best.value) }, describe(group)));
    }
    for (const p of off_hull_first(phases.known)) {
      const [x, y] = at(p.x);
      root.append(Chart.mark("circle", x, y, 3.6, { class: p.entry.on_hull ? "phase" : "phase off" }, describe_phase(p)));
    }
    place_labels(root, width, [...lowest(phases.known).map((p) => ({ formula: p.entry.formula, at: at(p.x), kind: "known",
      pure: Math.max(...p.x) > 0.999 })), ...candidates.map((g) => ({ formula: g.members[0].c.formula, at: at(g.x), kind: "candidate" }))]);
    elements.forEach((symbol, i) => root.append(svg("text", { class: "corner", x: corners[i][0], y: corners[i][1] + (i === 2 ? -10 : 20), "text-anchor": "middle" }, symbol)));
  }

  // Labels beside their points, at the first of four places that is free; one that finds none stays a tooltip.
  function place_labels(root, width, labels) {
    const taken = labels.map(({ at: [x, y] }) => [x - 6, y - 6, x + 6, y + 6]);
    const written = new Set();
    for (const { formula, at: [x, y], kind, pure } of labels) {
      if (pure || written.has(formula)) continue;
      const w = 7.4 * formula.length + 2;
      const places = [["start", x + 10, y + 4], ["end", x - 10, y + 4], ["middle", x, y - 11], ["middle", x, y + 20]];
      for (const [anchor, tx, ty] of places) {
        const from = anchor === "start" ? tx : anchor === "end" ? tx - w : tx - w / 2;
        const box = [from, ty - 11, from + w, ty + 4];
        if (box[0] < 0 || box[2] > width || taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) continue;
        taken.push(box);
        written.add(formula);
        root.append(formula_label(formula, { class: "point-label " + kind, x: tx, y: ty, "text-anchor": anchor }));
        break;
      }
    }
  }

  function draw_binary(root, width, height, phases, candidates) {
    const all = [...phases.known, ...phases.found];
    const box = { left: 62, right: width - 14, top: 12, bottom: height - 46 };
    const { x, y } = Chart.axes(root, box, [0, 1], Chart.padded([0, ...all.map((p) => p.energy)], 0.1), {
      x: t("composition_of", { x: phases.elements[1] }), y: `${t("formation_energy")} (eV/${t("atom")})` });
    const hull = lower_chain(lowest(all));
    root.append(svg("path", { class: "tie", d: "M" + hull.map((p) => `${x(p.x[1])} ${y(p.energy)}`).join("L") }));
    for (const p of off_hull_first(phases.known)) root.append(Chart.mark("circle", x(p.x[1]), y(p.energy), 4, { class: p.entry.on_hull ? "phase" : "phase off" }, describe_phase(p)));
    for (const p of phases.found) root.append(Chart.mark("diamond", x(p.x[1]), y(p.energy), 6, { class: "candidate", fill: Chart.heat(Data.dft(p.entry).e_hull) }, describe_phase(p)));
    return candidates;
  }

  function lower_chain(points) {
    const chain = [];
    for (const p of [...points].sort((a, b) => a.x[1] - b.x[1])) {
      while (chain.length > 1) {
        const [a, b] = chain.slice(-2);
        if ((b.x[1] - a.x[1]) * (p.energy - a.energy) - (p.x[1] - a.x[1]) * (b.energy - a.energy) > 0) break;
        chain.pop();
      }
      chain.push(p);
    }
    return chain;
  }

  function of_system(system) {
    const elements = String(system.name).split("-");
    const phases = { elements, ...phases_of(elements) };
    const candidates = candidates_of(elements);
    if (elements.length > 3 || elements.length < 2 || phases.known.length + phases.found.length + candidates.length === 0) return null;
    const triangle = elements.length === 3;
    return Chart.figure({
      class: "half",
      title: system.name,
      label: t("hull_label", { system: system.name, n: phases.known.length, m: candidates.length }),
      height: (width) => (triangle ? Math.min(430, 0.866 * (width - 36) + 56) : 300),
      draw: (root, width, height) => triangle ? draw_triangle(root, width, height, elements, phases, candidates)
        : draw_binary(root, width, height, phases, candidates),
      caption: system.complete === false ? t("hull_incomplete_note", { missing: I18n.list(Data.list(system.missing).map(String)) }) : null,
      head: [t("phase"), t("kind"), `${t("formation_energy")} (eV/${t("atom")})`, `${t("e_hull")} (meV/${t("atom")})`],
      numeric: [2, 3],
      rows: [...phases.known.map((p) => [Format.formula(p.entry.formula), t("competing_phase"), Format.ev(p.energy), Format.mev(finite(p.entry.e_hull) ? p.entry.e_hull : p.entry.on_hull ? 0 : undefined)]),
             ...candidates.map((g) => [Format.formula(g.members[0].c.formula), t("candidate") + ", " + (g.members[0].best.level === "DFT" ? "DFT" : t("model")),
               g.members[0].best.level === "DFT" ? Format.ev(Data.dft(g.members[0].c).formation_energy) : Format.ev(Data.model(g.members[0].c).formation_energy),
               Format.mev(g.members[0].best.value)])],
    });
  }

  function all() {
    const figures = Data.list(Data.summary.systems).map(of_system).filter(Boolean);
    if (!figures.length) return null;
    return el("div", {}, el("h3", {}, t("hulls_title")), el("p", {}, t("hulls_text")), Chart.heat_legend(),
      Chart.legend([["phase", t("competing_on_hull")], ["phase-off", t("competing_off_hull")],
                    ["candidate-dft", t("candidate") + ", DFT"], ["candidate-model", t("candidate") + ", " + t("model")]]),
      el("div", { class: "figures" }, figures));
  }

  return { all };
})();
