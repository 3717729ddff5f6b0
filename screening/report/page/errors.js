// Counts what went wrong, where a reader and a test can see it: <html data-errors="0">.
const Errors = (() => {
  const root = document.documentElement;
  root.dataset.errors = "0";
  function note(message) {
    root.dataset.errors = String(Number(root.dataset.errors) + 1);
    root.dataset.lastError = String(message);
  }
  window.addEventListener("error", (event) => note(event.message));
  window.addEventListener("unhandledrejection", (event) => note(event.reason));
  document.addEventListener("securitypolicyviolation", (event) => note("blocked " + event.blockedURI));
  return { note };
})();
