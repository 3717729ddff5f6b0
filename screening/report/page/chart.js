// Frame of every figure: title, drawing that follows the width, legend, caption and the numbers as a table.
const Chart = (() => {
  // options: title, caption, label (for those who cannot see it), height(width), draw(svg, width, height),
  // legend [[class or colour, text]], head and rows (the numbers), numeric (columns of numbers)
  function figure(options) {
    const holder = el("div", { class: "plot" });
    const numbers = options.rows && options.rows.length
      ? Dom.fold(t("numbers_of_figure"), Dom.table(options.head, options.rows, { class: "compact", numeric: options.numeric, label: options.title }))
      : null;
    let drawn = 0;
    const draw = (width) => {
      if (width < 40 || Math.abs(width - drawn) < 2) return;
      drawn = width;
      const height = Math.round(options.height(width));
      const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": options.label || options.title });
      options.draw(root, width, height);
      holder.replaceChildren(root);
    };
    Dom.at_place(() => draw(holder.clientWidth));
    // Later sizes. Drawing changes the height of what is observed: it waits for the next frame.
    const observer = new ResizeObserver(() => requestAnimationFrame(() => draw(holder.clientWidth)));
    observer.observe(holder);
    Dom.at_end(() => observer.disconnect());
    return el("figure", { class: options.class }, el("h3", {}, options.title), legend(options.legend), holder,
      options.caption ? el("figcaption", {}, options.caption) : null, numbers);
  }

  const legend = (entries) => entries && entries.length
    ? el("div", { class: "legend" }, entries.map(([name, text]) => el("span", {}, el("span", { class: "key " + name }), text))) : null;

  const scale = (from, to, start, end) => {
    const span = to - from || 1;
    return (x) => start + ((x - from) / span) * (end - start);
  };

  // Round tick values that cover [low, high].
  function ticks(low, high, wanted = 5) {
    const span = high - low || 1;
    const raw = span / wanted;
    const power = 10 ** Math.floor(Math.log10(raw));
    const multiple = [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * (1 - 1e-9));
    const step = multiple * power;
    const values = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * span; ++k) values.push(k * step);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (multiple === 2.5 ? 1 : 0));
    return { values, text: (x) => I18n.number(x, digits) };
  }

  const padded = (values, share = 0.06, least = 1e-3) => {
    const low = Math.min(...values), high = Math.max(...values);
    const pad = Math.max(share * (high - low), least);
    return [low - pad, high + pad];
  };

  // Axes of a box {left, top, right, bottom}; returns the two scales.
  function axes(root, box, x_range, y_range, names) {
    const x = scale(x_range[0], x_range[1], box.left, box.right), y = scale(y_range[0], y_range[1], box.bottom, box.top);
    if (names.x_ticks !== false) {
      const marks = ticks(x_range[0], x_range[1], Math.max(2, Math.floor((box.right - box.left) / 90)));
      for (const value of marks.values) {
        root.append(svg("line", { class: "grid", x1: x(value), x2: x(value), y1: box.top, y2: box.bottom }),
          svg("text", { class: "tick", x: x(value), y: box.bottom + 16, "text-anchor": "middle" }, marks.text(value)));
      }
    }
    if (names.y_ticks !== false) {
      const marks = ticks(y_range[0], y_range[1], Math.max(2, Math.floor((box.bottom - box.top) / 42)));
      for (const value of marks.values) {
        root.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y(value), y2: y(value) }),
          svg("text", { class: "tick", x: box.left - 7, y: y(value) + 4, "text-anchor": "end" }, marks.text(value)));
      }
    }
    if (names.x) root.append(svg("text", { class: "axis", x: (box.left + box.right) / 2, y: box.bottom + 36, "text-anchor": "middle" }, names.x));
    if (names.y) root.append(svg("text", { class: "axis", x: 13, y: (box.top + box.bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 13 ${(box.top + box.bottom) / 2})` }, names.y));
    return { x, y };
  }

  const tip = (node, text) => { node.append(svg("title", {}, text)); return node; };

  const shapes = {
    circle: (x, y, r) => svg("circle", { cx: x, cy: y, r }),
    diamond: (x, y, r) => svg("path", { d: `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z` }),
    square: (x, y, r) => svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }),
  };

  function mark(shape, x, y, r, attributes, text) {
    const node = shapes[shape](x, y, r);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return text ? tip(node, text) : node;
  }

  // Energy above hull [eV/atom] as a colour: blue on the hull, through sand, to brick red at 0.2 and above.
  const stops = [[0, [31, 94, 158]], [0.25, [86, 160, 168]], [0.5, [214, 190, 120]], [1, [176, 62, 44]]];
  function heat(e_hull) {
    const u = Math.min(1, Math.max(0, e_hull / 0.2));
    const upper = stops.findIndex(([at]) => at >= u);
    if (upper <= 0) return `rgb(${stops[0][1].join(",")})`;
    const [a, from] = stops[upper - 1], [b, to] = stops[upper];
    return `rgb(${from.map((v, k) => Math.round(v + ((u - a) / (b - a)) * (to[k] - v))).join(",")})`;
  }

  function heat_legend() {
    const gradient = [0, 0.05, 0.1, 0.15, 0.2].map((e) => heat(e)).join(",");
    return el("div", { class: "legend" }, el("span", {}, "0"),
      el("span", { class: "heat", style: `background:linear-gradient(90deg,${gradient})` }),
      el("span", {}, "≥\u202f200 meV/" + t("atom") + " · " + t("e_hull")));
  }

  return { figure, legend, scale, ticks, padded, axes, tip, mark, heat, heat_legend };
})();
