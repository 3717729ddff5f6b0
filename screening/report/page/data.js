// The summary with every list present, and the few quantities that several parts of the page share.
const Data = (() => {
  const summary = JSON.parse(document.getElementById("summary").textContent);
  const list = (value) => (Array.isArray(value) ? value : []);
  const object = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});
  const finite = (value) => typeof value === "number" && Number.isFinite(value);

  const candidates = list(summary.candidates);
  const ranked = candidates.filter((c) => c.outcome === "ranked");
  ranked.sort((a, b) => (finite(a.rank) ? a.rank : Infinity) - (finite(b.rank) ? b.rank : Infinity));
  const competing = list(summary.competing);
  const rounds = list(summary.rounds);
  const campaign = object(summary.campaign);

  const model = (c) => object(c.model);
  const dft = (c) => object(c.dft);
  // Compared on the DFT hull: only there does "on the hull" have a meaning in this report.
  const confirmed = ranked.filter((c) => c.status === "DFT-confirmed" && finite(dft(c).e_hull));
  // Became known phases, whose DFT energies are from before this campaign.
  const rediscovered = ranked.filter((c) => c.status === "known phase" && finite(dft(c).e_hull));

  // [eV/atom]: two relaxations of one phase end this close; as in the campaign's own count.
  const on_hull_tolerance = 1e-3;
  const near_hull = 0.025;  // [eV/atom]

  // E_hull at the highest level there is; the level goes with it wherever it is shown.
  function best_e_hull(c) {
    if (finite(dft(c).e_hull)) return { value: dft(c).e_hull, level: "DFT" };
    if (finite(model(c).e_hull)) return { value: model(c).e_hull, level: "model" };
    return null;
  }

  const labels = rounds.flatMap((round) => list(round.labels).map((label) => ({ ...label, round: round.round })));

  // {element: count} of a plain formula, or null for anything else.
  function composition(formula) {
    if (typeof formula !== "string" || !/^([A-Z][a-z]?\d*)+$/.test(formula)) return null;
    const counts = {};
    for (const [, symbol, n] of formula.matchAll(/([A-Z][a-z]?)(\d*)/g)) {
      counts[symbol] = (counts[symbol] || 0) + (n === "" ? 1 : Number(n));
    }
    return counts;
  }

  // Names that are safe as file names; the same rule as file_stem in tables.cpp.
  const file_stem = (c) => `${c.id ?? ""}_${c.formula ?? ""}`.replace(/[^A-Za-z0-9-]/g, "_");

  return { summary, list, object, finite, candidates, ranked, confirmed, rediscovered, competing, rounds, labels, campaign,
           model, dft, on_hull_tolerance, near_hull, best_e_hull, composition, file_stem };
})();
