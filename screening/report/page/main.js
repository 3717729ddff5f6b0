// Puts the page together, and again when the language changes. Language and theme live in the address: #lang=gl&theme=dark
const Page = (() => {
  const page = document.getElementById("page");
  const chosen = () => new URLSearchParams(location.hash.slice(1));

  // Changes the address and builds the page again, with the reader where they were.
  function choose(name, value, control) {
    const all = chosen();
    if (value) all.set(name, value);
    else all.delete(name);
    history.replaceState(null, "", "#" + all);
    const height = window.scrollY;
    render();
    document.getElementById(control).focus({ preventScroll: true });
    requestAnimationFrame(() => requestAnimationFrame(() => window.scrollTo(0, height)));
  }

  function bar() {
    const language = el("select", { id: "language", "aria-label": t("language_choice"), onchange: (event) => choose("lang", event.target.value, "language") },
      I18n.languages.map((code) => el("option", { value: code, lang: code, selected: code === I18n.language }, I18n.name(code))));
    const dark = document.documentElement.dataset.theme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    const theme = el("button", { type: "button", id: "theme", onclick: () => choose("theme", dark ? "light" : "dark", "theme") }, dark ? t("light") : t("dark"));
    const links = Object.keys(Sections.order).map((id) => el("a", { href: "#" + id, onclick: (event) => {
      event.preventDefault();
      document.getElementById(id).scrollIntoView();
      document.getElementById(id + "-title").focus({ preventScroll: true });
    } }, t("section_" + id)));
    return el("div", { class: "bar-top" }, el("nav", { "aria-label": t("contents") }, links), el("div", { class: "switches" }, language, theme));
  }

  function render() {
    Dom.end_all();
    I18n.use(chosen().get("lang"));
    const theme = chosen().get("theme");
    if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    const sections = [];
    for (const build of Object.values(Sections.order)) sections.push(guarded(build));
    page.replaceChildren(bar(), el("main", {}, guarded(Sections.header), sections), el("footer", { class: "quiet" }, t("footer")));
    Dom.place_all();
    for (const title of page.querySelectorAll("h2")) title.tabIndex = -1;
  }

  // A part that cannot be shown says so; the others still stand.
  function guarded(build) {
    try {
      return build();
    } catch (error) {
      Errors.note(error && error.stack ? error.stack : error);
      return el("p", { class: "notice" }, t("part_failed", { reason: String(error) }));
    }
  }

  window.addEventListener("hashchange", render);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);
  const opened = chosen().get("open");
  if (opened) for (const id of opened.split(",")) Ranked.state.open.add(id);
  render();
  document.documentElement.dataset.ready = "1";
  return { render };
})();
