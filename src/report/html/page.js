// Filters, sorts and shortens the tables. Without it everything is there, only longer.
(function () {
  "use strict";
  var FILTER_FROM = 8;

  // A text of the page, with its %marks filled in.
  function say(name, values) {
    return document.querySelector("main").dataset[name].replace(/%(\w)/g, function (_, mark) { return values[mark]; });
  }

  function key(row, column) {
    var cell = row.cells[column];
    return cell.dataset.k !== undefined ? cell.dataset.k : cell.textContent.trim();
  }

  function number(text) {
    return /^-?[\d,]+(\.\d+)?$/.test(text) ? Number(text.replace(/,/g, "")) : NaN;
  }

  function compare(a, b) {
    var x = number(a), y = number(b);
    if (!isNaN(x) && !isNaN(y)) return x - y;
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function tool(table) {
    var body = table.tBodies[0];
    var original = Array.from(body.rows);
    var rows = original;
    var short = Number(table.dataset.short || 0);
    var open = !short || rows.length <= short + 3;
    var input = null, all = null;
    if (rows.length < 2) return;

    function show() {
      var words = input ? input.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
      var shown = 0;
      rows.forEach(function (row) {
        var text = words.length ? row.textContent.toLowerCase() : "";
        var off = !words.every(function (word) { return text.includes(word); });
        row.classList.toggle("off", off);
        row.classList.toggle("extra", !off && !open && !words.length && shown >= short);
        if (!off) shown += 1;
      });
      if (input) input.nextSibling.textContent = words.length ? say("found", { n: shown, a: rows.length }) : "";
      if (all) {
        all.hidden = words.length > 0;
        all.textContent = open ? say("first", { n: short }) : say("all", { a: rows.length, w: table.dataset.what });
      }
    }

    var bar = document.createElement("div");
    bar.className = "bar";
    if (rows.length >= FILTER_FROM) {
      input = document.createElement("input");
      input.type = "search";
      input.placeholder = say("filter", { w: table.dataset.what });
      input.setAttribute("aria-label", input.placeholder);
      input.addEventListener("input", show);
      bar.append(input, document.createElement("span"));
    }
    if (!open) {
      all = document.createElement("button");
      all.type = "button";
      all.addEventListener("click", function () { open = !open; show(); });
      bar.append(all);
    }
    if (bar.childNodes.length) table.parentNode.before(bar);

    Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.append.apply(button, Array.from(head.childNodes));
      head.append(button);
      button.addEventListener("click", function () {
        var before = head.getAttribute("aria-sort");
        var numeric = head.classList.contains("n");
        var first = numeric ? "descending" : "ascending";
        var second = numeric ? "ascending" : "descending";
        var next = before === null ? first : before === first ? second : null;
        Array.from(head.parentNode.cells).forEach(function (cell) { cell.removeAttribute("aria-sort"); });
        rows = original.slice();
        // The third click brings the findings' own order back.
        if (next) {
          head.setAttribute("aria-sort", next);
          var sign = next === "ascending" ? 1 : -1;
          rows.sort(function (a, b) { return sign * compare(key(a, column), key(b, column)); });
        }
        body.append.apply(body, rows);
        show();
      });
    });
    // A mark in the picture may lead to a row that is put away.
    table.addEventListener("reveal", function () { open = true; if (input) input.value = ""; show(); });
    show();
  }

  function follow() {
    var target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    var table = target && target.closest("table.tool");
    if (!table) return;
    table.dispatchEvent(new Event("reveal"));
    target.scrollIntoView({ block: "center" });
  }

  document.querySelectorAll("table.tool").forEach(tool);
  addEventListener("hashchange", follow);
  follow();
})();
