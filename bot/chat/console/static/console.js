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

  // A browser opens six connections to a host, and a stream holds one of them: the seventh tab would
  // wait without a word. So a tab that nobody looks at lets its stream go; the next one begins by
  // saying what has changed since the page was drawn.
  class Stream extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.names = new Set();
      this.look = () => document.hidden ? this.rest() : this.open();
      document.addEventListener("visibilitychange", this.look);
      this.look();
    }
    get readyState() { return this.source ? this.source.readyState : EventSource.CONNECTING; }
    addEventListener(name, listener) {
      super.addEventListener(name, listener);
      if (this.names.has(name)) return;
      this.names.add(name);
      if (this.source) this.hear(name);
    }
    hear(name) {
      this.source.addEventListener(name, (e) => {
        this.dispatchEvent(new MessageEvent(name, { data: e.data, lastEventId: e.lastEventId }));
      });
    }
    open() {
      if (this.source) return;
      this.source = new EventSource(this.url);
      this.source.onopen = (e) => this.onopen?.(e);
      this.source.onerror = (e) => this.onerror?.(e);
      for (const name of this.names) this.hear(name);
    }
    rest() {
      this.source?.close();
      this.source = null;
    }
    close() {
      document.removeEventListener("visibilitychange", this.look);
      this.rest();
    }
  }
  htmx.createEventSource = (url) => new Stream(url);

  body.addEventListener("htmx:sseError", () => body.classList.add("is-offline"));
  body.addEventListener("htmx:sseOpen", () => body.classList.remove("is-offline"));

  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("main details")) folded.open = true;
  });

  const timeline = document.getElementById("timeline");
  if (timeline && matchMedia("(min-width: 64rem)").matches) timeline.open = true;
})();
