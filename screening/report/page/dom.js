// Elements are made here, always from text, never from markup: names from files cannot become code.
const Dom = (() => {
  const svg_space = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    add(node, children);
    return node;
  }

  function add(node, children) {
    for (const child of children.flat(Infinity)) {
      if (child === undefined || child === null || child === false) continue;
      node.append(child instanceof Node ? child : String(child));
    }
  }

  const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const svg = (tag, attributes, ...children) => fill(document.createElementNS(svg_space, tag), attributes, children);

  // A table that scrolls sideways by itself; `head` and `rows` hold texts or nodes.
  function table(head, rows, options = {}) {
    const cell = (tag, content, column) => el(tag, {
      class: (options.numeric || []).includes(column) ? "num" : undefined,
      scope: tag === "th" ? "col" : undefined,
    }, content);
    return scroll(el("table", { class: options.class },
      el("thead", {}, el("tr", {}, head.map((text, i) => cell("th", text, i)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((content, i) => cell("td", content, i)))))),
      options.label);
  }

  const scroll = (content, label) =>
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label || t("table") }, content);

  const section = (id, ...children) =>
    el("section", { id, "aria-labelledby": id + "-title" }, el("h2", { id: id + "-title" }, t("section_" + id)), children);

  const fold = (summary, ...children) => el("details", {}, el("summary", {}, summary), children);

  // What needs its size to draw itself waits until it stands in the document.
  const placings = [];
  const at_place = (action) => placings.push(action);
  const place_all = () => {
    while (placings.length) try { placings.shift()(); } catch (error) { Errors.note(error); }
  };

  // Ends of what was built for the last language: observers, animation.
  const endings = [];
  const at_end = (action) => endings.push(action);
  const end_all = () => { while (endings.length) endings.pop()(); };

  function download(name, text, type) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    el("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  return { el, svg, table, scroll, section, fold, at_place, place_all, at_end, end_all, download };
})();
const { el, svg } = Dom;
