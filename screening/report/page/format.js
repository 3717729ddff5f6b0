// Formulas, space groups, energies and times, as nodes or texts.
const Format = (() => {
  const dash = "–";

  function formula(text) {
    if (!Data.composition(text)) return text ?? dash;
    return [...text.matchAll(/([A-Z][a-z]?)(\d*)/g)].flatMap(([, symbol, n]) => (n ? [symbol, el("sub", {}, n)] : [symbol]));
  }

  // spglib writes screw axes as 2_1 and inversion axes as -3.
  function space_group(group, with_number = true) {
    if (!group || !group.symbol) return dash;
    const parts = [...String(group.symbol).matchAll(/_(\d)|-(\d)|([^_-]+|[_-])/g)].map(([, sub, bar, plain]) =>
      sub ? el("sub", {}, sub) : bar ? el("span", { class: "bar", "aria-label": "-" + bar }, bar) : plain);
    const number = with_number && group.number ? el("span", { class: "quiet" }, ` (${group.number})`) : null;
    return el("span", { class: "group" }, parts.map((part) => typeof part === "string"
      ? [...part].map((c) => (/[a-zA-Z]/.test(c) ? el("i", {}, c) : c)) : part), number);
  }

  const ev = (value, signed = false) => I18n.number(value, 3, signed);
  const mev = (value, digits = 0) => (Data.finite(value) ? I18n.number(value * 1000, digits) : dash);

  // Core-seconds, and core-hours where that is easier to read.
  function cost(seconds) {
    if (!Data.finite(seconds)) return dash;
    const plain = t("core_seconds", { x: I18n.number(seconds, seconds < 10 ? 1 : 0) });
    return seconds < 1800 ? plain : `${plain} (${t("core_hours", { x: I18n.number(seconds / 3600, 2) })})`;
  }

  // Text with DOIs and web addresses as links; they are followed only when clicked.
  function linked(text) {
    if (text === undefined || text === null || text === "") return dash;
    const pattern = /(https?:\/\/[^\s<>"]+|10\.\d{4,9}\/[^\s<>",;]+)/g;
    return String(text).split(pattern).map((part, i) => {
      if (i % 2 === 0) return part;
      const tail = part.match(/[.,;)\]]*$/)[0];
      const address = tail ? part.slice(0, -tail.length) : part;
      const href = address.startsWith("http") ? address : "https://doi.org/" + address;
      return [el("a", { href, rel: "noopener noreferrer" }, address), tail];
    });
  }

  // A compound on the hull decomposes into nothing but itself.
  function decomposition(phases, own, e_hull) {
    if (Data.finite(e_hull) && e_hull <= Data.on_hull_tolerance) return t("on_hull");
    const known = Data.list(phases).filter((phase) => phase.formula !== own || Data.list(phases).length > 1);
    if (!known.length) return dash;
    return el("span", { title: t("share_of_atoms") }, known.map((phase, i) => [
      i ? " + " : "",
      known.length > 1 && Data.finite(phase.fraction) ? I18n.number(100 * phase.fraction, 0) + "\u202f%\u00a0" : "",
      formula(phase.formula)]));
  }

  function gap(value) {
    const g = Data.object(value);
    if (g.kind === "metal") return [t("metal"), level(g)];
    if (!Data.finite(g.value)) return dash;
    const kind = g.kind === "direct" || g.kind === "indirect" ? t(g.kind) : "";
    const direct = g.kind === "indirect" && Data.finite(g.direct)
      ? el("div", { class: "quiet" }, t("direct_gap", { x: I18n.number(g.direct, 2) })) : null;
    return [`${I18n.number(g.value, 2)}\u00a0eV ${kind}`, direct, level(g)];
  }
  const level = (g) => (g.level ? el("div", { class: "quiet" }, g.level) : null);

  const status_key = { predicted: "status_predicted", "DFT-checked": "status_checked", "known phase": "status_known", "DFT-confirmed": "status_confirmed" };
  function status(word) {
    const key = status_key[word];
    return el("span", { class: "badge " + (key || ""), "data-status": word, title: key ? t(key + "_meaning") : undefined },
      key ? t(key) : word ?? dash);
  }

  // Words of the program that have a translation, as they are where they have none.
  const word = (prefix, text) => {
    if (text === undefined || text === null) return dash;
    const key = prefix + "_" + String(text).toLowerCase().replace(/[^a-z0-9]+/g, "_");
    return I18n.has(key) ? t(key) : String(text);
  };

  const thz = (value) => (Data.finite(value) ? `${I18n.number(value, 2)}\u00a0THz` : dash);

  function dynamic(c) {
    if (c.dynamic_stability === "stable") return t("dynamic_stable", { x: thz(-Data.object(c.phonons).tolerance) });
    if (c.dynamic_stability === "unstable") return el("strong", {}, t("dynamic_unstable", { x: thz(Data.object(c.phonons).lowest) }));
    return t("dynamic_not_tested");
  }

  function known(entry) {
    if (entry === undefined) return el("span", { class: "quiet" }, t("not_compared"));
    if (entry === null) return el("span", { title: t("new_meaning") }, t("new"));
    return [t("known"), ": ", Data.composition(entry.name) ? formula(entry.name) : Phrases.text(entry.name), entry.source ? el("div", { class: "quiet" }, linked(entry.source)) : null];
  }

  return { dash, formula, space_group, ev, mev, cost, linked, decomposition, gap, status, word, thz, dynamic, known };
})();
