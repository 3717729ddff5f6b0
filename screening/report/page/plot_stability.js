// Figures about stability: distribution of E_hull, effect of the correction, range of the nitrogen potential, gaps.
const PlotStability = (() => {
  const { finite } = Data;
  const statuses = [["DFT-confirmed", "confirmed"], ["known phase", "known"], ["DFT-checked", "checked"], ["predicted", "predicted"]];
  const name_of = (c) => `${c.formula} (${c.id})`;

  // One level only: the model's values of all ranked candidates, split by how far each was taken.
  function distribution() {
    const rows = Data.ranked.filter((c) => finite(Data.model(c).e_hull));
    if (!rows.length) return null;
    const width_of_bin = 25, last = 20;
    const bins = Array.from({ length: last + 1 }, () => Object.fromEntries(statuses.map(([word]) => [word, 0])));
    for (const c of rows) {
      const k = Math.min(last, Math.max(0, Math.floor((Data.model(c).e_hull * 1000) / width_of_bin)));
      bins[k][c.status in bins[k] ? c.status : "predicted"] += 1;
    }
    const total = (bin) => statuses.reduce((sum, [word]) => sum + bin[word], 0);
    const highest = Math.max(...bins.map(total));
    // A model's energy may lie below its hull.
    const bin_name = (k) => (k === last ? `≥ ${last * width_of_bin}` : k === 0 ? `< ${width_of_bin}` : `${k * width_of_bin}–${(k + 1) * width_of_bin}`);
    return Chart.figure({
      title: t("distribution_title"), caption: t("distribution_caption"),
      legend: statuses.map(([word, key]) => [key, t("status_" + key)]),
      height: () => 280,
      draw: (root, width, height) => {
        const box = { left: 56, right: width - 10, top: 12, bottom: height - 46 };
        const { x, y } = Chart.axes(root, box, [0, (last + 1) * width_of_bin], [0, highest * 1.05], {
          x: `${t("e_hull")}, ${t("model")} (meV/${t("atom")})`, y: t("candidates") });
        bins.forEach((bin, k) => {
          let below = 0;
          for (const [word, key] of statuses) {
            if (!bin[word]) continue;
            root.append(Chart.tip(svg("rect", { class: key, x: x(k * width_of_bin) + 1, width: Math.max(1, x(width_of_bin) - x(0) - 2),
              y: y(below + bin[word]), height: y(below) - y(below + bin[word]) }), `${bin_name(k)} meV/${t("atom")}: ${bin[word]} ${t("status_" + key)}`));
            below += bin[word];
          }
        });
      },
      head: [`meV/${t("atom")}`, ...statuses.map(([, key]) => t("status_" + key))], numeric: statuses.map((_, k) => k + 1),
      rows: bins.map((bin, k) => [bin_name(k), ...statuses.map(([word]) => String(bin[word]))]),
    });
  }

  // Rows of a horizontal chart: a name on the left, `draw_row` on the right.
  function rows_chart(options) {
    const line = 24;
    return Chart.figure({
      ...options,
      height: () => options.items.length * line + 64,
      draw: (root, width, height) => {
        const left = Math.min(190, Math.max(110, width * 0.3));
        const box = { left, right: width - 16, top: 8, bottom: height - 50 };
        const { x } = Chart.axes(root, box, options.range, [0, 1], { x: options.axis, y_ticks: false });
        options.items.forEach((item, i) => {
          const middle = box.top + (i + 0.5) * line;
          root.append(svg("text", { class: "tick", x: left - 9, y: middle + 4, "text-anchor": "end" }, options.name(item)));
          options.draw_row(root, item, x, middle);
        });
      },
    });
  }

  function correction() {
    const items = Data.confirmed.filter((c) => finite(Data.dft(c).e_hull_corrected)).slice(0, 40);
    if (!items.length) return null;
    const values = items.flatMap((c) => [Data.dft(c).e_hull * 1000, Data.dft(c).e_hull_corrected * 1000]);
    const named = Data.dft(items[0]).correction_name || Data.object(Data.summary.corrections).name || "";
    return rows_chart({
      title: t("correction_title"), caption: t("correction_caption", { name: Phrases.text(named) }), items,
      legend: [["checked", t("uncorrected")], ["confirmed", t("corrected")]],
      range: Chart.padded([0, ...values], 0.06, 5), axis: `${t("e_hull")}, DFT (meV/${t("atom")})`, name: name_of,
      draw_row: (root, c, x, y) => {
        const [from, to] = [Data.dft(c).e_hull * 1000, Data.dft(c).e_hull_corrected * 1000];
        root.append(svg("line", { class: "link", x1: x(from), x2: x(to), y1: y, y2: y }),
          Chart.mark("circle", x(from), y, 5, { class: "checked" }, `${name_of(c)}, ${t("uncorrected")}: ${I18n.number(from, 0)}`),
          Chart.mark("diamond", x(to), y, 4.4, { class: "confirmed" }, `${name_of(c)}, ${t("corrected")}: ${I18n.number(to, 0)}`));
      },
      head: [t("candidate"), t("uncorrected"), t("corrected")], numeric: [1, 2],
      rows: items.map((c) => [name_of(c), Format.mev(Data.dft(c).e_hull), Format.mev(Data.dft(c).e_hull_corrected)]),
    });
  }

  const range_of = (c) => {
    const range = Data.dft(c).mu_n_range;
    return Array.isArray(range) && range.length === 2 && range.every(finite) ? range : null;
  };

  function nitrogen() {
    const items = Data.confirmed.filter(range_of).slice(0, 40);
    const tested = Data.confirmed.filter((c) => "mu_n_range" in Data.dft(c)).length;
    if (!items.length) return tested ? el("p", {}, t("mu_none", { n: tested })) : null;
    return rows_chart({
      title: t("mu_title"), caption: t("mu_caption", { n: tested, m: items.length }), items,
      range: Chart.padded([0, ...items.flatMap(range_of)], 0.05, 0.05), axis: t("mu_axis"), name: name_of,
      draw_row: (root, c, x, y) => {
        const [low, high] = range_of(c);
        root.append(Chart.tip(svg("rect", { class: "confirmed", x: x(low), width: Math.max(2, x(high) - x(low)), y: y - 6, height: 12, rx: 2 }),
          `${name_of(c)}: ${I18n.number(low, 2)} … ${I18n.number(high, 2)} eV`));
      },
      head: [t("candidate"), t("from") + " (eV)", t("to") + " (eV)"], numeric: [1, 2],
      rows: items.map((c) => [name_of(c), ...range_of(c).map((v) => I18n.number(v, 2))]),
    });
  }

  // Where the interesting compounds are: low E_hull and a gap.
  function gaps() {
    const items = Data.ranked.filter((c) => Data.best_e_hull(c) && (finite(Data.object(c.gap).value) || Data.object(c.gap).kind === "metal"));
    if (!items.length) return null;
    const gap = (c) => (c.gap.kind === "metal" ? 0 : c.gap.value);
    const hull = (c) => Data.best_e_hull(c).value * 1000;
    const key = (c) => (statuses.find(([word]) => word === c.status) || statuses.at(-1))[1];
    return Chart.figure({
      title: t("gap_title"), caption: t("gap_caption"), legend: statuses.map(([, k]) => [k, t("status_" + k)]),
      height: () => 300,
      draw: (root, width, height) => {
        const box = { left: 56, right: width - 14, top: 12, bottom: height - 46 };
        const { x, y } = Chart.axes(root, box, Chart.padded([0, ...items.map(hull)], 0.05, 5), Chart.padded([0, ...items.map(gap)], 0.06, 0.1), {
          x: `${t("e_hull")} (meV/${t("atom")})`, y: `${t("gap")} (eV)` });
        for (const c of items) {
          root.append(Chart.mark(c.gap.kind === "direct" ? "diamond" : "circle", x(hull(c)), y(gap(c)), 5, { class: "dot " + key(c) },
            `${name_of(c)}: ${I18n.number(gap(c), 2)} eV ${c.gap.level || ""}, ${I18n.number(hull(c), 0)} meV/${t("atom")}`));
        }
      },
      head: [t("candidate"), `${t("e_hull")} (meV/${t("atom")})`, `${t("gap")} (eV)`, t("level")], numeric: [1, 2],
      rows: items.map((c) => [name_of(c), I18n.number(hull(c), 0), I18n.number(gap(c), 2), c.gap.level || Format.dash]),
    });
  }

  return { distribution, correction, nitrogen, gaps };
})();
