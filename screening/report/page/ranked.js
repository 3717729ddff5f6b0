// The ranked table: sorting, filtering, and rows that open.
const Ranked = (() => {
  const { finite, model, dft } = Data;
  const state = { sort: "rank", descending: false, filter: { text: "", system: "", status: "", gap_low: "", gap_high: "", hull: "" }, open: new Set() };

  const text_of = (value) => String(value ?? "");
  const columns = [
    { key: "rank", head: () => "#", value: (c) => c.rank, cell: (c) => el("span", { class: "rank" }, finite(c.rank) ? String(c.rank) : Format.dash) },
    { key: "structure", head: () => t("structure"), cell: thumbnail_cell },
    { key: "formula", head: () => t("composition"), value: (c) => text_of(c.formula), cell: composition_cell },
    { key: "group", head: () => t("space_group"), value: (c) => c.space_group_after?.number, cell: group_cell },
    { key: "formation", head: () => [t("formation_energy"), unit("eV")], value: (c) => dft(c).formation_energy ?? model(c).formation_energy, cell: formation_cell },
    { key: "hull", head: () => [t("e_hull"), unit("meV")], value: (c) => Data.best_e_hull(c)?.value, cell: hull_cell },
    { key: "decomposition", head: () => t("decomposition"), cell: (c) => Format.decomposition(dft(c).decomposition, c.formula, dft(c).e_hull) },
    { key: "gap", head: () => t("gap"), value: (c) => gap_of(c), cell: (c) => Format.gap(c.gap) },
    { key: "known", head: () => t("known_or_new"), value: (c) => (c.known ? 0 : c.known === null ? 1 : 2), cell: (c) => Format.known(c.known) },
    { key: "status", head: () => t("status"), value: (c) => ["DFT-confirmed", "known phase", "DFT-checked", "predicted"].indexOf(c.status),
      cell: (c) => [Format.status(c.status), el("div", { class: "quiet" }, Format.dynamic(c))] },
    { key: "files", head: () => t("files"), cell: (c) => el("span", { class: "buttons" }, Detail.downloads(c)) },
  ];

  const unit = (symbol) => el("span", { class: "quiet" }, ` ${symbol}/${t("atom")}`);
  const gap_of = (c) => (Data.object(c.gap).kind === "metal" ? 0 : Data.object(c.gap).value);

  function thumbnail_cell(c) {
    if (!Crystal.is_drawable(c.structure)) return Format.dash;
    const canvas = el("canvas", { class: "thumbnail", role: "img", "aria-label": Detail.picture_text(c) });
    painter.watch(canvas, c.structure);
    return canvas;
  }

  function composition_cell(c) {
    const button = el("button", { type: "button", class: "opener", "aria-expanded": String(state.open.has(c.id)) },
      el("strong", {}, Format.formula(c.formula)));
    return [button, el("div", { class: "quiet" }, [c.id, c.prototype].filter(Boolean).join(" · "))];
  }

  function group_cell(c) {
    const before = c.space_group_before, after = c.space_group_after;
    if (before?.number && before.number === after?.number) return [Format.space_group(after), el("div", { class: "quiet" }, t("kept"))];
    return [Format.space_group(before), el("div", {}, el("span", { class: "quiet", "aria-label": t("became") }, "→ "), Format.space_group(after))];
  }

  function formation_cell(c) {
    const row = (name, value) => (finite(value) ? el("div", { class: "level" }, el("span", { class: "quiet" }, name), el("span", {}, I18n.number(value, 3))) : null);
    const rows = [row("DFT", dft(c).formation_energy), row(t("model"), model(c).formation_energy)];
    return rows.some(Boolean) ? rows : Format.dash;
  }

  // Small picture of both levels on one fixed axis, −50 to 200 meV/atom; what lies beyond ends in an arrow.
  function hull_cell(c) {
    const m = model(c), d = dft(c);
    if (!finite(m.e_hull) && !finite(d.e_hull)) return Format.dash;
    const width = 132, x = Chart.scale(-50, 200, 4, width - 4);
    const inside = (v) => Math.min(width - 4, Math.max(4, x(v)));
    const root = svg("svg", { class: "mini", width, height: 26, viewBox: `0 0 ${width} 26`, "aria-hidden": "true" },
      svg("line", { class: "grid", x1: 2, x2: width - 2, y1: 13, y2: 13 }), svg("line", { class: "zero", x1: x(0), x2: x(0), y1: 2, y2: 24 }));
    const edge = (v, y) => v > 200 ? root.append(svg("path", { class: "beyond", d: `M${width - 9} ${y - 4}L${width - 2} ${y}L${width - 9} ${y + 4}` })) : undefined;
    if (finite(m.e_hull)) {
      const [value, sigma] = [m.e_hull * 1000, finite(m.e_hull_std) ? m.e_hull_std * 1000 : 0];
      root.append(svg("rect", { class: "sigma", x: inside(value - sigma), width: Math.max(1.5, inside(value + sigma) - inside(value - sigma)), y: 4.5, height: 7, rx: 1.5 }));
      if (value <= 200) root.append(svg("line", { class: "centre", x1: inside(value), x2: inside(value), y1: 2.5, y2: 13.5 }));
      edge(value, 8);
    }
    if (finite(d.e_hull)) {
      if (d.e_hull <= 0.2) root.append(Chart.mark("diamond", inside(d.e_hull * 1000), 18.5, 3.6, { class: { "DFT-confirmed": "confirmed", "known phase": "known" }[c.status] || "checked" }));
      edge(d.e_hull * 1000, 18.5);
    }
    const below = finite(d.distance_below_others) && d.distance_below_others < -5e-4
      ? el("div", { class: "quiet" }, t("below_by", { x: Format.mev(-d.distance_below_others) })) : null;
    return [root,
      finite(d.e_hull) ? el("div", { class: "level" }, el("span", { class: "quiet" }, "DFT"), el("strong", {}, Format.mev(d.e_hull))) : null, below,
      finite(m.e_hull) ? el("div", { class: "level" }, el("span", { class: "quiet" }, t("model")),
        el("span", {}, Format.mev(m.e_hull) + (finite(m.e_hull_std) ? " ± " + Format.mev(m.e_hull_std) : ""))) : null];
  }

  // Paints pictures when they come into view; printing paints all.
  const painter = (() => {
    const waiting = new Map();
    const paint = (canvas) => {
      const structure = waiting.get(canvas);
      if (!structure) return;
      waiting.delete(canvas);
      Viewer.thumbnail(canvas, structure, 84);
    };
    let observer = null;
    return {
      begin() {
        waiting.clear();
        observer = new IntersectionObserver((entries) => {
          for (const entry of entries) if (entry.isIntersecting) { paint(entry.target); observer.unobserve(entry.target); }
        }, { rootMargin: "300px" });
        Dom.at_end(() => observer.disconnect());
      },
      watch(canvas, structure) { waiting.set(canvas, structure); observer.observe(canvas); },
      all() { for (const canvas of [...waiting.keys()]) paint(canvas); },
    };
  })();
  window.addEventListener("beforeprint", () => painter.all());

  function passes(c) {
    const f = state.filter;
    const limit = (text) => (text.trim() === "" ? null : Number(text.replace(",", ".")));
    const words = [c.id, c.formula, c.prototype, c.space_group_after?.symbol, c.known?.name].map(text_of).join(" ").toLowerCase();
    if (f.text && !words.includes(f.text.trim().toLowerCase())) return false;
    if (f.system && c.system !== f.system) return false;
    if (f.status && c.status !== f.status) return false;
    const [low, high, hull] = [limit(f.gap_low), limit(f.gap_high), limit(f.hull)];
    if (low !== null && !(gap_of(c) >= low)) return false;
    if (high !== null && !(gap_of(c) <= high)) return false;
    return hull === null || (Data.best_e_hull(c)?.value ?? Infinity) * 1000 <= hull;
  }

  // Unknown values go last, whichever way the column is sorted.
  function sorted(rows) {
    const { value } = columns.find((column) => column.key === state.sort);
    const missing = (v) => v === undefined || v === null || v === "" || (typeof v === "number" && !Number.isFinite(v));
    const way = state.descending ? -1 : 1;
    return [...rows].sort((a, b) => {
      const [p, q] = [value(a), value(b)];
      if (missing(p) || missing(q)) return missing(p) - missing(q) || (a.rank ?? 0) - (b.rank ?? 0);
      const order = typeof p === "string" ? p.localeCompare(q) : p - q;
      return way * order || (a.rank ?? 0) - (b.rank ?? 0);
    });
  }

  function table() {
    painter.begin();
    const body = el("tbody", {});
    const shown = el("p", { class: "quiet", "aria-live": "polite" });
    const lines = new Map(Data.ranked.map((c) => [c, line_of(c)]));
    const details = new Map();
    const detail_of = (c) => {
      if (!details.has(c)) details.set(c, el("tr", { class: "opened" }, el("td", { colspan: columns.length }, Detail.of(c))));
      return details.get(c);
    };
    const refresh = () => {
      const rows = sorted(Data.ranked.filter(passes));
      body.replaceChildren(...rows.flatMap((c) => (state.open.has(c.id) ? [lines.get(c), detail_of(c)] : [lines.get(c)])));
      shown.textContent = t("shown", { n: rows.length, m: Data.ranked.length });
    };
    for (const [c, line] of lines) {
      const opener = line.querySelector(".opener");
      const toggle = () => {
        if (state.open.delete(c.id)) detail_of(c).remove();
        else {
          state.open.add(c.id);
          line.after(detail_of(c));
        }
        opener.setAttribute("aria-expanded", String(state.open.has(c.id)));
      };
      line.addEventListener("click", (event) => { if (!event.target.closest("a, button:not(.opener)")) toggle(); });
    }
    const head = heads(refresh);
    refresh();
    return [filters(refresh), shown, Dom.scroll(el("table", { class: "ranked" }, el("caption", { class: "hidden" }, t("section_ranked")), head, body), t("section_ranked"))];
  }

  const line_of = (c) => el("tr", { class: "candidate-row", "data-id": c.id }, columns.map((column) => el("td", { class: "c-" + column.key }, column.cell(c))));

  function heads(refresh) {
    const cells = columns.map((column) => {
      if (!column.value) return el("th", { scope: "col", "data-key": column.key }, column.head());
      const cell = el("th", { scope: "col", "data-key": column.key }, el("button", { type: "button", class: "sorter", onclick: () => {
        state.descending = state.sort === column.key && !state.descending;
        state.sort = column.key;
        mark();
        refresh();
      } }, column.head(), el("span", { class: "direction", "aria-hidden": "true" })));
      return cell;
    });
    const mark = () => cells.forEach((cell) => {
      const active = cell.dataset.key === state.sort;
      if (active) cell.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    mark();
    return el("thead", {}, el("tr", {}, cells));
  }

  function filters(refresh) {
    const field = (name, label, attributes) => el("label", {}, el("span", {}, label),
      el("input", { ...attributes, value: state.filter[name], oninput: (event) => { state.filter[name] = event.target.value; refresh(); } }));
    const select = (name, label, options) => el("label", {}, el("span", {}, label),
      el("select", { "data-filter": name, onchange: (event) => { state.filter[name] = event.target.value; refresh(); } },
        el("option", { value: "" }, t("all")), options.map(([value, text]) => el("option", { value, selected: state.filter[name] === value }, text))));
    const systems = [...new Set(Data.ranked.map((c) => c.system).filter(Boolean))].sort();
    const statuses = ["DFT-confirmed", "known phase", "DFT-checked", "predicted"].filter((word) => Data.ranked.some((c) => c.status === word));
    const narrow = { type: "text", inputmode: "decimal", size: "5" };
    return el("form", { class: "filters", onsubmit: (event) => event.preventDefault() },
      field("text", t("search"), { type: "search", placeholder: t("search_hint") }),
      select("system", t("system"), systems.map((name) => [name, name])),
      select("status", t("status"), statuses.map((word) => [word, Format.status(word).textContent])),
      field("gap_low", t("gap") + " ≥ (eV)", narrow), field("gap_high", t("gap") + " ≤ (eV)", narrow),
      field("hull", `${t("e_hull")} ≤ (meV/${t("atom")})`, narrow));
  }

  return { table, state };
})();
