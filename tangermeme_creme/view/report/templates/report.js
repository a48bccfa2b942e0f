"use strict";
(() => {
  const PAGE = 25;
  const count = new Intl.NumberFormat("en");
  const compare = new Intl.Collator("en", { numeric: true }).compare;

  function element(name, parent, attributes = {}, text = null) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  // Whole numbers in full, all others to four digits.
  function number(value, whole) {
    const size = Math.abs(value);
    if (whole || value === 0) return String(value);
    if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  function shown(column, row) {
    const value = column.values[row];
    if (value === null) return "";
    return column.kind === "number" ? number(value, column.whole) : column.levels[value];
  }

  // Sort keys of rows: numbers as they are, texts by their place among all texts.
  function keys(column) {
    if (column.kind === "number") return column.values;
    const places = new Array(column.levels.length);
    const sorted = column.levels.map((_, k) => k).sort((a, b) => compare(column.levels[a], column.levels[b]));
    sorted.forEach((level, place) => { places[level] = place; });
    return column.values.map((value) => (value === null ? null : places[value]));
  }

  function sorted(column, descending) {
    const by = keys(column);
    const sign = descending ? -1 : 1;
    return by.map((_, row) => row).sort((a, b) => {
      if (by[a] === null || by[b] === null) return (by[a] === null) - (by[b] === null) || a - b;
      return sign * (by[a] - by[b]) || a - b;
    });
  }

  function table(place) {
    const content = JSON.parse(document.getElementById(place.dataset.content).textContent);
    const { columns, rows } = content;
    let order = Array.from({ length: rows }, (_, row) => row);
    let matching = order;
    let page = 0;
    let texts = null;

    const controls = element("div", place, { class: "controls" });
    const field = `${place.id}-search`;
    element("label", controls, { for: field }, "Search");
    const search = element("input", controls, { type: "search", id: field, autocomplete: "off", spellcheck: "false" });
    const region = element("div", place, { class: "scroll", tabindex: "0", role: "region", "aria-label": content.title });
    const whole = element("table", region);
    element("caption", whole, { class: "hidden" }, content.title);
    const head = element("tr", element("thead", whole));
    const body = element("tbody", whole);
    const foot = element("div", place, { class: "controls" });
    const back = element("button", foot, { type: "button" }, "Previous");
    const next = element("button", foot, { type: "button" }, "Next");
    const status = element("p", foot, { role: "status" });
    controls.hidden = foot.hidden = rows <= PAGE;

    const heads = columns.map((column, k) => {
      const cell = element("th", head, { scope: "col", "aria-sort": "none" });
      if (column.kind === "number") cell.className = "number";
      const button = element("button", cell, { type: "button" });
      const parts = column.name.length > 12 ? column.name.split("_") : [column.name]; // browsers may break long names
      parts.forEach((part, i) => {
        if (i) button.append("_", document.createElement("wbr"));
        button.append(part);
      });
      if (column.about) button.title = column.about;
      button.addEventListener("click", () => {
        const descending = cell.getAttribute("aria-sort") === "ascending";
        heads.forEach((other) => other.setAttribute("aria-sort", "none"));
        cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
        order = sorted(columns[k], descending);
        filter();
      });
      return cell;
    });

    function filter() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (words.length && !texts) {
        texts = order.slice().sort((a, b) => a - b).map((row) => columns.map((column) => shown(column, row)).join("\t").toLowerCase());
      }
      matching = words.length ? order.filter((row) => words.every((word) => texts[row].includes(word))) : order;
      page = 0;
      draw();
    }

    function draw() {
      const first = page * PAGE;
      const last = Math.min(first + PAGE, matching.length);
      const lines = matching.slice(first, last).map((row) => {
        const line = document.createElement("tr");
        for (const column of columns) {
          const text = shown(column, row);
          const cell = element("td", line);
          if (column.kind === "number") cell.className = "number";
          else if (text.length > 60) cell.className = "long";
          const link = column.links && text ? column.links[column.values[row]] : 0;
          if (link) element("a", cell, { href: `#locus-${link}` }, text);
          else cell.textContent = text;
        }
        return line;
      });
      body.replaceChildren(...lines);
      const all = matching.length === rows ? "" : `, found among ${count.format(rows)}`;
      status.textContent = matching.length
        ? `rows ${count.format(first + 1)} to ${count.format(last)} of ${count.format(matching.length)}${all}`
        : `no row of ${count.format(rows)} has this`;
      back.disabled = page === 0;
      next.disabled = last >= matching.length;
    }

    search.addEventListener("input", filter);
    back.addEventListener("click", () => { page -= 1; draw(); });
    next.addEventListener("click", () => { page += 1; draw(); });
    draw();
  }

  // A closed table is made when the reader opens it.
  document.querySelectorAll(".table").forEach((place) => {
    const closed = place.closest("details:not([open])");
    if (closed) closed.addEventListener("toggle", () => table(place), { once: true });
    else table(place);
  });

  const loci = Array.from(document.querySelectorAll(".locus"));
  const box = document.getElementById("locus-filter");
  if (box) {
    const status = document.getElementById("locus-count");
    let texts = null;
    const filter = () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      texts = texts || loci.map((locus) => locus.firstElementChild.textContent.toLowerCase());
      let left = 0;
      loci.forEach((locus, k) => {
        locus.hidden = !words.every((word) => texts[k].includes(word));
        left += !locus.hidden;
      });
      status.textContent = left === loci.length ? `${count.format(left)} loci` : `${count.format(left)} of ${count.format(loci.length)} loci`;
    };
    const follow = () => {
      const target = document.getElementById(location.hash.slice(1));
      if (!target || !loci.includes(target)) return;
      if (target.hidden) { box.value = ""; filter(); }
      target.open = true;
      target.scrollIntoView();
    };
    document.getElementById("locus-controls").hidden = false;
    box.addEventListener("input", filter);
    window.addEventListener("hashchange", follow);
    status.textContent = `${count.format(loci.length)} loci`;
    follow();
  }
})();
