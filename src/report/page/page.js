// The report's page: reads the model (MODEL.md) and draws it.
//
// A tenant may bring 100,000 findings. They stay what they are in the model,
// columns of small integers; the page turns only what is on the screen into
// elements. Filters run over the columns, fixes open on demand, lists have
// pages. What the filters say is written to the URL fragment and read back
// from it, so that a link carries the view.
//
// Every name in the model was chosen by someone else. Text enters the document
// through textContent and attributes only; nothing here parses markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const SEVERITY = ["critical", "high", "medium", "low", "info"];
  const SHAPE = { critical: "◆", high: "▲", medium: "■", low: "●", info: "○", pass: "✓", unknown: "?" };
  const PAGE_FIXES = 40, PAGE_ROWS = 20, PAGE_ASSETS = 15, PRINTED_FIXES = 12, PRINTED_ROWS = 8;
  const TILES = 900, TILES_LEAST = 14, TILES_MOST = 120, BOXES = 9, BOXES_ALONE = 60;   // the map stays a map
  const FAIL = 0, UNKNOWN = 1, PASS = 2;
  const LIMIT = 160;

  let model;
  try {
    model = JSON.parse($("azimuth-data").textContent);
  } catch (e) {
    $("live").className = "note";
    $("live").textContent = "The data of this report cannot be read: " + e.message;
    return;
  }

  // ---- small things ------------------------------------------------------

  // An element with attributes and children; strings become text nodes.
  function h(tag, attributes, ...children) {
    const el = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
      else el.setAttribute(key, value === true ? "" : value);
    }
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      el.append(child.nodeType ? child : document.createTextNode(child));
    }
    return el;
  }
  const number = (n) => n.toLocaleString("en");
  const plural = (n, one, many) => number(n) + " " + (n === 1 ? one : many || one + "s");

  // Control and direction-changing characters would let a name disguise itself.
  const plain = (s) => String(s).replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, "\ufffd");

  function middle(text, room) {
    const s = Array.from(text);
    if (s.length <= room) return text;
    const tail = Math.floor(room * 0.45);
    return s.slice(0, room - tail - 1).join("") + "…" + s.slice(-tail).join("");
  }
  const narrow = matchMedia("(max-width: 640px)");
  function shortName(text, room) {
    const clean = plain(text);
    return h("span", { title: clean }, middle(clean, narrow.matches ? Math.min(room, 34) : room));
  }
  function severityMark(severity, word) {
    return h("span", { class: "sev " + severity }, h("i", { "aria-hidden": "true" }, SHAPE[severity]), word === undefined ? severity : word);
  }
  function when(iso) {
    const d = new Date(iso);
    if (!iso || isNaN(d)) return iso || "";
    return d.toISOString().slice(0, 16).replace("T", " ") + " UTC";
  }
  function duration(ms) {
    if (ms < 1000) return Math.round(ms) + " ms";
    if (ms < 120000) return (ms / 1000).toFixed(ms < 10000 ? 1 : 0) + " s";
    return Math.floor(ms / 60000) + " min " + Math.round(ms % 60000 / 1000) + " s";
  }
  function say(text) { $("live").textContent = text; }

  async function copy(text, button) {
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch (_) {
      const area = h("textarea", { readonly: true, class: "visually-hidden" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    say("Copied to the clipboard");
    setTimeout(() => { button.textContent = label; }, 1400);
  }

  // ---- the model as columns ---------------------------------------------

  const ids = model.ids, prefixes = ids.prefixes, idPrefix = ids.prefix, idSuffix = ids.suffix;
  const fullId = (i) => prefixes[idPrefix[i]] + idSuffix[i];
  const lastPart = (s) => s.slice(s.lastIndexOf("/") + 1) || s;
  const strings = model.strings, scopes = model.scopes, controls = model.controls, assets = model.assets;
  const areaTitle = new Map(model.areas.map((a) => [a.id, a.title]));
  const assetOf = new Int32Array(idSuffix.length).fill(-1);
  const assetCount = assets.id.length;
  for (let a = 0; a < assetCount; a++) assetOf[assets.id[a]] = a;
  const idName = (i) => (ids.name[i] >= 0 ? strings[ids.name[i]] : lastPart(idSuffix[i]));
  const assetName = (a) => (assets.name[a] === null ? lastPart(idSuffix[assets.id[a]]) || "(no name)" : assets.name[a]);
  const assetText = (column, a) => (assets[column][a] < 0 ? "" : strings[assets[column][a]]);

  // A row finds its subscription or management group through its id; nearly
  // always the prefix, shared by many ids, already says it.
  const scopeByKey = new Map(scopes.map((s, i) => [s.id.toLowerCase(), i]));
  function scopeIn(text) {
    const m = /^\/subscriptions\/([^/]+)/i.exec(text) || /^\/providers\/Microsoft\.Management\/managementGroups\/([^/]+)/i.exec(text);
    const at = m ? scopeByKey.get(m[1].toLowerCase()) : undefined;
    return at === undefined ? -1 : at;
  }
  const scopeOfPrefix = prefixes.map(scopeIn);
  const scopeOf = (i) => (scopeOfPrefix[idPrefix[i]] >= 0 ? scopeOfPrefix[idPrefix[i]] : prefixes[idPrefix[i]].length < 60 ? scopeIn(fullId(i)) : -1);

  // All rows of all controls end to end; `start[c]` is where control c begins.
  let total = 0;
  const start = new Int32Array(controls.length + 1);
  controls.forEach((c, i) => { start[i] = total; total += c.rows.id.length; });
  start[controls.length] = total;
  const rowId = new Uint32Array(total), rowStatus = new Uint8Array(total), rowRisk = new Float32Array(total);
  const rowEvidence = new Int32Array(total), rowReason = new Int32Array(total);
  controls.forEach((c, i) => {
    const r = c.rows, at = start[i];
    for (let k = 0; k < r.id.length; k++) {
      const s = r.status.charCodeAt(k);
      rowId[at + k] = r.id[k];
      rowStatus[at + k] = s === 102 ? FAIL : s === 112 ? PASS : UNKNOWN;
      rowRisk[at + k] = r.risk[k];
      rowEvidence[at + k] = r.evidence[k];
      rowReason[at + k] = r.reason[k];
    }
  });

  // ---- what is being looked at -------------------------------------------

  const view = {};
  const DEFAULTS = { q: "", sev: "", area: "", st: "f", env: "", asset: "", sub: "", open: "", sort: "risk", page: "0",
    aq: "", class: "", flag: "", asort: "worst", adir: "", apage: "0" };

  function readFragment() {
    const text = location.hash.slice(1);
    const given = text.includes("=") ? new URLSearchParams(text) : new URLSearchParams();
    for (const key of Object.keys(DEFAULTS)) view[key] = given.has(key) ? given.get(key) : DEFAULTS[key];
  }
  function writeFragment() {
    const given = new URLSearchParams();
    for (const key of Object.keys(DEFAULTS)) if (view[key] !== DEFAULTS[key]) given.set(key, view[key]);
    const text = given.toString();
    try {
      history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
    } catch (_) {
      location.hash = text;
    }
  }
  const chosen = (key) => (view[key] ? view[key].split(",") : []);
  function toggle(key, value) {
    const set = new Set(chosen(key));
    if (!set.delete(value)) set.add(value);
    view[key] = Array.from(set).join(",");
  }
  // One place where state changes: set, remember, draw.
  function change(part, values) {
    Object.assign(view, values);
    writeFragment();
    if (part !== "assets") drawFindings();
    if (part !== "findings") drawInventory();
  }
  const changeFindings = (values) => change("findings", { page: "0", open: "", ...values });
  const changeAssets = (values) => change("assets", { apage: "0", ...values });
  function goTo(id) { $(id).scrollIntoView(); }

  // ---- headline -----------------------------------------------------------

  function delta(now, before) {
    if (now === null || before === null || before === undefined) return "";
    const d = Math.round(now - before);
    return d > 0 ? "+" + d : d < 0 ? "−" + -d : "±0";
  }

  function drawScores() {
    const s = model.score, judged = s.pass + s.fail, all = judged + s.unknown;
    const share = all ? Math.round(100 * s.unknown / all) : 0;
    const change = delta(s.score, s.previous);
    const totals = h("div", { class: "totals" },
      h("p", { class: "total" }, h("b", {}, s.score === null ? "–" : Math.round(s.score), h("small", {}, " of 100")),
        change && h("span", { class: "delta" }, change, h("span", { class: "visually-hidden" }, " points")),
        h("span", {}, "score, ", plural(s.fail, "failure"), " of ", number(judged), " judged")),
      h("p", { class: "total" }, h("b", {}, share, h("small", {}, " %")),
        h("span", {}, !all ? "nothing was checked" : s.unknown ? [plural(s.unknown, "check"), " could not be judged"] : "everything could be judged")));

    const rows = model.areas.map((a) => {
      const sum = a.pass + a.fail + a.unknown;
      const blind = sum ? 100 * a.unknown / sum : 0;
      const words = (a.score === null ? "not judged" : "score " + Math.round(a.score)) +
        (a.previous === null ? "" : ", before " + Math.round(a.previous)) + ", " + Math.round(blind) + " percent not judged";
      return h("tr", {},
        h("th", { scope: "row" }, h("button", { type: "button", title: "Show the findings of this area",
          onclick: () => { changeFindings({ area: a.id }); goTo("findings"); } }, a.title)),
        h("td", { class: "bar-cell" }, h("div", { class: "bar", role: "img", "aria-label": words, title: words },
          h("i", { style: "width:" + (a.score || 0) * (1 - blind / 100) + "%" }),
          h("s", { style: "width:" + blind + "%" }),
          a.previous !== null && h("u", { style: "left:" + a.previous * (1 - blind / 100) + "%" }))),
        h("td", { class: "num" }, a.score === null ? "–" : Math.round(a.score)),
        h("td", { class: "num soft" }, delta(a.score, a.previous)),
        h("td", { class: "num" }, number(a.fail)),
        h("td", { class: "num wide soft" }, number(a.pass)),
        h("td", { class: "num" }, a.unknown ? number(a.unknown) : h("span", { class: "soft" }, "0")));
    });
    const compared = model.areas.some((a) => a.previous !== null);
    $("scores").append(totals,
      h("table", { class: "areas" },
        h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "visually-hidden" }, "Area")), h("th", {}),
          h("th", { class: "num", scope: "col" }, "score"), h("th", { class: "num", scope: "col" }, compared ? "change" : ""),
          h("th", { class: "num", scope: "col" }, "fail"), h("th", { class: "num wide", scope: "col" }, "pass"),
          h("th", { class: "num", scope: "col" }, "unknown"))),
        h("tbody", {}, rows)),
      h("p", { class: "key" },
        h("span", {}, h("span", { class: "bar" }, h("i", { style: "width:100%" })), "score"),
        compared && h("span", {}, h("span", { class: "bar" }, h("u", { style: "left:50%" })), "at the previous snapshot" +
          (model.meta.snapshot.previousAt ? ", " + when(model.meta.snapshot.previousAt).slice(0, 10) : "")),
        h("span", {}, h("span", { class: "bar" }, h("s", { style: "width:100%" })), "could not be judged")));

    const items = $("facts").children;
    (model.headline.facts || []).forEach((fact, i) => {
      const c = fact.control && controls.findIndex((x) => x.id === fact.control);
      if (!items[i] || !fact.control || c < 0) return;
      items[i].append(" ", h("a", { class: "more", href: "#open=" + encodeURIComponent(fact.control), onclick: (e) => {
        e.preventDefault();
        changeFindings({ ...FILTERS_OFF, open: fact.control });
        showFix(fact.control);
      } }, "how to fix"));
    });
  }

  // ---- what there is ------------------------------------------------------

  const worstOf = (a) => {
    const w = assets.worst[a];
    return w >= 0 ? SEVERITY[w] : assets.unknown[a] ? "unknown" : "pass";
  };
  const worstRank = (a) => (assets.worst[a] >= 0 ? assets.worst[a] : assets.unknown[a] ? 5 : 6);
  const worstWord = (severity) => (severity === "pass" ? "no finding" : severity === "unknown" ? "not judged" : severity);
  const reachSize = (n) => (n < 0 ? 0 : n < 5 ? 0 : n < 25 ? 1 : n < 125 ? 2 : n < 1000 ? 3 : 4);
  let inScope = null;      // for the scope filter: set of scope indexes

  function scopeSet(id) {
    const root = scopes.findIndex((s) => s.id === id);
    if (root < 0) return null;
    const set = new Set([root]);
    // Parents stand before their children, so one pass is enough.
    scopes.forEach((s, i) => { if (set.has(s.parent)) set.add(i); });
    return set;
  }

  function assetMatches(a, q) {
    if (view.class && assetText("class", a) !== view.class) return false;
    if (view.env && assetText("environment", a) !== view.env) return false;
    if (inScope && !inScope.has(assets.scope[a])) return false;
    for (const flag of chosen("flag")) {
      if (flag === "unapproved" && assets.approved[a] !== "n") return false;
      if (flag === "unowned" && assetText("owner", a)) return false;
    }
    if (!q) return true;
    return [assetName(a), assetText("kind", a), assetText("owner", a), fullId(assets.id[a])].some((s) => s.toLowerCase().includes(q));
  }

  const BY = {
    name: (a, b) => assetName(a).localeCompare(assetName(b)),
    class: (a, b) => assetText("class", a).localeCompare(assetText("class", b)),
    where: (a, b) => scopeName(assets.scope[a]).localeCompare(scopeName(assets.scope[b])),
    owner: (a, b) => assetText("owner", a).localeCompare(assetText("owner", b)),
    worst: (a, b) => worstRank(a) - worstRank(b) || assets.fail[b] - assets.fail[a] || assets.reach[b] - assets.reach[a],
    fail: (a, b) => assets.fail[b] - assets.fail[a],
    reach: (a, b) => assets.reach[b] - assets.reach[a],
  };
  const scopeName = (i) => (i < 0 ? "tenant" : scopes[i].name);

  function chip(label, pressed, onclick, count, extra) {
    return h("button", { type: "button", class: "chip", "aria-pressed": pressed ? "true" : "false", onclick, ...extra },
      label, count !== undefined && h("span", { class: "n" }, number(count)));
  }
  function select(label, value, options, onchange) {
    const el = h("select", { "aria-label": label, onchange: () => onchange(el.value) },
      options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)));
    return el;
  }
  function search(label, value, oninput) {
    let timer;
    const el = h("input", { type: "search", placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "false",
      oninput: () => { clearTimeout(timer); timer = setTimeout(() => oninput(el.value), 140); } });
    el.value = value;
    return el;
  }
  // Redraws a toolbar but leaves the search field alone, so that typing goes on.
  function refill(bar, field, ...rest) {
    if (bar.firstChild && bar.firstChild.tagName === "INPUT") {
      if (document.activeElement !== bar.firstChild) bar.firstChild.value = field.value;
      field = bar.firstChild;
      while (field.nextSibling) field.nextSibling.remove();
    } else bar.replaceChildren(field);
    bar.append(...rest.flat().filter(Boolean));
  }
  function keepFocus(bar, draw) {
    const at = Array.prototype.indexOf.call(bar.querySelectorAll("button,select,input"), document.activeElement);
    draw();
    if (at > 0) {
      const all = bar.querySelectorAll("button,select,input");
      if (all[Math.min(at, all.length - 1)]) all[Math.min(at, all.length - 1)].focus({ preventScroll: true });
    }
  }
  function values(column) {
    const count = new Map();
    for (let a = 0; a < assetCount; a++) {
      const v = assetText(column, a);
      if (v) count.set(v, (count.get(v) || 0) + 1);
    }
    return Array.from(count).sort((x, y) => y[1] - x[1] || x[0].localeCompare(y[0]));
  }

  const hasReach = assets.reach.some((n) => n >= 0);
  let shownAssets = [];
  function drawInventory() {
    inScope = view.sub ? scopeSet(view.sub) : null;
    const q = view.aq.trim().toLowerCase();
    shownAssets = [];
    let unapproved = 0, unowned = 0;
    for (let a = 0; a < assetCount; a++) {
      if (assets.approved[a] === "n") unapproved++;
      if (!assetText("owner", a)) unowned++;
      if (assetMatches(a, q)) shownAssets.push(a);
    }
    const flags = chosen("flag");
    keepFocus($("inventory-tools"), () => refill($("inventory-tools"),
      search("Search assets", view.aq, (v) => changeAssets({ aq: v })),
      h("span", { class: "chips" },
        chip("Not approved", flags.includes("unapproved"), () => { toggle("flag", "unapproved"); changeAssets({}); }, unapproved),
        chip("Nobody owns it", flags.includes("unowned"), () => { toggle("flag", "unowned"); changeAssets({}); }, unowned)),
      select("Class", view.class, [["", "Every class"], ...values("class").map(([v, n]) => [v, v + " (" + number(n) + ")"])], (v) => changeAssets({ class: v })),
      select("Environment", view.env, [["", "Every environment"], ...values("environment").map(([v, n]) => [v, v + " (" + number(n) + ")"])],
        (v) => change("both", { env: v, apage: "0", page: "0" })),
      view.sub && scopeToken(),
      h("span", { class: "count" }, shownAssets.length === assetCount ? plural(assetCount, "asset") : number(shownAssets.length) + " of " + plural(assetCount, "asset"))));
    drawMap();
    drawAssets();
  }
  function scopeToken() {
    return h("button", { type: "button", class: "chip token", title: "Remove this filter",
      onclick: () => change("both", { sub: "", apage: "0", page: "0" }) }, "in ", plain(scopeName(scopes.findIndex((s) => s.id === view.sub))), " ×");
  }

  function drawMap() {
    const here = scopes.map(() => []);
    const outside = [];
    for (const a of shownAssets) (assets.scope[a] < 0 ? outside : here[assets.scope[a]]).push(a);
    const below = here.map((list) => list.length);
    for (let i = scopes.length - 1; i >= 0; i--) if (scopes[i].parent >= 0) below[scopes[i].parent] += below[i];
    const empty = [];
    const occupied = here.filter((list) => list.length).length + (outside.length ? 1 : 0);
    const room = Math.max(TILES_LEAST, Math.min(TILES_MOST, Math.floor(TILES / Math.max(1, occupied))));
    const worstIn = scopes.map((_, i) => here[i].reduce((w, a) => Math.min(w, worstRank(a)), 9));
    const kids = scopes.map(() => []);
    scopes.forEach((s, i) => { if (s.parent >= 0) kids[s.parent].push(i); });
    // A management group that only passes on to one other is not worth a box.
    function box(i) {
      if (!below[i]) { for (const k of kids[i]) if (scopes[k].kind === "sub") empty.push(scopes[k].name); return null; }
      const inner = kids[i].filter((k) => scopes[k].kind === "mg").map(box).filter(Boolean);
      const subs = kids[i].filter((k) => scopes[k].kind === "sub" && below[k]).sort((x, y) => worstIn[x] - worstIn[y] || below[y] - below[x]);
      for (const k of kids[i]) if (scopes[k].kind === "sub" && !below[k]) empty.push(scopes[k].name);
      const fit = view.sub === scopes[i].id ? BOXES_ALONE : BOXES;
      inner.push(...subs.slice(0, fit).map(box));
      if (subs.length > fit) inner.push(h("button", { type: "button", class: "link", onclick: () => change("both", { sub: scopes[i].id, apage: "0", page: "0" }) },
        "+ " + plural(subs.length - fit, "subscription")));
      if (!here[i].length && inner.length === 1 && scopes[i].kind === "mg" && inner[0].classList.contains("mg")) return inner[0];
      return h("div", { class: "scope " + scopes[i].kind },
        h("h3", {}, h("button", { type: "button", title: plain(scopes[i].name) + ": show only this", onclick: () => change("both", { sub: scopes[i].id, apage: "0", page: "0" }) },
          middle(plain(scopes[i].name), 40)), h("span", {}, "  ", number(below[i]))),
        here[i].length ? tiles(here[i], room) : null,
        inner.length ? h("div", { class: "inner" }, inner) : null);
    }
    const boxes = [];
    scopes.forEach((s, i) => { if (s.parent < 0) { const b = box(i); if (b) boxes.push(b); } });
    // The outermost boxes say only "tenant": unfold them so that the map starts with what differs.
    let top = boxes;
    while (top.length === 1 && top[0].classList.contains("mg") && top[0].lastChild.classList && top[0].lastChild.classList.contains("inner") && top[0].children.length === 2)
      top = Array.from(top[0].lastChild.children);
    if (outside.length) top.push(h("div", { class: "scope sub" }, h("h3", {}, "Directory ", h("span", {}, " " + number(outside.length))), tiles(outside, room)));
    const legend = h("p", { class: "legend" },
      [...SEVERITY.slice(0, 4), "unknown", "pass"].map((s) => severityMark(s, worstWord(s))),
      hasReach && h("span", {}, "Size: how many identities may call it"),
      empty.length > 0 && h("span", {}, "Nothing shown in " + empty.slice(0, 6).map((n) => middle(plain(n), 30)).join(", ") + (empty.length > 6 ? " and " + number(empty.length - 6) + " more" : "")));
    $("map").replaceChildren(...(top.length ? top : [h("p", { class: "empty" }, "No asset matches.")]));
    if ($("map").nextSibling.className === "legend") $("map").nextSibling.remove();
    $("map").after(legend);
  }

  function tiles(list, room) {
    list.sort((a, b) => worstRank(a) - worstRank(b) || assets.reach[b] - assets.reach[a]);
    const out = list.slice(0, room).map((a) => {
      const w = worstOf(a), name = plain(assetName(a));
      const words = name + ", " + assetText("class", a) + ": " + worstWord(w) + (assets.reach[a] >= 0 ? ", " + plural(assets.reach[a], "identity", "identities") + " may call it" : "");
      return h("button", { type: "button", class: "tile " + w + " z" + reachSize(assets.reach[a]), title: words, "aria-label": words,
        onclick: () => showAsset(a) }, SHAPE[w]);
    });
    if (list.length > room) {
      const scope = assets.scope[list[0]];
      out.push(h("button", { type: "button", class: "tile more", onclick: () => { if (scope >= 0) change("both", { sub: scopes[scope].id, apage: "0", page: "0" }); goTo("assets"); } },
        "+" + number(list.length - room) + " more"));
    }
    return h("div", { class: "tiles" }, out);
  }
  function showAsset(a) {
    changeFindings({ ...FILTERS_OFF, asset: fullId(assets.id[a]), st: "f,u" });
    goTo("findings");
  }

  function pager(page, size, count, move) {
    if (count <= size) return null;
    const last = Math.ceil(count / size) - 1;
    return h("p", { class: "pager" },
      h("button", { type: "button", disabled: page <= 0, onclick: () => move(page - 1) }, "← Previous"),
      number(page * size + 1) + "–" + number(Math.min(count, (page + 1) * size)) + " of " + number(count),
      h("button", { type: "button", disabled: page >= last, onclick: () => move(page + 1) }, "Next →"));
  }
  const pageOf = (text, size, count) => Math.max(0, Math.min(parseInt(text, 10) || 0, Math.ceil(count / size) - 1));

  function drawAssets() {
    const by = BY[view.asort] ? view.asort : "worst";
    const list = shownAssets.slice().sort((a, b) => (view.adir ? BY[by](b, a) : BY[by](a, b)) || a - b);
    const page = pageOf(view.apage, PAGE_ASSETS, list.length);
    const head = (key, text, cls) => h("th", { scope: "col", class: cls, "aria-sort": by === key ? (view.adir ? "descending" : "ascending") : null },
      h("button", { type: "button", "data-key": "a-" + key, onclick: () => changeAssets(by === key ? { adir: view.adir ? "" : "d" } : { asort: key, adir: "" }) },
        text, by === key ? (view.adir ? " ↑" : " ↓") : ""));
    const rows = list.slice(page * PAGE_ASSETS, (page + 1) * PAGE_ASSETS).map((a) => {
      const w = worstOf(a), owner = assetText("owner", a);
      return h("tr", {},
        h("td", { class: "name" }, h("button", { type: "button", class: "link", onclick: () => showAsset(a) }, shortName(assetName(a), 46)),
          assets.approved[a] === "n" && h("span", { class: "flag" }, "  ⚑ not approved")),
        h("td", { "data-label": "Class" }, h("span", {}, assetText("class", a), h("span", { class: "under", title: plain(assetText("kind", a)) }, middle(plain(assetText("kind", a)).replace(/^microsoft\./i, ""), 38)))),
        h("td", { "data-label": "Where" }, h("span", {}, shortName(scopeName(assets.scope[a]), 30), h("span", { class: "under" }, assetText("environment", a)))),
        h("td", { "data-label": "Owner" }, owner ? shortName(owner, 30) : h("span", { class: "flag" }, "⚑ nobody")),
        h("td", { "data-label": "Worst" }, severityMark(w, worstWord(w))),
        h("td", { class: "num", "data-label": "Failures" }, number(assets.fail[a])),
        hasReach && h("td", { class: "num" + (assets.reach[a] < 0 ? " blank" : ""), "data-label": "Reach" }, assets.reach[a] < 0 ? "–" : number(assets.reach[a])));
    });
    const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : null;
    $("assets").replaceChildren(list.length ? h("div", { class: "wrap" }, h("table", { class: "data cards assets" },
      h("thead", {}, h("tr", {}, head("name", "Asset", "w4"), head("class", "Class", "w4"), head("where", "Where", "w2"), head("owner", "Owner", "w3"),
        head("worst", "Worst finding"), head("fail", "Failures", "num"), hasReach && head("reach", "Reach", "num"))),
      h("tbody", {}, rows))) : "", pager(page, PAGE_ASSETS, list.length, (p) => change("assets", { apage: String(p) })) || "");
    if (focused && focused.startsWith("a-")) {
      const el = $("assets").querySelector('[data-key="' + focused + '"]');
      if (el) el.focus({ preventScroll: true });
    }
  }

  // ---- what is at risk ----------------------------------------------------

  // The part is complete without a script; this adds what only a script can do.
  function drawPaths() {
    for (const block of document.querySelectorAll("#risk .code"))
      block.firstElementChild.append(h("button", { type: "button", class: "copy",
        onclick: (e) => copy(block.querySelector("code").textContent + "\n", e.currentTarget) }, "Copy"));
    for (const link of document.querySelectorAll("#risk a"))
      link.addEventListener("click", (e) => {
        const to = $(link.getAttribute("href").slice(1));
        if (!to) return;
        e.preventDefault();
        const chain = to.closest("details");
        if (chain) chain.open = true;
        (chain || to).scrollIntoView();
      });
  }

  // ---- findings -----------------------------------------------------------

  const FILTERS_OFF = { q: "", sev: "", area: "", st: "f", env: "", asset: "", sub: "" };
  let lowerIds = null;
  const lowerId = (i) => {
    if (!lowerIds) lowerIds = new Array(idSuffix.length);
    return lowerIds[i] === undefined ? (lowerIds[i] = fullId(i).toLowerCase()) : lowerIds[i];
  };
  let groups = [];         // [{control, fails, unknowns, passes, risk, rows}] after filtering
  let sevCounts = {};

  // Which rows pass the filters. A control that matches the search by its own
  // words shows all its rows; otherwise a row must match by its id.
  function filterRows() {
    const q = view.q.trim().toLowerCase(), sev = new Set(chosen("sev")), st = new Set(chosen("st"));
    const want = [st.has("f"), st.has("u"), st.has("p")];
    const only = view.asset.toLowerCase();
    inScope = view.sub ? scopeSet(view.sub) : null;
    groups = [];
    sevCounts = Object.fromEntries(SEVERITY.map((s) => [s, 0]));
    for (let c = 0; c < controls.length; c++) {
      const control = controls[c];
      if (view.area && control.area !== view.area) continue;
      const byWords = !q || (control.id + " " + control.title).toLowerCase().includes(q);
      const rows = [];
      let fails = 0, unknowns = 0, risk = 0;
      for (let r = start[c]; r < start[c + 1]; r++) {
        const s = rowStatus[r], i = rowId[r];
        if (!want[s]) continue;
        if (inScope && !inScope.has(scopeOf(i))) continue;
        if (view.env && (assetOf[i] < 0 || assetText("environment", assetOf[i]) !== view.env)) continue;
        if (only && !(lowerId(i) === only || lowerId(i).startsWith(only + "/"))) continue;
        if (!byWords && !lowerId(i).includes(q) && !(ids.name[i] >= 0 && idName(i).toLowerCase().includes(q))) continue;
        rows.push(r);
        if (s === FAIL) { fails++; risk += rowRisk[r]; } else if (s === UNKNOWN) unknowns++;
      }
      if (!rows.length) continue;
      sevCounts[control.severity] += rows.length;
      if (sev.size && !sev.has(control.severity)) continue;
      groups.push({ control: c, fails, unknowns, rows, risk });
    }
    const rank = (g) => SEVERITY.indexOf(controls[g.control].severity);
    const order = {
      risk: (a, b) => Math.round(b.risk * 10) - Math.round(a.risk * 10) || rank(a) - rank(b) || b.rows.length - a.rows.length,
      severity: (a, b) => rank(a) - rank(b) || b.risk - a.risk,
      count: (a, b) => b.rows.length - a.rows.length || b.risk - a.risk,
      id: (a, b) => (controls[a.control].id < controls[b.control].id ? -1 : 1),
    };
    groups.sort(order[view.sort] || order.risk);
  }

  function drawFindings() {
    filterRows();
    const count = groups.reduce((n, g) => n + g.rows.length, 0);
    const sev = new Set(chosen("sev")), st = new Set(chosen("st"));
    const redo = (key, value) => () => { toggle(key, value); changeFindings({}); };
    const filtered = Object.keys(FILTERS_OFF).some((k) => view[k] !== FILTERS_OFF[k]);
    keepFocus($("findings-tools"), () => refill($("findings-tools"),
      search("Search fixes and resources ( / )", view.q, (v) => changeFindings({ q: v })),
      h("span", { class: "chips", role: "group", "aria-label": "Severity" }, SEVERITY.map((s) =>
        chip([h("i", { class: s, "aria-hidden": "true", style: "font-style:normal" }, SHAPE[s]), " ", s[0].toUpperCase() + s.slice(1)], sev.has(s), redo("sev", s), sevCounts[s]))),
      h("span", { class: "chips", role: "group", "aria-label": "Status" },
        chip("Failed", st.has("f"), redo("st", "f")), chip("Unknown", st.has("u"), redo("st", "u")),
        hasPasses && chip("Passed", st.has("p"), redo("st", "p"))),
      select("Area", view.area, [["", "Every area"], ...model.areas.map((a) => [a.id, a.title])], (v) => changeFindings({ area: v })),
      select("Order", view.sort, [["risk", "By risk"], ["severity", "By severity"], ["count", "By number"], ["id", "By id"]], (v) => changeFindings({ sort: v })),
      view.asset && h("button", { type: "button", class: "chip token", title: "Remove this filter", onclick: () => changeFindings({ asset: "", st: "f" }) },
        "on ", middle(plain(lastPart(view.asset)), 40), " ×"),
      view.sub && scopeToken(),
      view.env && h("button", { type: "button", class: "chip token", title: "Remove this filter", onclick: () => change("both", { env: "", page: "0", apage: "0" }) }, "in ", plain(view.env), " ×"),
      filtered && h("button", { type: "button", class: "link", onclick: () => change("both", { ...FILTERS_OFF, page: "0", apage: "0" }) }, "Clear"),
      h("span", { class: "count" }, plural(groups.length, "fix", "fixes") + ", " + plural(count, "finding"))));
    const openAt = view.open ? groups.findIndex((g) => controls[g.control].id === view.open) : -1;
    const page = openAt >= 0 ? Math.floor(openAt / PAGE_FIXES) : pageOf(view.page, PAGE_FIXES, groups.length);
    if (!groups.length) {
      $("fixes").replaceChildren(h("p", { class: "empty" }, filtered ? "Nothing matches these filters." : "No findings."));
      return;
    }
    $("fixes").replaceChildren(
      h("div", { class: "columns", "aria-hidden": "true" }, h("span", {}), h("span", {}, "Severity"), h("span", {}, "Fix"), h("span", { class: "a" }, "Area"),
        h("span", { class: "num" }, "Resources"), h("span", { class: "num k" }, "Risk")),
      ...groups.slice(page * PAGE_FIXES, (page + 1) * PAGE_FIXES).map((g, k) => drawFix(g, page * PAGE_FIXES + k + 1)),
      pager(page, PAGE_FIXES, groups.length, (p) => { change("findings", { page: String(p), open: "" }); goTo("findings"); }) || "");
  }

  function drawFix(g, rank) {
    const c = controls[g.control];
    const el = h("div", { class: "fix", "data-control": c.id });
    const counted = [g.fails && number(g.fails), g.unknowns && number(g.unknowns) + " unknown"].filter(Boolean).join(" + ") || number(g.rows.length) + " passed";
    const button = h("button", { type: "button", "aria-expanded": "false" },
      h("span", { class: "rank" }, rank), severityMark(c.severity),
      h("span", { class: "t" }, c.title, h("small", {}, c.id)),
      h("span", { class: "a" }, areaTitle.get(c.area) || c.area),
      h("span", { class: "num c" }, counted, h("span", { class: "word" }, g.rows.length === 1 ? " resource" : " resources")),
      h("span", { class: "num k" }, number(Math.round(g.risk))));
    const body = h("div", { class: "body", hidden: true });
    function set(open) {
      el.dataset.open = open;
      button.setAttribute("aria-expanded", String(open));
      body.hidden = !open;
      if (open && !body.firstChild) fillFix(body, g, c);
    }
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      set(open);
      view.open = open ? c.id : "";
      writeFragment();
    });
    el.append(h("h3", {}, button), body);
    if (view.open === c.id) set(true);
    return el;
  }

  // A value in a shell word: everything outside the safe set is quoted, so that
  // a name made of commands stays a name.
  const shellWord = (s) => (/^[\w\/.:@+-]+$/.test(s) ? s : "'" + s.replace(/'/g, "'\\''") + "'");
  function fillIn(template, id) {
    const part = (re) => { const m = re.exec(id); return m ? m[1] : ""; };
    const values = { id, name: lastPart(id), resourceGroup: part(/\/resourceGroups\/([^/]+)/i), subscriptionId: part(/\/subscriptions\/([^/]+)/i) };
    // Inside a quoted stretch of the template the quote is closed around the value and opened again.
    // Comments stay as they are: quotes mean nothing there, and a line break in a value would end one.
    const placeholder = /\{(id|name|resourceGroup|subscriptionId)\}/y;
    let out = "", quote = "";
    for (let at = 0, end; at < template.length; at = end) {
      const c = template[at];
      end = at + 1;
      placeholder.lastIndex = at;
      const found = placeholder.exec(template);
      if (!quote && c === "#" && (at === 0 || /\s/.test(template[at - 1]))) end = (template + "\n").indexOf("\n", at);
      else if (c === "\\" && quote !== "'") end = at + 2;
      else if (found) {
        const word = shellWord(values[found[1]]);
        out += word === values[found[1]] ? word : quote + word + quote;
        end = placeholder.lastIndex;
        continue;
      } else if (c === quote) quote = "";
      else if (!quote && (c === '"' || c === "'")) quote = c;
      out += template.slice(at, end);
    }
    return out;
  }

  function codeBlock(label, text, extra, style) {
    return h("div", { class: "code" }, h("div", {}, h("span", {}, label), extra,
      h("button", { type: "button", class: "copy", onclick: (e) => copy(text, e.currentTarget) }, "Copy")), h("pre", { tabindex: "0", class: style }, h("code", {}, text)));
  }

  function fillFix(body, g, c) {
    const fix = c.remediation || {};
    const left = h("div", {}, h("h4", {}, "How to fix"), h("p", {}, fix.text || ""));
    if (fix.az) {
      const ids = g.rows.filter((r) => rowStatus[r] === FAIL).map((r) => fullId(rowId[r])).filter((id) => id.startsWith("/"));
      const all = ids.length > 1 && /\{\w+\}/.test(fix.az) && h("button", { type: "button", class: "copy",
        onclick: (e) => copy(ids.map((id) => fillIn(fix.az.trim(), id)).join("\n") + "\n", e.currentTarget) }, "Copy for all " + number(ids.length));
      left.append(codeBlock("Azure CLI", fix.az.trim(), all));
    }
    if (fix.bicep) left.append(codeBlock("Bicep", fix.bicep.trim()));
    if (fix.policy) left.append(codeBlock("Azure Policy definition", fix.policy, null, "wraps"));
    const right = h("div", {}, fix.breaks && [h("h4", {}, "What it may break"), h("p", {}, fix.breaks)]);
    const mapped = Object.entries(c.mappings || {}).filter(([, list]) => list && list.length);
    if (mapped.length) right.append(h("h4", {}, "Asked for by"), ...mapped.map(([framework, list]) =>
      h("p", { class: "maps" }, (model.frameworks || {})[framework] || framework, ": ", list.join(", "))));
    const table = h("div", {});
    body.append(h("p", { class: "why" }, c.rationale), h("div", { class: "how" }, left, right), table);
    drawRows(table, g, c, { by: "risk", down: true, page: 0 });
  }

  function short(value) {
    const text = plain(typeof value === "string" ? value || "(empty)" : value === undefined ? "(absent)" : value === null ? "null" : JSON.stringify(value));
    return h("code", text.length > LIMIT ? { title: text.slice(0, 4000) } : {}, middle(text, LIMIT));
  }
  function evidenceCell(r) {
    if (rowStatus[r] === UNKNOWN && rowReason[r] >= 0) return h("span", { class: "soft" }, "Unknown: ", plain(strings[rowReason[r]]));
    const e = rowEvidence[r] < 0 ? null : model.evidence[rowEvidence[r]];
    if (e === null || typeof e !== "object" || Array.isArray(e)) return h("span", { class: "ev" }, e === null ? "" : short(e));
    const out = h("span", { class: "ev" });
    if ("found" in e || "wanted" in e) {
      out.append("found ", short(e.found));
      if ("wanted" in e) out.append(", wanted ", short(e.wanted));
    }
    if (e.path) out.append(h("span", { class: "under" }, plain(e.path)));
    for (const [key, value] of Object.entries(e))
      if (!["path", "found", "wanted"].includes(key)) out.append(h("span", { class: "under" }, plain(key), ": ", middle(plain(typeof value === "string" ? value : JSON.stringify(value)), LIMIT)));
    return out;
  }

  function whereIs(id, scope) {
    const parts = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?/i.exec(id);
    return parts ? (scope >= 0 ? scopes[scope].name : parts[1]) + (parts[2] ? " / " + parts[2] : "") : id;
  }
  function rowName(r) {
    const asset = assetOf[rowId[r]];
    return asset >= 0 ? assetName(asset) : idName(rowId[r]);
  }

  function drawRows(into, g, c, state) {
    const by = {
      risk: (a, b) => rowStatus[a] - rowStatus[b] || rowRisk[a] - rowRisk[b],
      name: (a, b) => { const x = rowName(a).toLowerCase(), y = rowName(b).toLowerCase(); return x < y ? 1 : x > y ? -1 : 0; },
    }[state.by];
    const list = g.rows.slice().sort((a, b) => (rowStatus[a] !== rowStatus[b] && state.by === "risk" ? rowStatus[a] - rowStatus[b] : state.down ? by(b, a) : by(a, b)) || a - b);
    const page = Math.min(state.page, Math.ceil(list.length / PAGE_ROWS) - 1);
    const draw = (next, key) => {
      drawRows(into, g, c, { ...state, ...next });
      const el = key && into.querySelector('[data-key="' + key + '"]');
      if (el) el.focus({ preventScroll: true });
    };
    const head = (key, text, cls) => h("th", { scope: "col", class: cls, "aria-sort": state.by === key ? (state.down ? "descending" : "ascending") : null },
      h("button", { type: "button", "data-key": key, onclick: () => draw({ by: key, down: state.by === key ? !state.down : true, page: 0 }, key) }, text, state.by === key ? (state.down ? " ↓" : " ↑") : ""));
    const withFix = c.remediation && c.remediation.az;
    const rows = list.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).map((r) => {
      const id = fullId(rowId[r]), name = rowName(r);
      const where = whereIs(id, scopeOf(rowId[r]));
      return h("tr", {},
        h("td", { class: "name" }, h("span", { title: plain(id) }, middle(plain(name), narrow.matches ? 34 : 48)),
          h("span", { class: "under", title: plain(id) }, middle(plain(where), narrow.matches ? 44 : 60))),
        h("td", { "data-label": "Evidence" }, evidenceCell(r)),
        h("td", { class: "num", "data-label": "Risk" }, rowStatus[r] === FAIL ? number(Math.round(rowRisk[r])) : rowStatus[r] === UNKNOWN ? "unknown" : "passed"),
        h("td", { class: "num" + (withFix && rowStatus[r] === FAIL ? "" : " blank"), "data-label": "" },
          withFix && rowStatus[r] === FAIL && h("button", { type: "button", class: "copy", title: "Copy the Azure CLI command for this resource",
            onclick: (e) => copy(fillIn(c.remediation.az.trim(), id) + "\n", e.currentTarget) }, "Copy az")));
    });
    into.replaceChildren(h("div", { class: "wrap" }, h("table", { class: "data cards" },
      h("thead", {}, h("tr", {}, head("name", "Resource"), h("th", { scope: "col" }, "Evidence"), head("risk", "Risk", "num"), h("th", {}, h("span", { class: "visually-hidden" }, "Command")))),
      h("tbody", {}, rows))), pager(page, PAGE_ROWS, list.length, (p) => draw({ page: p })) || "");
  }

  function showFix(id) {
    const el = Array.from($("fixes").children).find((x) => x.dataset.control === id);
    if (!el) return;
    el.scrollIntoView();
    el.querySelector("button").focus({ preventScroll: true });
  }

  // ---- what we could not see ---------------------------------------------

  function drawGaps() {
    const missing = model.collection.filter((d) => d.status === "not collected");
    const out = [];
    const table = (heads, rows) => h("div", { class: "wrap" }, h("table", { class: "data cards" },
      h("thead", {}, h("tr", {}, heads.map(([t, cls]) => h("th", { scope: "col", class: cls }, t)))), h("tbody", {}, rows)));
    const never = model.notRun || [];
    if (missing.length || !never.length) out.push(h("h3", {}, missing.length ? "Not collected" : "Every data set asked for was collected."));
    if (missing.length) out.push(table([["Data set"], ["Scope"], ["Why"]], missing.map((d) => h("tr", {},
      h("td", { class: "name" }, d.dataset), h("td", { "data-label": "Scope" }, shortName(d.scope || "tenant", 60)), h("td", { "data-label": "Why" }, plain(d.reason || "no reason given"))))));
    const blind = controls.map((c) => {
      const reasons = new Map();
      let n = 0;
      c.rows.id.forEach((_, k) => {
        if (c.rows.status[k] !== "u") return;
        n++;
        const r = c.rows.reason[k];
        if (r >= 0) reasons.set(strings[r], (reasons.get(strings[r]) || 0) + 1);
      });
      return { c, n, reasons: Array.from(reasons).sort((a, b) => b[1] - a[1]) };
    }).filter((x) => x.n).sort((a, b) => SEVERITY.indexOf(a.c.severity) - SEVERITY.indexOf(b.c.severity) || b.n - a.n);
    if (blind.length) {
      const box = h("div", {});
      const draw = (page) => box.replaceChildren(table([["Control"], ["Severity"], ["Unknown", "num"], ["Why"]],
        blind.slice(page * PAGE_ROWS, (page + 1) * PAGE_ROWS).map((x) => h("tr", {},
          h("td", { class: "name" }, h("button", { type: "button", class: "link", onclick: () => { changeFindings({ ...FILTERS_OFF, st: "u", open: x.c.id }); showFix(x.c.id); } }, x.c.title),
            h("span", { class: "under" }, x.c.id)),
          h("td", { "data-label": "Severity" }, severityMark(x.c.severity)), h("td", { class: "num", "data-label": "Unknown" }, number(x.n)),
          h("td", { "data-label": "Why" }, h("span", {}, x.reasons.slice(0, 2).map(([t]) => plain(t)).join("; ") + (x.reasons.length > 2 ? "; and " + plural(x.reasons.length - 2, "other reason") : "")))))),
      pager(page, PAGE_ROWS, blind.length, draw) || "");
      draw(0);
      out.push(h("h3", {}, "Could not be judged"), box);
    }
    if (never.length) out.push(h("h3", {}, "Controls without a verdict"), table([["Control"], ["Why"]], never.map((x) =>
      h("tr", {}, h("td", { class: "name" }, plain(x.control)), h("td", { "data-label": "Why" }, plain(x.reason))))));
    $("gaps").append(...out);
  }

  function drawEvidence() {
    const m = model.meta, facts = [];
    const add = (label, ...value) => { if (value.some((v) => v)) facts.push(h("div", {}, h("dt", {}, label), h("dd", {}, value))); };
    add("Tenant", plain(m.tenant.name || ""), m.tenant.name && " ", h("span", { class: "soft" }, m.tenant.id));
    add("Snapshot", m.snapshot.id, m.snapshot.takenAt && [", ", when(m.snapshot.takenAt)]);
    add("Compared with", m.snapshot.previousId && [m.snapshot.previousId, ", ", when(m.snapshot.previousAt)]);
    add("Assessed", when(m.run.at), m.run.by && [" by ", plain(m.run.by)]);
    add("Left out", m.omitted);
    add("Run", m.run.id);
    add("Program", m.run.version && "azimuth " + m.run.version);
    add("Content pack", m.content.version, m.content.controls !== undefined && ", " + plural(m.content.controls, "control"));
    for (const d of m.run.durations || []) add("Duration, " + d.what, duration(d.ms));
    for (const n of m.counts || []) add(n.what, number(n.n));
    const hashes = (m.hashes || []).map((x) => h("tr", {}, h("td", { class: "name" }, plain(x.of)), h("td", { "data-label": "Algorithm" }, x.algorithm), h("td", { "data-label": "Value" }, h("code", {}, x.value))));
    $("provenance").append(h("dl", { class: "facts" }, facts));
    if (hashes.length) $("provenance").append(h("h3", {}, "Hashes"), h("div", { class: "wrap" }, h("table", { class: "data cards" },
      h("thead", {}, h("tr", {}, ["Of", "Algorithm", "Value"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, hashes))));
    const rows = model.collection.filter((d) => d.status !== "not collected");
    if (rows.length) $("provenance").append(h("h3", {}, "Data read"), h("dl", { class: "facts" }, rows.map((d) =>
      h("div", {}, h("dt", {}, d.dataset, d.scope && [", ", middle(plain(d.scope), 40)]), h("dd", {}, d.status === "empty" ? "empty" : plural(d.rows, "row"))))));
  }

  // ---- print --------------------------------------------------------------

  // On paper nothing opens: the first fixes are written out, once, in the order
  // of risk and without regard to the filters on the screen.
  function drawPrint() {
    const list = controls.map((c, i) => {
      const rows = [];
      let risk = 0;
      for (let r = start[i]; r < start[i + 1]; r++) if (rowStatus[r] === FAIL) { rows.push(r); risk += rowRisk[r]; }
      return { c, rows, risk };
    }).filter((g) => g.rows.length).sort((a, b) => b.risk - a.risk);
    $("print").replaceChildren(
      h("div", { class: "head" }, h("h2", {}, "What to fix first"), h("p", {}, "The first " + Math.min(PRINTED_FIXES, list.length) + " of " + plural(list.length, "fix", "fixes") + ", the greatest risk first.")),
      ...list.slice(0, PRINTED_FIXES).map((g, k) => h("div", { class: "pfix" },
        h("div", { class: "start" }, h("h3", {}, k + 1 + ". " + g.c.title),
          h("p", { class: "meta" }, severityMark(g.c.severity), " · " + g.c.id + " · " + (areaTitle.get(g.c.area) || g.c.area) + " · " + plural(g.rows.length, "resource") + " · risk " + number(Math.round(g.risk))),
          h("p", {}, g.c.rationale), h("p", {}, h("b", {}, "Fix: "), (g.c.remediation || {}).text || "")),
        (g.c.remediation || {}).az && h("pre", {}, g.c.remediation.az.trim()),
        h("ul", {}, g.rows.sort((a, b) => rowRisk[b] - rowRisk[a]).slice(0, PRINTED_ROWS).map((r) => h("li", {}, h("b", {}, middle(plain(rowName(r)), 60)), " ", middle(plain(whereIs(fullId(rowId[r]), scopeOf(rowId[r]))), 70))),
          g.rows.length > PRINTED_ROWS && h("li", {}, "and " + number(g.rows.length - PRINTED_ROWS) + " more")))));
  }

  // ---- begin --------------------------------------------------------------

  const hasPasses = controls.some((c) => c.rows.status.includes("p"));
  readFragment();
  drawScores();
  for (const id of ["inventory", "findings", "unseen", "evidence"]) $(id).hidden = false;

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
      if (e.key === "Escape" && e.target.type === "search") e.target.blur();
      return;
    }
    if (e.key === "/") {
      e.preventDefault();
      goTo("findings");
      $("findings-tools").querySelector("input").focus();
    } else if (e.key === "j" || e.key === "k") {
      const all = Array.from($("fixes").querySelectorAll(".fix > h3 > button"));
      const at = all.findIndex((b) => b.closest(".fix").contains(document.activeElement));
      const next = all[Math.max(0, Math.min(all.length - 1, at + (e.key === "j" ? 1 : -1)))];
      if (next) { next.focus(); }
    }
  });
  // Jumps inside the page must not wipe the filters out of the fragment.
  for (const a of document.querySelectorAll(".top nav a, .skip"))
    a.addEventListener("click", (e) => { e.preventDefault(); goTo(a.hash.slice(1)); });
  addEventListener("hashchange", () => {
    if (location.hash.length > 1 && !location.hash.includes("=")) return;
    readFragment();
    drawInventory();
    drawFindings();
  });
  addEventListener("beforeprint", drawPrint);

  // The first screen is there; the rest comes part by part, so that scrolling never waits.
  const parts = [drawFindings, drawInventory, drawPaths, drawGaps, drawEvidence, drawPrint,
    () => { if (view.open) showFix(view.open); }];
  (function next() {
    const part = parts.shift();
    if (!part) { document.documentElement.dataset.ready = "true"; return; }
    part();
    setTimeout(next, 0);
  })();
})();
