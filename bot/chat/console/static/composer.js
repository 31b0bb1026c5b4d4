// The composer's list of commands, an ARIA combobox. What may come next the server knows.
(() => {
  const form = document.getElementById("say"), list = document.getElementById("choices");
  if (!form) return;
  const { text, incident } = form.elements;
  let active = -1, asked = 0;

  const mark = (at) => {
    active = at;
    [...list.children].forEach((each, i) => each.setAttribute("aria-selected", String(i === at)));
    const chosen = list.children[at];
    if (!chosen) return text.removeAttribute("aria-activedescendant");
    text.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  };
  const show = (html) => {
    list.innerHTML = html;
    list.hidden = !list.children.length;
    text.setAttribute("aria-expanded", String(!list.hidden));
    mark(-1);
  };
  const close = () => { asked++; show(""); };

  const ask = async () => {
    const mine = ++asked;
    if (!text.value.startsWith("/")) return show("");
    const body = new URLSearchParams({ incident: incident.value, text: text.value });
    const answer = await fetch("/complete", { method: "POST", body }).catch(() => null);
    const html = answer?.ok && !answer.redirected ? await answer.text() : "";
    if (mine === asked) show(html);
  };
  const choose = (option) => { text.value = option.dataset.text; close(); text.focus(); ask(); };

  text.addEventListener("input", ask);
  text.addEventListener("blur", close);
  form.addEventListener("submit", close);
  list.addEventListener("pointerdown", (e) => e.preventDefault()); // the composer keeps the focus
  list.addEventListener("click", (e) => {
    const option = e.target.closest("[role=option]");
    if (option) choose(option);
  });
  text.addEventListener("keydown", (e) => {
    if (e.isComposing || e.ctrlKey || e.altKey || e.metaKey) return;
    if (list.hidden) { if (e.key === "ArrowDown") ask(); return; }
    const count = list.children.length, option = list.children[Math.max(active, 0)];
    if (e.key === "ArrowDown") mark((active + 1) % count);
    else if (e.key === "ArrowUp") mark((Math.max(active, 0) - 1 + count) % count);
    else if (e.key === "Escape") close();
    else if (e.key === "Tab" && !e.shiftKey) choose(option);
    else if (e.key === "Enter" && active >= 0) choose(option);
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
})();
