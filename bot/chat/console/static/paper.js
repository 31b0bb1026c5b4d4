// Keeps what is typed in this tab until the server has it, and the keys of the section's page.
(() => {
  const form = document.getElementById("write");
  if (!form) return;
  const { text } = form.elements, kept = `jackline-paper:${location.pathname}`;
  const read = () => { try { return JSON.parse(sessionStorage.getItem(kept)); } catch { return null; } };
  let sent = null, unsaved = false;

  const typed = () => {
    unsaved = true;
    sessionStorage.setItem(kept, JSON.stringify({ text: text.value, seen: form.elements.seen.value }));
  };
  text.addEventListener("input", typed);
  const before = read();
  if (before && before.text !== text.value) {
    text.value = before.text;
    form.elements.seen.value = before.seen;
    addEventListener("load", () => text.dispatchEvent(new Event("input", { bubbles: true })));
  }

  const body = document.body;
  body.addEventListener("htmx:beforeRequest", (e) => { if (e.target === form) sent = text.value; });
  body.addEventListener("htmx:afterRequest", (e) => {
    const status = e.target === form ? e.detail.xhr?.status : 0;
    if (status !== 200 && status !== 409) return; // with 409 the words are kept as well, beside the others
    if (sent === text.value) { unsaved = false; sessionStorage.removeItem(kept); }
  });
  addEventListener("beforeunload", (e) => { if (unsaved) e.preventDefault(); });

  document.addEventListener("keydown", (e) => {
    const mod = e.ctrlKey || e.metaKey;
    if (mod && e.key === "s") { e.preventDefault(); form.requestSubmit(); }
    if (mod && e.key === "Enter" && e.target === text) { e.preventDefault(); document.getElementById("show").click(); }
    if (e.key === "Escape" && e.target === text) text.blur();
  });
})();
