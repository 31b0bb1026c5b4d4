// What htmx leaves to the page: stay at the end when at the end, clear what was sent, say when the
// page is no longer live, and unfold what is printed.
(() => {
  const body = document.body;
  let atEnd = false, sent = "";
  const near = () => innerHeight + scrollY >= document.documentElement.scrollHeight - 120;

  body.addEventListener("htmx:beforeSwap", (e) => { if (e.target.id === "live") atEnd = near(); });
  body.addEventListener("htmx:afterSettle", (e) => {
    if (atEnd && e.detail.elt.id === "live") scrollTo(0, document.documentElement.scrollHeight);
  });

  body.addEventListener("htmx:beforeRequest", (e) => {
    if (e.target.id === "say") sent = e.target.elements.text.value;
  });
  body.addEventListener("htmx:afterRequest", (e) => {
    body.classList.toggle("is-offline", !e.detail.xhr?.status);
    if (e.target.id !== "say" || !e.detail.successful) return;
    const { text, key } = e.target.elements;
    if (text.value === sent) text.value = "";
    key.value = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12))))
      .replaceAll("+", "-").replaceAll("/", "_");
    if (!sent.startsWith("/")) scrollTo(0, document.documentElement.scrollHeight);
  });

  body.addEventListener("htmx:sseError", () => body.classList.add("is-offline"));
  body.addEventListener("htmx:sseOpen", () => body.classList.remove("is-offline"));

  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("main details")) folded.open = true;
  });

  const timeline = document.getElementById("timeline");
  if (timeline && matchMedia("(min-width: 64rem)").matches) timeline.open = true;
})();
