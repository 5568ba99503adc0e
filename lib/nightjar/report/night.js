"use strict";
(() => {
  const root = document.documentElement, schemes = ["auto", "light", "dark"];
  const remembered = act => { try { return act(localStorage); } catch { return null; } };  // files may have no storage
  const element = (name, attributes, text) => {
    const made = Object.assign(document.createElement(name), attributes);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  // Light, dark, or as the system says; of all pages of a place alike.
  const button = element("button", {className: "theme", type: "button"});
  const show = scheme => {
    if (scheme === "auto") delete root.dataset.theme; else root.dataset.theme = scheme;
    button.textContent = `Theme: ${scheme}`;
    button.dataset.scheme = scheme;
  };
  const stored = remembered(storage => storage.getItem("nightjar-theme"));
  show(schemes.includes(stored) ? stored : "auto");
  button.addEventListener("click", () => {
    const next = schemes[(schemes.indexOf(button.dataset.scheme) + 1) % schemes.length];
    show(next);
    remembered(storage => storage.setItem("nightjar-theme", next));
  });
  document.querySelector(".tools")?.append(button);

  // Commands, to be copied where the browser allows it.
  if (navigator.clipboard) for (const command of document.querySelectorAll(".command")) {
    const copy = element("button", {className: "copy", type: "button"}, "Copy");
    copy.setAttribute("aria-label", `Copy: ${command.querySelector("code").textContent}`);
    copy.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(command.querySelector("code").textContent); copy.textContent = "Copied"; }
      catch { copy.textContent = "Select it by hand"; }
    });
    command.append(copy);
  }

  // Tables: a click on a head sorts, a second one the other way round; long ones can be filtered.
  const value = cell => {
    const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
    const number = Number.parseFloat(text.replace(/[,%<>\s]/g, "").replace("\u2212", "-"));
    return {text, number, isNumber: !Number.isNaN(number) && /^[-+<>\s\u2212]*[\d.]/.test(text)};
  };
  const compare = (one, other) =>
    one.isNumber && other.isNumber ? one.number - other.number : one.text.localeCompare(other.text, undefined, {numeric: true});
  const sort = (table, head, column) => {
    const down = head.getAttribute("aria-sort") === (head.classList.contains("n") ? "descending" : "ascending") ? -1 : 1;
    const sign = head.classList.contains("n") ? -down : down, body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({row, place, key: value(row.cells[column])}));
    const isEmpty = key => key.text === "" || key.text === "–";
    rows.sort((one, other) =>
      isEmpty(one.key) - isEmpty(other.key) || sign * compare(one.key, other.key) || one.place - other.place);
    body.append(...rows.map(one => one.row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      if (!head.textContent.trim() || head.classList.contains("bar-head")) return;
      const act = element("button", {type: "button", className: "sort"});
      act.append(...head.childNodes);
      act.addEventListener("click", () => sort(table, head, column));
      head.append(act);
    });
    if (table.tBodies[0].rows.length < 8) continue;
    const line = element("label", {className: "filter"}, "Filter ");
    const field = element("input", {type: "search", placeholder: "any text"});
    const count = element("span", {className: "note"});
    count.setAttribute("role", "status");
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !row.textContent.toLowerCase().includes(wanted);
        shown += !row.hidden;
      }
      count.textContent = wanted ? ` ${shown} of ${table.tBodies[0].rows.length}` : "";
    });
    line.append(field, count);
    table.closest(".scroll").before(line);
  }

  // A link into what is folded up opens it.
  const open = () => {
    let target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
    for (; target; target = target.parentElement) if (target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();
})();
