// Sentences that the program itself writes into its records, in the language of the page. The records are English, so
// the English sentence is the pattern: {name} stands for any text.
const Phrases = (() => {
  const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = (text) => new RegExp("^" + text.split(/\{(\w+)\}/).map((part, i) => (i % 2 ? `(?<${part}>.+?)` : escaped(part))).join("") + "$");
  const phrases = JSON.parse(document.getElementById("phrases").textContent).map((texts) => ({ texts, pattern: pattern(texts.en) }));

  const value = (text) => (I18n.language !== "en" && /^-?\d+\.\d+$/.test(text) ? text.replace(".", ",") : text);

  // The sentence in the language of the page, or null where it is not one of ours.
  function translated(text) {
    for (const { texts, pattern } of phrases) {
      const found = pattern.exec(text);
      if (found) return texts[I18n.language].replace(/\{(\w+)\}/g, (whole, name) => value(found.groups[name]));
    }
    return null;
  }

  // As a node, marked as English where it stays so.
  function node(text) {
    if (text === undefined || text === null || text === "") return el("span", {}, Format.dash);
    const own = translated(String(text));
    return own === null ? el("span", { lang: "en" }, Format.linked(text)) : el("span", {}, own);
  }

  // As a text, English where there is nothing else.
  const text = (english) => translated(english) ?? english;

  return { translated, node, text };
})();
