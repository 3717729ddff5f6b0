// The parts of the page around the ranked table, in the order in which they stand.
const Sections = (() => {
  const { list, object, finite, summary, campaign } = Data;
  const plain = (value) => (value === null || value === undefined ? Format.dash : typeof value === "object" ? JSON.stringify(value) : String(value));

  // Any nested data as a table of dotted names; lists of plain values on one line.
  function flatten(value, prefix = "") {
    const is_branch = (v) => v && typeof v === "object" && (Array.isArray(v) ? v.some((x) => x && typeof x === "object") : Object.keys(v).length > 0);
    if (!is_branch(value)) return [[prefix, Array.isArray(value) ? value.map(plain).join(", ") || Format.dash : plain(value)]];
    return Object.entries(value).flatMap(([key, inner]) => flatten(inner, prefix ? `${prefix}.${key}` : key));
  }
  const nested = (value) => Dom.table([t("name"), t("value")],
    flatten(value).map(([name, text]) => [el("code", {}, name), el("span", { class: "raw" }, Format.linked(text))]), { class: "compact settings" });
  const nested_or_none = (value) => (value && typeof value === "object" && Object.keys(value).length ? nested(value) : el("p", { class: "quiet" }, t("not_known")));

  // A text of the summary may come in several languages; without them it is English.
  function told(text) {
    if (text && typeof text === "object") return text[I18n.language] ?? text.en ?? Object.values(text)[0];
    return Phrases.node(text);
  }

  function answer() {
    const is_near = (c) => Data.dft(c).e_hull <= Data.near_hull;
    const is_on = (c) => Data.dft(c).e_hull <= Data.on_hull_tolerance;
    const on = Data.confirmed.filter(is_on);
    const near = Data.confirmed.filter((c) => is_near(c) && !is_on(c));
    const distinct = list(summary.funnel).find((step) => step.stage === "distinct")?.count;
    const n = finite(distinct) ? distinct : Data.candidates.filter((c) => c.outcome !== "duplicate").length;
    const systems = list(summary.systems).length || new Set(Data.candidates.map((c) => c.system)).size;
    const found = [...on, ...near].filter((c) => c.known).concat(Data.rediscovered.filter(is_near));
    const fresh = [...on, ...near].filter((c) => c.known === null);
    const name = (c) => [Format.formula(c.formula), " ", Format.space_group(c.space_group_after || c.space_group_before, false)];
    const join = (cs) => cs.slice(0, 8).flatMap((c, i, all) => [i === 0 ? "" : i === all.length - 1 && cs.length <= 8 ? ` ${t("and")} ` : ", ", name(c)])
      .concat(cs.length > 8 ? [` ${t("and_more", { n: cs.length - 8 })}`] : []);
    if (!Data.candidates.length) return el("p", { class: "answer" }, t("answer_empty"));
    const counts = { candidates: t("n_candidates", { n }), systems: t("n_systems", { n: systems }) };
    const rediscoveries = found.length ? [t("answer_known"), " ", join(found)] : t("answer_no_known");
    if (!Data.confirmed.length) return el("p", { class: "answer" }, t("answer_none", counts), " ", rediscoveries, ".");
    return el("p", { class: "answer" },
      t("answer_counts", { ...counts, confirmed: t("n_confirmed", { n: Data.confirmed.length }), on: String(on.length), near: String(near.length), limit: Format.mev(Data.near_hull) }),
      " ",
      rediscoveries,
      fresh.length ? ["; ", t("answer_new", { n: fresh.length }), " ", join(fresh), "."] : ["; ", t("answer_no_new"), "."]);
  }

  function header() {
    const info = object(summary.tamiz);
    return el("header", { id: "top" },
      el("p", { class: "kicker" }, t("report_of")),
      el("h1", {}, campaign.name ?? t("unnamed")),
      campaign.question ? el("p", { class: "question" }, told(campaign.question)) : null,
      answer(),
      el("p", { class: "quiet" }, [info.version ? `Tamiz ${info.version}` : "Tamiz", info.commit, list(campaign.elements).join(" "),
        object(campaign.level).name].filter(Boolean).join(" · ")));
  }

  function funnel() {
    const steps = list(summary.funnel);
    if (!steps.length) return Dom.section("funnel", el("p", { class: "quiet" }, t("not_known")));
    const most = Math.max(1, ...steps.map((step) => (finite(step.count) ? step.count : 0)));
    return Dom.section("funnel", el("ol", { class: "funnel" }, steps.map((step) => el("li", {},
      el("span", { class: "stage" }, Format.word("stage", step.stage)),
      el("span", { class: "track", "aria-hidden": "true" }, el("span", { class: "bar-fill", style: `width:${(100 * (step.count || 0)) / most}%` })),
      el("span", { class: "count" }, I18n.number(step.count, 0))))));
  }

  function ranked() {
    return Dom.section("ranked", el("p", {}, t("ranked_text")),
      Data.ranked.length ? Ranked.table() : el("p", { class: "notice" }, t("no_ranked")), unranked());
  }

  function unranked() {
    const groups = new Map();
    for (const c of Data.candidates) {
      if (c.outcome === "ranked") continue;
      const outcome = c.outcome ?? "unknown";
      groups.set(outcome, [...(groups.get(outcome) || []), c]);
    }
    const order = ["hull incomplete", "failed", "duplicate"];
    const place = (outcome) => (order.includes(outcome) ? order.indexOf(outcome) : order.length);
    return [...groups].sort((a, b) => place(a[0]) - place(b[0])).map(([outcome, rows]) => {
      const content = Dom.table([t("identifier"), t("composition"), t("system"), t("prototype"), t("space_group"),
        `${t("formation_energy")}, ${t("model")} (eV/${t("atom")})`, t("reason")],
        rows.map((c) => [c.id ?? Format.dash, Format.formula(c.formula), c.system ?? Format.dash, c.prototype ?? Format.dash,
          Format.space_group(c.space_group_after || c.space_group_before), Format.ev(Data.model(c).formation_energy),
          Phrases.node(c.reason)]), { class: "compact", numeric: [5], label: Format.word("outcome", outcome) });
      const title = `${Format.word("outcome", outcome)} (${I18n.number(rows.length, 0)})`;
      if (outcome !== "hull incomplete") return Dom.fold(title, content);
      return el("div", { class: "apart", id: "hull-incomplete" }, el("h3", {}, title), el("p", {}, t("hull_incomplete_text")), content);
    });
  }

  const figures = (...items) => {
    const drawn = items.flat().filter(Boolean);
    return drawn.length ? el("div", { class: "figures" }, drawn) : null;
  };

  function stability() {
    const parts = [PlotHull.all(), figures(PlotStability.distribution(), PlotStability.gaps()), figures(PlotStability.correction(), PlotStability.nitrogen())].filter(Boolean);
    const corrections = object(summary.corrections);
    return Dom.section("stability", parts.length ? parts : el("p", { class: "quiet" }, t("nothing_to_draw")),
      Object.keys(corrections).length ? el("div", {}, el("h3", {}, t("corrections_title"), corrections.name ? `: ${Phrases.text(corrections.name)}` : ""),
        corrections.text ? el("p", {}, told(corrections.text)) : null, corrections.n2_error_note ? el("p", {}, told(corrections.n2_error_note)) : null,
        Object.keys(object(corrections.per_element)).length ? Dom.table([t("element"), `${t("correction")} (eV/${t("atom")})`],
          Object.entries(corrections.per_element).map(([symbol, value]) => [symbol, finite(value) ? I18n.number(value, 3, true) : plain(value)]), { class: "compact", numeric: [1] }) : null) : null);
  }

  function model() {
    const parts = figures(PlotModel.parity(), PlotModel.errors("energy_mae"), PlotModel.errors("force_mae"));
    const info = object(summary.model);
    return Dom.section("model", parts ?? el("p", { class: "quiet" }, t("nothing_to_draw")), rounds_table(),
      el("h3", {}, t("model_card")), info.file ? el("p", {}, t("file"), ": ", el("code", {}, String(info.file))) : null,
      nested_or_none(info.card), Object.keys(object(info.description)).length ? Dom.fold(t("model_description"), nested(info.description)) : null);
  }

  function rounds_table() {
    const rows = Data.rounds.filter((round) => Object.keys(object(round.training)).length);
    if (!rows.length) return null;
    return [el("h3", {}, t("rounds_title")), Dom.table([t("round"), t("labels"), t("cost"), t("training_steps"), t("frames"), t("held_out_labels"), t("verdict"), t("reason")], rows.map((round) => {
      const training = round.training;
      return [String(round.round ?? Format.dash), String(list(round.labels).length), Format.cost(round.cost), I18n.number(training.steps, 0), I18n.number(training.n_frames, 0),
        I18n.number(training.n_held_out, 0),
        training.adopted === undefined ? Format.dash : training.adopted ? t("adopted") : t("not_adopted"), Phrases.node(training.reason)];
    }), { class: "compact", numeric: [0, 1, 3, 4, 5] })];
  }

  function labels() {
    const cost = object(summary.cost);
    const lines = [["labels", Format.cost], ["failed", Format.cost], ["interrupted", Format.cost], ["n_labels"], ["n_failed"], ["n_cached"], ["n_timed_out"]]
      .filter(([key]) => key in cost).map(([key, show]) => [t("cost_" + key), (show || ((v) => I18n.number(v, 0)))(cost[key])]);
    for (const key of Object.keys(cost)) if (!I18n.has("cost_" + key)) lines.push([el("code", {}, key), plain(cost[key])]);
    return Dom.section("labels", figures(PlotModel.costs()),
      lines.length ? Dom.table([t("quantity"), t("value")], lines, { class: "compact", numeric: [1], label: t("cost") }) : el("p", { class: "quiet" }, t("not_known")),
      Data.labels.length ? Dom.fold(t("all_labels", { n: Data.labels.length }), Dom.table(
        [t("round"), t("identifier"), t("composition"), t("task"), t("why"), t("result"), t("reason"), `${t("e_hull")}, ${t("model")} (eV/${t("atom")})`, `${t("e_hull")}, DFT (eV/${t("atom")})`, t("core_seconds_axis")],
        Data.labels.map((l) => [String(l.round ?? Format.dash), l.candidate ?? Format.dash, Format.formula(l.formula), Format.word("task", l.task), Phrases.node(l.why),
          t("outcome_" + PlotModel.outcome_of(l)), Phrases.node(l.reason),
          finite(l.predicted) ? Format.ev(l.predicted) + (finite(l.sigma) ? " ± " + Format.ev(l.sigma) : "") : Format.dash, Format.ev(l.dft), I18n.number(l.cost, 1)]),
        { class: "compact", numeric: [0, 7, 8, 9] })) : null);
  }

  function competing() {
    const systems = list(summary.systems);
    return Dom.section("competing", el("p", {}, t("competing_text")),
      systems.length ? Dom.table([t("system"), t("hull"), t("missing")], systems.map((s) => [s.name ?? Format.dash,
        s.complete === undefined ? Format.dash : s.complete ? t("complete") : t("incomplete"), list(s.missing).map(plain).join(", ") || Format.dash]), { class: "compact" }) : null,
      Data.competing.length ? Dom.table([t("composition"), t("name"), t("space_group"), t("atoms_in_cell"), `${t("formation_energy")} (eV/${t("atom")})`,
        `${t("energy")} (eV/${t("atom")})`, t("energy_model") + ` (eV/${t("atom")})`, t("gap") + " (eV)", `${t("e_hull")} (meV/${t("atom")})`, t("source")],
        Data.competing.map((p) => [Format.formula(p.formula), p.name ?? Format.dash, Format.space_group(typeof p.space_group === "object" ? p.space_group : { symbol: p.space_group }),
          finite(p.n_atoms) ? String(p.n_atoms) : Format.dash, Format.ev(p.formation_energy), Format.ev(p.energy), Format.ev(p.energy_model),
          finite(p.gap) ? I18n.number(p.gap, 2) : finite(object(p.gap).value) ? I18n.number(p.gap.value, 2) : Format.dash,
          finite(p.e_hull) ? Format.mev(p.e_hull) : p.on_hull === undefined ? Format.dash : p.on_hull ? "0" : t("above_hull"), Format.linked(p.source)]), { class: "compact", numeric: [3, 4, 5, 6, 7, 8] })
        : el("p", { class: "quiet" }, t("not_known")));
  }

  function settings() {
    return Dom.section("settings", campaign.folder ? el("p", {}, t("folder"), ": ", el("code", {}, campaign.folder)) : null,
      el("h3", {}, t("campaign_settings")), nested_or_none(campaign.settings), el("h3", {}, t("level_of_theory")), nested_or_none(campaign.level),
      campaign.config_text ? Dom.fold(t("config_text"), el("pre", { tabindex: "0" }, campaign.config_text)) : null, other_data());
  }

  // What a newer program records and this page has no place for.
  function other_data() {
    const shown = ["tamiz", "campaign", "funnel", "systems", "competing", "candidates", "rounds", "parity", "cost", "corrections", "model", "limits"];
    const rest = Object.fromEntries(Object.entries(summary).filter(([key]) => !shown.includes(key)));
    const known = ["name", "question", "folder", "config_text", "settings", "level", "elements"];
    const more = Object.entries(campaign).filter(([key]) => !known.includes(key));
    if (more.length) rest.campaign = Object.fromEntries(more);
    return Object.keys(rest).length ? Dom.fold(t("other_data"), nested(rest)) : null;
  }

  function words() {
    const entries = [["status_predicted", "status_predicted_meaning"], ["status_checked", "status_checked_meaning"], ["status_known", "status_known_meaning"], ["status_confirmed", "status_confirmed_meaning"],
      ["formation_energy", "formation_energy_meaning"], ["e_hull", "e_hull_meaning"], ["hull_incomplete", "hull_incomplete_text"], ["new", "new_meaning"],
      ["dynamic_stability", "dynamic_stability_meaning"], ["dynamic_not_tested", "dynamic_not_tested_meaning"]];
    return Dom.section("words", el("dl", { class: "words" }, entries.map(([word, meaning]) => [el("dt", {}, t(word)), el("dd", {}, t(meaning))])));
  }

  function limits() {
    const items = list(summary.limits);
    return Dom.section("limits", items.length ? el("ul", {}, items.map((item) => el("li", {}, told(item)))) : el("p", { class: "quiet" }, t("not_known")));
  }

  const order = { funnel, ranked, stability, model, labels, competing, settings, limits, words };
  return { header, order, nested };
})();
