"use strict";
(() => {
  document.documentElement.classList.add("js");

  // A column in a picture: all that it is made of, and all that is made of it.
  for (const graph of document.querySelectorAll("svg.graph")) {
    const nodes = new Map([...graph.querySelectorAll("[data-node]")].map((one) => [one.dataset.node, one]));
    const edges = [...graph.querySelectorAll("[data-from]")];
    const walk = (start, near, far) => {
      const reached = new Set([start]);
      for (const place of reached) {
        for (const edge of edges) {
          if (edge.dataset[near] === place) {
            reached.add(edge.dataset[far]);
            edge.classList.add("on");
          }
        }
      }
      return reached;
    };
    const clear = () => {
      graph.classList.remove("tracing");
      for (const one of graph.querySelectorAll(".on")) one.classList.remove("on");
    };
    const trace = (event) => {
      const node = event.target.closest("[data-node]");
      clear();
      if (!node) return;
      const place = node.dataset.node;
      for (const one of [...walk(place, "from", "to"), ...walk(place, "to", "from")]) nodes.get(one).classList.add("on");
      graph.classList.add("tracing");
    };
    graph.addEventListener("pointerover", trace);
    graph.addEventListener("focusin", trace);
    graph.addEventListener("pointerleave", clear);
    graph.addEventListener("focusout", clear);
  }

  // An address of a row that is folded away.
  const open = () => {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!row) return;
    for (let fold = row.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    row.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", open);
  open();

  const field = document.getElementById("find-field");
  const counted = document.getElementById("find-count");
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const article of document.querySelectorAll("article[data-table]")) {
      let own = 0;
      const rows = [...article.querySelectorAll("tr[data-column]")];
      for (const row of rows) {
        const text = `${article.dataset.table}.${row.textContent}`.toLowerCase();
        const is = words.every((word) => text.includes(word));
        row.classList.toggle("gone", !is);
        own += is ? 1 : 0;
      }
      const named = words.every((word) => article.dataset.table.includes(word));
      article.classList.toggle("gone", own === 0 && !named);
      const fold = article.querySelector("details.columns");
      if (fold) fold.open = words.length > 0 && own > 0;
      count += own;
    }
    counted.textContent = words.length ? `${count} columns` : "";
  };
  field.addEventListener("input", show);
})();
