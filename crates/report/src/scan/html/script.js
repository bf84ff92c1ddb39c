(() => {
  "use strict";
  const get = (id) => document.getElementById(id);
  const list = get("cards");
  const controls = get("controls");
  if (!list || !controls) return;

  const cards = Array.from(list.children, (element, index) => ({
    element,
    index,
    data: element.dataset,
    name: element.querySelector("h3").textContent.toLowerCase(),
    // Read when they are first searched: it takes longer than everything else here.
    text: null,
    rows: Array.from(element.querySelectorAll(".row"), (row) => ({ element: row, data: row.dataset, text: null })),
  }));
  const total = cards.reduce((sum, card) => sum + card.rows.length, 0);
  const collator = new Intl.Collator("en", { numeric: true });
  const orders = {
    score: (a, b) => a.index - b.index,
    rank: (a, b) => a.data.rank - b.data.rank || a.index - b.index,
    count: (a, b) => b.rows.length - a.rows.length || a.index - b.index,
    name: (a, b) => collator.compare(a.name, b.name) || a.index - b.index,
  };

  const lower = (element) => (element ? element.textContent.toLowerCase() : "");
  const kinds = {
    "": () => true,
    fails: (card, row) => "fails" in row.data,
    kev: (card, row) => "kev" in row.data,
    overdue: (card, row) => "overdue" in row.data,
    new: (card, row) => "new" in row.data,
    fix: (card) => "fix" in card.data,
    nofix: (card) => !("fix" in card.data),
    direct: (card) => "direct" in card.data,
    runtime: (card) => "runtime" in card.data,
  };

  const apply = () => {
    const words = get("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const outcome = get("outcome").value;
    const severity = get("severity").value;
    const ecosystem = get("ecosystem").value;
    const kind = kinds[get("kind").value];
    let rows = 0;
    let packages = 0;
    for (const card of cards) {
      let shown = 0;
      for (const row of card.rows) {
        let matches =
          (!outcome || (row.data.out || card.data.out) === outcome) &&
          (!severity || row.data.sev === severity) &&
          (!ecosystem || card.data.eco === ecosystem) &&
          kind(card, row);
        if (matches && words.length) {
          card.text ??= card.name + " " + lower(card.element.querySelector(".where"));
          row.text ??= lower(row.element);
          matches = words.every((word) => card.text.includes(word) || row.text.includes(word));
        }
        row.element.hidden = !matches;
        if (matches) shown += 1;
      }
      card.element.hidden = shown === 0;
      rows += shown;
      if (shown) packages += 1;
    }
    get("nothing").hidden = rows > 0;
    get("shown").textContent = `${rows} of ${total} findings in ${packages} package versions`;
  };

  const sort = () => {
    const sorted = cards.slice().sort(orders[get("sort").value]);
    list.append(...sorted.map((card) => card.element));
  };

  let waiting = 0;
  get("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 80);
  });
  for (const id of ["outcome", "severity", "ecosystem", "kind"]) get(id).addEventListener("change", apply);
  get("sort").addEventListener("change", sort);
  controls.addEventListener("submit", (event) => event.preventDefault());
  controls.addEventListener("reset", () =>
    setTimeout(() => {
      sort();
      apply();
    })
  );
  document.addEventListener("keydown", (event) => {
    const field = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !field && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      get("search").focus();
    }
  });

  // Paper has nothing to open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });

  controls.hidden = false;
  apply();
})();
