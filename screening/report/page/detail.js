// What opens below a row: the picture that turns, and everything that is recorded about the candidate.
const Detail = (() => {
  function pairs(rows) {
    return el("dl", { class: "pairs" }, rows.filter(([, value]) => value !== undefined && value !== null && value !== "")
      .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  const with_unit = (value, digits, unit) => (Data.finite(value) ? `${I18n.number(value, digits)} ${unit}` : null);

  function origin(c) {
    return pairs([
      [t("identifier"), c.id], [t("origin"), Format.word("origin", c.origin)], [t("prototype"), c.prototype],
      [t("decoration"), c.decoration], [t("oxidation"), c.oxidation],
      [t("atoms_in_cell"), Data.finite(c.n_atoms) ? String(c.n_atoms) : null],
      [t("volume"), with_unit(c.volume_per_atom, 2, `Å³/${t("atom")}`)],
      [t("group_before"), c.space_group_before ? Format.space_group(c.space_group_before) : null],
      [t("group_after"), c.space_group_after ? Format.space_group(c.space_group_after) : null],
      [t("dynamic_stability"), Format.dynamic(c)],
      ...phonons(c),
      [t("known_or_new"), Format.known(c.known)],
    ]);
  }

  function phonons(c) {
    const p = Data.object(c.phonons);
    if (p.reason) return [[t("reason"), Phrases.node(p.reason)]];
    return [[t("phonon_lowest"), Data.finite(p.lowest) ? `${Format.thz(p.lowest)} (${Data.list(p.wave_vector).map((x) => I18n.number(x, 2)).join(" ")})` : null],
      [t("phonon_supercell"), Data.list(p.copies).length ? `${p.copies.join(" × ")}, ${p.n_atoms} ${t("atoms")}` : null]];
  }

  function model(c) {
    const m = Data.model(c);
    if (!Object.keys(m).length) return el("p", { class: "quiet" }, t("not_known"));
    const members = Data.list(m.e_hull_members).filter(Data.finite);
    return pairs([
      [t("formation_energy"), with_unit(m.formation_energy, 3, `eV/${t("atom")}`)],
      [t("e_hull"), Data.finite(m.e_hull) ? `${Format.mev(m.e_hull)}${Data.finite(m.e_hull_std) ? " ± " + Format.mev(m.e_hull_std) : ""} meV/${t("atom")}` : null],
      [t("committee"), members.length ? members.map((v) => Format.mev(v)).join(" · ") + ` meV/${t("atom")}` : null],
      [t("relax_steps"), Data.finite(m.relax_steps) ? I18n.number(m.relax_steps, 0) : null],
      [t("reason"), c.reason ? Phrases.node(c.reason) : null],
    ]);
  }

  function dft(c) {
    const d = Data.dft(c);
    if (!Object.keys(d).length) return el("p", { class: "quiet" }, t("no_dft"), c.dft_failed ? [" ", t("dft_failed"), " ", Phrases.node(c.dft_failed)] : null);
    const mu = Array.isArray(d.mu_n_range) ? `${I18n.number(d.mu_n_range[0], 2)} … ${I18n.number(d.mu_n_range[1], 2)} eV`
      : d.mu_n_range === null ? t("mu_nowhere") : null;
    return pairs([
      [t("energy"), with_unit(d.energy, 4, `eV/${t("atom")}`)],
      [t("formation_energy"), with_unit(d.formation_energy, 3, `eV/${t("atom")}`)],
      [t("e_hull_uncorrected"), with_unit(Data.finite(d.e_hull) ? d.e_hull * 1000 : null, 1, `meV/${t("atom")}`)],
      [t("e_hull_corrected") + (d.correction_name ? ` (${Phrases.text(d.correction_name)})` : ""),
        with_unit(Data.finite(d.e_hull_corrected) ? d.e_hull_corrected * 1000 : null, 1, `meV/${t("atom")}`)],
      [t("below_others"), with_unit(Data.finite(d.distance_below_others) ? d.distance_below_others * 1000 : null, 1, `meV/${t("atom")}`)],
      [t("decomposition"), Data.finite(d.e_hull) ? Format.decomposition(d.decomposition, c.formula, d.e_hull) : null],
      [t("mu_range"), mu],
      [t("fmax"), with_unit(d.fmax, 3, "eV/Å")], [t("smax"), with_unit(d.smax_gpa, 2, "GPa")],
    ]);
  }

  function downloads(c) {
    const button = (text, name, content, type) => typeof content === "string" && content !== ""
      ? el("button", { type: "button", class: "download", onclick: () => Dom.download(name, content, type) }, text) : null;
    const stem = Data.file_stem(c);
    return [button("CIF", stem + ".cif", c.cif, "chemical/x-cif"), button("GPAW", stem + ".py", c.gpaw_input, "text/x-python")];
  }

  // Members that the parts above do not show, so that nothing recorded is hidden.
  function everything(c) {
    const { structure, cif, gpaw_input, ...rest } = c;
    return Dom.fold(t("all_values"), Sections.nested(rest));
  }

  function positions(c) {
    if (!Crystal.is_drawable(c.structure)) return null;
    const vector = (v) => v.map((x) => I18n.number(x, 4));
    return Dom.fold(t("cell_and_positions"), Dom.table(["", "x (Å)", "y (Å)", "z (Å)"],
      [...c.structure.cell.map((v, i) => [el("i", {}, "abc"[i]), ...vector(v)]),
       ...c.structure.positions.map((v, i) => [c.structure.symbols[i], ...vector(v)])], { class: "compact", numeric: [1, 2, 3] }));
  }

  function picture_text(c) {
    const group = c.space_group_after || c.space_group_before;
    return t("picture_label", { formula: c.formula ?? c.id, group: group && group.symbol ? group.symbol : "?", atoms: c.n_atoms ?? "?" });
  }

  function of(c) {
    return el("div", { class: "detail" },
      Viewer.interactive(c.structure, picture_text(c)),
      el("div", { class: "columns" },
        el("div", {}, el("h4", {}, t("origin_and_symmetry")), origin(c)),
        el("div", {}, el("h4", {}, t("model_says")), model(c)),
        el("div", {}, el("h4", {}, t("dft_says")), dft(c), el("p", {}, Format.status(c.status)), el("p", { class: "buttons" }, downloads(c)))),
      el("div", { class: "wide" }, positions(c), everything(c)));
  }

  return { of, downloads, picture_text, pairs };
})();
