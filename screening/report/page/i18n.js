// Texts in five languages and numbers as each of them writes numbers.
const I18n = (() => {
  const texts = JSON.parse(document.getElementById("texts").textContent);
  const languages = Object.keys(texts);
  let current = "en";

  function preferred() {
    for (const wanted of navigator.languages || [navigator.language || "en"]) {
      const short = wanted.toLowerCase().split("-")[0];
      if (languages.includes(short)) return short;
    }
    return "en";
  }

  function use(language) {
    current = languages.includes(language) ? language : preferred();
    document.documentElement.lang = current;
  }

  // A text, with {name} replaced; an entry with "one" and "other" is chosen by values.n.
  function t(key, values = {}) {
    let text = texts[current][key];
    if (text === undefined) {
      Errors.note("no text for " + key + " in " + current);
      return "⟦" + key + "⟧";
    }
    if (typeof text === "object") text = Number(values.n) === 1 ? text.one : text.other;
    return text.replace(/\{(\w+)\}/g, (whole, name) => {
      if (!(name in values)) return whole;
      const value = values[name];
      return typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 2) : String(value);
    });
  }

  const has = (key) => texts[current][key] !== undefined;

  // Own formatting: browsers differ in which of these languages they know. Groups of three are parted by a
  // narrow space from five digits on, the same in all five languages.
  function number(value, digits = 3, signed = false) {
    if (typeof value !== "number" || !Number.isFinite(value)) return "–";
    let text = Math.abs(value).toFixed(digits);
    const negative = value < 0 && Number(text) !== 0;
    let [whole, fraction] = text.split(".");
    if (whole.length > 4) whole = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
    text = fraction === undefined ? whole : whole + (current === "en" ? "." : ",") + fraction;
    return (negative ? "\u2212" : signed ? "+" : "") + text;
  }

  const list = (items) => items.length < 2 ? items.join("")
    : items.slice(0, -1).join(", ") + " " + t("and") + " " + items[items.length - 1];

  return { use, t, has, number, list, languages, name: (language) => texts[language].language,
           get language() { return current; } };
})();
const t = I18n.t;
