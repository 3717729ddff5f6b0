// Figures about the model and the labels: parity, error per round, cost of each label.
const PlotModel = (() => {
  const { finite } = Data;
  const round_class = (round) => "round-" + (Number(round) || 0) % 4;
  const round_legend = (entries) => [...new Set(entries.map((p) => p.round ?? 0))].sort((a, b) => a - b)
    .map((round) => [round_class(round), t("round_n", { k: String(round) })]);
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  function parity() {
    const points = Data.list(Data.summary.parity).filter((p) => finite(p.model) && finite(p.dft));
    if (!points.length) return null;
    const error = mean(points.map((p) => Math.abs(p.model - p.dft)));
    const text = (p) => `${p.formula} (${p.id}), ${t("round_n", { k: String(p.round ?? 0) })}\nDFT ${Format.ev(p.dft)}, ${t("model")} ${Format.ev(p.model)}` +
      (finite(p.sigma) ? ` ± ${Format.ev(p.sigma)}` : "") + ` eV/${t("atom")}`;
    return [Chart.figure({
      class: "half", title: t("parity_title", { quantity: t("e_hull") }), legend: round_legend(points),
      caption: t("parity_caption", { n: points.length, mae: Format.mev(error, 1) }),
      height: (width) => Math.min(400, width),
      draw: (root, width, height) => {
        const range = Chart.padded(points.flatMap((p) => (finite(p.sigma) ? [p.dft, p.model - p.sigma, p.model + p.sigma] : [p.dft, p.model])));
        const { x, y } = Chart.axes(root, { left: 66, right: width - 12, top: 10, bottom: height - 46 }, range, range, {
          x: `DFT (eV/${t("atom")})`, y: `${t("model")} (eV/${t("atom")})` });
        root.append(svg("line", { class: "identity", x1: x(range[0]), y1: y(range[0]), x2: x(range[1]), y2: y(range[1]) }));
        for (const p of points) scatter(root, x(p.dft), y(p.model), finite(p.sigma) ? [y(p.model - p.sigma), y(p.model + p.sigma)] : null, p, text(p));
      },
      head: [t("candidate"), t("round"), "DFT", t("model"), "σ"], numeric: [1, 2, 3, 4],
      rows: points.map((p) => [`${p.formula} (${p.id})`, String(p.round ?? 0), Format.ev(p.dft), Format.ev(p.model), Format.ev(p.sigma)]),
    }), residuals(points, text)];
  }

  // The same errors where they can be seen: energies span electronvolts, errors millielectronvolts.
  function residuals(points, text) {
    const delta = (p) => (p.model - p.dft) * 1000;
    const sigma = (p) => (finite(p.sigma) ? p.sigma * 1000 : 0);
    const inside = points.filter((p) => finite(p.sigma) && Math.abs(delta(p)) <= sigma(p)).length;
    const judged = points.filter((p) => finite(p.sigma)).length;
    return Chart.figure({
      class: "half", title: t("residual_title"), legend: round_legend(points),
      caption: judged ? t("residual_caption", { n: inside, m: judged }) : null,
      height: (width) => Math.min(400, width),
      draw: (root, width, height) => {
        const { x, y } = Chart.axes(root, { left: 66, right: width - 12, top: 10, bottom: height - 46 }, Chart.padded(points.map((p) => p.dft)),
          Chart.padded([0, ...points.flatMap((p) => [delta(p) - sigma(p), delta(p) + sigma(p)])], 0.06, 1), {
            x: `DFT (eV/${t("atom")})`, y: `${t("model")} − DFT (meV/${t("atom")})` });
        root.append(svg("line", { class: "identity", x1: 66, x2: width - 12, y1: y(0), y2: y(0) }));
        for (const p of points) scatter(root, x(p.dft), y(delta(p)), sigma(p) ? [y(delta(p) - sigma(p)), y(delta(p) + sigma(p))] : null, p, text(p));
      },
    });
  }

  function scatter(root, x, y, bar, p, text) {
    if (bar) root.append(svg("line", { class: "error " + round_class(p.round), x1: x, x2: x, y1: bar[0], y2: bar[1] }));
    root.append(Chart.mark("circle", x, y, 4.2, { class: "dot " + round_class(p.round) }, text));
  }

  function errors(kind) {
    const rows = Data.rounds.map((round) => ({ round: round.round, training: Data.object(round.training) }))
      .filter(({ training }) => finite(Data.object(training.held_out_before)[kind]) || finite(Data.object(training.held_out_after)[kind]));
    if (!rows.length) return null;
    const values = (row) => ["held_out_before", "held_out_after"].map((key) => Data.object(row.training[key])[kind]).map((v) => (finite(v) ? v * 1000 : null));
    const unit = kind === "energy_mae" ? `meV/${t("atom")}` : "meV/Å";
    const verdict = (row) => (row.training.adopted === undefined ? Format.dash : row.training.adopted ? t("adopted") : t("not_adopted"));
    return Chart.figure({
      class: "half", title: t(kind + "_title"), caption: kind === "energy_mae" ? t("errors_caption") : null,
      legend: [["predicted", t("before_training")], ["confirmed", t("after_adopted")], ["hollow", t("after_not_adopted")]],
      height: () => 260,
      draw: (root, width, height) => {
        const box = { left: 60, right: width - 12, top: 12, bottom: height - 46 };
        const all = rows.flatMap(values).filter((v) => v !== null);
        const { x, y } = Chart.axes(root, box, [-0.6, rows.length - 0.4], [0, Math.max(...all) * 1.12], { x: t("round"), y: unit, x_ticks: false });
        rows.forEach((row, i) => {
          const [before, after] = values(row);
          const bar = Math.min(34, (x(1) - x(0)) * 0.3);
          const place = (v, shift, name, text) => v === null ? null : Chart.tip(svg("rect", { class: name, x: x(i) + shift * (bar + 2) - bar / 2 , width: bar,
            y: y(v), height: box.bottom - y(v) }), `${text}: ${I18n.number(v, 1)} ${unit}`);
          for (const node of [place(before, -0.5, "predicted", t("before_training")),
                              place(after, 0.5, row.training.adopted === false ? "hollow" : "confirmed", `${t("after_training")}, ${verdict(row)}`)]) if (node) root.append(node);
          root.append(svg("text", { class: "tick", x: x(i), y: box.bottom + 16, "text-anchor": "middle" }, String(row.round ?? i)));
        });
      },
      head: [t("round"), t("before_training"), t("after_training"), t("verdict")], numeric: [1, 2],
      rows: rows.map((row) => [String(row.round ?? Format.dash), ...values(row).map((v) => I18n.number(v, 1)), verdict(row)]),
    });
  }

  const outcome_of = (label) => (label.cached ? "cached" : label.status === "finished" ? "finished"
    : label.status === "timed_out" ? "timed_out" : "failed");

  function costs() {
    const labels = Data.labels.filter((label) => finite(label.cost));
    if (!labels.length) return null;
    const text = (l) => `${l.formula ?? ""} (${l.candidate ?? ""}), ${Format.word("task", l.task)}, ${t("outcome_" + outcome_of(l))}: ${Format.cost(l.cost)}`;
    return Chart.figure({
      title: t("costs_title"), caption: t("costs_caption"),
      legend: ["finished", "cached", "failed", "timed_out"].map((key) => [key, t("outcome_" + key)]),
      height: () => 280,
      draw: (root, width, height) => {
        const box = { left: 60, right: width - 10, top: 22, bottom: height - (labels.length <= width / 26 ? 62 : 30) };
        const { x, y } = Chart.axes(root, box, [0, labels.length], [0, Math.max(1, ...labels.map((l) => l.cost)) * 1.06], { y: t("core_seconds_axis"), x_ticks: false });
        const bar = Math.max(1, Math.min(26, 0.76 * (x(1) - x(0))));
        labels.forEach((l, i) => {
          if (i === 0 || labels[i - 1].round !== l.round) {
            root.append(svg("line", { class: "divider", x1: x(i), x2: x(i), y1: 6, y2: box.bottom }),
              svg("text", { class: "tick", x: x(i) + 5, y: 15 }, t("round_n", { k: String(l.round ?? 0) })));
          }
          const top = Math.min(y(l.cost), box.bottom - 2);
          root.append(Chart.tip(svg("rect", { class: outcome_of(l), x: x(i + 0.5) - bar / 2, width: bar, y: top, height: box.bottom - top }), text(l)));
          if (labels.length <= width / 26) {
            root.append(svg("text", { class: "tick", transform: `translate(${x(i + 0.5)} ${box.bottom + 10}) rotate(-48)`, "text-anchor": "end" }, l.formula ?? l.candidate ?? ""));
          }
        });
      },
      head: [t("round"), t("candidate"), t("task"), t("result"), t("core_seconds_axis")], numeric: [0, 4],
      rows: labels.map((l) => [String(l.round ?? Format.dash), `${l.formula ?? ""} (${l.candidate ?? ""})`, Format.word("task", l.task), t("outcome_" + outcome_of(l)), I18n.number(l.cost, 1)]),
    });
  }

  return { parity, errors, costs, outcome_of };
})();
