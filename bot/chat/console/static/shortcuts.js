// Shortcuts, their help, and forms that open over the page. Without scripts the same forms are pages.
(() => {
  const page = document.body, help = document.getElementById("shortcuts"), main = document.querySelector("main");
  document.documentElement.classList.add("scripted");
  if (!help) return;
  const on = document.getElementById("shortcuts-on"), kept = "jackline-shortcuts";
  on.checked = localStorage.getItem(kept) !== "off";
  on.addEventListener("change", () => localStorage.setItem(kept, on.checked ? "on" : "off"));

  const go = (href) => { if (href) location.assign(href); };
  const approve = () => {
    const field = document.querySelector('[name=action_id]:is([value="run_approve"], [value="step_approve"])');
    const form = field?.form, article = field?.closest("article");
    if (!form) return;
    article.scrollIntoView({ block: "start" });
    if (confirm(`Approve?\n${article.querySelector("h2")?.textContent ?? ""}`)) {
      form.removeAttribute("hx-confirm");
      form.requestSubmit();
    }
  };
  const compose = (start) => {
    const text = document.getElementById("text");
    if (!text) return;
    text.focus();
    if (start && !text.value) { text.value = start; text.dispatchEvent(new Event("input", { bubbles: true })); }
  };
  const does = {
    "?": () => help.showModal(), l: () => go("/"), n: () => compose(""), "/": () => compose("/"),
    a: approve, j: () => go(main.dataset.next), k: () => go(main.dataset.previous),
    d: () => document.querySelector('a[href="/declare"]')?.click(),
    r: () => document.querySelector('a[href$="/do/run"]')?.click(),
  };
  document.addEventListener("keydown", (e) => {
    const over = e.target.closest?.("dialog"); // closed, it keeps the focus for a moment
    const typing = over ? over.open : e.target.closest?.("input, textarea, select");
    if (e.key === "Escape" && e.target.id === "text") return e.target.blur();
    if (typing || e.ctrlKey || e.altKey || e.metaKey || (!on.checked && e.key !== "?")) return;
    const act = does[e.key];
    if (act) { e.preventDefault(); act(); }
  });
  document.getElementById("shortcuts-open")?.addEventListener("click", () => help.showModal());

  const dialog = document.getElementById("form");
  document.addEventListener("click", async (e) => {
    if (e.target.closest("[data-close]")) { e.preventDefault(); return e.target.closest("dialog").close(); }
    const link = e.target.closest("a[data-dialog]");
    if (!link || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    const answer = await fetch(link.href, { headers: { "hx-request": "true" } }).catch(() => null);
    if (!answer?.ok) return go(link.href);
    dialog.innerHTML = await answer.text();
    htmx.process(dialog);
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input:not([type=hidden]), select, a, button"))?.focus();
  });
  page.addEventListener("htmx:afterRequest", (e) => {
    if (e.detail.successful && dialog.contains(e.target) && e.target.method === "post") dialog.close();
  });
})();
